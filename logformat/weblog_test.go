package logformat

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// read parses text in one go and dumps each Event as "key=value" pairs.
func read(t testing.TB, text string, opt *Options) []map[string]string {
	t.Helper()
	s, err := NewStream("test.log", opt)
	if err != nil {
		t.Fatal(err)
	}
	return drain(s, func() ([]byte, bool) { return []byte(text), true })
}

// drain feeds s from more, which returns what is buffered and whether that is all, and dumps the Events.
func drain(s *Stream, more func() (buf []byte, eof bool)) (out []map[string]string) {
	var buf []byte
	for {
		chunk, eof := more()
		buf = append(buf, chunk...)
		for {
			b, n := s.Next(buf, eof)
			if n == 0 {
				break
			}
			var last *event.Event
			b.Parse(func(ev *event.Event) *event.Event {
				if ev != nil {
					out = append(out, dump(ev))
				}
				last = &event.Event{}
				last.Reset()
				return last
			})
			buf = buf[n:]
		}
		if eof {
			return out
		}
	}
}

func dump(ev *event.Event) map[string]string {
	m := map[string]string{"format": ev.Format, "kind": ev.Kind.String(), "line": fmt.Sprint(ev.Line), "lines": fmt.Sprint(ev.Lines), "text": string(ev.Text), "understood": fmt.Sprint(ev.Understood)}
	if ev.Clock != event.NoClock {
		layout := "2006-01-02T15:04:05.999999999"
		if ev.Clock == event.ZonedClock {
			layout += "Z"
		}
		m["time"] = time.Unix(0, ev.Time).UTC().Format(layout)
	}
	if ev.Client.IsValid() {
		m["client"] = ev.Client.String()
	}
	if ev.Peer.IsValid() {
		m["peer"] = ev.Peer.String()
	}
	if ev.Status != 0 {
		m["status"] = fmt.Sprint(ev.Status)
	}
	if ev.Bytes >= 0 {
		m["bytes"] = fmt.Sprint(ev.Bytes)
	}
	if ev.Duration >= 0 {
		m["took"] = ev.Duration.String()
	}
	for f := range event.NumFields {
		if ev.Has(f) {
			m[f.String()] = string(ev.Get(f))
		}
	}
	for _, p := range ev.Extra() {
		m[p.Name] = string(p.Value)
	}
	return m
}

// Short names for the tables below.
var short = strings.NewReplacer("ip=", "source.ip=", "m=", "http.request.method=", "p=", "url.path=", "q=", "url.query=", "ref=", "http.request.referrer=",
	"ua=", "user_agent.original=", "u=", "user.name=", "host=", "url.domain=", "xff=", "http.request.headers.x-forwarded-for=", "v=", "http.version=",
	"msg=", "message=", "lvl=", "log.level=", "port=", "source.port=", "dip=", "destination.ip=")

// check parses one record and compares what want names ("key=value|key=value|!absent").
func check(t *testing.T, opt *Options, line, want string) {
	t.Helper()
	got := read(t, line, opt)
	if len(got) == 0 {
		t.Errorf("%q: no event", line)
		return
	}
	checkEvent(t, line, got[len(got)-1], want)
}

func checkEvent(t *testing.T, line string, ev map[string]string, want string) {
	t.Helper()
	for _, w := range strings.Split(want, "|") {
		key, val, ok := strings.Cut(w, "=")
		if full := strings.TrimSuffix(short.Replace(key+"="), "="); len(key) < 5 {
			key = full
		}
		if !ok {
			if v, has := ev[shortName(strings.TrimPrefix(key, "!"))]; has {
				t.Errorf("%q: %s = %q, want it absent", line, key, v)
			}
			continue
		}
		val = strings.ReplaceAll(val, "¦", "|")
		if v, has := ev[key]; v != val || !has {
			t.Errorf("%.200q:\n %s = %q, want %q\n of %s", line, key, v, val, pairs(ev))
		}
	}
}

func shortName(k string) string {
	if len(k) >= 5 {
		return k
	}
	return strings.TrimSuffix(short.Replace(k+"="), "=")
}

