package logformat

import (
	"bytes"
	"fmt"
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/helixvanguard/vanguard/event"
)

// mixed is a log with everything that makes cutting hard.
func mixed() string {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "192.0.2.%d - - [23/Nov/2026:03:%02d:11 +0000] \"GET /p/%d?q=%d HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0\"\n", i%250, i%60, i, i*7, i*13)
		switch i % 10 {
		case 1:
			b.WriteString("2026-11-23 03:10:11 ERROR [main] failed\njava.lang.IllegalStateException: boom\n\tat a.b.C.d(C.java:12)\n\t... 3 more\nCaused by: java.io.IOException: x\n\tat e.F.g(F.java:1)\n")
		case 2:
			b.WriteString("\n\r\n{\n  \"level\": \"error\",\n  \"ip\": \"203.0.113.4\",\n  \"msg\": \"x\"\n}\n")
		case 3:
			b.WriteString("2026/11/23 03:10:11 [error] 12#13: *14 open() \"/x\" failed (2: No such file), client: 192.0.2.1, server: a, request: \"GET /x HTTP/1.1\"\r\n")
		case 4:
			b.WriteString("#Software: x\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2026-11-23 03:10:11 192.0.2.9 GET /w3c 200\n")
		case 5:
			b.WriteString(strings.Repeat("\tindented line\n", 700))
		case 6:
			b.WriteString("{\"time\":\"2026-11-23T03:10:11Z\",\"msg\":\"login failed\",\"user\":\"bob\",\"ip\":\"192.0.2.5\"}\n")
		case 7:
			b.WriteString("\x00\x01\x02 odd \xff\xfe bytes\n")
		case 8:
			b.WriteString("Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\nValueError: no\n\nCaused by: x\n")
		}
		if i == 150 {
			b.WriteString("192.0.2.66 - - [23/Nov/2026:03:10:11 +0000] \"GET /" + strings.Repeat("A", MaxRecord+5000) + " HTTP/1.1\" 200 1\n")
		}
	}
	return b.String()
}

// document is a JSON document of n CloudTrail-like records.
func records(n int, pretty bool) string {
	var b strings.Builder
	b.WriteString(`{"Records":[`)
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		s := fmt.Sprintf(`{"eventTime":"2026-11-23T03:10:%02dZ","eventSource":"iam.amazonaws.com","eventName":"ListUsers","sourceIPAddress":"192.0.2.%d","note":"brackets ]}[{ and \"quotes\\","n":%d}`, i%60, i%250, i)
		if pretty {
			s = strings.NewReplacer(`{"e`, "\n  {\n    \"e", `",`, "\",\n    ").Replace(s)
		}
		b.WriteString(s)
	}
	b.WriteString("]}\n")
	return b.String()
}

// chunks feeds text in pieces whose sizes next gives.
func chunks(text string, next func() int) func() ([]byte, bool) {
	return func() ([]byte, bool) {
		n := min(next(), len(text))
		c := text[:n]
		text = text[n:]
		return []byte(c), len(text) == 0
	}
}

func TestChunkedEqualsWhole(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	utf := strings.ToValidUTF8(mixed()[:20000], "?")
	for name, text := range map[string]string{
		"mixed": mixed(), "document": records(3000, false), "pretty": records(2000, true), "two documents": records(5, false) + records(700, true) + "192.0.2.1 - - [23/Nov/2026:03:10:11 +0000] \"GET / HTTP/1.1\" 200 1\n",
		"array": strings.Replace(records(900, true), `{"Records":`, "", 1), "short": utf[:5000], "one line": "GET / 200 1 - 2 ms", "nothing": "", "blank": "\n\n \n",
	} {
		whole := read(t, text, nil)
		for range 6 {
			s, _ := NewStream("test.log", nil)
			most := 1 << r.Intn(19)
			got := drain(s, chunks(text, func() int { return 1 + r.Intn(most) + len(text)/2000 }))
			if !reflect.DeepEqual(got, whole) {
				t.Errorf("%s: pieces of at most %d bytes give %d events, whole gives %d", name, most, len(got), len(whole))
				for i := range whole {
					if i >= len(got) || !reflect.DeepEqual(got[i], whole[i]) {
						t.Errorf("first difference at %d: %s", i, pairs(whole[i]))
						if i < len(got) {
							t.Errorf("got %s", pairs(got[i]))
						}
						break
					}
				}
				break
			}
		}
	}
}

