package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// syslog: RFC 3164 as it is found in files (with or without <PRI>, with BSD or ISO times, with or without host) and RFC 5424.

// parseSyslog reads "<34>Nov 23 03:10:11 web1 sshd[4711]: text" in its variants.
func parseSyslog(c *ctx, rec []byte, ev *event.Event) bool {
	s := rec
	pri := -1
	if s[0] == '<' {
		v, n := number(s[1:min(len(s), 5)])
		if n == 0 || n > 3 || 1+n >= len(s) || s[1+n] != '>' || v > 191 {
			return false
		}
		pri = int(v)
		s = s[2+n:]
		if len(s) > 2 && isDigit(s[0]) && s[1] == ' ' {
			return parseSyslog5424(c, s[2:], pri, ev)
		}
		for len(s) > 0 && (s[0] == ' ' || s[0] == ':' || s[0] == '*') {
			s = s[1:]
		}
	}
	if len(s) < 16 {
		return false
	}
	bsd := isAlpha(s[0]) || s[0] >= 0x80
	if pri < 0 && !bsd && (!isDigit(s[0]) || len(s) < 20 || s[4] != '-' || s[10] != 'T') {
		return false
	}
	ns, clock, n := scanTime(c, s)
	if clock == event.NoClock || n < 12 || n >= len(s) {
		return false
	}
	stamp := s[:n]
	// An ISO time begins many logs; syslog's has a fraction and a numeric zone.
	sure := bsd || pri >= 0 || n >= 25 && (stamp[n-6] == '+' || stamp[n-6] == '-' || stamp[n-1] == 'Z' && n >= 27)
	s = s[n:]
	if s[0] == ':' { // Cisco: "Nov 23 03:10:11: %SYS-5-..."
		if s = s[1:]; bytes.IndexByte(s[:min(len(s), 4)], '%') < 0 {
			return false
		}
	}
	if len(s) == 0 || s[0] != ' ' {
		return false
	}
	s = trimLeft(s)
	host, prog, pid, msg := syslogHead(s)
	if prog == nil && host == nil {
		return false
	}
	if !sure && (pid == nil || host == nil) {
		return false
	}
	if bsd && pri < 0 && prog == nil && !isDigit(stamp[n-1]) {
		return false
	}
	ev.Time, ev.Clock = ns, clock
	ev.Format, ev.Kind = "syslog", event.KindSystem
	if pri >= 0 {
		ev.Set(event.Level, syslogLevels[pri&7])
	}
	set(ev, event.Hostname, host)
	readProgram(c, ev, prog, pid, msg)
	return true
}