func pairs(m map[string]string) string {
	var out []string
	for k, v := range m {
		if k != "text" {
			out = append(out, fmt.Sprintf("%s=%.60q", k, v))
		}
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

func TestCLF(t *testing.T) {
	f := func(line, want string) { t.Helper(); check(t, nil, line, want) }
	// common and combined
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a/b?x=1&y=2 HTTP/1.1" 200 512 "https://example.com/" "Mozilla/5.0 (X11)"`,
		"format=combined|kind=web|time=2026-11-23T03:10:11Z|client=192.0.2.7|m=GET|p=/a/b|q=x=1&y=2|v=HTTP/1.1|status=200|bytes=512|ref=https://example.com/|ua=Mozilla/5.0 (X11)|!u|understood=true")
	f(`198.51.100.3 - alice [01/Jan/2026:23:59:59 -0730] "POST /login HTTP/2.0" 302 -`, "format=common|time=2026-01-02T07:29:59Z|u=alice|status=302|!bytes|m=POST")
	f(`2001:db8::5 - - [23/Nov/2026:03:10:11 +0000] "GET / HTTP/1.1" 304 0 "-" "-"`, "client=2001:db8::5|status=304|bytes=0|!ref|!ua|p=/")
	f(`::ffff:203.0.113.5 - - [23/Nov/2026:03:10:11 +0000] "GET / HTTP/1.1" 200 1`, "client=203.0.113.5|ip=::ffff:203.0.113.5")
	f(`www.host.example - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`, "ip=www.host.example|!client|u=frank|time=2000-10-10T20:55:36Z")
	f(`192.0.2.7 - John Q. Public [23/Nov/2026:03:10:11 +0000] "GET /x HTTP/1.1" 401 12 "-" "curl/8"`, "u=John Q. Public|status=401|ua=curl/8")
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5`+"\r", "bytes=5|format=common")
	f(`- - - [23/Nov/2026:03:10:11 +0000] "GET /health HTTP/1.1" 200 2 "-" "kube-probe/1.29"`, "!ip|p=/health|ua=kube-probe/1.29")
	// virtual hosts, ports, proxies before the client
	f(`shop.example.com:443 192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1"`, "format=vhost_combined|host=shop.example.com|ip=192.0.2.7")
	f(`shop.example.com www.client.example - bob [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1"`, "!client|user.name=bob")
	f(`203.0.113.9, 10.0.0.4 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1"`, "ip=203.0.113.9|xff=203.0.113.9, 10.0.0.4|client=203.0.113.9")
	f(`10.0.0.4 203.0.113.9 - bob [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1"`, "ip=10.0.0.4|xff=203.0.113.9|client=203.0.113.9|peer=10.0.0.4|u=bob")
	f(`192.0.2.7:51234 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1"`, "client=192.0.2.7|port=51234")
	// what sites add
	f(`10.0.0.4 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1" "203.0.113.9"`, "xff=203.0.113.9|client=203.0.113.9|peer=10.0.0.4")
	f(`10.0.0.4 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1" "203.0.113.9, 10.1.1.1" 0.123 0.120 .`, "client=203.0.113.9|took=123ms")
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1" rt=1.250 uct="0.000" uht="0.020" urt="0.020"`, "took=1.25s")
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1" 51000`, "took=51ms")
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1" 12 "router@docker" "http://10.0.0.1:80" 7ms`, "took=7ms|client=192.0.2.7")
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] example.com "GET /a HTTP/1.1" 200 5 "-" "x/1"`, "host=example.com|p=/a|status=200")
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000]"GET /a HTTP/1.1" 200 5 7d1b2c3d-0000-4000-8000-0123456789ab`, "trace.id=7d1b2c3d-0000-4000-8000-0123456789ab|status=200")
	f(`192.0.2.7 - - [2026-11-23T03:10:11+01:00] "GET /a HTTP/1.1" 200 5`, "time=2026-11-23T02:10:11Z|p=/a")
	f(`[23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5`, "p=/a|!ip|status=200")
	f(`[23/Nov/2026 03:10:11] "GET /a HTTP/1.1" 404 179`, "p=/a|time=2026-11-23T03:10:11|status=404")
	// hostile or broken requests
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "\x16\x03\x01\x00\xA5\x01" 400 157 "-" "-"`, `p=\x16\x03\x01\x00\xA5\x01|!m|status=400|bytes=157`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "0GET /a?b=1 HTTP/1.1" 400 157 "-" "-"`, `m=0GET|p=/a|q=b=1|status=400`) // what was left of an earlier request
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "X: YGET /a HTTP/1.1" 400 157 "-" "-"`, `p=X: YGET /a HTTP/1.1|!m|status=400`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "hello /world" 400 157 "-" "-"`, `p=hello /world|!m|status=400`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "-" 408 -`, "!p|!m|status=408")
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "" 400 0 "-" "-"`, "!p|status=400|bytes=0")
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /?q=\"><script>alert(1)</script> HTTP/1.1" 200 5 "-" "a \"b\" c"`, `q=q=\"><script>alert(1)</script>|ua=a \"b\" c|status=200`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /?q=\x22onload=\x22 HTTP/1.1" 200 5 "-" "x"`, `q=q=\x22onload=\x22|status=200`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /?q="x" y HTTP/1.1" 200 5 "-" "x"`, `q=q="x" y|status=200`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a b c HTTP/1.1" 400 5 "-" "x"`, `p=/a b c|m=GET`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET http://victim.example/x?y=1 HTTP/1.1" 200 5 "-" "x"`, `host=victim.example|p=/x|q=y=1`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "CONNECT mail.example.com:25 HTTP/1.1" 405 5 "-" "x"`, `host=mail.example.com:25|p=mail.example.com:25|m=CONNECT`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /very/long`+strings.Repeat("A", 9000)+` HTTP/1.1" 414 5 "-" "x"`, `status=414|m=GET`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /cut off`, `p=/cut off|m=GET`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /" 000 0 "-" "-"`, `p=/|m=GET|!status|http.response.status=000`)
	f(`192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 499 0 "-" "x" "-"`, `status=499|!xff`)
	f(`192.0.2.7 - - [31/Foo/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5`, `format=text|client=192.0.2.7|status=200|!time`)
	f(`2026/11/23 03:10:11 [2026-11-23 03:10:11.417] [router:x] [client: 192.0.2.7] GET /a HTTP/1.1`, `format=text_app`)
	// pasted with an indent
	f("    192.0.2.7 - - [23/Nov/2026:03:10:11 +0000] \"GET /a HTTP/1.1\" 200 5", `format=common|p=/a`)
}

// A server that does not escape quotes lets a client add values to its line; the lines around it show that the
// server writes no third one.
func TestForgedForwarding(t *testing.T) {
	line := `10.0.0.2 - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 200 5 "-" "x/1"`
	log := strings.Repeat(line+"\n", 9) + line + ` "203.0.113.66"` + "\n"
	checkEvent(t, "forged", read(t, log, nil)[9], "client=10.0.0.2|!xff|!peer")
	log = strings.Repeat(line+" \"203.0.113.66\"\n", 9)
	checkEvent(t, "usual", read(t, log, nil)[8], "client=203.0.113.66|peer=10.0.0.2")
}

func TestMorgan(t *testing.T) {
	f := func(line, want string) { t.Helper(); check(t, nil, line, want) }
	f(`GET /api/users?id=1 200 12 - 3.1 ms`, "format=morgan|kind=web|m=GET|p=/api/users|q=id=1|status=200|bytes=12|took=3.1ms|!time")
	f(`POST /login 401 - - 30.25 ms`, "m=POST|status=401|!bytes|took=30.25ms")
	f("\x1b[0mGET /a \x1b[33m404\x1b[0m 1.5 ms - 139\x1b[0m", "m=GET|p=/a|status=404|took=1.5ms|bytes=139")
	f("GET /a \x1b[0m- - ms - -\x1b[0m", "m=GET|p=/a|!status")
	f(`::1 - GET /a HTTP/1.1 200 12 - 3.1 ms`, "client=::1|v=HTTP/1.1|status=200")
	f(`::ffff:192.0.2.1 bob PUT /a HTTP/1.1 204 - - 3.1 ms`, "client=192.0.2.1|u=bob|status=204")
	f(`192.0.2.1 bob@example.com [Mon, 23 Nov 2026 03:10:11 GMT] GET /api/x?page=1 HTTP/1.1 200 15 - 0.106 ms "curl/7.88.1"`, "format=morgan|client=192.0.2.1|u=bob@example.com|time=2026-11-23T03:10:11Z|p=/api/x|q=page=1|status=200|bytes=15|took=106µs|ua=curl/7.88.1|!ref")
	f(`[2026-11-23T03:10:11Z] 192.0.2.1 "GET /a HTTP/1.1" 200 15 "https://example.com/" "x/1"`, "client=192.0.2.1|ref=https://example.com/|ua=x/1")
	f(`GET /etc was removed by the admin`, "understood=false")
}

func TestFrameworks(t *testing.T) {
	f := func(line, want string) { t.Helper(); check(t, nil, line, want) }
	f(`[GIN] 2026/11/23 - 03:10:11 | 404 |     1.2ms |       192.0.2.1 | GET      "/x?a=1"`, "format=gin|time=2026-11-23T03:10:11|status=404|took=1.2ms|client=192.0.2.1|m=GET|p=/x|q=a=1")
	f("[GIN] 2026/11/23 - 03:10:11 |\x1b[97;42m 200 \x1b[0m|     53.1µs |       192.0.2.1 |\x1b[97;44m GET     \x1b[0m \"/x\"", "status=200|took=53.1µs|m=GET|p=/x")
	f(`INFO:     192.0.2.1:4711 - "GET /x HTTP/1.1" 200 OK`, "format=uvicorn|client=192.0.2.1|status=200|p=/x|v=HTTP/1.1")
	f(`[I 261123 03:10:11 web:2246] 200 GET /x (192.0.2.1) 1.23ms`, "format=tornado|client=192.0.2.1|status=200|took=1.23ms|time=2026-11-23T03:10:11")
	f(`[W 2026-11-23 03:10:11.123 ServerApp] 403 POST /api (bob@192.0.2.1) 1.23ms referer=None`, "client=192.0.2.1|u=bob|status=403")
	f(`Started GET "/x?y=1" for 192.0.2.1 at 2026-11-23 03:10:11 +0100`, "format=rails|client=192.0.2.1|p=/x|q=y=1|time=2026-11-23T02:10:11Z")
	f(`[Mon Nov 23 03:10:11 2026] 192.0.2.1:4711 [404]: GET /x - No such file or directory`, "format=php_server|client=192.0.2.1|status=404|p=/x|m=GET")
	f(`[Mon Nov 23 03:10:11 2026] [::1]:4711 [200]: /x`, "client=::1|status=200|p=/x")
	f(`[2026-11-23T03:10:11.123Z] "POST /x?y=1 HTTP/2" 403 - 154 9 226 100 "203.0.113.9,10.0.0.2" "curl/8" "7d1b2c3d" "example.com" "10.0.0.2:80"`,
		"format=envoy|client=203.0.113.9|status=403|bytes=9|took=226ms|ua=curl/8|host=example.com|p=/x|time=2026-11-23T03:10:11.123Z")
	f(`[2026-11-23T03:10:11.123Z] "GET /x HTTP/1.1" 200 - via_upstream - "-" 0 5 3 2 "203.0.113.9" "curl/8" "7d1b2c3d" "example.com" "10.0.0.2:80" inbound|80|| - 10.0.0.3:80 10.0.0.9:0 - default`, "format=envoy|client=203.0.113.9|bytes=5|took=3ms|ua=curl/8")
	f(`[23/Nov/2026:03:10:11 +0000] - 404 404 - GET https example.com "/x" [Client 192.0.2.1] [Length 192] [Gzip 3.10] [Sent-to 10.0.0.2] "Mozilla/5.0 (X)" "https://example.net/"`,
		"format=nginx_proxy_manager|client=192.0.2.1|status=404|bytes=192|host=example.com|p=/x|ua=Mozilla/5.0 (X)|ref=https://example.net/|m=GET")
	f(`[pid: 12|app: 0|req: 7/9] 192.0.2.1 (bob) {32 vars in 500 bytes} [Mon Nov 23 03:10:11 2026] GET /x?y=1 => generated 12 bytes in 3 msecs (HTTP/1.1 200) 2 headers in 79 bytes (1 switches on core 0)`,
		"format=uwsgi|client=192.0.2.1|u=bob|status=200|bytes=12|took=3ms|q=y=1|m=GET")
	f(`1795403411.123    180 192.0.2.1 TCP_MISS/200 411 GET http://example.com/a?b alice HIER_DIRECT/198.51.100.1 text/html`,
		"format=squid|client=192.0.2.1|status=200|bytes=411|took=180ms|host=example.com|p=/a|q=b|u=alice|time=2026-11-23T03:10:11.123Z|event.action=TCP_MISS")
}

