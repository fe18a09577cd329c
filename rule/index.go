package rule

import (
	"math/bits"
	"slices"

	"github.com/helixvanguard/vanguard/event"
)

// valueIndex finds the rules that require an exact value of a field with few values.
type valueIndex struct {
	status [maxStatus][]int32 // by Event.Status
	answer [maxStatus]uint32  // the classes of records for which these are
	fields [event.NumFields]valueTable
}

const maxStatus = 1000

// A valueTable maps a folded value to trials; open addressing.
type valueTable struct {
	keys  []string
	rules [][]int32
	mask  uint32
}

func valueHash(b []byte) uint32 {
	h := uint32(len(b))
	for _, c := range b {
		h = (h ^ uint32(fold[c])) * 0x01000193
	}
	return h ^ h>>15
}

func (t *valueTable) find(v []byte) []int32 {
	if t.keys == nil {
		return nil
	}
	for k := valueHash(v) & t.mask; t.rules[k] != nil; k = (k + 1) & t.mask {
		if equalFold(v, t.keys[k]) {
			return t.rules[k]
		}
	}
	return nil
}

func newValueTable(m map[string][]int32) (t valueTable) {
	size := 8
	for size < len(m)*2 {
		size *= 2
	}
	t = valueTable{make([]string, size), make([][]int32, size), uint32(size - 1)}
	for _, key := range sortedKeys(m) {
		k := valueHash([]byte(key)) & t.mask
		for t.rules[k] != nil {
			k = (k + 1) & t.mask
		}
		t.keys[k], t.rules[k] = key, m[key]
	}
	return t
}

// A way is a set of predicates of which at least one is true wherever a condition holds, and a guess
// how often that makes the rule a candidate.
type way struct {
	preds []int32
	keys  uint64 // or the record has one of these keys at its top; see event.KeyBit
	cost  float64
}

// index works out for every trial how it becomes a candidate.
func (c *compiler) index() {
	s := c.set
	lex := newLexicon(8 * len(s.preds))
	status := map[int][]int32{}
	var fields [event.NumFields]map[string][]int32
	for i := range s.tried {
		t := &s.tried[i]
		c.visit(t.cond, t.classes)
		t.need, t.keys = c.need(t.cond), c.keys(t.cond)
		w, ok := c.way(t.cond)
		if !ok {
			c.always(i, t.keys)
			continue
		}
		if w.keys != 0 {
			c.always(i, w.keys)
		}
		for _, p := range w.preds {
			q := &s.preds[p]
			if !q.eq {
				q.covered = true
				q.pushes = append(q.pushes, int32(i))
				continue
			}
			for _, n := range q.ints {
				if n >= 0 && n < maxStatus && q.kind == predInt {
					status[int(n)] = append(status[int(n)], int32(i))
				}
			}
			for j := range q.pats {
				f, v := q.ref.field, foldString(q.pats[j].parts[0].lit)
				if fields[f] == nil {
					fields[f] = map[string][]int32{}
				}
				fields[f][v] = append(fields[f][v], int32(i))
			}
			for k := range s.classes {
				if t.classes&(1<<k) != 0 && q.single {
					s.classes[k].byValue |= 1 << q.ref.field
				}
			}
		}
	}
	for n, rules := range status {
		s.byValue.status[n] = rules
		for _, t := range rules {
			s.byValue.answer[n] |= uint32(s.tried[t].classes)
		}
	}
	for f := range fields {
		if fields[f] != nil {
			s.byValue.fields[f] = newValueTable(fields[f])
		}
	}
	for i := range s.preds {
		q := &s.preds[i]
		if q.kind == predRegex {
			q.must = mustKinds(q.re.must)
		}
		q.covered = q.covered || q.worthScanning()
		for k := range s.classes {
			if q.classes&(1<<k) == 0 {
				continue
			}
			if !q.single {
				s.classes[k].gather |= q.mask
			}
			if q.covered {
				s.classes[k].gather |= q.mask
				s.classes[k].scan |= q.mask
			}
		}
		if !q.covered {
			continue
		}
		if q.blind {
			s.blind = append(s.blind, int32(i))
			if len(q.pushes) > 0 {
				s.open |= q.mask
				s.openers = append(s.openers, int32(i))
			}
		}
		for j := range q.needs {
			n := &q.needs[j]
			n.kinds = kindsOf(n.lit)
			o := out{int32(i), n.start, n.end, n.decides, n.before, n.after, 1 << n.set, q.mask}
			lex.add(n.lit, n.set == 0 && len(q.pushes) > 0, o)
		}
	}
	for i := range s.tried {
		c.order(s.tried[i].cond)
	}
	s.full, s.quick, s.plain = lex.finders(s.preds)
	s.across.halves(s)
}

