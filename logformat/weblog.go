package logformat

import (
	"bytes"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// Access logs in the Common Log Format and all that grew out of it (nginx, Apache, morgan, Traefik, API Gateway...):
//
//	[vhost] client ident user [23/Nov/2026:03:10:11 +0000] "GET /a?b HTTP/1.1" 200 512 "referer" "agent" more...
//
// What stands before the time, between time and request, and after the agent differs by site and is recognised by its looks.

const maxBeforeTime = 512 // bytes before the time of a record

// parseCLF reads all of them.
func parseCLF(c *ctx, rec []byte, ev *event.Event) bool {
	if i := clfFront(c, rec, ev); i > 0 { // Fast path
		ev.Kind = event.KindWeb
		if i < len(rec) && !combinedRest(ev, rec[i:]) {
			clfRest(c, ev, rec, i)
		}
		return true
	}
	return parseCLFAny(c, rec, ev)
}

// parseCLFAny is the general way.
func parseCLFAny(c *ctx, rec []byte, ev *event.Event) bool {
	open, end, strong := bracketTime(c, rec)
	if open < 0 {
		return false
	}
	ev.Format = "common"
	if !setTime(c, ev, rec[open+1:end]) {
		return false
	}
	if !clfPrefix(ev, rec[:open]) || !strong && ev.Has(event.SourceIP) && !ev.Client.IsValid() {
		return false
	}
	i := end + 1
	for i < len(rec) && rec[i] == ' ' {
		i++
	}
	if i >= len(rec) {
		return false
	}
	if rec[i] != '"' {
		if i = clfBetween(ev, rec, i); i < 0 {
			return false
		}
	}
	if rec[i] == '"' {
		stop := requestEnd(rec, i+1)
		if stop < 0 {
			// Cut off inside the request: what there is.
			if !strong {
				return false
			}
			setRequest(ev, rec[i+1:])
			ev.Kind = event.KindWeb
			return true
		}
		setRequest(ev, rec[i+1:stop])
		i = stop + 1
	}
	if i < len(rec) && rec[i] == ' ' {
		i++
	}
	// Status and size.
	st := token(rec, i)
	switch {
	case len(st) == 0 && strong: // nothing after the request
	case len(st) > 0 && isDigit(st[0]) && (strong || len(st) == 3) || none(st) && len(st) > 0:
		setStatus(ev, st)
		i += len(st)
		if i < len(rec) && rec[i] == ' ' {
			i++
		}
		size := token(rec, i)
		if len(size) > 0 && (isDigit(size[0]) || none(size)) && bytes.IndexByte(size, '.') < 0 {
			setBytes(ev, size)
			i += len(size)
		}
	default:
		return false
	}
	ev.Kind = event.KindWeb
	if i < len(rec) {
		clfRest(c, ev, rec, i)
	}
	return true
}

// bracketTime finds the time in brackets. strong: it is written the CLF way, which nothing else is.
func bracketTime(c *ctx, rec []byte) (open, end int, strong bool) {
	for at := 0; at < len(rec) && at < maxBeforeTime; {
		i := bytes.IndexByte(rec[at:], '[')
		if i < 0 {
			break
		}
		at += i
		if at+20 < len(rec) && rec[at+3] == '/' && rec[at+7] == '/' { // "[23/Nov/2026:"
			if at+27 < len(rec) && rec[at+27] == ']' { // Fast path - "[23/Nov/2026:03:10:11 +0000]"
				return at, at + 27, true
			}
			if j := bytes.IndexByte(rec[at:min(len(rec), at+48)], ']'); j > 0 {
				return at, at + j, true
			}
		} else if at+12 < len(rec) && (isDigit(rec[at+1]) || at+16 < len(rec) && weekday(rec[at+1:])) {
			j := bytes.IndexByte(rec[at:min(len(rec), at+48)], ']')
			if j > 0 {
				if _, clock, n := scanTime(c, rec[at+1:at+j]); n == j-1 && clock != event.NoClock {
					return at, at + j, n > 6 && rec[at+2] == '/' // "[1/Dec/2026:..."
				}
			}
		}
		at++
	}
	return -1, -1, false
}

// clfPrefix reads "client ident user " and what may stand before it.
func clfPrefix(ev *event.Event, p []byte) bool {
	if a, n := scanIPv4(p); n > 0 && (n == len(p) || p[n] == ' ') { // Fast path - "192.0.2.1 - - "
		ev.Set(event.SourceIP, p[:n])
		ev.Client = a
		rest := p[n:]
		if len(rest) == 5 && rest[1] == '-' && rest[3] == '-' {
			return true
		}
		if len(rest) > 4 && rest[0] == ' ' && rest[1] == '-' && rest[2] == ' ' { // the user may hold blanks
			clfUser(ev, bytes.TrimSpace(rest[3:]))
			return true
		}
	}
	var toks [8][]byte
	n := 0
	for i := 0; i < len(p); {
		for i < len(p) && (p[i] == ' ' || p[i] == '\t') {
			i++
		}
		t := token(p, i)
		if len(t) == 0 {
			break
		}
		if n == len(toks) {
			return false
		}
		toks[n] = t
		n++
		i += len(t)
	}
	if n == 0 {
		return true
	}
	client := -1
	for i, t := range toks[:n] {
		if len(t) == 1 && t[0] == '|' {
			return false
		}
		t = bytes.TrimRight(bytes.Trim(t, "\""), ",")
		if _, _, a := splitAddr(t); a.IsValid() {
			client = i
			break
		}
		if len(t) > 1 && t[len(t)-1] == ':' || i >= 4 {
			return false // "nginx:" of a wrapper
		}
	}
	at := 0
	switch {
	case client >= 0:
		for _, t := range toks[:client] {
			if !none(t) && !ev.Has(event.Host) {
				ev.Set(event.Host, clfHost(t))
				ev.Format = "vhost_common"
			}
		}
		t := bytes.Trim(toks[client], "\"")
		at = client + 1
		if t[len(t)-1] == ',' { // a forwarding list stands where the client does
			list := toks[client]
			for at < n && bytes.IndexByte(toks[at-1], ',') >= 0 {
				list = p[cap(p)-cap(list) : cap(p)-cap(toks[at])+len(toks[at])]
				at++
			}
			ev.Set(event.ForwardedFor, bytes.Trim(list, "\""))
			setSource(ev, t[:len(t)-1])
		} else {
			setSource(ev, t)
			if at < n {
				if _, _, a := splitAddr(bytes.TrimRight(toks[at], ",")); a.IsValid() {
					list := toks[at]
					for at++; at < n && bytes.IndexByte(toks[at-1], ',') >= 0; at++ {
						list = p[cap(p)-cap(list) : cap(p)-cap(toks[at])+len(toks[at])]
					}
					ev.Set(event.ForwardedFor, list)
				}
			}
		}
	case !clientName(toks[0]) || n >= 4 && !clientName(toks[1]):
		return false
	case n >= 4 && none(toks[2]):
		ev.Set(event.Host, clfHost(toks[0]))
		ev.Format = "vhost_common"
		set(ev, event.SourceIP, toks[1])
		at = 2
	case n >= 2 && n <= 3:
		set(ev, event.SourceIP, toks[0])
		at = 1
	case n == 1:
		set(ev, event.SourceIP, toks[0])
		return true
	default:
		return false
	}
	if at+1 < n { // ident, then the user
		clfUser(ev, bytes.TrimSpace(p[cap(p)-cap(toks[at+1]):]))
	} else if at < n {
		clfUser(ev, toks[at])
	}
	return true
}

// clientName tells whether t can stand where a client's address does: a host's name, or nothing.
func clientName(t []byte) bool {
	letter := none(t)
	for _, b := range t {
		if letter = letter || isAlpha(b); !isAlpha(b) && !isDigit(b) && b != '.' && b != '-' && b != '_' && b != ':' && b != '*' {
			return false
		}
	}
	return letter || masked(t)
}

func clfUser(ev *event.Event, user []byte) {
	if len(user) >= 2 && user[0] == '"' && user[len(user)-1] == '"' {
		user = user[1 : len(user)-1]
	}
	if none(user) || len(user) == 3 && user[0] == '-' && user[1] == ' ' && user[2] == '-' {
		return
	}
	if user[len(user)-1] == '-' && bytes.HasSuffix(user, []byte(" -")) {
		user = user[:len(user)-2]
	}
	ev.Set(event.User, user)
}

// clfHost drops the port of a virtual host ("example.com:443").
func clfHost(t []byte) []byte {
	t = bytes.Trim(t, "\"")
	host, _, _ := splitAddr(t)
	return host
}

// token returns what stands at i up to the next blank.
func token(b []byte, i int) []byte {
	if i >= len(b) {
		return nil
	}
	j := i
	for j < len(b) && b[j] != ' ' && b[j] != '\t' {
		j++
	}
	return b[i:j]
}

// requestEnd returns where the quote closes that opened before i. Servers escape a quote inside (\" or \x22); where
// one does not, the closing quote is the first that a number follows.
func requestEnd(rec []byte, i int) int {
	first := -1
	for at := i; at < len(rec); {
		j := bytes.IndexByte(rec[at:], '"')
		if j < 0 {
			break
		}
		at += j
		if escapedAt(rec, i, at) {
			at++
			continue
		}
		if at+1 >= len(rec) {
			if first < 0 {
				first = at
			}
			return first
		}
		if rec[at+1] == ' ' && at+2 < len(rec) && (isDigit(rec[at+2]) || rec[at+2] == '-') {
			return at
		}
		if first < 0 {
			first = at
			if at-i > 8 && string(rec[at-8:at-3]) == "HTTP/" && rec[at+1] == ' ' {
				return at
			}
		}
		at++
		if at-i > 1<<14 {
			break
		}
	}
	return first
}

// escapedAt tells whether an odd number of backslashes stands before rec[at].
func escapedAt(rec []byte, from, at int) bool {
	n := 0
	for at-n-1 >= from && rec[at-n-1] == '\\' {
		n++
	}
	return n&1 == 1
}

// closeQuote returns where the quote closes that opened before i, or -1.
func closeQuote(rec []byte, i int) int {
	for at := i; ; {
		j := bytes.IndexByte(rec[at:], '"')
		if j < 0 {
			return -1
		}
		at += j
		if !escapedAt(rec, i, at) {
			return at
		}
		at++
	}
}

// clfBetween reads what stands between the time and the request, and returns where the request starts; -1 if there is none.
func clfBetween(ev *event.Event, rec []byte, i int) int {
	for n := 0; n < 8 && i < len(rec); n++ {
		if rec[i] == '"' {
			return i
		}
		t := token(rec, i)
		if len(t) == 0 {
			i++
			continue
		}
		if isMethod(t) && i+len(t)+1 < len(rec) && (rec[i+len(t)+1] == '/' || rec[i+len(t)+1] == '*') { // unquoted request
			target := token(rec, i+len(t)+1)
			stop := i + len(t) + 1 + len(target)
			if v := token(rec, stop+1); bytes.HasPrefix(v, httpSlash) {
				stop += 1 + len(v)
			}
			setRequest(ev, rec[i:stop])
			ev.Format = "morgan"
			if stop >= len(rec) {
				stop = len(rec) - 1
			}
			return stop
		}
		if _, _, a := splitAddr(t); a.IsValid() {
			if !ev.Has(event.SourceIP) {
				setSource(ev, t)
			} else if !ev.Has(event.ForwardedFor) {
				ev.Set(event.ForwardedFor, t)
			}
		} else if !none(t) && !ev.Has(event.Host) && bytes.IndexByte(t, '.') > 0 && !isDigit(t[0]) {
			ev.Set(event.Host, clfHost(t))
		}
		i += len(t) + 1
	}
	return -1
}

// clfRest reads what follows the size: "referer" "agent" and whatever the site adds.
func clfRest(c *ctx, ev *event.Event, rec []byte, i int) {
	quoted, numbers := 0, 0
	last := rec[len(rec):]
	var lone []byte // the first quoted value: the referer, unless it stays alone
	for i < len(rec) {
		switch b := rec[i]; {
		case b == ' ' || b == '\t' || b == ',' || b == '|' || b == ';':
			i++
		case b == '"':
			stop := closeQuote(rec, i+1)
			if stop < 0 {
				stop = len(rec) // cut off
			}
			v := rec[i+1 : stop]
			switch quoted++; quoted {
			case 1:
				lone = v
			case 2:
				set(ev, event.Referer, lone)
				set(ev, event.UserAgent, v)
				if ev.Format == "morgan" {
				} else if ev.Format == "vhost_common" {
					ev.Format = "vhost_combined"
				} else {
					ev.Format = "combined"
				}
			default:
				clfExtra(c, ev, v, true)
			}
			i = stop + 1
		default:
			t := token(rec, i)
			i += len(t)
			if eq := bytes.IndexByte(t, '='); eq > 0 && eq < 32 { // rt=0.003 ua="a b"
				v := t[eq+1:]
				if len(v) > 0 && v[0] == '"' {
					from := i - len(v) + 1
					stop := closeQuote(rec, from)
					if stop < 0 {
						stop = len(rec)
					}
					v = rec[from:stop]
					i = stop + 1
				}
				clfNamed(c, ev, t[:eq], v)
				continue
			}
			if isDecimal(t) {
				unit := time.Second
				if bytes.HasPrefix(rec[i:], []byte(" ms")) {
					unit = time.Millisecond
					i += 3
				}
				if numbers++; numbers == 1 && ev.Duration < 0 {
					setDuration(ev, t, unit)
				}
				continue
			}
			last = t
			clfExtra(c, ev, t, false)
		}
	}
	if quoted == 1 {
		if at := bytes.Index(lone, schemeSep); (at < 0 || at > 16) && bytes.IndexByte(lone, '/') > 0 { // no URL: the agent
			ev.Set(event.UserAgent, lone)
		} else {
			set(ev, event.Referer, lone)
		}
	}
	// Apache's %D stands last, as a whole number of microseconds.
	if v, n := number(last); ev.Duration < 0 && n > 0 && n == len(last) && n < 12 {
		ev.Duration = time.Duration(v) * time.Microsecond
	}
}

// isDecimal tells whether t is a number with a point, or a list of such (nginx upstreams).
func isDecimal(t []byte) bool {
	_, n := number(t)
	return n > 0 && n+1 < len(t) && t[n] == '.' && isDigit(t[n+1]) && bytes.IndexByte(t[n+1:], '.') < 0
}

// clfNamed takes an extra value that carries its name.
func clfNamed(c *ctx, ev *event.Event, name, v []byte) {
	if none(v) {
		return
	}
	switch string(name) {
	case "rt", "request_time", "reqtime":
		setDuration(ev, v, time.Second)
		return
	case "uct", "uht", "urt", "us", "ut", "cs", "upstream_response_time":
		return
	}
	col, known := columnNamed(name)
	if !known {
		ev.Add("clf.extra", v, event.Mixed)
		return
	}
	switch {
	case col.slot == sSource && ev.Has(event.SourceIP), col.slot == sStatus, col.slot == sTime, col.slot == sBytes, col.slot == sUser && ev.Has(event.User):
		return
	}
	var t twoPart
	setColumn(c, ev, &col, v, &t)
}

// clfExtra takes an extra value, by its looks.
func clfExtra(c *ctx, ev *event.Event, v []byte, quoted bool) {
	if none(v) {
		return
	}
	first := v
	if i := bytes.IndexAny(v, ", "); i > 0 {
		first = v[:i]
	}
	if _, port, a := splitAddr(first); a.IsValid() {
		if len(port) == 0 && !ev.Has(event.ForwardedFor) && !(quoted && c.two) {
			ev.Set(event.ForwardedFor, v)
		}
		return
	}
	if quoted && !c.two && bytes.HasPrefix(v, []byte("for=")) {
		ev.Set(event.ForwardedFor, v)
		return
	}
	if !quoted {
		if d, ok := duration(v, 0); ok && d > 0 && !isDigit(v[len(v)-1]) { // "5ms"
			ev.Duration = d
			return
		}
		if len(v) == 36 && v[8] == '-' && v[13] == '-' {
			set(ev, event.RequestID, v)
			return
		}
		if _, n := number(v); n == len(v) {
			return
		}
	}
	if quoted && !ev.Has(event.Host) && isHostname(v) {
		ev.Set(event.Host, v)
		return
	}
	ev.Add("clf.extra", v, event.Client)
}

// isHostname tells whether v is a name such as www.example.com.
func isHostname(v []byte) bool {
	if len(v) > 253 || bytes.IndexByte(v, '.') <= 0 || isDigit(v[0]) {
		return false
	}
	for _, b := range v {
		if !isAlpha(b) && !isDigit(b) && b != '.' && b != '-' {
			return false
		}
	}
	return true
}
