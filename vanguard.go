// Package vanguard answers "am I under attack, which attack, did it work, and
// what do I do now?" from server logs: an io.Writer in, a Report out.
//
//	a, err := vanguard.New(vanguard.Options{})
//	src := a.Source("access.log")
//	io.Copy(src, file)
//	src.Close()
//	report := a.Report()
//
// THE FLOW, as every face runs it:
//
//	Source.Write      bytes   -> Blocks of whole records        (logformat.Stream)
//	Block.Parse       Block   -> Events                         (logformat; pure, on all cores)
//	canonicalise      Event   -> Event with decoded payloads    (decode; pure)
//	Matcher.Match     Event   -> Signals                        (rule; pure)
//	Scorer.Judge      Event   -> more Signals                   (witness: the classifier, if there is one; pure)
//	Tracker.Observe   Signals -> incidents                      (incident; in order)
//	Report            incidents -> Report
package vanguard

import (
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"

	"github.com/helixvanguard/vanguard/apps"
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/incident"
	"github.com/helixvanguard/vanguard/logformat"
	"github.com/helixvanguard/vanguard/rule"
	"github.com/helixvanguard/vanguard/rules"
	"github.com/helixvanguard/vanguard/threats"
	"github.com/helixvanguard/vanguard/witness"
)

// An Engine is compiled knowledge: rules, application models, threats. It is immutable; any number of Analyzers may share it.
type Engine struct {
	opt      Options
	format   logformat.Options
	allow    incident.Allow
	set      *rule.Set
	problems []rule.Problem
	without  map[place][]string // texts of the records to leave out, "" for all that stand there
	threats  func() (map[string]*incident.Threat, error)
	witness  *witness.Witness // the classifier; nil if there is none
	idle     *idle            // workers: what they remember of harmless values serves the next Analyzer too
	bare     *idle            // those without the classifier
}

// NewEngine compiles the rules. A rule that cannot run is a Problem, not an error; the error is about opt.
func NewEngine(opt Options) (*Engine, error) {
	e := &Engine{}
	if err := e.configure(opt); err != nil {
		return nil, err
	}
	var all []*rule.Rule
	var problems []rule.Problem
	if !opt.NoEmbedded {
		for _, embedded := range []struct {
			fs     fs.FS
			packed string
		}{{apps.FS, apps.Packed}, {rules.FS, rules.Packed}} {
			r, p, err := rule.Load(embedded.fs, embedded.packed)
			if err != nil {
				return nil, fmt.Errorf("embedded rules: %w", err)
			}
			all, problems = append(all, r...), append(problems, p...)
		}
	}
	if opt.Rules != nil {
		r, p, err := rule.Load(opt.Rules, "")
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		all, problems = append(without(all, r), r...), append(problems, p...)
	}
	set, more := rule.Compile(all, rule.Options{Final: true})
	e.set, e.problems = set, append(problems, more...)
	e.idle, e.bare = &idle{set: set}, &idle{set: set}
	if e.opt.Model != nil {
		e.witness = witness.New(e.opt.Model)
		e.idle.witness = e.witness
	}
	e.threats = sync.OnceValues(func() (map[string]*incident.Threat, error) { return incident.LoadThreats(threats.FS) })
	return e, nil
}

// configure takes everything from opt but its rules.
func (e *Engine) configure(opt Options) (err error) {
	if opt.NoModel {
		opt.Model = nil
	}
	e.opt, e.without = opt, nil
	for _, l := range opt.Without {
		if e.without == nil {
			e.without = map[place][]string{}
		}
		at := place{l.Source, l.Line}
		e.without[at] = append(e.without[at], l.Text)
	}
	e.format = logformat.Options{Force: opt.Format, Zone: opt.Zone, Year: opt.Year, Trust: opt.Trust}
	if e.allow, err = incident.ParseAllow(opt.Allow); err != nil {
		return err
	}
	_, err = logformat.NewStream("", &e.format)
	return err
}

