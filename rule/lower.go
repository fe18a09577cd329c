package rule

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// predKind is how a predicate decides.
type predKind uint8

const (
	predText   predKind = iota // patterns on text
	predRegex                  // regular expressions on text
	predInt                    // whole numbers equal to Status or Bytes
	predNumber                 // comparison with a number
	predCIDR                   // networks
	predExists                 // the field is there
	predNull                   // the field is absent or empty
	predRef                    // another field's value
	predPart                   // a part of a time
	predTrue                   // always
)

// A pred is one question about an Event. Equal questions of different rules are one pred, answered once per Event.
type pred struct {
	kind     predKind
	ref      fieldRef
	mask     uint64 // the slots that it looks at, for text in slots; 0 for computed values and paths
	single   bool   // ref is one Field: looked up there and not among the gathered values
	volatile bool   // a model may set the field
	covered  bool   // the scanner finds all that it could match: without a hit it is false
	looks    uint64 // slots whose values the answer depends on
	reach    reach
	empty    bool  // predText: "" or "-" is among the values, which mean each other in access logs
	cost     uint8 // cheaper ones are asked first

	pats  []pattern
	re    *regex
	nets  []netip.Prefix
	ints  []int64
	nums  []float64
	op    Op
	part  timePart
	place modifiers // predRef: where the other value must stand
	refs  []fieldRef

	needs   []need  // literals of which one (of each set) must be there; nil if unknown
	sets    uint8   // bit mask of the sets in needs
	blind   bool    // nothing is known that a text must have; but it is not empty
	eq      bool    // pats or ints are exact values of a field with few values
	classes uint64  // of the rules that ask it
	pushes  []int32 // rules that become candidates when it may be true

	must [maxMust]kinds64 // predRegex: of each, one is in every text of ASCII alone that matches; 0 = no more
}

// Slots: bit f is Field f; these are the texts that are no Field.
const (
	slotAbs     = 49 // scheme://host/path?query, where the client sent that
	slotURI     = 50 // path?query
	slotKeyword = 51 // the record as it stands, and every decoded text
	slotTree    = 52 // leaves of a structured record, and extra pairs, that a client may have written
)

// fieldSlots are the slots of Fields.
const fieldSlots = 1<<event.NumFields - 1

// payloadMask is what "payload" looks at: what a client writes, and what a server writes around it.
var payloadMask = func() (m uint64) {
	for _, f := range []event.Field{event.Path, event.Query, event.Referer, event.UserAgent, event.Cookie, event.Body, event.Headers, event.Host,
		event.ForwardedFor, event.User, event.Session, event.Message, event.Reason, event.ErrorMessage, event.DNSName, event.Resource} {
		m |= 1 << f
	}
	return m | 1<<slotTree
}()

// slots is the mask of a reference whose values are gathered.
func (r *fieldRef) slots() uint64 {
	switch r.kind {
	case refField:
		return 1 << r.field
	case refURI:
		return 1<<slotURI | 1<<slotAbs
	case refTarget:
		return 1<<slotURI | 1<<event.Query
	case refPayload:
		return payloadMask
	case refKeyword:
		return 1 << slotKeyword
	}
	return 0
}

// fewValues are the fields with a small vocabulary: their rules are found by value.
var fewValues = func() (m uint64) {
	for _, f := range []event.Field{event.Method, event.Action, event.Result, event.Category, event.Provider, event.ErrorCode, event.PrincipalType,
		event.Process, event.App, event.Level, event.Region, event.StatusText, event.Transport, event.RuleName} {
		m |= 1 << f
	}
	return m
}()

// A cnode is a node of a compiled condition.
type cnode struct {
	op   exprOp
	pred int32
	kids []int32
}

// lowering turns the detections of one Set into shared predicates.
type lowering struct {
	opt      Options
	preds    []pred
	byKey    map[string]int32
	nodes    []cnode
	volatile uint64 // fields that models set
	key      []byte
}

func (lo *lowering) node(n cnode) int32 {
	lo.nodes = append(lo.nodes, n)
	return int32(len(lo.nodes) - 1)
}

func (lo *lowering) join(op exprOp, kids []int32) int32 {
	if len(kids) == 1 {
		return kids[0]
	}
	return lo.node(cnode{op: op, kids: kids})
}

