package rule

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"
)

// A machine is what the automata of one regular expression share: its program and the classes of
// runes that the program tells apart. It is immutable.
//
// The standard library runs an expression with 150 alternatives at 1.4 microseconds a byte. Here its states are
// built as texts need them and kept: 3.6 ns a byte once they are there (BenchmarkAlternatives).
type machine struct {
	prog     []inst
	sets     []classSet
	start    uint16
	ascii    [utf8.RuneSelf]uint8
	bounds   []rune // of the classes beyond ASCII: class first+i starts at bounds[i]
	first    int
	runes    []rune // one rune of each class; the last class is the end of the text
	anchored bool   // matches start at the start of the text only
	begin    bool   // the program asks whether the text or a line begins
	words    bool   // the program asks for word boundaries
}

// An inst is an instruction of syntax.Prog, without pointers: hundreds of thousands of them may be alive.
type inst struct {
	op       syntax.InstOp // InstRune for all that read a rune
	set      uint16        // InstRune: index of the classes that it takes
	out, arg uint16
}

// A classSet has a bit for each class of runes.
type classSet [4]uint64

func (c *classSet) has(class int) bool { return c[class>>6]>>(class&63)&1 != 0 }

// add adds the classes from lo to hi.
func (c *classSet) add(lo, hi int) {
	for ; lo <= hi; lo++ {
		c[lo>>6] |= 1 << (lo & 63)
	}
}

const (
	endOfText  = -1
	maxClasses = 200     // of runes; an expression that tells more apart is left to the standard library
	maxProgram = 1 << 16 // instructions; the same
)

// newMachine compiles an expression that parses. It returns nil if it is one for the standard library.
func newMachine(src string) *machine {
	tree, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > maxProgram {
		return nil
	}
	m := &machine{start: uint16(prog.Start), anchored: prog.StartCond()&syntax.EmptyBeginText != 0}
	cuts := map[rune]bool{0: true, utf8.RuneSelf: true}
	span := func(lo, hi rune) { cuts[lo], cuts[hi+1] = true, true }
	for i := range prog.Inst {
		in := &prog.Inst[i]
		switch in.Op {
		case syntax.InstRune, syntax.InstRune1:
			r := in.Rune
			if len(r) == 1 {
				span(r[0], r[0])
				if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
					for f := unicode.SimpleFold(r[0]); f != r[0]; f = unicode.SimpleFold(f) {
						span(f, f)
					}
				}
				continue
			}
			for k := 0; k+1 < len(r); k += 2 {
				span(r[k], r[k+1])
			}
		case syntax.InstRuneAnyNotNL:
			span('\n', '\n')
		case syntax.InstEmptyWidth:
			op := syntax.EmptyOp(in.Arg)
			if op&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0 && !m.words {
				m.words = true
				span('0', '9')
				span('A', 'Z')
				span('a', 'z')
				span('_', '_')
			}
			if op&(syntax.EmptyBeginLine|syntax.EmptyEndLine) != 0 {
				span('\n', '\n')
			}
			if op&(syntax.EmptyBeginText|syntax.EmptyBeginLine) != 0 {
				m.begin = true
			}
		}
	}
	all := make([]rune, 0, len(cuts))
	for r := range cuts {
		all = append(all, r)
	}
	slices.Sort(all)
	if len(all) > maxClasses {
		return nil
	}
	if all[len(all)-1] > unicode.MaxRune {
		all = all[:len(all)-1]
	}
	m.divide(all)
	m.take(prog)
	return m
}

// divide makes a class of the runes from each of starts, which ascend from 0, to the next.
func (m *machine) divide(starts []rune) {
	for class, r := range starts {
		if r >= utf8.RuneSelf {
			if m.bounds == nil {
				m.first = class
			}
			m.bounds = append(m.bounds, r)
			continue
		}
		for c := r; c < utf8.RuneSelf && (class+1 == len(starts) || c < starts[class+1]); c++ {
			m.ascii[c] = uint8(class)
		}
	}
	m.runes = append(starts, endOfText)
}

