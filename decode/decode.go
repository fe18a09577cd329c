// Package decode undoes what attackers do to text so that rules and models see
// one canonical payload: what the application behind the log would have seen.
// It works on bytes and knows nothing of logs.
//
// Undone, nested up to maxDepth and in any mixture: percent (also %uXXXX), \xHH as
// nginx and Apache httpd write raw bytes, \uXXXX, \u{...} and the other JSON escapes, HTML
// entities, '+' for a space, UTF-7, overlong UTF-8, full-width and other compatibility
// forms, SQL comments, the empty quotes, backslashes and variables of shell
// obfuscation, Log4j lookups such as ${lower:j}, NUL bytes, letter case and runs of white space. What
// stands in base64 is appended, decoded, after the text. Paths are not normalised: "../" stays.
//
// Nothing that a rule could want is dropped: SQL comments go, but what they hide is appended.
package decode

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

const (
	maxDepth  = 6  // passes over a text; each undoes one level of every encoding
	maxTokens = 32 // base64 tokens that are tried in one text
	maxGrowth = 4  // len(Canonical(src)) <= maxGrowth*len(src)
)

// What a byte can mean to the quick pass.
const (
	hard   uint8 = 1 << iota // always worth the slow pass
	soft                     // worth it next to certain neighbours
	space                    // worth it twice in a row
	amp                      // an ampersand: soft, and too common for the general way
	no64                     // cannot stand in a base64 token
	undone                   // undo must look at it
)

var class [256]uint8

func init() {
	for c := range class {
		b := byte(c)
		if !isAlnum(b) && b != '-' && b != '_' {
			class[c] |= no64
		}
		switch {
		case b < ' ' || b >= 0x80 || b == '%' || b == '\\':
			class[c] |= hard | undone
		case b == '&':
			class[c] |= amp | undone
		case b == '+' || b == '$' || b == '\'' || b == '"' || b == '`' || b == '^' || b == '*':
			class[c] |= soft | undone
		case b == ' ':
			class[c] |= space | undone
		case b == '}':
			class[c] |= undone
		}
	}
}

// Needed tells, in one quick pass, whether Canonical(src) could differ from src by
// more than ASCII case.
func Needed(src []byte) bool { return scan(src, true) }

// A Memory is Needed for texts of which many come again: it remembers those that need nothing, by 64 bits of a hash with a secret
// seed, so two of the same bits are not met with in practice and cannot be made. Not for use by several goroutines.
type Memory struct {
	seed  maphash.Seed
	plain []uint64
}

const (
	memoryTexts = 1 << 12 // a power of two; 32 KiB
	worthMemory = 40      // bytes from which on reading a text costs more than remembering it
)

// NewMemory returns one that remembers nothing.
func NewMemory() Memory { return Memory{maphash.MakeSeed(), make([]uint64, memoryTexts)} }

// Needed is the function of this name, and remembers its answer.
func (m *Memory) Needed(src []byte) bool {
	if len(src) < worthMemory {
		return Needed(src)
	}
	h := maphash.Bytes(m.seed, src) | 1 // 0 is no text
	at := &m.plain[h>>32&(memoryTexts-1)]
	if *at == h {
		return false
	}
	if Needed(src) {
		return true
	}
	*at = h
	return false
}

// scan tells whether undo could change src, or, with tokens, base64 stands in it.
func scan(src []byte, tokens bool) bool {
	if len(src) < 8 {
		return special(src)
	}
	const spaces, amps, low7 = 0x2020202020202020, 0x2626262626262626, 0x7f7f7f7f7f7f7f7f
	var carry uint64 // 0x80 if the byte before the block is a space
	seen := 0        // end of the last run of letters that was no base64
	t := &class
	for i := 0; i < len(src); i += 8 {
		if i+8 > len(src) {
			i, carry = len(src)-8, 0 // the last block overlaps the one before
		}
		w := binary.LittleEndian.Uint64(src[i : i+8])
		v := uint32(w >> 32)
		acc := t[byte(w)] | t[byte(w>>8)] | t[byte(w>>16)] | t[byte(uint32(w)>>24)] | t[byte(v)] | t[byte(v>>8)] | t[byte(v>>16)] | t[v>>24]
		if acc&hard != 0 {
			return true
		}
		if acc&space == 0 {
			carry = 0
		} else {
			x := w ^ spaces
			z := ^((x & low7) + low7 | x | low7) // 0x80 where w has a space
			if z&(z<<8|carry) != 0 {
				return true
			}
			carry = z >> 56
		}
		if acc&amp != 0 {
			x := w ^ amps
			for z := ^((x & low7) + low7 | x | low7); z != 0; z &= z - 1 {
				if _, n := entity(src[i+bits.TrailingZeros64(z)>>3:]); n > 0 {
					return true
				}
			}
		}
		if acc&soft != 0 {
			for j := i; j < i+8; j++ {
				if class[src[j]]&soft != 0 && softNeeds(src, j) {
					return true
				}
			}
		}
		// Fast path - a token of minToken letters covers a whole aligned block, so shorter words are never looked at.
		if acc&no64 == 0 && tokens && i >= seen && (i > 0 && class[src[i-1]]&no64 == 0 || i+8 < len(src) && class[src[i+8]]&no64 == 0) {
			start, end := tokenAround(src, i)
			if seen = end; end-start >= minToken && looksBase64(src[start:end]) {
				return true
			}
		}
	}
	return false
}

