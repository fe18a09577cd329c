package rule

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
)

// answer decides a predicate. only has a bit for each gathered value that may matter.
func (m *Matcher) answer(p int32, q *pred, mm *memo, only uint64) bool {
	switch q.kind {
	case predTrue:
		return true
	case predInt:
		return m.answerInt(q)
	case predText, predRegex:
		return m.answerText(p, q, mm, only)
	case predExists:
		return m.exists(&q.ref)
	case predNull:
		return m.null(&q.ref)
	}
	// The rest are rare and look at each value as text.
	switch q.kind {
	case predNumber:
		switch q.ref.kind {
		case refStatus:
			return m.ev.Status != 0 && q.compare(float64(m.ev.Status))
		case refBytes:
			return m.ev.Bytes >= 0 && q.compare(float64(m.ev.Bytes))
		}
	case predCIDR:
		if q.ref.kind == refClient && m.ev.Client.IsValid() {
			return q.within(m.ev.Client)
		}
	case predPart:
		if q.ref.kind == refTime {
			return m.ev.Clock != event.NoClock && q.partHolds(time.Unix(0, m.ev.Time).UTC())
		}
	}
	if q.ref.kind == refTree {
		vals, _ := m.tree(&q.ref)
		for _, v := range vals {
			if m.valueHolds(q, v) {
				return true
			}
		}
		return false
	}
	var ok bool
	m.text, ok = q.ref.appendText(m.text[:0], m.ev)
	return ok && m.valueHolds(q, m.text)
}

func (m *Matcher) valueHolds(q *pred, v []byte) bool {
	switch q.kind {
	case predNumber:
		f, ok := number(v)
		return ok && q.compare(f)
	case predCIDR:
		if len(v) > maxNumber+8 {
			return false
		}
		a, err := netip.ParseAddr(string(v))
		return err == nil && q.within(a)
	case predPart:
		t, ok := parseTime(v)
		return ok && q.partHolds(t)
	case predRef:
		for i := range q.refs {
			if other, ok := m.other(&q.refs[i]); ok && q.beside(v, other) {
				return true
			}
		}
	}
	return false
}

// other is the first value of another field. It is not in m.text, where the first field's may stand.
func (m *Matcher) other(r *fieldRef) ([]byte, bool) {
	if r.kind == refTree {
		var room [8][]byte
		for _, p := range m.ev.Extra() {
			if len(p.Name) == len(r.name) && equalNames(p.Name, r.name) {
				return p.Value, true
			}
		}
		if m.ev.Object == nil {
			return nil, false
		}
		vals, _ := m.ev.Object.Lookup(room[:0], r.path)
		if len(vals) == 0 {
			return nil, false
		}
		return vals[0], true
	}
	return r.text(m.ev)
}

// beside compares a value with another field's.
func (q *pred) beside(v, other []byte) bool {
	p := newPattern(value{string(other), true}, q.place.contains || q.place.end, q.place.contains || q.place.starts, q.place.cased)
	_, _, ok := p.find(v)
	return ok
}

func (q *pred) compare(x float64) bool {
	for _, n := range q.nums {
		c := Condition{Limits: []Limit{{q.op, n}}}
		if c.Holds(x) {
			return true
		}
	}
	return false
}

func (q *pred) within(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, n := range q.nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

func (q *pred) partHolds(t time.Time) bool {
	var n int
	switch q.part {
	case partMinute:
		n = t.Minute()
	case partHour:
		n = t.Hour()
	case partDay:
		n = t.Day()
	case partWeek:
		_, n = t.ISOWeek()
	case partMonth:
		n = int(t.Month())
	case partYear:
		n = t.Year()
	}
	return q.compare(float64(n))
}

// Layouts of times that are values of other fields than the record's own time.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02", "02/Jan/2006:15:04:05 -0700", time.RFC1123}

func parseTime(v []byte) (time.Time, bool) {
	if len(v) > 40 {
		return time.Time{}, false
	}
	s := string(v)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n > 1e17:
			return time.Unix(0, n).UTC(), true
		case n > 1e14:
			return time.UnixMicro(n).UTC(), true
		case n > 1e11:
			return time.UnixMilli(n).UTC(), true
		case n > 0:
			return time.Unix(n, 0).UTC(), true
		}
		return time.Time{}, false
	}
	for _, l := range timeLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func (m *Matcher) answerInt(q *pred) bool {
	n := int64(m.ev.Status)
	if q.ref.kind == refBytes {
		n = m.ev.Bytes
	}
	for _, want := range q.ints {
		if n == want && (q.ref.kind == refBytes || n != 0) {
			return true
		}
	}
	return false
}

func (m *Matcher) exists(r *fieldRef) bool {
	switch r.kind {
	case refField:
		return m.ev.Has(r.field)
	case refTree:
		_, ok := m.tree(r)
		return ok
	case refKeyword:
		return true
	case refPayload:
		return m.ev.Fields()&payloadMask != 0
	}
	var ok bool
	m.text, ok = r.appendText(m.text[:0], m.ev)
	return ok
}

func (m *Matcher) null(r *fieldRef) bool {
	switch r.kind {
	case refField:
		return absent(m.ev.Get(r.field))
	case refTree:
		vals, _ := m.tree(r)
		for _, v := range vals {
			if len(v) > 0 {
				return false
			}
		}
		return true
	}
	return !m.exists(r)
}

