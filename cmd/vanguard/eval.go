package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
)

// maxCaseBytes bounds one line of a cases file.
const maxCaseBytes = 256 << 20

// evalCmd is `vanguard eval`: the ruler. It judges labelled cases, each in a
// world of its own, and counts how often the answer was right.
type evalCmd struct {
	Paths       []string `arg:"" optional:"" name:"path" help:"Files of labelled cases (JSON lines), folders of *.jsonl files, or - for standard input."`
	Blind       bool     `help:"Read {\"id\",\"lines\"} a line and answer {\"id\",\"verdict\",\"confidence\",\"findings\"} a line each, in order."`
	Misses      bool     `help:"List the attacks that were missed, or whose threat, actor or outcome came out wrong."`
	False       bool     `help:"List the benign cases that were flagged, and the innocents that were named."`
	Weak        bool     `help:"Count cases with a doubtful label among the others instead of apart."`
	JSON        bool     `name:"json" help:"Print JSON."`
	Threat      string   `help:"Score one threat: its attacks, and the benign cases that were taken for it." placeholder:"SLUG"`
	Source      string   `help:"Score the cases of one source." placeholder:"NAME"`
	Rules       string   `help:"Folder of further Sigma rules, as for scan." placeholder:"DIR" type:"existingdir"`
	NoModel     bool     `name:"no-model" help:"Judge by the rules alone, without the classifier."`
	Calibration bool     `help:"Show how often findings of each confidence are right."`
	Workers     int      `help:"Cases judged at the same time; 0 = all cores." placeholder:"N"`
}

// Help is shown by `vanguard eval --help` below the usage.
func (*evalCmd) Help() string {
	return `A labelled case is one line of JSON:

  {"id": "mine/1", "source": "mine", "label": "attack", "threat": "sql-injection",
   "also": ["recon-scanning"], "actors": ["203.0.113.9"], "outcome": "blocked",
   "weak": false, "lines": ["203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] ..."]}

id, label (attack or benign) and lines are needed. An attack counts as found when the
verdict is probed or worse; a benign case as flagged by the same measure, and as red when
the verdict is under-attack or compromise-likely. Macro is the mean over the sources.

--calibration compares the confidence of each flagged case's first finding with the truth, cases
with a doubtful label left out: an attack or none, and the right threat or not.`
}

// A job is one line of input on its way through the workers.
type job struct {
	seq   int
	place string // file:line
	file  string
	raw   []byte
}

// jobs reads JSON lines from the named places and hands them on in order until
// yield returns false. A file that was only found in a folder is passed over if
// accept refuses its first line.
func jobs(paths []string, stdin io.Reader, accept func(first []byte) bool, skipped func(file string), yield func(job) bool) error {
	seq := 0
	read := func(name string, r io.Reader, named bool) error {
		in := bufio.NewScanner(r)
		in.Buffer(make([]byte, 1<<20), maxCaseBytes)
		n := 0
		for first := true; in.Scan(); {
			n++
			raw := bytes.TrimSpace(in.Bytes())
			if len(raw) == 0 {
				continue
			}
			if first && !named && !accept(raw) {
				skipped(name)
				return nil
			}
			first = false
			if !yield(job{seq, fmt.Sprintf("%s:%d", name, n), name, bytes.Clone(raw)}) {
				return errStopped
			}
			seq++
		}
		if errors.Is(in.Err(), bufio.ErrTooLong) {
			return fmt.Errorf("%s:%d: the line is longer than %d bytes; split the case", name, n+1, maxCaseBytes)
		} else if in.Err() != nil {
			return fmt.Errorf("%s:%d: %w", name, n+1, in.Err())
		}
		return nil
	}
	open := func(name string, named bool) error {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		return read(filepath.ToSlash(name), f, named)
	}
	for _, path := range paths {
		if path == "-" {
			if err := read("stdin", stdin, true); err != nil {
				return err
			}
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			if err := open(path, true); err != nil {
				return err
			}
			continue
		}
		found := false
		err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(name) != ".jsonl" {
				return err
			}
			found = true
			return open(name, false)
		})
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%s: no *.jsonl file in this folder; a cases file holds one labelled case a line", path)
		}
	}
	return nil
}

// errStopped ends the reading because somebody has already failed.
var errStopped = errors.New("stopped")

// A judge gives the report on a log of the given lines, with nothing else in memory.
type judge func(lines []string) *vanguard.Report

