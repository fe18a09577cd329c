package logformat

import (
	"bytes"
	"net/netip"

	"github.com/helixvanguard/vanguard/event"
)

// parseNginxError reads nginx's error log:
//
//	2026/11/23 03:10:11 [error] 12#13: *14 open() "/var/www/x" failed (2: No such file or directory), client: 192.0.2.1, server: example.com, request: "GET /x HTTP/1.1", host: "example.com", referrer: "..."
func parseNginxError(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 25 || rec[4] != '/' || rec[7] != '/' || rec[10] != ' ' || rec[13] != ':' {
		return false
	}
	at := 20
	if rec[19] == '.' { // OpenResty with milliseconds
		for at < len(rec) && isDigit(rec[at]) {
			at++
		}
		at++
	}
	if at >= len(rec) || rec[at] != '[' || !setTime(c, ev, rec[:at-1]) {
		return false
	}
	end := bytes.IndexByte(rec[at:], ']')
	if end < 0 || end > 12 {
		return false
	}
	ev.Set(event.Level, rec[at+1:at+end])
	i := at + end + 1
	for i < len(rec) && rec[i] == ' ' {
		i++
	}
	// "12#13: *14 "
	_, n := number(rec[i:])
	if n == 0 || i+n >= len(rec) || rec[i+n] != '#' {
		return false
	}
	ev.Set(event.PID, rec[i:i+n])
	i += n + 1
	_, n = number(rec[i:])
	if i += n; i < len(rec) && rec[i] == ':' {
		i++
	}
	for i < len(rec) && rec[i] == ' ' {
		i++
	}
	if i < len(rec) && rec[i] == '*' {
		_, n = number(rec[i+1:])
		i += n + 1
		for i < len(rec) && rec[i] == ' ' {
			i++
		}
	}
	msg := rec[i:]
	tail := len(msg)
	if k := nginxClient(msg); k >= 0 {
		tail = k
		rest := msg[k:]
		if v := member(rest, ", client: "); v != nil {
			setSource(ev, v)
		}
		setMember(ev, event.Hostname, rest, ", server: ")
		if v := quotedMember(rest, ", request: \""); v != nil {
			setRequest(ev, v)
		}
		if v := quotedMember(rest, ", host: \""); v != nil {
			set(ev, event.Host, v)
		}
		if v := quotedMember(rest, ", referrer: \""); v != nil {
			set(ev, event.Referer, v)
		}
		if v := quotedMember(rest, ", upstream: \""); v != nil {
			ev.Add("upstream", v, event.Server)
		}
	}
	ev.Set(event.Message, msg[:tail])
	readErrorMessage(c, ev)
	ev.Set(event.Process, wordNginx)
	modsecurity(ev, msg)
	ev.Kind = event.KindError
	return true
}

var wordNginx, wordApache = []byte("nginx"), []byte("apache")

// nginxClient finds the server's own ", client: <address>" in msg, -1 if there is none. Clients can write the same
// into a file name or request, which are not escaped: where what they wrote cannot be told from the server's words, and the
// two disagree, there is none either, so that nobody is blamed for another's line.
func nginxClient(msg []byte) int {
	first := -1
	var who netip.Addr
	for at := 0; ; {
		i := bytes.Index(msg[at:], nginxClientName)
		if i < 0 {
			return first
		}
		at += i
		v := member(msg[at:], ", client: ")
		_, _, a := splitAddr(v)
		if a.IsValid() || bytes.HasPrefix(v, []byte("unix:")) {
			switch {
			case first < 0:
				if first, who = at, a; bytes.IndexByte(msg[:at], '"') < 0 {
					return at // nothing that a client wrote stands before it
				}
			case a != who:
				return -1
			default:
				first = at
			}
		}
		at += len(nginxClientName)
	}
}

var nginxClientName = []byte(", client: ")

// validAddr tells whether v is an address, also one of which a part was made unreadable.
func validAddr(v []byte) bool {
	_, _, a := splitAddr(v)
	return a.IsValid() || masked(v)
}

