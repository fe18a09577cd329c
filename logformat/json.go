package logformat

import (
	"bytes"
	"math"
	"strconv"

	"github.com/helixvanguard/vanguard/event"
)

// JSON records of any naming. Those that need more than the key table (CloudTrail, AWS WAF, envelopes...) are
// recognised by a few of their top-level keys first.

const maxLeaves = 1024 // values of a record that are looked up in the key table

// parseJSON reads a record that is one JSON object, or an array of one.
func parseJSON(c *ctx, rec []byte, ev *event.Event) bool {
	rec = trimSpace(rec)
	if len(rec) < 2 || rec[0] != '{' && rec[0] != '[' {
		return false
	}
	sc := scratchOf(ev)
	t := &sc.trees[c.depth]
	n := len(rec)
	if known := c.nodes; c.depth == 0 && len(known) > 0 && int(known[0].valEnd) == n && &rec[0] == &c.cur.Text[0] {
		t.adopt(rec, known)
	} else {
		n = t.parse(rec)
	}
	if n == 0 || len(t.nodes) < 2 {
		return false
	}
	if rest := trimSpace(rec[n:]); len(rest) > 0 && rest[0] != ',' && !(len(rest) == 1 && rest[0] == ']') {
		return false // JSON, then more: free text with JSON in front
	}
	root := uint32(0)
	if t.nodes[0].kind == jArray {
		if root = 1; t.nodes[1].kind != jObject {
			return false
		}
		if t.nodes[0].children > 1 {
			return manyJSON(c, t, 0, ev)
		}
	}
	if t.nodes[root].children == 0 {
		return false
	}
	if t.cut && t.nodes[root].children < 2 {
		return false
	}
	ok := readJSON(c, sc, t, root, ev)
	if ok && t.cut {
		ev.Why = "the JSON text is cut off"
	}
	return ok
}

// manyJSON reads an array of records.
func manyJSON(c *ctx, t *tree, list uint32, ev *event.Event) bool {
	first := true
	for i := list + 1; i < t.nodes[list].next; i = t.nodes[i].next {
		if t.nodes[i].kind != jObject {
			continue
		}
		if !first {
			if c.next == nil {
				return true
			}
			ev = c.next(ev)
		}
		first = false
		readJSON(c, scratchOf(ev), t, i, ev)
		ev.Understood = true
	}
	return !first
}

// readJSON reads object root of t into ev.
func readJSON(c *ctx, sc *scratch, t *tree, root uint32, ev *event.Event) bool {
	sc.obj.n = 0
	sc.obj.add(t, root)
	ev.Object = &sc.obj
	if done, ok := knownJSON(c, sc, t, root, ev); done {
		return ok
	}
	f := &sc.facts[c.depth]
	f.reset()
	gatherFrom(sc, t, root, f)
	web := f.apply(c, ev)
	if ev.Clock == event.NoClock {
		splitTime(c, t, root, ev)
	}
	nameJSON(t, root, ev, web, f)
	ev.Kind = event.KindApp
	if web && (ev.Status != 0 || f.weight[sText] == 0) {
		ev.Kind = event.KindWeb
	}
	complete(c, ev, f, web)
	return true
}

// gather puts what t's values mean into f.
func gather(sc *scratch, t *tree, f *facts) { gatherFrom(sc, t, 0, f) }

func gatherFrom(sc *scratch, t *tree, root uint32, f *facts) {
	g := gatherer{sc: sc, t: t, f: f}
	sc.key = sc.key[:0]
	g.object(root, 0, false)
}

type gatherer struct {
	sc     *scratch
	t      *tree
	f      *facts
	leaves int
	sent   bool // inside request headers, whose names the client chose: only what a header can say counts
}

// put is facts.put for what may be a header.
func (g *gatherer) put(m keyMeaning, weight uint8, v []byte, quoted bool) {
	if g.sent && !headerSlots[m.slot] {
		return
	}
	g.f.put(m.slot, weight, v, quoted)
}

