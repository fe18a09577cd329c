package rule

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

// randomRules writes n rules over a small alphabet, so that random texts match often.
func randomRules(r *rand.Rand, n int) string {
	word := func(least int) string {
		const letters = "aabbcsk./%-=<ÄS"
		var b strings.Builder
		for range least + r.IntN(4) {
			l := []rune(letters)
			b.WriteRune(l[r.IntN(len(l))])
		}
		return b.String()
	}
	values := func(f func() string) string {
		var v []string
		for range 1 + r.IntN(5) {
			v = append(v, "'"+f()+"'")
		}
		return "[" + strings.Join(v, ", ") + "]"
	}
	fields := []string{"payload", "payload", "url.path", "cs-uri-query", "c-uri", "url.query", "user_agent.original", "message", "user.name", "x.y", "source.ip", "event.action", "app.name", "http.request.method"}
	item := func() string {
		f := fields[r.IntN(len(fields))]
		switch r.IntN(16) {
		case 0:
			return fmt.Sprintf("%s|startswith: %s", f, values(func() string { return word(1) }))
		case 1:
			return fmt.Sprintf("%s|endswith: %s", f, values(func() string { return word(1) }))
		case 2:
			return fmt.Sprintf("%s|contains|all: %s", f, values(func() string { return word(1) }))
		case 3:
			return fmt.Sprintf("%s: %s", f, values(func() string { return word(1) }))
		case 4:
			return fmt.Sprintf("%s: %s", f, values(func() string { return word(1) + []string{"*", "?", "*?", "\\*"}[r.IntN(4)] + word(1) }))
		case 5:
			return fmt.Sprintf("%s|cased|contains: %s", f, values(func() string { return word(2) }))
		case 6:
			w := strings.NewReplacer(".", `\.`, "?", `\?`).Replace(word(2))
			return fmt.Sprintf("%s|re%s: ['%s', '%s(%s|%s)+%s?']", f, []string{"", "|i", "|i|s"}[r.IntN(3)], w, w, "a[bc]", "ss", "k")
		case 7:
			return fmt.Sprintf("sc-status: [%d, %d]", 200+r.IntN(4), 400+r.IntN(4))
		case 8:
			return fmt.Sprintf("%s: null", f)
		case 9:
			return fmt.Sprintf("%s|exists: %t", f, r.IntN(2) == 0)
		case 10:
			return fmt.Sprintf("%s|fieldref: %s", fields[2+r.IntN(6)], fields[2+r.IntN(8)])
		case 11:
			return fmt.Sprintf("sc-bytes|gt: %d", r.IntN(100))
		case 12:
			return "event.action: [login, logout]"
		case 13:
			return fmt.Sprintf("%s: ['', '-']", f)
		}
		return fmt.Sprintf("%s|contains: %s", f, values(func() string { return word(1) }))
	}
	var b strings.Builder
	for i := range n {
		source := []string{"category: webserver", "category: any", "category: application", "product: linux, service: sshd"}[r.IntN(4)]
		fmt.Fprintf(&b, "title: R%d\nname: r%d\nlogsource: {%s}\ndetection:\n  a:\n    %s\n  b:\n    - %s\n    - %s\n  c:\n    %s\n", i, i, source, item(), item(), item(), item())
		if r.IntN(4) == 0 {
			fmt.Fprintf(&b, "  d: [%s, '%s']\n", "'"+word(2)+"'", word(2))
		} else {
			fmt.Fprintf(&b, "  d:\n    %s\n", item())
		}
		fmt.Fprintf(&b, "  condition: %s\n", []string{"a", "a and b", "a and not b", "(a or b) and c", "not a and b", "a or b or c", "1 of them", "all of them", "not (a and b) and d", "b and d", "d"}[r.IntN(11)])
		if r.IntN(4) == 0 {
			fmt.Fprintf(&b, "vanguard:\n  set: {%s}\n  order: %d\n", []string{"event.action: login", "app.name: ab", "event.action: logout, app.name: ks", "event.outcome: failure"}[r.IntN(4)], r.IntN(5))
		}
		b.WriteString("---\n")
	}
	return b.String()
}

