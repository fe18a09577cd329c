package logformat

import (
	"bytes"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// Access logs that frameworks and proxies print in a way of their own.

// parseSquid reads Squid's native format:
//
//	1700000000.123    180 192.0.2.1 TCP_MISS/200 411 GET http://example.com/ - HIER_DIRECT/198.51.100.1 text/html
func parseSquid(c *ctx, rec []byte, ev *event.Event) bool {
	if _, n := number(rec); n != 10 || len(rec) < 40 || rec[10] != '.' {
		return false
	}
	var f [64][]byte
	n := split64(rec, &f)
	if n < 7 || !validAddr(f[2]) {
		return false
	}
	slash := bytes.IndexByte(f[3], '/')
	if slash < 3 || !isMethod(f[5]) || !setTime(c, ev, f[0]) {
		return false
	}
	setDuration(ev, f[1], time.Millisecond)
	setSource(ev, f[2])
	ev.Set(event.Action, f[3][:slash])
	setStatus(ev, f[3][slash+1:])
	setBytes(ev, f[4])
	ev.Set(event.Method, f[5])
	setTarget(ev, f[6])
	if n > 7 {
		set(ev, event.User, f[7])
	}
	if n > 9 {
		set(ev, event.ContentType, f[9])
	}
	ev.Kind = event.KindWeb
	return true
}

// parseUWSGI reads uWSGI's request log:
//
//	[pid: 12|app: 0|req: 1/1] 192.0.2.1 () {32 vars in 500 bytes} [Mon Nov 23 03:10:11 2026] GET /x => generated 12 bytes in 3 msecs (HTTP/1.1 200) ...
func parseUWSGI(c *ctx, rec []byte, ev *event.Event) bool {
	if !bytes.HasPrefix(rec, []byte("[pid: ")) {
		return false
	}
	i := bytes.Index(rec, []byte("] "))
	if i < 0 {
		return false
	}
	set(ev, event.PID, rec[6:6+bytes.IndexByte(append(rec[6:i:i], '|'), '|')])
	rest := rec[i+2:]
	setSource(ev, token(rest, 0))
	if k := bytes.IndexByte(rest, '('); k > 0 && k < 64 {
		if end := bytes.IndexByte(rest[k:], ')'); end > 1 {
			ev.Set(event.User, rest[k+1:k+end])
		}
	}
	k := bytes.Index(rest, []byte("} ["))
	if k < 0 {
		return false
	}
	rest = rest[k+3:]
	end := bytes.IndexByte(rest, ']')
	if end < 0 || !setTime(c, ev, rest[:end]) || end+2 > len(rest) {
		return false
	}
	rest = rest[end+2:]
	if k = bytes.LastIndex(rest, []byte(" => generated ")); k < 0 {
		return false
	}
	setRequest(ev, rest[:k])
	rest = rest[k+len(" => generated "):]
	setBytes(ev, token(rest, 0))
	if k = bytes.Index(rest, []byte(" in ")); k > 0 {
		setDuration(ev, token(rest, k+4), time.Millisecond)
	}
	if k = bytes.Index(rest, []byte("(HTTP/")); k > 0 && k+13 <= len(rest) {
		setStatus(ev, bytes.TrimRight(token(rest, k+10), ")"))
	}
	ev.Kind = event.KindWeb
	return true
}

// parseFrameworks reads what web frameworks print for each request:
//
//	[GIN] 2026/11/23 - 03:10:11 | 200 |     1.2ms |       192.0.2.1 | GET      "/x"
//	INFO:     192.0.2.1:4711 - "GET /x HTTP/1.1" 200 OK                               (uvicorn)
//	[I 261123 03:10:11 web:2246] 200 GET /x (192.0.2.1) 1.23ms                         (tornado)
//	Started GET "/x" for 192.0.2.1 at 2026-11-23 03:10:11 +0000                        (Rails)
//	[Mon Nov 23 03:10:11 2026] 192.0.2.1:4711 [200]: GET /x                            (PHP's own server)
func parseFrameworks(c *ctx, rec []byte, ev *event.Event) bool {
	switch {
	case bytes.HasPrefix(rec, []byte("[GIN] ")):
		return parseGin(c, rec[6:], ev)
	case bytes.HasPrefix(rec, []byte("Started ")):
		rest := rec[len("Started "):]
		m := token(rest, 0)
		if !isMethod(m) || len(rest) < len(m)+3 || rest[len(m)+1] != '"' {
			return false
		}
		from := len(m) + 2
		end := bytes.LastIndex(rest, []byte(`" for `))
		if end < from {
			return false
		}
		ev.Set(event.Method, m)
		setTarget(ev, rest[from:end])
		rest = rest[end+len(`" for `):]
		setSource(ev, token(rest, 0))
		if k := bytes.Index(rest, []byte(" at ")); k > 0 {
			setTime(c, ev, firstLine(rest[k+4:]))
		}
		ev.Format, ev.Kind = "rails", event.KindWeb
		return true
	case rec[0] == '[' && len(rec) > 24 && (isAlpha(rec[1]) && rec[2] == ' ' && isDigit(rec[3])):
		return parseTornado(c, rec, ev)
	case rec[0] == '[':
		return parsePHPServer(c, rec, ev)
	}
	return parseUvicorn(c, rec, ev)
}

func parseGin(c *ctx, rec []byte, ev *event.Event) bool {
	var parts [6][]byte
	n := 0
	for rest := rec; n < len(parts); {
		k := bytes.IndexByte(rest, '|')
		if n == 4 || k < 0 {
			parts[n] = uncolour(rest)
			n++
			break
		}
		parts[n] = uncolour(rest[:k])
		n++
		rest = rest[k+1:]
	}
	if n < 5 {
		return false
	}
	// "2026/11/23 - 03:10:11"
	if when := parts[0]; len(when) == 21 {
		var t twoPart
		t.date, t.clock = when[:10], when[13:]
		t.join(c, ev)
	}
	setStatus(ev, parts[1])
	setDuration(ev, parts[2], time.Nanosecond)
	setSource(ev, parts[3])
	m, i := plainToken(parts[4], 0)
	if !isMethod(m) || ev.Status == 0 {
		return false
	}
	ev.Set(event.Method, m)
	target, _ := plainToken(parts[4], i)
	if at := bytes.IndexByte(parts[4], '"'); at >= 0 {
		if end := closeQuote(parts[4], at+1); end > at {
			target = parts[4][at+1 : end]
		}
	}
	setTarget(ev, target)
	ev.Format, ev.Kind = "gin", event.KindWeb
	return true
}

// uncolour removes blanks and colours around s.
func uncolour(s []byte) []byte {
	for len(s) > 0 {
		if n := ansi(s); n > 0 {
			s = s[n:]
		} else if s[0] == ' ' {
			s = s[1:]
		} else {
			break
		}
	}
	for len(s) > 0 {
		if s[len(s)-1] == ' ' {
			s = s[:len(s)-1]
		} else if k := bytes.LastIndexByte(s, 0x1b); k > 0 && ansi(s[k:]) == len(s)-k {
			s = s[:k]
		} else {
			break
		}
	}
	return s
}

func parseTornado(c *ctx, rec []byte, ev *event.Event) bool {
	end := bytes.Index(rec, []byte("] "))
	if end < 18 || end > 64 {
		return false
	}
	when := rec[3:end]
	if k := bytes.LastIndexByte(when, ' '); k > 0 {
		when = when[:k]
	}
	if !setTime(c, ev, when) {
		return false
	}
	var f [64][]byte
	n := split64(rec[end+2:], &f)
	if n < 4 || len(f[0]) != 3 || !isMethod(f[1]) {
		return false
	}
	setStatus(ev, f[0])
	if ev.Status == 0 {
		return false
	}
	ev.Set(event.Level, rec[1:2])
	ev.Set(event.Method, f[1])
	setTarget(ev, f[2])
	for _, v := range f[3:n] {
		if len(v) > 2 && v[0] == '(' && v[len(v)-1] == ')' {
			v = v[1 : len(v)-1]
			if k := bytes.LastIndexByte(v, '@'); k >= 0 { // Jupyter: (user@::1)
				set(ev, event.User, v[:k])
				v = v[k+1:]
			}
			setSource(ev, v)
		} else if v[0] != '-' {
			setDuration(ev, v, time.Millisecond)
		}
	}
	ev.Format, ev.Kind = "tornado", event.KindWeb
	return true
}

func parsePHPServer(c *ctx, rec []byte, ev *event.Event) bool {
	end := bytes.IndexByte(rec[:min(len(rec), 40)], ']')
	if end < 20 || end+2 >= len(rec) {
		return false
	}
	peer := token(rec, end+2)
	i := end + 2 + len(peer) + 1
	if !validAddr(peer) || i >= len(rec) || rec[i] != '[' && !bytes.HasPrefix(rec[i:], []byte("Accepted")) && !bytes.HasPrefix(rec[i:], []byte("Closing")) || !setTime(c, ev, rec[1:end]) {
		return false
	}
	setSource(ev, peer)
	ev.Format, ev.Kind = "php_server", event.KindWeb
	if rec[i] != '[' {
		ev.Set(event.Message, rec[i:])
		ev.Kind = event.KindSystem
		return true
	}
	stop := bytes.Index(rec[i:], []byte("]: "))
	if stop < 0 {
		return false
	}
	setStatus(ev, rec[i+1:i+stop])
	request := rec[i+stop+3:]
	if k := bytes.Index(request, []byte(" - ")); k > 0 {
		ev.Set(event.Reason, request[k+3:])
		request = request[:k]
	}
	setRequest(ev, request)
	return true
}

func parseUvicorn(c *ctx, rec []byte, ev *event.Event) bool {
	// [colours] [LEVEL:] client - "request" status reason
	t, i := plainToken(rec, 0)
	level := bytes.TrimRight(t, ":")
	if l := levelNamed(level); l != nil && len(t) > 0 {
		ev.Set(event.Level, l)
		if t, i = plainToken(rec, i); len(t) == 1 && t[0] == ':' {
			t, i = plainToken(rec, i)
		}
	}
	if !validAddr(t) {
		return false
	}
	setSource(ev, t)
	if t, i = plainToken(rec, i); !none(t) || len(t) == 0 {
		return false
	}
	for i < len(rec) && (rec[i] == ' ' || ansi(rec[i:]) > 0) {
		i += max(1, ansi(rec[i:]))
	}
	if i >= len(rec) || rec[i] != '"' {
		return false
	}
	end := requestEnd(rec, i+1)
	if end < 0 {
		return false
	}
	request := uncolour(rec[i+1 : end])
	setRequest(ev, request)
	st, at := plainToken(rec, end+1)
	setStatus(ev, st)
	if ev.Status == 0 {
		return false
	}
	if rest, _ := plainToken(rec, at); len(rest) > 0 {
		if _, n := number(rest); n == len(rest) {
			setBytes(ev, rest)
		}
	}
	ev.Format, ev.Kind = "uvicorn", event.KindWeb
	return true
}

// parseEnvoy reads Envoy's default format and Istio's:
//
//	[2026-11-23T03:10:11.123Z] "GET /x HTTP/2" 200 - 154 0 226 100 "192.0.2.1" "curl/8" "request-id" "example.com" "10.0.0.2:80"
//	[2026-11-23T03:10:11.123Z] "GET /x HTTP/1.1" 200 - via_upstream - "-" 0 5 3 2 "192.0.2.1" "curl/8" "request-id" "example.com" "10.0.0.2:80" ...
func parseEnvoy(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 40 || rec[0] != '[' || rec[5] != '-' || rec[11] != 'T' {
		return false
	}
	end := bytes.IndexByte(rec[:min(len(rec), 40)], ']')
	if end < 20 || end+3 > len(rec) || rec[end+2] != '"' {
		return false
	}
	var f [64][]byte
	n := split64(rec[end+1:], &f)
	at := 3
	if n > 12 && !none(f[3]) && !isDigit(f[3][0]) {
		at = 6 // Istio: how the response came about, and its details
	}
	if n < at+6 || len(f[1]) > 3 || none(f[1]) || !isDigit(f[1][0]) || len(f[2]) > 0 && isDigit(f[2][0]) {
		return false
	}
	for _, v := range f[at : at+3] {
		if _, k := number(v); k != len(v) || k == 0 {
			return false
		}
	}
	if !setTime(c, ev, rec[1:end]) {
		return false
	}
	setRequest(ev, f[0])
	setStatus(ev, f[1])
	set(ev, event.Reason, f[2])
	set(ev, event.RequestBytes, f[at])
	setBytes(ev, f[at+1])
	setDuration(ev, f[at+2], time.Millisecond)
	rest := f[at+4 : n]
	set(ev, event.ForwardedFor, rest[0])
	if len(rest) > 1 {
		set(ev, event.UserAgent, rest[1])
	}
	if len(rest) > 2 {
		set(ev, event.RequestID, rest[2])
	}
	if len(rest) > 3 && !none(rest[3]) {
		ev.Set(event.Host, rest[3])
	}
	ev.Kind = event.KindWeb
	return true
}

// parseProxyManager reads Nginx Proxy Manager's format:
//
//	[23/Nov/2026:03:10:11 +0000] - 404 404 - GET https example.com "/x" [Client 192.0.2.1] [Length 192] [Gzip 3.10] [Sent-to 10.0.0.2] "agent" "referer"
func parseProxyManager(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 60 || rec[0] != '[' || rec[27] != ']' {
		return false
	}
	client := bytes.Index(rec, []byte(`" [Client `))
	if client < 0 || !setTime(c, ev, rec[1:27]) {
		return false
	}
	var f [64][]byte
	n := split64(rec[28:client+1], &f)
	if n < 5 {
		return false
	}
	at := 0
	for at < n && !isMethod(f[at]) {
		if len(f[at]) == 3 && isDigit(f[at][0]) {
			setStatus(ev, f[at]) // the last one: the upstream's comes first
		}
		at++
	}
	if at+3 >= n {
		return false
	}
	ev.Set(event.Method, f[at])
	ev.Set(event.Host, f[at+2])
	setTarget(ev, f[at+3])
	rest := rec[client+len(`" [Client `):]
	end := bytes.IndexByte(rest, ']')
	if end < 0 {
		return false
	}
	setSource(ev, rest[:end])
	rest = rest[end+1:]
	if v, ok := bytes.CutPrefix(rest, []byte(" [Length ")); ok {
		if end = bytes.IndexByte(v, ']'); end > 0 {
			setBytes(ev, v[:end])
		}
	}
	if q := bytes.IndexByte(rest, '"'); q >= 0 {
		n = split64(rest[q:], &f)
		set(ev, event.UserAgent, f[0])
		if n > 1 {
			set(ev, event.Referer, f[1])
		}
	}
	ev.Kind = event.KindWeb
	return true
}
