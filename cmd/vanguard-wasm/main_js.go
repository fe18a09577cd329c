// Command vanguard-wasm is the engine for JavaScript, with no logic of its own: it passes
// bytes in and reports out. engine.js beside it is its other half, the objects that
// JavaScript sees; engine.d.ts describes them.
package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall/js"
	"time"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/render"
	"github.com/helixvanguard/vanguard/unpack"
)

const (
	gcBuilding      = 400     // percent that the heap may grow while the engine is built: what is built stays
	gcRunning       = 200     // the same afterwards; one thread does it all here, so collections are made rarer
	copied          = 1 << 20 // bytes that unpacking looks at, at once
	maxUnpacked     = 4 << 30 // bytes that one packed log may hold
	partialFindings = 3       // findings that a partial report shows
)

// warmup has a line of each kind of attack. Judging it makes the browser compile the engine's code, and the engine the expressions that it
// compiles when first used: the first real paste is then judged at full speed. It is judged in steps, and twice: once for the
// engine, once more for the browser, which compiles better what it has seen run.
//
//go:embed warmup.log
var warmup []byte

const (
	warmRounds = 2
	warmLines  = 6 // of one step: a paste that comes meanwhile waits for one step at most
)

// host holds what JavaScript has opened, by the numbers that it was given.
type host struct {
	base    *vanguard.Engine
	runs    map[int]*vanguard.Analyzer
	sources map[int]*source
	last    int
	warmed  int // steps
}

// A source is the reading end of a log that JavaScript writes. Nothing that JavaScript calls may block, because there is one
// thread: what is written waits here until the engine wants it, and hungry tells when that is.
type source struct {
	run     int
	mu      sync.Mutex
	queue   [][]byte
	end     error // once no more comes
	waiting bool  // the engine waits for more
	wake    chan struct{}
}

func (s *source) Read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			n := copy(p, s.queue[0])
			if s.queue[0] = s.queue[0][n:]; len(s.queue[0]) == 0 {
				s.queue = slices.Delete(s.queue, 0, 1)
			}
			s.mu.Unlock()
			return n, nil
		}
		if s.end != nil {
			s.mu.Unlock()
			return 0, s.end
		}
		s.waiting = true
		s.mu.Unlock()
		<-s.wake
	}
}

// give adds bytes, or ends the log by an error: io.EOF, errCancelled.
func (s *source) give(b []byte, end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return
	}
	if len(b) > 0 {
		s.queue = append(s.queue, b)
	}
	s.end = end
	if s.waiting {
		s.waiting = false
		s.wake <- struct{}{}
	}
}

var errCancelled = errors.New("cancelled")

// read hands a log, plain or packed, to the engine.
func (s *source) read(a *vanguard.Analyzer, name string, w *vanguard.Source) {
	text, err := unpack.New(bufio.NewReaderSize(s, copied), maxUnpacked)
	if err == nil {
		_, err = io.Copy(w, text)
		text.Close()
	}
	switch {
	case errors.Is(err, errCancelled):
		return
	case errors.Is(err, io.ErrUnexpectedEOF):
		a.Problem(name + ": unexpected end of the compressed file: it is cut off")
	case err != nil:
		a.Problem(name + ": " + err.Error())
	}
	io.Copy(io.Discard, s) // of a log that cannot be read, the rest
}

func main() {
	debug.SetGCPercent(gcBuilding)
	model, err := neural.Load(models.Weights)
	var base *vanguard.Engine
	if err == nil {
		base, err = vanguard.NewEngine(vanguard.Options{Workers: 1, Model: model})
	}
	if err != nil {
		js.Global().Call("vanguardReady", jsError(err))
		return
	}
	debug.SetGCPercent(gcRunning)
	h := &host{base: base, runs: map[int]*vanguard.Analyzer{}, sources: map[int]*source{}}
	raw := map[string]any{"version": vanguard.Version, "rules": base.Rules().Hash()}
	for name, f := range map[string]func([]js.Value) (any, error){
		"start": h.start, "logs": h.logs, "write": h.write, "hungry": h.hungry, "close": h.close,
		"report": h.report, "partial": h.partial, "cancel": h.cancel, "explain": h.explain,
		"warm": h.warm,
	} {
		raw[name] = js.FuncOf(func(_ js.Value, args []js.Value) any {
			v, err := f(args)
			if err != nil {
				return jsError(err)
			}
			return v
		})
	}
	js.Global().Call("vanguardReady", raw)
	select {}
}

// jsError is err as an Error. Go cannot throw into JavaScript; engine.js throws what it is given.
func jsError(err error) js.Value { return js.Global().Get("Error").New(err.Error()) }

