package rule

import (
	"bytes"
	"math/bits"
	"slices"

	"github.com/helixvanguard/vanguard/event"
)

// Matcher matches Events against a Set; one per goroutine.
type Matcher struct {
	set   *Set
	ev    *event.Event
	info  *classInfo
	class int
	have  uint64 // the Event's fields, and needTree; see trial.need
	keys  uint64 // of the Event's Object; see trial.keys
	epoch uint32 // of the Event at hand; what carries another epoch is stale

	memo       []memo   // per predicate
	queued     []uint32 // per trial: the epoch in which it became a candidate
	candidates []int32
	models     []uint64 // bit set of candidate models
	assigning  bool     // models still run: fields may yet change
	bare       bool     // no literal was found in the target, which is bland
	tried      bool     // a rule or model was tried on the Event at hand
	looked     uint64   // slots to which a predicate looked
	reach      reach    // the widest of a predicate
	beside     []Asked  // those about what is beside the fields

	values   []gathered
	gathered bool   // values are those of the Event at hand
	dull     uint64 // fields whose values were found to make no rule a candidate
	hits     []hit
	found    []valueHit
	own      []valueHit  // of values that are not remembered
	local    []localSets // per predicate, of the value that is being searched
	stamp    uint32
	quiet    quietMemory
	caches   [event.NumFields]*valueCache
	autos    []*automaton                  // per predicate
	memory   int                           // of autos, in bytes
	walk     func(path, value []byte) bool // gatherLeaf, bound once
	buf      []byte                        // texts that the record does not hold in one piece
	text     []byte                        // a computed value
	vals     [][]byte                      // values of a path
	canon    []byte                        // canonical form of a path's value
	folded   []byte                        // a text with odd letters undone
	leaves   int
}

// memo is the answer to a predicate.
type memo struct {
	epoch uint32
	state memoState
	field event.Field
	raw   bool   // at is part of the record
	maybe uint64 // values that hold the required literals, by index; bit 63: any from 63 on
	at    []byte // the guilty bytes
	whole []byte // the text in which they stand, nil if not known
	from  int    // where they stand in it
}

// localSets are the sets of a predicate's required literals that were found in one value.
type localSets struct {
	stamp uint32
	sets  uint8
}

type memoState uint8

const (
	memoMaybe memoState = iota
	memoFalse
	memoTrue
)

// gathered is a text in which several predicates look.
type gathered struct {
	text  []byte
	mask  uint64 // the slots it stands in
	split int    // of a path?query: the length of the path; else -1
	field event.Field
	raw   bool       // text is part of the record, or path and query are
	slot  *cacheSlot // where what was found in text is remembered, or nil
	gen   uint32     // of the slot when it held text

	searched bool // it is not remembered, and this was found:
	find     int32
	own      [2]int32 // from, to in Matcher.own

	kinds kinds64 // of bytes in text, 0 if not known; see look
}

// Fields whose values come again and again: what was found in them is remembered.
const cachedFields = 1<<event.Method | 1<<event.HTTPVersion | 1<<event.UserAgent | 1<<event.Referer | 1<<event.Host | 1<<event.Hostname | 1<<event.Process | 1<<event.PrincipalType | 1<<event.User |
	1<<event.Action | 1<<event.Provider | 1<<event.Principal

// NewMatcher returns a Matcher with its own scratch memory.
func (s *Set) NewMatcher() *Matcher {
	m := &Matcher{set: s, memo: make([]memo, len(s.preds)), queued: make([]uint32, len(s.tried)), models: make([]uint64, (s.models+63)/64),
		local: make([]localSets, len(s.preds)), autos: make([]*automaton, len(s.preds)),
		values: make([]gathered, 0, 32), hits: make([]hit, 0, 64), candidates: make([]int32, 0, 64)}
	m.walk, m.quiet = m.gatherLeaf, newQuietMemory()
	for f := range event.NumFields {
		if cachedFields>>f&1 != 0 {
			m.caches[f] = &valueCache{size: cacheSlots}
		}
	}
	m.caches[event.Path] = &valueCache{size: targetSlots}
	return m
}