// headerSlots are what request headers tell; all of it is the client's word.
var headerSlots = [numSlots]bool{
	event.UserAgent: true, event.Referer: true, event.Cookie: true, event.Host: true, event.ForwardedFor: true, event.RequestBytes: true, sHost: true,
}

// object looks the members of object i up. strange: it is about something other than the request, so that only
// longer names count.
func (g *gatherer) object(i uint32, depth int, strange bool) {
	t, sc := g.t, g.sc
	at := len(sc.key)
	for c := i + 1; c < t.nodes[i].next && g.leaves < maxLeaves; c = t.nodes[c].next {
		nd := &t.nodes[c]
		var memo *keyMemo
		if depth == 0 && !strange && nd.kind < jArray && g.leaves < len(sc.memo) {
			memo = &sc.memo[g.leaves]
			if k := t.keyOf(c); len(k) == int(memo.n) && string(k) == string(memo.key[:memo.n]) { // Fast path - a third of the time
				if g.leaves++; memo.m.weight > 0 && nd.kind != jNull {
					g.f.put(memo.m.slot, memo.m.weight, t.str(c), nd.kind == jString)
				}
				continue
			}
		}
		sc.key = sc.key[:at]
		if at > 0 {
			sc.key = append(sc.key, '.')
		}
		last := len(sc.key)
		sc.key = normKey(sc.key, t.keyOf(c))
		g.leaves++
		if nd.kind >= jArray {
			g.container(c, last, depth, strange)
			continue
		}
		m := meaning(sc.key)
		if memo != nil {
			if k := t.keyOf(c); len(k) <= len(memo.key) {
				memo.n, memo.m = uint8(copy(memo.key[:], k)), m
			}
		}
		if m.weight == 0 || strange && !g.long(last) {
			continue
		}
		w := m.weight
		if d := uint8(depth); w > d {
			w -= min(d, 3)
		}
		if w == 0 {
			w = 1
		}
		if nd.kind == jNull {
			continue
		}
		g.put(m, w, t.str(c), nd.kind == jString)
	}
	sc.key = sc.key[:at]
}

// long tells whether more than the last segment of the key was known: then the strange container is part of the name.
func (g *gatherer) long(last int) bool {
	if last == 0 {
		return true
	}
	_, short := keyMeanings[string(g.sc.key[last:])]
	if !short {
		return true
	}
	for i := 0; i < last; i++ {
		if i == 0 || g.sc.key[i-1] == '.' {
			if _, ok := keyMeanings[string(g.sc.key[i:])]; ok {
				return true
			}
		}
	}
	return false
}

// maxDescent bounds how deep names are looked for; what lies deeper is reached by Lookup.
const maxDescent = 6

func (g *gatherer) container(c uint32, last, depth int, strange bool) {
	t, sc, f := g.t, g.sc, g.f
	nd := &t.nodes[c]
	name := sc.key[last:]
	if nd.children == 0 {
		return
	}
	if m, ok := keyMeanings[string(name)]; ok && (m.slot == sBody || m.slot == slot(event.Headers)) && !strange {
		if m.slot == sBody && (nd.kind == jArray || t.get(c, "stringValue") == 0) || m.slot != sBody {
			f.put(m.slot, m.weight, t.text[nd.val:nd.valEnd], false)
		}
		if m.slot != sBody && depth < maxDescent {
			was := g.sent
			g.sent = true
			defer func() { g.sent = was }()
		}
	}
	if clientParts[string(name)] && !strange && t.get(c, "stringValue") == 0 {
		g.login(c)
		return
	}
	if depth >= maxDescent {
		return
	}
	if nd.kind == jArray {
		g.array(c, name, last, depth, strange)
		return
	}
	strange = strange || strangerParts[string(name)]
	if len(name) >= 8 && bytes.HasPrefix(name, []byte("response")) || string(name) == "res" {
		strange = true
	}
	g.object(c, depth+1, strange)
}

