package neural

import "bytes"

// A Vocabulary is the words that a message head knows. All others are one word to it: what a message
// tells is in its verbs, not in whom it names.
type Vocabulary struct {
	slots []uint32 // hashes of words, each at its place or the next free one; a power of two, at most half full
}

// NewVocabulary makes a Vocabulary of words, which are cut and folded as those of messages are.
func NewVocabulary(words []string) *Vocabulary {
	v := &Vocabulary{}
	if len(words) == 0 {
		return v
	}
	n := 8
	for n < 2*len(words) {
		n *= 2
	}
	v.slots = make([]uint32, n)
	for _, w := range words {
		h := hashWord([]byte(w))
		at := h % uint32(n)
		for v.slots[at] != 0 && v.slots[at] != h {
			at = (at + 1) % uint32(n)
		}
		v.slots[at] = h
	}
	return v
}

// fold is h if it is the hash of a known word, else the word that stands for all others.
func (v *Vocabulary) fold(h uint32) uint32 {
	mask := uint32(len(v.slots) - 1)
	for at, n := h&mask, 0; n < len(v.slots) && v.slots[at] != 0; at, n = (at+1)&mask, n+1 {
		if v.slots[at] == h {
			return h
		}
	}
	return wordOther
}

// words hashes the 1- to 3-grams of a message's words, numbers, identifiers and paths masked.
func (s *Scratch) words(v *Vocabulary, text []byte) {
	all := wordTokens(s.token[:0], text)
	s.token = all[:0]
	for _, h := range all {
		if h&(1<<31) != 0 {
			h = v.fold(h)
		}
		if (h == wordOther || h == wordNumber || h == wordMixed) && len(s.token) > 0 && s.token[len(s.token)-1] == h {
			continue // two unknown words in a row say no more than one
		}
		s.token = append(s.token, h)
	}
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
	wordOther                   // a word that is not in the vocabulary
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
	for len(word) > 0 {
		n := partEnd(word)
		if n > 0 && n <= maxWord {
			dst = append(dst, hashWord(word[:n]))
		}
		if n < len(word) && word[n] == '_' {
			n++
		}
		word = word[n:]
	}
	return dst
}

// partEnd is where the first part of word ends.
func partEnd(word []byte) int {
	for i, c := range word {
		if c == '_' || i > 0 && 'A' <= c && c <= 'Z' && 'a' <= word[i-1] && word[i-1] <= 'z' {
			return i
		}
	}
	return len(word)
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

// Words lists the words of text, cut as those of messages are.
func Words(text []byte) (list []string) {
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && isWordByte(text[j]) {
			j++
		}
		if j == i {
			i++
			continue
		}
		for word := text[i:j]; len(word) > 0; {
			n := partEnd(word)
			if n > 0 {
				list = append(list, string(bytes.ToLower(word[:n])))
			}
			if n < len(word) && word[n] == '_' {
				n++
			}
			word = word[n:]
		}
		i = j
	}
	return list
}