// Match applies the set's application models to ev, then appends the Signals of every rule that matches,
// in the order of the rules. Base rules signal as well.
func (m *Matcher) Match(ev *event.Event, dst []event.Signal) []event.Signal {
	s := m.set
	if len(s.tried) == 0 {
		return dst
	}
	m.ev, m.class = ev, classOf(ev)
	m.info = &s.classes[m.class]
	if m.epoch++; m.epoch == 0 { // wrapped: everything looks fresh
		clear(m.memo)
		clear(m.queued)
		m.epoch = 1
	}
	m.have = ev.Fields()
	switch m.keys = 0; {
	case len(ev.Extra()) > 0:
		m.have |= 1 << needTree
		m.keys = ^uint64(0)
	case ev.Object != nil:
		m.have |= 1 << needTree
		m.keys = ev.Object.Keys()
	}
	m.values, m.candidates, m.buf = m.values[:0], m.candidates[:0], m.buf[:0]
	m.own, m.dull = m.own[:0], ev.Dull
	m.gathered, m.bare, m.tried, m.looked, m.reach, m.beside = false, false, false, 0, within, m.beside[:0]
	if s.naive {
		m.reach = beyond
		m.gatherOnce()
		return m.matchAll(dst)
	}
	if m.loud() {
		m.gatherOnce()
		for i := range m.values {
			if v := &m.values[i]; v.mask&m.info.scan != 0 {
				m.search(i, v)
			}
		}
	}
	if ev.Status > 0 && ev.Status < maxStatus && s.byValue.answer[ev.Status]>>m.class&1 != 0 {
		m.queue(s.byValue.status[ev.Status])
	}
	m.findByValue(ev, m.info.byValue)
	if s.models > 0 {
		m.runModels()
	}
	m.asked(false)
	switch len(m.candidates) {
	case 0:
		return dst
	case 1:
	default:
		slices.Sort(m.candidates)
	}
	m.tried = true
	m.gatherOnce()
	for _, t := range m.candidates {
		dst = m.try(t, dst)
	}
	return dst
}

// Quiet has the fields of the last Event whose values, as they stand, make no rule a candidate.
func (m *Matcher) Quiet() uint64 { return m.dull }

// loud tells whether anything must be searched that is not known to be dull.
func (m *Matcher) loud() bool {
	const target, whole = 1<<event.Path | 1<<event.Query, 1<<slotURI | 1<<slotAbs
	have, scan := m.have&fieldSlots&^m.dull, m.info.scan
	return have&scan != 0 || have&target != 0 && scan&whole != 0 || m.have>>needTree != 0 || scan>>slotKeyword&1 != 0 || len(m.ev.Decoded()) > 0
}

// gatherOnce gathers what predicates look at. Of a record whose values are all dull, and which is no candidate by status, value or class, nobody asks.
func (m *Matcher) gatherOnce() {
	if !m.gathered {
		m.gathered = true
		m.gather()
	}
}

// matchAll tries every rule, without any index.
func (m *Matcher) matchAll(dst []event.Signal) []event.Signal {
	clear(m.models)
	for t := range m.set.tried {
		if m.set.tried[t].classes>>m.class&1 == 0 {
			continue
		}
		if t < m.set.models {
			m.models[t/64] |= 1 << (t % 64)
		} else {
			m.candidates = append(m.candidates, int32(t))
		}
	}
	m.info = &classInfo{gather: m.info.gather}
	m.runModels()
	for _, t := range m.candidates {
		dst = m.try(t, dst)
	}
	return dst
}

func (m *Matcher) try(t int32, dst []event.Signal) []event.Signal {
	tr := &m.set.tried[t]
	if !m.holds(tr.cond) {
		return dst
	}
	sig := event.Signal{Detector: tr.det}
	if g := m.guilty(tr.cond); g != nil {
		sig.Field = g.field
		sig.Casual = m.casual(g, tr.det.Threat)
		if tr.quoted != nil {
			switch m.weigh(g, tr.det.Threat) {
			case doubt:
				sig.Detector = tr.quoted
			case nought:
				return dst
			}
		}
		if g.raw {
			sig.Span, _ = m.ev.Span(g.at)
		} else if whole := m.ev.Get(g.field); whole != nil {
			// The match is in text that was decoded: the whole value is guilty.
			sig.Span, _ = m.ev.Span(whole)
		}
	}
	return append(dst, sig)
}

// runModels lets candidate models set fields, lowest order first.
func (m *Matcher) runModels() {
	m.asked(true)
	any := uint64(0)
	for _, w := range m.models {
		any |= w
	}
	if any == 0 {
		return
	}
	m.tried = true
	m.gatherOnce()
	m.assigning = true
	for i := 0; i < len(m.models); i++ {
		for m.models[i] != 0 {
			bit := m.models[i] & -m.models[i]
			m.models[i] ^= bit
			t := i*64 + bits.TrailingZeros64(bit)
			tr := &m.set.tried[t]
			if !m.holds(tr.cond) {
				continue
			}
			for _, a := range tr.assign {
				if m.ev.Has(a.field) {
					continue
				}
				m.ev.Set(a.field, a.value)
				if m.info.gather>>a.field&1 != 0 && len(a.value) > 0 {
					m.value(a.value, 1<<a.field, a.field, true)
					if last := len(m.values) - 1; m.info.scan>>a.field&1 != 0 && !m.set.naive {
						m.search(last, &m.values[last])
						m.dropModels(t)
					}
				}
				if !m.set.naive && m.info.byValue>>a.field&1 != 0 {
					// Models of a lower order had their turn: a bit that comes back for one of them is dropped.
					m.findByValue(m.ev, 1<<a.field)
					m.dropModels(t)
				}
			}
		}
	}
	m.assigning = false
}

