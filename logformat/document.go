package logformat

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// JSON documents: {"Records":[{...},...]}, [{...},...], objects one after the other however they are printed. A
// document of any size is cut into its elements, each a record; only the element at hand is ever in memory.

// A document is where a Stream stands between the elements of JSON documents.
type document struct {
	outer   int  // objects and arrays that are open around the array; 0 = no array is open
	closing bool // the array has ended; the rest of the objects around it is skipped
	jump    bool // inside an element that was too long
	scan    jsonScan
}

// maxKnown is how many nodes of a block are kept for its parser.
const maxKnown = 1 << 14

// maxPrefix bounds where the array of a document may start.
const maxPrefix = 1 << 12

// openDocument tells whether the source that starts with b is a JSON document, rather than lines of which each may be
// JSON. nil if not.
func openDocument(b []byte) *document {
	at := blanks(b, 0)
	if at >= len(b) || b[at] != '{' && b[at] != '[' {
		return nil
	}
	if _, _, ok := findArray(b[at:]); ok {
		// Also where each line is such a document; what it holds is cut all the same.
		return &document{}
	}
	if b[at] == '[' {
		return nil
	}
	if i := blanks(b, at+1); i >= len(b) || b[i] != '"' && b[i] != '}' {
		return nil
	}
	var scan jsonScan
	end, st := scan.value(b[at:])
	if st == jsonBroken {
		return nil
	}
	if st == jsonWhole {
		first := bytes.IndexByte(b[at:], '\n')
		if first < 0 || end <= first { // one line
			rest := at + end
			for rest < len(b) && (b[rest] == ' ' || b[rest] == '\t' || b[rest] == '\r') {
				rest++
			}
			if rest >= len(b) || b[rest] != '{' {
				return nil
			}
		}
	} else if bytes.IndexByte(b[at:], '\n') < 0 && len(b) < blockSize {
		return nil // a line that was cut off
	}
	return &document{}
}

// arrayNames are the members that hold a document's records.
var arrayNames = map[string]bool{
	"records": true, "events": true, "logevents": true, "findings": true, "logs": true, "entries": true, "items": true,
	"results": true, "hits": true, "messages": true, "rows": true, "value": true, "data": true, "trails": true, "log": true,
}

// wrapNames are the objects in which such a member may stand.
var wrapNames = map[string]bool{"hits": true, "data": true, "response": true, "result": true, "log": true}

// findArray looks for the array of objects in the JSON document that b starts with: where its first element starts and
// how many objects and arrays are open there.
func findArray(b []byte) (at, outer int, ok bool) {
	if b[0] == '[' {
		i := blanks(b, 1)
		return i, 1, i < len(b) && b[i] == '{'
	}
	b = b[:min(len(b), maxPrefix)]
	i := 1
	outer = 1
	for members := 0; members < 32; members++ {
		if i = blanks(b, i); i < len(b) && b[i] == ',' {
			i = blanks(b, i+1)
		}
		if i >= len(b) || b[i] != '"' {
			return 0, 0, false
		}
		end := bytes.IndexByte(b[i+1:], '"')
		if end < 0 {
			return 0, 0, false
		}
		name := string(bytes.ToLower(b[i+1 : i+1+end]))
		i = blanks(b, i+end+2)
		if i >= len(b) || b[i] != ':' {
			return 0, 0, false
		}
		if i = blanks(b, i+1); i >= len(b) {
			return 0, 0, false
		}
		switch b[i] {
		case '[':
			if k := blanks(b, i+1); k < len(b) && b[k] == '{' && arrayNames[name] {
				if name == "logevents" && members > 0 { // a CloudWatch envelope is a record of its own
					return 0, 0, false
				}
				return k, outer + 1, true
			}
			k := bytes.IndexByte(b[i:], ']')
			if k < 0 || bytes.IndexByte(b[i:i+k], '{') >= 0 {
				return 0, 0, false
			}
			i += k + 1
		case '{':
			if wrapNames[name] && outer < maxDepth {
				outer++
				i++
				continue
			}
			var scan jsonScan
			n, st := scan.value(b[i:])
			if st != jsonWhole {
				return 0, 0, false
			}
			i += n
		case '"':
			n := quoteEnd(b, i+1)
			if n < 0 {
				return 0, 0, false
			}
			i = n
		default:
			for i < len(b) && b[i] != ',' && b[i] != '}' {
				i++
			}
		}
	}
	return 0, 0, false
}

func blanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t' || b[i] == 0x1e) {
		i++
	}
	return i
}

