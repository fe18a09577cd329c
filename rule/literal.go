package rule

import (
	"regexp/syntax"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// byteCost guesses how common a byte is in harmless requests and log text: 0 rare, 15 everywhere. It only
// steers which literal and which four of its bytes are searched for, never what matches.
var byteCost = func() (t [256]uint8) {
	for i := range t {
		t[i] = 1
	}
	for c := '!'; c <= '~'; c++ {
		t[c] = 3
	}
	for c, cost := range map[string]uint8{
		"eatosinr": 15, "dlcmpu": 13, "hgbwfvy": 11, "kx": 9, "jqz": 6, "01": 12, "23456789": 10,
		"/.": 14, "-_=&": 12, ":,)%+? ": 8, ";(": 5, "\"#@~!*[]": 4, "<>'{}$|\\`^": 1,
	} {
		for i := 0; i < len(c); i++ {
			t[c[i]] = cost
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = t[c+'a'-'A']
	}
	return t
}()

// A need is one literal of a set of which at least one must be in the text.
type need struct {
	lit        string // folded
	start, end bool   // it stands at the start, or end, of the text
	decides    bool   // it is not only needed: where it stands as start and end say, the predicate is true
	before     bool   // no letter, digit or _ stands right before it
	after      bool   // the same, right after it
	set        uint8  // one literal of each set must be there
	kinds      kinds64
}

const (
	minLiteral  = 2    // bytes; a shorter one is everywhere, unless it is a rare byte
	rareCost    = 5    // byteCost up to which a single byte is worth searching for
	shortCost   = 3    // how much more often than its bytes tell one of two bytes stands in a line: within words, names and numbers
	maxExact    = 300  // strings in the exact set of a piece of a regular expression
	maxClass    = 4    // bytes of a character class that are spelt out
	maxRequired = 1000 // strings in one required set of a regular expression
	maxSets     = 3    // required sets of a regular expression: all of them must have a string in the text
)

// needs returns a literal that is in every text that the pattern matches.
func (p *pattern) needs() (need, bool) {
	best := need{}
	for i := range p.parts {
		pc := &p.parts[i]
		first, last := p.start && i == 0, p.end && i == len(p.parts)-1
		if pc.wild == nil {
			if cheaper(pc.lit, best.lit) {
				best = need{lit: foldString(pc.lit), start: first, end: last, decides: !p.cased && len(p.parts) == 1}
			}
			continue
		}
		from := 0
		for _, w := range append(append([]int(nil), pc.wild...), len(pc.lit)) {
			if s := foldString(pc.lit[from:w]); cheaper(s, best.lit) {
				best = need{lit: s, start: first && from == 0, end: last && w == len(pc.lit)}
			}
			from = w + 1
		}
	}
	return best, searchable(best.lit)
}

// searchable tells whether a literal is rare enough to find candidates by.
func searchable(s string) bool {
	return len(s) >= minLiteral || len(s) == 1 && byteCost[s[0]] <= rareCost
}

// cheaper tells whether searching for a costs less than searching for b: it stands in fewer texts.
func cheaper(a, b string) bool {
	if !searchable(a) || !searchable(b) {
		return searchable(a)
	}
	return literalCost(a) < literalCost(b)
}

// literalCost guesses how often a literal stands in a line, in arbitrary units: 1 is about once in a thousand lines.
func literalCost(s string) float64 {
	if !searchable(s) {
		return 1e6
	}
	cost := 3e4
	for i := 0; i < len(s) && i < 12; i++ {
		cost *= float64(byteCost[s[i]]+2) / 40
	}
	if len(s) == minLiteral {
		cost *= shortCost
	}
	if common[s] {
		cost += 300
	}
	if strings.HasSuffix(s, "amazonaws.com") {
		cost += 3000 // every record of a control plane
	}
	return cost
}

// common are literals which the guess by bytes takes for rare.
var common = map[string]bool{
	"http": true, "https": true, "http/1.1": true, "get": true, "post": true, "mozilla": true, "mozilla/5.0": true, "://": true, "http://": true, "https://": true,
	"www.": true, ".com": true, ".php": true, ".html": true, ".js": true, ".css": true, ".png": true, "index": true, "/api/": true, "/api": true, "admin": true, "login": true,
	"error": true, "user": true, "windows": true, "linux": true, "safari": true, "chrome": true, "webkit": true, "failed": true, "/wp-content/": true,
	"/wp-admin/": true, "wp-login.php": true, "/wp-login.php": true, "application/json": true,
}

// setCost sums literalCost over a set.
func setCost(lits []string) (sum float64) {
	for _, l := range lits {
		before, after := edges(l)
		sum += atEdges(literalCost(bare(l)), before, after)
	}
	return sum
}

// needs returns literals of which at least one of each set is in every text that the expression matches, if the long s
// and the Kelvin sign, which Unicode folds to ASCII letters, are undone in the text; see search.
func (r *regex) needs() (out []need, ok bool) {
	for i, set := range r.lits {
		for _, l := range set {
			n := need{lit: bare(l), set: uint8(i)}
			n.before, n.after = edges(l)
			out = append(out, n)
		}
	}
	return out, len(r.lits) > 0
}

// required works out the sets of literals of an expression, the most telling first.
func required(tree *syntax.Regexp) [][]string {
	all := analyse(tree.Simplify(), 0).sets()
	sort.SliceStable(all, func(i, j int) bool { return setCost(all[i]) < setCost(all[j]) })
	var out [][]string
	for i, set := range all {
		// The second and third must be worth finding: they are not where they stand in most texts.
		if len(out) < maxSets && (i == 0 || setCost(set) < maxSetCost && len(set) <= maxSecond && !slices.ContainsFunc(out, func(o []string) bool { return implies(o, set) })) {
			out = append(out, set)
		}
	}
	return out
}

// implies tells whether a text that has a string of a has one of b as well.
func implies(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool {
		return !slices.ContainsFunc(b, func(t string) bool { return strings.Contains(s, t) })
	})
}

// canBeEmpty tells whether an expression may match the empty text.
func canBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpCapture, syntax.OpPlus:
		return canBeEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || canBeEmpty(re.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(s *syntax.Regexp) bool { return !canBeEmpty(s) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, canBeEmpty)
	}
	return true
}