func trimLeft(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

// syslogHead cuts "host prog[pid]: text". host or prog may be missing.
func syslogHead(s []byte) (host, prog, pid, msg []byte) {
	sp := bytes.IndexByte(s, ' ')
	if sp < 0 {
		return nil, nil, nil, s
	}
	if p, id, m, ok := syslogTag(s); ok && s[sp-1] == ':' {
		return nil, p, id, m // no host
	}
	for _, b := range s[:sp] {
		if !wordByte[b] && b != '.' && b != '-' && b != ':' && b != '/' {
			return nil, nil, nil, s
		}
	}
	if levelNamed(s[:sp]) != nil || s[sp-1] == ':' || isNumber(s[:sp]) {
		return nil, nil, nil, s
	}
	host = s[:sp]
	rest := trimLeft(s[sp:])
	if p, id, m, ok := syslogTag(rest); ok {
		return host, p, id, m
	}
	if len(rest) > 4 && rest[0] == '[' { // UniFi: "host [rule] ..."
		return host, nil, nil, rest
	}
	// "host host sshd[1]: ..." (relayed twice), "host firewall,info drop input: ..."
	if sp := bytes.IndexByte(rest, ' '); sp > 0 {
		if p, id, m, ok := syslogTag(trimLeft(rest[sp:])); ok && id != nil && bytes.IndexByte(rest[:sp], '[') < 0 {
			return host, p, id, m
		}
	}
	return host, nil, nil, rest
}

// syslogTag cuts "prog[pid]: text" or "prog: text". A name with blanks needs the pid.
func syslogTag(s []byte) (prog, pid, msg []byte, ok bool) {
	for i := 0; i < len(s) && i < 100; i++ {
		switch b := s[i]; {
		case b == '[':
			e := bytes.IndexByte(s[i:min(len(s), i+40)], ']')
			if e <= 1 || i == 0 || i+e+1 >= len(s) || s[i+e+1] != ':' && s[i+e+1] != ' ' {
				return nil, nil, nil, false
			}
			for _, d := range s[i+1 : i+e] {
				if !wordByte[d] && d != '-' && d != ':' && d != '.' {
					return nil, nil, nil, false
				}
			}
			prog, pid, msg = s[:i], s[i+1:i+e], s[i+e+1:]
			if msg[0] == ':' {
				msg = msg[1:]
			}
			return trimSpace(prog), pid, trimLeft(msg), true
		case b == ':':
			if i == 0 || i+1 < len(s) && s[i+1] != ' ' && s[i+1] != '\t' || bytes.IndexByte(s[:i], ' ') >= 0 {
				return nil, nil, nil, false
			}
			return s[:i], nil, trimLeft(s[i+1:]), true
		case b == '(' && i > 0: // "prog(pam_unix)[123]:"
		case b == ')' || b == '%' || b == '/' || b == '.' || b == '-' || b == '@' || b == '+' || b == ',' || wordByte[b]:
		case b == ' ':
			// Go on: "Google Chrome Helper[42]: ..."
			if i > 40 {
				return nil, nil, nil, false
			}
		default:
			return nil, nil, nil, false
		}
	}
	return nil, nil, nil, false
}

// parseSyslog5424 reads what follows "<34>1 ": time, host, app, procid, msgid, structured data, text.
func parseSyslog5424(c *ctx, s []byte, pri int, ev *event.Event) bool {
	var part [5][]byte
	for i := range part {
		sp := bytes.IndexByte(s, ' ')
		if sp <= 0 {
			return false
		}
		part[i], s = s[:sp], s[sp+1:]
	}
	if string(part[0]) != "-" && !setTime(c, ev, part[0]) {
		return false
	}
	ev.Format, ev.Kind = "syslog", event.KindSystem
	ev.Set(event.Level, syslogLevels[pri&7])
	set(ev, event.Hostname, part[1])
	sd := []byte(nil)
	switch {
	case len(s) > 0 && s[0] == '-':
		s = s[1:]
	case len(s) > 0 && s[0] == '[':
		at, quoted := 0, false
		for at < len(s) {
			switch s[at] {
			case '\\':
				at++
			case '"':
				quoted = !quoted
			case ']':
				if !quoted && (at+1 >= len(s) || s[at+1] == ' ') {
					quoted = false
					sd, s = s[:at+1], s[at+1:]
				}
			}
			if sd != nil {
				break
			}
			at++
		}
		if sd == nil {
			return false
		}
	}
	s = trimLeft(s)
	s = bytes.TrimPrefix(s, []byte("\xef\xbb\xbf"))
	prog, pid := part[2], part[3]
	if none(prog) {
		prog = nil
	}
	if none(pid) {
		pid = nil
	}
	readProgram(c, ev, prog, pid, s)
	if sd != nil {
		readPairs(c, ev, sd)
	}
	return true
}

// readProgram reads what program prog had to say: authentication by its fixed sentences, any shape that the text has
// by itself, else words.
func readProgram(c *ctx, ev *event.Event, prog, pid, msg []byte) {
	if prog != nil {
		ev.Set(event.Process, prog)
	}
	if pid != nil {
		ev.Set(event.PID, pid)
	}
	ev.Set(event.Message, msg)
	line := firstLine(msg)
	if len(line) == 0 {
		return
	}
	name := prog
	if at := bytes.LastIndexByte(name, '/'); at >= 0 && !bytes.HasPrefix(name, []byte("postfix")) {
		name = name[at+1:]
	}
	if at := bytes.IndexByte(name, '('); at > 0 {
		if bytes.HasPrefix(name[at:], []byte("(pam_")) { // "sshd(pam_unix)": PAM speaks, in the program that asked it
			ev.Set(event.Process, name[:at])
		}
		name = name[:at]
	}
	level := ev.Get(event.Level)
	switch {
	case bytes.Contains(prog, []byte("(pam_")) && pamText(ev, name, line):
		ev.Format = "pam"
	case authProgram(c, ev, name, line):
	case string(name) == "filterlog" && filterlog(ev, line):
	case string(name) == "CEF" && readCEF(c, line, ev):
		ev.Format = "cef"
	case c.inner(msg, ev):
		if level != nil && !ev.Has(event.Level) {
			ev.Set(event.Level, level)
		}
	default:
		format := ev.Format
		host := ev.Get(event.Hostname)
		plain(c, ev, msg)
		ev.Format = format
		if host != nil {
			ev.Set(event.Hostname, host)
		}
		if prog != nil {
			ev.Set(event.Process, prog)
		}
		if ev.Kind != event.KindWeb {
			ev.Kind = event.KindSystem
		}
		if level != nil {
			ev.Set(event.Level, level)
		}
		packet(ev, line)
	}
	if ev.Kind == event.KindSystem && bytes.Equal(ev.Get(event.Category), bAuthn) {
		ev.Kind = event.KindAuth
	}
}

// packet reads a firewall's key=value line (netfilter): IN= OUT= SRC= DST= PROTO= SPT= DPT=.
func packet(ev *event.Event, s []byte) bool {
	at := bytes.Index(s, []byte("SRC="))
	if at < 0 || !bytes.Contains(s, []byte("DST=")) || !bytes.Contains(s, []byte("PROTO=")) {
		return false
	}
	ev.Kind = event.KindFlow
	ev.Format = "netfilter"
	var r pairReader
	for i, n := 0, 0; i < len(s) && n < maxPairs; n++ {
		key, val, _, next := r.next(s, i)
		if key == nil {
			break
		}
		i = next
		switch string(key) {
		case "SRC":
			setSource(ev, val)
		case "DST":
			ev.Set(event.DestIP, val)
		case "SPT":
			ev.Set(event.SourcePort, val)
		case "DPT":
			ev.Set(event.DestPort, val)
		case "PROTO":
			ev.Set(event.Transport, val)
		}
	}
	head := s[:at]
	for _, w := range [...]string{"DROP", "BLOCK", "REJECT", "DENY"} {
		if bytes.Contains(head, []byte(w)) || bytes.Contains(head, []byte(w[:1]+string(lowerASCII(w[1:])))) {
			ev.Set(event.Action, []byte("block"))
			ev.Set(event.Result, bFailure)
		}
	}
	return true
}

func lowerASCII(s string) []byte {
	out := []byte(s)
	for i := range out {
		out[i] = lower(out[i])
	}
	return out
}

// filterlog reads pf's CSV (pfSense, OPNsense): rule,...,interface,reason,action,direction,version, then by version.
func filterlog(ev *event.Event, s []byte) bool {
	p := bytes.Split(s, []byte(","))
	if len(p) < 17 {
		return false
	}
	src := 0
	switch string(p[8]) {
	case "4":
		src = 18
		ev.Set(event.Transport, p[16])
	case "6":
		src = 15
		ev.Set(event.Transport, p[12])
	}
	if src == 0 || len(p) < src+2 {
		return false
	}
	ev.Format, ev.Kind = "filterlog", event.KindFlow
	setSource(ev, p[src])
	ev.Set(event.DestIP, p[src+1])
	if len(p) > src+3 {
		ev.Set(event.SourcePort, p[src+2])
		ev.Set(event.DestPort, p[src+3])
	}
	ev.Set(event.Action, p[6])
	if string(p[6]) == "block" {
		ev.Set(event.Result, bFailure)
	}
	return true
}
