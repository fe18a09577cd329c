package vanguard

import (
	"os"
	"path/filepath"
	"testing"
)

// TestInnocent reads what programs and people do that mean no harm: sync clients, media servers, monitors, searches that read
// like attacks, code hosting, one address with many users. None of it may be a finding, not even noise.
func TestInnocent(t *testing.T) {
	files, err := filepath.Glob("testdata/innocent/*.log")
	if err != nil || len(files) < 18 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			a := e.Analyzer()
			src := a.Source(name)
			if _, err := src.Write(b); err != nil {
				t.Fatal(err)
			}
			if err := src.Close(); err != nil {
				t.Fatal(err)
			}
			r := a.Report()
			if r.Verdict != LooksNormal || len(r.Findings) > 0 {
				t.Errorf("verdict %s", r.Verdict)
			}
			for _, f := range r.Findings {
				for _, ev := range f.Evidence {
					t.Errorf("%s %v: %s", f.Threat, ev.By, ev.Text)
				}
			}
		})
	}
}