// With is the same knowledge under other options, without compiling it again. The rules and the classifier stay those of e; opt.NoModel
// leaves the classifier out.
func (e *Engine) With(opt Options) (*Engine, error) {
	other := *e
	opt.Rules, opt.NoEmbedded, opt.Model = e.opt.Rules, e.opt.NoEmbedded, e.opt.Model
	if err := other.configure(opt); err != nil {
		return nil, err
	}
	if opt.NoModel {
		other.witness, other.idle = nil, e.bare
	}
	return &other, nil
}

// A place is where a record stands.
type place struct {
	source string
	line   int
}

// leftOut tells whether Options.Without names ev.
func (e *Engine) leftOut(ev *event.Event) bool {
	for _, text := range e.without[place{ev.Source, ev.Line}] {
		if len(text) <= len(ev.Text) && string(ev.Text[:len(text)]) == text {
			return true
		}
	}
	return false
}

// without drops the embedded rules that the user replaces by ones of the same name or id.
func without(embedded, own []*rule.Rule) []*rule.Rule {
	replaced := map[string]bool{}
	for _, r := range own {
		replaced[r.ID], replaced[r.Name] = true, true
	}
	delete(replaced, "")
	return slices.DeleteFunc(embedded, func(r *rule.Rule) bool { return replaced[r.ID] || replaced[r.Name] })
}

// Rules is the compiled set: everything that runs.
func (e *Engine) Rules() *rule.Set { return e.set }

// Problems tells which rules do not run as they stand, where they are, and why.
func (e *Engine) Problems() []rule.Problem { return e.problems }

// Threats is the threat library by slug.
func (e *Engine) Threats() (map[string]*incident.Threat, error) { return e.threats() }

// An Analyzer judges one log, or several that belong together. Its methods may
// be called from several goroutines; the Sources' events are taken in the order in which they are written.
type Analyzer struct {
	engine  *Engine
	mu      sync.Mutex // guards tracker and count
	track   *incident.Tracker
	count   count
	signals []event.Signal // of the event that is observed right now, for Explain and Try
	workers int
}

// New makes an Engine and its one Analyzer.
func New(opt Options) (*Analyzer, error) {
	e, err := NewEngine(opt)
	if err != nil {
		return nil, err
	}
	return e.Analyzer(), nil
}

// Analyzer starts a new analysis with nothing in memory but the Engine's knowledge.
func (e *Engine) Analyzer() *Analyzer { return e.analyzer(nil) }

func (e *Engine) analyzer(onSignal func(*event.Detector)) *Analyzer {
	a := &Analyzer{engine: e}
	counts := e.set.Correlations()
	if e.witness != nil {
		counts = append(slices.Clone(counts), e.witness.Correlations()...)
	}
	cfg := incident.Config{Correlations: counts, Allow: e.allow, Geo: incident.Geo(e.opt.Geo), OnSignal: onSignal}
	if f := e.opt.OnUpdate; f != nil {
		cfg.OnUpdate = func(u incident.Update) { f(e.finding(u.Incident)) }
	}
	a.track = incident.New(cfg)
	if a.workers = e.opt.Workers; a.workers <= 0 {
		a.workers = runtime.GOMAXPROCS(0)
	}
	return a
}

// Problem notes something that the host could not read, or not whole (a file that is cut off), for the report.
func (a *Analyzer) Problem(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count.miss(text)
}

// Aside notes something beside the logs that was not read, such as a program in a folder of logs: no gap in what was judged.
func (a *Analyzer) Aside(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count.problem(text)
}

// observe takes one judged event, in order. The caller holds a.mu.
func (a *Analyzer) observe(ev *event.Event, signals []event.Signal) {
	opt := &a.engine.opt
	if ev.Clock != event.NoClock && (!opt.Since.IsZero() && ev.Time < opt.Since.UnixNano() || !opt.Until.IsZero() && ev.Time >= opt.Until.UnixNano()) {
		a.count.outside += ev.Lines
		return
	}
	if a.engine.without != nil && a.engine.leftOut(ev) {
		a.count.without++
		return
	}
	a.signals = signals
	a.count.add(ev)
	a.track.Observe(ev, signals)
	if opt.OnEvent != nil {
		opt.OnEvent(ev)
	}
}
