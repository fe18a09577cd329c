package rule

import "github.com/helixvanguard/vanguard/event"

// A target is path?query, and the same paths come with other queries all the time. Of one that makes no rule a candidate both halves are known to be
// bare where no literal was found in it at all: then no target makes one a candidate that is put together from bare halves, but for
// literals that stand across the question mark.

// acrossMark are the literals with a question mark, by what stands on either side of it.
type acrossMark struct {
	before [256][]string // what a path ends with, by its last byte, where there is a byte before the mark
	after  [256][]string // what a query begins with where there is none, by its first byte
	any    bool          // one is the mark alone, or some predicate needs no literal
}

// halves notes the literals that are looked for in bland targets and have a question mark.
func (a *acrossMark) halves(s *Set) {
	for i, lit := range s.plain.lits {
		if s.plain.first[i] == s.plain.first[i+1] {
			continue
		}
		for at := 0; at < len(lit); at++ {
			switch {
			case lit[at] != '?':
			case lit == "?":
				a.any = true
			case at > 0:
				a.before[fold[lit[at-1]]] = append(a.before[fold[lit[at-1]]], lit[:at])
			default:
				a.after[fold[lit[1]]] = append(a.after[fold[lit[1]]], lit[1:])
			}
		}
	}
	const target = 1<<slotURI | 1<<event.Path | 1<<event.Query
	for _, p := range s.openers {
		if q := &s.preds[p]; q.mask&target != 0 && !q.lacks(blandKinds) {
			a.any = true
		}
	}
}

// Bare tells whether the halves of the last Event's target, which has both, are bare: any path that is bare and any query that is bare make together
// a target that makes no rule a candidate.
func (m *Matcher) Bare(path, query []byte) (p, q bool) {
	a := &m.set.across
	if !m.bare || a.any || len(path) == 0 || len(query) == 0 {
		return false, false
	}
	p, q = true, true
	for _, end := range a.before[fold[path[len(path)-1]]] {
		if n := len(path) - len(end); n < 0 || !equalFold(path[n:], end) {
			continue
		}
		p = false
		break
	}
	for _, front := range a.after[fold[query[0]]] {
		if len(query) >= len(front) && equalFold(query[:len(front)], front) {
			q = false
			break
		}
	}
	return p, q
}
