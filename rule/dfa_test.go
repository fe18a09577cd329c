package rule

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// Expressions of every kind that the automaton has to get right, and texts to try them on.
var (
	dfaExpressions = []string{
		`abc`, `a|bc|d`, `^abc$`, `^[A-Z]{3}\d{2}$`, `(?i)select\s+\w+`, `\bunion\b`, `\Ba`, `a\b`, `a*`, `a+b?c{2,3}`, `(?:a|ab)(?:c|bcd)`, `.`, `(?s).`, `^$`, `$`, `^`, `\b`,
		`(?m)^b$`, `(?m)a$`, `[^a]b`, `[^\n]+x`, `\s*=\s*'`, `(?i)ſk`, `(?i)K`, `é+`, `[é-ü]x`, `\x{fffd}`, `a\x{fffd}?b`, `x{0,3}$`, `(a*)*b`, `(?:)`, `a{0}`, `(?i)[k-s]+$`, `\pL+\d`, `[[:punct:]]a`,
		`(?:^|[?&])(?:\w{0,4}(?:url|next)\w{0,3})=\s*(?:/{2,}|https?:)`, `\$\{[^}]{0,5}:-?[jndi]\}`, `a.*b.*c`, `(?U)a+b`, `a??b`, `\w+@\w+\.\w+`, `(?-s:.)\n`, `[^\x00-\x7f]`, `\z`, `\Aab`, `[a-c]\d|\D{3}$`,
	}
	dfaTexts = []string{
		"", "a", "abc", "xabcx", "ABC12", "SELECT  x", "union", "reunion", "union!", "bcd", "accc", "abccc", "\n", "a\nb\nc", "b", "b\n", "\nb\n", "=  'x", "ſK", "sk", "K", "k", "é", "éé", "üx", "\xff", "a\xffb", "ab", "xxx",
		"aaaab", "?next=//e", "&myurl_a= https:", "${::-j}", "${a:d}", "a1b2c3", "x@y.z", "+a", "日本", "日x", "a日b", "\xe2\x84", "aé\b", "xyz", "12a", "a_b", "K\n",
	}
)

// TestAutomaton compares the automaton with the standard library.
func TestAutomaton(t *testing.T) {
	for _, src := range dfaExpressions {
		compareRegex(t, src, dfaTexts)
	}
	r := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"a", "b", "c", "[ab]", "[^a]", ".", `\w`, `\W`, `\s`, `\d`, `\b`, `\B`, "^", "$", "(?:a|bc)", "(?:ab|a)", "é", "k", "s", "\n", `[^\n]`, "(?:)", "K"}
	for range 400 {
		var b strings.Builder
		b.WriteString([]string{"", "(?i)", "(?m)", "(?s)", "(?im)"}[r.IntN(5)])
		for range 1 + r.IntN(5) {
			b.WriteString(pieces[r.IntN(len(pieces))])
			b.WriteString([]string{"", "", "*", "+", "?", "{2}", "*?", "{0,2}"}[r.IntN(8)])
			if r.IntN(6) == 0 {
				b.WriteString("|")
			}
		}
		src := b.String()
		if _, err := regexp.Compile(src); err != nil {
			continue
		}
		var texts []string
		for range 20 {
			var b strings.Builder
			for range r.IntN(9) {
				b.WriteString([]string{"a", "b", "c", "A", "k", "K", "\u212a", "ſ", "é", " ", "\n", "1", "_", "\xff", "-"}[r.IntN(15)])
			}
			texts = append(texts, b.String())
		}
		compareRegex(t, src, texts)
		if t.Failed() {
			return
		}
	}
}

func compareRegex(t *testing.T, src string, texts []string) {
	t.Helper()
	std := regexp.MustCompile(src)
	std.Longest()
	m := newMachine(src)
	if m == nil {
		if !strings.Contains(src, `\p`) {
			t.Errorf("%q is left to the standard library", src)
		}
		return
	}
	a := newAutomaton(m)
	for _, text := range texts {
		want := std.FindStringIndex(text)
		start, end, ok := a.find([]byte(text))
		switch {
		case ok != (want != nil):
			t.Errorf("%q on %q: %t, want %t", src, text, ok, want != nil)
		case ok && (start != want[0] || end != want[1]):
			t.Errorf("%q on %q: found at %d-%d, want %v", src, text, start, end, want)
		}
	}
}

// FuzzAutomaton: the automaton and the standard library agree.
func FuzzAutomaton(f *testing.F) {
	for i, src := range dfaExpressions {
		f.Add(src, dfaTexts[i%len(dfaTexts)])
	}
	f.Fuzz(func(t *testing.T, src, text string) {
		if len(src) > 200 || len(text) > 200 {
			return
		}
		std, err := regexp.Compile(src)
		if err != nil {
			return
		}
		std.Longest()
		m := newMachine(src)
		if m == nil {
			return
		}
		a := newAutomaton(m)
		want := std.FindStringIndex(text)
		start, end, ok := a.find([]byte(text))
		if ok != (want != nil) || ok && !a.broken && start == 0 && want[0] == 0 && end < want[1] {
			t.Errorf("%q on %q: %d-%d %t, want %v", src, text, start, end, ok, want)
		}
	})
}

// An automaton with more states than it may hold starts afresh, gives up in the end, and is right all the time.
func TestAutomatonIsBounded(t *testing.T) {
	src := `(?:a|b)*a(?:a|b){11}c` // 2^12 states
	std, a := regexp.MustCompile(src), newAutomaton(newMachine(src))
	r := rand.New(rand.NewPCG(7, 8))
	for range 600 {
		b := make([]byte, 200)
		for i := range b {
			b[i] = "aabbaabbabc"[r.IntN(11)]
		}
		if _, got := a.match(b); got != std.Match(b) {
			t.Fatalf("%q: %t", b, got)
		}
		if len(a.states) > maxStates {
			t.Fatalf("%d states", len(a.states))
		}
	}
	if !a.broken {
		t.Errorf("after %d resets it has not given up", a.resets)
	}
}
