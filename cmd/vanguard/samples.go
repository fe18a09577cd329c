package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/render"
	"github.com/helixvanguard/vanguard/rule"
)

// rulesTestCmd is `vanguard rules test`.
type rulesTestCmd struct {
	Dir string `arg:"" help:"Folder of Sigma rules with their samples." placeholder:"DIR"`
}

// Help is shown by `vanguard rules test --help` below the usage.
func (*rulesTestCmd) Help() string {
	return `The samples of x.yaml stand in x.log:

  #: match my_rule
  each following line, alone, must raise my_rule
  #: ignore
  each following line, alone, must raise no rule of x.yaml
  #: match my_rule outcome=succeeded actor=203.0.113.9 together
  all lines up to the next header are one log

A rule without a sample is named, which is no failure.`
}

// Run is called by kong. A sample that fails makes the exit status 1.
func (c *rulesTestCmd) Run(k *kong.Context) error {
	d := ruleDir{Dir: c.Dir}
	e, mine, err := d.engine()
	if err != nil {
		return err
	}
	byFile := map[string]map[string]bool{} // names of the rules of a file
	untried := map[string]string{}         // rule -> place
	for _, r := range e.Rules().Rules() {
		if mine(r) && r.Detector != nil {
			if byFile[r.File] == nil {
				byFile[r.File] = map[string]bool{}
			}
			byFile[r.File][r.Detector.Name] = true
			if !r.Detector.Base {
				untried[r.Detector.Name] = fmt.Sprintf("%s:%d", filepath.Join(c.Dir, r.File), r.Line)
			}
		}
	}
	t := sampleTest{engine: e, out: k.Stdout}
	for _, p := range e.Problems() {
		p.File = filepath.Join(c.Dir, p.File)
		t.fail(p.Error())
	}
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		log := filepath.Join(c.Dir, strings.TrimSuffix(file, path.Ext(file))+".log")
		src, err := os.ReadFile(log)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return plainError(log, err)
		}
		samples, problems := rule.ParseSamples(log, src)
		for _, p := range problems {
			t.fail(p.Error())
		}
		for i := range samples {
			t.sample(log, &samples[i], byFile[file])
			for _, name := range samples[i].Match {
				delete(untried, name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(untried)) {
		fmt.Fprintf(k.Stdout, "%s: %s has no sample\n", render.Visible(untried[name]), render.Visible(name))
	}
	fmt.Fprintf(k.Stdout, "%d logs judged, %d failures, %d rules without a sample\n", t.logs, t.failures, len(untried))
	if t.failures > 0 {
		return exitCode(exitError)
	}
	return nil
}

type sampleTest struct {
	engine         *vanguard.Engine
	out            io.Writer
	logs, failures int
}

func (t *sampleTest) fail(text string) {
	t.failures++
	fmt.Fprintln(t.out, render.Visible(text))
}

// sample judges one sample: as one log, or each of its lines as one.
func (t *sampleTest) sample(file string, s *rule.Sample, own map[string]bool) {
	logs := [][]string{s.Lines}
	if !s.Together {
		logs = logs[:0]
		for i := range s.Lines {
			logs = append(logs, s.Lines[i:i+1])
		}
	}
	for i, lines := range logs {
		t.logs++
		at := s.Line
		if !s.Together {
			at += i
		}
		raised, report := t.engine.Try([]byte(strings.Join(lines, "\n") + "\n"))
		names := slices.Sorted(maps.Keys(raised))
		if s.Match == nil {
			for _, name := range names {
				if own[name] && !raised[name] {
					t.fail(fmt.Sprintf("%s:%d: must be ignored, but raises %s", file, at, name))
				}
			}
		}
		for _, name := range s.Match {
			if _, ok := raised[name]; !ok {
				t.fail(fmt.Sprintf("%s:%d: does not raise %s, but %s", file, at, name, orNothing(names)))
			}
		}
		if s.Outcome == "" && s.Actor == "" {
			continue
		}
		var got []string
		found := false
		for _, f := range report.Findings {
			found = found || (s.Outcome == "" || f.Outcome == s.Outcome) && (s.Actor == "" || f.Actor.Value == s.Actor)
			got = append(got, fmt.Sprintf("%s outcome=%s actor=%s", f.Threat, f.Outcome, f.Actor.Value))
		}
		if !found {
			t.fail(fmt.Sprintf("%s:%d: no finding with outcome=%s actor=%s, but %s", file, at, s.Outcome, s.Actor, orNothing(got)))
		}
	}
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
