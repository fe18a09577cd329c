package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard"
)

// scripted is a judge whose report the case itself dictates, so that these tests
// are about the counting: the first line holds "verdict threat/actor/outcome..."
func scripted(lines []string) *vanguard.Report {
	r := &vanguard.Report{Verdict: vanguard.LooksNormal, Confidence: 0.5}
	for i, w := range strings.Fields(lines[0]) {
		if i == 0 {
			r.Verdict = vanguard.Verdict(w)
			continue
		}
		if w == "panic" {
			panic("scripted")
		}
		f := strings.SplitN(w, "/", 3)
		r.Findings = append(r.Findings, vanguard.Finding{
			Threat: f[0], Actor: vanguard.Actor{Value: strings.ReplaceAll(f[1], "_", "/")}, Outcome: f[2], Confidence: 0.8,
			Evidence: []vanguard.Evidence{{Line: len(lines), Text: lines[len(lines)-1]}, {Line: 1, Text: lines[0]}, {Line: 1}},
		})
	}
	return r
}

// attack and benign build a case; more are further JSON members.
func attack(id, threat, more string, lines ...string) string {
	return testCase(id, "attack", `"threat":"`+threat+`",`+more, lines)
}

func benign(id, more string, lines ...string) string { return testCase(id, "benign", more, lines) }

func testCase(id, label, more string, lines []string) string {
	l, _ := json.Marshal(lines)
	if more != "" {
		more = strings.TrimSuffix(more, ",") + ","
	}
	source, _, _ := strings.Cut(id, "/")
	return fmt.Sprintf(`{"id":%q,"source":%q,"label":%q,%s"lines":%s}`, id, source, label, more, l)
}