func randomEvent(r *rand.Rand) string {
	text := func() string {
		letters := []string{"a", "b", "c", "A", "B", "s", "S", "k", "K", "ſ", "\u212a", ".", "/", "%", "-", "=", "<", "%41", "%62", "Ä", "ä", "+", "\xff", "ab", "sk"}
		var b strings.Builder
		for range r.IntN(14) {
			b.WriteString(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	kind := []string{"web", "web", "app", "auth", "text", "cloud"}[r.IntN(6)]
	spec := []string{"kind=" + kind}
	add := func(name, val string) {
		if r.IntN(3) > 0 {
			spec = append(spec, name+"="+val)
		}
	}
	add("uri", text()+[]string{"", "?" + text()}[r.IntN(2)])
	for _, f := range []string{"user_agent.original", "message", "user.name", "http.request.referrer", "x.y", "event.action", "process.name"} {
		add(f, strings.ReplaceAll(text(), "|", ""))
	}
	add("http.request.method", []string{"GET", "ab", "S"}[r.IntN(3)])
	add("process.name", "sshd")
	add("status", fmt.Sprint(200+r.IntN(4)+200*r.IntN(2)))
	add("bytes", fmt.Sprint(r.IntN(120)))
	add("client", "192.0.2.1")
	add("json", fmt.Sprintf(`{"x":{"y":%q},"z":[%q]}`, strings.ToValidUTF8(text(), ""), strings.ToValidUTF8(text(), "")))
	return strings.Join(spec, "|")
}

// compareSets fails unless both sets say the same of the Event. The matchers live through many Events.
func compareSets(t *testing.T, with, without *Matcher, spec string) (n int) {
	t.Helper()
	names := func(m *Matcher) string {
		ev := newEvent(spec)
		var b strings.Builder
		for _, s := range m.Match(ev, nil) {
			fmt.Fprint(&b, " ", s.Detector.Name)
			if s.Span[0] < 0 || s.Span[1] > len(ev.Text) || s.Span[0] > s.Span[1] {
				t.Errorf("span %v of a text of %d bytes", s.Span, len(ev.Text))
			}
			n++
		}
		fmt.Fprintf(&b, " | %s %s %s", ev.Get(event.Action), ev.Get(event.App), ev.Get(event.Result))
		return b.String()
	}
	if a, b := names(with), names(without); a != b {
		t.Errorf("%q\nwith the prefilter%s\nwithout it%s", spec, a, b)
	}
	return n
}

func TestPrefilterChangesNothing(t *testing.T) {
	signals := 0
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 1))
		src := randomRules(r, 30)
		a, b := compileText(t, src, Options{})
		with, without := a.NewMatcher(), b.NewMatcher()
		for range 60 {
			signals += compareSets(t, with, without, randomEvent(r))
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if signals < 500 {
		t.Errorf("only %d signals: the test shows little", signals)
	}
}

// FuzzMatcher: whatever the rule and the record, the prefilter changes nothing.
func FuzzMatcher(f *testing.F) {
	for _, src := range foreign {
		f.Add(src, "uri=/x?id=1 union select|user_agent.original=sqlmap|status=200")
	}
	f.Add(head+"  sel: {payload|re|i: '(a|bc)+s'}\n  condition: sel\n", "message=BCſ")
	f.Add(correlations, "uri=/login|status=401")
	r := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		f.Add(randomRules(r, 3), randomEvent(r))
	}
	f.Fuzz(func(t *testing.T, src, spec string) {
		if len(src) > 4096 || len(spec) > 4096 || strings.Contains(spec, "client=") || strings.Contains(spec, "json=") || strings.Contains(spec, "time=") {
			return // newEvent is strict about these
		}
		rules, _ := Parse("x.yaml", []byte(src))
		with, _ := Compile(rules, Options{})
		without, _ := Compile(rules, Options{NoPrefilter: true})
		compareSets(t, with.NewMatcher(), without.NewMatcher(), spec)
	})
}

// FuzzParse: no file breaks the parser or the compiler, and what runs keeps its content through packing.
func FuzzParse(f *testing.F) {
	for _, src := range foreign {
		f.Add([]byte(src))
	}
	f.Add([]byte(correlations))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("action: global\n---\naction: repeat\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		rules, problems := Parse("x.yaml", src)
		for _, p := range problems {
			if p.Msg == "" || p.Error() == "" {
				t.Errorf("an empty problem: %+v", p)
			}
		}
		s, _ := Compile(rules, Options{})
		for _, c := range s.Correlations() {
			ev := newEvent("uri=/x|user.name=y")
			for _, b := range c.Bases {
				c.Key(nil, ev, b.Detector)
			}
			c.Value(ev)
			c.Complete(func(int) bool { return true })
		}
		docs, _ := readYAML("x.yaml", src)
		var b []byte
		for i := range docs {
			b = appendDocument(b, &docs[i])
		}
		u := unpacker{src: "\x00" + string(b)}
		u.regexes()
		n := 0
		for d := range u.documents() {
			if n < len(docs) && string(appendDocument(nil, d)) != string(appendDocument(nil, &docs[n])) {
				t.Errorf("document %d was packed as another one", n)
			}
			n++
		}
		if u.bad || n != len(docs) {
			t.Errorf("packing lost documents: %d of %d", n, len(docs))
		}
	})
}

