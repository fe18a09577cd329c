package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/helixvanguard/vanguard"
)

const (
	defaultWidth = 100
	minWidth     = 40
	maxTextWidth = 120 // longer lines of prose are hard to read; evidence uses the whole terminal
	labelWidth   = 10  // columns, of "doubt" and its like
	evidenceRows = 3   // rows of the terminal that one evidence line may take

	// What a terminal shows of a finding; the other formats hold all of it.
	maxTextEvidence = 4
	maxTextChains   = 5
	maxTextSteps    = 8
	maxTextTargets  = 5
	maxTextDoubts   = 2
	maxTextAdvice   = 3
	maxTextHints    = 1 // configurations that would show more
	maxFirstDoubts  = 5 // of the worst finding
	maxFirstAdvice  = 5
)

// The colours are the terminal's own first eight: its theme keeps them legible on
// dark and on light. Nothing is said by colour alone.
var ansi = map[tone]string{
	bad: "\x1b[1;31m", warn: "\x1b[1;33m", calm: "\x1b[1;32m", muted: "\x1b[2m",
	"bold": "\x1b[1m", "guilty": "\x1b[1;4;31m", "head": "\x1b[1;36m",
}

// textWriter writes a text report. Every string from the Report goes through
// visible before it is styled, so the only escape sequences are those of ansi.
type textWriter struct {
	*bufio.Writer
	opt   Options
	prose int // columns for sentences
}

// verdict is a report's first line. Who cannot tell is not sure of anything.
func (t *textWriter) verdict(r *vanguard.Report) string {
	v := verdictLook(r.Verdict)
	word := t.style(v.Tone, v.Icon+" "+strings.ToUpper(v.Word))
	if r.Verdict == vanguard.CantTell {
		return word
	}
	return word + "   " + t.style("bold", percent(r.Confidence)) + " sure"
}

func writeText(w io.Writer, r *vanguard.Report, more int, opt Options) error {
	t := newTextWriter(w, opt)
	t.line(t.verdict(r))
	t.wrap("", r.Summary)
	if r.Doubt != "" || len(r.DoNow) > 0 {
		t.line()
	}
	t.field(2, "doubt", r.Doubt)
	t.steps(2, "do now", r.DoNow)

	if len(r.Chains) > 0 {
		t.heading("chains", grouped(len(r.Chains)))
	}
	for i := range r.Chains[:min(len(r.Chains), maxTextChains)] {
		t.chain(r, &r.Chains[i])
	}
	if len(r.Findings) > 0 {
		t.heading("findings", grouped(len(r.Findings)+more))
	}
	for i := range r.Findings {
		if i > 0 {
			t.line()
		}
		t.finding(i+1, &r.Findings[i], r.DoNow)
	}
	if more > 0 {
		t.line()
		t.line(t.style(muted, hiddenFindings(more)))
	}

	t.heading("what was read", "")
	t.field(2, "lines", understood(&r.Input))
	t.field(2, "period", period(r.Input.FirstSeen, r.Input.LastSeen))
	t.field(2, "noise", noise(r.Noise))
	for i, u := range r.Input.Unread {
		t.field(2, firstOnly(i, "unread"), place(u.Source, u.Line)+": "+u.Why)
	}
	for i, p := range r.Input.Problems {
		t.field(2, firstOnly(i, "problem"), p)
	}
	for i := range r.Allowed {
		t.field(2, firstOnly(i, "allowed"), allowed(&r.Allowed[i]))
	}
	for i, n := range r.NotSeen {
		t.field(2, firstOnly(i, "not seen"), n)
	}
	for i, h := range r.LogHints[:min(len(r.LogHints), maxTextHints)] {
		t.config(2, firstOnly(i, "log it"), "in "+h.Platform+":\n"+h.Config)
	}
	if more := r.LogHints[min(len(r.LogHints), maxTextHints):]; len(more) > 0 {
		t.field(2, "", "the same for "+platforms(more)+": -o md")
	}
	t.line()
	t.line(t.style(muted, visible(engine(r))))
	return t.Flush()
}

func newTextWriter(w io.Writer, opt Options) *textWriter {
	if opt.Width <= 0 {
		opt.Width = defaultWidth
	}
	opt.Width = max(opt.Width, minWidth)
	return &textWriter{bufio.NewWriter(w), opt, min(opt.Width, maxTextWidth)}
}