func TestRecords(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		got := read(t, text, nil)
		if len(got) != len(want) {
			t.Errorf("%.100q: %d records, want %d: %q", text, len(got), len(want), texts(got))
			return
		}
		for i, w := range want {
			checkEvent(t, text, got[i], w)
		}
	}
	access := "192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] \"GET /a HTTP/1.1\" 200 5"
	f(access+"\r\n\r\n\n"+access+"\n", "line=1|lines=1", "line=4|lines=1")
	f("2026-11-23 03:10:11 ERROR boom\njava.lang.IllegalStateException: x\n\tat a.b.C.d(C.java:12)\n2026-11-23 03:10:12 INFO ok\n", "line=1|lines=3", "line=4|lines=1")
	f("   \n\t\r\n"+access, "line=3")
	f("ERROR: one\nERROR: two\n", "lines=1", "lines=1")
	f("TypeError: one\n    at f (/a.js:1:2)\nTypeError: two\n    at g (/a.js:1:2)\n", "lines=2", "line=3|lines=2")
	f("    "+access+"\n    "+access+"\n", "lines=1|line=1", "lines=1|line=2")
	f("{\"a\":1}\n{\"a\":2}\n", "text={\"a\":1}", "line=2|text={\"a\":2}")
	f("{\"a\":1}{\"a\":2} {\"a\":3}", "text={\"a\":1}", "text={\"a\":2}", "text={\"a\":3}|line=1")
	f("{\n\"a\": 1,\n\"b\": 2\n}\n{\n\"a\": 3\n}\n", "lines=4|line=1", "lines=3|line=5")
	f("[{\"a\":1},\n{\"a\":2}]\n"+access, "line=1", "line=2", "line=3|format=common")
	f("[\n  {\"a\": 1},\n  {\"a\": 2}\n]\n", "line=2|text={\"a\": 1}", "line=3")
	f("{\"took\":3,\"hits\":{\"total\":{\"value\":2},\"hits\":[{\"a\":1},{\"a\":2}]}}", "text={\"a\":1}", "text={\"a\":2}")
	f("{\"a\": \"cut off\n"+access+"\n", "line=1", "line=2|format=common") // a damaged line costs itself alone
	f("{\"Records\":[{\"a\":1},{\"b\": \"raw\nend\"},{\"c\":3}]}\n", "text={\"a\":1}", "line=1", "line=2")
	f("\xef\xbb\xbf"+access, "format=common|line=1")
	f(strings.Repeat("\x00", 5000)+access+"\n", "format=common|line=1")
	f("[2026-11-23 03:10:11] local.ERROR: x {\"exception\":\"[object] (E at /a:3)\n[stacktrace]\n#0 /a(1): f()\n#1 {main}\n\n[previous exception] [object] (F)\n#0 {main}\n\"}\n[2026-11-23 03:10:12] local.INFO: y", "lines=8", "lines=1|line=9")
	f("2026-11-23T03:10:11Z error run\nmain.(*server).serve(0xc0001)\n\t/src/main.go:12 +0x1\nexample.com/a/b.run.func1\n\t/src/b.go:9\n2026-11-23T03:10:12Z info x", "lines=5", "line=6")
}

func texts(evs []map[string]string) (out []string) {
	for _, e := range evs {
		out = append(out, e["text"])
	}
	return out
}