// take translates the program, now that the classes are known: each range of runes in it is a range of classes.
func (m *machine) take(prog *syntax.Prog) {
	known := map[classSet]uint16{}
	m.prog = make([]inst, len(prog.Inst))
	for i := range prog.Inst {
		in, to := &prog.Inst[i], &m.prog[i]
		*to = inst{op: in.Op, out: uint16(in.Out)}
		var set classSet
		switch in.Op {
		case syntax.InstRune, syntax.InstRune1:
			if r := in.Rune; len(r) == 1 {
				set.add(m.classOf(r[0]), m.classOf(r[0]))
				if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
					for f := unicode.SimpleFold(r[0]); f != r[0]; f = unicode.SimpleFold(f) {
						set.add(m.classOf(f), m.classOf(f))
					}
				}
			} else {
				for k := 0; k+1 < len(r); k += 2 {
					set.add(m.classOf(r[k]), m.classOf(r[k+1]))
				}
			}
		case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			set.add(0, len(m.runes)-2)
			if in.Op == syntax.InstRuneAnyNotNL {
				nl := m.classOf('\n')
				set[nl>>6] &^= 1 << (nl & 63)
			}
		default:
			to.arg = uint16(in.Arg)
			continue
		}
		to.op = syntax.InstRune
		at, ok := known[set]
		if !ok {
			at = uint16(len(m.sets))
			known[set] = at
			m.sets = append(m.sets, set)
		}
		to.set = at
	}
}

// classOf is the class of a rune.
func (m *machine) classOf(r rune) int {
	if r < utf8.RuneSelf {
		return int(m.ascii[r])
	}
	return m.first + sort.Search(len(m.bounds), func(i int) bool { return m.bounds[i] > r }) - 1
}

// What the first bytes of a packed machine and of its instructions say.
const (
	packAnchored = 1 << iota
	packBegin
	packWords

	packNext = 0x80 // the instruction after this one follows
	packOp   = 0x0f
)

// append packs a machine, in some four bytes an instruction.
func (m *machine) append(b []byte) []byte {
	var flags byte
	for i, on := range []bool{m.anchored, m.begin, m.words} {
		if on {
			flags |= 1 << i
		}
	}
	b = binary.AppendUvarint(append(b, flags), uint64(m.start))
	starts := m.runes[:len(m.runes)-1]
	b = binary.AppendUvarint(b, uint64(len(starts)))
	last := rune(0)
	for _, r := range starts {
		b = binary.AppendUvarint(b, uint64(r-last))
		last = r
	}
	b = binary.AppendUvarint(b, uint64(len(m.sets)))
	for _, s := range m.sets {
		words := 0
		for i, w := range s {
			if w != 0 {
				words |= 1 << i
			}
		}
		b = append(b, byte(words))
		for _, w := range s {
			if w != 0 {
				b = binary.AppendUvarint(b, w)
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(len(m.prog)))
	for i, in := range m.prog {
		op := byte(in.op)
		if int(in.out) == i+1 {
			op |= packNext
		}
		if b = append(b, op); op&packNext == 0 {
			b = binary.AppendUvarint(b, uint64(in.out))
		}
		if in.op == syntax.InstRune {
			b = binary.AppendUvarint(b, uint64(in.set))
		} else {
			b = binary.AppendUvarint(b, uint64(in.arg))
		}
	}
	return b
}

// unpackMachine reads what append wrote. It returns nil if that is damaged.
func unpackMachine(packed string) *machine {
	u := unpacker{src: packed}
	flags := u.bits(7)
	m := &machine{start: uint16(u.uvarint()), anchored: flags&packAnchored != 0, begin: flags&packBegin != 0, words: flags&packWords != 0}
	n := u.uvarint()
	if n > maxClasses || n == 0 {
		return nil
	}
	starts, last := make([]rune, n, n+1), rune(0)
	for i := range starts {
		last += rune(u.uvarint())
		starts[i] = last
	}
	m.divide(starts)
	if n = u.uvarint(); n > len(u.src) {
		return nil
	}
	m.sets = make([]classSet, n)
	for i := range m.sets {
		words := u.bits(7)
		for w := range m.sets[i] {
			if words>>w&1 != 0 {
				m.sets[i][w] = u.bits(64)
			}
		}
	}
	if n = u.uvarint(); n > len(u.src) {
		return nil
	}
	m.prog = make([]inst, n)
	for i := range m.prog {
		if len(u.src) == 0 {
			return nil
		}
		op, to := u.src[0], &m.prog[i]
		u.src = u.src[1:]
		to.op, to.out = syntax.InstOp(op&packOp), uint16(i+1)
		if op&packNext == 0 {
			to.out = uint16(u.uvarint())
		}
		if to.op == syntax.InstRune {
			to.set = uint16(u.uvarint())
		} else {
			to.arg = uint16(u.uvarint())
		}
		if int(to.out) >= n || to.op == syntax.InstRune && int(to.set) >= len(m.sets) || (to.op == syntax.InstAlt || to.op == syntax.InstAltMatch) && int(to.arg) >= n {
			return nil
		}
	}
	if u.bad || int(m.start) >= n {
		return nil
	}
	return m
}