// chain writes one story: how far it came, who, where, and its steps.
func (t *textWriter) chain(r *vanguard.Report, c *vanguard.Chain) {
	o := outcomeLook(c.Outcome)
	t.line(t.style(o.Tone, o.Icon+" "+strings.ToUpper(o.Word)), "  ", t.style("bold", visible(strings.Join(c.Stages, " → "))))
	t.field(3, "who", chainWho(c))
	if len(c.Sources) > 1 {
		t.field(3, "where", strings.Join(c.Sources, ", "))
	}
	t.field(3, "when", period(c.FirstSeen, c.LastSeen))
	for i, s := range c.Steps[:min(len(c.Steps), maxTextSteps)] {
		t.field(3, firstOnly(i, "steps"), chainStep(r, c, &s))
	}
	if more := len(c.Steps) - maxTextSteps; more > 0 {
		t.field(3, "", fmt.Sprintf("and %d more", more))
	}
}

// finding writes one finding: what, who, when, proof, the lines, what to do.
func (t *textWriter) finding(n int, f *vanguard.Finding, doNow []string) {
	o := outcomeLook(f.Outcome)
	t.line(t.style("bold", fmt.Sprintf("%d  ", n)), t.style(o.Tone, o.Icon+" "+strings.ToUpper(o.Word)), "  ",
		t.style("bold", visible(f.Title)), t.style(muted, fmt.Sprintf("  %s · %s sure", visible(f.Severity), percent(f.Confidence))))
	t.field(3, "who", actor(f))
	what := count(f.Events, "event")
	if len(f.Targets) > 0 {
		what += " on " + targets(f, maxTextTargets)
	}
	t.field(3, "what", what)
	t.field(3, "when", period(f.FirstSeen, f.LastSeen))
	t.field(3, "stages", strings.Join(f.Stages, " → "))
	t.field(3, "chain", strings.Join(f.ChainStages, " → "))
	t.field(3, "proof", f.OutcomeEvidence)
	t.field(3, "missing", f.Missing)
	t.config(3, "log it", f.LogHint)
	doubts := maxTextDoubts
	if n == 1 {
		doubts = maxFirstDoubts
	}
	for i, d := range f.Doubts[:min(len(f.Doubts), doubts)] {
		t.field(3, firstOnly(i, "doubt"), d)
	}
	t.field(3, "known as", strings.Join(references(f), " · "))
	key := reasonsOnce(keyEvidence(f.Evidence, maxTextEvidence))
	for i := range key {
		t.evidence(&key[i])
	}
	if more := len(f.Evidence) - len(key); more > 0 {
		t.pad(3)
		t.line(t.style(muted, "and "+count(more, "more line")+" of evidence in -o json"))
	}
	label, most := "do", maxTextAdvice
	if n == 1 {
		label, most = "then", maxFirstAdvice
	}
	advice := slices.DeleteFunc(slices.Clone(f.Advice), func(a string) bool { return slices.Contains(doNow, a) })
	t.steps(3, label, advice[:min(len(advice), most)])
}

// evidence quotes one of the user's lines with the guilty bytes marked, and the reason.
func (t *textWriter) evidence(e *vanguard.Evidence) {
	const indent = 5
	t.line("   ", t.style("head", visible(place(e.Source, e.Line))))
	room := t.opt.Width - indent
	text, spans := onOneLine(e.Text, e.Spans)
	ps := pieces(text, spans, room*evidenceRows-2*len("‹›"), '‹', '›')
	col := 0
	t.pad(indent)
	put := func(style tone, s string) {
		start := 0
		for i, r := range s {
			w := displaywidth.Rune(r)
			if col+w > room {
				t.WriteString(t.style(style, s[start:i]))
				t.WriteByte('\n')
				t.pad(indent)
				start, col = i, 0
			}
			col += w
		}
		t.WriteString(t.style(style, s[start:]))
	}
	for _, p := range ps {
		switch {
		case p.Guilty && t.opt.Color:
			put("guilty", p.Text)
		case p.Guilty:
			put("", "‹"+p.Text+"›")
		case p.Cut:
			put(muted, p.Text)
		default:
			put("", p.Text)
		}
	}
	t.WriteByte('\n')
	if why := e.Why; why != "" {
		if by := named(e.By); len(by) > 0 {
			why += " [" + strings.Join(by, ", ") + "]"
		}
		t.block(indent, indent+2, "^ ", muted, why)
	}
}