// masked tells whether v is an IPv4 address whose numbers, some or all, were replaced for privacy: 203.0.113.xxx, x.x.x.x, 203.0.*.*:443. Such a
// client has a name still, if one that it may share.
func masked(v []byte) bool {
	dots, run, mask := 0, 0, false
	for i, b := range v {
		switch {
		case isDigit(b), b == 'x' || b == 'X' || b == '*':
			mask = mask || !isDigit(b)
			if run++; run > 3 {
				return false
			}
		case b == '.' && run > 0 && dots < 3:
			dots, run = dots+1, 0
		case b == ':' && run > 0 && dots == 3:
			_, n := number(v[i+1:])
			return mask && n > 0 && i+1+n == len(v)
		default:
			return false
		}
	}
	return mask && dots == 3 && run > 0
}

// member returns the value after name up to the next comma.
func member(s []byte, name string) []byte {
	i := bytes.Index(s, []byte(name))
	if i < 0 {
		return nil
	}
	v := s[i+len(name):]
	if end := bytes.IndexByte(v, ','); end >= 0 {
		v = v[:end]
	}
	return v
}

// quotedMember returns the value after name (which ends with the opening quote) up to the closing quote.
func quotedMember(s []byte, name string) []byte {
	i := bytes.Index(s, []byte(name))
	if i < 0 {
		return nil
	}
	v := s[i+len(name):]
	// Error logs do not escape: the quote closes where a comma or the end follows.
	for at := 0; at < len(v); at++ {
		if v[at] == '"' && (at+1 == len(v) || v[at+1] == ',' && at+2 < len(v) && v[at+2] == ' ') {
			return v[:at]
		}
	}
	return v
}

func setMember(ev *event.Event, f event.Field, s []byte, name string) {
	if v := member(s, name); v != nil {
		set(ev, f, v)
	}
}

// parseApacheError reads Apache's error log, 2.4 and 2.2, also with PHP's and ModSecurity's messages in it:
//
//	[Mon Nov 23 03:10:11.123456 2026] [core:error] [pid 12:tid 13] [client 192.0.2.1:4711] AH00126: Invalid URI in request GET ..., referer: ...
func parseApacheError(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 30 || rec[0] != '[' {
		return false
	}
	end := bytes.IndexByte(rec[:min(len(rec), 48)], ']')
	if end < 15 {
		return false
	}
	if !isAlpha(rec[1]) && !(isDigit(rec[1]) && end+2 < len(rec) && rec[end+2] == '[') {
		return false
	}
	if !setTime(c, ev, rec[1:end]) {
		return false
	}
	i := end + 1
	known := false
	for i < len(rec) {
		for i < len(rec) && rec[i] == ' ' {
			i++
		}
		if i >= len(rec) || rec[i] != '[' {
			break
		}
		end := bytes.IndexByte(rec[i:], ']')
		if end < 0 {
			break
		}
		part := rec[i+1 : i+end]
		if bytes.HasPrefix(part, []byte("client [")) { // [client [2001:db8::1]:4711]
			more := bytes.IndexByte(rec[i+end+1:], ']')
			if more < 0 {
				break
			}
			end += more + 1
			part = rec[i+1 : i+end]
		}
		if len(part) > 0 && part[0] == ':' && len(part) < 8 && isAlpha(part[len(part)-1]) { // "[:error]"
			ev.Set(event.Level, part[1:])
			known = true
		} else if at := bytes.IndexByte(part, ':'); at > 0 && at < 32 && bytes.IndexByte(part, ' ') < 0 && isAlpha(part[0]) && isLevel(part[at+1:]) {
			ev.Set(event.Level, part[at+1:])
			ev.Add("apache.module", part[:at], event.Server)
			known = true
		} else if isLevel(part) {
			ev.Set(event.Level, part)
			known = true
		} else if bytes.HasPrefix(part, []byte("pid ")) {
			v := part[4:]
			if k := bytes.IndexByte(v, ':'); k > 0 {
				v = v[:k]
			}
			ev.Set(event.PID, v)
		} else if bytes.HasPrefix(part, []byte("client ")) || bytes.HasPrefix(part, []byte("remote ")) {
			// "[client 2001:db8::1:4711]" has the port without brackets
			apacheClient(ev, part[7:])
			known = true
		} else if bytes.HasPrefix(part, []byte("host ")) {
			set(ev, event.Host, part[5:])
		} else if !bytes.HasPrefix(part, []byte("tid ")) && !bytes.HasPrefix(part, []byte("mod_")) && !validAddr(part) {
			break
		} else if validAddr(part) {
			setSource(ev, part)
		}
		i += end + 1
	}
	if !known {
		return false
	}
	msg := rec[min(i, len(rec)):]
	if k := bytes.LastIndex(msg, []byte(", referer: ")); k >= 0 {
		set(ev, event.Referer, msg[k+len(", referer: "):])
		msg = msg[:k]
	}
	ev.Set(event.Message, msg)
	readErrorMessage(c, ev)
	ev.Set(event.Process, wordApache)
	modsecurity(ev, msg)
	if !ev.Has(event.Path) {
		apachePath(ev, msg)
	}
	ev.Kind = event.KindError
	return true
}

