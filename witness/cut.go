// Package witness asks the classifier: it cuts an Event into the pieces of text that a client wrote, passes over those that
// cannot carry an attack, scores the rest and raises Signals.
//
//	Cut        Event -> Segments              what a client wrote, piece by piece
//	canonical  Segment -> text                decode
//	Score      text -> probability, class     neural
//	Judge      Event -> Signals               all of it, with a memory of pieces seen before
//
// The classifier is a second witness beside the rules, never the only one: see incident on what its word alone can reach.
package witness

import (
	"bytes"

	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/neural"
)

// Limits on what one event can cost.
const (
	maxSegments = 64       // pieces of one field that are looked at
	maxSegment  = 32 << 10 // bytes of one piece, before it is decoded
	minToken    = 15       // bytes from which a plain piece may be base64 of another
)

// A Segment is a piece of text that a client wrote, as it stands in the record.
type Segment struct {
	Field event.Field
	Kind  neural.Kind
	Raw   []byte
}

// What bytes can stand in a piece that is passed over.
const (
	inParam uint8 = 1 << iota // a parameter's value
	inPath
	inAgent
	inKey // a parameter's name
)

var plain = func() (t [256]uint8) {
	set := func(chars string, as uint8) {
		for _, c := range []byte(chars) {
			t[c] |= as
		}
	}
	for c := byte('0'); c <= 'z'; c++ {
		if '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			t[c] = inParam | inPath | inAgent | inKey
		}
	}
	set("_.,-", inParam|inPath|inAgent|inKey)
	set("=~@", inParam|inPath)
	set("/:", inPath)
	set("[]", inKey)
	set(" ()/;:+=@", inAgent)
	return t
}()

// barred is plain the other way round, so that the bytes of a text can be put together: what each may not stand in, and whether it is a dot or a sign.
var barred = func() (t [256]uint8) {
	for c := range t {
		t[c] = ^plain[c] & (inParam | inPath | inAgent | inKey)
	}
	t['.'] |= isDot
	t['@'] |= isAt
	return t
}()

const (
	isDot uint8 = 1 << (4 + iota)
	isAt
)

// passed tells whether every byte of b may stand in a piece that is passed over. Two dots or signs in a row and names of Java's packages may not.
func passed(b []byte, as uint8) bool {
	var all uint8
	for _, c := range b {
		all |= barred[c]
	}
	switch {
	case all&as != 0, all&isDot != 0 && twice(b, '.'), all&isAt != 0 && twice(b, '@'):
		return false
	}
	return all&isDot == 0 || as == inAgent || as == inPath || !dotted(b)
}

// twice tells whether a byte stands twice in a row.
func twice(b []byte, c byte) bool {
	for i := bytes.IndexByte(b, c); i >= 0 && i+1 < len(b); {
		if b[i+1] == c {
			return true
		}
		n := bytes.IndexByte(b[i+1:], c)
		if n < 0 {
			return false
		}
		i += 1 + n
	}
	return false
}

// dotted tells whether b names something in a program: a chain of names, the first of which is a package that attacks reach for.
func dotted(b []byte) bool {
	at := bytes.IndexByte(b, '.')
	var name [16]byte
	if at > len(name) {
		return false
	}
	for i, c := range b[:at] {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		name[i] = c
	}
	switch string(name[:at]) {
	case "java", "javax", "org", "com", "sun", "processbuilder", "runtime", "class", "system", "self", "request", "document", "window", "process", "global":
		return true
	}
	return false
}

// fields are those that are cut, in order. Further headers come last.
var fields = [...]event.Field{event.Path, event.Query, event.UserAgent, event.Referer, event.Cookie, event.Body, event.User, event.Headers}

var cutFields = func() (m uint64) {
	for _, f := range fields {
		m |= 1 << f
	}
	return m
}()