const (
	maxSetCost = 5000 // of a second required set
	maxSecond  = 100  // strings of a second required set
)

// info is what analysis knows of a piece of a regular expression: all texts that it matches (exact, folded;
// nil = not known), and sets of which each has one string in each of those texts.
// All texts start with one of pre and end with one of suf, if these are known. Sets are of folded strings.
type info struct {
	exact    []string
	req      [][]string
	pre, suf []string
}

// starts are strings of which one starts each text, or nil.
func (i info) starts() []string {
	if i.exact != nil {
		return i.exact
	}
	return i.pre
}

// ends are strings of which one ends each text, or nil.
func (i info) ends() []string {
	if i.exact != nil {
		return i.exact
	}
	return i.suf
}

// again is info of a piece that occurs once or more.
func (i info) again() info { return info{req: i.sets(), pre: i.starts(), suf: i.ends()} }

// sets are the usable required sets.
func (i info) sets() [][]string {
	if e := usable(shortest(i.exact)); e != nil {
		return append([][]string{e}, i.req...)
	}
	return i.req
}

// best is the cheapest usable required set, or nil.
func (i info) best() (best []string) {
	for _, s := range i.sets() {
		if best == nil || setCost(s) < setCost(best) {
			best = s
		}
	}
	return best
}

// shortest leaves out strings that hold another one of the set: finding that one finds them too.
func shortest(set []string) (out []string) {
next:
	for i, s := range set {
		for j, t := range set {
			if i != j && strings.Contains(s, t) && (s != t || j < i) {
				continue next
			}
		}
		out = append(out, s)
	}
	return out
}

// usable returns the set if every string of it is worth searching for, else nil.
func usable(set []string) []string {
	if len(set) == 0 || len(set) > maxRequired {
		return nil
	}
	for _, s := range set {
		if !searchable(bare(s)) {
			return nil
		}
	}
	return set
}

