package witness

import "bytes"

// What the classifier looks at of a text: the neighbourhood of its telling bytes. Harmless words before, behind and between
// would only dilute what they say.
const (
	minTelling = 3   // bytes of the shortest text that can be an attack
	maxPart    = 256 // bytes of a part
	nearby     = 20  // bytes kept on either side of a telling one
	partHop    = 192 // bytes from a part to the next where telling bytes stand close for long
	maxParts   = 24  // parts of one text: those at its front, and the last
	maxName    = 48  // bytes of a name before data
)

// signs are bytes without which a text does nothing in most languages that attacks are written in.
var signs = func() (t [256]bool) {
	for _, c := range []byte("<>\"`;|\\(){}[]$=\r\n") {
		t[c] = true
	}
	return t
}()

// Parts appends the parts of a canonical text that can be an attack, as offsets, to dst. Words, numbers, names, prices and
// smiles are none, nor is the address of a page elsewhere: what the classifier would say of them is chance.
// Most attacks of words alone are left to the rules.
func Parts(dst [][2]int, text []byte) [][2]int {
	if len(text) < minTelling || isElsewhere(text) || isData(text) {
		return dst
	}
	if isChain(text) {
		return append(dst, [2]int{0, min(len(text), maxPart)})
	}
	first, from, end := len(dst), -1, 0
	flush := func() {
		if from < 0 {
			return
		}
		// Words that the window cuts in two say nothing.
		for at := from; from > 0 && at < from+nearby; at++ {
			if text[at-1] == ' ' {
				from = at
				break
			}
		}
		for at := end; end < len(text) && at > end-nearby; at-- {
			if text[at] == ' ' {
				end = at
				break
			}
		}
		for at := from; ; at += partHop {
			part := [2]int{at, min(at+maxPart, end)}
			if part[1] == end {
				part[0] = max(from, end-maxPart)
			}
			if len(dst)-first < maxParts {
				dst = append(dst, part)
			} else {
				dst[len(dst)-1] = part // the last one counts
			}
			if part[1] == end {
				return
			}
		}
	}
	slash := -2 * nearby
	for i, c := range text {
		if !ordinary[c] || c == 'u' && union(text[i:]) {
			if c == '/' && i-slash > nearby && i > 0 && isWord(text[i-1]) && i+1 < len(text) && isWord(text[i+1]) {
				slash = i // and/or
				continue
			}
			if !signs[c] && c != '/' && c != 'u' && !sign(text, i) {
				continue
			}
			if from < 0 || i-nearby > end {
				flush()
				from = max(i-nearby, 0)
			}
			end = min(i+1+nearby, len(text))
		}
	}
	flush()
	return dst
}

// ordinary bytes are never telling.
var ordinary = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x80 || isWord(byte(c)) || c == ' ' || c == ',' || c == '_' || c == '?' || c == '!' || c == '~' || c == '^' || c == '+'
	}
	return t
}()

// sign tells whether the byte at i, one that means something only next to others, is telling.
func sign(text []byte, i int) bool {
	var prev, next byte
	if i > 0 {
		prev = text[i-1]
	}
	if i+1 < len(text) {
		next = text[i+1]
	}
	switch c := text[i]; c {
	case '\'': // not the one in o'brien
		return !isWord(prev) || !isWord(next)
	case '-', '.', '&', '@', '%', ':':
		return prev == c && (i < 2 || text[i-2] != c || c == '.')
	case '*':
		return prev == '/' || next == '/' || prev == '*'
	case '#': // a comment that ends a query
		return i > 0 && !isWord(prev) && prev != ' ' || i > 1 && next == 0 && (isWord(text[i-2]) || '0' <= prev && prev <= '9')
	}
	return false
}

// union tells whether text begins with the two words that need no sign.
func union(text []byte) bool {
	return bytes.HasPrefix(text, []byte("union")) && bytes.Contains(text[:min(len(text), 40)], []byte("select"))
}

// isElsewhere tells whether text is an http URL, with a name before it or not, and nothing else, of a host with such a name as a stranger's would have.
func isElsewhere(text []byte) bool {
	if i := bytes.IndexByte(text, '='); i > 0 && i < 32 && passed(text[:i], inKey) { // url=http://...
		text = text[i+1:]
	}
	rest, ok := bytes.CutPrefix(text, []byte("http"))
	if !ok {
		return false
	}
	rest = bytes.TrimPrefix(rest, []byte("s"))
	if rest, ok = bytes.CutPrefix(rest, []byte("://")); !ok {
		return false
	}
	end, dots, letters := 0, 0, 0
	for end < len(rest) && rest[end] != '/' && rest[end] != '?' && rest[end] != '#' {
		switch c := rest[end]; {
		case 'a' <= c && c <= 'z':
			letters++
		case c == '.':
			dots, letters = dots+1, 0 // letters of the last label count
		case '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
		end++
	}
	host := rest[:end]
	if dots == 0 || letters < 2 || bytes.Contains(host, []byte("internal")) || bytes.Contains(host, []byte("metadata")) || bytes.HasPrefix(host, []byte("0x")) {
		return false
	}
	query := false
	for i, c := range rest[end:] {
		switch {
		case c == '?':
			query = true
		case plain[c]&inPath != 0, c >= 0x80, query && (c == '&' || c == '+' || c == '%'), c == '#', c == '%':
			if c == '.' && rest[end+i-1] == '.' {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// isData tells whether text is JSON none of whose names and strings can be an attack: its brackets and quotes are those of data, as in
// the state of a page or a filter that an application writes into its own addresses, or what an agent says of itself behind its name
// ("pip/23.3.2 {"ci":true}").
func isData(text []byte) bool {
	for at, c := range text[:min(len(text), maxName)] {
		if c == '{' {
			text = text[at:]
			break
		}
		if plain[c]&inKey == 0 && c != ' ' && (c != '/' || at == 0 || !isWord(text[at-1])) {
			break
		}
	}
	if c := text[0]; c != '{' && c != '[' {
		return false
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth < 0 {
				return false
			}
		case c == '"':
			n := bytes.IndexByte(text[i+1:], '"')
			if n < 0 {
				return false
			}
			leaf := text[i+1 : i+1+n] // One with a backslash has a part.
			if bytes.IndexByte(leaf, '$') == 0 || len(Parts(nil, leaf)) > 0 {
				return false
			}
			i += n + 1
		case c == ',' || c == ':' || c == ' ' || '0' <= c && c <= '9' || c == '-' || c == '.':
		case bytes.HasPrefix(text[i:], []byte("null")), bytes.HasPrefix(text[i:], []byte("true")):
			i += 3
		case bytes.HasPrefix(text[i:], []byte("false")):
			i += 4
		default:
			return false
		}
	}
	return depth == 0
}

// isChain tells whether text is a chain of names of a program, such as java.lang.runtime.
func isChain(text []byte) bool {
	at := bytes.IndexByte(text, '.')
	return at > 0 && bytes.IndexByte(text, ' ') < 0 && dotted(text)
}

func isWord(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c >= 0x80 }
