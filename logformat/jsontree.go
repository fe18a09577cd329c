package logformat

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/helixvanguard/vanguard/event"
)

// A tree is one JSON text as a flat list of nodes that point into it: nothing is copied, so that a value's place in
// the record stays known (event.Event.Span), and nothing is allocated once the list has grown. It is more lenient than
// encoding/json where real loggers are: raw control bytes, \xHH (nginx), NaN, and a text that was cut off.
type tree struct {
	text  []byte // borrowed
	nodes []node
	buf   []byte // unescaped strings
	cut   bool   // the text ended too early; what was there is in nodes
}

type node struct {
	kind         byte
	key, keyEnd  uint32 // the key's bytes; keyEnd == 0 where it has none
	val, valEnd  uint32 // the value's bytes: without quotes for strings, with brackets for containers
	next         uint32 // index of the node after this one and its children
	keyAt, valAt byte   // where those bytes are: inText, escaped (still to be undone) or inBuf
	children     uint16 // direct children, saturated
}

const (
	jNull = iota
	jFalse
	jTrue
	jNumber
	jString
	jArray
	jObject
)

const (
	inText  = iota
	escaped // in the text, with escapes
	inBuf   // undone, in buf
)

const (
	maxJSONDepth = 64      // containers within containers
	maxJSONNodes = 1 << 16 // values in a record; a record with more is not read
)

// parse reads text, which starts with '{' or '['. It returns how many bytes the value takes, or 0 if it is no JSON, too
// deep or too long.
func (t *tree) parse(text []byte) int {
	if nodes, n := nodesOf(t.nodes[:0], text); n > 0 { // Fast path - what keeps to the rules, nearly all.
		t.text, t.nodes, t.buf, t.cut = text, nodes, t.buf[:0], false
		return n
	}
	return t.lenient(text)
}

// adopt is parse where the nodes of text are known.
func (t *tree) adopt(text []byte, nodes []node) {
	t.text, t.nodes, t.buf, t.cut = text, append(t.nodes[:0], nodes...), t.buf[:0], false
}

func (t *tree) lenient(text []byte) int {
	t.text, t.nodes, t.buf, t.cut = text, t.nodes[:0], t.buf[:0], false
	var open [maxJSONDepth]uint32
	depth, inObject := 0, false // of the innermost open container
	i, n := 0, len(text)
	var key, keyEnd uint32
	var keyAt byte
	for {
		// A value (or, in a container, its end).
		for i < n && jsonSpace[text[i]] {
			i++
		}
		if i >= n {
			return t.close(open[:depth], n)
		}
		c := text[i]
		if depth > 0 && (c == '}' || c == ']') {
			if (c == '}') != inObject {
				return 0
			}
			goto end
		}
		if inObject {
			if c != '"' {
				return 0
			}
			var esc, ok bool
			key = uint32(i + 1)
			if i, esc, ok = stringEnd(text, i+1); !ok {
				return t.close(open[:depth], n)
			}
			keyEnd, keyAt = uint32(i), inText
			if esc {
				keyAt = escaped
			}
			i++
			for i < n && jsonSpace[text[i]] {
				i++
			}
			if i >= n {
				return t.close(open[:depth], n)
			}
			if text[i] != ':' {
				return 0
			}
			i++
			for i < n && jsonSpace[text[i]] {
				i++
			}
			if i >= n {
				return t.close(open[:depth], n)
			}
			c = text[i]
		} else {
			key, keyEnd, keyAt = 0, 0, inText
		}
		if len(t.nodes) >= maxJSONNodes {
			return 0
		}
		if depth > 0 {
			if p := &t.nodes[open[depth-1]]; p.children < 1<<16-1 {
				p.children++
			}
		}
		{
			nd := node{key: key, keyEnd: keyEnd, keyAt: keyAt, val: uint32(i)}
			switch {
			case c == '"':
				nd.kind, nd.val = jString, uint32(i+1)
				e, esc, ok := stringEnd(text, i+1)
				if esc {
					nd.valAt = escaped
				}
				nd.valEnd = uint32(e)
				nd.next = uint32(len(t.nodes) + 1)
				t.nodes = append(t.nodes, nd)
				if !ok {
					return t.close(open[:depth], n)
				}
				i = e + 1
			case c == '{' || c == '[':
				if depth == maxJSONDepth {
					return 0
				}
				nd.kind = jArray
				if inObject = c == '{'; inObject {
					nd.kind = jObject
				}
				open[depth] = uint32(len(t.nodes))
				depth++
				t.nodes = append(t.nodes, nd)
				i++
				continue
			default:
				e := i
				for e < n && jsonWord[text[e]] {
					e++
				}
				if nd.kind = wordKind(text[i:e]); nd.kind == jArray {
					if e < n || !couldBeWord(text[i:e]) {
						return 0
					}
					return t.close(open[:depth], n)
				}
				nd.valEnd = uint32(e)
				nd.next = uint32(len(t.nodes) + 1)
				t.nodes = append(t.nodes, nd)
				i = e
			}
		}
	after:
		if depth == 0 {
			return i
		}
		for i < n && jsonSpace[text[i]] {
			i++
		}
		if i >= n {
			return t.close(open[:depth], n)
		}
		if text[i] == ',' {
			i++
			continue
		}
		if inObject && text[i] != '}' || !inObject && text[i] != ']' {
			return 0
		}
	end:
		depth--
		i++
		t.nodes[open[depth]].valEnd = uint32(i)
		t.nodes[open[depth]].next = uint32(len(t.nodes))
		inObject = depth > 0 && t.nodes[open[depth-1]].kind == jObject
		goto after
	}
}

