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
	epoch uint32 // of the Event at hand; what carries another epoch is stale

	memo       []memo   // per predicate
	queued     []uint32 // per trial: the epoch in which it became a candidate
	candidates []int32
	models     []uint64 // bit set of candidate models
	assigning  bool     // models still run: fields may yet change

	values []gathered
	hits   []hit
	found  []valueHit
	// Hits of predicates by which no rule is found, of values that are not remembered; and whether all such hits were applied.
	waiting []waitingHit
	rest    bool
	local   []localSets // per predicate, of the value that is being searched
	stamp   uint32
	caches  [event.NumFields]*valueCache
	autos   []*automaton                  // per predicate
	memory  int                           // of autos, in bytes
	walk    func(path, value []byte) bool // gatherLeaf, bound once
	buf     []byte                        // texts that the record does not hold in one piece
	text    []byte                        // a computed value
	vals    [][]byte                      // values of a path
	canon   []byte                        // canonical form of a path's value
	folded  []byte                        // a text with odd letters undone
	leaves  int
}

// memo is the answer to a predicate.
type memo struct {
	epoch uint32
	state memoState
	field event.Field
	raw   bool   // at is part of the record
	maybe uint64 // values that hold the required literals, by index; bit 63: any from 63 on
	at    []byte // the guilty bytes
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
	raw   bool // text is part of the record, or path and query are
	path  []byte
	query []byte
	slot  *cacheSlot // where what was found in text is remembered, or nil
	gen   uint32     // of the slot when it held text
}

// Fields whose values come again and again: what was found in them is remembered.
const cachedFields = 1<<event.Method | 1<<event.HTTPVersion | 1<<event.UserAgent | 1<<event.Referer | 1<<event.Host | 1<<event.Hostname | 1<<event.Process | 1<<event.PrincipalType | 1<<event.User

