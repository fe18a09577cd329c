package rule

import (
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

func TestWritten(t *testing.T) {
	src := func(threat string) string {
		return head + "  sel:\n    payload|re|i: '<script|union.{1,9}select|etc[/\\\\]+passwd|rm -rf|[=\"]\\s*ls /|__proto__|onload='\n  condition: sel\nlevel: high\nvanguard: {threat: " + threat + ", stage: exploit, confidence: 0.9}\n"
	}
	f := func(threat string, written bool, specs ...string) {
		t.Helper()
		with, without := compileText(t, src(threat), Options{})
		for _, spec := range specs {
			for _, s := range []*Set{with, without} {
				got := s.NewMatcher().Match(newEvent("url.path=/p|"+spec), nil)
				if len(got) != 1 {
					t.Errorf("%s: %d signals", spec, len(got))
					continue
				}
				if d := got[0].Detector; d.Written != written || written && (d.Level != event.Low || d.Confidence > doubtful) || !written && (d.Level != event.High || d.Confidence != 0.9) {
					t.Errorf("%s: written %v, level %v, confidence %v", spec, d.Written, d.Level, d.Confidence)
				}
			}
		}
	}
	body := func(s string) string { return "http.request.body.content=" + s }
	// Sentences around an exploit, in a form, in JSON, in another language, in another script, and in few words.
	f("cross-site-scripting", true,
		body(`title=xss&body=my teacher said that <script>alert(1)</script> runs in the comment field`),
		body(`{"text":"what should I do about <script>x</script> in my page, can you help"}`),
		body(`{"body":"he wrote \"<script>\" to us and that is why the page was broken"}`),
		body(`text=ich habe <script>alert(1)</script> in das feld geschrieben und nichts passiert`),
		body(`text=как защитить страницу от <script>alert(1)</script> в комментариях пользователей`),
		"url.query=q=what+is+<script>+tag")
	// The same without words, or with the words in another value.
	f("cross-site-scripting", false,
		body(`comment=<script>alert(1)</script>`),
		body(`title=how can I help you with that&comment=<script>alert(1)</script>`),
		body(`{"title":"how can I help you with that","comment":"<script>alert(1)</script>"}`),
		"url.query=q=<script>alert(1)</script>",
		"user_agent.original=what+should+I+do+with+the+<script>+tag+that+you+sent+to+me")
	// Code that stands where code belongs: several lines, a page, a language beside it, a statement from its first word.
	f("command-injection", true, body(`{"content":"set -e\ncd /srv\nrm -rf old\n"}`), body(`{"code":"rm -rf x","lang":"sh"}`), body(`{"stack":"at rm -rf x"}`))
	f("command-injection", false, body(`{"content":"x; rm -rf old"}`), body(`{"host":"1\n2\nrm -rf x"}`))
	f("sql-injection", true, body(`{"query":"select a from b union all select c from d"}`))
	f("sql-injection", false, body(`{"rawSql":"1 union all select c from d"}`), body(`{"id":"select a from b union all select c"}`))
	f("cross-site-scripting", true, body(`{"html":"<html><body onload=init()></body></html>"}`))
	// What people search for, without anything that a server would run.
	f("command-injection", true, "url.query=q=ls+/var", "url.query=a=1&search=ls+/var")
	f("command-injection", false, "url.query=host=ls+/var", "url.query=q=ls+/var;id")
	// Words that only lead up to an exploit, and words about one.
	f("sql-injection", false, "url.query=q=please+find+me+good+shoes+for+my+kids'+union+select+a,b+from+users--+-")
	f("sql-injection", true, "url.query=q=what+does+union+select+do+in+my+sql", "url.query=q=why+is+my+wife's+union+select+so+slow", body(`q=please find me good shoes for my kids' union select a,b from users-- -`))
	f("path-traversal", false, "url.query=name=the+photos+of+my+last+holiday/../../../etc/passwd")
	f("path-traversal", true, "url.query=name=what+does+../../etc/passwd+do+in+my+log", "url.query=name=what+is+the+use+of+../../etc/passwd")
	f("cross-site-scripting", false, "url.query=q=find+me+the+best+<script>location='//x/'%2Bdocument.cookie</script>+for+my+house")
	// A page saved in an editor, and a threat that no words make harmless.
	f("cross-site-scripting", true, "event.action=edit|"+body(`data=<script>alert(1)</script>`))
	f("webshell", false, body(`title=xss&body=my teacher said that <script>alert(1)</script> runs in the comment field`))
}

// TestOwnWords: what a program without a request says of its own doing is no attack, what it quotes of a client is.
func TestOwnWords(t *testing.T) {
	f := func(threat, want, spec string) {
		t.Helper()
		src := head + "  sel:\n    payload|re|i: 'union.{1,9}select|or 1=1|.=.x|sh -c|169[.]254|<script'\n  condition: sel\nlevel: high\nvanguard: {threat: " + threat + ", stage: exploit, confidence: 0.9}\n"
		with, without := compileText(t, src, Options{})
		for _, s := range []*Set{with, without} {
			got := ""
			for _, sig := range s.NewMatcher().Match(newEvent(spec), nil) {
				got = sig.Detector.Level.String()
			}
			if got != want {
				t.Errorf("%s: %q, want %q", spec, got, want)
			}
		}
	}
	f("sql-injection", "", "kind=app|message=Order Load (0.9ms)  SELECT a FROM b UNION ALL SELECT c FROM d")
	f("sql-injection", "", "kind=app|message=select a from b where c = 2 or 1=1")
	f("sql-injection", "high", "kind=app|message=select a from b where c = 'd' or 1=1 -- '")
	f("sql-injection", "high", "kind=app|message=select a from b where c = 'd' or 'x'='x'")
	f("sql-injection", "high", "kind=app|message=no such item: 2 union select a from b")
	f("sql-injection", "high", "kind=app|url.path=/p|url.query=q=2 union select a from b")
	f("command-injection", "", "kind=app|message=exec: /bin/sh -c 'tar x'")
	f("command-injection", "", "kind=system|message=exec start: sh -c curl")
	f("command-injection", "high", "kind=web|user_agent.original=sh -c curl")
	f("ssrf", "", "kind=system|message=wget 169.254.169.254")
	f("ssrf", "high", "kind=app|message=fetch 169.254.169.254")
	f("cross-site-scripting", "low", `kind=app|json={"comment":"you should not write <script> into the field of a form","msg":"x"}`)
	f("cross-site-scripting", "high", `kind=app|json={"comment":"<script>","msg":"x"}`)
}

func TestWords(t *testing.T) {
	f := func(text string, plain, common, longest int) {
		t.Helper()
		var w words
		w.count([]byte(text))
		if w.plain != plain || w.common != common || w.longest != longest {
			t.Errorf("%q: %d plain, %d common, %d in a row", text, w.plain, w.common, w.longest)
		}
	}
	f("", 0, 0, 0)
	f("the quick, brown (fox).", 4, 1, 4)
	f("the+quick%2C+brown%20fox", 4, 1, 4)
	f("1' or user = 'root' -- x", 3, 0, 1)
	f("union select from where", 0, 0, 0)
	f(`one\ntwo<b class="three four">five</b>`, 3, 0, 3)
	f("a=b c_d e1 f", 1, 0, 1)
	f("%", 0, 0, 0)
	f("<", 0, 0, 0)
}

// FuzzWritten: whatever stands around a match, and wherever it stands, the answer comes.
func FuzzWritten(f *testing.F) {
	for _, seed := range []string{`a=1&b=<script>&c=2`, `{"body":"he wrote \"<script>\" to us"}`, `["x`, `"`, `=`, `&`, `%2`, `\`, `<p>a b`, `SELECT `, "a\nb"} {
		f.Add([]byte(seed), 0, 1)
		f.Add([]byte(seed), len(seed), 0)
	}
	f.Fuzz(func(t *testing.T, text []byte, from, n int) {
		if from < 0 || n < 0 || from > len(text) || n > len(text)-from || len(text) == 0 {
			return
		}
		for _, spec := range []string{"url.path=/p|http.request.body.content=x", "kind=app|message=x", "kind=system|message=x"} {
			m := &Matcher{ev: newEvent(spec)}
			for _, threat := range []string{"sql-injection", "command-injection", "cross-site-scripting"} {
				g := &memo{field: event.Body, at: text[from : from+n], whole: text, from: from}
				if w := m.weigh(g, threat); w > nought {
					t.Errorf("%d", w)
				}
			}
		}
	})
}
