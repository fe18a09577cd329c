package rule

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// An automaton runs a machine, one per Matcher. States are built when they are first reached.
type automaton struct {
	*machine
	next   []int32 // state*stride + class -> state
	stride int
	states []dfaState
	pcs    []uint16         // of all states
	index  []int32          // states by hash, open addressing; 0 = free
	search [numStarts]int32 // start states of a search, by what stands before; 0 = not built
	here   [numStarts]int32 // the same, of a match that must start here
	resets int
	broken bool // thrashes: the standard library is better

	queue []uint16 // scratch of build
	seen  []uint32
	mark  uint32
}

// A dfaState is a set of program counters before what follows them without a rune, and what stands before.
type dfaState struct {
	from, to int32 // in pcs, ascending
	hash     uint32
	before   uint8
	loop     bool // a match may also start later
}

// What stands before a position.
const (
	atBegin   = 0 // nothing
	afterLine = 1
	afterWord = 2
	afterRest = 3
	numStarts = 4
)

// States that are none.
const (
	stateUnknown = 0
	stateDead    = 1 // nothing can match any more
	stateMatch   = 2
	firstState   = 3
	matchedHere  = 1 << 30 // flag on a state: a match ends before the rune that led to it
)

const (
	maxStates = 600 // of one automaton; past it, it starts afresh
	maxResets = 20  // after which it gives up
)

func newAutomaton(m *machine) *automaton {
	a := &automaton{machine: m, stride: len(m.runes), seen: make([]uint32, len(m.prog))}
	a.reset()
	return a
}

func (a *automaton) reset() {
	a.next = make([]int32, firstState*a.stride, 16*a.stride)
	a.states = append(a.states[:0], make([]dfaState, firstState)...)
	a.pcs, a.index = a.pcs[:0], make([]int32, 64)
	a.search, a.here = [numStarts]int32{}, [numStarts]int32{}
}

// size is about the memory that the automaton holds, in bytes.
func (a *automaton) size() int {
	return 4*cap(a.next) + 16*cap(a.states) + 2*cap(a.pcs) + 4*len(a.index)
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
}

// normal drops what the program does not ask.
func (a *automaton) normal(before uint8) uint8 {
	switch {
	case before == afterWord && !a.words:
		before = afterRest
	case before == afterLine && !a.begin:
		before = afterRest
	case before == atBegin && !a.begin:
		before = afterRest
	}
	return before
}

func (a *automaton) start(before uint8, loop bool) int32 {
	before = a.normal(before)
	cached := &a.search[before]
	if !loop {
		cached = &a.here[before]
	}
	if *cached == 0 {
		a.queue = append(a.queue[:0], a.machine.start)
		s := a.state(before, loop)
		cached = &a.search[before] // state may have reset them
		if !loop {
			cached = &a.here[before]
		}
		*cached = s
	}
	return *cached
}

// state finds or adds the state with the program counters in a.queue.
func (a *automaton) state(before uint8, loop bool) int32 {
	if len(a.queue) == 0 && (!loop || a.anchored) {
		return stateDead
	}
	slices.Sort(a.queue)
	h := uint32(before)
	if loop {
		h |= 4
	}
	for _, pc := range a.queue {
		h = (h ^ uint32(pc)) * hashPrime
	}
	h ^= h >> 15
	mask := uint32(len(a.index) - 1)
	for k := h & mask; a.index[k] != 0; k = (k + 1) & mask {
		st := &a.states[a.index[k]]
		if st.hash == h && st.before == before && st.loop == loop && slices.Equal(a.pcs[st.from:st.to], a.queue) {
			return a.index[k]
		}
	}
	if len(a.states) >= maxStates {
		if a.resets++; a.resets > maxResets {
			a.broken = true
		}
		a.reset()
	}
	s := int32(len(a.states))
	from := int32(len(a.pcs))
	a.pcs = append(a.pcs, a.queue...)
	a.states = append(a.states, dfaState{from, int32(len(a.pcs)), h, before, loop})
	a.next = append(a.next, make([]int32, a.stride)...)
	if 2*len(a.states) > len(a.index) {
		a.index = make([]int32, 2*len(a.index))
		for old := firstState; old < int(s); old++ {
			a.enter(int32(old))
		}
	}
	a.enter(s)
	return s
}

// enter puts a state into the index.
func (a *automaton) enter(s int32) {
	mask := uint32(len(a.index) - 1)
	k := a.states[s].hash & mask
	for a.index[k] != 0 {
		k = (k + 1) & mask
	}
	a.index[k] = s
}

