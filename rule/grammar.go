package rule

import (
	"bytes"

	"github.com/corazawaf/libinjection-go"
)

// A grammar is a second opinion on what an expression found: a tokeniser of the language that the value would be injected
// into. An expression alone takes prose for code now and then, and a tokeniser alone takes names and titles for it; a rule
// with the modifier "sqli" or "xss" matches where both agree.
type grammar uint8

const (
	noGrammar   grammar = iota
	grammarSQL          // libinjection's tokens of SQL
	grammarHTML         // libinjection's states of HTML
)

const (
	maxSpoken   = 2 << 10 // bytes of a value that a grammar is asked about
	maxOpinions = 8       // values of one text that a grammar is asked about
)

// prose are the token sequences that libinjection counts as SQL and that names, titles and sentences have as well:
// quoted text between quotes, words and brackets, a comparison between words.
var prose = map[string]bool{"sos": true, "nos": true, "1c": true, "nc": true, "1&1": true, "n&1": true, "f(n&n": true}

// agrees tells whether the value of text around what an expression found, from start to end, is g's language.
func (g grammar) agrees(text []byte, start, end int) (yes bool) {
	from, to := valueAround(text, start, end)
	v := string(text[from:min(to, from+maxSpoken)])
	// The tokeniser is foreign code and reads what an attacker wrote: it must not end the program.
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	if g == grammarHTML {
		return libinjection.IsXSS(v)
	}
	is, tokens := libinjection.IsSQLi(v)
	// A value that begins with a bare word is a sentence, unless UNION follows.
	return is && !prose[tokens] && (tokens[0] != 'n' || bytes.IndexByte([]byte(tokens), 'U') > 0)
}

// valueAround returns the bounds of the parameter's or JSON member's value in which text[start:end] stands.
func valueAround(text []byte, start, end int) (from, to int) {
	if text[0] == '{' || text[0] == '[' {
		for from = start; from > 0 && (text[from-1] != '"' || from > 1 && text[from-2] == '\\'); from-- {
		}
		for to = end; to < len(text) && (text[to] != '"' || text[to-1] == '\\'); to++ {
		}
		return from, to
	}
	for from = start; from > 0 && !separates(text, from-1); from-- {
	}
	for to = end; to < len(text) && !separates(text, to); to++ {
	}
	if eq := bytes.IndexByte(text[from:start], '='); eq >= 0 {
		from += eq + 1
	} else if start < len(text) && text[start] == '=' {
		from = start + 1
	}
	return from, to
}

// separates tells whether text[i] ends one parameter and begins the next; "&&" is an operator.
func separates(text []byte, i int) bool {
	return text[i] == '&' && (i == 0 || text[i-1] != '&') && (i+1 == len(text) || text[i+1] != '&')
}

// opinion is what a predicate's expression finds in text where its grammar agrees: what was found first, from start to
// end, or what stands in a later value.
func (m *Matcher) opinion(p int32, q *pred, text []byte, start, end int) (int, int, bool) {
	at, ok := 0, true
	for range maxOpinions {
		if q.re.grammar.agrees(text, start, end) {
			return start, end, true
		}
		for at = end; at < len(text) && !separates(text, at) && text[at] != '"'; at++ {
		}
		if at >= len(text) {
			break
		}
		if start, end, ok = m.seek(p, q, text[at:]); !ok {
			break
		}
		start, end = start+at, end+at
	}
	return 0, 0, false
}