// array: [{"name":"user-agent","value":"x"}] and [{"key":"k","value":{"stringValue":"v"}}] are objects in disguise;
// of a list of scalars (Caddy's headers) the first counts.
func (g *gatherer) array(c uint32, name []byte, last, depth int, strange bool) {
	t, sc := g.t, g.sc
	first := c + 1
	if t.nodes[first].kind < jArray {
		if t.nodes[first].kind == jString {
			if m := meaning(sc.key); m.weight > 0 && m.slot != sBody && m.slot != sText {
				g.put(m, max(m.weight-min(uint8(depth), 3), 1), t.str(first), true)
			}
		}
		return
	}
	at := len(sc.key)
	for e := first; e < t.nodes[c].next && g.leaves < maxLeaves; e = t.nodes[e].next {
		g.leaves++
		if t.nodes[e].kind != jObject {
			continue
		}
		k := t.getStr(e, "name")
		if k == nil {
			k = t.getStr(e, "key")
		}
		v := t.get(e, "value")
		if k == nil || v == 0 {
			if t.nodes[c].children == 1 || string(name) == "resourcelogs" || string(name) == "scopelogs" || string(name) == "logrecords" {
				g.object(e, depth+1, strange || strangerParts[string(name)])
				sc.key = sc.key[:at]
			}
			continue
		}
		if t.nodes[v].kind == jObject {
			if v++; v >= t.nodes[e].next {
				continue
			}
		}
		if t.nodes[v].kind >= jArray || t.nodes[v].kind == jNull {
			continue
		}
		sc.key = sc.key[:at]
		// Attributes stand beside the record's own members, headers under their name.
		if string(name) == "attributes" {
			sc.key = sc.key[:last]
		} else {
			sc.key = append(sc.key, '.')
		}
		sc.key = normKey(sc.key, k)
		if m := meaning(sc.key); m.weight > 0 {
			g.put(m, max(m.weight-min(uint8(depth), 3), 1), t.str(v), t.nodes[v].kind == jString)
		}
		sc.key = sc.key[:at]
	}
}

// login takes the name that somebody tried from what the client sent.
func (g *gatherer) login(c uint32) {
	t := g.t
	end := t.nodes[c].next
	for i := c + 1; i < end && g.leaves < maxLeaves; i++ {
		g.leaves++
		nd := &t.nodes[i]
		if nd.kind != jString || nd.keyEnd == 0 {
			continue
		}
		switch string(t.keyOf(i)) {
		case "username", "user", "email", "login", "log", "user_login", "userName", "j_username":
			g.f.put(sUser, 1, t.str(i), true)
		}
	}
}

// splitTime reads times in pieces: {"instant":{"epochSecond":…}}, {"ts_sec":…}.
func splitTime(c *ctx, t *tree, root uint32, ev *event.Event) {
	for _, p := range [...][]string{{"instant", "epochSecond"}, {"t", "$date"}, {"ts_sec"}, {"detail", "eventTime"}, {"detail", "service", "eventLastSeen"}, {"p_event_time"}, {"CreatedAt"}, {"UpdatedAt"}} {
		if i := t.path(root, p...); i != 0 && t.nodes[i].kind < jArray && setAnyTime(c, ev, t.str(i)) {
			return
		}
	}
}

