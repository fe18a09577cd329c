package vanguard

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// TestWritten reads what people write about attacks and programmers about code: posts, tickets, pages, mails, snippets, queries of
// tools and searches. Each line alone may be noticed, but is never an attack.
func TestWritten(t *testing.T) {
	b, err := os.ReadFile("testdata/written.log")
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) < 40 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		a := e.Analyzer()
		src := a.Source("access.log")
		if _, err := src.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
		if r := a.Report(); r.Verdict != LooksNormal && r.Verdict != Probed {
			for _, f := range r.Findings {
				t.Errorf("%s, %s by %v: %s", r.Verdict, f.Threat, f.Evidence[0].By, line)
			}
		}
	}
}

// TestTyped: what a person may have typed into a search is noticed once or twice; who goes on attacks. The same search on its way
// through the site, in the addresses that pages were reached from, is one.
func TestTyped(t *testing.T) {
	line := func(q string) string {
		return `203.0.113.7 - - [14/Mar/2026:10:11:12 +0000] "GET /search?q=` + q + ` HTTP/1.1" 200 3110 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"` + "\n"
	}
	for _, c := range []struct {
		name string
		log  string
		want Verdict
	}{
		{"once", line("%60ls%60"), Probed},
		{"again and again the same", strings.Repeat(line("%60ls%60"), 12), Probed},
		{"three", line("%60ls%60") + line("%60id%60") + line("%60pwd%60"), UnderAttack},
		{"meant", line("1%27+union+select+password+from+users--+-"), UnderAttack},
		{"a command line", line("%3Bcat+/etc/passwd"), UnderAttack},
	} {
		a, err := New(Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		src := a.Source("access.log")
		if _, err := src.Write([]byte(c.log)); err != nil {
			t.Fatal(err)
		}
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
		if r := a.Report(); r.Verdict != c.want {
			t.Errorf("%s: %s", c.name, r.Verdict)
		}
	}
}

// TestRoutine: a job that copies much night after night is noticed; once, it is an alarm.
func TestRoutine(t *testing.T) {
	for nights, want := range map[int]Verdict{1: UnderAttack, 4: Probed} {
		a, err := New(Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		src := a.Source("access.log")
		for night := range nights {
			for i := range 12 {
				fmt.Fprintf(src, "203.0.113.7 - - [%02d/Mar/2026:02:00:%02d +0000] \"GET /api/orders/export?format=csv&part=%d HTTP/1.1\" 200 4800000 \"-\" \"curl/8.5.0\"\n", 10+night, i*4, i)
			}
		}
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
		if r := a.Report(); r.Verdict != want {
			t.Errorf("%d nights: %s", nights, r.Verdict)
		}
	}
}

// TestParty: many addresses try one account. The account is the finding; who took part is kept beside it as noise, but for people
// who get in.
func TestParty(t *testing.T) {
	var log strings.Builder
	for i := range 16 {
		fmt.Fprintf(&log, "2026-11-23T%02d:10:00Z [warn] app: Failed login for ceo@example.com from 203.0.113.%d\n", i, i*13+1)
	}
	log.WriteString("2026-11-23T17:10:00Z [warn] app: Failed login for ceo@example.com from 198.51.100.4\n")
	log.WriteString("2026-11-23T17:11:00Z [info] app: User ceo@example.com logged in from 198.51.100.4\n")
	a, err := New(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	src := a.Source("app.log")
	if _, err := src.Write([]byte(log.String())); err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	r := a.Report()
	account, parts := false, 0
	for _, f := range r.Findings {
		switch {
		case f.Actor.Value == "198.51.100.4" && f.Noise:
			t.Errorf("the owner, who got in, took part: %s", f.Threat)
		case f.Noise:
			parts++
		case f.Actor.Value == "ceo@example.com":
			account = true
		}
	}
	if !account || parts < 6 {
		t.Errorf("account found: %v, %d addresses took part", account, parts)
	}
}
