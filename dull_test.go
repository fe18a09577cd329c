package vanguard

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
)

// TestMemoryChangesNothing: every line of the samples is judged by a worker that knows nothing, and by one that saw all of them before, in another
// order. What is remembered of values is quicker to say, and the same.
func TestMemoryChangesNothing(t *testing.T) {
	m, err := neural.Load(models.Weights)
	if err != nil {
		t.Fatal(err)
	}
	var logs []string
	for _, pattern := range []string{"rules/*/*.log", "testdata/logs/*.log"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, names...)
	}
	if len(logs) < 50 {
		t.Fatalf("%d logs", len(logs))
	}
	e, err := NewEngine(Options{Model: m, Workers: 1, Year: 2026})
	if err != nil {
		t.Fatal(err)
	}
	var known int
	judge := func(e *Engine, name string) (said []string) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		one := *e
		a := one.Analyzer()
		one.opt.OnEvent = func(ev *event.Event) {
			if ev.Dull != 0 {
				known++
			}
			var b strings.Builder
			for _, s := range a.signals {
				fmt.Fprintf(&b, " %s %s %v", s.Detector.By, s.Field, s.Span)
			}
			said = append(said, b.String())
		}
		src := a.Source("log")
		src.Write(text)
		src.Close()
		return said
	}
	first := map[string][]string{}
	for _, name := range logs {
		e.idle.free = nil // a worker that knows nothing
		first[name] = judge(e, name)
	}
	for i := len(logs) - 1; i >= 0; i-- {
		judge(e, logs[i])
	}
	known = 0
	for _, name := range logs {
		again := judge(e, name)
		if len(again) != len(first[name]) {
			t.Fatalf("%s: %d events, then %d", name, len(first[name]), len(again))
		}
		for i := range again {
			if again[i] != first[name][i] {
				t.Errorf("%s, event %d: a worker that knows nothing says\n%s\none that knows all of it\n%s", name, i+1, first[name][i], again[i])
			}
		}
	}
	if known < 1000 {
		t.Errorf("only %d events had a value that was known", known)
	}
}

// TestHalvesChangeNothing: the paths and queries of the samples, put together anew, are judged as they would be by a worker that met neither, also where the
// same request comes from elsewhere and is answered at another length.
func TestHalvesChangeNothing(t *testing.T) {
	m, err := neural.Load(models.Weights)
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("rules/*/*.log")
	if err != nil {
		t.Fatal(err)
	}
	request := regexp.MustCompile(`"[A-Z]+ (/[^ ?"]*)(?:\?([^ "]*))? HTTP`)
	var paths, queries []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range request.FindAllSubmatch(text, -1) {
			paths, queries = append(paths, string(at[1])), append(queries, string(at[2]))
		}
	}
	e, err := NewEngine(Options{Model: m, Workers: 1, Year: 2026})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string, plain string) string {
		if r.IntN(3) == 0 { // many plain ones, so that what is known of them is used
			return fmt.Sprintf(plain, r.IntN(40))
		}
		return list[r.IntN(len(list))]
	}
	var lines, last []string
	for range 6000 {
		target := pick(paths, "/news/%d/index.php") + "?" + pick(queries, "page=%d&sort=new")
		if len(last) > 0 && r.IntN(4) == 0 {
			target = last[r.IntN(len(last))]
		}
		last = append(last, target)
		lines = append(lines, fmt.Sprintf("198.51.100.%d - - [23/Nov/2026:10:00:%02d +0000] \"%s %s HTTP/1.1\" %d %d \"https://www.example.com/%d\" \"%s\"\n", r.IntN(200), r.IntN(60),
			[]string{"GET", "GET", "POST"}[r.IntN(3)], target, []int{200, 200, 401, 403, 404}[r.IntN(5)], 1<<r.IntN(16), r.IntN(30), []string{"Mozilla/5.0 (X11)", "curl/8.0"}[r.IntN(2)]))
	}
	var said []string
	judge := func(line string) string {
		one := *e
		a := one.Analyzer()
		one.opt.OnEvent = func(ev *event.Event) {
			var b strings.Builder
			for _, s := range a.signals {
				fmt.Fprintf(&b, " %s %s %v %d", s.Detector.By, s.Field, s.Span, s.Casual)
			}
			for _, d := range ev.Decoded() {
				fmt.Fprintf(&b, " %s=%q", d.Field, d.Text)
			}
			for _, f := range []event.Field{event.Action, event.Category, event.Result, event.App} {
				fmt.Fprintf(&b, " %s=%q", f, ev.Get(f))
			}
			said = append(said, b.String())
		}
		src := a.Source("log")
		src.Write([]byte(line))
		src.Close()
		return strings.Join(said, "\n")
	}
	for _, line := range lines {
		said = nil
		judge(line)
	}
	warm := e.idle.free[0]
	known := 0
	for _, line := range lines[:1000] {
		said = nil
		again := judge(line)
		e.idle.free = []*worker{{match: e.set.NewMatcher(), decode: decode.NewMemory(), dull: newDullMemory(), witness: warm.witness}}
		said = nil
		if first := judge(line); first != again {
			t.Errorf("%s a worker that knows nothing says\n%s\none that knows all of it\n%s", line, first, again)
		} else if len(first) > 0 {
			known++
		}
		e.idle.free = []*worker{warm}
	}
	if known < 300 {
		t.Errorf("only %d events had something to say", known)
	}
}