func TestWebError(t *testing.T) {
	f := func(line, want string) { t.Helper(); check(t, nil, line, want) }
	f(`2026/11/23 03:10:11 [error] 12#13: *14 open() "/var/www/x.php" failed (2: No such file or directory), client: 192.0.2.1, server: example.com, request: "GET /x.php?a=1 HTTP/1.1", host: "www.example.com", referrer: "https://example.net/"`,
		`format=nginx_error|kind=error|time=2026-11-23T03:10:11|lvl=error|client=192.0.2.1|p=/x.php|q=a=1|m=GET|host=www.example.com|ref=https://example.net/|msg=open() "/var/www/x.php" failed (2: No such file or directory)|process.pid=12`)
	f(`2026/11/23 03:10:11 [notice] 1#1: signal process started`, "format=nginx_error|msg=signal process started|!ip")
	f(`2026/11/23 03:10:11 [error] 1#1: *5 access forbidden by rule, client: 2001:db8::9, server: _, request: "GET /.env HTTP/1.1", host: "192.0.2.80:8080"`, "client=2001:db8::9|p=/.env|host=192.0.2.80:8080")
	f(`2026/11/23 03:10:11 [info] 1#1: *5 client sent invalid request while reading client request line, client: 192.0.2.1, server: _, request: "GET /", client: 198.51.100.66, server: x HTTP/1.1"`, "client=192.0.2.1")
	f("2026/11/23 03:10:11 [error] 7#7: *1 FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Uncaught Error: boom in /var/www/a.php:3\nStack trace:\n#0 /var/www/b.php(5): f()\n#1 {main}\n  thrown in /var/www/a.php on line 3\" while reading response header from upstream, client: 192.0.2.1, server: x, request: \"GET /a.php HTTP/1.1\", upstream: \"fastcgi://unix:/run/php.sock:\", host: \"x\"",
		"client=192.0.2.1|lines=5|p=/a.php")
	f(`[Mon Nov 23 03:10:11.123456 2026] [core:error] [pid 12:tid 140] [client 192.0.2.1:4711] AH00126: Invalid URI in request GET /../../etc/passwd HTTP/1.1, referer: http://example.com/`,
		"format=apache_error|kind=error|time=2026-11-23T03:10:11.123456|client=192.0.2.1|port=4711|lvl=error|p=/../../etc/passwd|ref=http://example.com/|process.pid=12")
	f(`[Mon Nov 23 03:10:11 2026] [error] [client 192.0.2.1] File does not exist: /var/www/x`, "client=192.0.2.1|lvl=error|resource.name=/var/www/x")
	f(`[Mon Nov 23 03:10:11.1 2026] [php:warn] [pid 12] [client 2001:db8::7:51234] PHP Warning:  x in /a.php on line 3`, "client=2001:db8::7|port=51234|msg=PHP Warning:  x in /a.php on line 3")
	f(`[Mon Nov 23 03:10:11.1 2026] [auth:error] [pid 12] [client [2001:db8::7]:51234] AH1: user bob`, "client=2001:db8::7|port=51234|msg=AH1: user bob")
	f(`[Mon Nov 23 03:10:11.1 2026] [:error] [pid 12] [client 192.0.2.1:5] script '/var/www/x.php' not found or unable to stat`, "client=192.0.2.1|lvl=error")
	f(`[Mon Nov 23 03:10:11.1 2026] [security2:error] [pid 12] [client 192.0.2.1:5] [client 192.0.2.1] ModSecurity: Access denied with code 403 (phase 2). Matched "x" at ARGS:q. [file "/etc/x.conf"] [line "55"] [id "942100"] [msg "SQL Injection Attack"] [hostname "example.com"] [uri "/search"] [unique_id "abc"]`,
		"client=192.0.2.1|rule.name=942100|event.reason=SQL Injection Attack|p=/search|status=403|event.action=blocked|trace.id=abc|host=example.com")
	f(`2026/11/23 03:10:11 [error] 1#1: *5 open() "/www/a", client: 198.51.100.66, server: x" failed (2: No such file), client: 192.0.2.1, server: _, request: "GET /a HTTP/1.1"`, "!client")
}

