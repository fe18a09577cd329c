package decode

import (
	"bytes"
	"unicode/utf8"
)

const (
	maxComment = 1024 // longest SQL comment that is cut out
	maxLookup  = 128  // longest ${...} that is resolved
	maxUTF7    = 256  // longest UTF-7 sequence in characters
)

// rawByte marks what %HH and \xHH write: a byte, which may be a piece of a character.
const rawByte = 1 << 24

// undo undoes one level of every encoding of buf[base:] in place, and tells whether
// anything changed. No step makes text longer, so what is written never overtakes what is read. Every
// decision is the same for upper and lower case, except in UTF-7, which begins with a capital.
func undo(buf []byte, base int) (out []byte, changed bool) {
	b := buf[base:]
	n := len(b)
	i := 0
	for i < n && class[b[i]]&undone == 0 {
		i++
	}
	w := i
	inVersion := false        // inside /*!50000 ... */
	odd, json := false, false // a backslash stood for itself; every later one begins a JSON escape
	closing := -1             // where the next end of a comment is, once looked for; n if there is none
loop:
	for i < n {
		c := b[i]
		for class[c]&undone == 0 {
			b[w] = c
			w++
			if i++; i == n {
				break loop
			}
			c = b[i]
		}
		var prev byte
		if w > 0 {
			prev = b[w-1]
		}
		var r rune // what the next k bytes stand for; k == 0: the byte itself
		var k int
		switch c {
		case ' ':
			if prev == ' ' && w > 0 {
				i++
				changed = true
				continue
			}
		case 0:
			k = 1
		case '\t', '\n', '\v', '\f', '\r':
			if c == '\n' {
				w = cutLineComment(b[:w])
			}
			r, k = ' ', 1
		case '%':
			r, k = percent(b[i:n])
		case '&':
			r, k = entity(b[i:n])
		case '+':
			if units, used := utf7(b[i:n], nil); used > 0 {
				utf7(b[i:n], b[w:])
				w += units
				i += used
				changed = true
				continue
			}
			end := i
			for end < n && b[end] == '+' {
				end++
			}
			if end-i > 1 {
				if _, used := utf7(b[end-1:n], nil); used > 0 {
					end--
				}
			}
			if !plusIsSpace(b[:n], i, prev) {
				w += copy(b[w:], b[i:end])
				i = end
				continue
			}
			r, k = ' ', end-i
		case '\\':
			run := 1
			for i+run < n && b[i+run] == '\\' {
				run++
			}
			var next byte
			if i+run < n {
				next = b[i+run]
			}
			if run > 1 {
				if isHostStart(prev, next) { // \\host\share keeps two
					w += copy(b[w:], `\\`)
					i += run
					changed = changed || run > 2
					continue
				}
				i += run - 1 // \\\\ is one backslash, escaped again and again
				changed = true
			}
			if r, k = backslash(b[i:n]); k > 0 {
				break
			}
			if l := next | 0x20; (l == 'n' || l == 'r' || l == 't') && prev != '.' && prev != ':' && !odd {
				json = json || jsonEscapes(b[i:n])
				if odd = !json; json {
					r, k = ' ', 2
					if l == 'n' {
						r = '\n' // the next pass looks for a comment before it
					}
					break
				}
			}
			if word, used := shellWord(b[:w], b[i:n]); used > 0 {
				w += copy(b[w:], word)
				i += used
				changed = true
				continue
			}
			odd = true
		case '\'', '"', '`', '^':
			if i+2 < n && b[i+1] == c && c != '^' && isAlnum(prev) && isAlnum(b[i+2]) {
				i += 2 // c''at
				changed = true
				continue
			}
			if word, used := shellWord(b[:w], b[i:n]); used > 0 {
				w += copy(b[w:], word)
				i += used
				changed = true
				continue
			}
		case '*':
			if inVersion && i+1 < n && b[i+1] == '/' {
				inVersion = false
				r, k = ' ', 2
				break
			}
			if prev != '/' {
				break
			}
			if v := versionComment(b[i:n]); v > 0 {
				inVersion = true
				w--
				r, k = ' ', v
				break
			}
			if closing <= i {
				if closing = bytes.Index(b[i+1:n], commentEnd); closing < 0 {
					closing = n
				} else {
					closing += i + 1
				}
			}
			if closing == n || closing-i > maxComment {
				break
			}
			w--
			hidden := b[i+1 : closing]
			if !harmless(hidden) { // never lose a payload: it goes after the text
				buf = append(buf, ' ')
				buf = append(buf, hidden...)
				b = buf[base:]
			}
			r, k = ' ', closing+2-i
		case '$':
			if v := fieldSeparator(b[i:n]); v > 0 {
				r, k = ' ', v
			} else if i+2 < n && (b[i+1] == '@' || b[i+1] == '*') && isLetter(prev) && isLetter(b[i+2]) {
				k = 2
			}
		case '}':
			if v := lookup(b[:w]); v >= 0 {
				w = v
				i++
				changed = true
				continue
			}
		default:
			if c < 0x80 {
				break
			}
			if r, k = overlong(b[i:n]); k > 0 {
				break
			}
			var size int
			if r, size = utf8.DecodeRune(b[i:n]); size == 1 {
				break // a raw byte of another character set
			}
			text, ok := fold(r, prev)
			if !ok {
				w += copy(b[w:], b[i:i+size])
				i += size
				continue
			}
			if text != " " {
				w += copy(b[w:], text)
				i += size
				changed = true
				continue
			}
			r, k = ' ', size
		}
		switch {
		case k == 0:
			b[w] = c
			w++
			i++
			continue
		case r&^rawByte == 0: // a NUL byte, however written, ends no string that a database or shell sees
		case r&^rawByte == ' ':
			if w == 0 || b[w-1] != ' ' {
				b[w] = ' '
				w++
			}
		case r&rawByte != 0 || r < 0x80:
			b[w] = byte(r)
			w++
		default:
			w += utf8.EncodeRune(b[w:], r)
		}
		i += k
		changed = true
	}
	if len(b) > n {
		w += copy(b[w:], b[n:])
	}
	return buf[:base+w], changed
}
