package rule

import (
	"bytes"
	"math/bits"

	"github.com/helixvanguard/vanguard/event"
)

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
			m.value(v, 1<<i, i, true)
		}
	}
	for _, d := range ev.Decoded() {
		if want&(1<<d.Field|1<<slotKeyword) != 0 && 1<<d.Field&target == 0 {
			m.value(d.Text, 1<<d.Field|1<<slotKeyword, d.Field, false)
		}
	}
	if want&(1<<slotTree) != 0 {
		for _, p := range ev.Extra() {
			if p.By != event.Server && len(p.Value) > 0 {
				m.value(p.Value, 1<<slotTree, event.Message, true)
			}
		}
		if ev.Object != nil && ev.Kind != event.KindCloud && ev.Kind != event.KindFlow {
			m.leaves = 0
			ev.Object.Walk(m.walk)
		}
	}
	if want&(1<<slotKeyword) != 0 {
		m.value(ev.Text, 1<<slotKeyword, event.Message, true)
	}
}

// value adds a text. It is valid until the next one is added.
func (m *Matcher) value(text []byte, mask uint64, f event.Field, raw bool) *gathered {
	m.values = append(m.values, gathered{})
	v := &m.values[len(m.values)-1]
	v.text, v.mask, v.field, v.raw, v.split = text, mask, f, raw, -1
	return v
}

// maxLeaves bounds how many leaves of a structured record "payload" looks at.
const maxLeaves = 512

func (m *Matcher) gatherLeaf(path, leaf []byte) bool {
	if m.leaves++; m.leaves > maxLeaves {
		return false
	}
	if len(leaf) == 0 || event.ServerLeaf(path) {
		return true
	}
	for i := range m.values {
		// Fast path - most leaves are fields as well, and the very same memory.
		if v := m.values[i].text; len(v) == len(leaf) && &v[0] == &leaf[0] {
			return true
		}
	}
	m.value(leaf, 1<<slotTree, event.Message, true)
	return true
}

