package rule

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// fold maps ASCII capitals to small letters.
var fold = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = byte(c) + 'a' - 'A'
	}
	return t
}()

func foldString(s string) string {
	for i := 0; i < len(s); i++ {
		if fold[s[i]] != s[i] {
			b := []byte(s)
			for i, c := range b {
				b[i] = fold[c]
			}
			return string(b)
		}
	}
	return s
}

// equalFold compares text with lit, which is folded already.
func equalFold(text []byte, lit string) bool {
	if len(text) != len(lit) {
		return false
	}
	for i := range text {
		if fold[text[i]] != lit[i] {
			return false
		}
	}
	return true
}

// containsFold tells whether the folded lit, of one byte at least, stands in text.
func containsFold(text []byte, lit string) bool {
	for i := 0; i+len(lit) <= len(text); i++ {
		if fold[text[i]] == lit[0] && equalFold(text[i:i+len(lit)], lit) {
			return true
		}
	}
	return false
}

// A pattern matches text: pieces of literal text, in order, with wildcards between them.
type pattern struct {
	cased bool
	start bool    // the first piece stands at the start of the text
	end   bool    // the last piece stands at its end
	parts []piece // between two pieces stands a '*'; none with start and end: the empty text; none without: any text
	re    *regex  // if not nil, this instead of all the above: letters beyond ASCII that have two cases
}

// A piece is literal text in which '?' wildcards may stand.
type piece struct {
	lit  string // folded unless cased; a wildcard's byte is 0
	wild []int  // offsets of '?' in lit; nil almost always
	rare int    // offset of lit's rarest byte, which is not a wildcard
}

// value is a Sigma value on its way through the modifiers.
type value struct {
	text  string
	plain bool // text is bytes: no wildcards, no escapes
}

const (
	wildMany = -1 // '*'
	wildOne  = -2 // '?'
)

