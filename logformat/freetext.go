package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// Free text: a time anywhere near the front, a level, who logged, and the message.

const (
	maxFront  = 12  // pieces (time, level, brackets, numbers) before the message
	frontRoom = 200 // bytes in which a time is looked for
)

// parseText reads any text. It is the last fallback and always fits.
func parseText(c *ctx, rec []byte, ev *event.Event) bool {
	line := rec
	if bytes.IndexByte(line, 0x1b) >= 0 {
		line = stripColour(ev, line)
	}
	f := front{c: c, ev: ev, s: line}
	f.read()
	ev.Kind = event.KindText
	msg := startOf(line[f.i:])
	known := f.time || f.level || f.hour
	if known {
		ev.Kind = event.KindApp
		ev.Understood = true
		ev.Format = "text_app"
	} else {
		msg = trimSpace(line)
		ev.Format = "text"
		ev.Understood = false
		ev.Why = "no known format, no time and no level"
	}
	if len(msg) > 1 && c.depth < maxDepth && known {
		if msg[0] == '{' || addrFirst(msg) {
			level, has := ev.Get(event.Level), ev.Has(event.Level)
			if c.inner(msg, ev) {
				if has && !ev.Has(event.Level) {
					ev.Set(event.Level, level)
				}
				return true
			}
		}
	}
	ev.Set(event.Message, msg)
	if f.time && (bytes.HasPrefix(msg, []byte("PHP ")) || bytes.HasPrefix(msg, []byte("WordPress database error "))) {
		ev.Kind, ev.Format = event.KindError, "php_error"
		if rest, ok := bytes.CutPrefix(msg, []byte("PHP ")); ok && !f.level {
			f.level = f.takeLevel(firstWord(bytes.TrimSuffix(firstWord(rest), []byte(":"))))
		}
	}
	body := firstLine(msg)
	if len(body) < len(msg) && len(body) < 40 {
		body = msg
	}
	readMessage(c, ev, body)
	readPairs(c, ev, body)
	if ev.Has(event.Method) && ev.Has(event.Path) && ev.Status != 0 && ev.Has(event.SourceIP) && !bytes.Equal(ev.Get(event.Category), bAuthn) {
		ev.Kind = event.KindWeb
		ev.Understood = true
		ev.Why = ""
	}
	if !f.level {
		lateLevel(ev, line)
	}
	if packet(ev, body) {
		ev.Understood, ev.Why = true, ""
	}
	if ev.Kind == event.KindText && ev.Has(event.Result) && ev.Has(event.SourceIP) {
		ev.Kind, ev.Understood, ev.Why, ev.Format = event.KindApp, true, "", "text_app"
	}
	return true
}

// startOf drops what separates a message from its front.
func startOf(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == ':' && (len(s) < 2 || s[1] != ':') || s[0] == '|' || s[0] == '-' && len(s) > 1 && (s[1] == ' ' || s[1] == '-')) {
		s = s[1:]
	}
	return trimSpace(s)
}

// addrFirst tells whether msg starts like an access log's line: an address, then " - ".
func addrFirst(msg []byte) bool {
	_, n := addrAt(msg)
	return n > 0 && n+3 < len(msg) && msg[n] == ' ' && msg[n+1] == '-' && msg[n+2] == ' '
}

// front reads what stands before the message.
type front struct {
	c           *ctx
	ev          *event.Event
	s           []byte
	i           int // where the message starts
	time, level bool
	named       bool // a logger's name was taken: numbers after it are the message's
	hour        bool // a time of day without its date
	pieces      int
}

func (f *front) read() {
	for f.pieces < maxFront && f.piece() {
		f.pieces++
	}
	if !f.time {
		f.farTime()
	}
}

// farTime finds a time that does not stand first.
func (f *front) farTime() {
	end := min(len(f.s), frontRoom)
	for i := f.i; i < end; i++ {
		if !isDigit(f.s[i]) && f.s[i]|0x20-'a' >= 26 || i > 0 && (wordByte[f.s[i-1]] || f.s[i-1] == '.' || f.s[i-1] == '-' || f.s[i-1] == '/' || f.s[i-1] == '=') {
			continue
		}
		if ns, clock, n := scanTime(f.c, f.s[i:]); clock != event.NoClock && n >= 14 {
			f.ev.Time, f.ev.Clock = ns, clock
			f.time = true
			return
		}
	}
}

