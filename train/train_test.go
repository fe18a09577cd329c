package main

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/neural"
)

// tiny are a few generated rows of each label.
func tiny(t *testing.T) *data {
	t.Helper()
	var read []sample
	for i, text := range strings.Fields("harbour lantern orchard saddle meadow thunder velvet window") {
		read = append(read, sample{source: "words", id: fmt.Sprint(i), text: text})
	}
	d := &data{learn: generate(read, strings.Fields("harbour lantern orchard saddle"), 7, 1500)}
	d.learn, _ = without(d.learn)
	return d
}

func encode(d *data, epochs int) []byte {
	set := settings{name: neural.WebHead, seed: 3, epochs: epochs, logRows: 12, drop: 0.3, rate: 0.15, classes: webClasses}
	p := train(set, weigh(d.learn, webClasses), func(int, float64) {}).parameters()
	for i := range p.Curve {
		p.Curve[i] = 1 / (1 + exp(-neural.CurveLogit(i)))
	}
	p.Limit = 0.5
	return neural.Encode("tiny", sum, p)
}

// TestSameBytes: the same rows and seed give the same weights, on one core as on several.
func TestSameBytes(t *testing.T) {
	d := tiny(t)
	first := encode(d, 2)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if !bytes.Equal(first, encode(tiny(t), 2)) {
		t.Error("another number of cores gave other weights")
	}
}

// TestLearns: a tiny table tells the two labels apart, and the classes, on rows like those that it saw.
func TestLearns(t *testing.T) {
	d := tiny(t)
	m, err := neural.Load(encode(d, 4))
	if err != nil {
		t.Fatal(err)
	}
	right, class, attacks, n := 0, 0, 0, 0
	for _, s := range score(m.Web, d.learn) {
		if s.logit == never {
			continue
		}
		n++
		if s.attack == (s.p >= 0.5) {
			right++
		}
		if s.attack && s.sample.class != "other" {
			attacks++
			if webClasses[s.class] == s.sample.class {
				class++
			}
		}
	}
	if right < n*95/100 || class < attacks*75/100 {
		t.Errorf("%d of %d right, %d of %d classes", right, n, class, attacks)
	}
}

func TestKey(t *testing.T) {
	for _, same := range [][2]string{{"1' OR 1=1", "7%27+or+22%3D3"}, {"A  b", "a b"}, {"<script>", "%3CSCRIPT%3E"}} {
		if key([]byte(same[0])) != key([]byte(same[1])) {
			t.Errorf("%q and %q are one text in two spellings", same[0], same[1])
		}
	}
	if key([]byte("a or b")) == key([]byte("a and b")) {
		t.Error("two texts have one key")
	}
}

// TestGrammars: every name that a grammar uses is defined in it, and none of its attacks is as long as a page.
func TestGrammars(t *testing.T) {
	r := random(1)
	for name, text := range map[string]string{"attacks.txt": attackGrammar, "benign.txt": benignGrammar, "messages.txt": messageGrammar} {
		g := parseGrammar(text, []string{"word"})
		for _, section := range g.names {
			for _, line := range g.section[section] {
				if out := g.fill(&r, line, 0); strings.ContainsAny(out, "‹›") || len(out) > 4096 {
					t.Errorf("%s: [%s] %q becomes %q", name, section, line, out)
				}
			}
		}
	}
	g := parseGrammar(attackGrammar, []string{"word"})
	for _, class := range append([]string{"other"}, webClasses...) {
		if len(g.section[class]) == 0 {
			t.Errorf("attacks.txt has no [%s]", class)
		}
	}
	m := parseGrammar(messageGrammar, []string{"word"})
	for _, class := range append([]string{"none"}, messageClasses...) {
		if len(m.section[class]) == 0 {
			t.Errorf("messages.txt has no [%s]", class)
		}
	}
	b := parseGrammar(benignGrammar, []string{"word"})
	for name := range benignKinds {
		if len(b.section[name]) == 0 {
			t.Errorf("benign.txt has no [%s]", name)
		}
	}
}

func TestWithout(t *testing.T) {
	s := func(text string) sample { return sample{text: text} }
	kept, dropped := without([]sample{s("a or 1"), s("A%20or%202"), s("b or 1"), s("c or 1")}, []sample{s("B  OR 77")})
	if len(kept) != 2 || dropped != 2 || kept[0].text != "a or 1" || kept[1].text != "c or 1" {
		t.Errorf("kept %v, dropped %d", kept, dropped)
	}
}