// Cut appends the pieces of ev that could carry an attack to dst.
func Cut(dst []Segment, ev *event.Event) []Segment {
	for _, f := range fields {
		dst = cut(dst, f, ev.Get(f))
	}
	return cutExtra(dst, ev)
}

// cut appends the pieces of one value of f, at most maxSegments.
func cut(dst []Segment, f event.Field, value []byte) []Segment {
	if len(value) == 0 {
		return dst
	}
	c := cutter{segments: dst, most: len(dst) + maxSegments}
	switch f {
	case event.Path:
		c.add(f, neural.Path, value, inPath)
	case event.Query:
		c.query(f, neural.Param, value)
	case event.UserAgent:
		c.add(f, neural.Agent, value, inAgent)
	case event.Referer:
		c.referer(value)
	case event.Cookie:
		c.cookies(value)
	case event.Body:
		c.body(value)
	case event.User:
		c.add(f, neural.Param, value, inPath)
	case event.Headers:
		c.headers(value)
	}
	return c.segments
}

// cutExtra appends the pieces of what else the client wrote, at most maxSegments.
func cutExtra(dst []Segment, ev *event.Event) []Segment {
	c := cutter{segments: dst, most: len(dst) + maxSegments}
	for _, p := range ev.Extra() {
		if p.By == event.Client {
			c.headers(p.Value)
		}
	}
	return c.segments
}

type cutter struct {
	segments []Segment
	most     int
}

// add takes b as a piece unless its bytes may all be passed over.
func (c *cutter) add(f event.Field, k neural.Kind, b []byte, as uint8) {
	if len(b) < 3 || len(c.segments) >= c.most || passed(b, as) && !(len(b) >= minToken && decode.Needed(b)) {
		return
	}
	if f == event.Headers && isList(b) {
		return
	}
	c.segments = append(c.segments, Segment{f, k, b[:min(len(b), maxSegment)]})
}

// query cuts name=value&name=value. A name that is none is judged with its value. Tools that append parameters to any address
// begin with a question mark, also where the address has one: sort=new?utm_source=mail is two parameters.
func (c *cutter) query(f event.Field, k neural.Kind, q []byte) {
	for len(q) > 0 && len(c.segments) < c.most {
		piece := q
		if i := bytes.IndexByte(q, '&'); i >= 0 {
			piece, q = q[:i], q[i+1:]
		} else {
			q = nil
		}
		if i := bytes.IndexByte(piece, '='); i >= 0 && passed(piece[:i], inKey) {
			piece = piece[i+1:]
			if i := bytes.IndexByte(piece, '?'); i >= 0 {
				if n := bytes.IndexByte(piece[i+1:], '='); n > 0 && passed(piece[i+1:i+1+n], inKey) {
					c.add(f, k, piece[:i], inParam)
					piece = piece[i+2+n:]
				}
			}
		}
		c.add(f, k, piece, inParam)
	}
}

// referer cuts an URL.
func (c *cutter) referer(r []byte) {
	if i := bytes.Index(r, []byte("://")); i >= 0 && i < 8 {
		r = r[i+3:]
	}
	if i := bytes.IndexByte(r, '?'); i >= 0 {
		c.query(event.Referer, neural.Referer, r[i+1:])
		r = r[:i]
	}
	c.add(event.Referer, neural.Referer, r, inPath)
}

