package render

import (
	"fmt"
	"strings"

	"github.com/helixvanguard/vanguard"
)

// chainWho names the principal of a chain by all its names: "ip 203.0.113.9, account dana".
func chainWho(c *vanguard.Chain) string {
	var names []string
	for _, w := range c.Who {
		names = append(names, strings.TrimSpace(w.Type+" "+w.Value))
	}
	return strings.Join(names, ", ")
}

// chainStep words one step of c: "2026-11-23 03:10:11  exploit: SQL injection (finding 2, blocked; access.log)".
func chainStep(r *vanguard.Report, c *vanguard.Chain, s *vanguard.Step) string {
	var b strings.Builder
	if s.Time != "" {
		fmt.Fprintf(&b, "%s  ", strings.NewReplacer("T", " ", "Z", "").Replace(s.Time))
	}
	if len(s.Stages) > 0 {
		fmt.Fprintf(&b, "%s: ", strings.Join(s.Stages, ", "))
	}
	b.WriteString(s.Title)
	where := strings.ToLower(outcomeLook(s.Outcome).Word)
	for i := range r.Findings {
		if r.Findings[i].ID == s.Finding {
			where = fmt.Sprintf("finding %d, %s", i+1, where)
		}
	}
	if len(c.Sources) > 1 {
		where += "; " + strings.Join(s.Sources, ", ")
	}
	fmt.Fprintf(&b, " (%s)", where)
	return b.String()
}

const maxHidden = 6 // findings that the preview of one allow entry names

// allowed words what an allow entry hid: "198.51.100.77/32 hid 14 suspicious events: SQL injection of 198.51.100.77 (14, outcome unknown)".
func allowed(a *vanguard.Allowed) string {
	if a.Events == 0 {
		return a.Entry + " hid nothing: it could go"
	}
	text := fmt.Sprintf("%s hid %s", a.Entry, count(a.Events, "suspicious event"))
	var found []string
	for _, h := range a.Hides[:min(len(a.Hides), maxHidden)] {
		found = append(found, strings.TrimSpace(h.Title+" of "+h.Actor.Value)+fmt.Sprintf(" (%s, %s)", count(h.Events, "event"), strings.ToLower(outcomeLook(h.Outcome).Word)))
	}
	if more := len(a.Hides) - maxHidden; more > 0 {
		found = append(found, fmt.Sprintf("and %d more", more))
	}
	if len(found) == 0 {
		return text + ", none of which is a finding"
	}
	return text + ": " + strings.Join(found, "; ")
}
