package rule

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSamples(t *testing.T) {
	src := strings.Join([]string{
		"# a comment before the first header",
		"#: match one",
		"first",
		"",
		"second",
		"#: match one two,three together outcome=blocked actor=203.0.113.9",
		"a",
		"",
		"# not a comment inside a log",
		"b",
		"",
		"#: ignore",
		"harmless\r",
		"#: ignore together",
		"x",
		"y",
		"#: match threat=bola platform=nginx,Apache",
		"z",
		"#: ignore one platform=AWS",
		"w",
	}, "\n")
	got, problems := ParseSamples("x.log", []byte(src))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []Sample{
		{Line: 3, Rules: []string{"one"}, Lines: []string{"first", "second"}},
		{Line: 7, Rules: []string{"one", "two", "three"}, Together: true, Outcome: "blocked", Actor: "203.0.113.9", Lines: []string{"a", "", "# not a comment inside a log", "b"}},
		{Line: 13, Ignore: true, Lines: []string{"harmless"}},
		{Line: 15, Ignore: true, Together: true, Lines: []string{"x", "y"}},
		{Line: 18, Threat: "bola", Platform: []string{"nginx", "Apache"}, Lines: []string{"z"}},
		{Line: 20, Ignore: true, Rules: []string{"one"}, Platform: []string{"AWS"}, Lines: []string{"w"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseSamplesProblems(t *testing.T) {
	f := func(src, want string) {
		t.Helper()
		_, problems := ParseSamples("x.log", []byte(src))
		if len(problems) != 1 || problems[0].Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", src, problems, want)
		}
	}
	f("line\n", `x.log:1: a line before the first header; start with "#: match NAME" or "#: ignore"`)
	f("#: match a\n", `x.log:1: no lines follow the header`)
	f("#: match a\n#: ignore\nx\n", `x.log:1: no lines follow the header`)
	f("\n#: mach a\nx\n", `x.log:2: unknown header "mach"; write "#: match NAME" or "#: ignore"`)
	f("#:\nx\n", `x.log:1: unknown header ""; write "#: match NAME" or "#: ignore"`)
	f("#: match\nx\n", `x.log:1: "match" names neither rule nor threat; write "#: match NAME" or "#: match threat=SLUG"`)
	f("#: ignore threat=a\nx\n", `x.log:1: "ignore" wants no finding, so it has no threat, outcome or actor`)
	f("#: match a outcome=blockd\nx\n", `x.log:1: unknown outcome "blockd"; did you mean "blocked"?`)
	f("#: match a acter=1\nx\n", `x.log:1: unknown key "acter"; did you mean "actor"?`)
}
