package decode

import "unicode/utf8"

// minToken is the shortest base64 token that is looked at: 11 bytes of text. Any run
// this long covers a whole aligned block of 8, which is what Needed looks for.
const minToken = 15

// base64Value maps both alphabets; 0xff is none.
var base64Value [256]uint8

func init() {
	for i := range base64Value {
		base64Value[i] = 0xff
	}
	for i := range 26 {
		base64Value['A'+i] = uint8(i)
		base64Value['a'+i] = uint8(26 + i)
	}
	for i := range 10 {
		base64Value['0'+i] = uint8(52 + i)
	}
	base64Value['+'], base64Value['-'] = 62, 62
	base64Value['/'], base64Value['_'] = 63, 63
}

// tokenAround returns the run of letters that may be base64 around s[i].
func tokenAround(s []byte, i int) (start, end int) {
	start, end = i, i
	for start > 0 && class[s[start-1]]&no64 == 0 {
		start--
	}
	for end < len(s) && class[s[end]]&no64 == 0 {
		end++
	}
	return start, end
}

// nextToken finds the next run in s[at:] that looks like base64; start == end if there is none.
func nextToken(s []byte, at int) (start, end int) {
	for i := at + minToken - 1; i < len(s); i += minToken {
		if class[s[i]]&no64 != 0 {
			continue // no run of minToken can jump over i
		}
		start, end = tokenAround(s, i)
		start = max(start, at)
		if end-start >= minToken && looksBase64(s[start:end]) {
			return start, end
		}
		i = end - 1
	}
	return 0, 0
}

// looksBase64 tells whether token's first bytes decode to text. A capital is required: texts without one
// are words, hexadecimal numbers, or were lower-cased by Canonical.
func looksBase64(token []byte) bool {
	var head [6]byte
	for g := range 2 {
		v := uint32(0)
		for _, c := range token[4*g : 4*g+4] {
			v = v<<6 | uint32(base64Value[c])
		}
		head[3*g], head[3*g+1], head[3*g+2] = byte(v>>16), byte(v>>8), byte(v)
	}
	wide := head[1] == 0 && head[3] == 0 && head[5] == 0 // UTF-16, as PowerShell wants it
	for i, c := range head {
		if !isText(c) && !(wide && i&1 == 1) {
			return false
		}
	}
	for _, c := range token {
		if 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}

// appendBase64 appends what the token at out[start:n] decodes to, at most room bytes, if
// that is mostly text. next is where the token ends.
func appendBase64(out []byte, start, n, room int) (_ []byte, next int) {
	from := len(out)
	var bits, have uint32
	joined, keep := 0, 0 // where the first '/', '+' or space was taken for a letter, and what had been decoded by then
	i := start
	for ; i < n && len(out)-from < room; i++ {
		c := out[i]
		if c == ' ' && i+1 < n && base64Value[out[i+1]] < 64 {
			c = '+' // as a form or undo left it
		}
		v := base64Value[c]
		if v > 63 {
			break
		}
		if joined == 0 && (c == '/' || c == '+') {
			joined, keep = i, len(out)
		}
		bits = bits<<6 | uint32(v)
		if have += 6; have >= 8 {
			have -= 8
			out = append(out, byte(bits>>have))
		}
	}
	if joined > 0 && !mostlyText(out[from:]) { // it was the next segment of a path, or the next word
		out, i = out[:keep], joined
	}
	if !mostlyText(out[from:]) {
		return out[:from], i
	}
	return out, i
}

// mostlyText tells whether at least seven of eight bytes are text; NUL counts, since UTF-16 is full of it.
func mostlyText(s []byte) bool {
	whole := utf8.Valid(s)
	odd := 0
	for _, c := range s {
		if !isText(c) && c != 0 && (c < 0x80 || !whole) {
			odd++
		}
	}
	return len(s) >= minToken*3/4 && odd*8 <= len(s)
}

func isText(c byte) bool { return c >= ' ' && c < 0x7f || isSpace(c) }
