package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/helixvanguard/vanguard"
)

// writeMarkdown writes a report for a ticket, a pull request or a wiki. What may
// come from the log stands in code, or is escaped character by character.
func writeMarkdown(w io.Writer, r *vanguard.Report, more int) error {
	b := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(b, format, args...) }
	v := verdictLook(r.Verdict)
	sure := " (" + percent(r.Confidence) + " sure)"
	if r.Verdict == vanguard.CantTell {
		sure = ""
	}
	p("# %s %s%s\n\n%s\n", v.Icon, v.Word, sure, md(r.Summary))
	if r.Doubt != "" {
		p("\n**Biggest doubt:** %s\n", mdRich(r.Doubt))
	}
	mdSteps(p, "Do now", r.DoNow)

	for i := range r.Chains {
		c := &r.Chains[i]
		o := outcomeLook(c.Outcome)
		p("\n## %s %s: %s\n\n- **Who:** %s\n- **Where:** %s\n- **When:** %s\n", o.Icon, o.Word, md(strings.Join(c.Stages, " → ")), md(chainWho(c)), md(strings.Join(c.Sources, ", ")), md(period(c.FirstSeen, c.LastSeen)))
		for _, s := range c.Steps {
			p("- %s\n", md(chainStep(r, c, &s)))
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		o := outcomeLook(f.Outcome)
		p("\n## %d. %s %s: %s\n\n", i+1, o.Icon, o.Word, md(f.Title))
		row := func(label, text string) {
			if text != "" {
				p("- **%s:** %s\n", label, text)
			}
		}
		who := md(actor(f))
		if f.Actor.Value != "" {
			who = strings.TrimSpace(code(f.Actor.Value) + " " + md(strings.TrimSpace(f.Actor.Type+" "+strings.Join(f.Actor.Notes, "; "))))
		}
		row("Who", who)
		what := md(count(f.Events, "event"))
		for j, t := range targetsByType(f) {
			what += [...]string{" on ", ", "}[min(j, 1)]
			if t.First {
				what += md(t.Type) + " "
			}
			what += code(t.Value)
		}
		row("What", what)
		row("When", md(period(f.FirstSeen, f.LastSeen)))
		row("Severity", md(f.Severity)+", "+percent(f.Confidence)+" sure")
		row("Stages", md(strings.Join(f.Stages, " → ")))
		row("Chain", md(strings.Join(f.ChainStages, " → ")))
		row("Proof", mdRich(f.OutcomeEvidence))
		row("Missing", mdRich(f.Missing))
		if f.LogHint != "" {
			row("Log it with", code(strings.ReplaceAll(f.LogHint, "\n", " ")))
		}
		for _, d := range f.Doubts {
			row("Doubt", mdRich(d))
		}
		row("Known as", md(strings.Join(references(f), ", ")))
		if len(f.Evidence) > 0 {
			p("\nThe lines, guilty bytes between ‹ and ›:\n\n")
			var q strings.Builder
			for _, e := range reasonsOnce(f.Evidence) {
				q.WriteString(visible(place(e.Source, e.Line)) + "  " + marked(pieces(e.Text, e.Spans, 0, '‹', '›')) + "\n")
				if e.Why != "" {
					q.WriteString("    ^ " + visible(e.Why) + "\n")
				}
			}
			fence := strings.Repeat("`", max(3, longestRun(q.String(), '`')+1))
			p("%stext\n%s%s\n", fence, q.String(), fence)
		}
		mdSteps(p, "What to do", f.Advice)
	}

	if more > 0 {
		p("\n%s\n", md(hiddenFindings(more)))
	}
	p("\n## What was read\n\n- %s\n", md(understood(&r.Input)))
	item := func(label, text string) {
		if text != "" {
			p("- %s: %s\n", label, md(text))
		}
	}
	item("Period", period(r.Input.FirstSeen, r.Input.LastSeen))
	item("Noise", noise(r.Noise))
	for _, u := range r.Input.Unread {
		item("Not understood", place(u.Source, u.Line)+": "+u.Why)
	}
	for _, s := range r.Input.Problems {
		item("Problem", s)
	}
	for i := range r.Allowed {
		item("Allowed", allowed(&r.Allowed[i]))
	}
	for _, s := range r.NotSeen {
		item("Not seen", s)
	}
	for _, h := range r.LogHints {
		fence := strings.Repeat("`", max(3, longestRun(h.Config, '`')+1))
		p("\nTo see that as well, log it in %s:\n\n%s\n", md(h.Platform), fence)
		for row := range strings.SplitSeq(h.Config, "\n") {
			p("%s\n", visible(row))
		}
		p("%s\n", fence)
	}
	p("\n%s\n", md(engine(r)))
	return b.Flush()
}

func mdSteps(p func(string, ...any), title string, steps []string) {
	if len(steps) == 0 {
		return
	}
	p("\n**%s:**\n\n", title)
	for i, s := range steps {
		p("%d. %s\n", i+1, mdRich(s))
	}
}

// mdRich keeps what stands between backticks as code.
func mdRich(s string) string {
	var b strings.Builder
	for _, p := range rich(s) {
		if p.Code {
			b.WriteString(code(p.Text))
		} else {
			b.WriteString(md(p.Text))
		}
	}
	return b.String()
}

// md escapes every character that means something to Markdown, so that no link,
// image, HTML, emphasis or heading can come out of s.
func md(s string) string {
	var b strings.Builder
	for _, r := range visible(s) {
		if strings.ContainsRune("\\`*_{}[]<>#|~&@$", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	out := strings.NewReplacer("://", `\:\/\/`, "www.", `www\.`, "WWW.", `WWW\.`).Replace(b.String())
	// What would begin a list item at the start of a line: "- ", "+ ", "1. ", "1) ".
	bullet := strings.TrimLeft(out, "0123456789")
	if at := len(out) - len(bullet); bullet != "" && (at == 0 && strings.ContainsAny(bullet[:1], "-+=") || at > 0 && strings.ContainsAny(bullet[:1], ".)") && !strings.ContainsAny(bullet[1:min(2, len(bullet))], "0123456789")) {
		out = out[:at] + `\` + bullet
	}
	return out
}

// code makes a code span that s cannot end.
func code(s string) string {
	s = visible(s)
	ticks := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

func longestRun(s string, c byte) int {
	best, run := 0, 0
	for i := range len(s) {
		if s[i] == c {
			run++
			best = max(best, run)
		} else {
			run = 0
		}
	}
	return best
}