func TestHAProxy(t *testing.T) {
	f := func(line, want string) { t.Helper(); check(t, nil, line, want) }
	f(`192.0.2.1:4711 [23/Nov/2026:03:10:11.123] front back/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {example.com|curl/8.1} {} "GET /a?b=1 HTTP/1.1"`,
		"format=haproxy|kind=web|time=2026-11-23T03:10:11.123|client=192.0.2.1|status=200|bytes=2750|took=109ms|p=/a|q=b=1|host=example.com|ua=curl/8.1")
	f(`192.0.2.1:4711 [23/Nov/2026:03:10:11.123] front~ back/<NOSRV> -1/-1/-1/-1/0 400 187 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`, "status=400|p=<BADREQ>")
	f(`192.0.2.1:4711 [23/Nov/2026:03:10:11.123] front back/srv 0/0/5007 212 -- 0/0/0/0/3 0/0`, "kind=flow|bytes=212|took=5.007s")
	f(`192.0.2.1:4711 [23/Nov/2026:03:10:11.123] front/1: SSL handshake failure`, "kind=error|msg=SSL handshake failure|client=192.0.2.1")
}

func TestAWSEdge(t *testing.T) {
	f := func(line, want string) { t.Helper(); check(t, nil, line, want) }
	f(`https 2026-11-23T03:10:11.123456Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/a?b=1 HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:x" 1 2026-11-23T03:10:11.000000Z "waf,forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`,
		"format=aws_alb|kind=web|client=192.0.2.1|port=2817|dip=10.0.0.1|status=200|bytes=57|took=171ms|host=www.example.com|p=/a|q=b=1|ua=curl/7.46.0|time=2026-11-23T03:10:11.123456Z|aws.alb.actions=waf,forward|!event.action")
	f(`http 2026-11-23T03:10:11.123456Z app/lb/1 192.0.2.1:2817 - -1 -1 -1 400 - 0 0 "POST http://lb.example.com:80/a HTTP/1.1" "-" - - - "-" "-" "-" - 2026-11-23T03:10:11.000000Z "-" "-" "-" "-" "-" "Severe" "BothTeClPresent"`,
		"status=400|classification=Severe|classification_reason=BothTeClPresent")
	f(`http 2026-11-23T03:10:11.123456Z app/lb/1 192.0.2.1:2817 - -1 -1 -1 460 - 0 0 "- http://lb.example.com:80- -" "-" - - - "-" "-" "-" - 2026-11-23T03:10:11.000000Z "-" "-" "-" "-" "-" "-" "-"`, "status=460|!m|!took")
	f(`2026-11-23T03:10:11.123456Z my-elb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 503 503 10 29 "POST http://www.example.com:80/x HTTP/1.1" "curl/7" - -`, "format=aws_elb|client=192.0.2.1|status=503|bytes=29|m=POST|p=/x|host=www.example.com")
	f(`tls 2.0 2026-11-23T03:10:11 net/my-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.1:51341 10.0.0.5:443 5 2 98 246 - arn:aws:acm:x - ECDHE-RSA-AES128-SHA tlsv12 - my.example.com - - - 2026-11-23T03:10:10`, "format=aws_nlb|kind=flow|client=192.0.2.1|took=5ms|bytes=246|host=my.example.com")
	f(strings.Repeat("7f", 32)+` my-bucket [23/Nov/2026:03:10:11 +0000] 192.0.2.1 arn:aws:iam::123456789012:user/bob 3E57427F3EXAMPLE REST.GET.OBJECT a/key.txt "GET /my-bucket/a/key.txt?versioning HTTP/1.1" 403 AccessDenied 113 2662992 7 - "-" "S3Console/0.4" - host= SigV4 ECDHE AuthHeader my-bucket.s3.amazonaws.com TLSV1.2`,
		"format=s3_access|client=192.0.2.1|resource.name=my-bucket|event.action=REST.GET.OBJECT|error.code=AccessDenied|status=403|bytes=113|principal=arn:aws:iam::123456789012:user/bob|ua=S3Console/0.4|p=/my-bucket/a/key.txt|host=my-bucket.s3.amazonaws.com")
	f(`2 123456789010 eni-1235b8ca123456789 192.0.2.1 10.0.0.2 49761 22 6 20 4249 1795403411 1795403471 REJECT OK`,
		"format=vpc_flow|kind=flow|client=192.0.2.1|dip=10.0.0.2|destination.port=22|event.action=REJECT|bytes=4249|time=2026-11-23T03:10:11Z|cloud.account.id=123456789010")
	f(`2 123456789010 eni-1235b8ca123456789 - - - - - - - 1795403411 1795403471 - NODATA`, "format=vpc_flow|!ip")
	f("2026-11-23\t03:10:11\tLHR62-C2\t2390\t192.0.2.1\tGET\td111111abcdef8.cloudfront.net\t/view/a%20b.html\t200\twww.example.com/ref\tMozilla/5.0%20(X11)\tfoo=bar\tsid=1\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms\twww.example.com\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-",
		"format=cloudfront|client=192.0.2.1|time=2026-11-23T03:10:11|p=/view/a%20b.html|q=foo=bar|host=www.example.com|status=200|took=1ms|x-edge-result-type=Hit|ua=Mozilla/5.0%20(X11)")
	f("1795403411.123\t192.0.2.1\t0.002\t403\t919\tGET\thttps\twww.example.com\t/x\t38\tLHR62-C2\tabc==\tcdn.example.com\t0.002\tHTTP/2.0\tIPv4\tcurl/8\t-\t-\tq=1\tError\t-\tTLSv1.3", "format=cloudfront_realtime|client=192.0.2.1|status=403|q=q=1|ua=curl/8|time=2026-11-23T03:10:11.123Z")
	f(`2026-11-23 03:10:11 10.0.0.5 GET /a.aspx id=1 443 - 192.0.2.9 Mozilla/5.0+(X) https://example.com/ 200 0 0 15`, "format=iis_w3c|client=192.0.2.9|status=200|p=/a.aspx|q=id=1|took=15ms")
	f(`2026-11-23 03:10:11 10.0.0.5 GET /a.aspx - 443 bob 192.0.2.9 Mozilla/5.0+(X) 401 1 0 15`, "format=iis_w3c|client=192.0.2.9|status=401|u=bob|!q")
	f(`192.0.2.1,-,-,23/Nov/2026:03:10:11 +0000,GET,/users/{id},HTTP/1.1,429,42,7d1b2c3d-0000-4000-8000-0123456789ab`, "format=apigateway_csv|client=192.0.2.1|status=429|p=/users/{id}")
	f(`(7d1b2c3d-0000-4000-8000-0123456789ab) HTTP Method: GET, Resource Path: /x?a=1`, "format=apigateway_execution|m=GET|p=/x|q=a=1|trace.id=7d1b2c3d-0000-4000-8000-0123456789ab")
	f(`2026-11-23T03:10:11.123Z (7d1b2c3d-0000-4000-8000-0123456789ab) Method completed with status: 403`, "status=403|time=2026-11-23T03:10:11.123Z")
	f(`(7d1b2c3d-0000-4000-8000-0123456789ab) Method request headers: {User-Agent=Mozilla/5.0 (X, Y), X-Forwarded-For=203.0.113.5, 192.0.2.1, Host=example.com}`, "ua=Mozilla/5.0 (X, Y)|xff=203.0.113.5, 192.0.2.1|client=192.0.2.1|host=example.com")
	f(`<request id="7d1b2c3d"> <ip>192.0.2.1</ip> <caller>-</caller> <user>-</user> <requestTime>23/Nov/2026:03:10:11 +0000</requestTime> <httpMethod>GET</httpMethod> <resourcePath>/x</resourcePath> <protocol>HTTP/1.1</protocol> <status>403</status> <responseLength>23</responseLength> </request>`,
		"format=apigateway_xml|client=192.0.2.1|status=403|p=/x|m=GET|trace.id=7d1b2c3d|time=2026-11-23T03:10:11Z")
}

