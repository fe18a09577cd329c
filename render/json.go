package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/helixvanguard/vanguard"
)

func writeJSON(w io.Writer, r *vanguard.Report) error { return encode(w, r, "  ") }

// writeJSONL writes one finding a line, then everything else of the report on a last
// line, where "findings" is their number.
func writeJSONL(w io.Writer, r *vanguard.Report) error {
	for i := range r.Findings {
		if err := encode(w, &r.Findings[i], ""); err != nil {
			return err
		}
	}
	return encode(w, struct {
		*vanguard.Report
		Findings int `json:"findings"`
	}{r, len(r.Findings)}, "")
}

// encode writes v as JSON and a line end. Hidden characters stand as \u escapes, so that
// JSON on a terminal is as harmless as text; to a parser it is the same value.
func encode(w io.Writer, v any, indent string) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	out := make([]byte, 0, buf.Len())
	for b := buf.Bytes(); len(b) > 0; {
		plain := 0 // Fast path - nearly all of it is ASCII that shows.
		for plain < len(b) && (b[plain] >= ' ' && b[plain] < 0x7f || b[plain] == '\n') {
			plain++
		}
		if out, b = append(out, b[:plain]...), b[plain:]; len(b) == 0 {
			break
		}
		r, n := utf8.DecodeRune(b)
		switch {
		case hidden(r) && r >= 0x10000:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		case hidden(r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	_, err := w.Write(out)
	return err
}
