package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// readMessage takes from a message in human words what has no field yet: the address it names, who, which request, the
// JSON in it, and what the server says happened. It never replaces what the record said by name.
func readMessage(c *ctx, ev *event.Event, msg []byte) {
	if len(msg) == 0 {
		return
	}
	sc := scratchOf(ev)
	toks := sc.tokenize(msg)
	r := reader{c: c, ev: ev, sc: sc, m: msg, toks: toks}
	r.json()
	r.addresses()
	if cut := forged(msg); cut < len(msg) {
		n := 0
		for n < len(r.toks) && int(r.toks[n].start) < cut {
			n++
		}
		r.toks = r.toks[:n]
	}
	if !ev.Has(event.Path) {
		answered(ev, msg)
	}
	r.request()
	r.users()
	said := judge(r.toks, r.ev.Has(event.SourceIP))
	if !r.actor() && (said.category == nil && said.result != nil) {
		return // "file deleted": nobody asked for it, so it is not an API call
	}
	said.set(ev)
}

// forged returns where m stops being one line: at a line end, raw or written as \n or %0a, that a new record seems to
// follow. Loggers write a stranger's text as it is, and strangers write whole records into it.
func forged(m []byte) int {
	for i, c := range m {
		w := 0
		switch {
		case c == '\n' || c == '\r':
			return i
		case c == '\\' && i+1 < len(m) && (m[i+1] == 'n' || m[i+1] == 'r'):
			w = 2
		case c == '%' && i+2 < len(m) && m[i+1] == '0' && (m[i+2]|0x20 == 'a' || m[i+2]|0x20 == 'd'):
			w = 3
		default:
			continue
		}
		if i+w < len(m) {
			if n := m[i+w]; isDigit(n) || isUpper(n) || n == '[' || n == '{' || n == '<' || n == '\\' || n == '%' {
				return i
			}
		}
	}
	return len(m)
}

// readErrorMessage lets a web server's error message say whether a login failed, and whose: its own modules do
// ("user x: authentication failure"), and applications write theirs through it ("PHP message: ...").
func readErrorMessage(c *ctx, ev *event.Event) {
	msg := ev.Get(event.Message)
	if i := bytes.Index(msg, []byte("PHP message: ")); i >= 0 {
		msg = msg[i+13:]
		if e := bytes.LastIndexAny(msg, `"'`); e > 0 {
			msg = msg[:e]
		}
	}
	sc := scratchOf(ev)
	r := reader{c: c, ev: ev, sc: sc, m: msg, toks: sc.tokenize(msg)}
	if said := judge(r.toks, true); said.category != nil {
		r.users()
		said.set(ev)
	}
}

type reader struct {
	c    *ctx
	ev   *event.Event
	sc   *scratch
	m    []byte
	toks []tok
}

func (r *reader) text(t *tok) []byte { return r.m[t.start:t.end:t.end] }

// actor tells whether the record names somebody, or a request.
func (r *reader) actor() bool {
	return r.ev.Has(event.SourceIP) || r.ev.Has(event.User) || r.ev.Has(event.UserID) || r.ev.Has(event.Path) && r.ev.Has(event.Method)
}

// before returns the nearest word before token i, over punctuation and fillers that are no labels.
func (r *reader) before(i int) (cl word, sp special, at int) {
	for k := i - 1; k >= 0 && k >= i-5; k-- {
		t := &r.toks[k]
		switch t.kind {
		case tWord:
			return t.class(), t.sp(), k
		case tColon:
		case tBreak:
			if c := r.m[t.start]; c != '(' && c != '[' && c != '<' && c != '{' && c != ')' {
				return 0, 0, -1
			}
		default:
			return 0, 0, -1
		}
	}
	return 0, 0, -1
}