// cookies cuts name=value; name=value.
func (c *cutter) cookies(b []byte) {
	for len(b) > 0 && len(c.segments) < c.most {
		piece := b
		if i := bytes.IndexByte(b, ';'); i >= 0 {
			piece, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if i := bytes.IndexByte(piece, '='); i >= 0 {
			piece = piece[i+1:]
		}
		c.add(event.Cookie, neural.Param, bytes.TrimSpace(piece), inParam)
	}
}

// body cuts a request body by what it looks like: JSON, a form, parts of a form, or one text.
func (c *cutter) body(b []byte) {
	b = bytes.TrimSpace(b[:min(len(b), 2*maxSegment)])
	switch {
	case len(b) == 0:
	case b[0] == '{' || b[0] == '[':
		if rest := c.json(b, event.Body, neural.Leaf, inParam); rest {
			c.add(event.Body, neural.Body, b, inParam)
		}
	case bytes.HasPrefix(b, []byte("--")) && bytes.Contains(b[:min(len(b), 512)], []byte("ontent-")):
		c.parts(b)
	case isForm(b):
		c.query(event.Body, neural.Param, b)
	default:
		c.add(event.Body, neural.Body, b, inParam)
	}
}

// isForm tells whether b begins with a parameter: a name and an equals sign.
func isForm(b []byte) bool {
	i := bytes.IndexByte(b, '=')
	if i <= 0 || i > 64 {
		return false
	}
	for _, c := range b[:i] {
		if plain[c]&inKey == 0 && c != '%' && c != '+' && c != '$' {
			return false
		}
	}
	return true
}

// headers cuts further request headers: as one text, or as the JSON that some gateways write them in.
func (c *cutter) headers(b []byte) {
	if len(b) > 0 && (b[0] == '{' || b[0] == '[') && !c.json(b, event.Headers, neural.Agent, inAgent) {
		return
	}
	c.add(event.Headers, neural.Agent, b, inAgent)
}

// isList tells whether b is a list as headers hold them, tokens and quoted strings with parameters (RFC 8941):
// text/html,*/*;q=0.8 or "Chromium";v="124", "Not-A.Brand";v="99". Its stars and quotes open and close nothing else.
func isList(b []byte) bool {
	quoted, prev := false, byte(',')
	for i, ch := range b {
		last := i+1 == len(b)
		switch {
		case ch == '\\' && !last && b[i+1] == '"': // within JSON
			continue
		case ch == '"':
			if quoted && !last && b[i+1] != ',' && b[i+1] != ';' || !quoted && (last || prev != ',' && prev != '=' && prev != ' ') {
				return false
			}
			quoted = !quoted
		case ch == '.' && prev == '.', ch == '/' && prev == '/':
			return false
		case quoted && (ch == '[' || ch == ']' || ch == ':' || ch == '?'):
		case ch == '*':
			if prev != '/' && prev != ' ' && prev != ',' || !last && b[i+1] != '/' && b[i+1] != ',' && b[i+1] != ';' {
				return false
			}
		case plain[ch]&inAgent == 0 || ch == '@':
			return false
		}
		prev = ch
	}
	return !quoted
}

// json cuts the strings out of JSON, names included. rest tells that more stands between them than JSON allows.
func (c *cutter) json(b []byte, f event.Field, k neural.Kind, as uint8) (rest bool) {
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case ch == '"':
			j := i + 1
			for j < len(b) && b[j] != '"' {
				if b[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j, len(b))
			c.add(f, k, b[i+1:j], as)
			i = j
		case ch <= ' ', ch == '{', ch == '}', ch == '[', ch == ']', ch == ':', ch == ',', '0' <= ch && ch <= '9', ch == '-', ch == '+', ch == '.', 'a' <= ch && ch <= 'z', ch == 'E':
		default:
			rest = true
		}
	}
	return rest
}

// parts cuts multipart/form-data: the values, and the names of files.
func (c *cutter) parts(b []byte) {
	for len(b) > 0 && len(c.segments) < c.most {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("--")) && len(line) > 8 && !bytes.ContainsAny(line, " '\"(") {
			continue
		}
		if len(line) > 8 && bytes.EqualFold(line[:8], []byte("content-")) {
			if i := bytes.Index(line, []byte(`filename="`)); i >= 0 {
				c.add(event.Body, neural.Param, bytes.TrimRight(line[i+10:], `"`), inParam)
			}
			continue
		}
		c.add(event.Body, neural.Param, line, inParam)
	}
}
