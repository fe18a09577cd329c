package rule

import (
	"reflect"
	"testing"

	"github.com/helixvanguard/vanguard/apps"
	"github.com/helixvanguard/vanguard/rules"
)

func TestPackedInStep(t *testing.T) {
	if !InStep(rules.FS, rules.Packed) || !InStep(apps.FS, apps.Packed) {
		t.Error("rules.gen is not in step with the rule files; run: go generate ./rules ./apps")
	}
}

func loadAll(tb testing.TB) []*Rule {
	a, p1, err1 := Load(apps.FS, apps.Packed)
	r, p2, err2 := Load(rules.FS, rules.Packed)
	if err1 != nil || err2 != nil {
		tb.Fatal(err1, err2)
	}
	for _, p := range append(p1, p2...) {
		if p.Kind != Warning {
			tb.Error(p)
		}
	}
	return append(a, r...)
}

func BenchmarkStart(b *testing.B) {
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			loadAll(b)
		}
	})
	all := loadAll(b)
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Compile(all, Options{})
		}
	})
}

func TestPackedMachines(t *testing.T) {
	n := 0
	for _, packed := range []string{apps.Packed, rules.Packed} {
		u := unpacker{src: packed[len(packMagic)+8:]}
		regexes := u.regexes()
		if u.bad {
			t.Fatal("damaged")
		}
		for src, f := range regexes {
			want := newMachine(src)
			if got := unpackMachine(f.mach); !reflect.DeepEqual(got, want) {
				t.Errorf("%q: the packed machine is another one", src)
			}
			for cut := range min(len(f.mach), 60) {
				unpackMachine(f.mach[:cut]) // damaged: nil or a machine, no panic
			}
			n++
		}
	}
	if n < 500 {
		t.Errorf("%d expressions", n)
	}
}
