package rule

import (
	"strings"
	"unicode/utf8"
)

// edge stands in the strings of an analysis where a word begins or ends: no text of a literal has this byte. "or" is in most
// texts, but seldom as a word.
const edge = "\xff"

// bare is a string of an analysis without its edges.
func bare(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, edge), edge)
	if strings.IndexByte(s, edge[0]) < 0 {
		return s
	}
	return strings.ReplaceAll(s, edge, "")
}

// edges tells whether a string of an analysis is a word's beginning, or end: other bytes than those of words stand next to it.
func edges(s string) (before, after bool) {
	b := bare(s)
	if b == "" {
		return false, false
	}
	return strings.HasPrefix(s, edge) && inWord[b[0]], strings.HasSuffix(s, edge) && inWord[b[len(b)-1]]
}

// inWord has what \b takes for a word's.
var inWord = func() (t [256]bool) {
	for c := range t {
		t[c] = wordByte(byte(c))
	}
	return t
}()

// noWord tells whether ranges of runes have no byte of words.
func noWord(ranges []rune) bool {
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1] && r < utf8.RuneSelf; r++ {
			if inWord[r] {
				return false
			}
		}
	}
	return true
}

// edgeCost is how much of a literal's cost is left for each of its edges: a guess, from words of two to five letters.
const edgeCost = 0.3

// atEdges is the cost of a literal that must stand at the edge of a word.
func atEdges(cost float64, before, after bool) float64 {
	if before {
		cost *= edgeCost
	}
	if after {
		cost *= edgeCost
	}
	return cost
}