func newJudge(rules string, noModel bool) (judge, error) {
	opt := vanguard.Options{Workers: 1}
	if !noModel {
		var err error
		if opt.Model, err = neural.Load(models.Weights); err != nil {
			return nil, err
		}
	}
	if rules != "" {
		opt.Rules = os.DirFS(rules)
	}
	engine, err := vanguard.NewEngine(opt)
	if err != nil {
		return nil, err
	}
	return func(lines []string) *vanguard.Report {
		a := engine.Analyzer()
		src := a.Source("case")
		var text []byte
		for _, line := range lines {
			text = append(append(text, line...), '\n')
		}
		src.Write(text)
		src.Close()
		return a.Report()
	}, nil
}

// safely runs f and makes a panic an error that names the case.
func safely(place, id string, f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: case %q: the engine failed: %v\n%s", place, id, r, debug.Stack())
		}
	}()
	f()
	return nil
}

// Run is called by kong.
func (c *evalCmd) Run(k *kong.Context) error {
	if len(c.Paths) == 0 {
		return usagef("name a file or folder of cases, or - for standard input")
	}
	j, err := newJudge(c.Rules, c.NoModel)
	if err != nil {
		return err
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Blind {
		return c.blind(j, os.Stdin, k.Stdout)
	}
	s, err := c.score(j, os.Stdin, k.Stderr)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.writeJSON(k.Stdout)
	}
	return s.writeText(k.Stdout)
}

// score judges all cases on c.Workers cores. Its result does not depend on their number.
func (c *evalCmd) score(j judge, stdin io.Reader, stderr io.Writer) (*scores, error) {
	work := make(chan job, 4*c.Workers)
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		all    = newScores(c)
		failed = -1 // seq of the first bad case
		fail   error
	)
	var done atomic.Int64
	stopProgress := showCases(stderr, &done)
	defer stopProgress()
	for range c.Workers {
		wg.Go(func() {
			own := newScores(c)
			for w := range work {
				err := c.one(own, w, j)
				done.Add(1)
				if err == nil {
					continue
				}
				mu.Lock()
				if failed < 0 || w.seq < failed {
					failed, fail = w.seq, err
				}
				mu.Unlock()
			}
			mu.Lock()
			all.merge(own)
			mu.Unlock()
		})
	}
	err := jobs(c.Paths, stdin,
		func(first []byte) bool { _, err := parseCase(first, ""); return err == nil },
		func(file string) {
			fmt.Fprintf(stderr, "%s: skipped, its first line is no labelled case\n", file)
		},
		func(w job) bool {
			mu.Lock()
			stop := fail != nil
			mu.Unlock()
			if !stop {
				work <- w
			}
			return !stop
		})
	close(work)
	wg.Wait()
	if fail != nil {
		return nil, fail
	} else if err != nil {
		return nil, err
	}
	all.sort()
	if all.cases == 0 {
		return nil, errors.New("eval: no case to score; see --source and --threat")
	}
	return all, nil
}

// showCases keeps a terminal told how many cases are done, until the function that it returns is called.
func showCases(stderr io.Writer, done *atomic.Int64) (stop func()) {
	f, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	quit, closed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(closed)
		start, tick := time.Now(), time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				n := done.Load()
				fmt.Fprintf(f, "\r\x1b[K%d cases, %.0f a second", n, float64(n)/time.Since(start).Seconds())
			case <-quit:
				fmt.Fprint(f, "\r\x1b[K")
				return
			}
		}
	}()
	return func() { close(quit); <-closed }
}

func (c *evalCmd) one(own *scores, w job, j judge) error {
	ec, err := parseCase(w.raw, w.file)
	if err != nil {
		return fmt.Errorf("%s: %w", w.place, err)
	}
	if c.Source != "" && ec.Source != c.Source || c.Threat != "" && ec.Label == "attack" && ec.Threat != c.Threat {
		return nil
	}
	return safely(w.place, ec.ID, func() { own.add(w.seq, ec, j(ec.Lines)) })
}

// A labelled is one case with its right answers.
type labelled struct {
	ID      string   `json:"id"`
	Source  string   `json:"source"`
	Label   string   `json:"label"` // "attack" or "benign"
	Threat  string   `json:"threat"`
	Also    []string `json:"also"`
	Actors  []string `json:"actors"`
	Outcome string   `json:"outcome"` // "succeeded", "blocked", "unknown" or not given
	Weak    bool     `json:"weak"`
	Lines   []string `json:"lines"`
}

