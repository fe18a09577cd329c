package vanguard

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