// worthScanning tells whether a predicate by which no rule is found is answered by the common scan all the same.
func (q *pred) worthScanning() bool {
	switch {
	case q.eq || q.needs == nil && !q.blind:
		return false
	case q.mask == 1<<slotKeyword:
		return false // The whole record would be read again for the sake of the few that their fields find.
	case needsCost(q.needs) > restCost:
		return false // Its literals are everywhere, and few records make its rule a candidate.
	case q.kind == predRegex || !q.single:
		return true // Anything is cheaper than an expression, or a search in all that a client wrote.
	case q.mask&(cachedFields|1<<event.Path|1<<event.Query) != 0:
		return q.needs != nil // What is found in these is remembered.
	}
	return len(q.needs) >= coverFrom && needsCost(q.needs) < coverCost*float64(len(q.needs))
}

// blindCost is that of a predicate which any text may satisfy: its rule is a candidate until its answers are remembered.
const blindCost = 4e5

// unusualCost is the same where few records have the field at all.
const (
	unusualCost = 2000
	usualFields = 1<<event.Method | 1<<event.Path | 1<<event.Query | 1<<event.HTTPVersion | 1<<event.UserAgent | 1<<event.Referer | 1<<event.Host |
		1<<event.Message | 1<<event.SourceIP | 1<<event.Process | 1<<event.Provider | 1<<event.Action
)

// restCost is the guessed cost of literals above which they are not looked for if no rule is found by them.
const restCost = 4000

// recordCost is that of a way to a rule that has the whole record scanned once more.
const recordCost = 2e4

// learnt is how much of an expression's cost is left where its answers are remembered: it nearly always says no.
const learnt = 0.7

const (
	coverFrom = 4   // literals of a predicate from which on it is worth the common scan
	coverCost = 150 // guessed cost of one literal above which it is not
)

// always has a trial tried on every record of its classes that has one of keys, if there are keys.
func (c *compiler) always(i int, keys uint64) {
	for k := range c.set.classes {
		if info := &c.set.classes[k]; c.set.tried[i].classes&(1<<k) != 0 {
			at := len(info.always)
			if keys == 0 {
				at = info.free
				info.free++
			}
			info.always = slices.Insert(info.always, at, standing{int32(i), keys})
		}
	}
}

// visit tells predicates for which classes of records they are asked.
func (c *compiler) visit(n int32, classes uint64) {
	node := &c.set.nodes[n]
	if node.op == opLeaf {
		c.set.preds[node.pred].classes |= classes
		return
	}
	for _, k := range node.kids {
		c.visit(k, classes)
	}
}

// order puts cheap questions first, when it is known how each is answered.
func (c *compiler) order(n int32) (cost int) {
	node := &c.set.nodes[n]
	if node.op == opLeaf {
		return c.set.preds[node.pred].asking()
	}
	costs := make([]int, len(node.kids))
	for i, k := range node.kids {
		costs[i] = c.order(k)
		cost += costs[i]
	}
	if node.op == opAnd || node.op == opOr {
		// Insertion sort, stable: of equal cost, what the author wrote first is asked first.
		for i := 1; i < len(costs); i++ {
			for j := i; j > 0 && costs[j] < costs[j-1]; j-- {
				costs[j], costs[j-1] = costs[j-1], costs[j]
				node.kids[j], node.kids[j-1] = node.kids[j-1], node.kids[j]
			}
		}
	}
	return cost
}

// asking is the cost of a question. One by which rules are found concerns the few texts that have its literals, and its answers are remembered. Others
// have all texts searched.
func (q *pred) asking() int {
	switch {
	case q.covered && len(q.pushes) > 0:
		return costField
	case q.mask != 0 && !q.single:
		return int(q.cost) + costSearch
	}
	return int(q.cost)
}

// need is the set of fields without which a condition cannot hold.
func (c *compiler) need(n int32) (m uint64) {
	node := &c.set.nodes[n]
	switch node.op {
	case opLeaf:
		q := &c.set.preds[node.pred]
		switch {
		case q.kind == predNull || q.kind == predTrue || q.kind == predRef:
		case q.ref.kind == refTree:
			return 1 << needTree
		case q.single && !q.volatile:
			return 1 << q.ref.field
		}
	case opAnd:
		for _, k := range node.kids {
			m |= c.need(k)
		}
	case opOr:
		m = ^uint64(0)
		for _, k := range node.kids {
			m &= c.need(k)
		}
	}
	return m
}

// keys has the event.KeyBit of keys of a structured record of which a condition needs one; 0 if it needs none.
func (c *compiler) keys(n int32) (m uint64) {
	node := &c.set.nodes[n]
	switch node.op {
	case opLeaf:
		return c.set.preds[node.pred].treeKey()
	case opAnd:
		for _, k := range node.kids {
			if keys := c.keys(k); keys != 0 && (m == 0 || bits.OnesCount64(keys) < bits.OnesCount64(m)) {
				m = keys
			}
		}
	case opOr:
		for _, k := range node.kids {
			keys := c.keys(k)
			if keys == 0 {
				return 0
			}
			m |= keys
		}
	}
	return m
}

// treeKey is the event.KeyBit of the key that a predicate needs at the top of a structured record, or 0.
func (q *pred) treeKey() uint64 {
	if q.ref.kind != refTree || q.kind == predNull || q.kind == predTrue || q.kind == predRef {
		return 0
	}
	return event.KeyBit(q.ref.path[0])
}

