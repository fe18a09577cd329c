package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// A message in human words is cut into tokens before anything is read from it, so that what a client wrote (quoted
// text, paths, URLs, e-mail addresses, JSON, values behind "user=") is never taken for the server's words.

type tokKind uint8

const (
	tWord   tokKind = iota // a word; id tells which, if it is known
	tNumber                // digits
	tAddr                  // an IP address, perhaps with a port
	tPath                  // starts with '/'
	tURL                   //
	tMail                  //
	tQuoted                // in quotes; start and end are inside them
	tJSON                  // {...} or [...] that parses
	tOpaque                // anything else: ids, file names, class names
	tBreak                 // punctuation that ends a clause: . ; , ( ) [ ] |
	tColon                 // : or = after a word
	tArrow                 // ->, =>
)

type tok struct {
	kind       tokKind
	open       byte // the bracket or quote right before it, if any
	id         word
	start, end int32
}

const (
	maxTokens  = 256     // tokens of a message that are looked at, from its front
	maxMessage = 8 << 10 // bytes of a message that are looked at
)

// scratch is an Event's memory for the parsers of this package (event.Event.Spare).
type scratch struct {
	trees [maxDepth + 2]tree // one per level of text in text: the outer ones stay in use
	extra tree               // JSON inside a message
	facts [maxDepth + 2]facts
	obj   object
	memo  [32]keyMemo
	toks  []tok
	key   []byte
	lower []byte
}

func scratchOf(ev *event.Event) *scratch {
	if s, ok := ev.Spare.(*scratch); ok {
		return s
	}
	s := &scratch{toks: make([]tok, 0, 64), key: make([]byte, 0, 128), lower: make([]byte, 0, 64)}
	ev.Spare = s
	return s
}

// tokenize cuts m. JSON in it is only measured (by t).
func (sc *scratch) tokenize(m []byte) []tok {
	toks := sc.toks[:0]
	if len(m) > maxMessage {
		m = m[:maxMessage]
	}
	open := byte(0)
	for i := 0; i < len(m) && len(toks) < maxTokens; {
		switch c := m[i]; c {
		case ' ', '\t', '\n', '\r':
			i++
		case '"', '\'', '`':
			// A quote opens only where a word could start, and only if it closes.
			if i == 0 || !wordByte[m[i-1]] {
				if end := closing(m, i); end > 0 {
					t := tok{kind: tQuoted, open: c, start: int32(i + 1), end: int32(end)}
					if _, n := addrAt(m[i+1 : end]); n > 0 && (i+1+n == end || i+2+n == end && m[end-1] == '.') {
						t.end = int32(i + 1 + n)
						t.kind = tAddr
					}
					toks = append(toks, t)
					i = end + 1
					open = 0
					continue
				}
			}
			i++
		case '{', '[', '(', '<':
			if c == '[' && i+2 < len(m) && (m[i+1] == ':' || hexValue[m[i+1]] < 16) {
				if h, n := addrAt(m[i:]); n > 0 && bytes.IndexByte(h, ':') >= 0 {
					toks = append(toks, tok{kind: tAddr, open: open, start: int32(i), end: int32(i + n)})
					i += n
					open = 0
					continue
				}
			}
			if c == '{' || c == '[' && i+1 < len(m) && (m[i+1] == '{' || m[i+1] == '"') {
				if n := sc.extra.parse(m[i:]); n > 1 && !sc.extra.cut && (c == '{' || n > 2) && len(sc.extra.nodes) > 1 {
					toks = append(toks, tok{kind: tJSON, start: int32(i), end: int32(i + n)})
					i += n
					open = 0
					continue
				}
			}
			toks = append(toks, tok{kind: tBreak, start: int32(i), end: int32(i + 1)})
			open = c
			i++
			continue
		case '-', '=':
			if i+1 < len(m) && m[i+1] == '>' {
				toks = append(toks, tok{kind: tArrow, start: int32(i), end: int32(i + 2)})
				i += 2
			} else {
				if c == '=' {
					toks = append(toks, tok{kind: tColon, start: int32(i), end: int32(i + 1)})
				} else if i+1 < len(m) && m[i+1] == ' ' {
					toks = append(toks, tok{kind: tBreak, start: int32(i), end: int32(i + 1)})
				}
				i++
			}
		case ')', ']', '}', '>', ',', ';', '|', '.', '!', '?':
			if c == '>' && i > 0 && i+1 < len(m) && m[i-1] == ' ' && m[i+1] == ' ' { // tcpdump's arrow
				toks = append(toks, tok{kind: tArrow, start: int32(i), end: int32(i + 1)})
				i++
				break
			}
			toks = append(toks, tok{kind: tBreak, start: int32(i), end: int32(i + 1)})
			i++
		case ':':
			if i+1 < len(m) && m[i+1] == ':' {
				if _, n := addrAt(m[i:]); n > 0 {
					toks = append(toks, tok{kind: tAddr, open: open, start: int32(i), end: int32(i + n)})
					i += n
					break
				}
			}
			toks = append(toks, tok{kind: tColon, start: int32(i), end: int32(i + 1)})
			i++
		default:
			if !wordByte[c] && c != '/' && c != '+' && c != '%' && c != '$' && c < 0x80 {
				i++
				break
			}
			end := i + 1
			for end < len(m) && !tokenEnd[m[end]] {
				end++
			}
			toks, i = sc.token(toks, m, i, end, open)
		}
		open = 0
	}
	sc.toks = toks
	return toks
}

