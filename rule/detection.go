package rule

import (
	"errors"
	"fmt"
	"net/netip"
	"sort"
	"strings"
	"time"
)

// maxValues bounds the values of one item after expansion.
const maxValues = 20_000

// A detection is what a rule looks for: named searches and a condition over them.
type detection struct {
	names    []string
	searches []*search
	cond     *expr // leaves are indexes of searches
}

// A search is a tree of items.
type search struct {
	op   exprOp // opLeaf: item; opAnd, opOr: kids; opTrue: matches everything
	item *item
	kids []*search
}

// itemKind is how an item compares.
type itemKind uint8

const (
	itemText   itemKind = iota // patterns
	itemRegex                  // regular expressions
	itemCIDR                   // networks
	itemNumber                 // numbers, by op
	itemExists                 // whether the field is there
	itemRef                    // another field's value
	itemPart                   // a part of a time, by op
)

// An item is one line of a search: a field, modifiers and values.
type item struct {
	kind  itemKind
	line  int32
	field string // "" = keywords
	mods  modifiers
	key   string // of the field with its modifiers, as written
	vals  []string
	null  bool // null is one of the values
	want  bool // itemExists
	nums  []float64
	nets  []netip.Prefix
	res   []*regex
	pats  []pattern // itemText without expand: built once
}

// problems collects what is wrong with one document.
type problems struct {
	file string
	rule string
	list []Problem

	regexes map[string]facts // of expressions that Pack checked
}

func (p *problems) add(kind ProblemKind, line int32, msg, hint string) {
	p.list = append(p.list, Problem{Kind: kind, File: p.file, Line: int(line), Rule: p.rule, Msg: msg, Hint: hint})
}

func (p *problems) broken(line int32, format string, args ...any) {
	p.add(Broken, line, fmt.Sprintf(format, args...), "")
}

func (p *problems) err(line int32, before string, err error) {
	var h hinted
	if errors.As(err, &h) {
		p.add(Broken, line, before+h.msg, h.hint)
		return
	}
	p.add(Broken, line, before+err.Error(), "")
}

// failed tells whether the document cannot run.
func (p *problems) failed() bool {
	for _, q := range p.list {
		if q.Kind != Warning {
			return true
		}
	}
	return false
}

// parseDetection reads a detection, or a filter's block, which is one that names rules as well.
func parseDetection(n *node, filter bool, p *problems) *detection {
	d := &detection{}
	if n.kind != nodeMap {
		p.broken(n.line, "detection must be a map, not %s", nodeNames[n.kind])
		return d
	}
	for i := 0; i+1 < len(n.kids); i += 2 {
		key, val := &n.kids[i], &n.kids[i+1]
		if key.str == "condition" || key.str == "timeframe" || filter && key.str == "rules" {
			continue
		}
		d.names = append(d.names, key.str)
		d.searches = append(d.searches, parseSearch(val, p, 0))
	}
	c := n.get("condition")
	if c == nil || c.kind == nodeNull {
		p.add(Broken, n.line, "detection has no condition", "add \"condition: selection\"")
		return d
	}
	if len(d.names) == 0 {
		p.broken(n.line, "detection has no search")
		return d
	}
	if tf := n.get("timeframe"); tf != nil && !strings.Contains(c.str, "|") {
		p.add(Warning, tf.line, "timeframe has no effect in a detection", "write a correlation rule with a timespan")
	}
	conds := []*node{c}
	if c.kind == nodeList {
		conds = conds[:0]
		for i := range c.kids {
			conds = append(conds, &c.kids[i])
		}
	}
	used := make([]bool, len(d.names))
	var all []*expr
	for _, c := range conds {
		if !c.scalar() {
			p.broken(c.line, "a condition must be text, not %s", nodeNames[c.kind])
			continue
		}
		e, u, err := parseCondition(c.str, d.names)
		if err != nil {
			p.err(c.line, "", err)
			continue
		}
		for i := range u {
			used[i] = used[i] || u[i]
		}
		all = append(all, e)
	}
	if len(all) == 0 {
		return d
	}
	d.cond = join(opOr, all)
	for i, u := range used {
		if !u && !strings.HasPrefix(d.names[i], "_") {
			p.add(Warning, n.line, fmt.Sprintf("search %q is not used by the condition", d.names[i]), "")
		}
	}
	return d
}