func TestLimits(t *testing.T) {
	access := "192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] \"GET /a HTTP/1.1\" 200 5\n"
	for _, huge := range []string{strings.Repeat("x", 5*MaxRecord), strings.Repeat("x", MaxRecord+1)} {
		s, _ := NewStream("x", nil)
		got := drain(s, chunks(access+huge+"\n"+access, func() int { return 100_000 }))
		if st := s.Stats(); len(got) != 3 || st.Truncated != 1 || st.Skipped < int64(len(huge)-MaxRecord) || st.Lines != 3 {
			t.Errorf("%d bytes: %d events, %+v", len(huge), len(got), st)
			continue
		}
		if n := len(got[1]["text"]); n != MaxRecord || got[2]["line"] != "3" || got[2]["format"] != "common" {
			t.Errorf("kept %d bytes; then line %s, %s", n, got[2]["line"], got[2]["format"])
		}
	}
	// A hole in the middle, small or larger than a record may be, costs no line.
	for _, hole := range []int{1, 5000, 3 * MaxRecord} {
		s, _ := NewStream("x", nil)
		got := drain(s, chunks(strings.Repeat(access, 2000)+strings.Repeat("\x00", hole)+access, func() int { return 100_000 }))
		if st := s.Stats(); len(got) != 2001 || got[2000]["client"] != "192.0.2.7" || got[2000]["line"] != "2001" || st.Truncated > 0 && hole < MaxRecord {
			t.Errorf("hole of %d bytes: %d events, %+v, last %v", hole, len(got), st, got[len(got)-1])
		}
	}
	// A huge element of a document.
	s, _ := NewStream("x", nil)
	got := drain(s, chunks(`{"Records":[{"a":1},{"b":"`+strings.Repeat("y", 3*MaxRecord)+`"},{"c":3}]}`, func() int { return 70_000 }))
	if st := s.Stats(); len(got) != 3 || st.Truncated != 1 || got[2]["text"] != `{"c":3}` {
		t.Errorf("%d events, %+v", len(got), st)
	}
	// Next always takes something of MaxPending bytes.
	for _, text := range []string{strings.Repeat("x", MaxPending), strings.Repeat("\ty\n", MaxPending/3+1), `[{"a":"` + strings.Repeat("z", MaxPending), "{" + strings.Repeat("\"a\":{", MaxPending/5+9), "[" + strings.Repeat("\n", MaxPending)} {
		s, _ := NewStream("x", nil)
		if _, n := s.Next([]byte(text[:MaxPending]), false); n == 0 {
			t.Errorf("%.10q: nothing taken of %d bytes", text, MaxPending)
		}
	}
}

func TestBinary(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s, _ := NewStream("x", nil)
		n := len(drain(s, chunks(text, func() int { return 1 << 16 })))
		if got := s.Stats().Binary; got != want || want != "" && n != 0 {
			t.Errorf("%.20q: %q and %d events, want %q", text, got, n, want)
		}
	}
	r := rand.New(rand.NewSource(1))
	noise := make([]byte, 10000)
	r.Read(noise)
	f(string(noise), "binary data")
	f("\x1f\x8b\x08\x00"+string(noise), "gzip data")
	f("LPKSHHRH"+string(noise), "a systemd journal: export it with journalctl -o json")
	f("192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] \"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\" 400 5\n", "")
	f(strings.Repeat("日本語のログ\n", 900), "")
	f("\x1b[31merror\x1b[0m x\n", "")
}

func TestTranscoder(t *testing.T) {
	text := "192.0.2.7 \"GET /ü/日本/😀\"\r\nline two\n"
	units := utf16.Encode([]rune(text))
	var le, be []byte
	for _, u := range units {
		le = append(le, byte(u), byte(u>>8))
		be = append(be, byte(u>>8), byte(u))
	}
	for name, src := range map[string][]byte{
		"utf-8": []byte(text), "le": le, "be": be, "le mark": append([]byte{0xff, 0xfe}, le...), "be mark": append([]byte{0xfe, 0xff}, be...),
	} {
		for _, step := range []int{1, 2, 3, 7, len(src)} {
			var tc Transcoder
			var out []byte
			for rest := src; len(rest) > 0; {
				n := min(step, len(rest))
				out = tc.Append(out, rest[:n])
				rest = rest[n:]
			}
			if out = tc.Flush(out); string(out) != text {
				t.Errorf("%s in steps of %d: %q", name, step, out)
			}
		}
	}
	for _, src := range []string{"", "a", "ab", "abc", "\x00\x00\x00\x00x", "\xff"} {
		var tc Transcoder
		if out := tc.Flush(tc.Append(nil, []byte(src))); string(out) != src {
			t.Errorf("%q became %q", src, out)
		}
	}
}

