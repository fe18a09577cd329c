package rule

import (
	"encoding/binary"
	"math/bits"
)

// Kinds of bytes, a bit each: a letter in either case, a sign, any digit, any control byte, any byte beyond ASCII. What kinds a text has is
// found out in a quarter of the time that a search takes, and spares most of the searching.
type kinds64 uint64

const (
	digitKind  kinds64 = 1 << 58
	beyondKind kinds64 = 1 << 59
	looked     kinds64 = 1 << 63 // no kind: they were looked up
)

// kindOf: letters take bits 0 to 25, what else is printable 26 to 56 and 60, control bytes 57.
var kindOf = func() (t [256]kinds64) {
	next := 26
	for c := range t {
		switch b := byte(c); {
		case b >= 0x80:
			t[c] = beyondKind
		case b < ' ' || b == 0x7f:
			t[c] = 1 << 57
		case '0' <= b && b <= '9':
			t[c] = digitKind
		case 'a' <= b|0x20 && b|0x20 <= 'z':
			t[c] = 1 << (b | 0x20 - 'a')
		default:
			if next == 57 {
				next = 60
			}
			t[c] = 1 << next
			next++
		}
	}
	return t
}()

// blandKinds are those of which most request targets and addresses consist. Half of the literals have others, and hardly any short one is left: what
// is looked for around "or" and "id" has blanks, quotes or brackets.
var blandKinds = func() (k kinds64) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyz0/-_.?=&,:") {
		k |= kindOf[c]
	}
	return k
}()

func kindsOf[T string | []byte](text T) (k kinds64) {
	for i := range len(text) {
		k |= kindOf[text[i]]
	}
	return k
}

// look finds out the kinds of a text that will be searched.
func (v *gathered) look() kinds64 {
	if v.kinds == 0 {
		k, text, t := looked, v.text, &kindOf
		for ; len(text) >= 8; text = text[8:] {
			w := binary.LittleEndian.Uint64(text)
			k |= t[byte(w)] | t[byte(w>>8)] | t[byte(w>>16)] | t[byte(w>>24)] | t[byte(w>>32)] | t[byte(w>>40)] | t[byte(w>>48)] | t[w>>56]
		}
		v.kinds = k | kindsOf(text)
	}
	return v.kinds
}

// mustKinds are the kinds of the sets of bytes that an expression must have; unused ones are 0.
func mustKinds(must []byteSet) (list [maxMust]kinds64) {
	for i, b := range must {
		for half, set := range b {
			for ; set != 0; set &= set - 1 {
				list[i] |= kindOf[half<<6|bits.TrailingZeros64(set)]
			}
		}
		if list[i] == 0 {
			list[i] = beyondKind // no byte of ASCII: never in a text of ASCII alone
		}
	}
	return list
}

// lacks tells whether texts of ASCII alone with bytes of these kinds cannot have what the predicate's expression must have.
func (q *pred) lacks(k kinds64) bool {
	for _, must := range q.must {
		if must == 0 {
			return false
		}
		if must&k == 0 {
			return true
		}
	}
	return false
}

// bland tells whether a text has blandKinds alone.
func bland(k kinds64) bool { return k&^(blandKinds|looked) == 0 }

// excluded tells whether a text lacks bytes that the predicate's expression must have.
func (q *pred) excluded(v *gathered) bool {
	if q.must[0] == 0 {
		return false
	}
	k := v.look()
	return k&beyondKind == 0 && q.lacks(k)
}
