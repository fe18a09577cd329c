package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// Wrappers: what container engines, orchestrators and the journal put around somebody else's line.

// readDocker reads Docker's json-file: {"log":"...\n","stream":"stdout","time":"..."}.
func readDocker(c *ctx, t *tree, root, log, when uint32, ev *event.Event) bool {
	if when != 0 {
		setAnyTime(c, ev, t.scalar(when))
	}
	if a := t.path(root, "kubernetes", "pod_name"); a != 0 {
		set(ev, event.Hostname, t.scalar(a))
	}
	wrapped(c, ev, t.str(log), "docker_json")
	return true
}

// wrapped reads the text inside a wrapper in whatever shape it has.
func wrapped(c *ctx, ev *event.Event, s []byte, format string) {
	s = bytes.TrimRight(s, "\r\n")
	ev.Object = nil
	if c.inner(s, ev) {
		return
	}
	if bytes.IndexByte(s, 0x1b) >= 0 {
		s = stripColour(ev, s)
		if c.inner(s, ev) {
			return
		}
	}
	plain(c, ev, s)
	ev.Format = format
}

// parseCRI reads "2026-11-23T03:10:11.123456789Z stdout F text" (Kubernetes; P marks a part of a long line).
func parseCRI(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 30 || rec[4] != '-' || rec[10] != 'T' {
		return false
	}
	sp := bytes.IndexByte(rec, ' ')
	if sp < 20 || sp > 36 || !(bytes.HasPrefix(rec[sp:], []byte(" stdout ")) || bytes.HasPrefix(rec[sp:], []byte(" stderr "))) {
		return false
	}
	rest := rec[sp+8:]
	if len(rest) < 2 || rest[0] != 'F' && rest[0] != 'P' || rest[1] != ' ' {
		return false
	}
	if !setTime(c, ev, rec[:sp]) {
		return false
	}
	wrapped(c, ev, rest[2:], "cri")
	return true
}

// parseCompose reads "web_1  | text" (docker compose logs) and "[pod/name/container] text" (kubectl logs --prefix).
func parseCompose(c *ctx, rec []byte, ev *event.Event) bool {
	s := rec
	for len(s) > 2 && s[0] == 0x1b && s[1] == '[' { // the name is coloured, the line may begin with "erase line"
		i := 2
		for i < len(s) && (s[i] < '@' || s[i] > '~') {
			i++
		}
		if i >= len(s) {
			return false
		}
		s = s[i+1:]
	}
	if rest, ok := bytes.CutPrefix(s, []byte("[pod/")); ok {
		e := bytes.Index(rest, []byte("] "))
		if e < 0 || bytes.IndexByte(rest[:e], ' ') >= 0 {
			return false
		}
		ev.Set(event.Hostname, rest[:e])
		wrapped(c, ev, rest[e+2:], "kubectl")
		return true
	}
	n := 0
	for n < len(s) && n < 64 && (wordByte[s[n]] && s[n] < 0x80 || n > 0 && (s[n] == '-' || s[n] == '.')) {
		n++
	}
	if n == 0 || !isAlpha(s[0]) {
		return false
	}
	p := n
	for p < len(s) && s[p] == ' ' {
		p++
	}
	if p+1 >= len(s) || s[p] != '|' || s[p+1] != ' ' || levelNamed(s[:n]) != nil {
		return false
	}
	ev.Set(event.Hostname, s[:n])
	wrapped(c, ev, bytes.TrimLeft(s[p+2:], " "), "docker_compose")
	return true
}