// special is scan, without tokens, for texts of any length.
func special(s []byte) bool {
	for i, c := range s {
		k := class[c]
		if k&(hard|soft|space|amp) == 0 {
			continue
		}
		if k&hard != 0 || k&space != 0 && i > 0 && s[i-1] == ' ' || k&(soft|amp) != 0 && softNeeds(s, i) {
			return true
		}
	}
	return false
}

// softNeeds tells whether undo could change the soft byte s[i].
func softNeeds(s []byte, i int) bool {
	var prev, next byte
	if i > 0 {
		prev = s[i-1]
	}
	if i+1 < len(s) {
		next = s[i+1]
	}
	switch c := s[i]; c {
	case '+':
		if prev == '+' {
			return next == 'A' // else the first of the run decides
		}
		return next == 'A' || plusIsSpace(s, i, prev)
	case '&':
		_, n := entity(s[i:])
		return n > 0
	case '$':
		return next == '{' || next == '@' || next == '*' || next|0x20 == 'i'
	case '*':
		return prev == '/'
	default: // quotes and the caret
		return isAlnum(prev) && (next == c || isLetter(next) || isQuote(next))
	}
}

// Canonical appends the canonical form of src to dst and returns it. changed is false, and
// nothing appended, if src is its own canonical form apart from ASCII case. The canonical
// form of a canonical form is itself, unless encodings were nested deeper than maxDepth.
// It allocates only where dst has too little room; twice len(src) is plenty for most texts.
func Canonical(dst, src []byte) (out []byte, changed bool) {
	out, changed, _ = canonical(dst, src)
	return out, changed
}

// canonical also tells whether every level of encoding was undone.
func canonical(dst, src []byte) (out []byte, changed, settled bool) {
	if !Needed(src) {
		return dst, false, true
	}
	base := len(dst)
	out = append(dst, src...)
	out, changed, settled = settle(out, base)

	found := false
	at := base
	for range maxTokens {
		start, end := nextToken(out, at)
		if start == end {
			break
		}
		n := len(out)
		if out[n-1] != ' ' {
			out = append(out, ' ')
		}
		from := len(out)
		room := maxGrowth*len(src) - (from - base)
		if out, at = appendBase64(out, start, n, room); len(out) == from {
			out, at = out[:n], end
			continue
		}
		found, changed = true, true
		// What was decoded may be encoded itself, also in base64: the loop reaches it.
		var ok bool
		out, _, ok = settle(out, from)
		settled = settled && ok
	}
	if found { // the pieces have new neighbours
		var ok bool
		out, _, ok = settle(out, base)
		settled = settled && ok
	}
	if !changed {
		return out[:base], false, true
	}
	lower(out[base:])
	return out, true, settled
}

// settle undoes buf[base:] in place until nothing changes or maxDepth is reached.
func settle(buf []byte, base int) (out []byte, changed, settled bool) {
	for range maxDepth {
		var again bool
		if buf, again = undo(buf, base); !again {
			return buf, changed, true
		}
		changed = true
		if !scan(buf[base:], false) {
			return buf, true, true
		}
	}
	return buf, changed, false
}

// lower lower-cases ASCII, eight letters at a time.
func lower(b []byte) {
	const each = 0x0101010101010101
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		low := w & (0x7f * each)
		capital := (low + (0x80-'A')*each) ^ (low + (0x80-'Z'-1)*each)
		binary.LittleEndian.PutUint64(b, w|(capital&^w&(0x80*each))>>2)
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
}

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isAlnum(c byte) bool  { return isLetter(c) || isDigit(c) }
func isQuote(c byte) bool  { return c == '\'' || c == '"' || c == '`' || c == '^' || c == '\\' }
func isSpace(c byte) bool  { return c == ' ' || '\t' <= c && c <= '\r' }
