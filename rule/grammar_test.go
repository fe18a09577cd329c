package rule

import (
	"strings"
	"testing"
)

func TestGrammar(t *testing.T) {
	f := func(modifier, expression string, yes, no []string) {
		t.Helper()
		src := head + "  sel:\n    payload|re|i|" + modifier + ": '" + expression + "'\n  condition: sel\n"
		with, without := compileText(t, src, Options{})
		for _, spec := range yes {
			if !matches(t, with, without, spec) {
				t.Errorf("%s does not match %s", modifier, spec)
			}
		}
		for _, spec := range no {
			if matches(t, with, without, spec) {
				t.Errorf("%s matches %s", modifier, spec)
			}
		}
	}
	// The expression and the tokeniser must agree, on the value around what was found, in any of several values.
	f("sqli", `union`, []string{"url.query=id=1 union select 2", "url.query=a=union&id=1 union select 2"},
		[]string{"url.query=id=1 or 1=1", "url.query=q=the union of all", "url.query=a=union&id=1 or 1=1"})
	f("sqli", `sleep`, []string{`http.request.body.content={"u":"') or sleep(5)='"}`, `http.request.body.content={"v":"sleep well","u":"') or sleep(5)='"}`},
		[]string{`http.request.body.content={"u":"sleep well","v":"') or 5='"}`})
	f("xss", `datasrc`, []string{"url.query=q=<span datasrc=1>"}, []string{"url.query=q=datasrc&x=<span datasrc2=1>", "url.query=q=datasrc"})

	for _, bad := range []string{"sqli", "contains|xss"} {
		_, problems := Parse("x.yaml", []byte(head+"  sel:\n    payload|"+bad+": union\n  condition: sel\n"))
		if len(problems) == 0 || !strings.Contains(problems[0].Error(), `stands without "re"`) {
			t.Errorf("payload|%s: %v", bad, problems)
		}
	}
}

func TestValueAround(t *testing.T) {
	f := func(text, found, want string) {
		t.Helper()
		at := strings.Index(text, found)
		from, to := valueAround([]byte(text), at, at+len(found))
		if got := text[from:to]; got != want {
			t.Errorf("%s in %s: %s, want %s", found, text, got, want)
		}
	}
	f(`a=1&b=2 or 3&c=4`, `or`, `2 or 3`)
	f(`b=2 && 3=3&c=4`, `&&`, `2 && 3=3`)
	f(`2 or 3`, `or`, `2 or 3`)
	f(`a=x='y'`, `'y'`, `x='y'`)
	f(`a=1`, `=`, `1`)
	f(`{"a":"b","c":"d 'e'"}`, `'e'`, `d 'e'`)
	f(`{"a":"b\" or \"c"}`, `or`, `b\" or \"c`)
	f(`{"a":"unfinished`, `fin`, `unfinished`)
}