// FuzzUnpack: damaged packed rules are an error, never a panic.
func FuzzUnpack(f *testing.F) {
	docs, _ := readYAML("x.yaml", []byte(correlations))
	f.Add("\x00" + string(appendDocument(nil, &docs[0])))
	f.Fuzz(func(t *testing.T, packed string) {
		u := unpacker{src: packed}
		build(u.documents(), u.regexes())
	})
}

// FuzzSamples: no sample file breaks the parser.
func FuzzSamples(f *testing.F) {
	f.Add([]byte("#: match a together outcome=blocked\nx\n\n#: ignore\ny"))
	f.Fuzz(func(t *testing.T, src []byte) {
		samples, _ := ParseSamples("x.log", src)
		for _, s := range samples {
			if len(s.Lines) == 0 || s.Line < 1 {
				t.Errorf("an empty sample: %+v", s)
			}
		}
	})
}

// TestScanner compares the scanner with a search for one literal after the other.
func TestScanner(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	letters := "abcAB./%\x80 "
	random := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return string(b)
	}
	for round := range 300 {
		var lits []string
		seen := map[string]bool{}
		least := 2 + 2*(round%2) // half of the rounds without short literals
		for range 1 + r.IntN(40) {
			if l := foldString(random(least + r.IntN(7))); !seen[l] {
				seen[l] = true
				lits = append(lits, l)
			}
		}
		s := newScanner(lits, nil)
		for range 20 {
			text := random(r.IntN(60))
			want := map[hit]bool{}
			for i, l := range lits {
				for at := 0; at+len(l) <= len(text); at++ {
					if foldString(text[at:at+len(l)]) == l {
						want[hit{int32(i), int32(at)}] = true
					}
				}
			}
			got := s.scan([]byte(text), nil)
			for _, h := range got {
				if !want[h] {
					t.Errorf("%q in %q: found %+v", lits, text, h)
				}
				delete(want, h)
			}
			if len(want) > 0 {
				t.Fatalf("%q in %q: missed %v", lits, text, want)
			}
		}
	}
}

// TestNeeds: every text that an expression matches has one of the literals that the analysis requires.
func TestNeeds(t *testing.T) {
	f := func(src, flags, want string, texts ...string) {
		t.Helper()
		re, err := newRegex(src, flags, nil)
		if err != nil {
			t.Fatal(err)
		}
		var sets []string
		for _, s := range re.lits {
			sets = append(sets, strings.ReplaceAll(strings.Join(s, " "), edge, "|"))
		}
		if got := strings.Join(sets, " + "); got != want {
			t.Errorf("%s: requires %q, want %q", src, got, want)
		}
		for _, text := range texts {
			if _, _, ok := re.find([]byte(text)); !ok {
				t.Errorf("%s does not match %q", src, text)
			}
		}
	}
	f(`union\s+select`, "i", "|select + union|", "UNION  SELECT")
	f(`a{3}\s\w+=\s*(?:\$x|bcd)x?`, "", "aaa| + $x bcd", "aaa b=bcd")
	f(`(?:cat|type)\s+/etc/passwd`, "", "|/etc/passwd + cat| type|", "type /etc/passwd")
	f(`abc|xyz\d`, "", "abc xyz", "xyz1")
	f(`abc|\d`, "", "", "1")
	f(`a+b+c+`, "", "bc", "abc", "aabbcc")
	f(`x(?:on(?:load\w*|cl(?:ick|ose))|off\d)=+b`, "", "xonload xonclick xonclose xoff", "xonloaded=b", "xoff1==b")
	f(`(?:foo){2,3}`, "", "foofoo", "foofoo")
	f(`x?yz`, "", "yz", "yz")
	f(`[ab]cd[ef]`, "", "acde acdf bcde bcdf", "bcdf")
	f(`^/admin$`, "", "|/admin|", "/admin")
	f(`\bselect\b.*`, "i", "|select|", "SELECT x")
	f(`.*`, "", "", "")
	f(`é{2}x`, "", "ééx", "ééx")
	f(`ab\x{fffd}`, "", "ab", "ab\xff")
	f(`É|ab`, "i", "", "é")
	f(`[A-Z]{12}\d`, "", "", "ABCDEFGHIJKL1")
	f(`[^a]bcd`, "", "bcd", "xbcd")
	f(`(?:\bor|and)[\s(+]+\d`, "i", "|or| and|", "1 OR 2", "and(3")
	f(`x\b|=\by`, "", "", "x", "=y")
	f(`=\bab`, "", "=|ab", "=ab")
}