// addresses: the source is the last address that is labelled ("from", "ip=", "client") or stands alone at the
// end or in brackets; what comes before it, a client may have written. One behind "to" or an arrow is where it went.
func (r *reader) addresses() {
	best, rank, to := -1, 0, -1
	for i := range r.toks {
		t := &r.toks[i]
		if t.kind == tQuoted && r.hops(i) {
			return
		}
		if t.kind != tAddr {
			continue
		}
		if a, _ := r.host(i); string(a) == "0.0.0.0" || string(a) == "::" {
			continue
		}
		g := 1
		if i > 0 && r.toks[i-1].kind == tArrow {
			r.dest(i)
			continue
		}
		cl, sp, at := r.before(i)
		switch {
		case cl&wFrom != 0:
			g = 3
			// "server IP", "to address": the word before decides.
			if at > 0 && r.toks[at-1].class()&wTo != 0 && r.toks[at-1].class()&wFill == 0 {
				g = 0
			}
		case cl&wTo != 0, sp == spTo:
			g = 0
		case sp == spBy || sp == spFor || sp == spUser || sp == spLogin:
			g = 2
		case i+1 == len(r.toks), i+2 == len(r.toks) && r.toks[i+1].kind == tBreak:
			g = 3
		case t.open == '(' || t.open == '[', r.closed(i):
			g = 2
		case at == 0 || i == 0:
			g = 2 // "192.0.2.1:0 - ..."
		}
		if g == 0 {
			if sp == spTo {
				to = i
			} else {
				r.dest(i)
			}
			continue
		}
		if best >= 0 && (best == i-2 && t.open == '(' || best == i-1) {
			_, a := r.host(best)
			if _, b := r.host(i); len(a) > 0 && len(b) > 0 {
				r.dest(i) // "New connection: 192.0.2.1:4711 (10.0.0.1:22)", "192.0.2.1:4711 10.0.0.1:22"
				continue
			}
		}
		if i > 1 && best == i-2 && r.toks[i-1].kind == tBreak && r.m[r.toks[i-1].start] == '|' {
			r.dest(i) // "client|server"
			continue
		}
		if i == 0 && best < 0 || g >= rank {
			best, rank = i, g
		}
	}
	if best >= 0 && to >= 0 {
		r.dest(to)
	} else if best < 0 {
		best = to // "page 2 served to 192.0.2.1": the only one named is the one who asked
	}
	if best >= 0 && !r.ev.Has(event.SourceIP) {
		host, port := r.host(best)
		setSource(r.ev, host)
		if len(port) > 0 {
			r.ev.Set(event.SourcePort, port)
		}
		r.port(best)
	}
}

// host splits an address token: 192.0.2.1:5, 192.0.2.1#5 (BIND), 192.0.2.1.5 (tcpdump), [::1]:5, ::ffff:192.0.2.1:5.
func (r *reader) host(i int) (host, port []byte) {
	v := r.text(&r.toks[i])
	host, _ = addrAt(v)
	rest := v[min(len(host), len(v)):]
	if v[0] == '[' {
		rest = v[min(len(host)+2, len(v)):]
	}
	if len(rest) > 1 && (rest[0] == ':' || rest[0] == '#' || rest[0] == '.') {
		port = rest[1:]
	}
	return host, port
}

// hops: `client IP="192.0.2.1, 10.0.0.2"` is a forwarding list and its last hop.
func (r *reader) hops(i int) bool {
	q := r.text(&r.toks[i])
	if _, n := addrAt(q); n == 0 || n >= len(q) || q[n] != ',' || r.ev.Has(event.SourceIP) {
		return false
	}
	if cl, _, _ := r.before(i); cl&wFrom == 0 {
		return false
	}
	last := firstAddr(q)
	if _, ok := parseAddr(last); !ok {
		return false
	}
	r.ev.Set(event.ForwardedFor, q)
	setSource(r.ev, last)
	return true
}

// closed tells whether the token stands in brackets of its own: "(…, 192.0.2.1)".
func (r *reader) closed(i int) bool {
	if i+1 < len(r.toks) && r.toks[i+1].kind == tBreak {
		c := r.m[r.toks[i+1].start]
		return c == ')' || c == ']'
	}
	return false
}

// port: "from 192.0.2.1 port 4711".
func (r *reader) port(i int) {
	if i+2 < len(r.toks) && r.toks[i+2].kind == tNumber && r.toks[i+1].kind == tWord && string(r.text(&r.toks[i+1])) == "port" && !r.ev.Has(event.SourcePort) {
		r.ev.Set(event.SourcePort, r.text(&r.toks[i+2]))
	}
}

