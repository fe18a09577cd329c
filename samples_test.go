package vanguard

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/incident"
	"github.com/helixvanguard/vanguard/rule"
)

// Samples that each rule, or file, must have. A correlation's sample is a whole log of many lines.
const (
	minPositive    = 2
	minCorrelation = 1
	minNegative    = 2
)

// TestSamples holds every rule against the samples that stand beside it, and every rule file against the
// rules of the house: a description, a technique, a threat that has a page, samples for and against.
func TestSamples(t *testing.T) {
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range e.Problems() {
		t.Error(p)
	}
	threats, err := e.Threats()
	if err != nil {
		t.Fatal(err)
	}
	byFile := map[string][]*rule.Rule{}
	for _, r := range e.Rules().Rules() {
		if r.Type != rule.Model {
			byFile[r.File] = append(byFile[r.File], r)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			log := strings.TrimSuffix(path.Join("rules", file), path.Ext(file)) + ".log"
			src, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			samples, problems := rule.ParseSamples(log, src)
			for _, p := range problems {
				t.Error(p)
			}
			checkFile(t, e, byFile[file], log, samples, threats)
		})
	}
	err = fs.WalkDir(os.DirFS("rules"), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".log" && byFile[strings.TrimSuffix(name, ".log")+".yaml"] == nil {
			t.Errorf("rules/%s stands beside no rule file", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, e *Engine, rules []*rule.Rule, log string, samples []rule.Sample, threats map[string]*incident.Threat) {
	own := map[string]bool{}
	for _, r := range rules {
		own[r.Name] = true
	}
	positive, negative := map[string]int{}, 0
	for _, s := range samples {
		logs := [][]string{s.Lines}
		if !s.Together {
			logs = logs[:0]
			for _, l := range s.Lines {
				logs = append(logs, []string{l})
			}
		}
		for i, lines := range logs {
			line := s.Line
			if !s.Together {
				line += i
			}
			raised, report := e.Try([]byte(strings.Join(lines, "\n") + "\n"))
			if s.Match == nil {
				negative++
				for _, name := range slices.Sorted(maps.Keys(raised)) {
					if own[name] && !raised[name] {
						t.Errorf("%s:%d: harmless, but raises %s\n\t%s", log, line, name, clip(lines))
					}
				}
			}
			for _, name := range s.Match {
				positive[name]++
				if _, ok := raised[name]; !ok {
					t.Errorf("%s:%d: does not raise %s, but %v\n\t%s", log, line, name, slices.Sorted(maps.Keys(raised)), clip(lines))
				}
			}
			checkFinding(t, log, line, &s, report)
		}
	}
	for _, r := range rules {
		if r.Type == rule.Filter {
			continue
		}
		where := path.Join("rules", r.File)
		d := r.Detector
		switch {
		case r.Name == "" || r.ID == "":
			t.Errorf("%s:%d: rule %q needs an id and a name", where, r.Line, r.Title)
		case r.Description == "":
			t.Errorf("%s:%d: %s has no description", where, r.Line, r.Name)
		case len(d.Attack) == 0 && !d.Base:
			t.Errorf("%s:%d: %s has no technique: a tag such as attack.t1190", where, r.Line, r.Name)
		case threats[d.Threat] == nil && !d.Base:
			t.Errorf("%s:%d: %s is about threat %q, which has no page", where, r.Line, r.Name, d.Threat)
		}
		least := minPositive
		if r.Type == rule.Correlat {
			least = minCorrelation
		}
		if positive[r.Name] < least && !d.Base {
			t.Errorf("%s:%d: %s has %d positive samples, not %d", where, r.Line, r.Name, positive[r.Name], least)
		}
	}
	if negative < minNegative {
		t.Errorf("%s: %d harmless samples, not %d", log, negative, minNegative)
	}
}

// checkFinding holds the report against what the sample says of its finding.
func checkFinding(t *testing.T, log string, line int, s *rule.Sample, r *Report) {
	t.Helper()
	if s.Outcome == "" && s.Actor == "" {
		return
	}
	var got []string
	for _, f := range r.Findings {
		if (s.Outcome == "" || f.Outcome == s.Outcome) && (s.Actor == "" || f.Actor.Value == s.Actor) {
			return
		}
		got = append(got, f.Threat+" outcome="+f.Outcome+" actor="+f.Actor.Value)
	}
	t.Errorf("%s:%d: no finding with outcome=%s actor=%s, but %q", log, line, s.Outcome, s.Actor, got)
}

// clip shortens lines for a message.
func clip(lines []string) string {
	b := []byte(lines[0])
	if len(b) > 220 {
		b = append(bytes.Clone(b[:220]), "..."...)
	}
	return string(b)
}