// detection lowers a whole detection.
func (lo *lowering) detection(d *detection, src *source, p *problems) int32 {
	done := make([]int32, len(d.searches))
	for i := range done {
		done[i] = -1
	}
	var walk func(e *expr) int32
	walk = func(e *expr) int32 {
		switch e.op {
		case opLeaf:
			if done[e.leaf] < 0 {
				done[e.leaf] = lo.search(d.searches[e.leaf], src, p)
			}
			return done[e.leaf]
		case opTrue:
			return lo.leaf(pred{kind: predTrue}, "true")
		}
		kids := make([]int32, len(e.kids))
		for i, k := range e.kids {
			kids[i] = walk(k)
		}
		if e.op == opNot {
			return lo.node(cnode{op: opNot, kids: kids})
		}
		return lo.join(e.op, kids)
	}
	return walk(d.cond)
}

func (lo *lowering) search(s *search, src *source, p *problems) int32 {
	switch {
	case s.op == opLeaf:
		return lo.item(s.item, src, p)
	case len(s.kids) == 0:
		return lo.leaf(pred{kind: predTrue}, "true")
	}
	kids := make([]int32, len(s.kids))
	for i, k := range s.kids {
		kids[i] = lo.search(k, src, p)
	}
	return lo.join(s.op, kids)
}

func (lo *lowering) item(it *item, src *source, p *problems) int32 {
	if it.mods.expand {
		it = lo.expand(it, p)
		if it == nil {
			return lo.leaf(pred{kind: predTrue}, "true")
		}
	}
	ref := resolve(it.field, src)
	var n int32
	if it.mods.all && len(it.vals) > 1 {
		kids := make([]int32, len(it.vals))
		for i := range it.vals {
			kids[i] = lo.values(it.only(i), ref)
		}
		n = lo.join(opAnd, kids)
	} else {
		n = lo.values(it, ref)
	}
	if it.mods.neg {
		n = lo.node(cnode{op: opNot, kids: []int32{n}})
	}
	return n
}

// only is the item with its i-th value alone.
func (it *item) only(i int) *item {
	one := *it
	one.mods.all = false
	one.vals = it.vals[i : i+1]
	one.null = false
	switch it.kind {
	case itemText:
		one.pats = nil
		// It parsed before, so there is no error.
		one.pats, _ = one.patterns(nil, it.vals[i])
	case itemRegex:
		one.res = it.res[i : i+1]
	case itemCIDR:
		one.nets = it.nets[i : i+1]
	case itemNumber, itemPart:
		one.nums = it.nums[i : i+1]
	}
	return &one
}

// expand is the item with its placeholders replaced, or nil with a problem.
func (lo *lowering) expand(it *item, p *problems) *item {
	out := *it
	out.mods.expand = false
	out.vals = nil
	before := len(p.list)
	for _, v := range it.vals {
		vals, err := expandValue(v, lo.opt.Placeholders)
		if err != nil {
			p.err(it.line, "", err)
			p.list[len(p.list)-1].Kind = CannotRun
			continue
		}
		for _, v := range vals {
			out.parseValue(&node{kind: nodeString, line: it.line, str: v}, p)
		}
	}
	if len(p.list) > before {
		return nil
	}
	if len(out.vals) == 0 {
		p.add(CannotRun, it.line, fmt.Sprintf("field %q has only placeholders without values", it.key), "give their values with the rules")
		return nil
	}
	return &out
}

// leaf interns a predicate.
func (lo *lowering) leaf(q pred, key string) int32 {
	at, ok := lo.byKey[key]
	if !ok {
		at = int32(len(lo.preds))
		lo.byKey[key] = at
		lo.preds = append(lo.preds, q)
		lo.preds[at].prepare(lo.volatile)
	}
	return lo.node(cnode{op: opLeaf, pred: at})
}

// values lowers one item's values, of which any must match.
func (lo *lowering) values(it *item, ref fieldRef) int32 {
	if it.null {
		null := lo.leaf(pred{kind: predNull, ref: ref}, lo.keyOf(predNull, ref, "", nil))
		if len(it.vals) == 0 {
			return null
		}
		rest := *it
		rest.null = false
		return lo.node(cnode{op: opOr, kids: []int32{null, lo.values(&rest, ref)}})
	}
	if it.kind == itemRegex && len(it.res) > 1 {
		// Each expression is a question of its own: only those are run whose literals are there.
		kids := make([]int32, len(it.res))
		for i := range it.res {
			kids[i] = lo.values(it.only(i), ref)
		}
		return lo.join(opOr, kids)
	}
	q := pred{ref: ref, pats: it.pats, nets: it.nets, nums: it.nums, op: it.mods.op, part: it.mods.part}
	switch it.kind {
	case itemText:
		q.kind = predText
		if ints, ok := it.wholeNumbers(); ok && (ref.kind == refStatus || ref.kind == refBytes) {
			q.kind, q.ints, q.pats = predInt, ints, nil
		}
	case itemRegex:
		q.kind, q.re = predRegex, it.res[0]
	case itemCIDR:
		q.kind = predCIDR
	case itemNumber:
		q.kind = predNumber
	case itemPart:
		q.kind = predPart
		if !it.mods.compare {
			q.op = EQ
		}
	case itemRef:
		q.kind = predRef
		q.place = it.mods
		q.place.steps = nil
		for _, v := range it.vals {
			q.refs = append(q.refs, resolve(v, &source{}))
		}
	case itemExists:
		q.kind = predExists
		n := lo.leaf(q, lo.keyOf(q.kind, ref, "", nil))
		if !it.want {
			n = lo.node(cnode{op: opNot, kids: []int32{n}})
		}
		return n
	}
	_, mods, _ := strings.Cut(it.key, "|")
	return lo.leaf(q, lo.keyOf(q.kind, ref, mods, it.vals))
}