func TestHeaders(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		got := read(t, text, nil)
		if len(got) != len(want) {
			t.Errorf("%.60q: %d events, want %d: %q", text, len(got), len(want), texts(got))
			return
		}
		for i, w := range want {
			checkEvent(t, text, got[i], w)
		}
	}
	f("#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-23 03:10:11\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n"+
		"2026-11-23 03:10:11 10.0.0.5 GET /a.aspx id=1 443 CORP\\bob 192.0.2.9 Mozilla/5.0+(Windows+NT) https://example.com/ 200 0 0 15\n"+
		"#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2026-11-23 03:10:12 192.0.2.10 POST /b 500\n",
		"format=iis_w3c|kind=web|line=5|client=192.0.2.9|dip=10.0.0.5|p=/a.aspx|q=id=1|u=CORP\\bob|status=200|took=15ms|ua=Mozilla/5.0+(Windows+NT)|time=2026-11-23T03:10:11",
		"format=w3c|line=7|client=192.0.2.10|status=500|m=POST")
	f("#Software: x\n\n#Fields:  date-local time-local  s-ip cs-method cs-uri-stem  c-ip cs(User-Agent) sc-status TimeTakenMS\n2026-11-23 03:10:11 10.0.0.5 GET /a \"192.0.2.9\" \"Mozilla/5.0 (X) \"\"y\"\" z\" 200 7\n"+
		"2026-11-23 03:10:11 10.0.0.5 GET /a 192.0.2.9 \" 200 7\n", "client=192.0.2.9|status=200|took=7ms|time=2026-11-23T03:10:11", "client=192.0.2.9|status=200|ua=\"")
	f("#Date: 2026-11-23 00:00:00\n#Fields: time c-ip cs-method cs-uri-stem sc-status\n03:10:11 192.0.2.9 [2]USER anonymous 331\n", "time=2026-11-23T03:10:11|client=192.0.2.9|status=331")
	f("#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)\n2026-11-23\t03:10:11\tLHR62\t10\t192.0.2.9\tGET\td1.cloudfront.net\t/x\t403\t-\tcurl/8\n",
		"format=cloudfront|client=192.0.2.9|status=403|host.name=d1.cloudfront.net|ua=curl/8")
	f("#separator \\x09\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\tuser_agent\tstatus_code\n#types\ttime\tstring\n1795403411.123456\tCx\t192.0.2.9\t4711\t10.0.0.1\t80\tGET\texample.com\t/a?b=1\tcurl/8\t404\n",
		"format=zeek_http|kind=web|client=192.0.2.9|dip=10.0.0.1|host=example.com|p=/a|q=b=1|status=404|time=2026-11-23T03:10:11.123456Z|ua=curl/8")
	f("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id\n3 123456789012 eni-1 192.0.2.9 10.0.0.1 4711 22 6 3 180 1795403411 1795403471 REJECT OK vpc-1\n",
		"format=vpc_flow|kind=flow|line=2|client=192.0.2.9|destination.port=22|event.action=REJECT")
	f("timestamp,client_ip,method,path,status,user_agent\n2026-11-23T03:10:11Z,192.0.2.9,GET,\"/a,b\",200,\"Mozilla \"\"x\"\"\"\n2026-11-23T03:10:12Z,192.0.2.10,GET,/c,404,\n",
		"format=csv|client=192.0.2.9|p=/a,b|status=200|m=GET|time=2026-11-23T03:10:11Z", "client=192.0.2.10|status=404|!ua")
	f("the error from client path status time\n", "understood=false")
}