// NewMatcher returns a Matcher with its own scratch memory.
func (s *Set) NewMatcher() *Matcher {
	m := &Matcher{set: s, memo: make([]memo, len(s.preds)), queued: make([]uint32, len(s.tried)), models: make([]uint64, (s.models+63)/64),
		local: make([]localSets, len(s.preds)), autos: make([]*automaton, len(s.preds)),
		values: make([]gathered, 0, 32), hits: make([]hit, 0, 64), candidates: make([]int32, 0, 64)}
	m.walk = m.gatherLeaf
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
	if ev.Object != nil || len(ev.Extra()) > 0 {
		m.have |= 1 << needTree
	}
	m.values, m.candidates, m.buf = m.values[:0], m.candidates[:0], m.buf[:0]
	m.waiting, m.rest = m.waiting[:0], false
	m.gather()
	if s.naive {
		return m.matchAll(dst)
	}
	for i := range m.values {
		if v := &m.values[i]; v.mask&m.info.scan != 0 {
			m.search(i, v)
		}
	}
	if ev.Status > 0 && ev.Status < maxStatus {
		m.queue(s.byValue.status[ev.Status])
	}
	m.findByValue(ev, m.info.byValue)
	if s.models > 0 {
		m.runModels()
	}
	for _, t := range m.info.always {
		if s.tried[t].need&^m.have == 0 {
			m.candidates = append(m.candidates, t)
		}
	}
	switch len(m.candidates) {
	case 0:
		return dst
	case 1:
	default:
		slices.Sort(m.candidates)
	}
	for _, t := range m.candidates {
		dst = m.try(t, dst)
	}
	return dst
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
	for i, w := range m.info.models {
		m.models[i] |= w
	}
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

// gather collects the texts that are scanned, or in which predicates look that span several fields.
func (m *Matcher) gather() {
	ev, want := m.ev, m.info.gather
	const target = 1<<event.Path | 1<<event.Query
	have := ev.Fields()
	if want&(target|1<<slotURI|1<<slotKeyword) != 0 && have&target != 0 {
		m.gatherTarget(ev)
	}
	for f := have & want &^ target; f != 0; f &= f - 1 {
		i := event.Field(bits.TrailingZeros64(f))
		if v := ev.Get(i); len(v) > 0 {
			m.values = append(m.values, gathered{text: v, mask: 1 << i, split: -1, field: i, raw: true})
		}
	}
	for _, d := range ev.Decoded() {
		if want&(1<<d.Field|1<<slotKeyword) != 0 && 1<<d.Field&target == 0 {
			m.values = append(m.values, gathered{text: d.Text, mask: 1<<d.Field | 1<<slotKeyword, split: -1, field: d.Field})
		}
	}
	if want&(1<<slotTree) != 0 {
		for _, p := range ev.Extra() {
			if p.By != event.Server && len(p.Value) > 0 {
				m.values = append(m.values, gathered{text: p.Value, mask: 1 << slotTree, split: -1, field: event.Message, raw: true})
			}
		}
		if ev.Object != nil && ev.Kind != event.KindCloud && ev.Kind != event.KindFlow {
			m.leaves = 0
			ev.Object.Walk(m.walk)
		}
	}
	if want&(1<<slotKeyword) != 0 {
		m.values = append(m.values, gathered{text: ev.Text, mask: 1 << slotKeyword, split: -1, field: event.Message, raw: true})
	}
}

// maxLeaves bounds how many leaves of a structured record "payload" looks at.
const maxLeaves = 512

func (m *Matcher) gatherLeaf(_, leaf []byte) bool {
	if m.leaves++; m.leaves > maxLeaves {
		return false
	}
	if len(leaf) == 0 {
		return true
	}
	for i := range m.values {
		// Fast path - most leaves are fields as well, and the very same memory.
		if v := m.values[i].text; len(v) == len(leaf) && &v[0] == &leaf[0] {
			return true
		}
	}
	m.values = append(m.values, gathered{text: leaf, mask: 1 << slotTree, split: -1, field: event.Message, raw: true})
	return true
}

// gatherTarget adds path?query as one text, as it stands and decoded.
func (m *Matcher) gatherTarget(ev *event.Event) {
	path, query := ev.Get(event.Path), ev.Get(event.Query)
	v := gathered{mask: 1<<slotURI | 1<<event.Path | 1<<event.Query, split: len(path), field: event.Path, raw: true, path: path, query: query}
	n := len(path)
	switch {
	case len(query) == 0:
		v.text = path
	case cap(path) > n+len(query) && &path[:n+2][n+1] == &query[0] && path[:n+1][n] == '?':
		// Fast path - both stand in the record as the client sent them.
		v.text = path[:n+1+len(query)]
	default:
		v.text = m.joined(path, query)
	}
	m.values = append(m.values, v)
	if m.info.gather&(1<<slotAbs) != 0 && len(path) > 0 {
		m.gatherAbsolute(ev, path, len(v.text))
	}
	var done int
	dec := ev.Decoded()
	for {
		// The k-th forms of path and query belong together; where one has fewer, it stands as it is.
		p, q, found, np, nq := path, query, false, 0, 0
		for _, d := range dec {
			switch d.Field {
			case event.Path:
				if np == done {
					p, found = d.Text, true
				}
				np++
			case event.Query:
				if nq == done {
					q, found = d.Text, true
				}
				nq++
			}
		}
		if !found {
			return
		}
		done++
		v.split, v.raw, v.path, v.query, v.text = len(p), false, p, q, m.joined(p, q)
		v.mask |= 1 << slotKeyword
		m.values = append(m.values, v)
	}
}

// maxOrigin bounds scheme and host of an absolute request target.
const maxOrigin = 300

// gatherAbsolute adds the whole target where the record has "http://host" right before the path.
func (m *Matcher) gatherAbsolute(ev *event.Event, path []byte, n int) {
	at, ok := ev.Span(path)
	if !ok || at[0] == 0 {
		return
	}
	from := at[0]
	for from > 0 && at[0]-from < maxOrigin && ev.Text[from-1] > ' ' && ev.Text[from-1] != '"' && ev.Text[from-1] != '\'' {
		from--
	}
	if origin := ev.Text[from:at[0]]; bytes.Contains(origin, schemeMark) {
		m.values = append(m.values, gathered{text: ev.Text[from:min(at[0]+n, len(ev.Text))], mask: 1 << slotAbs, split: -1, field: event.Path, raw: true})
	}
}

var schemeMark = []byte("://")

func (m *Matcher) joined(path, query []byte) []byte {
	at := len(m.buf)
	m.buf = append(m.buf, path...)
	if len(query) > 0 {
		m.buf = append(append(m.buf, '?'), query...)
	}
	return m.buf[at:len(m.buf):len(m.buf)]
}

// search scans one gathered text, or remembers it, and makes rules candidates. What it finds of other predicates
// waits until one of them is asked: on nearly all lines none is.
func (m *Matcher) search(i int, v *gathered) {
	hits, find := m.found, 0
	if len(v.text) > maxCached || v.split < 0 && v.mask&cachedFields == 0 {
		find = m.scan(v)
		hits = m.found
		for _, h := range hits[find:] {
			m.waiting = append(m.waiting, waitingHit{h, int32(i)})
		}
	} else {
		slot, found := m.caches[v.field].lookup(v)
		if found {
			hits, find = slot.hits, slot.find
		} else {
			find = m.scan(v)
			hits = m.found
			found = slot.store(v, hits, find)
		}
		if found {
			v.slot, v.gen = slot, slot.gen
		} else {
			for _, h := range hits[find:] {
				m.waiting = append(m.waiting, waitingHit{h, int32(i)})
			}
		}
	}
	for _, h := range hits[:find] {
		m.apply(i, v, h)
	}
}

// A waitingHit is a hit in gathered text i that is in no slot.
type waitingHit struct {
	valueHit
	i int32
}

// applyRest tells the predicates by which no rule is found what was found of them.
func (m *Matcher) applyRest() {
	m.rest = true
	for _, w := range m.waiting {
		m.apply(int(w.i), &m.values[w.i], w.valueHit)
	}
	for i := range m.values {
		v := &m.values[i]
		if v.slot == nil {
			continue
		}
		hits := v.slot.hits
		if v.slot.gen == v.gen {
			hits = hits[v.slot.find:]
		} else { // another value of this Event took the slot
			m.scan(v)
			hits = m.found
		}
		for _, h := range hits {
			m.apply(i, v, h)
		}
	}
}

// apply tells the predicate of a hit in gathered text i.
func (m *Matcher) apply(i int, v *gathered, h valueHit) {
	mm := &m.memo[h.pred]
	if mm.epoch != m.epoch {
		*mm = memo{epoch: m.epoch}
		m.queue(m.set.preds[h.pred].pushes)
	}
	if h.start < 0 {
		mm.maybe |= 1 << min(i, 63)
	} else if mm.state != memoTrue {
		mm.state = memoTrue
		m.blame(mm, v, int(h.start), int(h.end))
	}
}

// scan fills m.found with what the literals in one text mean. The first so many of it, find, may make rules candidates.
func (m *Matcher) scan(v *gathered) (find int) {
	m.found = m.found[:0]
	if m.stamp++; m.stamp == 0 {
		clear(m.local)
		m.stamp = 1
	}
	m.hits = m.set.scan.scan(v.text, m.hits[:0])
	odd := false
	for _, h := range m.hits {
		if h.lit <= lastFolded {
			odd = true
			continue
		}
		m.interpret(v, h)
	}
	if odd {
		m.scanFolded(v)
	}
	for _, p := range m.set.blind {
		if m.set.preds[p].mask&v.mask != 0 {
			m.found = append(m.found, valueHit{p, -1, -1})
		}
	}
	for i, h := range m.found {
		if len(m.set.preds[h.pred].pushes) > 0 {
			m.found[i], m.found[find] = m.found[find], h
			find++
		}
	}
	return find
}

// The letters beyond ASCII that case-insensitive regular expressions take for ASCII ones: the scanner finds
// them as its first two literals, so that texts without them (nearly all) cost nothing.
const (
	foldedS    = "\u017f"
	foldedK    = "\u212a"
	lastFolded = 1
)

// scanFolded scans a text again with those letters undone, for the regular expressions.
func (m *Matcher) scanFolded(v *gathered) {
	m.folded = m.folded[:0]
	for at := 0; at < len(v.text); {
		switch rest := v.text[at:]; {
		case rest[0] == foldedS[0] && len(rest) > 1 && rest[1] == foldedS[1]:
			m.folded = append(m.folded, 's')
			at += 2
		case rest[0] == foldedK[0] && len(rest) > 2 && rest[1] == foldedK[1] && rest[2] == foldedK[2]:
			m.folded = append(m.folded, 'k')
			at += 3
		default:
			m.folded = append(m.folded, rest[0])
			at++
		}
	}
	m.hits = m.set.scan.scan(m.folded, m.hits[:0])
	for _, h := range m.hits {
		for k := range m.set.outs[h.lit] {
			if o := &m.set.outs[h.lit][k]; o.mask&v.mask != 0 && !o.decides {
				m.suspect(o)
			}
		}
	}
}

// suspect notes that a set of a predicate's literals was found; with the last of its sets, the predicate may be true.
func (m *Matcher) suspect(o *out) {
	l := &m.local[o.pred]
	if l.stamp != m.stamp {
		*l = localSets{stamp: m.stamp}
	}
	if all := m.set.preds[o.pred].sets; l.sets&all != all {
		if l.sets |= o.set; l.sets&all == all {
			m.found = append(m.found, valueHit{o.pred, -1, -1})
		}
	}
}

// interpret appends what one literal in one text means to m.found.
func (m *Matcher) interpret(v *gathered, h hit) {
	start, end := int(h.start), int(h.start)+len(m.set.scan.lits[h.lit])
	outs := m.set.outs[h.lit]
	for k := range outs {
		o := &outs[k]
		if o.mask&v.mask == 0 {
			continue
		}
		ok := false
		if v.split < 0 {
			ok = (!o.start || start == 0) && (!o.end || end == len(v.text))
		} else {
			ok = o.mask&v.mask&(1<<slotURI|1<<slotKeyword) != 0 && (!o.start || start == 0) && (!o.end || end == len(v.text)) ||
				o.mask&(1<<event.Path) != 0 && end <= v.split && (!o.start || start == 0) && (!o.end || end == v.split) ||
				o.mask&(1<<event.Query) != 0 && start > v.split && (!o.start || start == v.split+1) && (!o.end || end == len(v.text))
		}
		if !ok {
			continue
		}
		if !o.decides {
			m.suspect(o)
			continue
		}
		l := &m.local[o.pred]
		if l.stamp != m.stamp {
			*l = localSets{stamp: m.stamp}
		}
		if l.sets&decided == 0 {
			l.sets |= decided
			m.found = append(m.found, valueHit{o.pred, int32(start), int32(end)})
		}
	}
}

// decided marks a predicate that is true of the value that is being searched.
const decided = 1 << 7

// blame notes the guilty bytes of a gathered text.
func (m *Matcher) blame(mm *memo, v *gathered, start, end int) {
	mm.field, mm.raw, mm.at = v.field, v.raw, v.text[start:end]
	if v.split < 0 {
		return
	}
	if start > v.split {
		mm.field = event.Query
	}
	if v.raw && len(v.query) > 0 && len(v.text) > 0 && len(v.path) > 0 && &v.text[0] != &v.path[0] {
		// The text was joined: point into the record instead.
		switch {
		case start > v.split:
			mm.at = v.query[start-v.split-1 : end-v.split-1]
		case start < v.split:
			mm.at = v.path[start:min(end, v.split)]
		}
	}
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
	if q.covered && !m.rest && len(q.pushes) == 0 && !m.set.naive {
		m.applyRest()
	}
	only := ^uint64(0)
	if mm.epoch == m.epoch {
		if mm.state != memoMaybe {
			return mm.state == memoTrue
		}
		only = mm.maybe
	} else if q.covered && !m.set.naive {
		return false
	}
	*mm = memo{epoch: m.epoch, state: memoFalse}
	ok := m.answer(p, q, mm, only)
	if ok {
		mm.state = memoTrue
	}
	if m.assigning && q.volatile {
		mm.epoch = m.epoch - 1 // a model may set the field yet
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