// dropModels takes back the candidates up to and with model t.
func (m *Matcher) dropModels(t int) {
	for i := range t / 64 {
		m.models[i] = 0
	}
	m.models[t/64] &^= 1<<(t%64) | (1<<(t%64) - 1)
}

// holds evaluates a condition.
func (m *Matcher) holds(n int32) bool {
	node := &m.set.nodes[n]
	switch node.op {
	case opLeaf:
		return m.ask(node.pred)
	case opAnd:
		for _, k := range node.kids {
			if !m.holds(k) {
				return false
			}
		}
		return true
	case opOr:
		for _, k := range node.kids {
			if m.holds(k) {
				return true
			}
		}
		return false
	}
	return !m.holds(node.kids[0])
}

// guilty finds the best proof of a condition that holds: the bytes of a predicate that is true and not
// negated, rather what a client wrote than what a server wrote.
func (m *Matcher) guilty(n int32) *memo {
	node := &m.set.nodes[n]
	var best *memo
	switch node.op {
	case opLeaf:
		mm := &m.memo[node.pred]
		if mm.epoch == m.epoch && mm.state == memoTrue && mm.at != nil {
			return mm
		}
	case opAnd, opOr:
		for _, k := range node.kids {
			if node.op == opOr && !m.holds(k) {
				continue
			}
			if g := m.guilty(k); g != nil && (best == nil || rank(g) > rank(best)) {
				best = g
			}
		}
	}
	return best
}

// rank orders proofs: by who wrote them, whether they can be pointed at, and then by length.
func rank(g *memo) int {
	r := 0
	switch g.field {
	case event.Path, event.Query, event.Body, event.Cookie, event.Referer, event.UserAgent, event.Headers, event.ForwardedFor, event.Message:
		r = 4
	case event.Method, event.StatusText, event.HTTPVersion:
	default:
		r = 2
	}
	if g.raw {
		r++
	}
	return r<<16 | min(len(g.at), 1<<16-1)
}

// ask answers a predicate, once per Event.
func (m *Matcher) ask(p int32) bool {
	q, mm := &m.set.preds[p], &m.memo[p]
	only := ^uint64(0)
	if mm.epoch == m.epoch {
		if mm.state != memoMaybe {
			return mm.state == memoTrue
		}
		only = mm.maybe
	} else if q.covered && len(q.pushes) > 0 && !m.set.naive {
		return false
	}
	*mm = memo{epoch: m.epoch, state: memoFalse}
	m.looks(q)
	ok := false
	if q.covered && len(q.pushes) == 0 && !m.set.naive {
		ok = m.askFound(p, q, mm)
	} else {
		ok = m.answer(p, q, mm, only)
	}
	if ok {
		mm.state = memoTrue
	}
	if q.reach == beside {
		m.beside = append(m.beside, Asked{p, ok})
	}
	if m.assigning && q.volatile && !(ok && (q.kind == predText || q.kind == predRegex)) {
		mm.epoch = m.epoch - 1 // a model may set the field yet; but what a text holds stays
	}
	return ok
}

// tree returns the values at a path, or of the extra pair with its name.
func (m *Matcher) tree(r *fieldRef) (vals [][]byte, exists bool) {
	vals = m.vals[:0]
	extra := m.ev.Extra()
	for i := range extra {
		if len(extra[i].Name) == len(r.name) && equalNames(extra[i].Name, r.name) {
			vals, exists = append(vals, extra[i].Value), true
		}
	}
	if m.ev.Object != nil {
		var here bool
		vals, here = m.ev.Object.Lookup(vals, r.path)
		exists = exists || here
	}
	m.vals = vals
	return vals, exists
}

func equalNames(a, b string) bool {
	for i := range len(a) {
		if fold[a[i]] != fold[b[i]] {
			return false
		}
	}
	return true
}

// absent tells whether a value stands for none: access logs write "-".
func absent(v []byte) bool { return len(v) == 0 || bytes.Equal(v, dash) }

var dash = []byte("-")