func TestInduced(t *testing.T) {
	f := func(want string, line func(i int) string) {
		t.Helper()
		var b strings.Builder
		for i := range 12 {
			b.WriteString(line(i) + "\n")
		}
		got := read(t, b.String(), nil)
		if len(got) != 12 {
			t.Errorf("%q: %d events", line(3), len(got))
			return
		}
		checkEvent(t, line(3), got[3], want)
	}
	p := fmt.Sprintf
	f("format=induced|understood=true|kind=web|client=192.0.2.4|m=GET|p=/shop/3|q=x=1|status=204|bytes=300|time=2026-11-23T03:10:14Z", func(i int) string {
		return p("%d|GET|/shop/%d?x=1|192.0.2.%d|%d|%d|n%d", 1795403411+i, i, i+1, 200+4*(i%2), i*100, i)
	})
	f("format=induced|client=192.0.2.4|m=GET|p=/shop/3|status=204|time=2026-11-23T03:10:03|ua=Mozilla/5.0 (X11)|took=40ms", func(i int) string {
		return p(`edge%d 2026-11-23 03:10:%02d 192.0.2.%d => GET /shop/%d %d 0.0%d "Mozilla/5.0 (X11)"`, i%3, i, i+1, i, 200+4*(i%2), i+1)
	})
	f("format=induced|client=192.0.2.4|p=/a/3|m=GET|v=HTTP/1.1|status=404|ua=curl/8.3|time=2026-11-23T03:10:13Z", func(i int) string {
		return p("192.0.2.%d|23/Nov/2026:03:10:%d +0000|GET /a/%d HTTP/1.1|404|%d|curl/8.%d", i+1, i+10, i, i*9, i)
	})
	f("format=induced|client=192.0.2.4|p=/a/3|status=200|took=130ms|ua=curl/8", func(i int) string {
		return p(`[23/Nov/2026:03:10:%d +0000] 192.0.2.%d 200 "GET /a/%d HTTP/1.1" "curl/8" 0.1%d`, i+10, i+1, i, i)
	})
	f("format=induced|client=192.0.2.4|p=/login|m=POST|host=www.example.com|status=302|ua=Mozilla/5.0 (X11; Linux)", func(i int) string {
		return p("%d.123\t192.0.2.%d\tPOST\twww.example.com\t/login\t302\t%d\tMozilla/5.0 (X11; Linux)\t-", 1795403411+i, i+1, i*99)
	})
	f("format=induced|client=192.0.2.4|dip=10.0.0.1|p=/p/3|host=shop.example.com|status=200|took=123ms", func(i int) string {
		return p("2026/11/23 03:10:%d 192.0.2.%d:4%d00 -> 10.0.0.1:443 GET https://shop.example.com/p/%d 200 OK 12%dms", i+10, i+1, i, i, i)
	})
	// A sentence stays free text, however regular.
	f("format=text_app|client=192.0.2.4", func(i int) string {
		return p("2026-11-23 03:10:%d user bob%d from 192.0.2.%d opened GET /p/%d with status %d", i+10, i, i+1, i, 200+i%3)
	})
}