func (r *reader) dest(i int) {
	if !r.ev.Has(event.DestIP) {
		host, port := r.host(i)
		r.ev.Set(event.DestIP, host)
		if len(port) > 0 && !r.ev.Has(event.DestPort) {
			r.ev.Set(event.DestPort, port)
		}
	}
}

// json: a body, or the logger's context.
func (r *reader) json() {
	for i := range r.toks {
		t := &r.toks[i]
		if t.kind != tJSON {
			continue
		}
		text := r.text(t)
		body := false
		for k := i - 1; k >= 0 && k >= i-3 && r.toks[k].kind != tBreak; k-- {
			if r.toks[k].kind == tWord {
				sc := r.sc
				sc.key = normKey(sc.key[:0], r.text(&r.toks[k]))
				body = body || clientParts[string(sc.key)] || string(sc.key) == "filter" || string(sc.key) == "request"
			}
		}
		lvl := r.c.depth + 1
		tr := &r.sc.trees[lvl]
		if r.used(tr) || tr.parse(text) == 0 {
			continue
		}
		if body {
			if !r.ev.Has(event.Body) {
				r.ev.Set(event.Body, text)
			}
			r.show(tr)
			r.loginName(tr)
			return
		}
		if r.ev.Object != nil {
			continue
		}
		r.show(tr)
		f := &r.sc.facts[lvl]
		f.reset()
		gather(r.sc, tr, f)
		f.weight[sText], f.weight[sTime], f.weight[sLevel] = 0, 0, 0
		f.weight[event.Process] = 0
		f.apply(r.c, r.ev)
		if name := f.get(sEvent); name != nil {
			judgeName(r.ev, name)
		}
		return
	}
}

// used tells whether the record shows tr already: then it must stay as it is.
func (r *reader) used(tr *tree) bool {
	if r.ev.Object == nil {
		return false
	}
	for k := range r.sc.obj.n {
		if r.sc.obj.roots[k].t == tr {
			return true
		}
	}
	return false
}

// show adds tr to what the Event shows as structured.
func (r *reader) show(tr *tree) {
	if r.ev.Object == nil {
		r.sc.obj.n = 0
		r.ev.Object = &r.sc.obj
	}
	r.sc.obj.add(tr, 0)
}

// loginName takes the name that somebody tried from a request body.
func (r *reader) loginName(tr *tree) {
	if r.ev.Has(event.User) {
		return
	}
	for _, k := range [...]string{"username", "user", "email", "login", "log"} {
		if v := tr.getStr(0, k); len(v) > 0 {
			r.ev.Set(event.User, v)
			return
		}
	}
}

// Answers that a framework names before the address it gave them for: "Not Found: /x", "Forbidden (CSRF cookie not set.): /x" (Django).
var answers = [...]struct {
	words  string
	status int
}{{"Bad Request", 400}, {"Unauthorized", 401}, {"Forbidden", 403}, {"Not Found", 404}, {"Method Not Allowed", 405}, {"Gone", 410}, {"Too Many Requests", 429}, {"Internal Server Error", 500}, {"Service Unavailable", 503}}

// answered reads such an answer and the address behind it.
func answered(ev *event.Event, msg []byte) {
	for _, a := range answers {
		if len(msg) < len(a.words) || string(msg[:len(a.words)]) != a.words {
			continue
		}
		rest := msg[len(a.words):]
		if bytes.HasPrefix(rest, []byte(" (")) {
			if i := bytes.IndexByte(rest, ')'); i > 0 && i < 80 {
				rest = rest[i+1:]
			}
		}
		if !bytes.HasPrefix(rest, []byte(": /")) {
			return
		}
		setTarget(ev, token(rest, 2))
		if ev.Status == 0 {
			ev.Status = a.status
		}
		return
	}
}