// piece takes one piece and tells whether it could.
func (f *front) piece() bool {
	s := f.s
	i := f.i
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == ',' || s[i] == '|' || s[i] == ':' || s[i] == '"' && !f.time || s[i] == '-' && i+1 < len(s) && (s[i+1] == ' ' || s[i+1] == '-')) {
		i++
	}
	if i >= len(s) {
		return false
	}
	rest := s[i:]
	if !f.time {
		if n := f.when(rest); n > 0 {
			f.i, f.time = i+n, true
			return true
		}
	}
	switch c := rest[0]; {
	case c == '[' || c == '(':
		return f.bracket(i)
	case isDigit(c):
		n := 0
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		// A process or thread number; a time of day alone.
		if n < len(rest) && n <= 10 && (rest[n] == ' ' || rest[n] == '\t' || rest[n] == ']' || rest[n] == ':' && n > 2) && (f.time || f.pieces > 0) && !f.named {
			if _, k := addrAt(rest); k > 0 || n == 3 && rest[0] >= '1' && rest[0] <= '5' {
				return false // an HTTP status is the message's
			}
			if !f.ev.Has(event.PID) {
				f.ev.Set(event.PID, rest[:n])
			}
			f.i = i + n + 1
			return true
		}
		if _, clock, k := scanTime(f.c, rest); k >= 5 && clock == event.NoClock && f.pieces == 0 {
			f.hour = true
			f.i = i + k
			return true
		}
		return false
	case c == '%':
		return f.cisco(i)
	case isAlpha(c):
		return f.word(i)
	}
	return false
}

// cisco takes "%ASA-6-106015: ": facility, severity as syslog counts it, mnemonic.
func (f *front) cisco(i int) bool {
	s := f.s[i:min(len(f.s), i+48)]
	end := bytes.IndexByte(s, ':')
	a := bytes.IndexByte(s, '-')
	if end < 0 || a < 0 || a+2 >= end || s[a+2] != '-' || s[a+1] < '0' || s[a+1] > '7' || bytes.IndexByte(s[:end], ' ') >= 0 {
		return false
	}
	f.ev.Set(event.Level, syslogLevels[s[a+1]-'0'])
	f.ev.Set(event.Process, s[1:end])
	f.level, f.named = true, true
	f.i = i + end + 1
	return true
}

// when reads a time at the start of s, in brackets or not, and returns how many bytes it takes.
func (f *front) when(s []byte) int {
	b := 0
	if s[0] == '[' || s[0] == '(' || s[0] == '<' {
		b = 1
	}
	if len(s) < 8 {
		return 0
	}
	ns, clock, n := scanTime(f.c, s[b:])
	if clock == event.NoClock {
		if b == 0 {
			return f.glog(s)
		}
		return f.monthDay(s)
	}
	if n < 8 || n == 10 && isNumber(s[b:b+10]) && f.pieces > 0 {
		return 0
	}
	n += b
	if n+11 <= len(s) && string(s[n:n+3]) == " - " && isDigit(s[n+3]) { // "2026/11/23 - 03:10:11"
		var room [64]byte
		buf := append(append(room[:0], s[b:n]...), ' ')
		end := n + 3
		for end < len(s) && (isDigit(s[end]) || s[end] == ':' || s[end] == '.') {
			end++
		}
		buf = append(buf, s[n+3:end]...)
		if ns2, clock2, k := scanTime(f.c, buf); clock2 != event.NoClock && k == len(buf) {
			ns, clock, n = ns2, clock2, end
		}
	}
	f.ev.Time, f.ev.Clock = ns, clock
	if b == 1 {
		// "[2026-11-23T03:10:11.678079 #1]", "[05/Nov 10:00:00.123 UTC]"
		for k := n; k < len(s) && k < n+24; k++ {
			if s[k] == ']' || s[k] == ')' || s[k] == '>' {
				return k + 1
			}
		}
	}
	return n
}

