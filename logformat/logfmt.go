package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// key=value records: logfmt, auditd, and pairs inside other text. Keys mean what they mean in JSON (keys.go).

const maxPairs = 128 // pairs of a record that are looked at

// A pairReader finds key=value pairs.
type pairReader struct {
	unclosed bool // a quote did not close: none behind it does, so none is looked for again
}

// next finds the next pair of s at or after i. Quoted text on the way is skipped.
func (r *pairReader) next(s []byte, i int) (key, val []byte, quoted bool, next int) {
	for i < len(s) {
		c := s[i]
		if c == '"' && !r.unclosed {
			if end := closing(s, i); end > 0 {
				i = end + 1
				continue
			}
			r.unclosed = true
		}
		if !wordByte[c] && c != '@' || i > 0 && pairInside[s[i-1]] {
			i++
			continue
		}
		k := i
		for k < len(s) && (wordByte[s[k]] || s[k] == '.' || s[k] == '-' || s[k] == '@') {
			k++
		}
		if k >= len(s) || s[k] != '=' || k-i > maxKey {
			i = k + 1
			continue
		}
		key = s[i:k]
		k++
		if k < len(s) && (s[k] == '"' || s[k] == '\'') {
			end := closing(s, k)
			if end == 0 {
				end = len(s)
			}
			return key, s[k+1 : end : end], true, min(end+1, len(s))
		}
		e := k
		depth := 0
		for e < len(s) && s[e] != ' ' && s[e] != '\t' && s[e] != '\n' && (depth > 0 || s[e] != ',' && s[e] != ';' && s[e] != ')' && s[e] != ']') {
			switch s[e] {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
			}
			e++
		}
		return key, s[k:e:e], false, e
	}
	return nil, nil, false, len(s)
}

// pairInside are bytes after which no key starts.
var pairInside = func() (w [256]bool) {
	for c := range 256 {
		w[c] = wordByte[c]
	}
	for _, c := range "?&/=.-%:@" {
		w[c] = true
	}
	return
}()

// gatherPairs puts the pairs of s into f and tells how many there are and how many bytes they take.
func gatherPairs(sc *scratch, f *facts, s []byte) (n, covered int) {
	var r pairReader
	for i := 0; i < len(s) && n < maxPairs; {
		key, val, quoted, next := r.next(s, i)
		if key == nil {
			break
		}
		n++
		covered += next - i
		i = next
		sc.key = normKey(sc.key[:0], key)
		if m := meaning(sc.key); m.weight > 0 {
			f.put(m.slot, m.weight, val, quoted || !isNumber(val))
		}
	}
	return n, covered
}

// readPairs adds to ev what pairs inside a message name and nothing else told.
func readPairs(c *ctx, ev *event.Event, s []byte) {
	sc := scratchOf(ev)
	f := &sc.facts[c.depth+1]
	f.reset()
	if n, _ := gatherPairs(sc, f, s); n < 2 {
		return
	}
	clock, source, path := ev.Clock, ev.Has(event.SourceIP), ev.Has(event.Path)
	if clock != event.NoClock {
		f.weight[sTime], f.weight[sTimeOrTook] = 0, 0
	}
	if source {
		f.weight[sSource] = 0
	}
	if path {
		f.weight[sTarget], f.weight[sRequest] = 0, 0
	}
	for _, k := range [...]struct {
		s slot
		f event.Field
	}{{sUser, event.User}, {sLevel, event.Level}, {sEvent, event.Action}, {sOutcome, event.Result}, {slot(event.Method), event.Method}, {slot(event.Process), event.Process}} {
		if ev.Has(k.f) {
			f.weight[k.s] = 0
		}
	}
	text, name := f.get(sText), f.get(sEvent)
	f.weight[sBody], f.weight[sText] = 0, 0
	f.apply(c, ev)
	if text != nil {
		judgeText(ev, text)
	}
	if name != nil {
		judgeName(ev, name)
	}
	if v := ev.Get(event.ErrorMessage); v != nil {
		judgeText(ev, v)
	}
}