// close ends the open containers of a text that was cut off.
func (t *tree) close(open []uint32, n int) int {
	t.cut = true
	for _, o := range open {
		t.nodes[o].valEnd = uint32(n)
		t.nodes[o].next = uint32(len(t.nodes))
	}
	if len(t.nodes) == 0 {
		return 0
	}
	return n
}

var jsonSpace = [256]bool{' ': true, '\t': true, '\n': true, '\r': true}

var jsonWord = func() (w [256]bool) {
	for c := range 256 {
		w[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '+' || c == '.'
	}
	return
}()

// wordKind is the kind of a bare word, jArray if it is none of JSON's.
func wordKind(w []byte) byte {
	if len(w) == 0 {
		return jArray
	}
	switch w[0] {
	case 't':
		if string(w) == "true" {
			return jTrue
		}
	case 'f':
		if string(w) == "false" {
			return jFalse
		}
	case 'n':
		if string(w) == "null" {
			return jNull
		}
	case 'N', 'I':
		if string(w) == "NaN" || string(w) == "Infinity" {
			return jNull
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if string(w) == "-Infinity" {
			return jNull
		}
		for i, c := range w {
			switch {
			case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E', c == '-':
			case c == '+' && i > 0:
			default:
				return jArray
			}
		}
		if len(w) > 1 || w[0] != '-' {
			return jNumber
		}
	}
	return jArray
}

func couldBeWord(w []byte) bool {
	for _, s := range [...]string{"true", "false", "null", "-"} {
		if len(w) < len(s)+1 && string(w) == s[:min(len(w), len(s))] {
			return true
		}
	}
	return false
}

// stringEnd returns the index of the quote that ends the string which starts at i.
func stringEnd(b []byte, i int) (end int, esc, ok bool) {
	// Fast path - eight bytes at a time: two thirds of the time of a loop over bytes, on keys and values as loggers write them.
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		q, s := w^(ones*'"'), w^(ones*'\\')
		m := ((q-ones)&^q | (s-ones)&^s) & tops
		if m == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(m) >> 3; b[i] == '"' {
			return i, esc, true
		}
		esc = true
		i += 2
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' {
			return i, esc, true
		} else if c == '\\' {
			esc = true
			i++
		}
	}
	return len(b), esc, false
}

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// keyOf and text of a node; the bytes live until the tree is parsed again.
func (t *tree) keyOf(i uint32) []byte {
	if nd := &t.nodes[i]; nd.keyAt == inText { // Fast path - small enough to be inlined.
		return t.text[nd.key:nd.keyEnd]
	}
	return t.oddKey(i)
}

// oddKey is a key with escapes.
func (t *tree) oddKey(i uint32) []byte {
	nd := &t.nodes[i]
	if nd.keyAt == escaped {
		at := len(t.buf)
		t.buf = unescape(t.buf, t.text[nd.key:nd.keyEnd])
		nd.key, nd.keyEnd, nd.keyAt = uint32(at), uint32(len(t.buf)), inBuf
	}
	return t.buf[nd.key:nd.keyEnd:nd.keyEnd]
}

