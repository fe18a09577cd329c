package rule

import (
	"fmt"
	"strconv"
	"strings"
)

// exprOp is an operator of a condition.
type exprOp uint8

const (
	opLeaf exprOp = iota
	opAnd
	opOr
	opNot
	opTrue // an empty "and"
)

// An expr is a condition over named things: searches of a detection, or rules of a correlation.
type expr struct {
	op   exprOp
	leaf int
	kids []*expr
}

func (e *expr) eval(leaf func(int) bool) bool {
	switch e.op {
	case opLeaf:
		return leaf(e.leaf)
	case opNot:
		return !e.kids[0].eval(leaf)
	case opAnd:
		for _, k := range e.kids {
			if !k.eval(leaf) {
				return false
			}
		}
		return true
	case opOr:
		for _, k := range e.kids {
			if k.eval(leaf) {
				return true
			}
		}
		return false
	}
	return true
}

// maxCondition bounds the words of a condition.
const maxCondition = 2000

type conditionParser struct {
	words []string
	at    int
	depth int
	names []string
	used  []bool
}

// parseCondition parses Sigma's condition language. names are what it may refer to; the leaves of the result are
// their indexes. used tells which names it refers to.
func parseCondition(src string, names []string) (e *expr, used []bool, err error) {
	p := conditionParser{names: names, used: make([]bool, len(names))}
	if p.words, err = conditionWords(src); err != nil {
		return nil, nil, err
	}
	if len(p.words) == 0 {
		return nil, nil, errorHint("the condition is empty", "write the name of a search, for instance \"selection\"")
	}
	if len(p.words) > maxCondition {
		return nil, nil, fmt.Errorf("the condition has more than %d words", maxCondition)
	}
	if e, err = p.or(); err != nil {
		return nil, nil, err
	}
	if w := p.peek(); w != "" {
		switch {
		case w == "|":
			return nil, nil, errorHint("aggregations after '|' were removed from Sigma", "write a correlation rule (type: event_count or value_count)")
		case w == ")":
			return nil, nil, fmt.Errorf("the condition has a ')' without '('")
		}
		return nil, nil, errorHint(fmt.Sprintf("unexpected %q in the condition", w), "join searches by \"and\" or \"or\"")
	}
	return e, p.used, nil
}

func conditionWords(src string) (words []string, err error) {
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '(' || c == ')' || c == '|':
			words = append(words, string(c))
			i++
		default:
			start := i
			for i < len(src) && strings.IndexByte(" \t\n\r()|", src[i]) < 0 {
				i++
			}
			words = append(words, src[start:i])
		}
	}
	return words, nil
}

func (p *conditionParser) peek() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

func (p *conditionParser) accept(word string) bool {
	if strings.EqualFold(p.peek(), word) {
		p.at++
		return true
	}
	return false
}

func (p *conditionParser) or() (*expr, error) { return p.chain("or", opOr, p.and) }

func (p *conditionParser) and() (*expr, error) { return p.chain("and", opAnd, p.not) }

func (p *conditionParser) chain(word string, op exprOp, operand func() (*expr, error)) (*expr, error) {
	e, err := operand()
	if err != nil {
		return nil, err
	}
	kids := []*expr{e}
	for p.accept(word) {
		if e, err = operand(); err != nil {
			return nil, err
		}
		kids = append(kids, e)
	}
	if len(kids) == 1 {
		return kids[0], nil
	}
	return &expr{op: op, kids: kids}, nil
}

func (p *conditionParser) not() (*expr, error) {
	if p.accept("not") {
		if p.depth++; p.depth > maxDepth {
			return nil, errDeep
		}
		e, err := p.not()
		p.depth--
		if err != nil {
			return nil, err
		}
		return &expr{op: opNot, kids: []*expr{e}}, nil
	}
	return p.primary()
}

