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
  #: match threat=sql-injection platform=nginx
  each following line leads to a finding of that threat
  #: ignore my_rule
  each following line must not raise my_rule

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
			untried[r.Detector.Name] = fmt.Sprintf("%s:%d", filepath.Join(c.Dir, r.File), r.Line)
		}
	}
	t := sampleTest{out: k.Stdout}
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
			for _, trial := range e.Try(&samples[i], func(name string) bool { return byFile[file][name] }) {
				t.logs++
				for _, fault := range trial.Faults {
					t.fail(fmt.Sprintf("%s:%d: %s", log, trial.Line, fault))
				}
			}
			for _, name := range samples[i].Rules {
				if !samples[i].Ignore {
					delete(untried, name)
				}
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
	out            io.Writer
	logs, failures int
}

func (t *sampleTest) fail(text string) {
	t.failures++
	fmt.Fprintln(t.out, render.Visible(text))
}
