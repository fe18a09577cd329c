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
	"strings"
	"syscall/js"
	"time"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/render"
	"github.com/helixvanguard/vanguard/unpack"
)

const (
	gcBuilding      = 400     // percent that the heap may grow while the engine is built: what is built stays
	gcRunning       = 200     // the same afterwards; one thread does it all here, so collections are made rarer
	copied          = 1 << 20 // bytes taken over from JavaScript at once
	maxUnpacked     = 4 << 30 // bytes that one packed log may hold
	partialFindings = 3       // findings that a partial report shows
)

// warmup has a line of each kind of attack. Judging it makes the browser compile the engine's code, and the
// engine the expressions that it compiles when first used: the first real paste is then judged five times as fast.
//
//go:embed warmup.log
var warmup []byte

// host holds what JavaScript has opened, by the numbers that it was given.
type host struct {
	base    *vanguard.Engine
	runs    map[int]*vanguard.Analyzer
	sources map[int]*source
	last    int
	buf     []byte
}

// A source hands what is written through unpack to the engine.
type source struct {
	*io.PipeWriter
	run  int
	done chan struct{} // closed when the engine has seen all
}

// newSource opens a log, plain or packed, of the analysis a.
func newSource(a *vanguard.Analyzer, run int, name string) *source {
	r, w := io.Pipe()
	s := &source{w, run, make(chan struct{})}
	src := a.Source(name)
	go func() {
		defer close(s.done)
		text, err := unpack.New(bufio.NewReaderSize(r, copied), maxUnpacked)
		if err == nil {
			_, err = io.Copy(src, text)
			text.Close()
		}
		src.Close()
		switch {
		case err == errCancelled:
		case errors.Is(err, io.ErrUnexpectedEOF):
			a.Problem(name + ": unexpected end of the compressed file: it is cut off")
		case err != nil:
			a.Problem(name + ": " + err.Error())
		}
		io.Copy(io.Discard, r) // nobody waits for a log that cannot be read
	}()
	return s
}

var errCancelled = errors.New("cancelled")

func main() {
	debug.SetGCPercent(gcBuilding)
	base, err := vanguard.NewEngine(vanguard.Options{Workers: 1})
	if err != nil {
		js.Global().Call("vanguardReady", jsError(err))
		return
	}
	debug.SetGCPercent(gcRunning)
	h := &host{base: base, runs: map[int]*vanguard.Analyzer{}, sources: map[int]*source{}}
	raw := map[string]any{"version": vanguard.Version, "rules": base.Rules().Hash()}
	for name, f := range map[string]func([]js.Value) (any, error){
		"start": h.start, "source": h.source, "write": h.write, "close": h.close,
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

// source(run, name) opens a log of an analysis and returns its number.
func (h *host) source(args []js.Value) (any, error) {
	a, err := h.run(args[0])
	if err != nil {
		return nil, err
	}
	h.last++
	h.sources[h.last] = newSource(a, args[0].Int(), args[1].String())
	return h.last, nil
}

// write(source, Uint8Array) takes the next bytes, and returns once all but the last of them were judged.
func (h *host) write(args []js.Value) (any, error) {
	src := h.sources[args[0].Int()]
	if src == nil {
		return nil, fmt.Errorf("this log was closed")
	}
	for from, size := 0, args[1].Length(); from < size; from += copied {
		n := min(copied, size-from)
		if cap(h.buf) < n {
			h.buf = make([]byte, n)
		}
		js.CopyBytesToGo(h.buf[:n], args[1].Call("subarray", from, from+n))
		if _, err := src.Write(h.buf[:n]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// close(source) ends a log.
func (h *host) close(args []js.Value) (any, error) {
	id := args[0].Int()
	src := h.sources[id]
	if src == nil {
		return nil, nil
	}
	delete(h.sources, id)
	src.Close()
	<-src.done
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
			src.CloseWithError(errCancelled)
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

// warm judges warmup, and forgets what it found.
func (h *host) warm([]js.Value) (any, error) {
	a := h.base.Analyzer()
	src := a.Source("warmup")
	src.Write(warmup)
	src.Close()
	return nil, render.Write(io.Discard, "json", a.Report(), render.Options{})
}
