package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/helixvanguard/vanguard/incident"
)

// Threat writes a page of the threat library for a terminal.
func Threat(w io.Writer, t *incident.Threat, opt Options) error {
	tw := newTextWriter(w, opt)
	tw.line(tw.style("bold", t.Title), tw.style(muted, fmt.Sprintf("  %s · %s · %s", t.Slug, t.Severity, t.Stage)))
	var ids []string
	list := func(catalogue string, of []string) {
		if len(of) > 0 {
			ids = append(ids, catalogue+" "+strings.Join(of, ", "))
		}
	}
	list("ATT&CK", t.Attack)
	list("OWASP", append(t.OWASP[:len(t.OWASP):len(t.OWASP)], t.OAT...))
	list("CWE", numbers(t.CWE))
	list("CAPEC", numbers(t.CAPEC))
	tw.field(2, "known as", strings.Join(ids, " · "))
	tw.field(2, "seen on", strings.Join(t.Platforms, ", "))
	tw.line()
	tw.wrap("", t.What)
	section := func(title, bullet string, items []string) {
		if len(items) == 0 {
			return
		}
		tw.heading(title, "")
		for i, s := range items {
			b := bullet
			if b == "" {
				b = fmt.Sprint(i+1, ".")
			}
			tw.block(2, 2+len(b)+1, b+" ", muted, s)
		}
	}
	section("did it work?", "-", t.Worked)
	section("do now", "", t.DoNow)
	section("then", "", t.Then)
	section("innocent look-alikes", "-", t.LookAlikes)
	if t.Missing != "" {
		tw.heading("what would settle it", "")
		tw.wrap("  ", t.Missing)
		for row := range strings.SplitSeq(t.LogHint, "\n") {
			tw.line("  ", visible(row)) // to be copied: never wrapped
		}
	}
	return tw.Flush()
}

func numbers(ns []int) []string {
	out := make([]string, len(ns))
	for i, n := range ns {
		out[i] = fmt.Sprint(n)
	}
	return out
}