// str returns a scalar's value as text (escapes undone), nil for null, the raw text for containers.
func (t *tree) str(i uint32) []byte {
	nd := &t.nodes[i]
	if nd.valAt == escaped {
		at := len(t.buf)
		t.buf = unescape(t.buf, t.text[nd.val:nd.valEnd])
		nd.val, nd.valEnd, nd.valAt = uint32(at), uint32(len(t.buf)), inBuf
	}
	if nd.valAt == inBuf {
		return t.buf[nd.val:nd.valEnd:nd.valEnd]
	}
	if nd.kind == jNull {
		return nil
	}
	return t.text[nd.val:nd.valEnd]
}

// get returns the child of object i with the given key, or 0 (which is never a child). The first of duplicates wins.
func (t *tree) get(i uint32, key string) uint32 {
	nd := &t.nodes[i]
	if nd.kind != jObject {
		return 0
	}
	for c := i + 1; c < nd.next; c = t.nodes[c].next {
		k := &t.nodes[c]
		if k.keyAt == inText {
			if int(k.keyEnd-k.key) == len(key) && string(t.text[k.key:k.keyEnd]) == key {
				return c
			}
		} else if string(t.keyOf(c)) == key {
			return c
		}
	}
	return 0
}

// path is get along several keys.
func (t *tree) path(i uint32, keys ...string) uint32 {
	for _, k := range keys {
		if i = t.get(i, k); i == 0 {
			return 0
		}
	}
	return i
}

// getStr returns a scalar child's text, nil if there is none.
func (t *tree) getStr(i uint32, key string) []byte {
	c := t.get(i, key)
	if c == 0 || t.nodes[c].kind >= jArray {
		return nil
	}
	return t.str(c)
}

// unescape appends s with JSON's escapes undone to dst. What is no escape stays.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		bs := bytes.IndexByte(s[i:], '\\')
		if bs < 0 || i+bs+1 >= len(s) {
			return append(dst, s[i:]...)
		}
		dst = append(dst, s[i:i+bs]...)
		i += bs + 2
		switch c := s[i-1]; c {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case '"', '\\', '/', '\'':
			dst = append(dst, c)
		case 'x':
			if v, ok := hex(s, i, 2); ok {
				dst = append(dst, byte(v))
				i += 2
			} else {
				dst = append(dst, '\\', 'x')
			}
		case 'u':
			v, ok := hex(s, i, 4)
			if !ok {
				dst = append(dst, '\\', 'u')
				break
			}
			i += 4
			if utf16.IsSurrogate(v) {
				w, ok := rune(0), false
				if i+1 < len(s) && s[i] == '\\' && s[i+1] == 'u' {
					w, ok = hex(s, i+2, 4)
				}
				if v = utf16.DecodeRune(v, w); ok && v != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, v)
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

// hex reads n hexadecimal digits at s[i:].
func hex(s []byte, i, n int) (v rune, ok bool) {
	if i+n > len(s) {
		return 0, false
	}
	for _, c := range s[i : i+n] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | rune(c)
	}
	return v, true
}

// An object is what an Event shows of one or more trees: Lookup asks them in order, Walk visits all.
type object struct {
	roots [maxRoots]struct {
		t *tree
		i uint32
	}
	n     int
	keys  uint64     // event.KeyBit of each key at the top; all bits where that is not known
	first [64]uint16 // where the child of roots[0] stands whose key has this bit; 0 = several have it, or it is not known
	path  []byte     // Walk's
}

const maxRoots = 4

var _ event.Object = (*object)(nil)

func (o *object) add(t *tree, i uint32) {
	if o.n == maxRoots {
		return
	}
	o.roots[o.n].t, o.roots[o.n].i = t, i
	if o.n++; o.n == 1 {
		o.keys = 0
	}
	o.keys |= o.index(t, i)
}