// parseCase reads a labelled case; one without a source belongs to its file.
func parseCase(raw []byte, file string) (*labelled, error) {
	ec := new(labelled)
	if err := json.Unmarshal(raw, ec); err != nil {
		return nil, fmt.Errorf("no labelled case: %w", err)
	}
	if ec.Label != "attack" && ec.Label != "benign" {
		return nil, fmt.Errorf(`label is %q; want "attack" or "benign" (without labels: --blind)`, ec.Label)
	}
	if ec.Lines == nil {
		return nil, errors.New(`the case has no "lines"`)
	}
	if ec.Outcome == "likely-succeeded" {
		ec.Outcome = "succeeded"
	}
	if ec.Outcome != "" && outcomeIndex(ec.Outcome) < 0 {
		return nil, fmt.Errorf("outcome is %q; want succeeded, blocked or unknown", ec.Outcome)
	}
	if ec.Source == "" {
		ec.Source = strings.TrimSuffix(filepath.Base(file), ".jsonl")
	}
	return ec, nil
}

// A blindCase is a question, a blindAnswer what `eval --blind` says to it.
type blindCase struct {
	ID    json.RawMessage `json:"id"` // given back as it came
	Lines []string        `json:"lines"`
}

type blindAnswer struct {
	ID         json.RawMessage  `json:"id"`
	Verdict    vanguard.Verdict `json:"verdict"`
	Confidence float64          `json:"confidence"`
	Findings   []blindFinding   `json:"findings"`
}

type blindFinding struct {
	Threat     string  `json:"threat"`
	Actor      string  `json:"actor"`
	Outcome    string  `json:"outcome"`
	Confidence float64 `json:"confidence"`
	Lines      []int   `json:"lines"` // 1-based positions in the case's "lines"
}

// blind answers a stream of questions: judged on all cores, answered in order,
// each as soon as those before it are.
func (c *evalCmd) blind(j judge, stdin io.Reader, stdout io.Writer) error {
	type answer struct {
		job
		line []byte
		err  error
		done chan struct{}
	}
	work := make(chan *answer)
	order := make(chan *answer, 4*c.Workers)
	var wg sync.WaitGroup
	for range c.Workers {
		wg.Go(func() {
			for a := range work {
				a.line, a.err = answerBlind(a.job, j)
				close(a.done)
			}
		})
	}
	stop := make(chan struct{})
	var readErr error
	wg.Go(func() {
		defer close(order)
		defer close(work)
		readErr = jobs(c.Paths, stdin, func([]byte) bool { return true }, func(string) {}, func(w job) bool {
			a := &answer{job: w, done: make(chan struct{})}
			select {
			case <-stop:
				return false
			case order <- a:
			}
			work <- a
			return true
		})
	})
	out := bufio.NewWriter(stdout)
	var err error
	for a := range order {
		<-a.done
		if err != nil {
			continue
		}
		if err = a.err; err == nil {
			_, err = out.Write(a.line)
		}
		if err == nil && len(order) == 0 {
			err = out.Flush()
		}
		if err != nil {
			close(stop)
		}
	}
	wg.Wait()
	if err == nil {
		err = readErr
	}
	return errors.Join(err, out.Flush())
}

func answerBlind(w job, j judge) (line []byte, err error) {
	var q blindCase
	if err := json.Unmarshal(w.raw, &q); err != nil {
		return nil, fmt.Errorf("%s: no case: %w", w.place, err)
	}
	if q.ID == nil || q.Lines == nil {
		return nil, fmt.Errorf(`%s: want {"id": ..., "lines": [...]}`, w.place)
	}
	a := blindAnswer{ID: q.ID, Findings: []blindFinding{}}
	err = safely(w.place, string(q.ID), func() {
		r := j(q.Lines)
		a.Verdict, a.Confidence = r.Verdict, r.Confidence
		at := lineIndex(q.Lines)
		for _, f := range r.Findings {
			lines := []int{}
			for _, e := range f.Evidence {
				lines = append(lines, at(e.Line))
			}
			slices.Sort(lines)
			a.Findings = append(a.Findings, blindFinding{f.Threat, f.Actor.Value, f.Outcome, f.Confidence, slices.Compact(lines)})
		}
	})
	if err != nil {
		return nil, err
	}
	// Encoder rather than Marshal: log text in an actor stays readable, without \u003c.
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a); err != nil {
		return nil, fmt.Errorf("%s: %w", w.place, err)
	}
	return b.Bytes(), nil
}

// lineIndex maps numbers of physical lines to positions in lines, of which one
// may hold a record of several physical lines. Both count from 1.
func lineIndex(lines []string) func(int) int {
	var starts []int // physical number of each element's first line
	n, plain := 1, true
	for _, line := range lines {
		starts = append(starts, n)
		more := strings.Count(line, "\n")
		n += 1 + more
		plain = plain && more == 0
	}
	if plain {
		return func(n int) int { return n }
	}
	return func(n int) int {
		i, exact := slices.BinarySearch(starts, n)
		if exact {
			return i + 1
		}
		return i
	}
}
