package rule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// A target is path?query, and the same paths come with other queries all the time. Of one that makes no rule a candidate both halves are bare where no
// literal was found in it at all. No target makes a rule a candidate that is put together from bare halves, but for literals that stand
// across the question mark: so a half is bare in company of paths that end alike.

// acrossMark are the literals with a question mark.
type acrossMark struct {
	before [256][]string // what a path ends with, by its last byte, the longest first
	after  [256][]string // what a query begins with where nothing stands before the mark, by its first byte
	any    bool          // one is the mark alone, or some predicate needs no literal
}

// halves notes the literals that are looked for in bland targets and have a question mark.
func (a *acrossMark) halves(s *Set) {
	for i, lit := range s.plain.lits {
		if s.plain.first[i] == s.plain.first[i+1] {
			continue
		}
		for at := range len(lit) {
			switch {
			case lit[at] != '?':
			case at > 0:
				ends := &a.before[lit[at-1]]
				*ends = append(*ends, lit[:at])
			case len(lit) > 1:
				a.after[lit[1]] = append(a.after[lit[1]], lit[1:])
			default:
				a.any = true
			}
		}
	}
	for i := range a.before {
		slices.SortFunc(a.before[i], func(x, y string) int { return cmp.Or(len(y)-len(x), strings.Compare(x, y)) })
		a.before[i] = slices.Compact(a.before[i])
	}
	const target = 1<<slotURI | 1<<event.Path | 1<<event.Query
	for _, p := range s.openers {
		if q := &s.preds[p]; q.mask&target != 0 && !q.lacks(blandKinds) {
			a.any = true
		}
	}
}

// Ending is the same number for paths which end alike, as far as that matters to Bare.
func (m *Matcher) Ending(path []byte) uint64 {
	if len(path) == 0 {
		return 0
	}
	last := fold[path[len(path)-1]]
	for i, end := range m.set.across.before[last] { // The longest tells which shorter ones fit as well.
		if n := len(path) - len(end); n >= 0 && equalFold(path[n:], end) {
			return uint64(last)<<32 | uint64(i+1)
		}
	}
	return 0
}

// Bare tells whether the halves of the last Event's target are bare. It must have both. Any such path and any such query
// whose path had the same Ending make together a target that makes no rule a candidate.
func (m *Matcher) Bare(query []byte) bool {
	a := &m.set.across
	if !m.bare || a.any || len(query) == 0 {
		return false
	}
	for _, front := range a.after[fold[query[0]]] {
		if len(query) >= len(front) && equalFold(query[:len(front)], front) {
			return false
		}
	}
	return true
}