// index returns a bit for each key of node i, and notes where the children of the first root stand. A key with escapes, or with dots, which a path of
// several segments may mean, sets all bits.
func (o *object) index(t *tree, i uint32) (keys uint64) {
	nd := &t.nodes[i]
	if nd.kind != jObject {
		return ^uint64(0)
	}
	twice := uint64(0)
	for c := i + 1; c < nd.next; c = t.nodes[c].next {
		k := &t.nodes[c]
		key := t.text[k.key:k.keyEnd]
		if k.keyAt != inText || bytes.IndexByte(key, '.') >= 0 {
			return ^uint64(0)
		}
		bit := event.KeyBit(key)
		twice |= keys & bit
		keys |= bit
		if o.n == 1 {
			o.first[bits.TrailingZeros64(bit)&63] = uint16(min(c, 1<<16-1))
		}
	}
	if o.n == 1 {
		for ; twice != 0; twice &= twice - 1 {
			o.first[bits.TrailingZeros64(twice)] = 0
		}
	}
	return keys
}

func (o *object) Keys() uint64 { return o.keys }

// child is the child of the only root with that key, or 0. ok is false where that is not known so quickly.
func (o *object) child(key string) (c uint32, ok bool) {
	bit := event.KeyBit(key)
	if o.n != 1 || o.keys == ^uint64(0) {
		return 0, false
	}
	if o.keys&bit == 0 {
		return 0, true
	}
	if c = uint32(o.first[bits.TrailingZeros64(bit)&63]); c == 0 || c == 1<<16-1 {
		return 0, false
	}
	if string(o.roots[0].t.keyOf(c)) != key {
		c = 0
	}
	return c, true
}

func (o *object) Lookup(dst [][]byte, path []string) (vals [][]byte, exists bool) {
	if len(path) > 0 {
		if c, ok := o.child(path[0]); ok { // Fast path - most rules ask for what few records have.
			if c == 0 {
				return dst, false
			}
			return o.roots[0].t.lookup(dst, c, path[1:], 1)
		}
	}
	for r := range o.n {
		if dst, exists = o.roots[r].t.lookup(dst, o.roots[r].i, path, 0); exists {
			break
		}
	}
	return dst, exists
}

func (t *tree) lookup(dst [][]byte, i uint32, path []string, depth int) (vals [][]byte, exists bool) {
	nd := &t.nodes[i]
	switch {
	case nd.kind == jArray && depth < maxJSONDepth:
		exists = len(path) == 0
		for c := i + 1; c < nd.next; c = t.nodes[c].next {
			var ok bool
			dst, ok = t.lookup(dst, c, path, depth+1)
			exists = exists || ok
		}
	case len(path) == 0:
		if nd.kind != jNull && nd.kind != jObject {
			dst = append(dst, t.str(i))
		}
		return dst, true
	case nd.kind == jObject && depth < maxJSONDepth:
		for c := i + 1; c < nd.next; c = t.nodes[c].next {
			k := &t.nodes[c]
			if k.keyAt == inText && int(k.keyEnd-k.key) < len(path[0]) {
				continue // Fast path - too short.
			}
			if n := takes(t.keyOf(c), path); n > 0 {
				var ok bool
				dst, ok = t.lookup(dst, c, path[n:], depth+1)
				exists = exists || ok
			}
		}
	}
	return dst, exists
}

// takes tells how many segments of path key is: 1, more where the key itself has dots, 0 if it is none.
func takes(key []byte, path []string) int {
	for n, seg := range path {
		if len(key) < len(seg) || string(key[:len(seg)]) != seg {
			return 0
		}
		if key = key[len(seg):]; len(key) == 0 {
			return n + 1
		}
		if key[0] != '.' {
			return 0
		}
		key = key[1:]
	}
	return 0
}

func (o *object) Walk(f func(path, value []byte) bool) {
	for r := range o.n {
		o.path = o.path[:0]
		if !o.walk(o.roots[r].t, o.roots[r].i, 0, f) {
			return
		}
	}
}

func (o *object) walk(t *tree, i uint32, depth int, f func(path, value []byte) bool) bool {
	nd := t.nodes[i]
	if nd.kind == jNull {
		return true
	}
	if nd.kind < jArray {
		return f(o.path, t.str(i))
	}
	if depth >= maxJSONDepth {
		return true
	}
	at := len(o.path)
	for c := i + 1; c < nd.next; c = t.nodes[c].next {
		if nd.kind == jObject {
			if at > 0 {
				o.path = append(o.path, '.')
			}
			o.path = append(o.path, t.keyOf(c)...)
		}
		if !o.walk(t, c, depth+1, f) {
			return false
		}
		o.path = o.path[:at]
	}
	return true
}
