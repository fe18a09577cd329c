package render

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/helixvanguard/vanguard"
)

// Every string of a Report may hold bytes that an attacker wrote. They pass two gates:
//
//	tidy     bytes -> valid UTF-8; each other byte becomes the text \xHH (all formats)
//	visible  -> printable; control, bidirectional, invisible characters become \n, \x1b, \u202e (what people read)
//
// Only then does a format add its own escapes.

// tidy returns a deep copy of r whose strings are valid UTF-8. Evidence spans still
// point at the same bytes.
func tidy(r *vanguard.Report) *vanguard.Report {
	c := deepTidy(reflect.ValueOf(r)).Interface().(*vanguard.Report)
	for i := range r.Findings {
		for j := range r.Findings[i].Evidence {
			from, to := &r.Findings[i].Evidence[j], &c.Findings[i].Evidence[j]
			to.Spans = tidySpans(from.Text, from.Spans)
		}
	}
	return c
}

// tidySpans moves spans of text to where their bytes stand in tidyString(text).
func tidySpans(text string, spans [][2]int) (out [][2]int) {
	for _, s := range cleanSpans(text, spans) {
		a := len(tidyString(text[:s[0]]))
		out = append(out, [2]int{a, a + len(tidyString(text[s[0]:s[1]]))})
	}
	return out
}

// deepTidy copies v with every string made valid UTF-8, so that a field which the
// Report gains later cannot be forgotten here.
func deepTidy(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(tidyString(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(deepTidy(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(deepTidy(v.Index(i)))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(deepTidy(v.Field(i)))
		}
	default:
		out.Set(v)
	}
	return out
}

func tidyString(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// hidden tells whether a character could move the cursor, change colours or the
// reading direction, or hide: everything but letters, marks, digits,
// punctuation, symbols and the space.
func hidden(r rune) bool { return !unicode.IsPrint(r) || filler[r] }

// filler are letters to Unicode but blanks to the eye.
var filler = map[rune]bool{0x115f: true, 0x1160: true, 0x3164: true, 0xffa0: true, 0x2800: true}

// escaped is how a hidden character is shown.
func escaped(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// Visible shows s on one line, with everything that could act on a terminal escaped.
func Visible(s string) string { return visible(s) }

// visible shows s on one line, whatever it holds. also names further characters to escape.
func visible(s string, also ...rune) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case hidden(r) || slices.Contains(also, r):
			b.WriteString(escaped(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// A piece is a stretch of an evidence line as it is shown.
type piece struct {
	Text   string // visible
	Guilty bool
	Cut    bool // stands for bytes that were left out
}

// cleanSpans returns spans sorted, inside text, of whole characters, and merged.
func cleanSpans(text string, spans [][2]int) [][2]int {
	var in [][2]int
	for _, s := range spans {
		s[0], s[1] = max(s[0], 0), min(s[1], len(text))
		if s[0] >= s[1] {
			continue
		}
		s[0] = runeStart(text, s[0])
		for s[1] < len(text) && runeStart(text, s[1]) != s[1] {
			s[1]++
		}
		in = append(in, s)
	}
	slices.SortFunc(in, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	out := in[:0]
	for _, s := range in {
		if n := len(out); n > 0 && s[0] <= out[n-1][1] {
			out[n-1][1] = max(out[n-1][1], s[1])
		} else {
			out = append(out, s)
		}
	}
	return out
}

// pieces splits an evidence line at its guilty spans and makes it visible. Of a line longer than limit bytes it keeps the
// beginning and what stands around the first guilty span; limit 0 keeps all.
func pieces(text string, spans [][2]int, limit int, also ...rune) []piece {
	spans = cleanSpans(text, spans)
	from, to := 0, len(text) // the window that is kept, besides the head
	head := 0
	if limit > 0 && len(text) > limit {
		to = limit
		if len(spans) > 0 && spans[0][1] > limit*3/4 {
			head = limit / 4
			from = max(spans[0][0]-limit/6, head)
			to = min(from+limit-head, len(text))
		}
		head, from, to = runeStart(text, head), runeStart(text, from), runeStart(text, to)
	}
	var out []piece
	add := func(a, b int) {
		for _, s := range spans {
			if s[1] <= a || s[0] >= b {
				continue
			}
			if s[0] > a {
				out = append(out, piece{Text: visible(text[a:s[0]], also...)})
			}
			out = append(out, piece{Text: visible(text[max(a, s[0]):min(b, s[1])], also...), Guilty: true})
			a = min(b, s[1])
		}
		if a < b {
			out = append(out, piece{Text: visible(text[a:b], also...)})
		}
	}
	if head > 0 {
		add(0, head)
	}
	if from > head {
		out = append(out, piece{Text: " … ", Cut: true})
	}
	add(from, to)
	if to < len(text) {
		out = append(out, piece{Text: " …", Cut: true})
	}
	return out
}

// onOneLine makes one blank of each line end and the indentation after it, so that a
// record of many lines (pretty-printed JSON, a stack trace) reads as one.
func onOneLine(text string, spans [][2]int) (string, [][2]int) {
	if !strings.Contains(text, "\n") {
		return text, spans
	}
	var b strings.Builder
	at := make([]int, len(text)+1) // where each byte went
	for i := 0; i < len(text); i++ {
		at[i] = b.Len()
		if text[i] != '\n' && text[i] != '\r' {
			b.WriteByte(text[i])
			continue
		}
		b.WriteByte(' ')
		for i+1 < len(text) && strings.IndexByte(" \t\r\n", text[i+1]) >= 0 {
			i++
			at[i] = b.Len()
		}
	}
	at[len(text)] = b.Len()
	out := make([][2]int, 0, len(spans))
	for _, s := range cleanSpans(text, spans) {
		out = append(out, [2]int{at[s[0]], at[s[1]]})
	}
	return b.String(), out
}

// runeStart moves at back to the beginning of the character that it stands in.
func runeStart(s string, at int) int {
	for k := 1; k < utf8.UTFMax && at < len(s) && at-k >= 0 && !utf8.RuneStart(s[at]); k++ {
		if _, n := utf8.DecodeRuneInString(s[at-k:]); n > k {
			return at - k
		}
	}
	return at
}

// marked joins pieces with ‹ › around the guilty ones.
func marked(ps []piece) string {
	var b strings.Builder
	for _, p := range ps {
		if p.Guilty {
			b.WriteString("‹" + p.Text + "›")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}