// setAnyTime is setTime for values of structured records: also floats with an exponent.
func setAnyTime(c *ctx, ev *event.Event, v []byte) bool {
	if len(v) == 0 || len(v) > 64 {
		return false
	}
	if setTime(c, ev, v) {
		return true
	}
	if bytes.IndexByte(v, 'e') > 0 || bytes.IndexByte(v, 'E') > 0 {
		if x, err := strconv.ParseFloat(string(v), 64); err == nil && x > 1e8 && x < 1e19 {
			for x > 1e11 {
				x /= 1000
			}
			if x > maxUnix {
				return false
			}
			sec, frac := math.Modf(x)
			ev.Time, ev.Clock = int64(sec)*1e9+int64(frac*1e6)*1e3, event.ZonedClock
			return true
		}
	}
	if at := bytes.IndexByte(v, '['); at > 8 { // 2026-11-23T03:10:11+01:00[Europe/Berlin]
		return setTime(c, ev, v[:at])
	}
	return false
}

// complete reads what apply left: the human text, which may be a log line itself, and the server's words for what happened.
func complete(c *ctx, ev *event.Event, f *facts, web bool) {
	msg := f.get(sText)
	if msg != nil {
		ev.Set(event.Message, msg)
	}
	if len(msg) > 3 && !web {
		// Where the record itself names a client from the internet, a message that looks like another's log line is what this one wrote.
		if s := trimSpace(msg); looksLikeLog(s) && !fromOutside(ev.Get(event.SourceIP), s) {
			kind, format, peer := ev.Kind, ev.Format, ev.Peer
			if c.inner(s, ev) {
				return
			}
			ev.Kind, ev.Format, ev.Peer = kind, format, peer
		}
	}
	if name := f.get(sEvent); name != nil && f.weight[sEvent] > 0 {
		judgeName(ev, name)
	}
	if msg != nil {
		if web && ev.Kind == event.KindWeb {
			judgeAuth(ev, msg)
		} else {
			readMessage(c, ev, msg)
		}
	}
	if v := ev.Get(event.ErrorMessage); v != nil {
		judgeText(ev, v)
		if !ev.Has(event.Result) && ev.Has(event.Category) {
			ev.Set(event.Result, bFailure)
		}
	}
	if v := ev.Get(event.Reason); v != nil {
		judgeAuth(ev, v)
	}
}

// fromOutside tells whether addr is an address of the internet that line does not start with.
func fromOutside(addr, line []byte) bool {
	_, _, a := splitAddr(addr)
	return a.IsValid() && !internal(a) && !bytes.HasPrefix(line, addr)
}

// looksLikeLog tells whether a message may be a log line of its own rather than words.
func looksLikeLog(s []byte) bool {
	if len(s) < 8 {
		return false
	}
	if s[0] == '{' || len(s) > 20 && isUpper(s[0]) && s[3] == ' ' && (s[9] == ':' || s[12] == ':') { // "Nov 23 03:10:11 ..."
		return true
	}
	if _, n := addrAt(s); n > 0 {
		return true
	}
	if s[0] == '[' || isDigit(s[0]) || s[0] == '<' && isDigit(s[1]) {
		return true
	}
	eq := bytes.IndexByte(s[:min(len(s), 24)], '=')
	return eq > 0 && bytes.IndexByte(s[:eq], ' ') < 0 || bytes.Contains(s[:min(len(s), 64)], []byte(" - - ["))
}