// build works out where class leads from state s.
func (a *automaton) build(s int32, class int) int32 {
	st := a.states[s]
	r := a.runes[class]
	var cond syntax.EmptyOp
	switch {
	case st.before == atBegin:
		cond = syntax.EmptyBeginText | syntax.EmptyBeginLine
	case st.before == afterLine:
		cond = syntax.EmptyBeginLine
	}
	switch {
	case r == endOfText:
		cond |= syntax.EmptyEndText | syntax.EmptyEndLine
	case r == '\n':
		cond |= syntax.EmptyEndLine
	}
	if (st.before == afterWord) != (r != endOfText && isWord(r)) {
		cond |= syntax.EmptyWordBoundary
	} else {
		cond |= syntax.EmptyNoWordBoundary
	}
	matched := int32(0)
	// The closure: all that is reached without a rune, under cond.
	if a.mark++; a.mark == 0 {
		clear(a.seen)
		a.mark = 1
	}
	q := a.queue[:0]
	push := func(pc uint16) {
		if a.seen[pc] != a.mark {
			a.seen[pc] = a.mark
			q = append(q, pc)
		}
	}
	for _, pc := range a.pcs[st.from:st.to] {
		push(pc)
	}
	if st.loop && (!a.anchored || st.before == atBegin) {
		push(a.machine.start)
	}
	for i := 0; i < len(q); i++ {
		in := &a.prog[q[i]]
		switch in.op {
		case syntax.InstAlt, syntax.InstAltMatch:
			push(in.out)
			push(in.arg)
		case syntax.InstCapture, syntax.InstNop:
			push(in.out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.arg)&^cond == 0 {
				push(in.out)
			}
		case syntax.InstMatch:
			if st.loop {
				a.queue = q
				return a.link(s, class, stateMatch)
			}
			matched = matchedHere
		}
	}
	if r == endOfText {
		a.queue = q
		return a.link(s, class, stateDead|matched)
	}
	// The step over r. What it reaches is collected behind the closure.
	closure := len(q)
	if a.mark++; a.mark == 0 {
		clear(a.seen)
		a.mark = 1
	}
	for i := range closure {
		in := &a.prog[q[i]]
		if in.op == syntax.InstRune && a.sets[in.set].has(class) {
			push(in.out)
		}
	}
	a.queue = q[:copy(q, q[closure:])]
	before := uint8(afterRest)
	switch {
	case r == '\n':
		before = afterLine
	case isWord(r):
		before = afterWord
	}
	resets := a.resets
	n := a.state(a.normal(before), st.loop) | matched
	if a.resets != resets {
		return n // s is gone
	}
	return a.link(s, class, n)
}

func (a *automaton) link(s int32, class int, to int32) int32 {
	a.next[int(s)*a.stride+class] = to
	return to
}

// class is the class of the rune at text[i:], and the rune's size; 0 at the end.
func (a *automaton) class(text []byte, i int) (class, size int) {
	if i >= len(text) {
		return len(a.runes) - 1, 0
	}
	if c := text[i]; c < utf8.RuneSelf {
		return int(a.ascii[c]), 1
	}
	r, size := utf8.DecodeRune(text[i:])
	return a.classOf(r), size
}

// match searches text and returns the end of the match that ends first.
func (a *automaton) match(text []byte) (end int, ok bool) {
	s := a.start(atBegin, true)
	if s == stateDead {
		return 0, false
	}
	i := 0
	for {
		// Fast path - ASCII, and a state that is known.
		for i < len(text) && text[i] < utf8.RuneSelf {
			n := a.next[int(s)*a.stride+int(a.ascii[text[i]])]
			if n < firstState {
				break
			}
			s = n
			i++
		}
		class, size := a.class(text, i)
		n := a.next[int(s)*a.stride+class]
		if n == stateUnknown {
			n = a.build(s, class)
		}
		switch {
		case n == stateMatch:
			return i, true
		case n == stateDead || size == 0:
			return 0, false
		}
		s = n
		i += size
	}
}

// longest returns the end of the longest match that starts at text[i:], where before stands before it.
func (a *automaton) longest(before uint8, text []byte, i int, steps *int) (end int, ok bool) {
	s := a.start(before, false)
	for s != stateDead {
		class, size := a.class(text, i)
		n := a.next[int(s)*a.stride+class]
		if n == stateUnknown {
			n = a.build(s, class)
		}
		if n&matchedHere != 0 {
			end, ok = i, true
		}
		if *steps--; size == 0 || *steps < 0 {
			break
		}
		s = n &^ matchedHere
		i += size
	}
	return end, ok
}

// maxSteps bounds, per byte of text, the search for where a match starts.
const maxSteps = 32

// find tells where the expression matches: the leftmost match, and of those the longest.
func (a *automaton) find(text []byte) (start, end int, ok bool) {
	last, ok := a.match(text)
	if !ok {
		return 0, 0, false
	}
	steps := maxSteps * (len(text) + 1)
	before := uint8(atBegin)
	for i := 0; i <= last && steps > 0; {
		if end, ok := a.longest(before, text, i, &steps); ok {
			return i, end, true
		}
		if i == len(text) {
			break
		}
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		before = afterRest
		switch {
		case r == '\n':
			before = afterLine
		case isWord(r):
			before = afterWord
		}
		i += size
	}
	return 0, last, true // it matches, but where would take too long to find
}