func TestMaskedClients(t *testing.T) {
	f := func(line, client string) {
		t.Helper()
		for _, m := range read(t, strings.Repeat(line+"\n", 3), nil) {
			if m["source.ip"] != client || m["client"] != "" || m["status"] != "404" || m["url.path"] != "/a" {
				t.Fatalf("%s\n%v; want client %q", line, m, client)
			}
		}
	}
	const rest = ` - - [23/Nov/2026:03:10:11 +0000] "GET /a HTTP/1.1" 404 512 "-" "curl/8.5.0"`
	const alb = `https 2026-11-23T03:10:11.000000Z app/lb/1 %s 10.0.0.1:80 0.001 0.1 0.0 404 404 152 139 "GET https://example.com:443/a HTTP/1.1" "curl/8" - - arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/w/1 "Root=1-2-3" "-" "-" 0 2026-11-23T03:10:10Z "forward" "-" "-" "-" "-" "-" "-"`
	for _, client := range []string{"x.x.x.x", "203.0.113.xxx", "203.0.*.*", "9f86d081884c7d659a2feaa0c55ad015"} {
		f(client+rest, client)
	}
	for _, client := range []string{"x.x.x.x", "203.0.113.X", "x.0.0.0", "a1b2c3d4"} {
		f(strings.Replace(alb, "%s", client+":50337", 1), client)
	}
	for _, s := range []string{"1.2.3.4", "x.x.x", "x.x.x.x.x", "example.com", "xxxx.x.x.x", "1.2.3.x:", "v1.2.3", "*", "1.2.3.x:80a"} {
		if masked([]byte(s)) {
			t.Errorf("masked(%q)", s)
		}
	}
}