func (t *textWriter) heading(title, figure string) {
	t.line()
	s := strings.ToUpper(title)
	if figure != "" {
		s += " " + figure
	}
	t.line(t.style("head", s))
}

// field writes "label  text", wrapped under itself; nothing if text is empty.
func (t *textWriter) field(indent int, label, text string) {
	if text == "" {
		return
	}
	t.pad(indent)
	t.WriteString(t.style(muted, fmt.Sprintf("%-*s", labelWidth, label)))
	t.flow(indent+labelWidth, visible(text), "")
}

// config writes lines of configuration as they have to be copied: no row is broken, even if it is wider than the terminal.
func (t *textWriter) config(indent int, label, lines string) {
	if lines == "" {
		return
	}
	for i, row := range strings.Split(lines, "\n") {
		t.pad(indent)
		t.line(t.style(muted, fmt.Sprintf("%-*s", labelWidth, firstOnly(i, label))), visible(row))
	}
}

// steps writes a numbered list under a label.
func (t *textWriter) steps(indent int, label string, steps []string) {
	for i, s := range steps {
		if len(steps) > 1 {
			s = fmt.Sprintf("%d. %s", i+1, s)
		}
		t.field(indent, firstOnly(i, label), s)
	}
}

func (t *textWriter) wrap(prefix, s string) {
	t.WriteString(prefix)
	t.flow(len(prefix), visible(s), "")
}

// block writes s behind a bullet; its text, wrapped under itself, begins at column hang.
func (t *textWriter) block(indent, hang int, bullet string, style tone, s string) {
	t.pad(indent)
	t.WriteString(t.style(style, bullet))
	t.flow(hang, visible(s), "")
}

// flow writes s, already visible, from column at on, and goes on there in each new row.
func (t *textWriter) flow(at int, s string, style tone) {
	room := max(t.prose-at, minWidth/2)
	col := 0
	for word := range strings.FieldsSeq(s) {
		w := columns(word)
		if col > 0 && col+1+w > room {
			t.WriteByte('\n')
			t.pad(at)
			col = 0
		}
		if col > 0 {
			t.WriteByte(' ')
			col++
		}
		for w > room { // a word wider than the room is broken
			cut, cw := 0, 0
			for i, r := range word {
				if cw+displaywidth.Rune(r) > room {
					cut = i
					break
				}
				cw += displaywidth.Rune(r)
			}
			if cut == 0 {
				break
			}
			t.WriteString(t.style(style, word[:cut]))
			t.WriteByte('\n')
			t.pad(at)
			word = word[cut:]
			w = columns(word)
		}
		t.WriteString(t.style(style, word))
		col += w
	}
	t.WriteByte('\n')
}

func (t *textWriter) pad(n int) { t.WriteString(strings.Repeat(" ", n)) }

func (t *textWriter) line(parts ...string) {
	for _, p := range parts {
		t.WriteString(p)
	}
	t.WriteByte('\n')
}

func (t *textWriter) style(s tone, text string) string {
	if !t.opt.Color || s == "" || text == "" {
		return text
	}
	return ansi[s] + text + "\x1b[0m"
}

// platforms names what hints are for.
func platforms(hints []vanguard.LogHint) string {
	names := make([]string, len(hints))
	for i, h := range hints {
		names[i] = h.Platform
	}
	return strings.Join(names, ", ")
}

func firstOnly(i int, label string) string {
	if i == 0 {
		return label
	}
	return ""
}

// columns tells how many columns of a terminal s takes.
func columns(s string) int { return displaywidth.String(s) }

// engine names what judged.
func engine(r *vanguard.Report) string {
	e := &r.Engine
	s := "vanguard " + e.Version
	for _, h := range [...][2]string{{"rules", e.Rules}, {"model", e.Model}, {"report", e.Report}} {
		if h[1] != "" {
			s += " · " + h[0] + " " + h[1][:min(len(h[1]), 12)]
		}
	}
	return s
}
