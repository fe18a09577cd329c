package logformat

import (
	"bytes"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// Node's morgan without a time:
//
//	tiny   GET /a 200 12 - 3.1 ms
//	dev    GET /a 200 3.1 ms - 12          (with colours)
//	short  ::1 - GET /a HTTP/1.1 200 12 - 3.1 ms

// parseMorgan reads these three, and what loggers of the same kind print: a method, a target, a status, then a size and a duration.
func parseMorgan(c *ctx, rec []byte, ev *event.Event) bool {
	var toks [12][]byte
	n := 0
	for i := 0; i < len(rec) && n < len(toks); {
		var t []byte
		if t, i = plainToken(rec, i); len(t) > 0 {
			toks[n] = t
			n++
		}
	}
	at := 0
	for at < n && at < 4 && !isMethod(toks[at]) {
		at++
	}
	if at > 3 || at+2 >= n || toks[at+1][0] != '/' && toks[at+1][0] != '*' && !bytes.Contains(toks[at+1], schemeSep) {
		return false
	}
	if at > 0 {
		if _, _, a := splitAddr(toks[0]); !a.IsValid() && !none(toks[0]) {
			return false
		}
		setSource(ev, toks[0])
		if at > 1 {
			set(ev, event.User, toks[at-1])
		}
	}
	ev.Set(event.Method, toks[at])
	setTarget(ev, toks[at+1])
	i := at + 2
	if bytes.HasPrefix(toks[i], httpSlash) {
		ev.Set(event.HTTPVersion, toks[i])
		i++
	}
	if i >= n || len(toks[i]) != 3 && !none(toks[i]) {
		return false
	}
	setStatus(ev, toks[i])
	if ev.Status == 0 && !none(toks[i]) {
		return false
	}
	// The rest: "<size> - <time> ms" or "<time> ms - <size>".
	for i++; i < n; i++ {
		t := toks[i]
		if none(t) {
			continue
		}
		if i+1 < n && (string(toks[i+1]) == "ms" || string(toks[i+1]) == "s") {
			unit := time.Millisecond
			if toks[i+1][0] == 's' {
				unit = time.Second
			}
			setDuration(ev, t, unit)
			i++
		} else if d, ok := duration(t, 0); ok && !isDigit(t[len(t)-1]) {
			ev.Duration = d
		} else if _, k := number(t); k == len(t) {
			setBytes(ev, t)
		} else {
			return false
		}
	}
	ev.Kind = event.KindWeb
	return true
}

// plainToken returns the next token at i without the colours around it.
func plainToken(rec []byte, i int) (t []byte, next int) {
	for i < len(rec) {
		if rec[i] == ' ' {
			i++
		} else if n := ansi(rec[i:]); n > 0 {
			i += n
		} else {
			break
		}
	}
	from := i
	for i < len(rec) && rec[i] != ' ' && (i == from || rec[i] != 0x1b) { // a lone ESC is part of the token
		i++
	}
	return rec[from:i], i
}

// ansi measures the terminal sequence that b starts with: ESC [ 0;32 m.
func ansi(b []byte) int {
	if len(b) < 3 || b[0] != 0x1b || b[1] != '[' {
		return 0
	}
	for i := 2; i < len(b) && i < 16; i++ {
		if isAlpha(b[i]) {
			return i + 1
		}
	}
	return 0
}
