package render

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/helixvanguard/vanguard"
)

// Explain writes how a line was read, decoded and judged, as text or json.
func Explain(w io.Writer, format string, xs []vanguard.Explanation, opt Options) error {
	given := xs
	xs = deepTidy(reflect.ValueOf(given)).Interface().([]vanguard.Explanation)
	for i := range xs {
		for j := range xs[i].Signals {
			if s := tidySpans(given[i].Line, [][2]int{given[i].Signals[j].Span}); len(s) == 1 {
				xs[i].Signals[j].Span = s[0]
			}
		}
		if given[i].Report != nil {
			xs[i].Report = tidy(given[i].Report)
		}
	}
	switch format {
	case "json":
		return encode(w, xs, "  ")
	case "text":
	default:
		return fmt.Errorf("unknown output format %q; one of text, json", format)
	}
	t := newTextWriter(w, opt)
	for i := range xs {
		if i > 0 {
			t.line()
		}
		t.explain(&xs[i])
	}
	if r := xs[len(xs)-1].Report; r != nil {
		t.line(t.style("head", "4  VERDICT"))
		t.line("   ", t.verdict(r))
		t.field(3, "why", r.Summary)
		t.field(3, "doubt", r.Doubt)
		t.steps(3, "do now", r.DoNow)
	}
	return t.Flush()
}

func (t *textWriter) explain(x *vanguard.Explanation) {
	t.line(t.style("head", "1  READ"), "     the fields, and who wrote their bytes")
	format := x.Format + " (" + x.Kind + ")"
	if !x.Understood {
		format = strings.TrimSpace("not recognised; judged as free text. " + x.Why)
	}
	t.field(3, "format", format)
	t.field(3, "time", x.Time)
	t.field(3, "client", x.Client)
	if x.Peer != "" {
		t.field(3, "proxy", x.Peer)
	}
	name := 0
	for _, f := range x.Fields {
		name = max(name, columns(visible(f.Name)))
	}
	name = min(name, 32)
	for _, f := range x.Fields {
		n := visible(f.Name)
		t.pad(3)
		t.WriteString(t.style(muted, fmt.Sprintf("%-7s", f.By)))
		t.WriteString(n + strings.Repeat(" ", max(name-columns(n), 0)+2))
		t.flow(3+7+max(name, columns(n))+2, visible(f.Value), "")
	}
	t.line(t.style("head", "2  DECODED"), "  what client-written text says without its encodings, where that differs")
	for _, f := range x.Decoded {
		n := visible(f.Name)
		t.pad(3)
		t.WriteString(n + strings.Repeat(" ", max(name-columns(n), 0)+2))
		t.flow(3+max(name, columns(n))+2, visible(f.Value), "")
	}
	if len(x.Decoded) == 0 {
		t.line("   nothing")
	}
	t.line(t.style("head", "3  JUDGED"), "   who suspects it, and for which bytes")
	for _, s := range x.Signals {
		base := ""
		if s.Base {
			base = ", only counted together with other lines"
		}
		t.line("   ", t.style("bold", visible(s.Name)), t.style(muted, fmt.Sprintf("  %s · %s%s", visible(s.Level), percent(s.Confidence), base)))
		t.field(5, "title", s.Title)
		t.field(5, "means", s.Why)
		t.field(5, "threat", s.Threat)
		where := s.Field
		if cut := cleanSpans(x.Line, [][2]int{s.Span}); len(cut) == 1 {
			const around = 24
			a, b := runeStart(x.Line, max(cut[0][0]-around, 0)), runeStart(x.Line, min(cut[0][1]+around, len(x.Line)))
			where += ": " + marked(pieces(x.Line[a:b], [][2]int{{cut[0][0] - a, cut[0][1] - a}}, 0, '‹', '›'))
		}
		t.field(5, "bytes", where)
	}
	if len(x.Signals) == 0 {
		t.line("   nobody")
	}
	for _, p := range x.Classifier {
		word := "harmless"
		if p.Suspect {
			word = "suspect, " + p.Threat
		}
		of := " of an attack in "
		if p.Kind == "text" {
			if of = " that it tells of something, "; p.Suspect {
				word = "tells of " + p.Threat
			}
		}
		t.field(3, "model", word+": "+percent(p.Probability)+of+p.Field+": "+p.Text)
	}
}