// parseSearch reads a map (all items), a list of maps (any), a list of texts, or one text (keywords).
func parseSearch(n *node, p *problems, depth int) *search {
	if depth > maxDepth {
		p.broken(n.line, "searches nested deeper than %d levels", maxDepth)
		return &search{op: opTrue}
	}
	switch n.kind {
	case nodeMap:
		s := &search{op: opAnd}
		for i := 0; i+1 < len(n.kids); i += 2 {
			if it := parseItem(&n.kids[i], &n.kids[i+1], p); it != nil {
				s.kids = append(s.kids, &search{op: opLeaf, item: it})
			}
		}
		if len(n.kids) == 0 {
			p.broken(n.line, "a search is empty")
		}
		return s
	case nodeList:
		s := &search{op: opOr}
		var words []*node
		for i := range n.kids {
			if k := &n.kids[i]; k.scalar() {
				words = append(words, k)
			} else {
				s.kids = append(s.kids, parseSearch(k, p, depth+1))
			}
		}
		if len(words) > 0 {
			key := &node{kind: nodeString, line: n.line}
			if it := parseValues(key, words, p); it != nil {
				s.kids = append(s.kids, &search{op: opLeaf, item: it})
			}
		}
		if len(n.kids) == 0 {
			p.broken(n.line, "a search is empty")
		}
		return s
	case nodeNull:
		p.broken(n.line, "a search is empty")
		return &search{op: opTrue}
	}
	if it := parseValues(&node{kind: nodeString, line: n.line}, []*node{n}, p); it != nil {
		return &search{op: opLeaf, item: it}
	}
	return &search{op: opTrue}
}

func parseItem(key, val *node, p *problems) *item {
	switch val.kind {
	case nodeMap:
		p.broken(val.line, "field %q has a map as its value", key.str)
		return nil
	case nodeList:
		vals := make([]*node, 0, len(val.kids))
		for i := range val.kids {
			if !val.kids[i].scalar() {
				p.broken(val.kids[i].line, "field %q has %s among its values", key.str, nodeNames[val.kids[i].kind])
				return nil
			}
			vals = append(vals, &val.kids[i])
		}
		if len(vals) == 0 {
			p.broken(key.line, "field %q has no values", key.str)
			return nil
		}
		return parseValues(key, vals, p)
	}
	return parseValues(key, []*node{val}, p)
}

func parseValues(key *node, vals []*node, p *problems) *item {
	field, mods, _ := strings.Cut(key.str, "|")
	it := &item{line: key.line, field: strings.TrimSpace(field), key: key.str}
	if field == "" {
		it.key = ""
	}
	if len(vals) > maxValues {
		p.broken(key.line, "field %q has more than %d values", key.str, maxValues)
		return nil
	}
	if mods != "" || strings.HasSuffix(key.str, "|") {
		var err error
		if it.mods, err = parseModifiers(strings.Split(mods, "|")); err != nil {
			p.err(key.line, "", err)
			return nil
		}
	}
	m := &it.mods
	switch {
	case m.regex:
		it.kind = itemRegex
	case m.cidr:
		it.kind = itemCIDR
	case m.exists:
		it.kind = itemExists
	case m.ref:
		it.kind = itemRef
	case m.part != noPart:
		it.kind = itemPart
	case m.compare:
		it.kind = itemNumber
	default:
		it.kind = itemText
	}
	if it.field == "" && it.kind != itemText && it.kind != itemRegex {
		p.add(Broken, key.line, fmt.Sprintf("keywords cannot have the modifier %q", mods), "name a field")
		return nil
	}
	if m.all && len(vals) < 2 && !m.expand {
		p.add(Warning, key.line, "modifier \"all\" has no effect on one value", "")
	}
	it.vals = make([]string, 0, len(vals))
	bad := len(p.list)
	for _, v := range vals {
		it.parseValue(v, p)
	}
	for _, q := range p.list[bad:] {
		if q.Kind != Warning {
			return nil
		}
	}
	return it
}