func (it *item) wholeNumbers() ([]int64, bool) {
	var out []int64
	for i := range it.pats {
		if it.mods.contains || it.mods.starts || it.mods.end || len(it.mods.steps) > 0 {
			return nil, false
		}
		n, err := strconv.ParseInt(it.vals[i], 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != it.vals[i] {
			return nil, false
		}
		out = append(out, n)
	}
	return out, len(out) > 0
}

func (lo *lowering) keyOf(k predKind, ref fieldRef, mods string, vals []string) string {
	b := append(lo.key[:0], byte(k), byte(ref.kind), byte(ref.field), 0)
	if ref.kind == refTree {
		b = append(b, ref.name...)
	}
	b = append(append(b, 0), mods...)
	for _, v := range vals {
		b = append(append(b, 0xff), v...)
	}
	lo.key = b
	return string(b)
}

// Costs of predicates, relative.
const (
	costNothing = iota
	costField
	costGathered
	costComputed
	costTree
	costRegex
	costSearch
)

// prepare works out how a predicate can be found and what it costs.
func (q *pred) prepare(volatile uint64) {
	q.mask = q.ref.slots()
	q.single = q.ref.kind == refField
	q.reaches()
	q.volatile = q.mask&volatile != 0
	for _, r := range q.refs {
		q.volatile = q.volatile || r.kind == refField && volatile&(1<<r.field) != 0
	}
	switch {
	case q.kind == predTrue:
		return
	case q.kind == predInt:
		q.cost, q.eq = costField, q.ref.kind == refStatus
		return
	case q.ref.kind == refTree:
		q.cost = costTree
	case q.single:
		q.cost = costField
	case q.mask != 0:
		q.cost = costGathered
	default:
		q.cost = costComputed
	}
	if q.kind == predRegex {
		q.cost += costRegex
	}
	if q.kind == predText {
		for i := range q.pats {
			p := &q.pats[i]
			if p.re == nil && p.start && p.end && (len(p.parts) == 0 || len(p.parts) == 1 && p.parts[0].lit == "-") {
				q.empty = true
			}
		}
	}
	if q.mask == 0 {
		return
	}
	if q.kind == predText && q.single && fewValues&q.mask != 0 && !q.empty {
		q.eq = true
		for i := range q.pats {
			p := &q.pats[i]
			if p.re != nil || !p.start || !p.end || len(p.parts) != 1 || p.parts[0].wild != nil {
				q.eq = false
			}
		}
		if q.eq {
			return
		}
	}
	if q.empty {
		return
	}
	q.needs = q.literals()
	for _, n := range q.needs {
		q.sets |= 1 << n.set
	}
	if q.needs == nil {
		q.blind = q.kind == predRegex && !q.re.empty || q.kind == predText && q.full()
	}
}

// full tells whether no pattern matches the empty text.
func (q *pred) full() bool {
	for i := range q.pats {
		if _, _, ok := q.pats[i].find(nil); ok {
			return false
		}
	}
	return true
}

// literals returns the literals of which one of each set must be there, or nil.
func (q *pred) literals() (out []need) {
	switch q.kind {
	case predText:
		for i := range q.pats {
			p := &q.pats[i]
			if p.re != nil {
				if len(p.re.lits) == 0 {
					return nil
				}
				for _, l := range p.re.lits[0] {
					out = append(out, need{lit: bare(l)})
				}
				continue
			}
			n, ok := p.needs()
			if !ok {
				return nil
			}
			out = append(out, n)
		}
	case predRegex:
		out, _ = q.re.needs()
	}
	return out
}
