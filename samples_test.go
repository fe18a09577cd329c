package vanguard

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/incident"
	"github.com/helixvanguard/vanguard/rule"
)

// Samples that each rule must have.
const (
	minPositive = 2
	minNegative = 2
)

// TestSamples holds every rule against the samples that stand beside it, and every rule file against the rules of the house: a
// description, a technique, a threat that has a page, samples for and against.
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
			checkFile(t, e, byFile[file], log, readSamples(t, log), threats)
		})
	}
	err = fs.WalkDir(os.DirFS("rules"), ".", func(name string, d fs.DirEntry, err error) error {
		if stem, ok := strings.CutSuffix(name, ".log"); err == nil && ok && byFile[stem+".yaml"] == nil {
			t.Errorf("rules/%s stands beside no rule file", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPlacesByAnyName: what rules find does not hang on what an application calls its places.
func TestPlacesByAnyName(t *testing.T) {
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{
		"admin":   {"backoffice", "staff", "internal", "ops", "management", "console"},
		"partner": {"resellers", "b2b", "suppliers", "agencies", "integrations"},
		"pay":     {"charge", "billing/confirm", "settlement/execute"},
		"login":   {"sign-in", "authenticate", "sessions", "dologin"},
		"forgot":  {"password-recovery", "reset-request", "recover"},
	}
	told := regexp.MustCompile(`message|"msg"|\[(info|warn|error)\]`) // an application's own words may name the place as well
	tried := 0
	for _, log := range []string{"api/api-abuse", "api/bfla", "api/carding", "api/data-exfiltration", "api/leaked-key", "api/unauthorized-burst", "auth/user-enumeration", "auth/brute-force"} {
		log = "rules/" + log + ".log"
		for _, s := range readSamples(t, log) {
			if s.Ignore || !s.Together || slices.ContainsFunc(s.Lines, told.MatchString) {
				continue
			}
			for usual, others := range names {
				place := regexp.MustCompile("/" + usual + `([/?" ])`)
				if !slices.ContainsFunc(s.Lines, place.MatchString) {
					continue
				}
				for _, other := range others {
					renamed := s
					renamed.Lines = nil
					for _, line := range s.Lines {
						renamed.Lines = append(renamed.Lines, place.ReplaceAllString(line, "/"+other+"$1"))
					}
					tried++
					for _, trial := range e.Try(&renamed, func(string) bool { return false }) {
						if len(trial.Faults) > 0 {
							t.Errorf("%s:%d, with %q for %q: %v", log, trial.Line, other, usual, trial.Faults)
						}
					}
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d logs were tried", tried)
	}
}

func readSamples(t *testing.T, log string) []rule.Sample {
	t.Helper()
	src, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	samples, problems := rule.ParseSamples(log, src)
	for _, p := range problems {
		t.Error(p)
	}
	return samples
}

// report says what is wrong with a trial.
func report(t *testing.T, log string, trial *Trial) {
	t.Helper()
	for _, fault := range trial.Faults {
		t.Errorf("%s:%d: %s", log, trial.Line, fault)
	}
}

func checkFile(t *testing.T, e *Engine, rules []*rule.Rule, log string, samples []rule.Sample, threats map[string]*incident.Threat) {
	own := map[string]bool{}
	for _, r := range rules {
		own[r.Name] = true
	}
	positive, negative, harmless := map[string]int{}, map[string]int{}, 0
	for _, s := range samples {
		for _, trial := range e.Try(&s, func(name string) bool { return own[name] }) {
			report(t, log, &trial)
			if s.Ignore && len(s.Rules) == 0 {
				harmless++
			}
			for _, name := range s.Rules {
				if s.Ignore {
					negative[name]++
				} else {
					positive[name]++
				}
			}
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
		if positive[r.Name] < minPositive {
			t.Errorf("%s:%d: %s has %d positive samples, not %d", where, r.Line, r.Name, positive[r.Name], minPositive)
		}
		if d.Base && negative[r.Name] < minNegative {
			t.Errorf("%s:%d: %s, which only feeds correlations, has %d harmless samples of its own (#: ignore %s), not %d", where, r.Line, r.Name, negative[r.Name], r.Name, minNegative)
		}
	}
	if harmless < minNegative {
		t.Errorf("%s: %d harmless samples, not %d", log, harmless, minNegative)
	}
}
