package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// Sensors and hosts outside AWS that write JSON of their own: Suricata, OCSF, Linux audit by laurel, Windows events.

// readSuricata reads EVE JSON (docs.suricata.io, "Eve JSON Format").
func readSuricata(c *ctx, sc *scratch, t *tree, root, kind uint32, ev *event.Event) {
	f := &sc.facts[c.depth]
	f.reset()
	gatherFrom(sc, t, root, f)
	f.weight[sOutcome] = 0
	f.apply(c, ev)
	ev.Format, ev.Kind = "suricata_eve", event.KindFlow
	ev.Set(event.Action, t.str(kind))
	switch string(t.str(kind)) {
	case "alert":
		ev.Kind = event.KindFinding
		if a := t.get(root, "alert"); a != 0 {
			set(ev, event.RuleName, t.getStr(a, "signature"))
			set(ev, event.Reason, t.getStr(a, "category"))
			if string(t.getStr(a, "action")) == "blocked" {
				ev.Set(event.Result, bFailure)
			}
		}
	case "http":
		ev.Kind = event.KindWeb
	case "dns":
		ev.Kind = event.KindDNS
	case "stats":
		ev.Kind = event.KindSystem
	}
}

// readOCSF reads an event in the Open Cybersecurity Schema Framework (schema.ocsf.io) as far as its endpoints go.
func readOCSF(c *ctx, sc *scratch, t *tree, root uint32, ev *event.Event) {
	f := generic(c, sc, t, root, ev)
	ev.Format, ev.Kind = "ocsf", event.KindApp
	for _, k := range [...]struct {
		ip, port string
		ipF      event.Field
		portF    event.Field
	}{{"src_endpoint", "port", event.SourceIP, event.SourcePort}, {"dst_endpoint", "port", event.DestIP, event.DestPort}} {
		i := t.get(root, k.ip)
		if i == 0 || t.nodes[i].kind != jObject {
			continue
		}
		if v := t.getStr(i, "ip"); len(v) > 0 && k.ipF == event.SourceIP {
			setSource(ev, v)
		} else if len(v) > 0 {
			ev.Set(k.ipF, v)
		}
		set(ev, k.portF, t.getStr(i, k.port))
	}
	switch string(t.getStr(root, "class_uid")) {
	case "4001":
		ev.Kind = event.KindFlow
	case "4003":
		ev.Kind = event.KindDNS
		if q := t.get(root, "query"); q != 0 {
			set(ev, event.DNSName, t.getStr(q, "hostname"))
		}
	case "4002":
		ev.Kind = event.KindWeb
	case "6003":
		ev.Kind = event.KindCloud
	case "2001", "2004":
		ev.Kind = event.KindFinding
	case "3002":
		ev.Kind = event.KindAuth
		ev.Set(event.Category, bAuthn)
		ev.Set(event.Action, bLogin)
		switch string(t.getStr(root, "status_id")) {
		case "1":
			ev.Set(event.Result, bSuccess)
		case "2":
			ev.Set(event.Result, bFailure)
		}
	}
	complete(c, ev, f, false)
}

// readLaurel reads Linux audit records that laurel wrote as JSON.
func readLaurel(c *ctx, sc *scratch, t *tree, root, call uint32, ev *event.Event) {
	ev.Format, ev.Kind = "laurel", event.KindSystem
	if id := t.getStr(root, "ID"); len(id) > 0 {
		if at := bytes.IndexByte(id, ':'); at > 0 {
			ev.Set(event.RequestID, id[at+1:])
			id = id[:at]
		}
		setTime(c, ev, id)
	}
	set(ev, event.Action, t.keyOf(call))
	if t.nodes[call].kind == jArray && t.nodes[call].children > 0 {
		call++
	}
	for _, k := range [...]struct {
		key string
		f   event.Field
	}{{"exe", event.Process}, {"pid", event.PID}, {"uid", event.UserID}, {"AUID", event.User}, {"UID", event.User}} {
		if v := t.getStr(call, k.key); len(v) > 0 {
			ev.Set(k.f, v)
		}
	}
	if r := outcomeNamed(t.getStr(call, "success")); r != nil {
		ev.Set(event.Result, r)
	}
	if x := t.get(root, "EXECVE"); x != 0 {
		if a := t.path(x, "ARGV"); a != 0 {
			ev.Set(event.Message, t.str(a))
		}
	}
}

// readWindows reads a Windows event as JSON: System and EventData.
func readWindows(c *ctx, sc *scratch, t *tree, root, sys uint32, ev *event.Event) {
	generic(c, sc, t, root, ev)
	ev.Format, ev.Kind = "windows_event", event.KindSystem
	id := t.get(sys, "EventID")
	if id != 0 && t.nodes[id].kind == jObject {
		id = t.get(id, "#text")
	}
	if id != 0 {
		windowsLogin(ev, t.scalar(id))
	}
}

// isWindowsLogin tells whether a name is the number of a Windows event about a login.
func isWindowsLogin(id []byte) bool {
	switch string(id) {
	case "4624", "4625", "4771", "4776":
		return true
	}
	return false
}

// windowsLogin: event 4624 is a login, 4625 a failed one.
func windowsLogin(ev *event.Event, id []byte) {
	set(ev, event.Action, id)
	if isWindowsLogin(id) {
		ev.Kind = event.KindAuth
		ev.Set(event.Action, bLogin)
		ev.Set(event.Category, bAuthn)
		if ev.Set(event.Result, bFailure); string(id) == "4624" {
			ev.Set(event.Result, bSuccess)
		}
	}
}