// token appends what the run m[i:end] without blanks and brackets is, and returns where to go on.
func (sc *scratch) token(toks []tok, m []byte, i, end int, open byte) ([]tok, int) {
	add := func(k tokKind, end int) ([]tok, int) {
		return append(toks, tok{kind: k, open: open, start: int32(i), end: int32(end)}), end
	}
	if _, n := addrAt(m[i:]); n > 0 {
		return add(tAddr, i+n)
	}
	run := m[i:end]
	if len(run) > 6 && (string(run[:5]) == "ipv4:" || string(run[:5]) == "ipv6:") {
		if _, n := addrAt(run[5:]); n > 0 {
			i += 5
			return add(tAddr, i+n)
		}
	}
	for len(run) > 1 && (run[len(run)-1] == '.' || run[len(run)-1] == ':' || run[len(run)-1] == '!' || run[len(run)-1] == '?') {
		run = run[:len(run)-1]
	}
	end = i + len(run)
	if run[0] == '/' {
		// A path may hold brackets and quotes that end other tokens.
		for end < len(m) && (m[end] > ' ' && m[end] != '"' && m[end] != '\'' && m[end] != ',' && m[end] != ')' && m[end] != ']' && m[end] != '`' && (m[end] != ':' && m[end] != ';' || end+1 < len(m) && m[end+1] > ' ')) {
			end++
		}
		return add(tPath, end)
	}
	if at := bytes.IndexByte(run, '@'); at > 0 && at < len(run)-1 && !bytes.ContainsAny(run[:at], "=:/") {
		if c := bytes.IndexByte(run[at:], ':'); c > 0 {
			end = i + at + c
		}
		return add(tMail, end)
	}
	// The word up to a separator: "user=x", "Level:", "REG_OK".
	w := 0
	for w < len(run) && (isAlpha(run[w]) || run[w] >= 0x80 || run[w] == '\'' && w > 0) {
		w++
	}
	if w == len(run) || run[w] == '=' || run[w] == ':' || run[w] == '-' || run[w] == '_' || w > 0 && run[w] == '/' && bytes.IndexByte(run, '@') < 0 {
		if at := bytes.IndexByte(run[:min(len(run), w+3)], ':'); at == w && w+2 < len(run) && run[w+1] == '/' && run[w+2] == '/' {
			e := i + w
			for e < len(m) && m[e] > ' ' && m[e] != '"' && m[e] != '\'' && m[e] != ',' && m[e] != ')' && m[e] != '>' && m[e] != '|' {
				e++
			}
			return add(tURL, e)
		}
		if w > 0 && w < len(run) && (run[w] == '-' || run[w] == '_') && opaque(run[w:]) {
			if eq := bytes.IndexByte(run, '='); eq > 0 && !opaque(run[w:eq]) {
				return sc.words(toks, m, i, i+eq), i + eq
			}
			return add(tOpaque, end)
		}
		if w == 0 {
			return toks, i + 1
		}
		if w < len(run) && (run[w] == '-' || run[w] == '_') {
			for w < len(run) && (isAlpha(run[w]) || run[w] == '-' || run[w] == '_') {
				w++
			}
		}
		return sc.words(toks, m, i, i+w), i + w
	}
	if isNumber(run) {
		return add(tNumber, end)
	}
	if eq := bytes.IndexByte(run, '='); eq > 0 && bytes.IndexByte(run[:eq], '@') < 0 { // "a.b=c"
		return add(tOpaque, i+eq)
	}
	if at := bytes.IndexByte(run, '@'); at > 0 && at < len(run)-1 {
		if c := bytes.IndexByte(run[at:], ':'); c > 0 {
			end = i + at + c
		}
		return add(tMail, end)
	}
	if c := bytes.IndexByte(run, ':'); c > 0 && c < len(run)-1 && isNumber(run[:c]) { // "1:WARN"
		return add(tNumber, i+c)
	}
	return add(tOpaque, end)
}