func analyse(re *syntax.Regexp, depth int) info {
	if depth > maxDepth*4 {
		return info{}
	}
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpNoWordBoundary:
		return info{exact: []string{""}}
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary:
		return info{exact: []string{edge}}
	case syntax.OpLiteral:
		return analyseLiteral(re)
	case syntax.OpCharClass:
		i := analyseClass(re)
		if i.exact == nil && noWord(re.Rune) {
			i.pre, i.suf = []string{edge}, []string{edge}
		}
		return i
	case syntax.OpCapture:
		return analyse(re.Sub[0], depth+1)
	case syntax.OpPlus:
		return analyse(re.Sub[0], depth+1).again()
	case syntax.OpQuest:
		if e := analyse(re.Sub[0], depth+1).exact; e != nil && len(e) < maxExact {
			return info{exact: unique(append([]string{""}, e...))}
		}
		return info{}
	case syntax.OpRepeat:
		if re.Min > 0 {
			return analyse(re.Sub[0], depth+1).again()
		}
		return info{}
	case syntax.OpConcat:
		return analyseConcat(re, depth)
	case syntax.OpAlternate:
		return analyseAlternate(re, depth)
	}
	return info{}
}

func analyseLiteral(re *syntax.Regexp) info {
	var b []byte
	for _, r := range re.Rune {
		switch {
		case r < utf8.RuneSelf:
			b = append(b, fold[byte(r)])
		case r == utf8.RuneError, re.Flags&syntax.FoldCase != 0 && unicode.SimpleFold(r) != r:
			// RuneError also stands for bytes that are no UTF-8; a folded letter has several spellings.
			if !searchable(string(b)) {
				return info{}
			}
			return info{req: [][]string{{string(b)}}}
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return info{exact: []string{string(b)}}
}

func analyseClass(re *syntax.Regexp) info {
	var out []string
	for i := 0; i+1 < len(re.Rune); i += 2 {
		lo, hi := re.Rune[i], re.Rune[i+1]
		if int(hi-lo) >= maxExact || lo <= utf8.RuneError && hi >= utf8.RuneError {
			return info{} // RuneError also stands for bytes that are no UTF-8.
		}
		for r := lo; r <= hi; r++ {
			c := r
			if c < utf8.RuneSelf {
				c = rune(fold[byte(c)])
			}
			out = append(out, string(c))
		}
	}
	if out = unique(out); len(out) == 0 || len(out) > maxClass {
		return info{}
	}
	return info{exact: out}
}

func analyseConcat(re *syntax.Regexp, depth int) info {
	run := []string{""} // exact texts of the pieces since the last piece that is not exact, with what that ends with
	whole := true
	var req [][]string
	var pre []string
	flush := func() {
		if whole {
			whole, pre = false, run
		}
		if e := usable(shortest(run)); e != nil {
			req = append(req, e)
		}
		run = []string{""}
	}
	for _, sub := range re.Sub {
		i := analyse(sub, depth+1)
		if i.exact == nil {
			if i.pre != nil && len(run)*len(i.pre) <= maxExact {
				// A longer string is rarer, but many of them may be more common than the one that they start with.
				if more := crossed(run, i.pre); listCost(more) < listCost(run) {
					run = more
				}
			}
			flush()
			req = append(req, i.req...)
			if i.suf != nil {
				run = i.suf
			}
			continue
		}
		if len(run)*len(i.exact) > maxExact {
			flush()
			run = i.exact
			continue
		}
		if len(i.exact) == 1 && i.exact[0] == "" {
			continue
		}
		run = crossed(run, i.exact)
	}
	if whole {
		return info{exact: unique(run)}
	}
	suf := run
	flush()
	if len(req) > 4*maxSets {
		sort.SliceStable(req, func(i, j int) bool { return setCost(req[i]) < setCost(req[j]) })
		req = req[:4*maxSets]
	}
	return info{req: req, pre: known(pre), suf: known(suf)}
}

// crossed is each string of a, followed by each of b.
func crossed(a, b []string) []string {
	out := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			if strings.HasSuffix(x, edge) {
				y = strings.TrimPrefix(y, edge)
			}
			out = append(out, x+y)
		}
	}
	return out
}