func (p *conditionParser) primary() (*expr, error) {
	w := p.peek()
	switch {
	case w == "":
		return nil, fmt.Errorf("the condition ends too early")
	case w == "(":
		if p.depth++; p.depth > maxDepth {
			return nil, errDeep
		}
		p.at++
		e, err := p.or()
		p.depth--
		if err != nil {
			return nil, err
		}
		if !p.accept(")") {
			return nil, fmt.Errorf("the condition lacks a ')'")
		}
		return e, nil
	}
	if p.at+1 < len(p.words) && strings.EqualFold(p.words[p.at+1], "of") {
		return p.quantified()
	}
	switch strings.ToLower(w) {
	case "and", "or", "of", ")", "|":
		return nil, fmt.Errorf("unexpected %q in the condition", w)
	}
	p.at++
	for i, n := range p.names {
		if n == w {
			p.used[i] = true
			return &expr{op: opLeaf, leaf: i}, nil
		}
	}
	return nil, errorHint(fmt.Sprintf("the condition names %q, which is not defined", w), didYouMean(w, p.names))
}

// quantified parses "1 of x*", "all of them", "any of x*", and "2 of x*".
func (p *conditionParser) quantified() (*expr, error) {
	count := p.words[p.at]
	p.at += 2
	pat := p.peek()
	p.at++
	var kids []*expr
	for i, n := range p.names {
		// Names that start with an underscore are helpers: "them" and patterns leave them out, unless the pattern says so too.
		match := strings.EqualFold(pat, "them") && !strings.HasPrefix(n, "_") ||
			globName(pat, n) && (!strings.HasPrefix(n, "_") || strings.HasPrefix(pat, "_"))
		if match {
			p.used[i] = true
			kids = append(kids, &expr{op: opLeaf, leaf: i})
		}
	}
	switch {
	case pat == "" || pat == ")" || pat == "(":
		return nil, errorHint(fmt.Sprintf("%q lacks a pattern", count+" of"), "write \"them\" or a pattern such as \"selection_*\"")
	case len(kids) == 0:
		return nil, errorHint(fmt.Sprintf("no search matches %q", pat), didYouMean(strings.TrimRight(pat, "*"), p.names))
	}
	switch strings.ToLower(count) {
	case "all":
		return join(opAnd, kids), nil
	case "any", "1":
		return join(opOr, kids), nil
	}
	n, err := strconv.Atoi(count)
	switch {
	case err != nil || n < 1:
		return nil, errorHint(fmt.Sprintf("%q is no quantity", count), "write \"1 of\", \"any of\" or \"all of\"")
	case n > len(kids):
		return nil, fmt.Errorf("%q asks for %d searches, but only %d match", count+" of "+pat, n, len(kids))
	case n == len(kids):
		return join(opAnd, kids), nil
	}
	return atLeast(n, kids)
}

func join(op exprOp, kids []*expr) *expr {
	if len(kids) == 1 {
		return kids[0]
	}
	return &expr{op: op, kids: kids}
}

// maxCombinations bounds what "3 of x*" may expand to.
const maxCombinations = 500

// atLeast is an "or" of all combinations of n kids.
func atLeast(n int, kids []*expr) (*expr, error) {
	var out []*expr
	var choose func(from int, chosen []*expr) bool
	choose = func(from int, chosen []*expr) bool {
		if len(chosen) == n {
			out = append(out, join(opAnd, append([]*expr(nil), chosen...)))
			return len(out) <= maxCombinations
		}
		for i := from; i <= len(kids)-(n-len(chosen)); i++ {
			if !choose(i+1, append(chosen, kids[i])) {
				return false
			}
		}
		return true
	}
	if !choose(0, nil) {
		return nil, fmt.Errorf("\"%d of\" %d searches has more than %d combinations", n, len(kids), maxCombinations)
	}
	return join(opOr, out), nil
}

// globName matches a name against a pattern with '*'.
func globName(pat, name string) bool {
	head, rest, star := strings.Cut(pat, "*")
	if !star {
		return pat == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		var part string
		part, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(name, part)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
}

// hinted is an error with a hint.
type hinted struct{ msg, hint string }

func (h hinted) Error() string {
	if h.hint == "" {
		return h.msg
	}
	return h.msg + "; " + h.hint
}

func errorHint(msg, hint string) error { return hinted{msg, hint} }

// didYouMean proposes the known word that is closest to w, or "".
func didYouMean(w string, known []string) string {
	best, dist := "", 3
	for _, k := range known {
		if d := distance(strings.ToLower(w), strings.ToLower(k), dist); d < dist {
			best, dist = k, d
		}
	}
	if best == "" || dist*2 >= len(w)+1 {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance is the number of edits (a swap of neighbours is one) that make a into b; limit if it is more.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return min(prev[len(b)], limit)
}