// nextElements cuts elements. With n == 0 and s.doc nil what follows is to be read as lines.
func (s *Stream) nextElements(buf []byte, eof bool) (Block, int) {
	if len(buf) < blockSize && !eof {
		s.need = blockSize
		return Block{}, 0
	}
	d := s.doc
	var recs []cut
	s.nodes = s.nodes[:0]
	known := 0 // of s.nodes
	add := func(from, to int) {
		if recs == nil {
			recs = make([]cut, 0, 128)
		}
		recs = append(recs, cut{int32(from), int32(to), int32(known), int32(len(s.nodes))})
		known = len(s.nodes)
	}
	i := 0
loop:
	for i < len(buf) && i < blockSize {
		if d.jump || d.closing {
			n, st := d.scan.value(buf[i:])
			i += n
			if d.jump {
				s.stats.Skipped += int64(n)
			}
			switch st {
			case jsonMore:
				break loop
			case jsonBroken:
				s.doc = nil
				break loop
			}
			d.jump, d.closing = false, false
			continue
		}
		b := buf[i]
		switch {
		case b == ' ' || b == '\n' || b == '\r' || b == '\t' || b == ',' || b == 0x1e:
			i++
		case b == ']' && d.outer > 0:
			i++
			if d.outer > 1 {
				d.closing, d.scan = true, jsonScan{depth: d.outer - 1}
			}
			d.outer = 0
		case d.outer == 0 && (b == '{' || b == '['):
			if len(buf)-i < maxPrefix && !eof {
				break loop // the array may stand behind what is here
			}
			if at, outer, ok := findArray(buf[i:]); ok {
				i += at
				d.outer = outer
				continue
			}
			if b == '[' {
				s.doc = nil
				break loop
			}
			fallthrough
		case b == '{':
			var scan jsonScan
			view := buf[i:min(len(buf), i+MaxRecord)]
			n, st := 0, jsonWhole
			if len(s.nodes) < maxKnown {
				s.nodes, n = nodesOf(s.nodes, view)
			}
			if n == 0 {
				n, st = scan.value(view)
			}
			switch {
			case st == jsonWhole:
				add(i, i+n)
				i += n
			case st == jsonBroken:
				s.doc = nil
				break loop
			case len(view) == MaxRecord:
				s.stats.Truncated++
				add(i, i+MaxRecord)
				i += MaxRecord
				d.jump, d.scan = true, scan
			case eof:
				add(i, len(buf))
				i = len(buf)
			default:
				break loop
			}
		default: // no object: the document is damaged, or holds plain values
			s.doc = nil
			break loop
		}
	}
	if i == 0 {
		if s.doc != nil {
			s.need = min(len(buf)+blockSize, MaxPending)
		}
		return Block{}, 0
	}
	s.need = 0
	b := Block{Source: s.source, Line: s.line, Bytes: buf[:i], format: &format{opt: s.opt}, recs: recs, nodes: s.nodes}
	s.line += bytes.Count(b.Bytes, newline)
	if eof && i == len(buf) && buf[i-1] != '\n' {
		s.line++
	}
	if recs == nil {
		return Block{}, i
	}
	return b, i
}

type jsonStatus uint8

const (
	jsonMore   jsonStatus = iota // ends inside the value
	jsonWhole                    // the value ended
	jsonBroken                   // no JSON
)

// A jsonScan finds where a value ends; it can go on in the next piece of it.
type jsonScan struct {
	depth   int
	quoted  bool // inside a string
	escaped bool // after a backslash
}

// value scans on until all that is open is closed, and returns how much of b that takes. It knows brackets and
// strings only: what stands between is the parser's to judge. A line end inside a string breaks it, so
// that a line that was cut off in the middle does not swallow the rest.
func (s *jsonScan) value(b []byte) (n int, st jsonStatus) {
	i := 0
	if s.quoted {
		if s.escaped && len(b) > 0 {
			i, s.escaped = 1, false
		}
		if i = s.text(b, i); i < 0 {
			return 0, jsonBroken
		}
		if s.quoted {
			return len(b), jsonMore
		}
	}
	depth := s.depth
	for i < len(b) {
		switch jsonClass[b[i]] {
		case 0:
			i++
		case 1:
			s.quoted = true
			i++
			// Fast path - eight bytes at a time up to the next quote, backslash or control byte. The lowest bit that is
			// set marks it; bits above may be wrong.
			for i+8 <= len(b) {
				w := binary.LittleEndian.Uint64(b[i:])
				m := zeroByte(w^quotes) | zeroByte(w^slashes) | below20(w)
				if m == 0 {
					i += 8
					continue
				}
				i += bits.TrailingZeros64(m) >> 3
				if b[i] != '"' {
					break
				}
				if i+2 < len(b) && b[i+2] == '"' && (b[i+1] == ':' || b[i+1] == ',') {
					i += 3 // Fast path - the next string follows.
					continue
				}
				s.quoted = false
				i++
				break
			}
			if !s.quoted {
				continue
			}
			if i = s.text(b, i); i < 0 {
				return 0, jsonBroken
			}
			if s.quoted {
				s.depth = depth
				return len(b), jsonMore
			}
		case 2:
			depth++
			i++
		case 3:
			depth--
			i++
			if depth <= 0 {
				s.depth = 0
				return i, jsonWhole
			}
		}
	}
	s.depth = depth
	return len(b), jsonMore
}

// text goes on inside a string from i to after its end; negative if it is broken.
func (s *jsonScan) text(b []byte, i int) int {
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			s.quoted = false
			return i + 1
		case c == '\\':
			if i+1 >= len(b) {
				s.escaped = true
				return len(b)
			}
			i += 2
		case c == '\n':
			return -1
		default:
			i++
		}
	}
	return i
}

// quoteEnd returns the index after the string whose text starts at i, or -1.
func quoteEnd(b []byte, i int) int {
	s := jsonScan{quoted: true}
	if i = s.text(b, i); s.quoted {
		return -1
	}
	return i
}

var jsonClass = [256]uint8{'"': 1, '{': 2, '[': 2, '}': 3, ']': 3}

const (
	lows    = 0x0101010101010101
	highs   = 0x8080808080808080
	quotes  = '"' * lows
	slashes = '\\' * lows
)

// zeroByte is not 0 if a byte of w is 0.
func zeroByte(w uint64) uint64 { return (w - lows) &^ w & highs }

// below20 is not 0 if a byte of w is below 0x20.
func below20(w uint64) uint64 { return (w - 0x20*lows) &^ w & highs }
