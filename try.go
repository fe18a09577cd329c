package vanguard

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/rule"
)

// A Trial is what became of one log of a Sample.
type Trial struct {
	Line      int             // of the sample's file, where the log begins
	Raised    map[string]bool // rules that spoke, by name: those that matched a record, and correlations that held; true for one that only feeds correlations
	Report    *Report
	Platforms []string // whose log it is: as the sample says, else as the formats of its records tell
	Faults    []string // in what it differs from what the sample states
}

// Try judges the logs of s, each by itself. own are the rules of its file: one that is harmless must raise none of them. about are
// the threats that a harmless one must not lead to.
func (e *Engine) Try(s *rule.Sample, own func(name string) bool, about ...string) (trials []Trial) {
	s.Logs(func(line int, log []string) {
		t := e.try([]byte(strings.Join(log, "\n") + "\n"))
		t.Line = line
		if len(s.Platform) > 0 {
			t.Platforms = s.Platform
		}
		t.hold(s, own, about)
		trials = append(trials, t)
	})
	return trials
}

func (e *Engine) try(log []byte) Trial {
	t := Trial{Raised: map[string]bool{}}
	one := *e
	one.opt.Workers, one.opt.OnUpdate = 1, nil
	one.opt.OnEvent = func(ev *event.Event) {
		for _, p := range platformsOf(ev) {
			if !slices.Contains(t.Platforms, p) {
				t.Platforms = append(t.Platforms, p)
			}
		}
	}
	a := one.analyzer(func(d *event.Detector) { t.Raised[d.Name] = d.Base })
	src := a.Source("sample")
	src.Write(log)
	src.Close()
	t.Report = a.Report()
	return t
}

// hold notes in what t differs from what s states.
func (t *Trial) hold(s *rule.Sample, own func(string) bool, about []string) {
	fault := func(format string, args ...any) { t.Faults = append(t.Faults, fmt.Sprintf(format, args...)) }
	raised := slices.Sorted(maps.Keys(t.Raised))
	if s.Ignore {
		for _, name := range raised {
			if len(s.Rules) == 0 && own(name) && !t.Raised[name] || slices.Contains(s.Rules, name) {
				fault("must be ignored, but raises %s", name)
			}
		}
		for _, f := range t.Report.Findings {
			if slices.Contains(about, f.Threat) {
				fault("must be ignored, but leads to %s of %s", f.Threat, f.Actor.Value)
			}
		}
		return
	}
	for _, name := range s.Rules {
		if _, ok := t.Raised[name]; !ok {
			fault("does not raise %s, but %s", name, orNothing(raised))
		}
	}
	if s.Threat == "" && s.Outcome == "" && s.Actor == "" {
		return
	}
	var got []string
	for _, f := range t.Report.Findings {
		if (s.Threat == "" || f.Threat == s.Threat) && (s.Outcome == "" || f.Outcome == s.Outcome) && (s.Actor == "" || f.Actor.Value == s.Actor) {
			return
		}
		got = append(got, fmt.Sprintf("%s outcome=%s actor=%s", f.Threat, f.Outcome, f.Actor.Value))
	}
	var want []string
	for _, w := range [...][2]string{{"threat", s.Threat}, {"outcome", s.Outcome}, {"actor", s.Actor}} {
		if w[1] != "" {
			want = append(want, w[0]+"="+w[1])
		}
	}
	fault("no finding with %s, but %s", strings.Join(want, " "), orNothing(got))
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