func (it *item) parseValue(v *node, p *problems) {
	if v.kind == nodeNull {
		if it.kind != itemText || it.mods.contains || it.mods.starts || it.mods.end || it.field == "" {
			p.add(Broken, v.line, fmt.Sprintf("null is no value for %q", it.key), "quote it if you mean the word")
			return
		}
		it.null = true
		return
	}
	it.vals = append(it.vals, v.str)
	if it.mods.expand {
		return // checked by Compile, when the values are known
	}
	var err error
	switch it.kind {
	case itemText:
		it.pats, err = it.patterns(it.pats, v.str)
	case itemRegex:
		var re *regex
		if re, err = newRegex(cleanRegex(v.str), it.mods.flags, p.regexes); err == nil {
			re.grammar = it.mods.grammar
			it.res = append(it.res, re)
		} else {
			p.add(kindOfRegexError(v.str), v.line, "regular expression: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "), regexHint(v.str))
			return
		}
	case itemCIDR:
		var n netip.Prefix
		n, err = parseCIDR(v.str)
		it.nets = append(it.nets, n)
	case itemNumber, itemPart:
		var f float64
		f, err = parseNumber(v.str)
		it.nums = append(it.nums, f)
	case itemExists:
		switch strings.ToLower(v.str) {
		case "true", "yes":
			it.want = true
		case "false", "no":
		default:
			err = fmt.Errorf("\"exists\" takes true or false, not %q", v.str)
		}
	case itemRef:
		if v.str == "" {
			err = fmt.Errorf("\"fieldref\" takes the name of a field")
		}
	}
	if err != nil {
		p.err(v.line, "", err)
	}
}

// patterns appends the patterns of one value, after its encodings.
func (it *item) patterns(dst []pattern, s string) ([]pattern, error) {
	m := &it.mods
	vals := []value{{text: s}}
	for _, step := range m.steps {
		var next []value
		for _, v := range vals {
			out, err := step(v)
			if err != nil {
				return dst, err
			}
			next = append(next, out...)
		}
		vals = next
	}
	before, after := m.contains || m.end, m.contains || m.starts
	if it.field == "" {
		before, after = true, true // a keyword stands anywhere
	}
	for _, v := range vals {
		dst = append(dst, newPattern(v, before, after, m.cased))
	}
	return dst, nil
}

// cleanRegex rewrites the few forms of other regular expression dialects that have an equal in RE2's.
func cleanRegex(s string) string {
	if strings.Contains(s, `\Z`) {
		s = strings.ReplaceAll(s, `\Z`, `\z`)
	}
	return s
}

// kindOfRegexError tells other dialects' features, which are right in Sigma, from mistakes.
func kindOfRegexError(s string) ProblemKind {
	for _, f := range []string{"(?=", "(?!", "(?<=", "(?<!", "(?>", "*+", "++", "?+", `\1`, `\2`} {
		if strings.Contains(s, f) {
			return CannotRun
		}
	}
	return Broken
}

func regexHint(s string) string {
	if kindOfRegexError(s) == CannotRun {
		return "look-around, back references and possessive repeats have no place in a linear-time matcher (RE2): write the exception as a second search and \"not\" it"
	}
	return ""
}

// parseTimespan reads Sigma's timespans: a number and one of s, m, h, d, w, M (30 days), y.
func parseTimespan(s string) (time.Duration, error) {
	var total time.Duration
	rest := strings.TrimSpace(s)
	for rest != "" {
		i := 0
		n := time.Duration(0)
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' && i < 9 {
			n = n*10 + time.Duration(rest[i]-'0')
			i++
		}
		if i == 0 || i == len(rest) {
			return 0, errorHint(fmt.Sprintf("%q is no timespan", s), "write a number and a unit, for instance 30s, 5m, 1h or 7d")
		}
		unit, ok := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour,
			'w': 7 * 24 * time.Hour, 'M': 30 * 24 * time.Hour, 'y': 365 * 24 * time.Hour}[rest[i]]
		if !ok {
			return 0, errorHint(fmt.Sprintf("%q is no timespan: unknown unit %q", s, rest[i:i+1]), "units are s, m, h, d, w, M and y")
		}
		if n > maxTimespan/unit {
			return 0, fmt.Errorf("timespan %q is longer than ten years", s)
		}
		total += n * unit
		rest = rest[i+1:]
	}
	if total <= 0 || total > maxTimespan {
		return 0, fmt.Errorf("timespan %q must be longer than nothing and at most ten years", s)
	}
	return total, nil
}

const maxTimespan = 10 * 365 * 24 * time.Hour

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