// readJournal reads the systemd journal as JSON (journalctl -o json).
func readJournal(c *ctx, t *tree, root, msg, when uint32, ev *event.Event) bool {
	ev.Format, ev.Kind = "journald_json", event.KindSystem
	if when != 0 {
		setAnyTime(c, ev, t.scalar(when))
	}
	set(ev, event.Hostname, t.getStr(root, "_HOSTNAME"))
	if p := t.getStr(root, "PRIORITY"); len(p) == 1 && p[0] >= '0' && p[0] <= '7' {
		ev.Set(event.Level, syslogLevels[p[0]-'0'])
	}
	prog := t.getStr(root, "SYSLOG_IDENTIFIER")
	if len(prog) == 0 {
		prog = t.getStr(root, "_COMM")
	}
	pid := t.getStr(root, "_PID")
	if len(pid) == 0 {
		pid = t.getStr(root, "SYSLOG_PID")
	}
	text := t.str(msg)
	if t.nodes[msg].kind == jArray { // bytes as numbers, where the text is not UTF-8
		out := ev.Alloc(int(t.nodes[msg].children))[:0]
		for i := msg + 1; i < t.nodes[msg].next && t.nodes[i].kind == jNumber; i = t.nodes[i].next {
			out = append(out, byte(max(smallInt(t.str(i)), 0)))
		}
		text = out
	}
	if len(prog) == 0 {
		prog = nil
	}
	readProgram(c, ev, prog, pid, text)
	return true
}

// parseJournalMark reads the journal's own lines: "-- Logs begin at ...", "-- No entries --", "-- Reboot --".
func parseJournalMark(c *ctx, rec []byte, ev *event.Event) bool {
	for _, p := range [...]string{"-- Logs begin", "-- Journal begins", "-- No entries", "-- Reboot", "-- Boot ", "-- cursor:"} {
		if bytes.HasPrefix(rec, []byte(p)) {
			ev.Kind = event.KindSystem
			ev.Set(event.Message, rec)
			return true
		}
	}
	return false
}

// parseCEF reads ArcSight's "CEF:0|vendor|product|version|id|name|severity|pairs".
func parseCEF(c *ctx, rec []byte, ev *event.Event) bool {
	rest, ok := bytes.CutPrefix(rec, []byte("CEF:"))
	return ok && readCEF(c, trimLeft(rest), ev)
}

func readCEF(c *ctx, rest []byte, ev *event.Event) bool {
	var part [7][]byte
	for i := range part {
		at := bytes.IndexByte(rest, '|')
		if at < 0 {
			return false
		}
		part[i], rest = rest[:at], rest[at+1:]
	}
	ev.Kind = event.KindFinding
	set(ev, event.Provider, part[1])
	set(ev, event.Process, part[2])
	set(ev, event.RuleName, part[5])
	ev.Add("event.severity", part[6], event.Server)
	ev.Set(event.Message, rest)
	sc := scratchOf(ev)
	f := &sc.facts[c.depth]
	f.reset()
	gatherPairs(sc, f, rest)
	if m := bytes.Index(rest, []byte("msg=")); m >= 0 {
		f.put(sText, 9, rest[m+4:], true)
	}
	f.apply(c, ev)
	if ev.Clock == event.NoClock {
		for _, k := range [...]string{"rt=", "UNIFIutcTime=", "end=", "start="} {
			if i := bytes.Index(rest, []byte(k)); i >= 0 && setTime(c, ev, firstWord(rest[i+len(k):])) {
				break
			}
		}
	}
	judgeText(ev, part[5])
	if v := f.get(sText); v != nil {
		judgeText(ev, v)
	}
	return true
}

// parseFastLog reads Suricata's and Snort's fast.log: time [**] [gid:sid:rev] text [**] [Classification: x] [Priority: n] {TCP} a:1 -> b:2.
func parseFastLog(c *ctx, rec []byte, ev *event.Event) bool {
	at := bytes.Index(rec, []byte(" [**] ["))
	if at < 10 || !setTime(c, ev, rec[:at]) {
		return false
	}
	rest := rec[at+6:]
	end := bytes.Index(rest, []byte(" [**] "))
	if end < 0 {
		return false
	}
	sig := rest[:end]
	rest = rest[end+6:]
	if e := bytes.Index(sig, []byte("] ")); e > 0 {
		ev.Add("rule.id", sig[1:e], event.Server)
		sig = sig[e+2:]
	}
	ev.Kind = event.KindFinding
	ev.Set(event.RuleName, sig)
	if i := bytes.Index(rest, []byte("[Classification: ")); i >= 0 {
		v := rest[i+17:]
		if e := bytes.IndexByte(v, ']'); e > 0 {
			ev.Set(event.Reason, v[:e])
		}
	}
	if i := bytes.IndexByte(rest, '{'); i >= 0 {
		if e := bytes.IndexByte(rest[i:], '}'); e > 0 {
			ev.Set(event.Transport, rest[i+1:i+e])
			rest = trimLeft(rest[i+e+1:])
		}
	}
	if i := bytes.Index(rest, []byte(" -> ")); i > 0 {
		setSource(ev, rest[:i])
		host, port, _ := splitAddr(trimSpace(rest[i+4:]))
		ev.Set(event.DestIP, host)
		set(ev, event.DestPort, port)
	}
	return true
}

