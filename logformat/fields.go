package logformat

import (
	"bytes"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// Setters shared by all shapes. "-" and "" mean that the record does not say.

func none(s []byte) bool { return len(s) == 0 || len(s) == 1 && s[0] == '-' }

// set sets f to s unless the record does not say.
func set(ev *event.Event, f event.Field, s []byte) {
	if !none(s) {
		ev.Set(f, s)
	}
}

// setTarget splits a request target ("/a/b?x=1", "http://h/a", "*") into Host, Path and Query.
func setTarget(ev *event.Event, target []byte) {
	if none(target) {
		return
	}
	path := target
	if path[0] != '/' {
		if at := bytes.Index(path, schemeSep); at > 0 && at <= 6 {
			rest := path[at+3:]
			end := bytes.IndexAny(rest, "/?#")
			if end < 0 {
				end = len(rest)
			}
			if !ev.Has(event.Host) {
				set(ev, event.Host, rest[:end])
			}
			path = rest[end:]
		}
	}
	if q := bytes.IndexByte(path, '?'); q >= 0 {
		ev.Set(event.Query, path[q+1:])
		path = path[:q]
	}
	if len(path) > 0 {
		ev.Set(event.Path, path)
	}
}

var schemeSep = []byte("://")

// setRequest splits "GET /a?b HTTP/1.1", also when the client sent garbage (all of it is Path then).
func setRequest(ev *event.Event, request []byte) {
	if none(request) {
		return
	}
	m := 0
	for m < len(request) && isMethodByte[request[m]] {
		m++
	}
	if m == 0 || m > maxMethod || m+1 >= len(request) || request[m] != ' ' {
		if m = spoiltMethod(request); m == 0 {
			ev.Set(event.Path, request)
			return
		}
	}
	target := request[m+1:]
	if i := len(target) - 8; i > 0 && string(target[i:i+5]) == "HTTP/" && target[i-1] == ' ' { // Fast path - "HTTP/1.1"
		ev.Set(event.HTTPVersion, target[i:])
		target = target[:i-1]
	} else if i := bytes.LastIndexByte(target, ' '); i >= 0 && len(target)-i < 12 && bytes.HasPrefix(target[i+1:], httpSlash) {
		ev.Set(event.HTTPVersion, target[i+1:])
		target = target[:i]
	}
	if len(target) == 0 {
		ev.Set(event.Path, request)
		return
	}
	ev.Set(event.Method, request[:m])
	if m == 7 && string(request[:m]) == "CONNECT" {
		ev.Set(event.Host, target)
		ev.Set(event.Path, target)
		return
	}
	setTarget(ev, target)
	if !ev.Has(event.Path) { // "GET http://h HTTP/1.1"
		ev.Set(event.Path, target)
	}
}

const maxMethod = 20 // bytes of a method that is read as one

// spoiltMethod returns the length of a first word that is no method, but stands where one belongs ("0GET /x HTTP/1.1": what
// was left of an earlier request stands before it); 0 where the rest does not look like a request.
func spoiltMethod(request []byte) int {
	m := bytes.IndexByte(request, ' ')
	if m <= 0 || m > maxMethod || m+1 >= len(request) || request[m+1] != '/' {
		return 0
	}
	for _, b := range request[:m] {
		if b <= ' ' || b > '~' || b == '"' || b == '\\' || b == '/' {
			return 0
		}
	}
	if i := bytes.LastIndexByte(request, ' '); i == m || !bytes.HasPrefix(request[i+1:], httpSlash) {
		return 0
	}
	return m
}

var (
	httpSlash    = []byte("HTTP/")
	isMethodByte = func() (t [256]bool) {
		for b := 'A'; b <= 'Z'; b++ {
			t[b] = true
		}
		t['-'], t['_'] = true, true
		return t
	}()
)

// isMethod tells whether s can be an HTTP or WebDAV method.
func isMethod(s []byte) bool {
	if len(s) < 3 || len(s) > 17 {
		return false
	}
	for _, b := range s {
		if !isMethodByte[b] {
			return false
		}
	}
	return true
}

// setStatus and setBytes take the text of a number; "-" and "" leave the value unknown.
func setStatus(ev *event.Event, s []byte) {
	if len(s) == 3 { // Fast path
		a, b, c := s[0]-'0', s[1]-'0', s[2]-'0'
		if a >= 1 && a <= 9 && b <= 9 && c <= 9 {
			ev.Status = int(a)*100 + int(b)*10 + int(c)
			return
		}
	}
	if none(s) {
		return
	}
	if v, n := number(s); n == 3 && v >= 100 {
		ev.Status = int(v)
	}
	ev.Set(event.StatusText, s)
}

func setBytes(ev *event.Event, s []byte) {
	if v, n := number(s); n > 0 && n == len(s) && n < 19 {
		ev.Bytes = v
	}
}

// number reads the digits that s starts with, at most 18 of them.
func number(s []byte) (v int64, n int) {
	for n < len(s) && n < 18 {
		d := s[n] - '0'
		if d > 9 {
			break
		}
		v = v*10 + int64(d)
		n++
	}
	return v, n
}

// setDuration takes a decimal number of units; a unit in the text ("12.5ms", "0.3 s", "123µs") wins.
func setDuration(ev *event.Event, s []byte, unit time.Duration) {
	if d, ok := duration(s, unit); ok && d <= maxTook {
		ev.Duration = d
	}
}

const maxTook = 24 * time.Hour // what took longer is a moment, not a duration

func duration(s []byte, unit time.Duration) (time.Duration, bool) {
	whole, n := number(s)
	if n == 0 || n > 15 {
		return 0, false
	}
	frac, scale := int64(0), int64(1)
	if n < len(s) && s[n] == '.' {
		for n++; n < len(s) && isDigit(s[n]); n++ {
			if scale < 1e9 {
				frac = frac*10 + int64(s[n]-'0')
				scale *= 10
			}
		}
	}
	rest := s[n:]
	for len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	switch string(rest) {
	case "":
	case "ns", "nsec":
		unit = time.Nanosecond
	case "us", "µs", "μs", "usec", "\xb5s":
		unit = time.Microsecond
	case "ms", "msec", "msecs", "milliseconds", "ms.":
		unit = time.Millisecond
	case "s", "sec", "secs", "seconds":
		unit = time.Second
	case "m", "min":
		unit = time.Minute
	default:
		return 0, false
	}
	const most = int64(1) << 62
	if unit <= 0 || whole > most/int64(unit) {
		return 0, false
	}
	return time.Duration(whole)*unit + time.Duration(float64(frac)/float64(scale)*float64(unit)), true
}

// setSource sets SourceIP (and SourcePort, and Client for finish) from "1.2.3.4", "1.2.3.4:5", "[::1]:5" or "::1". A host name is
// kept as SourceIP.
func setSource(ev *event.Event, s []byte) {
	if none(s) {
		return
	}
	host, port, addr := splitAddr(s)
	ev.Set(event.SourceIP, host)
	if len(port) > 0 {
		ev.Set(event.SourcePort, port)
	}
	ev.Client = addr
}
