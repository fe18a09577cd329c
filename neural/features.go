package neural

// Kind is what sort of text a segment is. The hidden units start from another point for each, because what is
// ordinary in one (parentheses in a user agent) is telling in another.
type Kind uint8

const (
	Path    Kind = iota // an URL's path
	Param               // a parameter's value, of a query or a form
	Leaf                // a string in JSON
	Body                // a request body in no known shape
	Agent               // a user agent
	Referer             // a referer's path or parameter
	Text                // free text: an application's message, or a piece quoted in it
	NumKinds
)

var kindNames = [NumKinds]string{"path", "parameter", "json", "body", "agent", "referer", "text"}

func (k Kind) String() string { return kindNames[k] }

// maxText is how many bytes of a text are looked at: longer ones are for the caller to cut.
const maxText = 256

// Multipliers of the hashes: odd numbers with their bits well mixed.
const (
	mixByte2 = 0x9e3779b1
	mixByte3 = 0x85ebca6b
	mixByte4 = 0xc2b2ae35
	mixToken = 0x27d4eb2f
	mixOrder = 0x165667b1
)

const (
	edge  = 0x02 // before and after a text
	high  = 0x80 // stands for a run of bytes that are no ASCII: no language is worse than another
	digit = '0'  // stands for a run of digits
)

// features hashes the byte 2-, 3- and 4-grams of text, digits and other alphabets folded, and the 1- to 4-grams of its tokens' shapes.
func (s *Scratch) features(text []byte) {
	text = text[:min(len(text), maxText)]
	b := append(s.fold[:0], edge)
	for _, c := range text {
		switch {
		case c >= 0x80:
			if b[len(b)-1] == high {
				continue
			}
			c = high
		case '0' <= c && c <= '9':
			if b[len(b)-1] == digit {
				continue
			}
			c = digit
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		b = append(b, c)
	}
	b = append(b, edge)
	s.fold = b
	rows := s.rows[:0]
	g := uint32(b[0])
	for i := 1; i < len(b); i++ {
		g = g<<8 | uint32(b[i])
		rows = append(rows, mix((g&0xffff)*mixByte2))
		if i >= 2 {
			rows = append(rows, mix((g&0xffffff)*mixByte3))
		}
		if i >= 3 {
			rows = append(rows, mix(g*mixByte4))
		}
	}
	s.token = shapes(s.token[:0], b[1:len(b)-1])
	s.rows = grams(rows, s.token, 4)
}

func mix(h uint32) uint32 {
	h ^= h >> 15
	return h * 0x2c1b3c6d
}

// grams appends the hashes of the 1- to most-grams of tokens.
func grams(rows, token []uint32, most int) []uint32 {
	for i := range token {
		h := uint32(mixToken)
		for n := 0; n < most && i+n < len(token); n++ {
			h = (h ^ token[i+n]) * mixOrder
			h ^= h >> 13
			rows = append(rows, mix(h+uint32(n)))
		}
	}
	return rows
}

// Tokens that stand for many.
const (
	tokenNumber = 1 + iota + 256
	tokenWord
	tokenShort // one or two letters
	tokenName  // letters and digits mixed
	tokenHigh  // other alphabets
)

// shapes appends the shapes of folded text's tokens: a keyword stands for itself, other words for what they look like, punctuation for itself, space for nothing.
func shapes(dst []uint32, b []byte) []uint32 {
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case isLetter(c) || c == '_':
			j, mixed := i, false
			h := uint32(hashStart)
			for ; j < len(b) && (isLetter(b[j]) || b[j] == '_' || b[j] == digit); j++ {
				h = (h ^ uint32(b[j])) * hashStep
				mixed = mixed || b[j] == digit || b[j] == '_'
			}
			switch {
			case j-i <= maxKeyword && isKeyword(h, b[i:j]):
				dst = append(dst, h)
			case mixed:
				dst = append(dst, tokenName)
			case j-i <= 2:
				dst = append(dst, tokenShort)
			default:
				dst = append(dst, tokenWord)
			}
			i = j
			continue
		case c == digit:
			dst = append(dst, tokenNumber)
		case c == high:
			dst = append(dst, tokenHigh)
		case c != ' ':
			dst = append(dst, uint32(c))
		}
		i++
	}
	return dst
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }

// Hashes gives the n-grams of text: those of a message's words if there is a vocabulary, else those of a payload's bytes. They
// are valid until s is used again.
func (s *Scratch) Hashes(words *Vocabulary, text []byte) []uint32 {
	if words != nil {
		s.words(words, text)
	} else {
		s.features(text)
	}
	return s.rows[:min(len(s.rows), MaxCount)]
}
