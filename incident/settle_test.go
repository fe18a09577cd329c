package incident

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// replay runs a script through t, a record a line:
//
//	WHO METHOD URL STATUS SIZE [SECONDS]
//	WHO says TEXT [LEVEL]
//
// WHO is a number, the last of 192.0.2.0/24; "!" before it holds the line against it, as an attempt of threat. SIZE "-" is unknown. A URL
// may carry a body behind " body=".
func replay(t *testing.T, tr *Tracker, d *event.Detector, script string) {
	t.Helper()
	at := tr.last
	for line := range strings.Lines(strings.TrimSpace(script)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		f := strings.Split(line, " ")
		var ev event.Event
		ev.Reset()
		who, hostile := strings.CutPrefix(f[0], "!")
		ev.Client = netip.MustParseAddr("192.0.2." + who)
		at += int64(time.Second)
		ev.Time, ev.Clock, ev.Text = at, event.ZonedClock, []byte(line)
		if f[1] == "says" {
			ev.Kind = event.KindApp
			rest, level, _ := strings.Cut(strings.Join(f[2:], " "), " level=")
			ev.Set(event.Message, []byte(rest))
			if level != "" {
				ev.Set(event.Level, []byte(level))
			}
		} else {
			ev.Kind = event.KindWeb
			ev.Set(event.Method, []byte(f[1]))
			path, query, _ := strings.Cut(f[2], "?")
			query, body, _ := strings.Cut(query, "#body=")
			ev.Set(event.Path, []byte(path))
			ev.Set(event.Query, []byte(query))
			ev.Set(event.Body, []byte(body))
			ev.Status, _ = strconv.Atoi(f[3])
			if f[4] != "-" {
				ev.Bytes, _ = strconv.ParseInt(f[4], 10, 64)
			}
			if len(f) > 5 {
				s, _ := strconv.ParseFloat(f[5], 64)
				ev.Duration = time.Duration(s * float64(time.Second))
			}
		}
		var signals []event.Signal
		if hostile {
			signals = []event.Signal{{Detector: d, Field: event.Query}}
		}
		tr.Observe(&ev, signals)
	}
}

