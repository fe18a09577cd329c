package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/helixvanguard/vanguard"
)

var csvHeader = []string{"verdict", "finding", "threat", "title", "severity", "noise", "outcome", "outcome_evidence", "confidence", "actor_type", "actor", "targets",
	"stages", "attack", "owasp", "cwe", "cve", "first_seen", "last_seen", "events", "lines", "evidence", "why"}

// writeCSV writes one finding a row. Evidence holds the first line quoted, the guilty bytes between ‹ and ›.
func writeCSV(w io.Writer, r *vanguard.Report) error {
	c := csv.NewWriter(w)
	c.Write(csvHeader)
	for i := range r.Findings {
		f := &r.Findings[i]
		var lines []string
		var cwe []string
		for _, e := range f.Evidence {
			lines = append(lines, place(e.Source, e.Line))
		}
		for _, n := range f.CWE {
			cwe = append(cwe, fmt.Sprint(n))
		}
		var text, why string
		if len(f.Evidence) > 0 {
			e := &f.Evidence[0]
			text, why = marked(pieces(e.Text, e.Spans, 0, '‹', '›')), e.Why
		}
		row := []string{string(r.Verdict), f.ID, f.Threat, f.Title, f.Severity, fmt.Sprint(f.Noise), f.Outcome, f.OutcomeEvidence, fmt.Sprintf("%.2f", f.Confidence),
			f.Actor.Type, f.Actor.Value, targets(f, 0), strings.Join(f.Stages, " "), strings.Join(f.Attack, " "), strings.Join(f.OWASP, " "),
			strings.Join(cwe, " "), strings.Join(f.CVE, " "), f.FirstSeen, f.LastSeen, fmt.Sprint(f.Events), strings.Join(lines, " "), text, why}
		for j := range row {
			row[j] = cell(row[j])
		}
		c.Write(row)
	}
	c.Flush()
	return c.Error()
}

// cell keeps a spreadsheet from reading text as a formula: after one of = + - @ | % (also
// full-width, also behind blanks or quotes) it would. An apostrophe in front makes it text.
func cell(s string) string {
	s = visible(s)
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " '\""))
	if strings.ContainsRune("=+-@|%＝＋－＠", r) && r != utf8.RuneError {
		return "'" + s
	}
	return s
}