// request: a quoted request line, METHOD path, "for API /x", "path=/x", and the status around it.
func (r *reader) request() {
	ev := r.ev
	have := ev.Has(event.Path)
	full := ev.Has(event.Path) && ev.Has(event.Method)
	for i := range r.toks {
		t := &r.toks[i]
		switch t.kind {
		case tQuoted:
			q := r.text(t)
			if full || t.open != '"' || len(q) < 5 {
				continue
			}
			if sp := bytes.IndexByte(q, ' '); sp > 0 && sp < 18 && isMethod(q[:sp]) && (bytes.HasPrefix(q[sp+1:], []byte("/")) || bytes.HasPrefix(q[sp+1:], []byte("http"))) {
				setRequest(ev, q)
				full, have = true, true
				for k := i - 1; k >= max(0, i-3) && r.toks[k].kind != tBreak; k-- { // `200 OK "GET /"`
					if r.toks[k].kind == tNumber {
						r.setStatus(&r.toks[k])
					}
				}
				r.status(i)
			}
		case tWord:
			w := r.text(t)
			if full || !isMethod(w) || i+1 >= len(r.toks) || !commonMethod(w) {
				continue
			}
			n := &r.toks[i+1]
			k := i + 1
			if n.kind == tColon && i+2 < len(r.toks) { // "POST:https://..."
				n, k = &r.toks[i+2], i+2
			}
			if n.kind == tAddr && i+2 < len(r.toks) && r.toks[i+2].kind == tPath { // "POST 192.0.2.1 /control/login"
				n, k = &r.toks[i+2], i+2
			}
			if n.kind == tOpaque && i+2 < len(r.toks) && r.toks[i+2].kind == tPath {
				n, k = &r.toks[i+2], i+2
			}
			if v := r.text(n); n.kind == tPath || n.kind == tURL || n.kind == tQuoted && len(v) > 0 && v[0] == '/' {
				ev.Set(event.Method, w)
				setTarget(ev, v)
				full, have = true, true
				if i > 0 && r.toks[i-1].kind == tNumber {
					r.setStatus(&r.toks[i-1])
				}
				r.status(k)
			}
		case tPath:
			if have {
				continue
			}
			cl, sp, at := r.before(i)
			after := i+1 < len(r.toks) && r.toks[i+1].sp() == spLine
			said := cl&wRoute != 0 || sp == spInput // a file's path too, where the words say that it was asked for
			near := sp == spAt || sp == spOn || sp == spFor || sp == spTo || i == 0 || r.toks[i-1].kind == tNumber
			if !after && (said || near && !diskPath(r.text(t))) {
				setTarget(ev, r.text(t))
				have = true
				if i == 0 || at < 0 {
					r.status(i)
				}
			}
		}
	}
}

// diskPath tells whether p looks like a file on the server's disk rather than something asked for: by the folder that it begins
// with, or because it names a line of a source file ("/site/app/Container.php:916)").
func diskPath(p []byte) bool {
	end := bytes.TrimRight(p, "):,")
	if line := bytes.TrimRight(end, "0123456789"); len(line) < len(end) && bytes.HasSuffix(line, []byte(":")) && bytes.IndexByte(line[bytes.LastIndexByte(line, '/')+1:], '.') > 0 {
		return true
	}
	for _, d := range [...]string{"/usr/", "/var/", "/home/", "/opt/", "/etc/", "/tmp/", "/srv/", "/dev/", "/proc/", "/root/", "/run/", "/app/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/mnt/", "/boot/", "/sys/", "/snap/", "/Library/", "/System/"} {
		if bytes.HasPrefix(p, []byte(d)) {
			return true
		}
	}
	return false
}

// status looks right behind a request for its status: `"GET / HTTP/1.1" 401`, "/x: 404", "... returned 401", "status=401".
func (r *reader) status(i int) {
	for k := i + 1; k < len(r.toks) && k <= i+12; k++ {
		t := &r.toks[k]
		switch {
		case t.kind == tNumber && (k <= i+2 && (k == i+1 || r.toks[k-1].kind == tColon) || k > 0 && (r.toks[k-1].sp() == spStatus || r.toks[k-1].sp() == spCode) || k > 1 && r.toks[k-1].kind == tColon && (r.toks[k-2].sp() == spStatus || r.toks[k-2].sp() == spCode)):
			r.setStatus(t)
			return
		case t.kind == tArrow || t.kind == tPath || t.kind == tURL:
			return
		}
	}
}

func (r *reader) setStatus(t *tok) {
	if v := r.text(t); r.ev.Status == 0 && len(v) == 3 && v[0] >= '1' && v[0] <= '5' {
		setStatus(r.ev, v)
	}
}

func commonMethod(w []byte) bool {
	switch string(w) {
	case "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MOVE", "COPY", "LOCK", "UNLOCK", "SEARCH", "PURGE":
		return true
	}
	return false
}
