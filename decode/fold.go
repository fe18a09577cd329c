package decode

// overlong reads a character below U+0800 written in more bytes than UTF-8 allows, which
// lenient decoders accept: C0 AE for '.'. Two forms with a plain second byte are IIS's.
func overlong(s []byte) (r rune, k int) {
	switch {
	case len(s) < 2:
	case s[0] == 0xc0 || s[0] == 0xc1:
		switch c := s[1]; {
		case c&0xc0 == 0x80:
			return rune(s[0]&1)<<6 | rune(c&0x3f), 2
		case s[0] == 0xc0 && (c == '/' || c == '\\' || c == '.'):
			return rune(c), 2
		case s[0] == 0xc1 && c == 0x1c:
			return '\\', 2
		}
	case s[0] == 0xe0 && len(s) >= 3 && s[1] >= 0x80 && s[1] < 0xa0 && s[2]&0xc0 == 0x80:
		return rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), 3
	case s[0] == 0xf0 && len(s) >= 4 && s[1] >= 0x80 && s[1] < 0x90 && s[2]&0xc0 == 0x80 && s[3]&0xc0 == 0x80:
		r = rune(s[1]&0x3f)<<12 | rune(s[2]&0x3f)<<6 | rune(s[3]&0x3f)
		if valid(r) {
			return r, 4
		}
	}
	return 0, 0
}

const ascii = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

// fold returns the ASCII that databases, browsers or best-fit conversions make of a compatibility form.
// Letters of other scripts stay: nothing folds them. The result is never longer than r's UTF-8.
func fold(r rune, prev byte) (text string, ok bool) {
	one := func(c rune) (string, bool) { return ascii[c-' ' : c-' '+1], true }
	switch {
	case r < 0xa0:
		return "", false
	case r < 0x1680:
		switch r {
		case 0xa0:
			return " ", true
		case 0xad: // soft hyphen
			return "", true
		case 0x17f: // long s
			return "s", true
		case 0x2b9, 0x2bc, 0x2c8:
			return "'", true
		case 0x2ba:
			return `"`, true
		}
		return "", false
	case r < 0x3100:
		switch {
		case r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x1680, r == 0x3000:
			return " ", true
		case r >= 0x200b && r <= 0x200f, r == 0x2060:
			return "", isAlnum(prev) // joiners mean something between other letters
		case r >= 0x2460 && r <= 0x2468:
			return one('1' + r - 0x2460)
		case r == 0x24ea:
			return "0", true
		case r >= 0x24b6 && r <= 0x24cf:
			return one('A' + r - 0x24b6)
		case r >= 0x24d0 && r <= 0x24e9:
			return one('a' + r - 0x24d0)
		}
		switch r {
		case 0x2018, 0x2019, 0x201b, 0x2032:
			return "'", true
		case 0x201c, 0x201d, 0x201f, 0x2033:
			return `"`, true
		case 0x2010, 0x2011, 0x2212:
			return "-", true
		case 0x2024:
			return ".", true
		case 0x2025:
			return "..", true
		case 0x2026:
			return "...", true
		case 0x2039, 0x2329, 0x27e8, 0x3008:
			return "<", true
		case 0x203a, 0x232a, 0x27e9, 0x3009:
			return ">", true
		case 0x2044, 0x2215, 0x29f8:
			return "/", true
		case 0x2216, 0x29f5, 0x29f9:
			return `\`, true
		case 0x2217:
			return "*", true
		case 0x2236:
			return ":", true
		case 0x2223:
			return "|", true
		case 0x3002:
			if isAlnum(prev) {
				return ".", true // host names; elsewhere it ends a Chinese or Japanese sentence
			}
		case 0x210a:
			return "g", true
		case 0x210e:
			return "h", true
		case 0x212a:
			return "k", true
		case 0x212f:
			return "e", true
		case 0x2134:
			return "o", true
		case 0x2139, 0x2170:
			return "i", true
		case 0x2113, 0x217c:
			return "l", true
		case 0x2174:
			return "v", true
		case 0x2179:
			return "x", true
		case 0x217d:
			return "c", true
		case 0x217e:
			return "d", true
		case 0x217f:
			return "m", true
		}
		return "", false
	case r >= 0xfb00 && r <= 0xfb06:
		return [...]string{"ff", "fi", "fl", "ffi", "ffl", "st", "st"}[r-0xfb00], true
	case r >= 0xfe50 && r <= 0xfe6b: // small forms
		if c := ",,. ;:?!-(){}  #&*+-<>= \\$%@"[r-0xfe50 : r-0xfe50+1]; c != " " {
			return c, true
		}
		return "", false
	case r == 0xfeff:
		return "", isAlnum(prev)
	case r >= 0xff01 && r <= 0xff5e: // full-width
		return one(r - 0xff00 + ' ')
	case r >= 0x1d400 && r <= 0x1d6a3: // mathematical alphabets
		if c := (r - 0x1d400) % 52; c < 26 {
			return one('A' + c)
		} else {
			return one('a' + c - 26)
		}
	case r >= 0x1d7ce && r <= 0x1d7ff:
		return one('0' + (r-0x1d7ce)%10)
	}
	return "", false
}