func TestOutcome(t *testing.T) {
	f := func(name, threat, want, because, script string) {
		t.Helper()
		d := &event.Detector{By: "rule:x", Name: "x", Threat: threat, Level: event.High, Confidence: 0.9}
		tr := New(Config{})
		replay(t, tr, d, script)
		r := tr.Result()
		if len(r.Incidents) != 1 {
			t.Fatalf("%s: %d incidents", name, len(r.Incidents))
		}
		in := r.Incidents[0]
		if got := in.Outcome().String(); got != want || because != "" && in.OutcomeEvidence() != because {
			t.Errorf("%s: %s, want %s\n%s\nwant\n%s", name, got, want, in.OutcomeEvidence(), because)
		}
		grade := Compromised
		if threat == "rate-flood" { // What was served was served; nothing was broken into.
			grade = UnderAttack
		}
		if want == "likely-succeeded" && in.Grade() != grade {
			t.Errorf("%s: grade %d", name, in.Grade())
		}
	}
	const shop = `
		1 GET /item?id=3 200 2410
		2 GET /item?id=14 200 2655
		3 GET /item?id=9 200 2502
		`
	f("a dump is larger than any page", "sql-injection", "likely-succeeded", "answered 200 with 48,211 bytes; this route usually answers 2,410 to 2,655 bytes", shop+`
		!9 GET /item?id=-1%20union%20select%201,pw%20from%20users 200 48211`)
	f("a page as any other proves nothing", "sql-injection", "unknown", "", shop+`
		!9 GET /item?id=3%20and%201=1 200 2410`)
	f("one usual page is not much to go by", "sql-injection", "unknown", "", `
		1 GET /item?id=3 200 2410
		!9 GET /item?id=9%20or%201=1 200 4502`)
	f("a number made of text gives the item's page each time", "sql-injection", "unknown", "", shop+`
		!9 GET /item?id=3%27 200 2410
		!9 GET /item?id=14%20union%20select%201 200 2655
		!9 GET /item?id=9%20or%201=1 200 2502`)
	f("broken text fails, well-formed text is answered", "sql-injection", "likely-succeeded", "", shop+`
		!9 GET /item?id=3%27 500 910
		!9 GET /item?id=3%20union%20select%201 500 910
		!9 GET /item?id=-3%20union%20select%201,2 200 1910
		!9 GET /item?id=-3%20union%20select%20a,b%20from%20users 200 2950
		!9 GET /item?id=-3%20union%20select%20a,b%20from%20orders 200 2310`)
	f("a search repeats the text and finds nothing", "sql-injection", "blocked", "4 different attempts were answered alike, with 1,218 to 1,252 bytes: nothing came back", `
		1 GET /find?q=lamp 200 4000
		!9 GET /find?q=x'--+ 200 1218
		!9 GET /find?q=x'+order+by+1--+ 200 1229
		!9 GET /find?q=x'+union+select+1,'a',2--+ 200 1252
		!9 GET /find?q=x'+union+select+1,2,3--+ 200 1238`)
	f("a condition on what is not there changes nothing", "sql-injection", "unknown", "", `
		1 GET /find?q=xyzzy 200 1210
		!9 GET /find?q=xyzzy'and'1'='1 200 1252
		!9 GET /find?q=xyzzy'and'1'='2 200 1252
		!9 GET /find?q=xyzzy'and'a'='b 200 1252`)
	f("all were forbidden", "sql-injection", "blocked", "the server refused with 403", `
		!9 GET /find?q=1'or'1 403 146
		!9 GET /find?q=2'or'1 403 146`)
	f("it slept as it was told", "sql-injection", "likely-succeeded", "the answer took 5.1 seconds where the request asked for a delay of 5", `
		1 GET /item?id=3 200 2410 0.04
		!9 GET /item?id=3+and+sleep(5) 200 2410 5.08`)
	f("it did not sleep", "sql-injection", "unknown", "", `
		1 GET /item?id=3 200 2410 0.04
		!9 GET /item?id=3+and+sleep(5) 200 2410 0.05`)
	f("a slow page is no sleep", "sql-injection", "unknown", "", `
		1 GET /item?id=3 200 2410 4.80
		!9 GET /item?id=3+and+sleep(5) 200 2410 5.02`)
	f("a log without durations cannot tell", "sql-injection", "unknown", "it asked the database to wait, and this log records no durations", `
		!9 GET /item?id=3+and+sleep(5) 404 300`)
	f("a login that refuses lets one in", "sql-injection", "likely-succeeded", "the login answered 302 to this, and refused other attempts", `
		!9 GET /partner/login?u=x' 401 640
		!9 GET /partner/login?u=admin'-- 302 -`)
	f("the application counts rows", "sql-injection", "likely-succeeded", "the application returned 60 rows; it usually returns 0 to 7", `
		1 says Product search "lamp" -> 7 rows
		2 says Product search "qqq" -> 0 rows
		!9 says Product search "x' union select a from users--" -> 60 rows`)
	f("the application counts none", "sql-injection", "blocked", "the application found no rows for any of 2 attempts", `
		1 says Product search "lamp" -> 7 rows
		!9 says Product search "x' union select a from users--" -> 0 rows
		!9 says Product search "99 rows' or 1=1" -> 0 rows`)

	const ping = `
		1 GET /ping?h=192.0.2.14 200 1400
		2 GET /ping?h=parcel.example 200 1404
		`
	f("a file's text is in the answer", "command-injection", "likely-succeeded", "", ping+`
		!9 GET /ping?h=;cat+/etc/passwd 200 2230`)
	f("one page for whatever is refused", "command-injection", "blocked", "3 different attempts were answered alike, with 1,180 bytes: nothing came back", ping+`
		!9 GET /ping?h=;id 200 1180
		!9 GET /ping?h=|whoami 200 1180
		!9 GET /ping?h=;cat+/etc/passwd 200 1180`)
	f("pages of one route that are never alike", "command-injection", "unknown", "", `
		1 GET /index.php?title=Main 200 9100
		2 GET /index.php?title=Help 200 14400
		!9 GET /index.php?title=$(PAGENAME) 200 17800`)
	f("one usual answer is not much to go by", "command-injection", "unknown", "", `
		1 GET /index.php?title=Main 200 9100
		!9 GET /index.php?title=$(PAGENAME) 200 10900`)
	f("a blind command may have run", "command-injection", "unknown", "", ping+`
		!9 GET /ping?h=192.0.2.14;wget+x 200 1400`)
	f("a template that repeats its text", "template-injection", "blocked", "", `
		1 GET /card?t=hello+dear+friends 200 2018
		!9 GET /card?t={{7*7}} 200 2007
		!9 GET /card?t={{config.items()}} 200 2018
		!9 GET /card?t={{'a'*500}} 200 2021
		!9 GET /card?t={{self.__class__.__mro__}} 200 2026`)
	f("a template that makes five hundred letters", "template-injection", "likely-succeeded", "", `
		1 GET /card?t=hello+dear+friends 200 2018
		2 GET /card?t=hello+you 200 2009
		!9 GET /card?t={{'a'*500}} 200 2500`)
	f("an entity brings a file", "xxe", "likely-succeeded", "", `
		1 POST /import?#body=<a>1</a> 200 1510
		!9 POST /import?#body=<!DOCTYPE_r_[<!ENTITY_e_SYSTEM_"file:///etc/passwd">]><a>&e;</a> 200 2440`)
	f("an entity brings nothing", "xxe", "blocked", "the attempt was answered 200 with 1,510 bytes, as harmless requests are: nothing came back", `
		1 POST /import?#body=<a>1</a> 200 1510
		!9 POST /import?#body=<!DOCTYPE_r_[<!ENTITY_e_SYSTEM_"file:///etc/passwd">]><a>&e;</a> 200 1510`)
	f("inner addresses answer differently", "ssrf", "likely-succeeded", "the answer depends on what was asked: 3 attempts were answered 200 with 209, 916 and 587 bytes", `
		!9 GET /thumb?u=http://169.254.169.254/a 200 209
		!9 GET /thumb?u=http://169.254.169.254/b 200 916
		!9 GET /thumb?u=http://169.254.169.254/c 200 587`)
	f("inner addresses cannot be reached", "ssrf", "blocked", "the server answered 502 to each: it fetched nothing", `
		!9 GET /thumb?u=http://127.0.0.1:22/ 502 300
		!9 GET /thumb?u=http://127.0.0.1:80/ 502 300`)
	f("one answer of any size is open", "ssrf", "unknown", "", `
		1 GET /thumb?u=http://www.example.com/logo 200 1055
		!9 GET /thumb?u=http://127.0.0.1:8080/ 200 1263`)
	f("the application fetched it", "ssrf", "likely-succeeded", "the application fetched it, and was answered 200", `
		!9 says Webhook test to http://169.254.169.254/latest -> 200 by 17`)

	f("two files, and refusals", "path-traversal", "likely-succeeded", "answered 200 with 812 bytes, while the same route refused 1 other files", `
		!9 GET /dl?f=../../etc/shadow 404 900
		!9 GET /dl?f=../../etc/passwd 200 812
		!9 GET /dl?f=../../etc/hosts 200 205`)
	f("a page that ignores the name", "path-traversal", "blocked", "", `
		!9 GET /dl?f=../../etc/shadow 200 900
		!9 GET /dl?f=../../etc/passwd 200 900
		!9 GET /dl?f=../../etc/hosts 200 900`)
	f("a script that answers each command differently", "webshell", "likely-succeeded", "the script answered with 201 to 562 bytes, depending on what it was sent: it runs", `
		9 GET /uploads/a.php 200 201
		!9 GET /uploads/a.php?c=ls 200 562
		!9 GET /uploads/a.php?c=id 200 254`)
	f("a script that is handed out as a file", "webshell", "unknown", "", `
		9 GET /uploads/a.php 200 201
		!9 GET /uploads/a.php?c=ls 200 201
		!9 GET /uploads/a.php?c=id 200 201`)
	f("the answer grows with the address", "open-redirect", "likely-succeeded", "", `
		!9 GET /out?to=https://a.example/ 302 205
		!9 GET /out?to=https://longer-name.example/ 302 215`)
	f("the answer does not", "open-redirect", "unknown", "", `
		!9 GET /out?to=https://a.example/ 302 182
		!9 GET /out?to=https://longer-name.example/ 302 182`)
	f("each name is redirected alike", "user-enumeration", "blocked", "each of 3 attempts was answered alike: 301 with 288 bytes", `
		!9 GET /?author=1 301 288
		!9 GET /?author=2 301 288
		!9 GET /?author=3 301 288`)
	f("a planted script calls home from elsewhere", "cross-site-scripting", "likely-succeeded", "another client, 192.0.2.7, then asked for /collect with something in it: the script ran there", `
		!9 POST /review?#body=<script>fetch("/collect?c="+document.cookie)</script> 302 -
		7 GET /collect?c=sid%3D0a1b2c3d4e5f 404 150`)
	f("only the planter calls", "cross-site-scripting", "unknown", "", `
		!9 POST /review?#body=<script>fetch("/collect?c="+document.cookie)</script> 302 -
		9 GET /collect?c=sid%3D0a1b2c3d4e5f 404 150`)
	f("an address that all ask for proves nothing", "cross-site-scripting", "unknown", "", `
		7 GET /collect?c=page-view-0123456789 204 0
		!9 POST /review?#body=<script>fetch("/collect?c="+document.cookie)</script> 302 -
		7 GET /collect?c=page-view-0123456789 204 0`)

	f("a file that should not be there", "sensitive-file-probe", "likely-succeeded", "answered 200 with 1,480 bytes, while this server refuses what is missing (1 times here)", `
		!9 GET /.git/config 404 200
		!9 GET /.env 200 1480`)
	f("one page answers everything", "sensitive-file-probe", "unknown", "", `
		1 GET /missing 404 200
		1 GET /a 200 1480
		1 GET /b 200 1480
		1 GET /c 200 1480
		!9 GET /.env 200 1480`)
	f("a soft 404 for every probe", "sensitive-file-probe", "unknown", "", `
		!9 GET /.env 200 1480
		!9 GET /.git/config 200 1480
		!9 GET /backup.zip 200 1480`)
	f("only the head is asked for", "sensitive-file-probe", "likely-succeeded", "answered 200, while 4 other probes of this client were refused", `
		!9 HEAD /a.sql 404 -
		!9 HEAD /b.sql 404 -
		!9 HEAD /c.sql 404 -
		!9 HEAD /d.sql 404 -
		!9 HEAD /e.sql 200 -`)
	f("a refused log-in is logged", "log-injection", "unknown", "", `
		!9 POST /login?#body=u=a%0aroot 401 53`)
	flood := strings.Repeat("!9 POST /otp 202 61\n", 30)
	f("a flood that is served", "rate-flood", "likely-succeeded", "30 of 30 requests were served; nothing limited them", flood)
	f("a flood that is limited", "rate-flood", "unknown", "", flood+strings.Repeat("!9 POST /otp 429 20\n", 30))
}

