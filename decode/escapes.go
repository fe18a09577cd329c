package decode

import "bytes"

// The functions here read one escape at the front of s. They return what it stands for and
// its length k, or k == 0 if there is none. r is a character, or a byte marked rawByte.

var commentEnd = []byte("*/")

// percent reads %HH and %uXXXX; a percent sign may itself be escaped any number of times (%2525252e).
func percent(s []byte) (r rune, k int) {
	j := 1
	for j+1 < len(s) && s[j] == '2' && s[j+1] == '5' {
		j += 2
	}
	if j+1 < len(s) {
		if high, low := hexValue[s[j]], hexValue[s[j+1]]; high|low < 16 {
			return rune(high<<4|low) | rawByte, j + 2
		}
	}
	if j < len(s) && s[j]|0x20 == 'u' {
		if v, n := utf16Units(s[j-1:], '%'); n > 0 {
			return v, j - 1 + n
		}
	}
	if j > 1 {
		return '%', j
	}
	return 0, 0
}

// utf16Units reads XXXX after a two-byte mark such as \u or %u, and a second such unit where the first is half a character.
func utf16Units(s []byte, mark byte) (r rune, k int) {
	if len(s) < 6 {
		return 0, 0
	}
	v, ok := hexNumber(s[2:], 4)
	if !ok || v >= 0xdc00 && v <= 0xdfff {
		return 0, 0
	}
	if v < 0xd800 || v > 0xdfff {
		return v, 6
	}
	if len(s) >= 12 && s[6] == mark && s[7]|0x20 == 'u' {
		if low, ok := hexNumber(s[8:], 4); ok && low >= 0xdc00 && low <= 0xdfff {
			return 0x10000 + (v-0xd800)<<10 + (low - 0xdc00), 12
		}
	}
	return 0, 0
}

// backslash reads \xHH, \x{...}, \uXXXX, \u{...}, \UXXXXXXXX, \", \' and \/.
func backslash(s []byte) (r rune, k int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch c := s[1]; c {
	case '"', '\'', '/':
		return rune(c), 2
	case 'x', 'X', 'u', 'U':
		if len(s) > 3 && s[2] == '{' {
			end := bytes.IndexByte(s[3:min(len(s), 10)], '}')
			if v, ok := hexNumber(s[3:], end); ok && valid(v) {
				return v, 3 + end + 1
			}
			return 0, 0
		}
		if c|0x20 == 'x' {
			if v, ok := hexNumber(s[2:], 2); ok {
				return v | rawByte, 4
			}
			return 0, 0
		}
		if len(s) >= 10 && s[2] == '0' && s[3] == '0' && s[4] == '0' && (c == 'U' || s[5] != '0') {
			if v, ok := hexNumber(s[2:], 8); ok && valid(v) {
				return v, 10
			}
		}
		return utf16Units(s, '\\')
	}
	return 0, 0
}

// jsonEscapes tells whether every backslash in s begins an escape of a JSON string: then
// \n is a line end, and not a piece of a Windows path.
func jsonEscapes(s []byte) bool {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return true
		}
		if i+1 == len(s) || bytes.IndexByte([]byte(`"\/bfnrtuxBFNRTUX'`), s[i+1]) < 0 {
			return false
		}
		s = s[i+2:]
	}
}

// isHostStart tells whether two backslashes between prev and next begin \\host\share.
func isHostStart(prev, next byte) bool {
	switch prev {
	case 0, ' ', '=', ':', ',', ';', '"', '\'', '(':
	default:
		return false
	}
	switch next | 0x20 {
	case 'u', 'x', 'n', 'r', 't':
		return false
	}
	return isAlnum(next)
}

// entity reads an HTML character reference. Without its semicolon a name counts only
// where no name or value of a query parameter can be meant ("&lt=5").
func entity(s []byte) (r rune, k int) {
	if len(s) < 3 {
		return 0, 0
	}
	if s[1] == '#' {
		j, base := 2, rune(10)
		if s[2]|0x20 == 'x' {
			j, base = 3, 16
		}
		from := j
		for ; j < len(s) && j-from < 12; j++ {
			d := rune(hexValue[s[j]])
			if d >= base {
				break
			}
			if r = r*base + d; r > 0x10ffff {
				return 0, 0
			}
		}
		if j == from || !valid(r) {
			return 0, 0
		}
		if j < len(s) && s[j] == ';' {
			j++
		}
		return r, j
	}
	j := 1
	for j < len(s) && class[s[j]]&no64 == 0 {
		j++
		if j > 12 {
			return 0, 0
		}
	}
	// Fast path - the parameter of a query: "&name=" is never a reference.
	if j == len(s) || s[j] == '=' || j == 1 {
		return 0, 0
	}
	var name [12]byte
	for i, c := range s[1:j] {
		if c >= 'A' {
			c |= 0x20
		}
		name[i] = c
	}
	if r = entityNamed(string(name[:j-1])); r == 0 {
		return 0, 0
	}
	switch {
	case s[j] == ';':
		return r, j + 1
	case r == '<', r == '>', r == '&', r == '"', r == ' ':
		return r, j
	}
	return 0, 0
}