// opaque tells whether s (from a '-' or '_' on) makes its token an identifier: it has digits or dots.
func opaque(s []byte) bool {
	for _, c := range s {
		if isDigit(c) || c == '.' || c == '@' {
			return true
		}
		if c == '=' || c == ':' {
			return false
		}
	}
	return false
}

// words appends the words of m[i:end]: cut at '-' and '_' and where lower case turns to upper.
func (sc *scratch) words(toks []tok, m []byte, i, end int) []tok {
	for i < end {
		if m[i] == '-' || m[i] == '_' {
			i++
			continue
		}
		s := i
		for i++; i < end && m[i] != '-' && m[i] != '_' && !(isUpper(m[i]) && !isUpper(m[i-1])) && !(isUpper(m[i]) && i+1 < end && m[i+1]-'a' < 26 && isUpper(m[i-1])); {
			i++
		}
		sc.lower = sc.lower[:0]
		for _, c := range m[s:min(i, s+24)] {
			sc.lower = append(sc.lower, lower(c))
		}
		toks = append(toks, tok{kind: tWord, id: lexicon[string(sc.lower)], start: int32(s), end: int32(i)})
	}
	return toks
}

func isUpper(c byte) bool { return c-'A' < 26 }

func isNumber(s []byte) bool {
	for _, c := range s {
		if !isDigit(c) {
			return false
		}
	}
	return len(s) > 0
}

// closing returns the index of the quote that closes the one at i, or 0.
func closing(m []byte, i int) int {
	q := m[i]
	for j := i + 1; j < len(m); j++ {
		switch m[j] {
		case '\\':
			j++
		case q:
			// An apostrophe inside a word closes nothing.
			if q == '\'' && j+1 < len(m) && wordByte[m[j+1]] && j > i+1 && wordByte[m[j-1]] {
				continue
			}
			return j
		case '\n':
			if q == '\'' {
				return 0
			}
		}
	}
	return 0
}

