package rule

import (
	"fmt"
	"sort"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// Set is a compiled, immutable set of rules, safe for use by many goroutines.
type Set struct {
	rules        []*Rule
	correlations []*Correlation
	problems     []Problem
	hash         string
	naive        bool

	models  int     // the first so many of tried are models, by order
	tried   []trial // models, then alert rules in the order of files
	preds   []pred
	nodes   []cnode
	quick   finder  // of what makes a rule a candidate, one set for each predicate: all that is searched for in nearly all texts
	plain   finder  // of what of that can stand in a bland text
	full    finder  // of all that is needed
	blind   []int32 // predicates that may be true of any text: nothing is known that they require
	openers []int32 // blind predicates by which rules are found
	open    uint64  // the slots in which these look
	across  acrossMark
	classes [numClasses]classInfo
	byValue valueIndex
}

// A trial is a rule that is tried on Events.
type trial struct {
	cond    int32 // node
	classes uint64
	need    uint64 // fields without which it cannot match; bit needTree: a structured record or extra pairs
	keys    uint64 // event.KeyBit of keys of which it needs one at the top of a structured record; 0: it needs none
	det     *event.Detector
	quoted  *event.Detector // det inside written text, nil if that makes no difference
	assign  []assignment
}

const needTree = 63

// A finder finds literals, and knows what each means.
type finder struct {
	*scanner
	first []uint32 // those of literal i stand at first[i] to first[i+1] of
	outs  []out
}

// means is what the occurrence of a literal means.
func (f *finder) means(lit int32) []out { return f.outs[f.first[lit]:f.first[lit+1]] }

// A lexicon collects literals and what they mean, for both finders.
type lexicon struct {
	lits    []string
	at      map[string]int32
	entries []lexEntry
}

type lexEntry struct {
	lit   int32
	quick bool // by it rules are found
	out   out
}

func newLexicon(lits int) *lexicon {
	return &lexicon{lits: []string{foldedS, foldedK}, at: make(map[string]int32, lits), entries: make([]lexEntry, 0, 2*lits)}
}

func (l *lexicon) add(lit string, quick bool, o out) {
	at, ok := l.at[lit]
	if !ok {
		at = int32(len(l.lits))
		l.at[lit] = at
		l.lits = append(l.lits, lit)
	}
	l.entries = append(l.entries, lexEntry{at, quick, o})
}

// finders are the one of all literals, the quick one, and the one for bland texts, in which not every predicate can be true.
func (l *lexicon) finders(preds []pred) (full, quick, plain finder) {
	full = l.finder(func(*lexEntry) bool { return true })
	full.scanner = newScanner(l.lits, nil)
	quick = l.finder(func(e *lexEntry) bool { return e.quick })
	quick.scanner = newScanner(l.lits, func(i int) (at uint8, enter bool) {
		return full.scanner.at[i], i <= lastFolded || quick.first[i] < quick.first[i+1]
	})
	isBland, sets := make([]bool, len(l.lits)), make([]uint8, len(preds))
	for i, lit := range l.lits {
		isBland[i] = bland(kindsOf(lit))
	}
	for i := range l.entries {
		if e := &l.entries[i]; isBland[e.lit] {
			sets[e.out.pred] |= e.out.set
		}
	}
	plain = l.finder(func(e *lexEntry) bool {
		q := &preds[e.out.pred]
		return e.quick && isBland[e.lit] && sets[e.out.pred]&q.sets == q.sets && !q.lacks(blandKinds)
	})
	plain.scanner = newScanner(l.lits, func(i int) (at uint8, enter bool) {
		return full.scanner.at[i], plain.first[i] < plain.first[i+1]
	})
	return full, quick, plain
}

// finder sorts the entries that are wanted by their literals.
func (l *lexicon) finder(want func(e *lexEntry) bool) (f finder) {
	f.first = make([]uint32, len(l.lits)+2)
	n := 0
	for i := range l.entries {
		if e := &l.entries[i]; want(e) {
			f.first[e.lit+2]++
			n++
		}
	}
	for i := 2; i < len(f.first); i++ {
		f.first[i] += f.first[i-1]
	}
	f.outs = make([]out, n)
	for i := range l.entries {
		if e := &l.entries[i]; want(e) {
			f.outs[f.first[e.lit+1]] = e.out
			f.first[e.lit+1]++
		}
	}
	f.first = f.first[:len(l.lits)+1]
	return f
}

// An out is what the occurrence of a literal means.
type out struct {
	pred       int32
	start, end bool // where the literal must stand
	decides    bool
	before     bool // see need
	after      bool
	set        uint8 // bit of the set that the literal belongs to
	mask       uint64
}

// A standing trial is tried on every record, or on those with one of some keys at the top (event.KeyBit).
type standing struct {
	trial int32
	keys  uint64
}

// classInfo is what a class of records needs.
type classInfo struct {
	gather  uint64     // slots that some predicate looks at among the gathered values, and those that are scanned
	scan    uint64     // slots with literals
	always  []standing // trials that nothing but a key, if that, makes candidates; those that need no key first
	free    int        // how many need none
	byValue uint64     // fields by whose value rules are found
}

// Rules returns every rule that runs, in file order: alerts, models, correlations and filters.
// Their Detectors are the ones that Signals point at.
func (s *Set) Rules() []*Rule { return s.rules }

// Correlations returns the correlations, each after those that it builds on.
func (s *Set) Correlations() []*Correlation { return s.correlations }

// Problems returns what Compile found.
func (s *Set) Problems() []Problem { return s.problems }

// Hash identifies the content of the rules and options: equal sets have equal hashes.
func (s *Set) Hash() string { return s.hash }

// Compile makes a Set of rules. Rules with a problem are left out, the others run.
func Compile(rules []*Rule, opt Options) (*Set, []Problem) {
	c := compiler{set: &Set{naive: opt.NoPrefilter}, named: map[string]*Rule{}, low: lowering{opt: opt, byKey: make(map[string]int32, len(rules)*3)}}
	c.names(rules)
	c.low.preds = make([]pred, 0, len(rules)*4)
	c.low.nodes = make([]cnode, 0, len(rules)*8)
	for _, r := range c.rules {
		if r.Type == Model {
			for _, a := range r.assign {
				c.low.volatile |= 1 << a.field
			}
		}
	}
	tried := c.trials()
	c.correlations()
	for i, r := range tried {
		c.set.tried[i].det, c.set.tried[i].quoted = r.Detector, quoted(r.Detector)
	}
	c.set.preds, c.set.nodes = c.low.preds, c.low.nodes
	c.index()
	c.finish(opt)
	if opt.Final {
		for _, r := range c.set.rules {
			r.det = nil
		}
	}
	return c.set, c.set.problems
}

type compiler struct {
	set   *Set
	rules []*Rule // that may run; copies where Compile changes something
	named map[string]*Rule
	dead  map[*Rule]bool
	low   lowering
}

func (c *compiler) problem(r *Rule, kind ProblemKind, line int, msg, hint string) {
	c.set.problems = append(c.set.problems, Problem{Kind: kind, File: r.File, Line: line, Rule: r.ref(), Msg: msg, Hint: hint})
}

// names indexes rules by name and id. The first of two equal names stays.
func (c *compiler) names(rules []*Rule) {
	for _, r := range rules {
		clash := false
		for _, n := range []string{r.Name, r.ID} {
			if old := c.named[n]; n != "" && old != nil {
				clash = true
				c.problem(r, Broken, r.Line, fmt.Sprintf("another rule is named %q already", n), fmt.Sprintf("see %s:%d", old.File, old.Line))
				break
			}
		}
		if clash {
			continue
		}
		copied := *r
		c.rules = append(c.rules, &copied)
		for _, n := range []string{r.Name, r.ID} {
			if n != "" {
				c.named[n] = &copied
			}
		}
	}
	c.dead = map[*Rule]bool{}
}

// trials lowers models and alert rules with the filters that narrow them, and returns the rule of each.
func (c *compiler) trials() (rules []*Rule) {
	filters := c.filters()
	type pending struct {
		rule *Rule
		t    trial
	}
	var models, alerts []pending
	for _, r := range c.rules {
		if r.Type != Alert && r.Type != Model || c.dead[r] {
			continue
		}
		src, why := sourceOf(r.Logsource)
		if src == nil {
			c.problem(r, CannotRun, r.Line, why, "")
			c.dead[r] = true
			continue
		}
		p := &problems{file: r.File, rule: r.ref()}
		kids := c.conditions(src)
		for _, f := range filters {
			if f.applies(r) {
				kids = append(kids, c.low.detection(f.det, src, p))
			}
		}
		kids = append(kids, c.low.detection(r.det, src, p))
		c.set.problems = append(c.set.problems, p.list...)
		if p.failed() {
			c.dead[r] = true
			continue
		}
		cond := kids[0]
		if len(kids) > 1 {
			cond = c.low.node(cnode{op: opAnd, kids: kids})
		}
		q := pending{r, trial{cond: cond, classes: src.classes(), assign: r.assign}}
		if r.Type == Model {
			models = append(models, q)
		} else {
			alerts = append(alerts, q)
		}
	}
	sort.SliceStable(models, func(i, j int) bool { return models[i].rule.order < models[j].rule.order })
	c.set.models = len(models)
	for _, q := range append(models, alerts...) {
		c.set.tried = append(c.set.tried, q.t)
		rules = append(rules, q.rule)
	}
	return rules
}

// conditions are those of the logsource itself: which process wrote the record.
func (c *compiler) conditions(src *source) (kids []int32) {
	if len(src.process) == 0 {
		return nil
	}
	name := event.Process.String()
	it := &item{field: name, key: name, vals: src.process}
	for _, v := range src.process {
		it.pats = append(it.pats, newPattern(value{v, true}, false, false, false))
	}
	return []int32{c.low.values(it, fieldRef{kind: refField, field: event.Process, name: name})}
}

// A boundFilter is a filter whose rules are resolved.
type boundFilter struct {
	*Rule
	rules map[*Rule]bool
}

func (f *boundFilter) applies(r *Rule) bool {
	if f.filter.any {
		l, m := f.Logsource, r.Logsource
		return (l.Category == "" || l.Category == m.Category) && (l.Product == "" || l.Product == m.Product) && (l.Service == "" || l.Service == m.Service)
	}
	return f.rules[r]
}

func (c *compiler) filters() (out []boundFilter) {
	for _, r := range c.rules {
		if r.Type != Filter {
			continue
		}
		f := boundFilter{r, map[*Rule]bool{}}
		if !f.filter.any {
			for _, ref := range f.filter.rules {
				if to := c.named[ref]; to != nil {
					f.rules[to] = true
				} else {
					c.problem(r, Warning, r.Line, fmt.Sprintf("filter names rule %q, which does not exist", ref), didYouMean(ref, c.refs()))
				}
			}
			if len(f.rules) == 0 {
				c.dead[r] = true
				continue
			}
		}
		out = append(out, f)
	}
	return out
}

func (c *compiler) refs() []string { return sortedKeys(c.named) }

// correlations resolves correlation documents, and marks the rules that only feed them.
func (c *compiler) correlations() {
	state := map[*Rule]int{} // 1 = being resolved, 2 = done
	built := map[*Rule]*Correlation{}
	var resolveOne func(r *Rule) *Correlation
	resolveOne = func(r *Rule) *Correlation {
		switch state[r] {
		case 1:
			c.problem(r, Broken, int(r.corr.line), "correlations refer to each other in a circle", "")
			return nil
		case 2:
			return built[r]
		}
		state[r] = 1
		defer func() { state[r] = 2 }()
		d := r.corr
		k := &Correlation{Detector: r.Detector, Rule: r, Type: d.typ, Ordered: d.typ == TemporalOrdered, Timespan: d.timespan, Condition: d.cond, Generate: d.generate}
		for _, ref := range d.rules {
			to := c.named[ref]
			switch {
			case to == nil:
				c.problem(r, Broken, int(d.line), fmt.Sprintf("correlation names rule %q, which does not exist", ref), didYouMean(ref, c.refs()))
				return nil
			case to.Type == Correlat:
				inner := resolveOne(to)
				if inner == nil {
					c.problem(r, CannotRun, int(d.line), fmt.Sprintf("correlation builds on %q, which does not run", ref), "")
					return nil
				}
				k.Bases = append(k.Bases, Base{inner.Detector, inner})
			case to.Type != Alert:
				c.problem(r, Broken, int(d.line), fmt.Sprintf("correlation names %q, which is a %s", ref, to.Type), "it must be a rule that detects something")
				return nil
			case c.dead[to]:
				c.problem(r, CannotRun, int(d.line), fmt.Sprintf("correlation builds on %q, which does not run", ref), "")
				return nil
			default:
				k.Bases = append(k.Bases, Base{to.Detector, nil})
			}
			if !d.generate && !to.custom && !to.Detector.Base {
				// The specification's default: a rule that a correlation names is not shown by itself. A vanguard block says so explicitly.
				det := *to.Detector
				det.Base = true
				to.Detector = &det
			}
			k.Bases[len(k.Bases)-1].Detector = to.Detector
		}
		c.bind(k, d)
		built[r] = k
		return k
	}
	for _, r := range c.rules {
		if r.Type == Correlat {
			if resolveOne(r) == nil {
				c.dead[r] = true
			}
		}
	}
	// Built on first, and otherwise in file order. Detectors may have been replaced meanwhile.
	seen := map[*Rule]bool{}
	var emit func(r *Rule)
	emit = func(r *Rule) {
		k := built[r]
		if k == nil || seen[r] {
			return
		}
		seen[r] = true
		k.Detector = r.Detector
		for i, ref := range r.corr.rules {
			to := c.named[ref]
			emit(to)
			k.Bases[i] = Base{to.Detector, built[to]}
		}
		c.set.correlations = append(c.set.correlations, k)
	}
	for _, r := range c.rules {
		emit(r)
	}
}

// bind resolves the field names of a correlation, per base rule.
func (c *compiler) bind(k *Correlation, d *corrDoc) {
	field := func(name string, base int) fieldRef {
		if per, ok := d.aliases[name]; ok {
			if f, ok := per[d.rules[base]]; ok {
				name = f
			}
		}
		src, _ := sourceOf(c.named[d.rules[base]].Logsource)
		if src == nil {
			src = &anySource
		}
		return resolve(name, src)
	}
	for b := range d.rules {
		refs := make([]fieldRef, len(d.groupBy))
		for i, g := range d.groupBy {
			refs[i] = field(g, b)
		}
		k.keys = append(k.keys, refs)
	}
	for i, g := range d.groupBy {
		name := g
		if _, alias := d.aliases[g]; !alias {
			name = k.keys[0][i].String()
		}
		k.GroupBy = append(k.GroupBy, name)
	}
	for _, f := range d.cond.Fields {
		var refs []fieldRef
		seen := map[string]bool{}
		for b := range d.rules {
			if r := field(f, b); !seen[r.String()] {
				seen[r.String()] = true
				refs = append(refs, r)
			}
		}
		k.value = append(k.value, refs)
	}
	if d.cond.expr != nil {
		k.Condition.index = make([]int, len(d.rules))
		for i := range k.Condition.index {
			k.Condition.index[i] = i
		}
	}
}

// finish lists what runs and computes the hash.
func (c *compiler) finish(opt Options) {
	h := hasher(hashStart)
	for _, r := range c.rules {
		if c.dead[r] {
			continue
		}
		c.set.rules = append(c.set.rules, r)
		for i := range 8 {
			h.byte(byte(r.hash >> (8 * i)))
		}
	}
	for _, k := range sortedKeys(opt.Placeholders) {
		h.string(k)
		h.string(strings.Join(opt.Placeholders[k], "\n"))
	}
	c.set.hash = fmt.Sprintf("%016x", uint64(h))
}