// keyCost is that of a way by a key of structured records.
const keyCost = 3e5

// way finds the cheapest set of predicates of which one must be true.
func (c *compiler) way(n int32) (best way, ok bool) {
	node := &c.set.nodes[n]
	switch node.op {
	case opLeaf:
		q := &c.set.preds[node.pred]
		switch {
		case q.eq:
			return way{preds: []int32{node.pred}, cost: q.valueCost()}, true
		case q.needs != nil:
			cost := needsCost(q.needs)
			if q.kind == predRegex {
				cost *= learnt
			}
			if q.mask == 1<<slotKeyword {
				cost += recordCost
			}
			return way{preds: []int32{node.pred}, cost: cost}, true
		case q.blind:
			cost := float64(blindCost)
			if q.single && usualFields>>q.ref.field&1 == 0 {
				cost = unusualCost
			}
			if q.kind == predRegex {
				cost *= learnt
			}
			return way{preds: []int32{node.pred}, cost: cost}, true
		case q.treeKey() != 0:
			return way{keys: q.treeKey(), cost: keyCost}, true
		}
	case opAnd:
		for _, k := range node.kids {
			if w, has := c.way(k); has && (!ok || w.cost < best.cost) {
				best, ok = w, true
			}
		}
		return best, ok
	case opOr:
		for _, k := range node.kids {
			w, has := c.way(k)
			if !has {
				return way{}, false
			}
			best.preds = append(best.preds, w.preds...)
			best.keys |= w.keys
			best.cost += w.cost
		}
		return best, len(node.kids) > 0
	}
	return way{}, false
}

// needsCost is that of the first set, the most telling one; a second and third make it rarer.
func needsCost(needs []need) (sum float64) {
	more := 1.0
	for _, n := range needs {
		if n.set > 0 {
			more = 0.5
			continue
		}
		cost := literalCost(n.lit)
		if n.start || n.end {
			cost *= 0.7
		}
		sum += atEdges(cost, n.before, n.after)
	}
	return sum * more
}

// valueCost guesses how often a value comes: in the unit of literalCost.
func (q *pred) valueCost() (sum float64) {
	for _, n := range q.ints {
		switch {
		case n == 200:
			sum += 12000
		case n == 304 || n == 301 || n == 302 || n == 404:
			sum += 1500
		default:
			sum += 100
		}
	}
	for i := range q.pats {
		switch v := foldString(q.pats[i].parts[0].lit); {
		case v == "get":
			sum += 14000
		case v == "post":
			sum += 1500
		case v == "success" || v == "info":
			sum += 1000
		case q.ref.field == event.Provider || q.ref.field == event.Process || q.ref.field == event.App || q.ref.field == event.Region:
			sum += 60
		case q.ref.field == event.Category:
			sum += 20
		case q.ref.field == event.Result || q.ref.field == event.PrincipalType:
			sum += 40
		default:
			sum += 4
		}
	}
	return sum
}

// lacks tells whether the Event has not what a trial needs.
func (m *Matcher) lacks(t *trial) bool {
	return t.need&^m.have != 0 || t.keys != 0 && t.keys&m.keys == 0
}

// asked adds those of the trials for every record that this one may concern to the candidates: models, or rules.
func (m *Matcher) asked(models bool) {
	standing := m.info.always
	if m.keys == 0 {
		standing = standing[:m.info.free]
	}
	for i := range standing {
		a := &standing[i]
		switch {
		case int(a.trial) < m.set.models != models || a.keys != 0 && a.keys&m.keys == 0 || m.lacks(&m.set.tried[a.trial]):
		case models:
			m.models[a.trial/64] |= 1 << (a.trial % 64)
		case m.queued[a.trial] != m.epoch:
			m.queued[a.trial] = m.epoch
			m.candidates = append(m.candidates, a.trial)
		}
	}
}

// queue makes the trials candidates that are for this class of records.
func (m *Matcher) queue(trials []int32) {
	for _, t := range trials {
		if tr := &m.set.tried[t]; tr.classes>>m.class&1 == 0 || m.lacks(tr) {
			continue
		}
		if int(t) < m.set.models {
			m.models[t/64] |= 1 << (t % 64)
			continue
		}
		if m.queued[t] != m.epoch {
			m.queued[t] = m.epoch
			m.candidates = append(m.candidates, t)
		}
	}
}

// findByValue queues the trials that require a value that the Event has in one of fields.
func (m *Matcher) findByValue(ev *event.Event, fields uint64) {
	for f := fields & ev.Fields(); f != 0; f &= f - 1 {
		i := bits.TrailingZeros64(f)
		m.queue(m.set.byValue.fields[i].find(ev.Get(event.Field(i))))
	}
	for _, d := range ev.Decoded() {
		if fields>>d.Field&1 != 0 {
			m.queue(m.set.byValue.fields[d.Field].find(d.Text))
		}
	}
}
