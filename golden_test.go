package vanguard_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/render"
)

var update = flag.Bool("update", false, "write testdata/golden anew; review the diff")

// goldens are the reports of testdata/logs, in the formats that each is kept in. They are the same
// on every face: this test also runs under js/wasm.
var goldens = map[string][]string{
	"wordpress-apache.log":     render.Formats,
	"cloudtrail.json":          {"text", "json"},
	"cloudtrail-takeover.json": {"text", "json", "ocsf"},
	"founding.log":             {"text", "json", "md"},
	"mixed.log":                {"text", "json", "html"},
	"nginx-normal.log":         {"text", "json", "html"},
	"nginx-probed.log":         {"text", "json"},
	"nginx-sqli.log":           {"text", "json", "csv"},
	"node-pino.log":            {"text", "json"},
	"sshd-auth.log":            {"text", "json"},
}

var ruleCount = regexp.MustCompile(`judged by \d+ rules`)

func TestGolden(t *testing.T) {
	logs, err := filepath.Glob("testdata/logs/*")
	if err != nil || len(logs) != len(goldens) {
		t.Errorf("%d logs, %d in the table: %v", len(logs), len(goldens), err)
	}
	engine, err := vanguard.NewEngine(vanguard.Options{Year: 2026, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs {
		name := filepath.Base(log)
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		a := engine.Analyzer()
		src := a.Source(name)
		src.Write(text)
		src.Close()
		report := a.Report()
		// The hashes and the number of rules change with every rule.
		report.Engine = vanguard.EngineInfo{Version: "golden"}
		report.Summary = ruleCount.ReplaceAllString(report.Summary, "judged by all rules")
		for _, format := range goldens[name] {
			var got bytes.Buffer
			if err := render.Write(&got, format, report, render.Options{Width: 100, Now: time.Unix(1795402800, 0)}); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata/golden", strings.TrimSuffix(name, filepath.Ext(name))+"."+format)
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s differs from %s; if that is meant: go test . -run TestGolden -update\n%s", name, file, firstDifference(got.String(), string(want)))
			}
		}
	}
}

// firstDifference shows the first row in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		a, b := "(end)", "(end)"
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return "got  " + a + "\nwant " + b
		}
	}
	return "only in line ends"
}

// TestReadme: the report that README.md begins with is the one that is printed, but for what it leaves out and the hashes.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/golden/wordpress-apache.text")
	if err != nil {
		t.Fatal(err)
	}
	_, excerpt, _ := strings.Cut(string(readme), "$ vanguard scan testdata/logs/wordpress-apache.log\n")
	excerpt, _, ok := strings.Cut(excerpt, "\nvanguard ")
	head, tail, ok2 := strings.Cut(strings.ReplaceAll(excerpt, "testdata/logs/", ""), "[...]\n")
	if !ok || !ok2 {
		t.Fatal("README.md has no excerpt of the form REPORT [...] REPORT, vanguard VERSION")
	}
	printed := string(golden)
	if !strings.HasPrefix(printed, head) {
		t.Errorf("the excerpt begins otherwise: %s", firstDifference(head, printed[:min(len(head), len(printed))]))
	}
	if end := printed[:strings.LastIndex(printed, "\nvanguard ")]; !strings.HasSuffix(end, tail) {
		t.Errorf("the excerpt ends otherwise:\n%s", tail)
	}
}