// parseWinXML reads a Windows event as XML, as far as who, whence and what.
func parseWinXML(c *ctx, rec []byte, ev *event.Event) bool {
	at := bytes.Index(rec[:min(len(rec), 64)], []byte("<Event"))
	if at < 0 || !bytes.Contains(rec, []byte("<EventID")) {
		return false
	}
	ev.Kind = event.KindSystem
	windowsLogin(ev, xmlText(rec, "<EventID"))
	for _, q := range [...]string{"SystemTime=\"", "SystemTime='"} {
		if i := bytes.Index(rec, []byte(q)); i > 0 {
			v := rec[i+12:]
			if e := bytes.IndexByte(v, q[11]); e > 0 {
				setTime(c, ev, v[:e])
			}
		}
	}
	set(ev, event.Hostname, xmlText(rec, "<Computer"))
	for _, k := range [...]struct {
		name string
		f    event.Field
	}{{"TargetUserName", event.User}, {"IpPort", event.SourcePort}, {"WorkstationName", event.Resource}, {"csUriStem", event.Path}, {"csUriQuery", event.Query}, {"csMethod", event.Method}, {"csUserAgent", event.UserAgent}, {"csReferer", event.Referer}, {"csHost", event.Host}} {
		v := xmlData(rec, k.name)
		set(ev, k.f, v)
	}
	for _, k := range [...]string{"cIp", "c-ip", "IpAddress"} {
		setSource(ev, xmlData(rec, k))
	}
	setStatus(ev, xmlData(rec, "scStatus"))
	for _, k := range [...]struct {
		name string
		f    event.Field
	}{{"cs-uri-stem", event.Path}, {"cs-uri-query", event.Query}, {"cs-method", event.Method}, {"csUser-Agent", event.UserAgent}, {"cs-username", event.User}, {"sc-status", event.StatusText}} {
		if !ev.Has(k.f) {
			set(ev, k.f, xmlData(rec, k.name))
		}
	}
	if ev.Has(event.Method) && ev.Has(event.Path) {
		ev.Kind = event.KindWeb
		if ev.Status == 0 {
			setStatus(ev, xmlData(rec, "sc-status"))
		}
	}
	return true
}

// xmlText is the text of the first element that starts with tag.
func xmlText(s []byte, tag string) []byte {
	i := bytes.Index(s, []byte(tag))
	if i < 0 {
		return nil
	}
	s = s[i:]
	if i = bytes.IndexByte(s, '>'); i < 0 {
		return nil
	}
	s = s[i+1:]
	if i = bytes.IndexByte(s, '<'); i < 0 {
		return nil
	}
	return trimSpace(s[:i])
}

// xmlData is the text of <Data Name="name">.
func xmlData(s []byte, name string) []byte {
	for i := 0; i < len(s); {
		k := bytes.Index(s[i:], []byte("Name="))
		if k < 0 {
			return nil
		}
		i += k + 5
		if i+1+len(name)+1 < len(s) && (s[i] == '"' || s[i] == '\'') && string(s[i+1:i+1+len(name)]) == name && s[i+1+len(name)] == s[i] {
			v := s[i+2+len(name):]
			if e := bytes.IndexByte(v, '>'); e >= 0 {
				v = v[e+1:]
				if e = bytes.IndexByte(v, '<'); e >= 0 {
					return trimSpace(v[:e])
				}
			}
			return nil
		}
	}
	return nil
}
