package rule

import (
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

// compileText compiles a rule file, with and without the prefilter.
func compileText(tb testing.TB, src string, opt Options) (with, without *Set) {
	tb.Helper()
	rules, problems := Parse("x.yaml", []byte(src))
	for _, p := range problems {
		if p.Kind != Warning {
			tb.Fatalf("%v\n%s", p, src)
		}
	}
	with, problems = Compile(rules, opt)
	for _, p := range problems {
		if p.Kind != Warning {
			tb.Fatalf("%v\n%s", p, src)
		}
	}
	opt.NoPrefilter = true
	without, _ = Compile(rules, opt)
	return with, without
}

// matches tells whether any rule matches, and checks that the prefilter changes nothing.
func matches(tb testing.TB, with, without *Set, spec string) bool {
	tb.Helper()
	a := with.NewMatcher().Match(newEvent(spec), nil)
	b := without.NewMatcher().Match(newEvent(spec), nil)
	if len(a) != len(b) {
		tb.Errorf("%s: %d signals with the prefilter, %d without", spec, len(a), len(b))
	}
	return len(b) > 0
}

const head = "title: T\nid: 6d1f4f0a-1111-4222-8333-000000000001\nlogsource: {category: any}\ndetection:\n"

// TestDetection is the table of all that can stand in a detection: the detection, an Event that matches it
// and one that does not. Several Events are separated by a blank.
func TestDetection(t *testing.T) {
	f := func(detection, yes, no string) {
		t.Helper()
		src := head + "  " + strings.ReplaceAll(detection, "\n", "\n  ")
		if !strings.Contains(detection, "condition:") {
			src += "\n  condition: sel"
		}
		with, without := compileText(t, src+"\n", Options{Placeholders: map[string][]string{"admins": {"root", "adm*"}, "one": {"x"}}})
		for _, spec := range strings.Split(yes, " ## ") {
			if spec != "" && !matches(t, with, without, spec) {
				t.Errorf("%s\ndoes not match %s", detection, spec)
			}
		}
		for _, spec := range strings.Split(no, " ## ") {
			if spec != "" && matches(t, with, without, spec) {
				t.Errorf("%s\nmatches %s", detection, spec)
			}
		}
	}
	// Plain values: the whole value, any case.
	f(`sel: {url.path: /admin}`, "uri=/admin ## uri=/ADMIN ## uri=/admin?x=1", "uri=/admin/ ## uri=/x/admin ## uri=/")
	f(`sel: {url.path: [/a1, /b2]}`, "uri=/a1 ## uri=/B2", "uri=/a1b2 ## uri=/c3")
	f(`sel: {user.name: Müller}`, "user.name=MÜLLER ## user.name=müller", "user.name=muller ## user.name=xmüller")
	f("sel: {url.path: /admin, http.request.method: POST}", "uri=/admin|http.request.method=POST", "uri=/admin|http.request.method=GET ## uri=/x|http.request.method=POST")
	f(`sel: {x: 5}`, `json={"x":5} ## json={"x":"5"} ## x=5`, `json={"x":51} ## json={"x":null} ## json={}`)
	f(`sel: {x: true}`, `json={"x":true} ## x=True`, `json={"x":false}`)
	f(`sel: {a.b.c: v}`, `json={"a":{"b":{"c":"v"}}} ## json={"a.b":{"c":"V"}} ## json={"a":[{"b":{"c":"u"}},{"b":{"c":"v"}}]} ## a.b.c=v`, `json={"a":{"b":"v"}} ## json={"a":{"c":"v"}}`)
	// Wildcards and escapes.
	f(`sel: {url.path: '/a*z'}`, "uri=/abcz ## uri=/az ## uri=/AXZ", "uri=/azy ## uri=/ba/z")
	f(`sel: {url.path: '*needle*'}`, "uri=/a/needle/b", "uri=/a/needl/e")
	f(`sel: {url.path: '*.php'}`, "uri=/x.PHP", "uri=/x.php5")
	f(`sel: {url.path: '/one*two*three'}`, "uri=/one-two-three ## uri=/onetwothree ## uri=/one two two three", "uri=/onethree ## uri=/one-three-two")
	f(`sel: {url.path: '*one*one*'}`, "uri=/oneone ## uri=/one/one", "uri=/one ## uri=/onone")
	f(`sel: {url.path: '/a?c'}`, "uri=/abc ## uri=/aéc", "uri=/ac ## uri=/abbc")
	f(`sel: {url.path: '*ab?de*'}`, "uri=/xabcdey", "uri=/xabdey")
	f(`sel: {user.name: '*?x'}`, "user.name=ax ## user.name=aax", "user.name=x")
	f(`sel: {user.name: 'x?'}`, "user.name=xy", "user.name=x ## user.name=xyz")
	f(`sel: {user.name: 'a\*b'}`, "user.name=a*b", "user.name=axb")
	f(`sel: {user.name: 'a\?b'}`, "user.name=a?b", "user.name=axb")
	f(`sel: {user.name: 'a\b'}`, `user.name=a\b`, "user.name=ab")
	f(`sel: {process.name: 'a\\b'}`, `process.name=a\b`, `process.name=a\\b`)
	f(`sel: {user.name: 'a\\*b'}`, `user.name=a\xxb`, `user.name=a*b`)
	f(`sel: {user.name: 'a\\\*b'}`, `user.name=a\*b`, `user.name=a\xb`)
	f(`sel: {user.name: '*'}`, "user.name=x", "uri=/")
	f(`sel: {user.name: 'Ä?*Ö'}`, "user.name=äxxö", "user.name=äö")
	// Empty, "-" and null.
	f(`sel: {user.name: ''}`, "user.name= ## user.name=-", "user.name=x ## uri=/")
	f(`sel: {user_agent.original: '-'}`, "user_agent.original=- ## user_agent.original=", "user_agent.original=x ## uri=/")
	f(`sel: {user.name: null}`, "uri=/ ## user.name= ## user.name=-", "user.name=x")
	f(`sel: {user.name: [null, root]}`, "uri=/ ## user.name=root", "user.name=x")
	f(`sel: {x.y: null}`, `uri=/ ## json={"x":{"y":null}} ## json={"x":1} ## json={"x":{"y":""}}`, `json={"x":{"y":0}}`)
	f("sel: {uri_query: null}\ncondition: not sel", "uri=/x?y=1", "uri=/x")
	f(`sel: {x|exists: true}`, `json={"x":null} ## x=1`, `json={"y":1} ## uri=/`)
	f(`sel: {user.name|exists: false}`, "uri=/", "user.name=x ## user.name=")
	f(`sel: {sc-status|exists: yes}`, "status=200", "uri=/")
	// contains, startswith, endswith, all.
	f(`sel: {url.path|contains: admin}`, "uri=/x/Admin/y ## uri=/admin", "uri=/adm/in")
	f(`sel: {url.path|contains: ['a b', cd]}`, "uri=/xcdx", "uri=/ab")
	f(`sel: {url.path|contains|all: [one, two]}`, "uri=/two/one", "uri=/two ## uri=/one")
	f(`sel: {url.path|all|contains: [one, two]}`, "uri=/two/one", "uri=/two")
	f(`sel: {url.path|contains|any: [one, two]}`, "uri=/two", "uri=/three")
	f(`sel: {url.path|startswith: /wp-}`, "uri=/wp-admin", "uri=/x/wp-admin")
	f(`sel: {url.path|endswith: .bak}`, "uri=/x.bak ## uri=/x.bak?q=1", "uri=/x.bak/y")
	f(`sel: {url.path|startswith: '/a*b'}`, "uri=/axxbyy", "uri=/c/axb")
	f(`sel: {url.path|endswith: 'a?c'}`, "uri=/zzabc", "uri=/abcz")
	f(`sel: {url.path|contains: ''}`, "uri=/", "user.name=x")
	f(`sel: {url.path|startswith|all: [/a, /ab]}`, "uri=/abc", "uri=/a")
	// cased, neq.
	f(`sel: {url.path|cased: /Admin}`, "uri=/Admin", "uri=/admin")
	f(`sel: {url.path|contains|cased: Admin}`, "uri=/xAdminx", "uri=/xadminx")
	f(`sel: {user.name|cased: 'É*'}`, "user.name=École", "user.name=école")
	f(`sel: {user.name|neq: root}`, "user.name=x ## uri=/", "user.name=ROOT")
	f(`sel: {user.name|contains|neq: [a, b]}`, "user.name=x", "user.name=xa ## user.name=xb")
	// Regular expressions.
	f(`sel: {url.path|re: '^/a\d+$'}`, "uri=/a12", "uri=/A12 ## uri=/a1b")
	f(`sel: {url.path|re|i: '^/select\s'}`, "uri=/SELECT x ## uri=/ſelect x", "uri=/xselect x")
	f(`sel: {message|re|m: '^two$'}`, "message=one\ntwo", "message=one two")
	f(`sel: {message|re|s: 'one.two'}`, "message=one\ntwo", "message=onetwo")
	f(`sel: {message|re|i|s: 'ONE.TWO'}`, "message=one\ntwo", "message=one")
	f(`sel: {message|re|ignorecase|dotall|multiline: '^ONE.TWO$'}`, "message=x\none\ntwo", "message=one")
	f(`sel: {message|re: ['abc\d', 'xyz']}`, "message=abc1 ## message=xyz", "message=abc")
	f(`sel: {message|re|all: ['abc\d', 'xyz']}`, "message=abc1xyz", "message=abc1")
	f(`sel: {message|re: '.'}`, "message=x", "message=")
	f(`sel: {message|re|i: 'kids'}`, "message=\u212aids ## message=KIDS", "message=ids")
	f(`sel: {message|re: 'end\Z'}`, "message=the end", "message=end of")
	// Addresses.
	f(`sel: {c-ip|cidr: 192.0.2.0/24}`, "client=192.0.2.7 ## client=::ffff:192.0.2.7", "client=198.51.100.1 ## uri=/")
	f(`sel: {source.ip|cidr: [10.0.0.0/8, '2001:db8::/32', 203.0.113.9]}`, "client=10.1.2.3 ## client=2001:db8:1::1 ## client=203.0.113.9", "client=2001:db9::1 ## client=203.0.113.10")
	f(`sel: {dst_ip|cidr: 10.0.0.0/8}`, "destination.ip=10.0.0.1", "destination.ip=192.0.2.1 ## destination.ip=x")
	f(`sel: {a.ip|cidr: 10.0.0.0/8}`, `json={"a":{"ip":["192.0.2.1","10.0.0.1"]}}`, `json={"a":{"ip":"nonsense"}}`)
	f(`sel: {c-ip: 192.0.2.7}`, "client=192.0.2.7", "client=192.0.2.70")
	f(`sel: {c-ip|startswith: 192.0.}`, "client=192.0.2.7", "client=198.51.100.1")
	f(`sel: {source.cidr: 192.0.2.0/24}`, "client=192.0.2.7", "client=192.0.3.7")
	f(`sel: {source.cidr: '2001:db8:1::/48'}`, "client=2001:db8:1:2::3", "client=2001:db8:2::3")
	// Numbers.
	f(`sel: {sc-status: 404}`, "status=404", "status=200 ## uri=/")
	f(`sel: {sc-status: [401, '403']}`, "status=401 ## status=403", "status=402")
	f(`sel: {sc-status|gte: 500}`, "status=500 ## status=503", "status=499 ## uri=/")
	f(`sel: {sc-status|startswith: 5}`, "status=503", "status=405")
	f(`sel: {sc-status: '4*'}`, "status=404", "status=200")
	f("sel: {sc-bytes|gt: 1000}\nsel2: {sc-bytes|lt: 2000}\ncondition: sel and sel2", "bytes=1500", "bytes=1000 ## bytes=2000 ## uri=/")
	f(`sel: {sc-bytes: 1500}`, "bytes=1500", "bytes=15")
	f(`sel: {x|lte: 1.5}`, `json={"x":1.5} ## x=-3`, `json={"x":1.6} ## json={"x":"abc"}`)
	f(`sel: {destination.port|lt: 1024}`, "destination.port=22", "destination.port=8080")
	f(`sel: {x|gt: [10, 5]}`, `x=7`, `x=5`)
	// Times.
	f(`sel: {timestamp|hour: 3}`, "time=2026-11-23T03:10:00Z", "time=2026-11-23T04:10:00Z ## uri=/")
	f(`sel: {"@timestamp|hour|gte": 22}`, "time=2026-11-23T23:10:00Z", "time=2026-11-23T21:10:00Z")
	f(`sel: {timestamp|minute: 10, timestamp|day: 23, timestamp|month: 11, timestamp|year: 2026, timestamp|week: 48}`, "time=2026-11-23T03:10:00Z", "time=2026-11-24T03:10:00Z")
	f(`sel: {x.at|year: 2026}`, `x.at=2026-01-02T03:04:05Z ## x.at=2026-01-02 ## x.at=1767323045 ## x.at=1767323045000`, `x.at=2025-01-02 ## x.at=yesterday`)
	// Other fields.
	f(`sel: {user.name|fieldref: x}`, `user.name=eve|json={"x":"EVE"}`, `user.name=eve|json={"x":"bob"} ## user.name=eve`)
	f(`sel: {url.path|contains|fieldref: user.name}`, `uri=/home/eve/x|user.name=eve`, `uri=/home/bob|user.name=eve`)
	f(`sel: {url.path|endswith|fieldref: user.name}`, `uri=/home/eve|user.name=eve`, `uri=/home/eve/x|user.name=eve`)
	f(`sel: {x|fieldref: y}`, `json={"x":"*","y":"*"}`, `json={"x":"a","y":"*"}`)
	// Encodings.
	f(`sel: {x|base64: 'http://'}`, `x=aHR0cDovLw==`, `x=http:// ## x=YWFo`)
	f(`sel: {x|base64offset|contains: 'foobar'}`, `x=Zm9vYmFy ## x=eGZvb2Jhcg== ## x=eHhmb29iYXI= ## x=eHh4Zm9vYmFyeHh4`, `x=foobar`)
	f(`sel: {x|wide|base64offset|contains: 'cmd'}`, `x=YwBtAGQA ## x=eABjAG0AZAA=`, `x=Y21k`)
	f(`sel: {x|utf16le|contains: 'ab'}`, "x=a\x00b\x00", "x=ab")
	f(`sel: {x|utf16be|contains: 'ab'}`, "x=\x00a\x00b", "x=ab")
	f(`sel: {x|utf16: 'a'}`, "x=\xff\xfea\x00", "x=a")
	f(`sel: {message|contains|windash: ' -enc'}`, "message=p -enc x ## message=p /ENC x ## message=p –enc ## message=p —enc ## message=p ―enc", "message=p enc ## message=p _enc")
	f(`sel: {message|contains|all|windash: [' -a', ' -b']}`, "message=x /a -b", "message=x -a")
	f(`sel: {x|base64: 'a\*b'}`, `x=YSpi`, `x=a*b`)
	// Placeholders.
	f(`sel: {user.name|expand: '%admins%'}`, "user.name=root ## user.name=admin", "user.name=bob")
	f(`sel: {user.name|expand|contains: 'a%one%b%one%'}`, "user.name=zaxbxz", "user.name=axb")
	f(`sel: {user.name|expand: '100%'}`, "user.name=100%", "user.name=100")
	// Keywords.
	f(`sel: [error one, 'two*three']`, "message=an ERROR ONE here ## message=two and three", "message=error ## message=three two")
	f(`sel: lonely`, "message=a LONELY word", "message=alone")
	f("sel:\n  '|all': [one, two]", "message=two one", "message=one")
	f("sel:\n  '|re': 'a\\d+b'", "message=xa12b", "message=ab")
	f("sel: {cs-method: GET}\nkeywords: [needle]\ncondition: sel and keywords", "http.request.method=GET|uri=/needle", "http.request.method=GET|uri=/x ## uri=/needle")
	f(`sel: ['<script>']`, "uri=/x?q=%3Cscript%3E", "uri=/x?q=script")
	// Lists of maps, nested conditions, several conditions.
	f("sel:\n  - {url.path: /a}\n  - {user.name: x, http.request.method: PUT}", "uri=/a ## user.name=x|http.request.method=PUT", "user.name=x")
	f("sel:\n  - {url.path: /a}\n  - word", "uri=/a ## message=a word", "message=none")
	f("a: {url.path: /a}\nb: {user.name: x}\nc: {status: 1}\ncondition: (a or b) and not c", "uri=/a ## user.name=x", "uri=/a|json={\"status\":1} ## uri=/b")
	f("a_1: {url.path: /a}\na_2: {user.name: x}\ncondition: all of a_*", "uri=/a|user.name=x", "uri=/a")
	f("a: {url.path: /a}\nb: {user.name: x}\ncondition:\n  - a\n  - b", "uri=/a ## user.name=x", "uri=/b")
	f("a: {url.path: /a}\nb: {user.name: x}\nc: {http.request.method: PUT}\ncondition: 2 of them", "uri=/a|user.name=x ## http.request.method=PUT|user.name=x", "uri=/a")
	// Raw or canonical.
	f(`sel: {cs-uri-query|contains: 'union select'}`, "uri=/x?id=1 UNION SELECT ## uri=/x?id=1%20UnIoN%20sElEcT ## uri=/x?id=1+union+select ## uri=/x?id=1%2520union%2520select ## uri=/x?id=1/**/union/**/select", "uri=/x?id=union ## uri=/union/select")
	f(`sel: {url.path|contains: '/../'}`, "uri=/a/../b ## uri=/a/%2e%2e/b ## uri=/a/..%2fb", "uri=/a/b")
	f(`sel: {payload|contains: '<script'}`, "uri=/x?q=%3cscript%3e ## user_agent.original=<ScRipt> ## http.request.referrer=http://x/?a=%3Cscript ## message=<script ## http.request.body.content=<script", "uri=/script ## process.name=<script")
	f("sel: {cs-uri-query|contains: 'union'}\ncondition: not sel", "uri=/x?q=1", "uri=/x?q=%75nion")
	// What web server rules call things.
	f(`sel: {c-uri|contains: '.php?cmd='}`, "uri=/x.php?cmd=id", "uri=/x.php")
	f(`sel: {c-uri: '/x.php?a=1'}`, "uri=/x.php?a=1", "uri=/x.php?a=12")
	f(`sel: {cs-uri-query|contains: '/plugin/'}`, "uri=/plugin/x ## uri=/x?f=/plugin/", "uri=/x")
	f(`sel: {cs-uri-query|startswith: 'id='}`, "uri=/x?id=1", "uri=/x?a=1&id=1 ## uri=/id=")
	f(`sel: {cs-uri-stem|endswith: '/x'}`, "uri=/a/x?b", "uri=/a?b=/x")
	f(`sel: {url.query: 'a=b'}`, "uri=/x?a=b", "uri=/a=b")
	f(`sel: {c-uri-extension: [php, asp]}`, "uri=/x/y.PHP?z=1", "uri=/x.y/php ## uri=/php")
	f(`sel: {c-useragent|contains: sqlmap, cs-referer: '-', cs-host: a.test, cs-cookie|contains: x, cs-username: u}`,
		"user_agent.original=sqlmap/1|http.request.referrer=-|url.domain=a.test|http.request.headers.cookie=axb|user.name=u", "user_agent.original=sqlmap")
	f(`sel: {r-dns|endswith: .test}`, "url.domain=a.test", "url.domain=a.example")
	f(`sel: {eventSource: s3.amazonaws.com, eventName|startswith: Put, errorCode: null, userIdentity.type: Root}`,
		`kind=cloud|event.provider=s3.amazonaws.com|event.action=PutObject|principal.type=Root`, `kind=cloud|event.provider=s3.amazonaws.com|event.action=PutObject|principal.type=Root|error.code=AccessDenied`)
}

func TestSignals(t *testing.T) {
	const src = `
title: First
id: 6d1f4f0a-1111-4222-8333-000000000001
name: first
logsource: {category: webserver}
detection:
  sel: {payload|contains: [union, select]}
  condition: sel
---
title: Second
id: 6d1f4f0a-1111-4222-8333-000000000002
logsource: {category: webserver}
detection:
  a: {cs-method: GET, sc-status: 200}
  b: {cs-uri-stem|endswith: .php}
  c: {cs-uri-query|re: 'x=\d+'}
  condition: a and (b and c or c)
level: high
vanguard: {threat: sql-injection, confidence: 0.7, stage: recon, noise: true, outcome: blocked}
`
	with, _ := compileText(t, src, Options{})
	f := func(spec, want string) {
		t.Helper()
		var got []string
		ev := newEvent(spec)
		for _, s := range with.NewMatcher().Match(ev, nil) {
			got = append(got, s.Detector.Name+" "+s.Field.String()+" "+string(ev.Text[s.Span[0]:s.Span[1]]))
		}
		if g := strings.Join(got, "; "); g != want {
			t.Errorf("%s\n got %s\nwant %s", spec, g, want)
		}
	}
	f("uri=/x?id=UNION", "first url.query UNION")
	f("uri=/union?x", "first url.path union")
	f("uri=/x?a=%75nion", "first url.query a=%75nion")
	f("user_agent.original=select", "first user_agent.original select")
	f("json={\"q\":\"a\"}|message=the select", "first message select")
	f("http.request.method=GET|status=200|uri=/x.php?y=1&x=77", "6d1f4f0a-1111-4222-8333-000000000002 url.query x=77")
	f("http.request.method=GET|status=200|uri=/x.php?x=77&select", "first url.query select; 6d1f4f0a-1111-4222-8333-000000000002 url.query x=77")
	f("uri=/x", "")

	d := with.Rules()[1].Detector
	if d.By != "rule:6d1f4f0a-1111-4222-8333-000000000002" || d.Level != event.High || d.Threat != "sql-injection" || d.Confidence != 0.7 || d.Stage != "recon" || !d.Noise || d.Outcome != event.Blocked {
		t.Errorf("detector is %+v", *d)
	}
}

// A path and a query that do not stand side by side in the record are one text all the same, and spans point into the record.
func TestSplitTarget(t *testing.T) {
	with, without := compileText(t, head+"  sel: {c-uri|contains: 'x.php?cmd'}\n  condition: sel\n", Options{})
	spec := "url.query=cmd=1|url.path=/x.php"
	if !matches(t, with, without, spec) {
		t.Error("path and query were not joined")
	}
	with, _ = compileText(t, head+"  sel: {c-uri|contains: 'cmd'}\n  condition: sel\n", Options{})
	ev := newEvent(spec)
	s := with.NewMatcher().Match(ev, nil)
	if len(s) != 1 || string(ev.Text[s[0].Span[0]:s[0].Span[1]]) != "cmd" {
		t.Errorf("signals are %v", s)
	}
	with, without = compileText(t, head+"  sel: {c-uri|re: '^https?://a\\.test/x\\?y'}\n  condition: sel\n", Options{})
	abs := []byte(`1.2.3.4 "GET http://a.test/x?y=1 HTTP/1.1"`)
	for _, s := range []*Set{with, without} {
		ev := &event.Event{}
		ev.Reset()
		ev.Text, ev.Kind = abs, event.KindWeb
		ev.Set(event.Host, abs[20:26])
		ev.Set(event.Path, abs[26:28])
		ev.Set(event.Query, abs[29:32])
		if got := s.NewMatcher().Match(ev, nil); len(got) != 1 {
			t.Errorf("an absolute target gave %v", got)
		}
	}
}

func TestModels(t *testing.T) {
	const src = `
title: Special
id: 6d1f4f0a-1111-4222-8333-000000000001
name: special
logsource: {category: webserver}
detection:
  sel: {cs-uri-stem: /wp-login.php, cs-method: POST, sc-status: 200}
  condition: sel
vanguard:
  set: {event.category: authentication, event.action: login, event.outcome: failure, app.name: wordpress}
  order: 10
---
title: Generic
id: 6d1f4f0a-1111-4222-8333-000000000002
name: generic
logsource: {category: webserver}
detection:
  sel: {cs-uri-stem|contains: login, cs-method: POST}
  condition: sel
vanguard:
  set: {event.category: authentication, event.action: login, event.outcome: success, app.name: unknown}
---
title: Needs a model
id: 6d1f4f0a-1111-4222-8333-000000000003
name: chained
logsource: {category: webserver}
detection:
  sel: {event.action: login, app.name: [wordpress, unknown]}
  not: {event.reason: set}
  condition: sel and not not
vanguard:
  set: {event.reason: chained}
  order: 200
---
title: Never, it is of a lower order than what it needs
id: 6d1f4f0a-1111-4222-8333-000000000004
name: early
logsource: {category: webserver}
detection:
  sel: {app.name: wordpress}
  condition: sel
vanguard:
  set: {user.name: early}
  order: 5
---
title: Failed login
id: 6d1f4f0a-1111-4222-8333-000000000005
name: failed
logsource: {category: any}
detection:
  sel: {event.category: authentication, event.action: login, event.outcome: failure}
  condition: sel
vanguard: {threat: brute-force, base: true}
---
title: Succeeded
id: 6d1f4f0a-1111-4222-8333-000000000006
name: succeeded
logsource: {category: any}
detection:
  sel: {event.outcome|startswith: succ}
  early: {user.name: early}
  condition: sel or early
vanguard: {threat: brute-force}
`
	src2 := strings.ReplaceAll(strings.ReplaceAll(src, "  not:", "  never:"), "not not", "not never")
	with, without := compileText(t, src2, Options{})
	f := func(spec, fields, signals string) {
		t.Helper()
		for _, s := range []*Set{with, without} {
			ev := newEvent(spec)
			var names []string
			for _, sig := range s.NewMatcher().Match(ev, nil) {
				names = append(names, sig.Detector.Name)
			}
			var got []string
			for _, fl := range []event.Field{event.Category, event.Action, event.Result, event.App, event.Reason, event.User} {
				got = append(got, string(ev.Get(fl)))
			}
			if g := strings.Join(got, ","); g != fields || strings.Join(names, ",") != signals {
				t.Errorf("%s (naive %t)\n got %s %v\nwant %s %s", spec, s.naive, g, names, fields, signals)
			}
		}
	}
	f("uri=/wp-login.php|http.request.method=POST|status=200", "authentication,login,failure,wordpress,chained,", "failed")
	f("uri=/login|http.request.method=POST|status=302", "authentication,login,success,unknown,chained,", "succeeded")
	f("uri=/login|http.request.method=POST|event.outcome=failure", "authentication,login,failure,unknown,chained,", "failed")
	f("uri=/login|http.request.method=GET", ",,,,,", "")
}

// A benign line allocates nothing, also with models, decoded text and extra pairs.
func TestMatchAllocatesNothing(t *testing.T) {
	rules, _ := Parse("x.yaml", synthetic(60))
	s, _ := Compile(rules, Options{})
	m := s.NewMatcher()
	var dst []event.Signal
	ev := newEvent("uri=/a/b%20c?d=e%2Ff|user_agent.original=Mozilla/5.0 (X11; Linux)|http.request.referrer=https://example.com/|status=200|x=y|client=192.0.2.1")
	decoded := append([]event.Decoded(nil), ev.Decoded()...)
	if len(decoded) == 0 {
		t.Fatal("nothing was decoded")
	}
	if n := testing.AllocsPerRun(100, func() { dst = m.Match(ev, dst[:0]) }); n != 0 || len(dst) > 0 {
		t.Errorf("%v allocations, %d signals", n, len(dst))
	}
}

// The epoch of memos wraps after four thousand million Events without stale answers.
func TestEpochWraps(t *testing.T) {
	with, _ := compileText(t, head+"  sel: {payload|contains: needle}\n  condition: sel\n", Options{})
	m := with.NewMatcher()
	if len(m.Match(newEvent("uri=/needle"), nil)) != 1 {
		t.Fatal("no match")
	}
	m.epoch = ^uint32(0)
	if got := m.Match(newEvent("uri=/x"), nil); len(got) != 0 {
		t.Errorf("a stale answer: %v", got)
	}
	if len(m.Match(newEvent("uri=/needle"), nil)) != 1 {
		t.Error("no match after the wrap")
	}
}