// monthDay reads "[11.23 03:10:11]" (no year).
func (f *front) monthDay(s []byte) int {
	if len(s) < 16 || s[3] != '.' || s[6] != ' ' || s[15] != ']' {
		return 0
	}
	var buf [16]byte
	t := append(append(append(buf[:0], s[1:3]...), '-'), s[4:15]...)
	ns, clock, n := scanTime(f.c, t)
	if clock == event.NoClock || n != len(t) {
		return 0
	}
	f.ev.Time, f.ev.Clock = ns, clock
	return 16
}

// glog reads "E1123 03:10:11.619632  4711 file.go:12] " (month and day, no year).
func (f *front) glog(s []byte) int {
	if len(s) < 22 || !isDigit(s[1]) || !isDigit(s[4]) || s[5] != ' ' || two(s, 1) < 1 || two(s, 1) > 12 {
		return 0
	}
	level := levelNamed(s[:1])
	if level == nil {
		return 0
	}
	var buf [40]byte
	t := append(append(append(append(buf[:0], s[1:3]...), '-'), s[3:5]...), s[5:min(len(s), 21)]...)
	ns, clock, n := scanTime(f.c, t)
	if clock == event.NoClock {
		return 0
	}
	f.ev.Time, f.ev.Clock = ns, clock
	f.ev.Set(event.Level, level)
	f.level = true
	if end := bytes.Index(s[:min(len(s), 120)], []byte("] ")); end > 0 {
		return end + 2
	}
	return n - 1
}

// bracket takes "[...]": a level, a thread, a logger. One with an address in it belongs to the message.
func (f *front) bracket(i int) bool {
	s := f.s
	closer := byte(']')
	if s[i] == '(' {
		closer = ')'
	}
	end := bytes.IndexByte(s[i:min(len(s), i+120)], closer)
	if end < 0 {
		return false
	}
	in := s[i+1 : i+end]
	next := i + end + 1
	switch {
	case f.takeLevel(in):
	case isNumber(in):
		if !f.ev.Has(event.PID) {
			f.ev.Set(event.PID, in)
		}
	case bytes.HasPrefix(in, []byte("pid ")) || bytes.HasPrefix(in, []byte("pid: ")):
		v := trimSpace(in[4:])
		if e := bytes.IndexByte(v, ':'); e > 0 {
			v = v[:e]
		}
		f.ev.Set(event.PID, v)
	default:
		if len(in) == 0 || hasAddr(in) || bytes.IndexByte(in, '=') >= 0 || closer == ')' && (f.pieces == 0 || bytes.IndexByte(in, '-') < 0) || !f.time && !f.level && len(in) > 24 || bytes.HasPrefix(in, []byte("user")) {
			return false
		}
		if bytes.IndexByte(in, '/') == 0 {
			return false
		}
		switch rest := s[min(next, len(s)):]; {
		case bytes.IndexByte(in, ' ') >= 0:
		case bytes.HasPrefix(rest, []byte(" FAIL ")) || bytes.HasPrefix(rest, []byte(" OK ")): // vsftpd: [pid 7] [alice] FAIL LOGIN: ...
			set(f.ev, event.User, in)
		case !f.ev.Has(event.Process):
			f.ev.Set(event.Process, in)
		}
	}
	f.i = next
	return true
}

func hasAddr(s []byte) bool {
	for i := range s {
		if i == 0 || !wordByte[s[i-1]] && s[i-1] != '.' {
			if _, n := addrAt(s[i:]); n > 0 {
				return true
			}
		}
	}
	return false
}

func (f *front) takeLevel(w []byte) bool {
	if f.level {
		return false
	}
	for len(w) > 0 && w[len(w)-1] == ' ' {
		w = w[:len(w)-1]
	}
	l := levelNamed(w)
	if l == nil || isDigit(w[0]) {
		return false
	}
	f.ev.Set(event.Level, l)
	f.level = true
	return true
}

