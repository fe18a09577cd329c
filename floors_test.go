//go:build !js

package vanguard_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/helixvanguard/vanguard"

// floors is a statement of policy: an import goes down only. A package below "x" that is
// not listed itself (x/internal/y) stands on the floor of x.
var floors = map[string]int{
	"cmd": 6, "bench": 6, "train": 6,
	"server": 5, "source": 5, "alert": 5, "store": 5,
	".": 4, "render": 4,
	"incident": 3, "mitigate": 3, "witness": 3,
	"logformat": 2, "rule": 2,
	"event": 1, "decode": 1, "unpack": 1, "neural": 1, "rules": 1, "threats": 1, "models": 1, "apps": 1, "web": 1,
}

// sideways are the imports on one floor that are allowed: a Report is rendered, a server keeps things.
var sideways = map[[2]string]bool{{"render", "."}: true, {"server", "store"}: true}

// data packages hold files that people write; their one Go file only embeds them.
var data = []string{"rules", "threats", "models", "apps", "web"}

// The engine (floors 1 to 4) runs wherever Go does, WebAssembly included: it knows no
// operating system, no network and no clock.
var (
	engineTop       = 4
	forbiddenImport = []string{"os", "os/exec", "os/signal", "os/user", "net", "net/http", "syscall", "syscall/js", "log", "log/slog", "flag", "plugin"}
	forbiddenClock  = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
)

// room finds the entry of floors that pkg, a path below the module, belongs to.
func room(pkg string) (string, bool) {
	for p := pkg; p != "."; p = path.Dir(p) {
		if _, ok := floors[p]; ok {
			return p, true
		}
	}
	return ".", pkg == "."
}

// broken tells why pkg must not import imp; "" if it may.
func broken(pkg, imp string) string {
	from, ok := room(pkg)
	if !ok {
		return pkg + " has no floor; give it one in floors_test.go"
	}
	own, isOwn := strings.CutPrefix(imp+"/", module+"/")
	if !isOwn {
		if floors[from] <= engineTop && slices.Contains(forbiddenImport, imp) {
			return fmt.Sprintf("%s imports %s, which the engine must not know", pkg, imp)
		}
		return ""
	}
	own = path.Clean("./" + own)
	to, ok := room(own)
	switch {
	case !ok:
		return own + " has no floor; give it one in floors_test.go"
	case from == to, sideways[[2]string{from, to}], floors[to] < floors[from] && from != "decode" && from != "neural":
		return ""
	}
	return fmt.Sprintf("%s (floor %d) imports %s (floor %d): an import goes down only", pkg, floors[from], own, floors[to])
}

func TestFloors(t *testing.T) {
	packages := map[string][]string{} // its files
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		base := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules"):
			return fs.SkipDir
		case strings.HasSuffix(base, ".go") && !strings.HasSuffix(base, "_test.go"):
			dir := filepath.ToSlash(filepath.Dir(name))
			packages[dir] = append(packages[dir], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{".", "event", "logformat", "rule", "incident", "render", "cmd/vanguard"} {
		if packages[must] == nil {
			t.Errorf("package %s was not looked at", must)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(packages)) {
		for _, file := range packages[pkg] {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, file, nil, 0)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, imp := range f.Imports {
				name, _ := strconv.Unquote(imp.Path.Value)
				if why := broken(pkg, name); why != "" {
					t.Errorf("%s: %s", fset.Position(imp.Pos()), why)
				}
			}
			if from, _ := room(pkg); floors[from] <= engineTop {
				for _, pos := range clocks(f) {
					t.Errorf("%s: reads a clock; the engine knows event time only", fset.Position(pos))
				}
			}
			if slices.Contains(data, pkg) {
				for _, d := range f.Decls {
					if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT && g.Tok != token.VAR {
						t.Errorf("%s: package %s only embeds its files", fset.Position(d.Pos()), pkg)
					}
				}
			}
		}
		if slices.Contains(data, pkg) && len(packages[pkg]) > 1 {
			t.Errorf("package %s has %d Go files; one embeds the rest", pkg, len(packages[pkg]))
		}
	}
}

// clocks finds uses of the clock and of timers.
func clocks(f *ast.File) (at []token.Pos) {
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && x.Obj == nil && slices.Contains(forbiddenClock, s.Sel.Name) {
				at = append(at, s.Pos())
			}
		}
		return true
	})
	return at
}

// TestFloorsCatch makes sure that the test above can fail.
func TestFloorsCatch(t *testing.T) {
	f := func(pkg, imp string, ok bool) {
		t.Helper()
		if why := broken(pkg, imp); (why == "") != ok {
			t.Errorf("%s importing %s: %q", pkg, imp, why)
		}
	}
	f(".", module+"/incident", true)
	f(".", module+"/render", false)
	f("render", module, true)
	f("render", module+"/incident", true)
	f("incident", module+"/rule", true)
	f("rule", module+"/logformat", false)
	f("rule", module+"/rule/internal/ac", true)
	f("logformat", module+"/rule/internal/ac", false)
	f("decode", module+"/event", false)
	f("event", module+"/decode", false)
	f("incident", module, false)
	f("cmd/vanguard", module+"/render", true)
	f("render", module+"/cmd/vanguard", false)
	f("event", "net/netip", true)
	f("event", "net", false)
	f("render", "os", false)
	f("cmd/vanguard", "os", true)
	f("server", "net/http", true)
	f("mystery", "fmt", false)
	f("event", module+"/mystery", false)

	src := "package p\nimport \"time\"\nvar a = time.Second\nvar b = time.Now()\nfunc f(time struct{ Now int }) int { return time.Now }\n"
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(clocks(file)); n != 1 {
		t.Errorf("%d clocks found, want 1", n)
	}
}