// tokens undoes Sigma's escapes: a backslash takes away the meaning of a following '*', '?' or
// backslash, and is itself before anything else. Values up to 255 are bytes.
func (v value) tokens() []int {
	out := make([]int, 0, len(v.text))
	for i := 0; i < len(v.text); i++ {
		c := v.text[i]
		switch {
		case v.plain:
			out = append(out, int(c))
		case c == '\\' && i+1 < len(v.text) && strings.IndexByte(`*?\`, v.text[i+1]) >= 0:
			i++
			out = append(out, int(v.text[i]))
		case c == '*':
			out = append(out, wildMany)
		case c == '?':
			out = append(out, wildOne)
		default:
			out = append(out, int(c))
		}
	}
	return out
}

// special tells whether a wildcard or a backslash stands in s. Start-up asks it of thousands of values.
func special(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == '\\' || c == '*' || c == '?' {
			return true
		}
	}
	return false
}

// literal is the value's text if it has no wildcard.
func (v value) literal() (string, bool) {
	if v.plain || !special(v.text) {
		return v.text, true
	}
	var b strings.Builder
	for _, t := range v.tokens() {
		if t < 0 {
			return "", false
		}
		b.WriteByte(byte(t))
	}
	return b.String(), true
}

// newPattern builds the pattern of a value; before and after put a '*' there.
func newPattern(v value, before, after, cased bool) pattern {
	// Fast path - no wildcard: nearly every value of every rule, and start-up time is spent here.
	if lit, ok := v.literal(); ok {
		p := pattern{cased: cased, start: !before, end: !after}
		if lit == "" {
			if before || after {
				p.start, p.end = false, false
			}
			return p
		}
		if !cased && hasCase(lit) {
			return pattern{re: foldedRegex(lit, before, after)}
		}
		p.parts = []piece{newPiece(lit, nil, cased)}
		return p
	}
	toks := v.tokens()
	if before {
		toks = append([]int{wildMany}, toks...)
	}
	if after {
		toks = append(toks, wildMany)
	}
	p := pattern{cased: cased, start: toks[0] != wildMany, end: toks[len(toks)-1] != wildMany}
	var lit []byte
	var wild []int
	flush := func() {
		if len(lit) > 0 {
			p.parts = append(p.parts, newPiece(string(lit), wild, cased))
		}
		lit, wild = nil, nil
	}
	var all []byte
	for _, t := range toks {
		switch t {
		case wildMany:
			flush()
		case wildOne:
			wild = append(wild, len(lit))
			lit = append(lit, 0)
		default:
			lit = append(lit, byte(t))
			all = append(all, byte(t))
		}
	}
	flush()
	if !cased && hasCase(string(all)) {
		return pattern{re: tokenRegex(toks)}
	}
	return p
}

func newPiece(lit string, wild []int, cased bool) piece {
	if !cased {
		lit = foldString(lit)
	}
	pc := piece{lit: lit, wild: wild, rare: -1}
	for i := 0; i < len(lit); i++ {
		isWild := false
		for _, w := range wild {
			isWild = isWild || w == i
		}
		if !isWild && (pc.rare < 0 || byteCost[lit[i]] < byteCost[lit[pc.rare]]) {
			pc.rare = i
		}
	}
	return pc
}

// hasCase tells whether s has letters beyond ASCII that have two cases.
func hasCase(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			for _, r := range s[i:] {
				if r >= utf8.RuneSelf && r != utf8.RuneError && unicode.SimpleFold(r) != r {
					return true
				}
			}
			return false
		}
	}
	return false
}

func foldedRegex(lit string, before, after bool) *regex {
	src := regexp.QuoteMeta(lit)
	if !before {
		src = `\A` + src
	}
	if !after {
		src += `\z`
	}
	re, _ := newRegex(src, "is", nil)
	return re
}

func tokenRegex(toks []int) *regex {
	var b strings.Builder
	b.WriteString(`\A`)
	var lit []byte
	for _, t := range append(toks, wildMany) {
		if t >= 0 {
			lit = append(lit, byte(t))
			continue
		}
		b.WriteString(regexp.QuoteMeta(string(lit)))
		lit = lit[:0]
		if t == wildOne {
			b.WriteString(`.`)
		} else {
			b.WriteString(`.*`)
		}
	}
	src := b.String()
	if toks[len(toks)-1] != wildMany {
		src = strings.TrimSuffix(src, `.*`) + `\z`
	}
	re, _ := newRegex(src, "is", nil)
	return re
}

// find returns where the pattern matches text; the offsets are those of the literal parts.
func (p *pattern) find(text []byte) (start, end int, ok bool) {
	if p.re != nil {
		return p.re.find(text)
	}
	n := len(p.parts)
	if n == 0 {
		return 0, len(text), len(text) == 0 || !(p.start && p.end)
	}
	if n == 1 {
		// Fast path - no '*' inside: almost every pattern.
		pc := &p.parts[0]
		switch {
		case p.start && p.end:
			w := pc.at(text, 0, p.cased)
			return 0, len(text), w == len(text)
		case p.start:
			w := pc.at(text, 0, p.cased)
			return 0, w, w >= 0
		case p.end:
			at := pc.tail(text, p.cased)
			return at, len(text), at >= 0
		}
		return pc.index(text, 0, p.cased)
	}
	at, first, last := 0, 0, len(p.parts)
	if p.start {
		w := p.parts[0].at(text, 0, p.cased)
		if w < 0 {
			return 0, 0, false
		}
		at, first = w, 1
	}
	limit := len(text)
	if p.end {
		last--
		if limit = p.parts[last].tail(text, p.cased); limit < at {
			return 0, 0, false
		}
	}
	for i := first; i < last; i++ {
		s, e, ok := p.parts[i].index(text[:limit], at, p.cased)
		if !ok {
			return 0, 0, false
		}
		if i == 0 {
			start = s
		}
		at = e
	}
	if p.end {
		at = len(text)
	}
	return start, at, true
}

// at returns the end of the piece if it stands at text[i:], else -1.
func (pc *piece) at(text []byte, i int, cased bool) int {
	if pc.wild == nil {
		if i+len(pc.lit) > len(text) {
			return -1
		}
		if cased {
			if string(text[i:i+len(pc.lit)]) != pc.lit {
				return -1
			}
		} else if !equalFold(text[i:i+len(pc.lit)], pc.lit) {
			return -1
		}
		return i + len(pc.lit)
	}
	w := pc.wild
	for j := 0; j < len(pc.lit); j++ {
		if i >= len(text) {
			return -1
		}
		if len(w) > 0 && w[0] == j {
			_, size := utf8.DecodeRune(text[i:])
			i += size
			w = w[1:]
			continue
		}
		c := text[i]
		if !cased {
			c = fold[c]
		}
		if c != pc.lit[j] {
			return -1
		}
		i++
	}
	return i
}

// tail returns the start of the piece if it ends the text, else -1.
func (pc *piece) tail(text []byte, cased bool) int {
	if pc.wild == nil {
		i := len(text) - len(pc.lit)
		if i < 0 || pc.at(text, i, cased) < 0 {
			return -1
		}
		return i
	}
	for i := max(0, len(text)-len(pc.lit)-3*len(pc.wild)); i < len(text); i++ {
		if pc.at(text, i, cased) == len(text) {
			return i
		}
	}
	return -1
}

// index finds the piece in text at or after from.
func (pc *piece) index(text []byte, from int, cased bool) (start, end int, ok bool) {
	if pc.wild != nil {
		for i := from; i < len(text); i++ {
			if e := pc.at(text, i, cased); e >= 0 {
				return i, e, true
			}
		}
		return 0, 0, false
	}
	n := len(pc.lit)
	c := pc.lit[pc.rare]
	if cased || c < 'a' || c > 'z' {
		// Fast path - the rarest byte has one form: the machine's own byte search finds it.
		for i := from + pc.rare; i <= len(text)-n+pc.rare; i++ {
			k := bytes.IndexByte(text[i:len(text)-n+pc.rare+1], c)
			if k < 0 {
				return 0, 0, false
			}
			i += k
			if pc.at(text, i-pc.rare, cased) >= 0 {
				return i - pc.rare, i - pc.rare + n, true
			}
		}
		return 0, 0, false
	}
	last := len(text) - n + pc.rare // where the rarest byte may stand at most
	for i := from + pc.rare; i <= last; i++ {
		// Eight bytes at a time up to the next one that may be it. The lowest bit that is set marks it; bits above may be wrong.
		for i+8 <= len(text) {
			x := (binary.LittleEndian.Uint64(text[i:]) | caseBits) ^ uint64(c)*0x0101010101010101
			if m := (x - 0x0101010101010101) &^ x & 0x8080808080808080; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i > last {
			break
		}
		if text[i]|0x20 == c && equalFold(text[i-pc.rare:i-pc.rare+n], pc.lit) {
			return i - pc.rare, i - pc.rare + n, true
		}
	}
	return 0, 0, false
}

// A regex is a regular expression that is compiled when it is first needed: most of
// the embedded ones are not, in a run over five hundred lines.
type regex struct {
	src string
	facts
	grammar grammar // that must agree with what was found

	standard sync.Once
	re       *regexp.Regexp
	own      sync.Once
	mach     *machine // nil: an expression for the standard library
}

// facts are what analysis finds out about an expression.
type facts struct {
	lits  [][]string // of each set, one is in every text that matches; none: no such set is known
	empty bool       // it may match the empty text
	must  []byteSet  // of each set, one byte is in every text of ASCII alone that matches
	mach  string     // the machine, packed; "" where Pack did not see the expression, or it is one for the standard library
}

// newRegex checks src and flags, a subset of "ims". known has the facts of expressions that Pack checked.
func newRegex(src, flags string, known map[string]facts) (*regex, error) {
	if flags != "" {
		src = "(?" + flags + ")" + src
	}
	if f, ok := known[src]; ok {
		// Fast path - parsing and analysing five hundred expressions would take most of the start-up time.
		return &regex{src: src, facts: f}, nil
	}
	tree, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return &regex{src: src, facts: facts{lits: required(tree), empty: canBeEmpty(tree), must: mustBytes(tree.Simplify(), 0)}}, nil
}

// machine is the expression's automaton program, or nil.
func (r *regex) machine() *machine {
	r.own.Do(func() {
		if r.facts.mach != "" {
			// Fast path - a tenth of the time.
			r.mach = unpackMachine(r.facts.mach)
		}
		if r.mach == nil {
			r.mach = newMachine(r.src)
		}
	})
	return r.mach
}

// find is the standard library's answer.
func (r *regex) find(text []byte) (start, end int, ok bool) {
	r.standard.Do(func() {
		// It parsed, so it compiles, except if it is huge: then it never matches.
		r.re, _ = regexp.Compile(r.src)
	})
	if r.re == nil {
		return 0, 0, false
	}
	if m := r.re.FindIndex(text); m != nil {
		return m[0], m[1], true
	}
	return 0, 0, false
}
