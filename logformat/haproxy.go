package logformat

import (
	"bytes"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// parseHAProxy reads HAProxy's HTTP, TCP and connection error logs, without the syslog header:
//
//	192.0.2.1:4711 [23/Nov/2026:03:10:11.123] front back/srv 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {host} {} "GET / HTTP/1.1"
//	192.0.2.1:4711 [23/Nov/2026:03:10:11.123] front back/srv 0/0/5007 212 -- 0/0/0/0/3 0/0
//	192.0.2.1:4711 [23/Nov/2026:03:10:11.123] front/1: SSL handshake failure
func parseHAProxy(c *ctx, rec []byte, ev *event.Event) bool {
	open := bytes.IndexByte(rec[:min(len(rec), 64)], '[')
	if open < 3 || open+27 > len(rec) || rec[open+3] != '/' || rec[open+21] != '.' || rec[open-1] != ' ' {
		return false
	}
	end := bytes.IndexByte(rec[open:min(len(rec), open+36)], ']')
	peer := rec[:open-1]
	if end < 0 || bytes.IndexByte(peer, ' ') >= 0 || !validAddr(peer) && !bytes.HasPrefix(peer, []byte("unix:")) || !setTime(c, ev, rec[open+1:open+end]) {
		return false
	}
	setSource(ev, peer)
	i := open + end + 2
	front := token(rec, i)
	i += len(front) + 1
	ev.Add("haproxy.frontend", front, event.Server)
	if len(front) > 0 && front[len(front)-1] == ':' { // an error before any request
		if i < len(rec) {
			ev.Set(event.Message, rec[i:])
		}
		ev.Kind = event.KindError
		return true
	}
	back := token(rec, i)
	i += len(back) + 1
	times := token(rec, i)
	slashes := bytes.Count(times, []byte{'/'})
	if bytes.IndexByte(back, '/') < 0 || slashes != 4 && slashes != 2 {
		return false
	}
	ev.Add("haproxy.backend", back, event.Server)
	i += len(times) + 1
	last := times[bytes.LastIndexByte(times, '/')+1:]
	if len(last) > 0 && last[0] == '+' {
		last = last[1:]
	}
	setDuration(ev, last, time.Millisecond)
	if slashes == 2 { // TCP
		size := token(rec, i)
		setBytes(ev, size)
		set(ev, event.Reason, token(rec, i+len(size)+1))
		ev.Kind = event.KindFlow
		return true
	}
	st := token(rec, i)
	i += len(st) + 1
	setStatus(ev, st)
	size := token(rec, i)
	i += len(size) + 1
	if len(size) > 0 && size[0] == '+' {
		size = size[1:]
	}
	setBytes(ev, size)
	ev.Kind = event.KindWeb
	if i >= len(rec) {
		return true
	}
	rest := rec[i:]
	// The request is the last quoted text. HAProxy does not escape quotes in it, so it runs to the last one.
	quote := bytes.IndexByte(rest, '"')
	if quote < 0 {
		return true
	}
	request := rest[quote+1:]
	if k := bytes.LastIndexByte(request, '"'); k >= 0 {
		request = request[:k]
	}
	setRequest(ev, request)
	// Captured headers, in the order that the site configured: {host|agent|referer} {response headers}
	var open2 int
	if open2 = bytes.IndexByte(rest[:quote], '{'); open2 < 0 {
		return true
	}
	captured := rest[open2+1 : quote]
	if k := bytes.IndexByte(captured, '}'); k >= 0 {
		captured = captured[:k]
	}
	for n := 0; n < 16 && len(captured) > 0; n++ {
		v := captured
		if k := bytes.IndexByte(captured, '|'); k >= 0 {
			v, captured = captured[:k], captured[k+1:]
		} else {
			captured = nil
		}
		switch {
		case len(v) == 0:
		case validAddr(v) && !ev.Has(event.ForwardedFor):
			ev.Set(event.ForwardedFor, v)
		case bytes.HasPrefix(v, []byte("http://")) || bytes.HasPrefix(v, []byte("https://")):
			set(ev, event.Referer, v)
		case isHostname(clfHost(v)) && !ev.Has(event.Host):
			ev.Set(event.Host, clfHost(v))
		case bytes.IndexByte(v, '/') > 0 && !ev.Has(event.UserAgent):
			ev.Set(event.UserAgent, v)
		default:
			ev.Add("haproxy.captured", v, event.Client)
		}
	}
	return true
}
