package vanguard

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/incident"
	"github.com/helixvanguard/vanguard/rule"
)

// TestCoverage executes all samples, those beside the rules and those beside the threat pages, and counts what they show of each threat on each
// platform: docs/coverage.md. It fails where a platform that a page names has too few of them, and where the table is out of step.
func TestCoverage(t *testing.T) {
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	threats, err := e.Threats()
	if err != nil {
		t.Fatal(err)
	}
	cov := &coverage{cells: map[cell]*tally{}, threatOf: map[string]string{}}
	about := map[string][]string{} // sample file -> threats of the rules that are shown
	for _, r := range e.Rules().Rules() {
		if d := r.Detector; r.Type != rule.Model && d != nil {
			log := path.Join("rules", strings.TrimSuffix(r.File, path.Ext(r.File))+".log")
			if d.Base {
				continue
			}
			cov.threatOf[r.Name] = d.Threat
			if !slices.Contains(about[log], d.Threat) {
				about[log] = append(about[log], d.Threat)
			}
		}
	}
	for slug := range threats {
		about[path.Join("threats", slug+".log")] = []string{slug}
	}
	t.Run("samples", func(t *testing.T) {
		for log, threats := range about {
			t.Run(log, func(t *testing.T) {
				t.Parallel()
				page := path.Dir(log) == "threats"
				for _, s := range readSamples(t, log) {
					var unwanted []string
					if page && s.Ignore {
						unwanted = threats
					} else if page && s.Threat == "" {
						s.Threat = threats[0]
					}
					for _, trial := range e.Try(&s, func(string) bool { return false }, unwanted...) {
						report(t, log, &trial)
						cov.add(&s, &trial, threats...)
					}
				}
			})
		}
	})
	cov.check(t, threats)
}

// coverage is what samples show: of each threat on each platform.
type coverage struct {
	mu       sync.Mutex
	cells    map[cell]*tally
	threatOf map[string]string // of the rules that are shown
}

type cell struct{ threat, platform string }

// tally counts the samples of a cell: those that lead to a finding, by its outcome, and the harmless ones.
type tally struct {
	found    [4]int
	harmless int
}

func (c *tally) positive() (n int) {
	for _, k := range c.found {
		n += k
	}
	return n
}

// add counts a trial that came out as stated. A harmless one is about all threats of its file.
func (c *coverage) add(s *rule.Sample, trial *Trial, about ...string) {
	if len(trial.Faults) > 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := func(threat, platform string) *tally {
		k := cell{threat, platform}
		if c.cells[k] == nil {
			c.cells[k] = &tally{}
		}
		return c.cells[k]
	}
	if s.Ignore && len(s.Rules) > 0 {
		return // It is about rules, and may well be an attack.
	}
	if s.Ignore {
		for _, f := range trial.Report.Findings {
			about = slices.DeleteFunc(slices.Clone(about), func(a string) bool { return a == f.Threat })
		}
		for _, threat := range about {
			for _, p := range trial.Platforms {
				at(threat, p).harmless++
			}
		}
		return
	}
	stated := map[string]bool{s.Threat: true}
	for _, name := range s.Rules {
		stated[c.threatOf[name]] = true
	}
	seen := map[string]bool{}
	for _, f := range trial.Report.Findings { // the gravest of a threat is the first
		if out, _ := event.OutcomeNamed(f.Outcome); stated[f.Threat] && !seen[f.Threat] {
			seen[f.Threat] = true
			for _, p := range trial.Platforms {
				at(f.Threat, p).found[out]++
			}
		}
	}
}

// check fails for each cell that has too few samples, and holds docs/coverage.md against the rest.
func (c *coverage) check(t *testing.T, threats map[string]*incident.Threat) {
	var b bytes.Buffer
	b.WriteString(coverageHead)
	cells, positives, harmless := 0, 0, 0
	for _, slug := range slices.Sorted(maps.Keys(threats)) {
		worked, failed := 0, 0
		for _, p := range threats[slug].Platforms {
			n := c.cells[cell{slug, p}]
			if n == nil {
				n = &tally{}
			}
			if n.positive() < minPositive || n.harmless < minNegative {
				t.Errorf("threats/%s.log: %s on %s has %d samples that show it and %d harmless ones, not %d and %d", slug, slug, p, n.positive(), n.harmless, minPositive, minNegative)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", slug, p, count0(n.found[event.Succeeded]), count0(n.found[event.LikelySucceeded]),
				count0(n.found[event.Blocked]), count0(n.found[event.Unknown]), count0(n.harmless))
			worked += n.found[event.Succeeded] + n.found[event.LikelySucceeded]
			failed += n.found[event.Blocked]
			cells, positives, harmless = cells+1, positives+n.positive(), harmless+n.harmless
		}
		if (worked == 0 || failed == 0) && !untold[slug] {
			t.Errorf("threats/%s.log: %d samples of an attack that worked and %d of one that did not; both are wanted", slug, worked, failed)
		}
	}
	fmt.Fprintf(&b, "\n%d threats, %d cells, %d counts of samples that show an attack and %d of harmless ones.\n", len(threats), cells, positives, harmless)
	const file = "docs/coverage.md"
	if updateCoverage() {
		if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is out of step with the samples (%v); run: make coverage", file, err)
	}
}

// untold are the threats of which no log can tell that they worked: a look around, bytes for whoever reads the log, a request that two servers read differently.
var untold = map[string]bool{"recon-scanning": true, "log-injection": true, "protocol-abuse": true}

func count0(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// updateCoverage tells whether the table is to be written.
func updateCoverage() bool { return os.Getenv("VANGUARD_WRITE_COVERAGE") != "" }

const coverageHead = `# What is covered

Written by ` + "`make coverage`" + ` from samples that were executed, never by hand: the logs beside the rules (` + "`rules/**/*.log`" + `) and beside the threat pages
(` + "`threats/*.log`" + `). A row counts, for one threat on one platform, the sample logs in which the engine found that threat, by the outcome that it
gave, and the harmless look-alikes in which it did not. A test fails where a platform that the threat's page names has fewer than two of either, and
where this table is out of step. A line in a format that two platforms share, byte for byte (the combined format of nginx and Apache), counts for both.

| threat | platform | succeeded | likely succeeded | blocked | unknown | harmless |
|---|---|---:|---:|---:|---:|---:|
`