func scoreOf(t *testing.T, c evalCmd, cases ...string) (*scores, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cases.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(cases, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	c.Paths = []string{file}
	if c.Workers == 0 {
		c.Workers = 2
	}
	return c.score(scripted, nil, new(bytes.Buffer))
}

func TestEvalCounts(t *testing.T) {
	f := func(want evalTally, cases ...string) {
		t.Helper()
		s, err := scoreOf(t, evalCmd{}, cases...)
		if err != nil {
			t.Error(err)
			return
		}
		got := evalTally{}
		for _, one := range s.main {
			got.add(one)
		}
		if got != want {
			t.Errorf("%v:\n have %+v\n want %+v", cases, got, want)
		}
	}
	// Found: probed or worse. Threat: its own or a fair reader's.
	f(evalTally{Attacks: 1}, attack("a/1", "", "", "looks-normal"))
	f(evalTally{Attacks: 1}, attack("a/1", "", "", "cant-tell"))
	f(evalTally{Attacks: 1, Found: 1}, attack("a/1", "", "", "probed"))
	f(evalTally{Attacks: 1, Found: 1, WithThreat: 1}, attack("a/1", "ssrf", "", "under-attack xxe//unknown"))
	f(evalTally{Attacks: 1, Found: 1, WithThreat: 1, RightThreat: 1}, attack("a/1", "ssrf", "", "under-attack xxe//unknown ssrf//unknown"))
	f(evalTally{Attacks: 1, Found: 1, WithThreat: 1, RightThreat: 1}, attack("a/1", "ssrf", `"also":["xxe"]`, "under-attack xxe//unknown"))
	// Actors: addresses in any form, networks, accounts.
	f(evalTally{Attacks: 1, Found: 1, WithActors: 1, RightActor: 1}, attack("a/1", "", `"actors":["2001:DB8::0:1"]`, "probed xxe/2001:db8::1/unknown"))
	f(evalTally{Attacks: 1, Found: 1, WithActors: 1, RightActor: 1}, attack("a/1", "", `"actors":["eve"]`, "probed xxe/eve/unknown"))
	f(evalTally{Attacks: 1, Found: 1, WithActors: 1}, attack("a/1", "", `"actors":["eve"]`, "probed xxe/mallory/unknown"))
	f(evalTally{Attacks: 1, Found: 1, WithActors: 1, Accused: 1, Innocents: 2},
		attack("a/1", "", `"actors":["192.0.2.1"]`, "probed xxe/192.0.2.2/unknown xxe/192.0.2.3/unknown xxe/192.0.2.3/unknown"))
	// A network names the addresses of the lines that it contains: .77, and .0 of the script itself.
	f(evalTally{Attacks: 1, Found: 1, WithActors: 1, RightActor: 1, Accused: 1, Innocents: 2},
		attack("a/1", "", `"actors":["192.0.2.1"]`, "probed xxe/192.0.2.0_24/unknown", "192.0.2.1 x", `"ip":"192.0.2.77"`, "198.51.100.1"))
	// Benign: flagged, red, compromise likely.
	f(evalTally{Benign: 1}, benign("b/1", "", "looks-normal"))
	f(evalTally{Benign: 1, Flagged: 1}, benign("b/1", "", "probed"))
	f(evalTally{Benign: 1, Flagged: 1, Red: 1}, benign("b/1", "", "under-attack"))
	f(evalTally{Benign: 1, Flagged: 1, Red: 1, Compromise: 1}, benign("b/1", "", "compromise-likely"))
	// Outcome: the right threat speaks, a success outweighs, nothing found is none.
	out := func(want, got int) evalTally {
		t := evalTally{Attacks: 1, Found: 1, WithThreat: 1, RightThreat: 1}
		t.Outcome[want][got] = 1
		return t
	}
	f(out(outSucceeded, outSucceeded), attack("a/1", "xxe", `"outcome":"succeeded"`, "probed ssrf//blocked xxe//blocked xxe//likely-succeeded"))
	f(out(outBlocked, outBlocked), attack("a/1", "xxe", `"outcome":"blocked"`, "probed ssrf//succeeded xxe//blocked xxe//unknown"))
	f(out(outUnknown, outSucceeded), attack("a/1", "xxe", `"outcome":"unknown"`, "probed xxe//unknown xxe//succeeded"))
	none := evalTally{Attacks: 1, WithThreat: 1}
	none.Outcome[outSucceeded][outNone] = 1
	f(none, attack("a/1", "xxe", `"outcome":"likely-succeeded"`, "looks-normal"))
	f(evalTally{Attacks: 1, WithThreat: 1}, attack("a/1", "xxe", `"outcome":null`, "looks-normal"))
}

func TestEvalRates(t *testing.T) {
	cases := []string{
		attack("a/1", "xxe", `"outcome":"succeeded"`, "probed xxe//succeeded"), attack("a/2", "xxe", `"outcome":"succeeded"`, "looks-normal"),
		attack("b/1", "xxe", `"outcome":"blocked"`, "probed xxe//succeeded"), attack("b/2", "xxe", `"outcome":"unknown"`, "probed xxe//unknown"),
		attack("b/3", "xxe", "", "probed xxe//unknown"), attack("b/4", "ssrf", `"weak":true`, "looks-normal"),
		benign("b/5", "", "probed xxe//unknown"), benign("c/1", "", "looks-normal"),
	}
	for _, workers := range []int{1, 3} {
		s, err := scoreOf(t, evalCmd{Workers: workers}, cases...)
		if err != nil {
			t.Fatal(err)
		}
		b := newBlock(s.main)
		f := func(name string, overall, macro float64) {
			t.Helper()
			if o, m := b.Overall.Rates[name], b.Macro[name]; o != overall || m != macro {
				t.Errorf("%s: %v, macro %v; want %v, %v", name, o, m, overall, macro)
			}
		}
		f("found", 0.8, 0.75)
		f("benign_flagged", 0.5, 0.5)
		f("right_outcome", 0.5, 0.5)
		f("false_succeeded", 0.5, 0.5)
		f("missed_succeeded", 0.5, 0.5)
		if _, ok := b.Overall.Rates["right_actor"]; ok {
			t.Error("a rate of no cases is shown")
		}
		if w := newBlock(s.weak); w.Overall.Attacks != 1 || w.Overall.Found != 0 {
			t.Errorf("weak: %+v", w.Overall.evalTally)
		}
	}
	f := func(c evalCmd, attacks, benign, flagged int) {
		t.Helper()
		s, err := scoreOf(t, c, cases...)
		if err != nil {
			t.Fatal(err)
		}
		if o := newBlock(s.main).Overall; o.Attacks != attacks || o.Benign != benign || o.Flagged != flagged {
			t.Errorf("%+v: %+v", c, o.evalTally)
		}
	}
	f(evalCmd{Weak: true}, 6, 2, 1)
	f(evalCmd{Source: "b"}, 3, 1, 1)
	f(evalCmd{Threat: "xxe"}, 5, 2, 1)
	f(evalCmd{Threat: "ssrf", Weak: true}, 1, 2, 0)
}

func TestEvalLists(t *testing.T) {
	s, err := scoreOf(t, evalCmd{Misses: true, False: true, Workers: 3},
		attack("a/1", "xxe", "", "looks-normal", "second"),
		attack("a/2", "xxe", `"outcome":"blocked","actors":["192.0.2.1"]`, "probed ssrf/192.0.2.9/succeeded", "the \x1b[31mline"),
		benign("a/3", "", "under-attack ssrf/192.0.2.9/blocked", strings.Repeat("x", 500)),
		attack("a/4", "xxe", `"actors":["192.0.2.1"]`, "probed xxe/192.0.2.1/unknown"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.writeText(&b); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(b.String(), "\nMisses")
	want := ` (4):
missed         a/1  attack  want xxe  got looks-normal
    "looks-normal"
wrong threat   a/2  attack  want xxe  got probed ssrf(192.0.2.9, succeeded, 0.80)
    "the \x1b[31mline"
wrong actor    a/2  attack  want 192.0.2.1  got probed ssrf(192.0.2.9, succeeded, 0.80)
    "the \x1b[31mline"
wrong outcome  a/2  attack  want blocked  got probed ssrf(192.0.2.9, succeeded, 0.80)
    "the \x1b[31mline"

False (2):
innocent named a/2  attack  want not 192.0.2.9  got probed ssrf(192.0.2.9, succeeded, 0.80)
    "the \x1b[31mline"
flagged        a/3  benign  got under-attack ssrf(192.0.2.9, blocked, 0.80)
    "` + strings.Repeat("x", maxListed) + `"...
`
	if got != want {
		t.Errorf("have%s\nwant%s", got, want)
	}
}

func TestEvalCalibration(t *testing.T) {
	cases := []string{ // all findings are 0.8 sure
		attack("a/1", "xxe", "", "probed xxe//unknown"), attack("a/2", "xxe", "", "probed ssrf//unknown"), attack("a/3", "", "", "under-attack xxe//unknown"),
		attack("a/4", "xxe", "", "looks-normal"), attack("a/5", "xxe", `"weak":true`, "probed xxe//unknown"),
		benign("b/1", "", "probed xxe//unknown"), benign("b/2", "", "looks-normal xxe//unknown"),
	}
	s, err := scoreOf(t, evalCmd{}, cases...)
	if err != nil || s.reliability() != nil {
		t.Fatalf("not asked for: %+v, %v", s.reliability(), err)
	}
	if s, err = scoreOf(t, evalCmd{Calibration: true}, cases...); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	s.writeText(&b)
	_, got, _ := strings.Cut(b.String(), "\nConfidence ")
	// Of four flagged cases three are attacks; of three with a known threat one is right. Two harmless cases stand against four
	// attacks, so each counts twice: three of five. 0.8 is 0.05, 0.2 and 0.47 from these. By the other source alone those of a would
	// be said to be attacks by a third, of which all three are, and that of b by four fifths, which is none: 2.8 of four.
	const want = `of the first finding against the truth, 4 flagged cases:

confidence  attacks   benign     mean   attack   balanced   threat
0.8 - 0.9         3        1    0.800    0.750      0.600    0.333
expected calibration error: 0.0500 as they come, 0.2000 if as many harmless cases as attacks were judged, 0.4667 of naming the threat
of which calibrating each source anew by the others would leave 0.7000
`
	if got != want {
		t.Errorf("have %s\nwant %s", got, want)
	}
	if s, err = scoreOf(t, evalCmd{Calibration: true}, benign("b/1", "", "looks-normal")); err != nil || s.reliability().Flagged != 0 || s.reliability().Error != 0 {
		t.Errorf("nothing flagged: %+v, %v", s.reliability(), err)
	}
}

func TestEvalBadInput(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		good := benign("a/1", "", "looks-normal")
		_, err := scoreOf(t, evalCmd{}, good, "", line, "{also bad")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "cases.jsonl:3: ") {
			t.Errorf("%s: error %v, want %q", line, err, want)
		}
	}
	f(`{"id":`, "unexpected end of JSON")
	f(`{"id":"x","lines":[]}`, `label is ""`)
	f(`{"id":"x","label":"evil","lines":[]}`, `want "attack" or "benign"`)
	f(`{"id":"x","label":"attack"}`, `no "lines"`)
	f(`{"id":"x","label":"attack","lines":[1]}`, "cannot unmarshal number")
	f(`{"id":"x","label":"attack","lines":[],"outcome":"won"}`, `outcome is "won"`)
	f(benign("a/9", "", "looks-normal panic"), `case "a/9": the engine failed: scripted`)
}

func TestEvalFolders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(file), 0o777)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("deep/a.jsonl", `{"label":"benign","lines":["probed"]}`)
	write("other.jsonl", `{"some":"thing"}`)
	write("notes.txt", "no cases")
	var stderr bytes.Buffer
	c := evalCmd{Paths: []string{dir}, Workers: 1}
	s, err := c.score(scripted, nil, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.main["a"]; a == nil || a.Flagged != 1 || s.cases != 1 {
		t.Errorf("a case without a source belongs to its file: %+v", s.main)
	}
	if !strings.Contains(stderr.String(), "other.jsonl: skipped") {
		t.Errorf("stderr: %q", stderr.String())
	}
	c.Paths = []string{filepath.Join(dir, "other.jsonl")}
	if _, err := c.score(scripted, nil, &stderr); err == nil || !strings.Contains(err.Error(), "other.jsonl:1: ") {
		t.Errorf("a named file is not passed over: %v", err)
	}
	c.Paths = []string{t.TempDir()}
	if _, err := c.score(scripted, nil, &stderr); err == nil || !strings.Contains(err.Error(), "no *.jsonl file") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestEvalBlind(t *testing.T) {
	f := func(in, out, wantErr string) {
		t.Helper()
		for _, workers := range []int{1, 4} {
			var b bytes.Buffer
			c := evalCmd{Paths: []string{"-"}, Workers: workers}
			err := c.blind(scripted, strings.NewReader(in), &b)
			if b.String() != out || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
				t.Errorf("%s: have %s, error %v; want %s, %q", in, b.String(), err, out, wantErr)
			}
		}
	}
	f("", "", "")
	f(`{"id":"a","lines":["looks-normal"]}`, `{"id":"a","verdict":"looks-normal","confidence":0.5,"findings":[]}`+"\n", "")
	f(`{"id":7,"lines":["probed xxe/<b>/unknown","x"],"label":"ignored"}`+"\n\n",
		`{"id":7,"verdict":"probed","confidence":0.5,"findings":[{"threat":"xxe","actor":"<b>","outcome":"unknown","confidence":0.8,"lines":[1,2]}]}`+"\n", "")
	f(`{"id":"a"}`, "", "stdin:1: want {")
	f(`{"id":"a","lines":["probed"]}`+"\n{", `{"id":"a","verdict":"probed","confidence":0.5,"findings":[]}`+"\n", "stdin:2: no case")
	f(`{"id":"a","lines":["probed panic"]}`, "", `case "\"a\"": the engine failed`)

	var in, out strings.Builder
	for i := range 500 {
		fmt.Fprintf(&in, "{\"id\":%d,\"lines\":[\"probed\"]}\n", i)
		fmt.Fprintf(&out, "{\"id\":%d,\"verdict\":\"probed\",\"confidence\":0.5,\"findings\":[]}\n", i)
	}
	f(in.String(), out.String(), "")
}

func TestLineIndex(t *testing.T) {
	f := func(n, want int, lines ...string) {
		t.Helper()
		if got := lineIndex(lines)(n); got != want {
			t.Errorf("physical line %d of %q: position %d, want %d", n, lines, got, want)
		}
	}
	f(2, 2, "a", "b")
	f(1, 1, "a\nb", "c")
	f(2, 1, "a\nb", "c")
	f(3, 2, "a\nb", "c")
	f(4, 2, "a\nb", "c\n")
}