// parseLogfmt reads a record that is key=value from its first byte.
func parseLogfmt(c *ctx, rec []byte, ev *event.Event) bool {
	eq := bytes.IndexByte(rec[:min(len(rec), maxKey)], '=')
	if eq <= 0 {
		return false
	}
	for _, b := range rec[:eq] {
		if !wordByte[b] && b != '.' && b != '-' && b != '@' {
			return false
		}
	}
	sc := scratchOf(ev)
	f := &sc.facts[c.depth]
	f.reset()
	if bytes.HasPrefix(rec, []byte("type=")) && bytes.Contains(rec[:min(len(rec), 100)], []byte("msg=audit(")) {
		return parseAudit(c, sc, f, rec, ev)
	}
	n, covered := gatherPairs(sc, f, rec)
	if n < 3 || covered*10 < len(rec)*7 || f.weight[sTime] == 0 && f.weight[sLevel] == 0 && f.weight[sText] == 0 {
		return false
	}
	web := f.apply(c, ev)
	unquote(ev)
	addOddPairs(sc, ev, rec)
	complete(c, ev, f, web)
	if ev.Kind == event.KindText {
		if ev.Kind = event.KindApp; web && ev.Status != 0 {
			ev.Kind = event.KindWeb
		}
	}
	return true
}

// maxOddPairs bounds the values of a record that are kept though their keys mean nothing here.
const maxOddPairs = 16

// addOddPairs keeps the values whose keys mean nothing here, as the leaves of JSON are: input that a program quotes
// stands under names of its own (value=, term=, got=). Plain words, numbers, addresses and times are not kept.
func addOddPairs(sc *scratch, ev *event.Event, rec []byte) {
	var r pairReader
	for i, n, kept := 0, 0, 0; i < len(rec) && n < maxPairs && kept < maxOddPairs; n++ {
		key, val, _, next := r.next(rec, i)
		if key == nil {
			return
		}
		i = next
		if !oddValue(val) || event.ServerLeaf(key) {
			continue
		}
		sc.key = normKey(sc.key[:0], key)
		if meaning(sc.key).weight > 0 {
			continue
		}
		if bytes.IndexByte(val, '\\') >= 0 {
			val = unescape(ev.Alloc(len(val))[:0], val)
		}
		ev.Add(string(key), val, event.Mixed)
		kept++
	}
}

// oddValue tells whether v holds a byte that words, numbers, addresses, times and names of files do without.
func oddValue(v []byte) bool {
	for i, b := range v {
		if oddByte[b] || (b == '.' || b == '/') && i+1 < len(v) && v[i+1] == b {
			return true
		}
	}
	return false
}

var oddByte = func() (t [256]bool) {
	for _, c := range "'\"`<>;|&$(){}*%!^\\" {
		t[c] = true
	}
	return
}()

// unquote undoes backslashes in the message, where there are any.
func unquote(ev *event.Event) {
	if v := ev.Get(event.Message); bytes.IndexByte(v, '\\') >= 0 {
		ev.Set(event.Message, unescape(ev.Alloc(len(v))[:0], v))
	}
}

// parseAudit reads Linux audit records: type=... msg=audit(seconds.millis:serial): pairs.
func parseAudit(c *ctx, sc *scratch, f *facts, rec []byte, ev *event.Event) bool {
	at := bytes.Index(rec, []byte("msg=audit("))
	end := bytes.IndexByte(rec[at:], ')')
	if end < 0 {
		return false
	}
	stamp := rec[at+10 : at+end]
	kind := rec[5:at]
	if sp := bytes.IndexByte(kind, ' '); sp > 0 {
		kind = kind[:sp]
	}
	rest := rec[at+end+1:]
	if i := bytes.IndexByte(stamp, ':'); i > 0 {
		ev.Set(event.RequestID, stamp[i+1:])
		stamp = stamp[:i]
	}
	setTime(c, ev, stamp)
	gatherPairs(sc, f, rest)
	if i := bytes.Index(rest, []byte(" msg='")); i >= 0 {
		in := rest[i+6:]
		if e := bytes.LastIndexByte(in, '\''); e >= 0 {
			in = in[:e]
		}
		gatherPairs(sc, f, in)
	}
	f.weight[sTarget], f.weight[sText], f.weight[sEvent], f.weight[sLevel] = 0, 0, 0, 0
	f.apply(c, ev)
	ev.Format = "auditd"
	ev.Kind = event.KindSystem
	ev.Set(event.Action, kind)
	ev.Set(event.Message, bytes.TrimLeft(rest, ": "))
	if bytes.HasPrefix(kind, []byte("USER_")) || bytes.HasPrefix(kind, []byte("CRED_")) {
		ev.Kind = event.KindAuth
		switch string(kind) {
		case "USER_AUTH", "USER_LOGIN", "USER_ERR":
			ev.Set(event.Action, bLogin)
			ev.Set(event.Category, bAuthn)
		}
	}
	return true
}