// What one rule is unsure about, or what matters little, is no compromise, however it came out.
func TestWorkedMustBeSevere(t *testing.T) {
	grave := &event.Detector{By: "rule:a", Threat: "sensitive-file-probe", Level: event.High, Confidence: 0.9}
	small := &event.Detector{By: "rule:b", Threat: "sensitive-file-probe", Level: event.Low, Confidence: 0.9}
	tr := New(Config{})
	replay(t, tr, grave, "!9 GET /.env 404 200")
	replay(t, tr, small, "!9 GET /info 200 7300")
	in := tr.Result().Incidents[0]
	if in.Outcome() != event.LikelySucceeded || in.Level != event.High || in.Grade() == Compromised {
		t.Errorf("outcome %v, level %v, grade %d", in.Outcome(), in.Level, in.Grade())
	}
}

// Answers are settled when asked, from memory that a snapshot keeps; asking changes nothing.
func TestOutcomeSurvivesSnapshot(t *testing.T) {
	d := &event.Detector{By: "rule:x", Threat: "sql-injection", Level: event.High, Confidence: 0.9}
	first, second := New(Config{}), New(Config{})
	replay(t, first, d, "1 GET /item?id=3 200 2410\n2 GET /item?id=4 200 2490\n!9 GET /item?id=3' 500 90")
	first.Result()
	var buf bytes.Buffer
	if err := first.Save(&buf); err != nil {
		t.Fatal(err)
	}
	if err := second.Load(&buf, []*event.Detector{d}); err != nil {
		t.Fatal(err)
	}
	for _, tr := range []*Tracker{first, second} {
		replay(t, tr, d, "!9 GET /item?id=-1'union+select+pw 200 91000")
		in := tr.Result().Incidents[0]
		if got := in.OutcomeEvidence(); got != "answered 200 with 91,000 bytes; this route usually answers 2,410 to 2,490 bytes" {
			t.Errorf("%q", got)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	d := &event.Detector{By: "rule:x", Threat: "sql-injection", Level: event.High, Confidence: 0.9}
	tr := New(Config{})
	replay(t, tr, d, "1 GET /item?id=3 200 2410\n2 GET /item?id=4 200 2490")
	for i := range 200 {
		replay(t, tr, d, fmt.Sprintf("!9 GET /item?id=%d' 200 2400", i))
		if i == 60 {
			replay(t, tr, d, "!9 GET /item?id=-1'union+select+pw 200 91000")
		}
	}
	in := tr.Result().Incidents[0]
	if len(in.Answers) != maxAnswers || in.Outcome() != event.LikelySucceeded {
		t.Errorf("%d answers, %v: the longest must stay", len(in.Answers), in.Outcome())
	}
	if !slices.ContainsFunc(in.Evidence, func(e Evidence) bool { return e.Outcome == event.LikelySucceeded && e.Bytes == 91000 }) {
		t.Error("the line that shows it is not among the evidence")
	}
	for i := range 100 {
		replay(t, tr, &event.Detector{By: "rule:y", Threat: "cross-site-scripting", Level: event.High, Confidence: 0.9},
			fmt.Sprintf("!9 POST /r?#body=<script>fetch('/c%d?c='+document.cookie)</script> 302 -", i))
	}
	if len(tr.callbacks) != maxCallbacks {
		t.Errorf("%d callbacks", len(tr.callbacks))
	}
}

// Live, an incident is told again once its answers show that it worked, and only once.
func TestUpdateOnSettledOutcome(t *testing.T) {
	d := &event.Detector{By: "rule:x", Threat: "sql-injection", Level: event.High, Confidence: 0.9}
	var told []string
	tr := New(Config{OnUpdate: func(u Update) {
		told = append(told, fmt.Sprint(u.New, " ", u.Incident.Outcome()))
	}})
	replay(t, tr, d, `1 GET /item?id=3 200 2410
		2 GET /item?id=4 200 2490
		!9 GET /item?id=3' 200 2410
		!9 GET /item?id=4' 200 2412
		!9 GET /item?id=-1'union+select+pw 200 91000
		!9 GET /item?id=-1'union+select+pw 200 91000`)
	if got := strings.Join(told, ", "); got != "true unknown, false likely-succeeded" {
		t.Error(got)
	}
}

// A log of nothing but warnings does not show that no log-in worked; one that tells of anything else would.
func TestOnlyFailuresRecorded(t *testing.T) {
	f := func(other string, want event.Outcome) {
		t.Helper()
		d := &event.Detector{By: "rule:x", Threat: "brute-force", Level: event.Medium, Confidence: 0.9, Outcome: event.Blocked}
		tr := New(Config{})
		replay(t, tr, d, other+strings.Repeat("!9 says login failed for ann level=warn\n", 12))
		tr.incidents.each(func(_ string, in *Incident) { in.Lasting = true })
		if got := tr.Result().Incidents[0].Outcome(); got != want {
			t.Errorf("%q: %v, want %v", other, got, want)
		}
	}
	f("", event.Unknown)
	f("1 says login failed for bob level=error\n", event.Unknown)
	f("1 says login ok for bob level=info\n", event.Blocked)
}

func TestRouteKey(t *testing.T) {
	f := func(a, b string, same bool) {
		t.Helper()
		if got := routeKey([]byte("GET"), []byte(a)) == routeKey([]byte("GET"), []byte(b)); got != same {
			t.Errorf("%q and %q: same %v", a, b, got)
		}
	}
	f("/v1/users/17", "/v1/users/93", true)
	f("/v1/users/17", "/v1/user7/17", false)
	f("/a/12345678901", "/a/98765432109", true)
	f("/é/1", "/é/2", true)
	f("/a:", "/a0", false)
	f("/a/", "/a?", false)
	f("/abcdefg", "/abcdefh", false)
	if routeKey([]byte("GET"), []byte("/")) == routeKey([]byte("PUT"), []byte("/")) {
		t.Error("the method counts")
	}
}

func TestAim(t *testing.T) {
	f := func(text string, blind bool, sleep time.Duration) {
		t.Helper()
		var a answer
		a.aim([]byte(text))
		if a.Blind != blind || a.Sleep != sleep {
			t.Errorf("%q: blind %v, sleep %v", text, a.Blind, a.Sleep)
		}
	}
	f("id=1 and SLEEP(5)", true, 5*time.Second)
	f("id=1;select pg_sleep(10)--", true, 10*time.Second)
	f("id=1;WAITFOR DELAY '0:0:7'--", true, 7*time.Second)
	f("h=;sleep%205", true, 5*time.Second)
	f("id=benchmark(5000000,md5(1))", true, 0)
	f("id=sleep(99999999999)", true, time.Hour)
	f("id=1", false, 0)
}

func BenchmarkLearn(b *testing.B) {
	var s site
	var ev event.Event
	ev.Reset()
	ev.Status, ev.Bytes = 200, 5120
	ev.Set(event.Method, []byte("GET"))
	ev.Set(event.Path, []byte("/shop/products/red-lamp-179"))
	ev.Set(event.Query, []byte("ref=mail%20shot&page=3"))
	b.ReportAllocs()
	for b.Loop() {
		s.learn(&ev)
	}
}
