package rule

import "github.com/helixvanguard/vanguard/event"

// RequestFields are those of a request whose values come together again and again: a scanner's probe, a login, a page that is not there.
const RequestFields = 1<<event.Method | 1<<event.Path | 1<<event.Query | 1<<event.HTTPVersion | 1<<event.Referer | 1<<event.UserAgent

// beyondSlots are what else every request has, and no two requests have alike.
const beyondSlots = 1<<event.SourceIP | 1<<slotKeyword

// A reach is what a predicate looks at, as far as it matters to repeating an answer.
type reach uint8

const (
	within reach = iota // values of fields, and the status
	beside              // a number, address or time of the Event: easily asked for again
	beyond              // anything else that no two requests have alike
)

// An Asked is a predicate about what is beside the values, and what it answered.
type Asked struct {
	pred int32
	ok   bool
}

// Tried tells whether some rule or model was tried on the last Event.
func (m *Matcher) Tried() bool { return m.tried }

// Repeatable tells whether what was said of the last Event, one with RequestFields and a source's address alone, follows from the values of these
// fields, its Kind, its Status and what was Asked.
func (m *Matcher) Repeatable() bool {
	return m.info != nil && m.reach != beyond && (m.info.scan|m.info.byValue)&beyondSlots == 0
}

// Looked has the RequestFields of the last Event at whose values a rule may have looked. Of one that Event.Dull has and Looked has not, it mattered only that it is dull.
func (m *Matcher) Looked() uint64 { return m.looked & RequestFields }

// Asked returns what was asked beside the values of the last Event.
func (m *Matcher) Asked() []Asked { return append([]Asked(nil), m.beside...) }

// Repeats tells whether ev answers the same.
func (m *Matcher) Repeats(what []Asked, ev *event.Event) bool {
	m.ev = ev
	for _, a := range what {
		var mm memo
		if m.answer(a.pred, &m.set.preds[a.pred], &mm, 0) != a.ok {
			return false
		}
	}
	return true
}

// looks notes what a predicate that is about to be asked looks at.
func (m *Matcher) looks(q *pred) {
	m.looked |= q.looks
	m.reach = max(m.reach, q.reach)
}

// reaches works out what a predicate looks at.
func (q *pred) reaches() {
	q.looks, q.reach = q.mask|q.ref.looks(), q.ref.reach()
	for i := range q.refs {
		q.looks |= q.refs[i].slots() | q.refs[i].looks()
		q.reach = max(q.reach, q.refs[i].reach())
	}
	if q.looks&(1<<slotURI|1<<slotAbs) != 0 {
		q.looks |= 1<<event.Path | 1<<event.Query
	}
	if q.looks&beyondSlots != 0 || q.reach == beside && len(q.refs) > 0 {
		q.reach = beyond
	}
}

func (r *fieldRef) looks() uint64 {
	if r.kind == refExt {
		return 1 << event.Path
	}
	return 0
}

func (r *fieldRef) reach() reach {
	switch r.kind {
	case refBytes, refDuration, refClient, refCIDR, refTime:
		return beside
	case refKeyword:
		return beyond
	}
	return within
}
