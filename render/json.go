package render

import (
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
	enc := json.NewEncoder(&shown{w: w})
	enc.SetIndent("", indent)
	return enc.Encode(v)
}

// shown writes JSON on to w, piece by piece, with hidden characters as escapes. Each call has whole characters.
type shown struct {
	w   io.Writer
	out []byte
}

const shownPiece = 32 << 10

func (s *shown) Write(b []byte) (int, error) {
	size := len(b)
	for s.out = s.out[:0]; len(b) > 0; {
		plain := 0 // Fast path - nearly all of it is ASCII that shows.
		for plain < min(len(b), shownPiece) && (b[plain] >= ' ' && b[plain] < 0x7f || b[plain] == '\n') {
			plain++
		}
		s.out, b = append(s.out, b[:plain]...), b[plain:]
		if len(s.out) >= shownPiece {
			if _, err := s.w.Write(s.out); err != nil {
				return 0, err
			}
			s.out = s.out[:0]
		}
		if len(b) == 0 || plain == shownPiece {
			continue
		}
		r, n := utf8.DecodeRune(b)
		switch {
		case hidden(r) && r >= 0x10000:
			r -= 0x10000
			s.out = fmt.Appendf(s.out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		case hidden(r):
			s.out = fmt.Appendf(s.out, `\u%04x`, r)
		default:
			s.out = append(s.out, b[:n]...)
		}
		b = b[n:]
	}
	if _, err := s.w.Write(s.out); err != nil {
		return 0, err
	}
	return size, nil
}