// nameJSON gives the record the name people know its logger by.
func nameJSON(t *tree, root uint32, ev *event.Event, web bool, f *facts) {
	// One pass: which of the keys that tell are there.
	const (
		kV = 1 << iota
		kHostname
		kPID
		kLevel
		kNumber // level is one
		kTime
		kReq
		kMsg
		kShort
		kECS
		kRequest
		kLogger
		kTS
		kTraefik
		kDownstream
		kCloudflare
		kRequestID
		kMethod
		kNginx
		kOTLP
		kHTTPRequest
		kLogName
		kReqID
		kRemote
	)
	k := 0
	for i := root + 1; i < t.nodes[root].next; i = t.nodes[i].next {
		switch string(t.keyOf(i)) {
		case "v":
			k |= kV
		case "hostname":
			k |= kHostname
		case "pid":
			k |= kPID
		case "level":
			if k |= kLevel; t.nodes[i].kind == jNumber {
				k |= kNumber
			}
		case "time":
			k |= kTime
		case "req":
			k |= kReq
		case "msg":
			k |= kMsg
		case "short_message":
			k |= kShort
		case "ecs.version", "ecs":
			k |= kECS
		case "request":
			k |= kRequest
		case "logger":
			k |= kLogger
		case "ts":
			k |= kTS
		case "ClientHost", "ClientAddr":
			k |= kTraefik
		case "DownstreamStatus", "RequestMethod":
			k |= kDownstream
		case "EdgeResponseStatus", "ClientRequestHost":
			k |= kCloudflare
		case "requestId":
			k |= kRequestID
		case "httpMethod", "routeKey":
			k |= kMethod
		case "remote_addr", "request_uri":
			k |= kNginx
		case "resourceLogs":
			k |= kOTLP
		case "httpRequest":
			k |= kHTTPRequest
		case "logName":
			k |= kLogName
		case "reqId":
			k |= kReqID
		case "remoteAddr":
			k |= kRemote
		}
	}
	has := func(bits int) bool { return k&bits == bits }
	switch {
	case has(kV | kHostname | kPID | kLevel):
		ev.Format = "bunyan"
	case has(kNumber|kTime) && k&(kPID|kReq|kMsg) != 0:
		ev.Format = "pino"
	case has(kShort):
		ev.Format = "gelf"
	case has(kECS):
		ev.Format = "ecs_json"
	case has(kRequest | kLogger | kTS):
		ev.Format = "caddy"
	case has(kTraefik | kDownstream):
		ev.Format = "traefik_json"
	case has(kCloudflare):
		ev.Format = "cloudflare"
	case has(kRequestID | kMethod):
		ev.Format = "api_gateway"
	case web && has(kNginx):
		ev.Format = "nginx_json"
	case has(kOTLP):
		ev.Format = "otlp_json"
	case has(kHTTPRequest | kLogName):
		ev.Format = "gcp_http"
	case web:
		ev.Format = "json_access"
	default:
		ev.Format = "json_app"
	}
	if l := f.get(sLevel); len(l) == 1 && isDigit(l[0]) {
		// One digit: GELF counts as syslog does, Nextcloud from 0 (debug) to 4 (fatal).
		d := l[0] - '0'
		if ev.Format == "gelf" && d < 8 {
			ev.Set(event.Level, syslogLevels[d])
		} else if has(kReqID|kRemote) && d < 5 {
			ev.Set(event.Level, [...][]byte{levels["debug"], levels["info"], levels["warn"], levels["error"], levels["fatal"]}[d])
		}
	}
}

var syslogLevels = [8][]byte{levels["emergency"], levels["alert"], levels["critical"], levels["error"], levels["warn"], levels["notice"], levels["info"], levels["debug"]}

func smallInt(v []byte) int {
	if n, k := number(v); k > 0 && k == len(v) && k < 10 {
		return int(n)
	}
	return -1
}

// looksMethod takes methods of any case.
func looksMethod(v []byte) bool {
	if len(v) < 3 || len(v) > 17 {
		return false
	}
	for _, c := range v {
		if !isAlpha(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// firstAddr takes the address that counts of a list: the last, which the nearest server wrote.
func firstAddr(v []byte) []byte {
	if len(v) > 5 && (string(v[:5]) == "IPV4/" || string(v[:5]) == "IPV6/") { // Asterisk: IPV4/UDP/192.0.2.1/5060
		if p := bytes.Split(v, []byte("/")); len(p) > 2 {
			return p[2]
		}
	}
	if i := bytes.LastIndexByte(v, ','); i >= 0 {
		v = v[i+1:]
	}
	v = trimSpace(v)
	if bytes.HasPrefix(v, []byte("ipv4:")) || bytes.HasPrefix(v, []byte("ipv6:")) {
		v = v[5:]
	}
	return v
}