// addrAt reads the address that s starts with, as one token: brackets around IPv6 and a port are taken along.
func addrAt(s []byte) (host []byte, n int) {
	if len(s) < 2 || hexValue[s[0]] > 15 && s[0] != ':' && s[0] != '[' {
		return nil, 0
	}
	if _, k := scanIPv4(s); k > 0 {
		if k < len(s) && (isAlpha(s[k]) || s[k] == '_' || s[k] == '-' && k+1 < len(s) && (isAlpha(s[k+1]) || isDigit(s[k+1])) || s[k] == '.' && k+1 < len(s) && isAlpha(s[k+1]) || s[k] == '@') {
			return nil, 0
		}
		return s[:k], k + portAt(s[k:])
	}
	if k := dotPort(s); k > 0 {
		return s[:k], k + 1 + len(digitsOf(s[k+1:]))
	}
	if s[0] == '[' {
		end := bytes.IndexByte(s[:min(len(s), 50)], ']')
		if end < 0 {
			return nil, 0
		}
		if _, ok := parseAddr(s[1:end]); !ok {
			return nil, 0
		}
		return s[1:end], end + 1 + portAt(s[end+1:])
	}
	e, colons := 0, 0
	for e < len(s) && e < 46 && (hexValue[s[e]] < 16 || s[e] == ':' || s[e] == '.') {
		if s[e] == ':' {
			colons++
		}
		e++
	}
	for e > 0 && (s[e-1] == '.' || s[e-1] == ':' && (e < 2 || s[e-2] != ':')) {
		e--
	}
	// An IPv4 tail ends the address: "::ffff:192.0.2.1:21" has a port behind it.
	if dot := bytes.IndexByte(s[:e], '.'); dot > 0 && colons >= 2 {
		if at := bytes.LastIndexByte(s[:dot], ':'); at > 0 {
			if _, k := scanIPv4(s[at+1:]); k > 0 {
				e = at + 1 + k
			}
		}
	}
	if colons < 2 || e < len(s) && wordByte[s[e]] {
		return nil, 0
	}
	// "12:30:45" is no address, "::1" is: parts without a gap must be eight.
	if _, ok := parseIPv6(s[:e]); !ok {
		return nil, 0
	}
	n = e
	if e < len(s) && (s[e] == '#' || bytes.IndexByte(s[:e], '.') > 0) {
		n += portAt(s[e:])
	}
	return s[:e], n
}

// dotPort: in "192.0.2.1.4711" (tcpdump, Dante) the address takes so many bytes; 0 if s is none.
func dotPort(s []byte) int {
	dots := 0
	for i, c := range s[:min(len(s), 22)] {
		if c == '.' {
			if dots++; dots == 4 {
				_, k := scanIPv4(s[:i])
				p := digitsOf(s[i+1:])
				if e := i + 1 + len(p); k == i && len(p) > 0 && len(p) < 6 && (e == len(s) || s[e] != '.' && !wordByte[s[e]] || e+1 == len(s)) {
					return i
				}
				return 0
			}
		} else if !isDigit(c) {
			return 0
		}
	}
	return 0
}

func digitsOf(s []byte) []byte {
	_, n := number(s)
	return s[:n]
}

// portAt measures ":1234" or "#1234" at the start of s.
func portAt(s []byte) int {
	if len(s) < 2 || s[0] != ':' && s[0] != '#' {
		return 0
	}
	_, n := number(s[1:])
	if n == 0 || n > 5 || 1+n < len(s) && (wordByte[s[1+n]] || s[1+n] == '.' && 2+n < len(s) && wordByte[s[2+n]]) {
		return 0
	}
	return 1 + n
}

var wordByte = func() (w [256]bool) {
	for c := range 256 {
		w[c] = isDigit(byte(c)) || isAlpha(byte(c)) || c == '_' || c >= 0x80
	}
	return
}()

// tokenEnd are the bytes that end a run.
var tokenEnd = func() (w [256]bool) {
	for c := range 256 {
		w[c] = c <= ' '
	}
	for _, c := range "\"`,;|()[]{}<>" {
		w[c] = true
	}
	return
}()