// TestCombinedShortcut: the quick way through a record in the usual form gives what the general way gives, also where a byte of it was changed.
func TestCombinedShortcut(t *testing.T) {
	quick := 0
	var general, short event.Event
	for _, line := range []string{
		`192.0.2.10 - - [23/Nov/2026:03:10:11 +0000] "GET /a/b?c=1&d=2 HTTP/1.1" 200 512 "https://www.example.com/" "Mozilla/5.0 (X11)"`,
		`2001:db8::12 - - [23/Nov/2026:03:10:11 +0100] "POST /login HTTP/2.0" 304 - "-" "curl/8.5"`,
		`198.51.100.7 - - [23/Nov/2026:03:10:11 +0000] "GET / HTTP/1.0" 404 0`,
		`198.51.100.7 - - [23/Nov/2026:03:10:11 +0000] "GET /x HTTP/1.0" 404 7 "-" "agent" "203.0.113.4" 0.003`,
	} {
		for at := -1; at < len(line); at++ {
			for _, b := range []byte("x\" -\\[]:/%0\t") {
				rec := []byte(line)
				if at >= 0 {
					rec[at] = b
				}
				c := ctx{opt: &Options{}}
				general.Reset()
				ok := parseCLFAny(&c, rec, &general)
				short.Reset()
				i := clfFront(&c, rec, &short)
				if i == 0 {
					continue
				}
				quick++
				short.Kind = event.KindWeb
				if i < len(rec) && !combinedRest(&short, rec[i:]) {
					clfRest(&c, &short, rec, i)
				}
				if !ok || !sameEvent(&general, &short) {
					t.Errorf("%s\ngeneral %t %+v\nquick   %+v", rec, ok, general, short)
				}
			}
		}
	}
	if quick < 1500 {
		t.Errorf("only %d records took the quick way", quick)
	}
}

// sameEvent compares what parsers set.
func sameEvent(a, b *event.Event) bool {
	if a.Fields() != b.Fields() || a.Format != b.Format || a.Kind != b.Kind || a.Time != b.Time || a.Clock != b.Clock || a.Client != b.Client || a.Status != b.Status ||
		a.Bytes != b.Bytes || a.Duration != b.Duration || len(a.Extra()) != len(b.Extra()) {
		return false
	}
	for f := range event.NumFields {
		if !bytes.Equal(a.Get(f), b.Get(f)) {
			return false
		}
	}
	return true
}
