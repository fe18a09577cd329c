package logformat

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// nodesOf reads the JSON object that text starts with in one pass that finds its end as well: what jsonScan.value and tree.parse say in two. It appends the
// nodes to dst and returns how many bytes the object takes. It is as strict as they are lenient: 0, with dst as it was, means that
// they must be asked.
func nodesOf(dst []node, text []byte) (nodes []node, n int) {
	base := len(dst)
	nodes = dst[:cap(dst)]
	var (
		open   [maxJSONDepth]uint32 // the nodes of the containers around the innermost one, and how many children each has
		kids   [maxJSONDepth]uint16
		depth  = 0
		at     = uint32(base) // the node of the innermost container
		inside = uint16(0)    // its children
		object = true
		key    uint32
		keyEnd uint32
		keyAt  byte
		next   = base // the next node
		i      = 0
	)
	for {
		// A value starts at i.
		if i >= len(text) || text[i] <= ' ' {
			i = pastSpace(text, i)
		}
		if i >= len(text) || next-base >= maxJSONNodes {
			return dst, 0
		}
		if next == len(nodes) {
			nodes = slices.Grow(nodes, 128)
			nodes = nodes[:cap(nodes)]
		}
		nd := &nodes[next]
		*nd = node{key: key, keyEnd: keyEnd, keyAt: keyAt, val: uint32(i)}
		next++
		if inside < 1<<16-1 {
			inside++
		}
		switch c := text[i]; c {
		case '"':
			nd.kind, nd.val = jString, uint32(i+1)
			if i = plainEnd(text, i+1); i >= len(text) {
				return dst, 0
			}
			if text[i] != '"' {
				if nd.valAt, i = escaped, escapedEnd(text, i); i < 0 {
					return dst, 0
				}
			}
			nd.valEnd, nd.next = uint32(i), uint32(next-base)
			i++
		case '{', '[':
			if next > base+1 { // not the first
				if depth == maxJSONDepth-1 {
					return dst, 0
				}
				open[depth], kids[depth] = at, inside
				depth++
			} else if c == '[' {
				return dst, 0
			}
			at, inside, object = uint32(next-1), 0, c == '{'
			nd.kind = jArray
			if object {
				nd.kind = jObject
			}
			if i = pastSpace(text, i+1); i >= len(text) {
				return dst, 0
			}
			if text[i] != '}' && text[i] != ']' {
				goto member
			}
		default:
			e := i
			for e < len(text) && jsonWord[text[e]] {
				e++
			}
			if nd.kind = wordKind(text[i:e]); nd.kind == jArray {
				return dst, 0
			}
			nd.valEnd, nd.next = uint32(e), uint32(next-base)
			i = e
		}
		// Behind a value, or in an empty container.
		for {
			if i >= len(text) || text[i] <= ' ' {
				if i = pastSpace(text, i); i >= len(text) {
					return dst, 0
				}
			}
			c := text[i]
			i++
			if c == ',' && inside > 0 {
				break
			}
			if object && c != '}' || !object && c != ']' {
				return dst, 0
			}
			nd := &nodes[at]
			nd.children, nd.valEnd, nd.next = inside, uint32(i), uint32(next-base)
			if depth == 0 {
				return nodes[:next], i
			}
			depth--
			at, inside = open[depth], kids[depth]
			object = nodes[at].kind == jObject
		}
	member:
		if !object {
			key, keyEnd, keyAt = 0, 0, inText
			continue
		}
		if i >= len(text) || text[i] != '"' {
			if i = pastSpace(text, i); i >= len(text) || text[i] != '"' {
				return dst, 0
			}
		}
		key, keyAt = uint32(i+1), inText
		if i = plainEnd(text, i+1); i >= len(text) {
			return dst, 0
		}
		if text[i] != '"' {
			if keyAt, i = escaped, escapedEnd(text, i); i < 0 {
				return dst, 0
			}
		}
		keyEnd = uint32(i)
		if i++; i >= len(text) || text[i] != ':' {
			if i = pastSpace(text, i); i >= len(text) || text[i] != ':' {
				return dst, 0
			}
		}
		i++
	}
}

// pastSpace is where what is no white space stands, from i on.
func pastSpace(b []byte, i int) int {
	for i < len(b) && jsonSpace[b[i]] {
		i++
	}
	return i
}

// plainEnd is where the next quote, backslash or control byte stands, from i on; len(b) if there is none.
func plainEnd(b []byte, i int) int {
	// Eight bytes at a time. A quote, one bit flipped, is the byte after the control bytes. The lowest bit that is set marks it; bits above may be wrong.
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		q, s := w^0x02*lows, w^slashes
		if m := ((q-0x21*lows)&^q | (s-lows)&^s) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
		i++
	}
	return i
}

// escapedEnd returns the index of the quote that ends a string, from the backslash at i on; -1 if there is none, or a control byte before it.
func escapedEnd(b []byte, i int) int {
	for i < len(b) && b[i] == '\\' {
		i = plainEnd(b, i+2)
	}
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	return i
}
