package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// The usual form of an access log's record, read in one go. parseCLFAny reads all forms, and this one to the same Event.

// clfFront reads the front of a record in its usual form, in one go: 192.0.2.1 - - [23/Nov/2026:03:10:11 +0000] "GET /a?b HTTP/1.1" 200 512.
// It returns where the rest starts, or 0 if anything is unusual; then it set nothing that the general way does not set as well.
func clfFront(c *ctx, rec []byte, ev *event.Event) int {
	at := bytes.IndexByte(rec[:min(len(rec), 48)], ' ')
	const before, stamp = len(" - - ["), len("23/Nov/2026:03:10:11 +0000")
	from := at + before + stamp + len("] \"") // of the request
	if at < 2 || from+20 > len(rec) || string(rec[at:at+before]) != " - - [" || string(rec[from-3:from]) != "] \"" {
		return 0
	}
	if s := rec[at+before:]; s[2] != '/' || s[6] != '/' {
		return 0
	}
	addr, n := scanIPv4(rec[:at])
	if n != at {
		var ok bool
		if addr, ok = parseAddr(rec[:at]); !ok || bytes.IndexByte(rec[:at], '%') >= 0 {
			return 0
		}
	}
	stop := bytes.IndexByte(rec[from:], '"') + from
	if stop < from || rec[stop-1] == '\\' || stop+6 > len(rec) || rec[stop+1] != ' ' {
		return 0
	}
	request := rec[from:stop]
	m := 0
	for m < len(request) && isMethodByte[request[m]] {
		m++
	}
	version := len(request) - len("HTTP/1.1")
	if m == 0 || m > 20 || m == len("CONNECT") || version < m+3 || request[m] != ' ' || request[m+1] != '/' || request[version-1] != ' ' || string(request[version:version+5]) != "HTTP/" {
		return 0
	}
	a, b, d := rec[stop+2]-'0', rec[stop+3]-'0', rec[stop+4]-'0'
	if a-1 > 8 || b > 9 || d > 9 || rec[stop+5] != ' ' {
		return 0
	}
	size, i := int64(0), stop+6
	for ; i < len(rec) && rec[i]-'0' <= 9; i++ {
		size = size*10 + int64(rec[i]-'0')
	}
	digits := i - stop - 6
	if digits == 0 && i < len(rec) && rec[i] == '-' {
		i++
	}
	if digits > 18 || i == stop+6 || i < len(rec) && rec[i] != ' ' {
		return 0
	}
	if !setTime(c, ev, rec[at+before:at+before+stamp]) {
		return 0
	}
	ev.Format = "common"
	ev.Set(event.SourceIP, rec[:at])
	ev.Client = addr
	ev.Set(event.Method, request[:m])
	ev.Set(event.HTTPVersion, request[version:])
	target := request[m+1 : version-1]
	if q := bytes.IndexByte(target, '?'); q >= 0 {
		ev.Set(event.Query, target[q+1:])
		target = target[:q]
	}
	ev.Set(event.Path, target)
	ev.Status = int(a)*100 + int(b)*10 + int(d)
	if digits > 0 {
		ev.Bytes = size
	}
	return i
}

// combinedRest reads what mostly follows, and nothing else: "referer" "agent".
func combinedRest(ev *event.Event, rest []byte) bool {
	if len(rest) < 7 || rest[0] != ' ' || rest[1] != '"' || rest[len(rest)-1] != '"' {
		return false
	}
	end := bytes.IndexByte(rest[2:], '"') + 2
	if end+4 > len(rest) || rest[end-1] == '\\' || rest[end+1] != ' ' || rest[end+2] != '"' {
		return false
	}
	agent := rest[end+3:]
	if n := bytes.IndexByte(agent, '"'); n != len(agent)-1 || n > 0 && agent[n-1] == '\\' {
		return false
	}
	set(ev, event.Referer, rest[2:end])
	set(ev, event.UserAgent, agent[:len(agent)-1])
	ev.Format = "combined"
	return true
}
