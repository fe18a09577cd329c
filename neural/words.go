package neural

// words hashes the 1- to 3-grams of a message's words, each number, address, identifier, path and quoted
// string masked: what a message tells is in its verbs, not in whom it names.
func (s *Scratch) words(text []byte) {
	s.token = wordTokens(s.token[:0], text)
	s.rows = grams(s.rows[:0], s.token, 3)
	for i := range s.token { // pairs with one word between
		if i+2 < len(s.token) {
			h := (uint32(mixByte2) ^ s.token[i]) * mixOrder
			h ^= h >> 13
			s.rows = append(s.rows, mix((h^s.token[i+2])*mixByte3))
		}
	}
}

const (
	maxWords = 96 // words of a message that count
	maxWord  = 32

	wordNumber = 1 + iota + 512 // a number
	wordMixed                   // letters and digits: an identifier, a hash, an address
	wordPath                    // a path or URL
	wordQuoted                  // a quoted string
	wordHigh                    // another alphabet
)

// wordTokens appends the hashes of text's words. CamelCase and snake_case count as the words that they are made of.
func wordTokens(dst []uint32, text []byte) []uint32 {
	for i := 0; i < len(text) && len(dst) < maxWords; {
		c := text[i]
		switch {
		case c == '/' && i+1 < len(text) && isWordByte(text[i+1]):
			for i < len(text) && text[i] > ' ' && text[i] != '"' && text[i] != ',' && text[i] != ';' && text[i] != ')' && text[i] != '\'' {
				i++
			}
			dst = append(dst, wordPath)
		case isWordByte(c):
			j, letters, digits, highs := i, 0, 0, 0
			for j < len(text) && (isWordByte(text[j]) || (text[j] == '.' || text[j] == ':' || text[j] == '-' || text[j] == '@') && digits > 0 && j+1 < len(text) && isWordByte(text[j+1])) {
				switch b := text[j]; {
				case b >= 0x80:
					highs++
				case '0' <= b && b <= '9':
					digits++
				default:
					letters++
				}
				j++
			}
			word := text[i:j]
			switch {
			case highs > 0:
				dst = append(dst, wordHigh)
			case letters == 0:
				// Status codes tell much: they stay.
				if len(word) == 3 && (word[0] == '4' || word[0] == '5' || word[0] == '2') {
					dst = append(dst, hashWord(word))
				} else {
					dst = append(dst, wordNumber)
				}
			case digits > 0:
				dst = append(dst, wordMixed)
			default:
				dst = parts(dst, word)
			}
			i = j
		case c == '=' || c == ':' || c == '!' || c == '?':
			dst = append(dst, uint32(c))
			i++
		default:
			i++
		}
	}
	return dst
}

// parts appends the words that word is made of: "loginFailed" and "login_failed" are two.
func parts(dst []uint32, word []byte) []uint32 {
	from := 0
	for i := 1; i <= len(word); i++ {
		cut := i == len(word) || word[i] == '_' ||
			'A' <= word[i] && word[i] <= 'Z' && 'a' <= word[i-1] && word[i-1] <= 'z'
		if !cut {
			continue
		}
		if i > from && i-from <= maxWord {
			dst = append(dst, hashWord(word[from:i]))
		}
		if from = i; i < len(word) && word[i] == '_' {
			from++
		}
	}
	return dst
}

func hashWord(w []byte) uint32 {
	h := uint32(hashStart)
	for _, c := range w {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		h = (h ^ uint32(c)) * hashStep
	}
	return h | 1<<31
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}
