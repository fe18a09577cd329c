package vanguard_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
)

// TestClassifier: the second witness adds what no rule names, as no more than a probe, and agrees with what a rule names.
func TestClassifier(t *testing.T) {
	m, err := neural.Load(models.Weights)
	if err != nil {
		t.Fatal(err)
	}
	judge := func(opt vanguard.Options, lines ...string) *vanguard.Report {
		t.Helper()
		opt.Workers, opt.Year = 1, 2026
		a, err := vanguard.New(opt)
		if err != nil {
			t.Fatal(err)
		}
		src := a.Source("log")
		src.Write([]byte(strings.Join(lines, "\n") + "\n"))
		src.Close()
		return a.Report()
	}
	request := func(query string) string {
		return `203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "GET /p?q=` + query + ` HTTP/1.1" 200 512 "-" "Mozilla/5.0"`
	}
	alone := vanguard.Options{NoEmbedded: true, Model: m}

	r := judge(alone, request("1%27+union+select+user,pass+from+members--+"))
	if r.Verdict != vanguard.Probed || len(r.Findings) != 1 || !r.Findings[0].Classifier || r.Findings[0].Threat != "sql-injection" || r.Findings[0].Outcome != "unknown" {
		t.Errorf("alone: %s, %+v", r.Verdict, r.Findings)
	} else if f := r.Findings[0]; !strings.Contains(f.Doubts[0], "classifier") || len(f.Evidence[0].Spans) != 1 {
		t.Errorf("alone: doubts %q, spans %v", f.Doubts, f.Evidence[0].Spans)
	}
	if r := judge(alone, request("shoes+%26+boots,+size+42")); len(r.Findings) != 0 {
		t.Errorf("a harmless search: %+v", r.Findings)
	}

	one := request("1%27+union+select+user,pass+from+members--+")
	rules, both := judge(vanguard.Options{}, one), judge(vanguard.Options{Model: m}, one)
	if len(both.Findings) == 0 || both.Findings[0].Classifier || both.Findings[0].Confidence < rules.Findings[0].Confidence || both.Engine.Model != m.Hash || rules.Engine.Model != "" {
		t.Errorf("with rules: %+v", both.Findings)
	}

	var failures []string
	for i := range 45 {
		failures = append(failures, fmt.Sprintf("2026-11-23 10:00:%02d WARN entrance refused, passphrase of visitor %d does not match, ip=203.0.113.5", i, i))
	}
	if r := judge(alone, failures...); r.Verdict != vanguard.Probed || len(r.Findings) != 1 || !r.Findings[0].Classifier || r.Findings[0].Actor.Value != "203.0.113.5" {
		t.Errorf("many failures: %s, %+v", r.Verdict, r.Findings)
	}
	if r := judge(alone, failures[:30]...); len(r.Findings) != 0 {
		t.Errorf("three failures: %+v", r.Findings)
	}

	// What a crowd sends is how the site is used; what two send is not.
	crowd := func(n int) (lines []string) {
		for i := range n {
			lines = append(lines, strings.Replace(request("1%27+union+select+user,pass+from+members--+"), "203.0.113.9", fmt.Sprintf("203.0.113.%d", 10+i), 1))
		}
		return lines
	}
	if r := judge(alone, crowd(2)...); len(r.Findings) != 2 {
		t.Errorf("two clients: %d findings, want one each", len(r.Findings))
	}
	if r := judge(alone, crowd(40)...); len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Doubts[0], "39 other sources") || r.Findings[0].Confidence > 0.5 {
		t.Errorf("forty clients: %+v", r.Findings)
	}

	engine, err := vanguard.NewEngine(vanguard.Options{Model: m, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	x := engine.Explain([]byte(one))
	byRule, byModel := false, false
	for _, s := range x[0].Signals {
		byRule, byModel = byRule || strings.HasPrefix(s.By, "rule:"), byModel || strings.HasPrefix(s.By, "model:")
	}
	if !byRule || !byModel || len(x[0].Classifier) != 1 || !x[0].Classifier[0].Suspect {
		t.Errorf("explain: %+v, %+v", x[0].Signals, x[0].Classifier)
	}
}
