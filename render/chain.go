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