// maxAutomata bounds the memory of one Matcher's automata in bytes; past it all of them start afresh.
const maxAutomata = 8 << 20

// find looks for a predicate's patterns or expression in one text.
func (m *Matcher) find(p int32, q *pred, text []byte) (start, end int, ok bool) {
	if start, end, ok = m.seek(p, q, text); ok && q.kind == predRegex && q.re.grammar != noGrammar && len(text) > 0 {
		return m.opinion(p, q, text, start, end)
	}
	return start, end, ok
}

func (m *Matcher) seek(p int32, q *pred, text []byte) (start, end int, ok bool) {
	if q.kind != predRegex {
		for i := range q.pats {
			if start, end, ok = q.pats[i].find(text); ok {
				return start, end, true
			}
		}
		return 0, 0, false
	}
	a := m.autos[p]
	if a == nil {
		mach := q.re.machine()
		if mach == nil {
			return q.re.find(text)
		}
		a = newAutomaton(mach)
		m.autos[p] = a
		m.memory += a.size()
	}
	if a.broken {
		return q.re.find(text)
	}
	before := a.size()
	start, end, ok = a.find(text)
	if m.memory += a.size() - before; m.memory > maxAutomata {
		clear(m.autos)
		m.memory = 0
	}
	return start, end, ok
}

func (m *Matcher) answerText(p int32, q *pred, mm *memo, only uint64) bool {
	switch {
	case q.covered && !m.set.naive:
		return m.answerGathered(p, q, mm, only)
	case q.single:
		return m.answerField(p, q, mm)
	case q.mask != 0:
		return m.answerGathered(p, q, mm, only)
	case q.ref.kind == refTree:
		return m.answerTree(p, q, mm)
	}
	var ok bool
	if m.text, ok = q.ref.appendText(m.text[:0], m.ev); !ok {
		return false
	}
	if _, _, ok = m.find(p, q, m.text); !ok {
		return false
	}
	mm.field = q.ref.home()
	switch q.ref.kind {
	case refClient:
		mm.at, mm.raw = m.ev.Get(event.SourceIP), true
	case refExt:
		mm.at, mm.raw = extension(m.ev.Get(event.Path)), true
	}
	return true
}

// answerField looks in one Field: as it stands, then decoded.
func (m *Matcher) answerField(p int32, q *pred, mm *memo) bool {
	f := q.ref.field
	if !m.ev.Has(f) {
		return false
	}
	v := m.ev.Get(f)
	mm.field = f
	if q.empty && absent(v) {
		return true
	}
	if start, end, ok := m.find(p, q, v); ok {
		mm.raw, mm.at, mm.whole, mm.from = true, v[start:end], v, start
		return true
	}
	for _, d := range m.ev.Decoded() {
		if d.Field != f {
			continue
		}
		if start, end, ok := m.find(p, q, d.Text); ok {
			mm.at, mm.whole, mm.from = d.Text[start:end], d.Text, start
			return true
		}
	}
	return false
}

// answerGathered looks in the gathered values of the predicate's slots.
func (m *Matcher) answerGathered(p int32, q *pred, mm *memo, only uint64) bool {
	for i := range m.values {
		v := &m.values[i]
		if v.mask&q.mask == 0 || only>>min(i, 63)&1 == 0 {
			continue
		}
		if m.answerIn(p, q, mm, v) {
			return true
		}
	}
	return false
}

// answerIn looks in one gathered value, and remembers the answer.
func (m *Matcher) answerIn(p int32, q *pred, mm *memo, v *gathered) bool {
	start, end, ok := 0, 0, false
	if !q.excluded(v) {
		start, end, ok = m.findIn(p, q, v)
	}
	if v.slot != nil && v.slot.gen == v.gen {
		v.slot.learn(p, ok, start, end)
	}
	if ok {
		m.blame(mm, v, start, end)
	}
	return ok
}

// findIn looks in one gathered value: in the whole, or in the parts that the predicate is about.
func (m *Matcher) findIn(p int32, q *pred, v *gathered) (start, end int, ok bool) {
	if v.split < 0 {
		return m.find(p, q, v.text)
	}
	if q.mask&v.mask&(1<<slotURI|1<<slotKeyword) != 0 {
		if start, end, ok = m.find(p, q, v.text); ok {
			return start, end, true
		}
	}
	if q.mask&(1<<event.Path) != 0 && v.split > 0 {
		if start, end, ok = m.find(p, q, v.text[:v.split]); ok {
			return start, end, true
		}
	}
	if at := v.split + 1; q.mask&(1<<event.Query) != 0 && at < len(v.text) {
		if start, end, ok = m.find(p, q, v.text[at:]); ok {
			return at + start, at + end, true
		}
	}
	return 0, 0, false
}

// answerTree looks in the values at a path: as they stand, then decoded.
func (m *Matcher) answerTree(p int32, q *pred, mm *memo) bool {
	vals, _ := m.tree(&q.ref)
	for _, v := range vals {
		if start, end, ok := m.find(p, q, v); ok {
			mm.field, mm.raw, mm.at = event.Message, true, v[start:end]
			return true
		}
		if q.empty && absent(v) {
			return true
		}
		if !decode.Needed(v) {
			continue
		}
		var changed bool
		if m.canon, changed = decode.Canonical(m.canon[:0], v); changed {
			if _, _, ok := m.find(p, q, m.canon); ok {
				mm.field, mm.raw, mm.at = event.Message, true, v
				return true
			}
		}
	}
	return false
}