// listCost is the cost of a set that may be unusable.
func listCost(set []string) float64 {
	if e := usable(shortest(set)); e != nil {
		return setCost(e)
	}
	return 1e9
}

// known is a set of starts or ends, or nil if it says nothing.
func known(set []string) []string {
	if set = unique(set); len(set) > maxExact || slices.Contains(set, "") {
		return nil
	}
	return set
}

func analyseAlternate(re *syntax.Regexp, depth int) info {
	var exact, req, pre, suf []string
	allExact, allReq := true, true
	for _, sub := range re.Sub {
		i := analyse(sub, depth+1)
		pre, suf = both(pre, i.starts()), both(suf, i.ends())
		if i.exact == nil {
			allExact = false
		}
		exact = append(exact, i.exact...)
		b := i.best()
		if b == nil {
			allReq = false
		}
		req = append(req, b...)
	}
	if exact = unique(exact); allExact && len(exact) <= maxExact {
		return info{exact: exact}
	}
	out := info{pre: known(pre), suf: known(suf)}
	if req = shortest(req); allReq && len(req) <= maxRequired {
		out.req = [][]string{req}
	}
	return out
}

// both joins the starts, or ends, of alternatives; what is not known counts as "".
func both(a, b []string) []string {
	if b == nil {
		return append(a, "")
	}
	return append(a, b...)
}

func unique(s []string) []string {
	if len(s) < 2 {
		return s
	}
	out := make([]string, 0, len(s))
	seen := make(map[string]bool, len(s))
	for _, a := range s {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}

// A byteSet has a bit for each ASCII byte.
type byteSet [2]uint64

func (b *byteSet) add(c byte) { b[c>>6] |= 1 << (c & 63) }

// maxMust bounds how many byte sets of an expression are kept, and mustBytes how common their bytes may be.
const (
	maxMust  = 4
	mustCost = 200
)

// cost guesses how common the bytes of a set are.
func (b byteSet) cost() (sum int) {
	for c := range 128 {
		if b[c>>6]>>(c&63)&1 != 0 {
			sum += int(byteCost[c])
		}
	}
	return sum
}

// mustBytes returns sets of bytes of which each has one in every text of ASCII alone that the expression matches. They tell
// apart what literals cannot: "=\s*https?://" needs an equals sign.
func mustBytes(re *syntax.Regexp, depth int) (out []byteSet) {
	if depth > maxDepth*4 {
		return nil
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			var b byteSet
			if r < utf8.RuneSelf {
				b.add(byte(r))
				b.add(fold[byte(r)])
				b.add(upper(byte(r)))
			}
			out = append(out, b)
		}
	case syntax.OpCharClass:
		var b byteSet
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1] && r < utf8.RuneSelf; r++ {
				b.add(byte(r))
				b.add(fold[byte(r)])
				b.add(upper(byte(r)))
			}
		}
		out = append(out, b)
	case syntax.OpCapture, syntax.OpPlus:
		return mustBytes(re.Sub[0], depth+1)
	case syntax.OpRepeat:
		if re.Min > 0 {
			return mustBytes(re.Sub[0], depth+1)
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			out = append(out, mustBytes(sub, depth+1)...)
		}
	case syntax.OpAlternate:
		var b byteSet
		for _, sub := range re.Sub {
			s := mustBytes(sub, depth+1)
			if len(s) == 0 {
				return nil
			}
			b[0], b[1] = b[0]|s[0][0], b[1]|s[0][1]
		}
		out = append(out, b)
	}
	out = slices.DeleteFunc(out, func(b byteSet) bool { return b.cost() > mustCost })
	sort.SliceStable(out, func(i, j int) bool { return out[i].cost() < out[j].cost() })
	out = slices.Compact(out)
	return out[:min(len(out), maxMust)]
}

// upper is the capital of an ASCII letter.
func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}