// word takes a level, "channel.LEVEL:", or a logger's name that a colon ends.
func (f *front) word(i int) bool {
	s := f.s
	e := i
	for e < len(s) && (wordByte[s[e]] && s[e] < 0x80) {
		e++
	}
	w := s[i:e]
	next := byte(' ')
	if e < len(s) {
		next = s[e]
	}
	if f.level && (next == ' ' || next == ':') && len(w) > 1 && isUpper(w[0]) && isUpper(w[len(w)-1]) && bytes.Equal(levelNamed(w), f.ev.Get(event.Level)) {
		f.i = e // said twice: "I, [...]  INFO -- : "
		return true
	}
	if !f.level {
		upper := true
		for _, c := range w {
			upper = upper && !(c-'a' < 26)
		}
		ends := next == ':' || next == ']' || next == '|' || next == ',' || next == '\t' || next == ')' || e+1 < len(s) && next == ' ' && (s[e+1] == ' ' || s[e+1] == '[' || s[e+1] == '-' || s[e+1] == '|' || s[e+1] == ':')
		if (upper && (next == ' ' || next == '[' || next == '(' || e == len(s)) && len(w) > 1 || ends || f.time && next == ' ' && f.pieces > 0) && levelNamed(w) != nil && !(len(w) == 1 && next != ',') {
			if f.takeLevel(w) {
				if f.i = e; next == ':' || next == ']' || next == ')' {
					f.i++
				}
				return true
			}
		}
		if next == '.' && e+1 < len(s) { // "production.ERROR: "
			k := e + 1
			for k < len(s) && isAlpha(s[k]) {
				k++
			}
			if k < len(s) && s[k] == ':' && isUpper(s[e+1]) && f.takeLevel(s[e+1:k]) {
				f.ev.Set(event.Process, w)
				f.i = k + 1
				return true
			}
		}
	}
	if !f.time && !f.level {
		if f.pieces == 0 && len(w) == 1 && next == ',' && e+2 < len(s) && s[e+2] == '[' { // Ruby's "I, [...]"
			f.i = e + 1
			return true
		}
		return false
	}
	// A logger's name: one run without blanks that ends in ": ".
	k := i
	for k < len(s) && k-i < 80 && s[k] > ' ' && s[k] != '=' && s[k] != '"' && s[k] != ',' && s[k] != '(' && s[k] != '{' && s[k] != '@' {
		k++
	}
	if k-1 > i && k < len(s) && s[k] == ' ' && s[k-1] == ':' && !f.ev.Has(event.Process) && f.plainName(s[i:k-1]) {
		f.ev.Set(event.Process, s[i:k-1])
		f.i, f.named = k, true
		return true
	}
	return false
}

// plainName tells whether n can be a logger's name and says nothing by itself ("Error:", "Unauthorized:" do).
func (f *front) plainName(n []byte) bool {
	if bytes.IndexByte(n, '/') == 0 || hasAddr(n) {
		return false
	}
	toks := scratchOf(f.ev).tokenize(n)
	for i := range toks {
		if toks[i].class()&(wBad|wDeny|wUser|wFrom) != 0 || toks[i].class()&wTopic != 0 && len(toks) == 1 && len(n) > 4 {
			return false
		}
	}
	return true
}

// lateLevel finds "FATAL:" and the like behind the front (PostgreSQL, supavisor's [error]).
func lateLevel(ev *event.Event, s []byte) {
	if ev.Has(event.Level) {
		return
	}
	s = s[:min(len(s), frontRoom)]
	for i := 1; i < len(s); i++ {
		if c := s[i-1]; c != ' ' && c != '[' && c != ':' && c != '.' && c != '|' || !isAlpha(s[i]) {
			continue
		}
		e := i
		for e < len(s) && isAlpha(s[e]) {
			e++
		}
		if e < len(s) && (s[e] == ':' && isUpper(s[i]) && isUpper(s[e-1]) || s[e] == ']' && s[i-1] == '[') && e-i > 2 {
			if l := levelNamed(s[i:e]); l != nil {
				ev.Set(event.Level, l)
				return
			}
		}
		i = e
	}
}

// stripColour returns s without terminal escapes.
func stripColour(ev *event.Event, s []byte) []byte {
	out := ev.Alloc(len(s))[:0]
	for i := 0; i < len(s); i++ {
		if s[i] != 0x1b {
			out = append(out, s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '[' {
			i += 2
			for i < len(s) && (s[i] < '@' || s[i] > '~') {
				i++
			}
		}
	}
	return out
}