func TestCustomFormat(t *testing.T) {
	f := func(format, line, want string) { t.Helper(); check(t, &Options{Force: format}, line, want) }
	f(`$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time`,
		`192.0.2.9 - bob [23/Nov/2026:03:10:11 +0000] "GET /a?b=1 HTTP/1.1" 200 5 "-" "curl/8" rt=0.250`, "format=custom|kind=web|client=192.0.2.9|u=bob|p=/a|q=b=1|status=200|took=250ms|ua=curl/8")
	f(`log_format main '$time_iso8601|$remote_addr|$http_x_forwarded_for|$request_method|$host|$request_uri'`+"\n"+`  '|$status|$upstream_addr|$request_time';`,
		`2026-11-23T03:10:11+00:00|10.0.0.3|203.0.113.7, 10.0.0.9|POST|example.com|/x?y=1|502|10.0.0.1:80, 10.0.0.2:80|1.5`, "client=203.0.113.7|peer=10.0.0.3|m=POST|host=example.com|p=/x|q=y=1|status=502|took=1.5s")
	f(`$time_local $remote_addr $request_method $uri $status`, `23/Nov/2026:03:10:11 +0000 192.0.2.9 GET /a 404`, "time=2026-11-23T03:10:11Z|client=192.0.2.9|p=/a|status=404")
	f(`LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D" vhost`,
		`example.com:443 192.0.2.9 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "a \"b\"" 51000`, `host=example.com|client=192.0.2.9|status=200|took=51ms|ua=a \"b\"`)
	f(`%{%Y-%m-%d %H:%M:%S}t %a %m %U%q %>s %{ms}T "%{X-Forwarded-For}i"`, `2026-11-23 03:10:11 10.0.0.2 GET /a?b=1 200 12 "203.0.113.7"`, "time=2026-11-23T03:10:11|client=203.0.113.7|p=/a|q=b=1|took=12ms|status=200")
	f(`%{%Y-%m-%d %H:%M:%S}t %a %m %U%q %>s`, `2026-11-23 03:10:11 192.0.2.9 GET /a 200`, "p=/a|!q|status=200")
	f(`%h %t "%r" %>s`, `{"msg":"another line","ip":"192.0.2.1"}`, "format=json_app") // other shapes still count
	f("combined", `192.0.2.9 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x"`, "format=combined")
	for _, good := range []string{"nginx", "Apache Combined", "nginx-json", "sshd", "text", "uvicorn", "w3c", "ALB"} {
		if _, err := NewStream("x", &Options{Force: good}); err != nil {
			t.Error(err)
		}
	}
	for alias, name := range formatAliases {
		if _, err := forcedShape(name); err != nil {
			t.Errorf("%s: %v", alias, err)
		}
	}
	for _, bad := range []string{"combinedd", "$", "%Z %h", "$remote_addr$status", "%h", "$bogus $foo", "%{x"} {
		if _, err := NewStream("x", &Options{Force: bad}); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// FuzzParse: no panic, chunked equals whole, spans stay inside the text.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a?b HTTP/1.1" 200 5 "-" "x" "203.0.113.9"`, `{"Records":[{"a":[1,{"b":"\"c"}]}]}`, "[\n{\"a\":1}\n]",
		"#Fields: date time c-ip sc-status cs-method\n2026-11-23 03:10:11 192.0.2.1 200 GET", "a,b,client_ip,status,time\n1,2,192.0.2.1,200,2026-11-23", "E: x\n\tat f(g)\nCaused by: y",
		`<34>1 2026-11-23T03:10:11Z h sshd 1 - - Failed password for root from 192.0.2.1 port 22 ssh2`, `h=1 user="a b" ip=192.0.2.1`, "\x1b[0mGET /a \x1b[33m404\x1b[0m 1.5 ms - 139\x1b[0m",
		`192.0.2.1:4711 [23/Nov/2026:03:10:11.123] f b/s 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {e|c} {} "GET / HTTP/1.1"`,
		`[Mon Nov 23 03:10:11.1 2026] [core:error] [pid 12] [client 192.0.2.1:4711] ModSecurity: Warning. [id "1"] [uri "/"]`, "\xff\xfea\x00\n\x00",
		`2 123456789010 eni-1 192.0.2.1 10.0.0.2 1 22 6 20 4249 1795403411 1795403471 REJECT OK`, "[pid: 1|app: 0] 192.0.2.1 () {1} [Mon Nov 23 03:10:11 2026] GET / => generated 1 bytes in 3 msecs (HTTP/1.1 200)",
	} {
		f.Add([]byte(line), uint16(3))
		f.Add([]byte(line+"\n"+line+"\r\n\n"+line), uint16(50))
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint16) {
		spans(t, data)
		whole := read(t, string(data), nil)
		s, _ := NewStream("test.log", nil)
		if got := drain(s, chunks(string(data), func() int { return int(step)%5000 + 1 })); !reflect.DeepEqual(got, whole) {
			t.Fatalf("pieces give %d events, whole gives %d", len(got), len(whole))
		}
		for _, force := range []string{`$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`, `%h %t "%r" %>s %U%q "%{X-Forwarded-For}i"`} {
			read(t, string(data), &Options{Force: force})
		}
		if text := string(data); strings.ContainsAny(text, "$%") {
			compileCustom(text)
		}
		var tc Transcoder
		tc.Flush(tc.Append(nil, data))
	})
}

// spans fails if a value that is a piece of the text lies outside of it, or a parser left something odd behind.
func spans(t *testing.T, data []byte) {
	s, _ := NewStream("x", nil)
	for len(data) > 0 {
		b, n := s.Next(data, true)
		if n == 0 {
			t.Fatal("bytes are left that Next does not take")
		}
		var ev event.Event
		b.Parse(func(e *event.Event) *event.Event {
			if e != nil {
				for f := range event.NumFields {
					if sp, ok := e.Span(e.Get(f)); ok && (sp[0] < 0 || sp[1] > len(e.Text) || !bytes.Equal(e.Text[sp[0]:sp[1]], e.Get(f))) {
						t.Fatalf("%s: span %v of %d bytes", f, sp, len(e.Text))
					}
				}
				if e.Line < 1 || e.Lines < 1 || e.Format == "" && e.Understood || len(e.Text) > MaxRecord+maxPretty {
					t.Fatalf("line %d, %d lines, format %q, %d bytes", e.Line, e.Lines, e.Format, len(e.Text))
				}
			}
			ev.Reset()
			return &ev
		})
		data = data[n:]
	}
}