// isLevel tells whether s is one of Apache's or nginx's levels.
func isLevel(s []byte) bool {
	switch string(s) {
	case "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", "warning", "trace1", "trace2", "trace3", "trace4", "trace5", "trace6", "trace7", "trace8":
		return true
	}
	return false
}

// apacheClient reads "192.0.2.1:4711", "192.0.2.1", and IPv6 whose last group is the port.
func apacheClient(ev *event.Event, v []byte) {
	if _, n := scanIPv4(v); n == 0 && len(v) > 0 && v[0] != '[' && bytes.Count(v, []byte{':'}) > 1 {
		if k := bytes.LastIndexByte(v, ':'); k > 0 {
			port, digits := number(v[k+1:])
			host, ok := parseAddr(v[:k])
			if digits == len(v)-k-1 && port > 0 && port < 65536 && ok && (digits == 5 || v[k-1] != ':') && host.IsValid() {
				ev.Set(event.SourcePort, v[k+1:])
				v = v[:k]
			}
		}
	}
	setSource(ev, v)
}

// apachePath finds the URL in messages that name one.
func apachePath(ev *event.Event, msg []byte) {
	if i := bytes.Index(msg, []byte("in request ")); i >= 0 { // AH00126: Invalid URI in request GET /x HTTP/1.1
		setRequest(ev, msg[i+len("in request "):])
		return
	}
	for _, m := range [...]string{"denied by server configuration: ", "File does not exist: ", "script not found or unable to stat: "} {
		if i := bytes.Index(msg, []byte(m)); i >= 0 {
			ev.Set(event.Resource, msg[i+len(m):])
			return
		}
	}
}

// modsecurity reads the tags of a ModSecurity message: [id "942100"] [msg "..."] [uri "/x"] [hostname "..."].
func modsecurity(ev *event.Event, msg []byte) {
	i := bytes.Index(msg, []byte("ModSecurity: "))
	if i < 0 {
		return
	}
	msg = msg[i:]
	tag := func(name string) []byte {
		at := bytes.Index(msg, []byte(name))
		if at < 0 {
			return nil
		}
		v := msg[at+len(name):]
		for end := 0; end+1 < len(v); end++ {
			if v[end] == '"' && v[end+1] == ']' {
				return v[:end]
			}
		}
		return nil
	}
	if v := tag(`[id "`); v != nil {
		ev.Set(event.RuleName, v)
	}
	if v := tag(`[msg "`); v != nil {
		ev.Set(event.Reason, v)
	}
	if v := tag(`[uri "`); v != nil && !ev.Has(event.Path) {
		setTarget(ev, v)
	}
	if v := tag(`[hostname "`); v != nil && !ev.Has(event.Host) {
		set(ev, event.Host, v)
	}
	if v := tag(`[unique_id "`); v != nil {
		set(ev, event.RequestID, v)
	}
	if v := tag(`[client "`); v != nil && !ev.Has(event.SourceIP) {
		setSource(ev, v)
	}
	switch {
	case bytes.HasPrefix(msg, []byte("ModSecurity: Access denied")):
		ev.Set(event.Action, wordBlocked)
		if k := bytes.Index(msg, []byte("with code ")); k >= 0 {
			setStatus(ev, token(msg, k+len("with code ")))
		}
	case bytes.HasPrefix(msg, []byte("ModSecurity: Warning")):
		ev.Set(event.Action, wordDetected)
	}
}

var wordBlocked, wordDetected = []byte("blocked"), []byte("detected")