// entityNamed knows the references that stand for ASCII; an upper-case name is another
// letter in HTML only where it stands for one.
func entityNamed(name string) rune {
	switch name {
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "amp":
		return '&'
	case "quot":
		return '"'
	case "apos":
		return '\''
	case "nbsp":
		return ' '
	case "tab":
		return '\t'
	case "newline":
		return '\n'
	case "lpar":
		return '('
	case "rpar":
		return ')'
	case "colon":
		return ':'
	case "semi":
		return ';'
	case "comma":
		return ','
	case "period":
		return '.'
	case "sol":
		return '/'
	case "bsol":
		return '\\'
	case "equals":
		return '='
	case "excl":
		return '!'
	case "quest":
		return '?'
	case "num":
		return '#'
	case "dollar":
		return '$'
	case "percnt":
		return '%'
	case "ast", "midast":
		return '*'
	case "plus":
		return '+'
	case "commat":
		return '@'
	case "lcub", "lbrace":
		return '{'
	case "rcub", "rbrace":
		return '}'
	case "lsqb", "lbrack":
		return '['
	case "rsqb", "rbrack":
		return ']'
	case "grave":
		return '`'
	case "hat":
		return '^'
	case "lowbar":
		return '_'
	case "vert", "verbar":
		return '|'
	case "hyphen", "dash":
		return '-'
	}
	return 0
}

// plusIsSpace tells whether the run of '+' at s[i] is a form's space; prev is the byte before it.
// It is not in "C++", "1+1", "(+http://...)" and "+49 30".
func plusIsSpace(s []byte, i int, prev byte) bool {
	j := i + 1
	for j < len(s) && s[j] == '+' {
		j++
	}
	rest := s[j:]
	switch {
	case prev == 0:
		return false
	case len(rest) == 0 || rest[0] == '&':
		return !isAlnum(prev)
	case isSpace(rest[0]):
		return false
	case isSpace(prev):
		return !isDigit(rest[0]) && !(len(rest) >= 4 && string(rest[:4]) == "http")
	}
	return j-i > 1 || !isDigit(prev) || !isDigit(rest[0])
}

// utf7 reads a shifted UTF-7 sequence (+ADw- is '<') of ASCII characters, which all begin with 'A', and writes them to
// dst unless it is nil; dst may overlap s if it begins no later.
func utf7(s, dst []byte) (units, used int) {
	if len(s) < 4 || s[1] != 'A' {
		return 0, 0
	}
	var bits, have uint32
	markup := false
	j := 1
	for ; j < len(s); j++ {
		v := base64Value[s[j]]
		if v > 63 || s[j] == '-' || s[j] == '_' {
			break
		}
		bits = bits<<6 | uint32(v)
		if have += 6; have < 16 {
			continue
		}
		have -= 16
		u := bits >> have & 0xffff
		if u >= 0x7f || u < ' ' && u != '\t' && u != '\n' && u != '\r' {
			return 0, 0
		}
		if u == '<' || u == '>' || u == '"' || u == '\'' {
			markup = true
		}
		if units == maxUTF7 {
			return 0, 0
		}
		if dst != nil {
			dst[units] = byte(u)
		}
		units++
	}
	// Without its end mark "+ACE" is more often a word than an exclamation mark.
	end := j < len(s) && s[j] == '-'
	if units == 0 || bits&(1<<have-1) != 0 || have >= 6 || !end && !markup {
		return 0, 0
	}
	if end {
		j++
	}
	return units, j
}

// versionComment returns the length of "*!50000" (the opening slash is before s), which
// databases read as white space around the text that follows, else 0.
func versionComment(s []byte) int {
	j := 1
	if len(s) > 2 && s[1]|0x20 == 'm' {
		j = 2
	}
	if j >= len(s) || s[j] != '!' {
		return 0
	}
	j++
	for d := 0; d < 6 && j < len(s) && isDigit(s[j]); d++ {
		j++
	}
	return j
}

// harmless tells whether a comment's text cannot be an attack by itself.
func harmless(s []byte) bool {
	if len(s) <= 8 {
		return true
	}
	for _, c := range s {
		if !isAlnum(c) && c != ' ' && c != '_' && c != '*' {
			return false
		}
	}
	return true
}

// cutLineComment returns the length of out without the SQL comment ("--x" or "#x") that a line end closes.
func cutLineComment(out []byte) int {
	j := len(out)
	for j > 0 && len(out)-j < 32 && (isAlnum(out[j-1]) || out[j-1] == '_') {
		j--
	}
	switch {
	case j > 1 && out[j-1] == '#':
		j--
	case j > 2 && out[j-1] == '-' && out[j-2] == '-':
		j -= 2
	default:
		return len(out)
	}
	switch c := out[j-1]; {
	case isAlnum(c), c == ' ', c == ')', c == '\'', c == '"', c == '`':
		return j
	}
	return len(out)
}

// hexValue maps hexadecimal digits; 0x80 is none.
var hexValue [256]uint8

func init() {
	for c := range hexValue {
		switch b := byte(c); {
		case isDigit(b):
			hexValue[c] = b - '0'
		case 'a' <= b|0x20 && b|0x20 <= 'f':
			hexValue[c] = b | 0x20 - 'a' + 10
		default:
			hexValue[c] = 0x80
		}
	}
}

// hexNumber reads exactly n hexadecimal digits, at most 8.
func hexNumber(s []byte, n int) (v rune, ok bool) {
	if n <= 0 || n > len(s) {
		return 0, false
	}
	for _, c := range s[:n] {
		d := rune(hexValue[c])
		if d > 15 || v > 0x7ffffff {
			return 0, false
		}
		v = v<<4 | d
	}
	return v, true
}

// valid tells whether r is a character.
func valid(r rune) bool { return r >= 0 && r < 0xd800 || r > 0xdfff && r <= 0x10ffff }