// start(settings JSON) begins an analysis and returns its number.
func (h *host) start(args []js.Value) (any, error) {
	s := vanguard.Settings{Year: time.Now().Year()}
	if text := args[0].String(); text != "" {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
	}
	opt, err := s.Options()
	if err != nil {
		return nil, err
	}
	opt.Workers = 1
	engine, err := h.base.With(opt)
	if err != nil {
		return nil, err
	}
	h.last++
	h.runs[h.last] = engine.Analyzer()
	return h.last, nil
}

func (h *host) run(id js.Value) (*vanguard.Analyzer, error) {
	if a := h.runs[id.Int()]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("this analysis was cancelled")
}

// logs(run, JSON of [{name, year}]) opens logs that are judged as one, and returns their numbers.
func (h *host) logs(args []js.Value) (any, error) {
	a, err := h.run(args[0])
	if err != nil {
		return nil, err
	}
	var logs []vanguard.Log
	if err := json.Unmarshal([]byte(args[1].String()), &logs); err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	var numbers []any
	var opened []*source
	for range logs {
		h.last++
		src := &source{run: args[0].Int(), wake: make(chan struct{}, 1)}
		h.sources[h.last] = src
		numbers, opened = append(numbers, h.last), append(opened, src)
	}
	go a.Read(logs, func(i int, w *vanguard.Source) { opened[i].read(a, logs[i].Name, w) })
	return numbers, nil
}

// write(source, Uint8Array) gives the engine the next bytes. Before JavaScript runs on, the engine has done with them what it can.
func (h *host) write(args []js.Value) (any, error) {
	src := h.sources[args[0].Int()]
	if src == nil {
		return nil, fmt.Errorf("this log was closed")
	}
	b := make([]byte, args[1].Length())
	js.CopyBytesToGo(b, args[1])
	src.give(b, nil)
	return nil, nil
}

// hungry(source) tells whether the engine wants more of this log.
func (h *host) hungry(args []js.Value) (any, error) {
	src := h.sources[args[0].Int()]
	return src != nil && src.waiting, nil
}

// close(source) ends a log.
func (h *host) close(args []js.Value) (any, error) {
	id := args[0].Int()
	if src := h.sources[id]; src != nil {
		delete(h.sources, id)
		src.give(nil, io.EOF)
	}
	return nil, nil
}

// report(run, format, redact) is what `vanguard scan -o format` prints for the same logs.
func (h *host) report(args []js.Value) (any, error) {
	a, err := h.run(args[0])
	if err != nil {
		return nil, err
	}
	opt := render.Options{Now: time.Now()}
	if args[1].String() == "text" {
		opt.Top = render.TextTop
	}
	report := a.Report()
	if args[2].Truthy() {
		report = render.Redact(report)
	}
	var out bytes.Buffer
	err = render.Write(&out, args[1].String(), report, opt)
	return out.String(), err
}

// partial(run) is the report so far, as JSON with its worst findings only.
func (h *host) partial(args []js.Value) (any, error) {
	a, err := h.run(args[0])
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = render.Write(&out, "json", render.Redact(a.Report()), render.Options{Top: partialFindings})
	return out.String(), err
}

// cancel(run) forgets an analysis and its logs.
func (h *host) cancel(args []js.Value) (any, error) {
	id := args[0].Int()
	delete(h.runs, id)
	for n, src := range h.sources {
		if src.run == id {
			src.give(nil, errCancelled)
			delete(h.sources, n)
		}
	}
	return nil, nil
}

// explain(line, format) shows how one line is read and judged, as json or text.
func (h *host) explain(args []js.Value) (any, error) {
	explained := h.base.Explain([]byte(args[0].String()))
	if len(explained) == 0 {
		return nil, fmt.Errorf("there is no line to explain")
	}
	var out bytes.Buffer
	err := render.Explain(&out, args[1].String(), explained, render.Options{Now: time.Now()})
	return out.String(), err
}

// warm does one step of warming up, and tells whether there is more to do.
func (h *host) warm([]js.Value) (any, error) {
	lines := bytes.SplitAfter(warmup, []byte{'\n'})
	from := h.warmed * warmLines % len(lines)
	h.warmed++
	a := h.base.Analyzer()
	src := a.Source("warmup")
	src.Write(bytes.Join(lines[from:min(from+warmLines, len(lines))], nil))
	src.Close()
	if err := render.Write(io.Discard, "json", render.Redact(a.Report()), render.Options{}); err != nil {
		return nil, err
	}
	return h.warmed*warmLines < warmRounds*len(lines), nil
}
