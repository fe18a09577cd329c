package neural

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// toy is a small head whose weights are made by a formula: the tests of the arithmetic need no training.
func toy(name string) *Parameters {
	p := &Parameters{Name: name, Classes: []string{"one", "two", "three"}, LogRows: 10, Linear: 0.02, Limit: 0.5}
	state := uint32(1)
	next := func() float64 {
		state = state*1664525 + 1013904223
		return float64(state>>16)/65536 - 0.5
	}
	p.Table = make([]int8, Lanes<<p.LogRows)
	for i := range p.Table {
		p.Table[i] = int8(next() * 250)
	}
	for i := range Hidden {
		for j := range Lanes {
			p.In[i][j] = next() * 0.02
		}
	}
	for k := range 1 + len(p.Classes) {
		for i := range Hidden {
			p.Out[k][i] = next()
		}
		p.OutBias[k] = next()
	}
	for k := range NumKinds {
		p.Bias[k] = next()
		for i := range Hidden {
			p.InBias[k][i] = next()
		}
	}
	for i := range p.Curve {
		p.Curve[i] = float64(i+1) / (CurveSize + 1)
	}
	return p
}

func encodeToy() []byte {
	text := toy(TextHead)
	text.Words = strings.Fields("failed password for invalid user from login")
	return Encode("toy", func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }, toy(WebHead), text)
}

func load(t testing.TB, file []byte) *Model {
	t.Helper()
	m, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var texts = []string{
	"", "a", "' or 1=1 -- ", "<script>alert(1)</script>", "../../../../etc/passwd", "how to select a gift from our union store",
	"Failed password for invalid user admin from 192.0.2.7 port 4711 ssh2", "userLoginFailed user_id=42 /api/v1/login \"x\"",
	"привет, как дела?", "\xff\xfe\x00\x01", strings.Repeat("aé1 ", 400), strings.Repeat("%", 5000), "0000111122223333",
}

// TestSameNumbers pins every score to the bit: it runs natively and as WebAssembly, and neither may differ.
func TestSameNumbers(t *testing.T) {
	m := load(t, encodeToy())
	var s Scratch
	var all strings.Builder
	for _, text := range texts {
		for kind := range NumKinds {
			a, b := m.Web.Score(&s, kind, []byte(text)), m.Text.Score(&s, kind, []byte(text))
			fmt.Fprintln(&all, a.Logit, a.P, a.Class, b.Logit, b.P, b.Class)
		}
	}
	const want = "f2bab6e6d690c4c3"
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(all.String())))[:16]; got != want {
		t.Errorf("the scores have the hash %s, want %s", got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	file := encodeToy()
	for n := range 4000 {
		if _, err := Load(file[:n]); err == nil {
			t.Fatalf("the first %d bytes of a file were loaded", n)
		}
	}
	if _, err := Load(file[:len(file)-1]); err == nil {
		t.Error("a file without its last byte was loaded")
	}
	if _, err := Load(bytes.Replace(file, []byte(WebHead), []byte("wob"), 1)); err == nil {
		t.Error("a file without the web head was loaded")
	}
	if _, err := Load([]byte("<html>no such page</html>, and enough bytes to look at")); err == nil {
		t.Error("a page was loaded")
	}
}

func TestScoreAllocatesNothing(t *testing.T) {
	m := load(t, encodeToy())
	var s Scratch
	var all [][]byte
	for _, text := range texts {
		all = append(all, []byte(text))
	}
	if n := testing.AllocsPerRun(10, func() {
		for _, w := range all {
			m.Web.Score(&s, Param, w)
			m.Text.Score(&s, Text, w)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestKeywords(t *testing.T) {
	for _, w := range strings.Fields(keywords) {
		if len(w) > maxKeyword {
			t.Errorf("keyword %q is longer than %d", w, maxKeyword)
		}
		h := uint32(hashStart)
		for i := range len(w) {
			h = (h ^ uint32(w[i])) * hashStep
		}
		if !isKeyword(h, []byte(w)) || isKeyword(h, []byte(w+"x")) {
			t.Errorf("keyword %q is not found, or %q is", w, w+"x")
		}
	}
}

func FuzzScore(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text), uint8(1))
	}
	m := load(f, encodeToy())
	var s Scratch
	f.Fuzz(func(t *testing.T, text []byte, kind uint8) {
		for _, h := range []*Head{m.Web, m.Text} {
			sc := h.Score(&s, Kind(kind)%NumKinds, text)
			if sc.P < 0 || sc.P > Certain || int(sc.Class) >= len(h.Classes) {
				t.Fatalf("%+v", sc)
			}
			if again := h.Score(&s, Kind(kind)%NumKinds, text); again != sc {
				t.Fatalf("%+v, then %+v", sc, again)
			}
		}
	})
}

func BenchmarkScore(b *testing.B) {
	m := load(b, encodeToy())
	var s Scratch
	for _, text := range []string{texts[2], texts[5], strings.Repeat("<b>x</b> y='1' ", 17)} {
		b.Run(fmt.Sprint(len(text)), func(b *testing.B) {
			in := []byte(text)
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				m.Web.Score(&s, Param, in)
			}
		})
	}
}