// gatherTarget adds path?query as one text, as it stands and decoded.
func (m *Matcher) gatherTarget(ev *event.Event) {
	path, query := ev.Get(event.Path), ev.Get(event.Query)
	const mask = 1<<slotURI | 1<<event.Path | 1<<event.Query
	text := path
	switch n := len(path); {
	case len(query) == 0:
	case cap(path) > n+len(query) && &path[:n+2][n+1] == &query[0] && path[:n+1][n] == '?':
		// Fast path - both stand in the record as the client sent them.
		text = path[:n+1+len(query)]
	default:
		text = m.joined(path, query)
	}
	m.value(text, mask, event.Path, true).split = len(path)
	if m.info.gather&(1<<slotAbs) != 0 && len(path) > 0 {
		m.gatherAbsolute(ev, path, len(text))
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
		m.value(m.joined(p, q), mask|1<<slotKeyword, event.Path, false).split = len(p)
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
		m.value(ev.Text[from:min(at[0]+n, len(ev.Text))], 1<<slotAbs, event.Path, true)
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

// search finds out which rules one gathered text makes candidates. Nearly all texts make none: this is remembered of them, or soon
// found. What else is in a text is looked for when a predicate asks.
func (m *Matcher) search(i int, v *gathered) {
	fields := v.mask & fieldSlots
	if v.raw && fields != 0 && fields&^m.ev.Dull == 0 {
		return
	}
	cloud := m.ev.Kind == event.KindCloud
	remembered := v.remembered() && (cloud || !bland(v.look())) // Searching a bland text costs hardly more than remembering it.
	worth := remembered || cloud && len(v.text) <= maxCached    // All that a cloud says comes again.
	var print uint64
	if worth {
		if print = m.quiet.print(v); m.quiet.has(print) {
			m.calm(v)
			return
		}
	}
	if remembered {
		if slot, found := m.caches[v.field].lookup(v); found {
			v.slot, v.gen = slot, slot.gen
		}
	}
	find := 0
	if v.slot != nil || !m.isQuiet(v) {
		var hits []valueHit
		hits, find = m.hitsIn(v)
		for _, h := range hits[:find] {
			m.apply(i, v, h)
		}
	}
	if find == 0 {
		m.calm(v)
		if worth {
			m.quiet.add(print)
		}
	}
}

// calm notes that a field's value makes no rule a candidate.
func (m *Matcher) calm(v *gathered) {
	if v.raw {
		m.dull |= v.mask & fieldSlots
	}
}

// remembered tells whether what is found in a text is worth remembering.
func (v *gathered) remembered() bool {
	return len(v.text) <= maxCached && (v.split >= 0 || v.mask&cachedFields != 0)
}

// hitsIn is all that one text tells of predicates. The first so many, find, are of those by which rules are found.
func (m *Matcher) hitsIn(v *gathered) (hits []valueHit, find int) {
	switch {
	case v.slot != nil && v.slot.gen == v.gen:
		return v.slot.hits, v.slot.find
	case v.slot == nil && v.searched:
		return m.own[v.own[0]:v.own[1]], int(v.find)
	}
	v.slot = nil // another value of this Event may have taken it
	if v.remembered() {
		slot, found := m.caches[v.field].lookup(v)
		if !found {
			find = m.scan(v)
			found = slot.store(v, m.found, find)
		}
		if found {
			v.slot, v.gen = slot, slot.gen
			return slot.hits, slot.find
		}
	} else {
		find = m.scan(v)
	}
	v.searched, v.find, v.own[0] = true, int32(find), int32(len(m.own))
	m.own = append(m.own, m.found...)
	v.own[1] = int32(len(m.own))
	return m.own[v.own[0]:], find
}

// askFound answers a predicate by which no rule is found from what is found in the texts.
func (m *Matcher) askFound(p int32, q *pred, mm *memo) bool {
	for i := range m.values {
		v := &m.values[i]
		if v.mask&q.mask == 0 {
			continue
		}
		if m.asks(q, v) {
			if q.excluded(v) {
				continue
			}
			if start, end, ok := m.findIn(p, q, v); ok {
				m.blame(mm, v, start, end)
				return true
			}
			continue
		}
		hits, find := m.hitsIn(v)
		for _, h := range hits[find:] {
			if h.pred != p {
				continue
			}
			if h.start >= 0 {
				m.blame(mm, v, int(h.start), int(h.end))
				return true
			}
			if m.answerIn(p, q, mm, v) {
				return true
			}
			break
		}
	}
	return false
}

// asks tells whether it costs less to look for one predicate in a text than to search the text for all of them.
func (m *Matcher) asks(q *pred, v *gathered) bool {
	if v.searched || v.slot != nil && v.slot.gen == v.gen {
		return false
	}
	return q.must[0] != 0 || q.kind == predText && len(q.pats) <= fewPatterns
}

// fewPatterns are looked for one by one.
const fewPatterns = 2

// isQuiet tells whether a text makes no rule a candidate.
func (m *Matcher) isQuiet(v *gathered) bool {
	if m.set.open&v.mask != 0 {
		for _, p := range m.set.openers {
			if q := &m.set.preds[p]; q.mask&v.mask != 0 && !q.excluded(v) {
				return false
			}
		}
	}
	f, bare := &m.set.quick, false
	if bland(v.look()) {
		f, bare = &m.set.plain, v.raw && v.split >= 0
	}
	m.hits = f.scan(v.text, m.hits[:0])
	for _, h := range m.hits {
		if h.lit <= lastFolded {
			return false
		}
		start, end := int(h.start), int(h.start)+len(f.lits[h.lit])
		outs := f.means(h.lit)
		for k := range outs {
			if outs[k].stands(v, start, end) {
				if q := &m.set.preds[outs[k].pred]; !q.excluded(v) && !q.wants(v) {
					return false
				}
				bare = false // With another half that may be different.
			}
		}
	}
	m.bare = m.bare || bare
	return true
}

// wants tells whether a text in which a literal of the predicate's first set stands has none of another set that it must have one of.
func (q *pred) wants(v *gathered) bool {
	k := v.look()
	if q.sets&^1 == 0 || len(q.needs) > maxWanted || k&beyondKind != 0 {
		return false
	}
	found := uint8(1)
	for i := range q.needs {
		if n := &q.needs[i]; found>>n.set&1 == 0 && n.kinds&^k == 0 && containsFold(v.text, n.lit) {
			found |= 1 << n.set
		}
	}
	return found&q.sets != q.sets
}

// maxWanted bounds the literals that are looked for one by one.
const maxWanted = 40

// apply tells the predicate of a hit in gathered text i, in the order of the texts: the first in which it is true is
// the guilty one, whether or not what was found in a later one is remembered.
func (m *Matcher) apply(i int, v *gathered, h valueHit) {
	mm := &m.memo[h.pred]
	if mm.epoch != m.epoch {
		*mm = memo{epoch: m.epoch}
		m.queue(m.set.preds[h.pred].pushes)
	}
	switch {
	case mm.state == memoTrue:
	case h.start < 0 || mm.maybe != 0 && mm.state == memoMaybe:
		mm.maybe |= 1 << min(i, 63)
	default:
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
	m.hits = m.set.full.scan(v.text, m.hits[:0])
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
	kept := m.found[:0]
	for _, h := range m.found {
		q := &m.set.preds[h.pred]
		if h.start < 0 && q.excluded(v) {
			continue
		}
		kept = append(kept, h)
		if len(q.pushes) > 0 {
			last := len(kept) - 1
			kept[last], kept[find] = kept[find], h
			find++
		}
	}
	m.found = kept
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
	m.hits = m.set.full.scan(m.folded, m.hits[:0])
	for _, h := range m.hits {
		outs := m.set.full.means(h.lit)
		for k := range outs {
			if o := &outs[k]; o.mask&v.mask != 0 && !o.decides {
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

// stands tells whether a literal at text[start:end] of v is where the predicate looks for it.
func (o *out) stands(v *gathered, start, end int) bool {
	switch {
	case o.mask&v.mask == 0, o.before && start > 0 && inWord[v.text[start-1]], o.after && end < len(v.text) && inWord[v.text[end]]:
		return false
	case v.split < 0:
		return (!o.start || start == 0) && (!o.end || end == len(v.text))
	}
	return o.mask&v.mask&(1<<slotURI|1<<slotKeyword) != 0 && (!o.start || start == 0) && (!o.end || end == len(v.text)) ||
		o.mask&(1<<event.Path) != 0 && end <= v.split && (!o.start || start == 0) && (!o.end || end == v.split) ||
		o.mask&(1<<event.Query) != 0 && start > v.split && (!o.start || start == v.split+1) && (!o.end || end == len(v.text))
}

// interpret appends what one literal in one text means to m.found.
func (m *Matcher) interpret(v *gathered, h hit) {
	start, end := int(h.start), int(h.start)+len(m.set.full.lits[h.lit])
	outs := m.set.full.means(h.lit)
	for k := range outs {
		o := &outs[k]
		if !o.stands(v, start, end) {
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
	mm.whole, mm.from = v.text, start
	if v.split < 0 {
		return
	}
	if start > v.split {
		mm.field = event.Query
	}
	path, query := m.ev.Get(event.Path), m.ev.Get(event.Query)
	if v.raw && len(path) == v.split && len(v.text) == v.split+1+len(query) && len(path) > 0 && &v.text[0] != &path[0] {
		// The text was joined: point into the record instead.
		switch {
		case start > v.split:
			mm.at = query[start-v.split-1 : end-v.split-1]
		case start < v.split:
			mm.at = path[start:min(end, v.split)]
		}
	}
}
