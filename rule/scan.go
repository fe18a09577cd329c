package rule

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// A scanner finds every occurrence of many literals in a text, in one pass whose cost hardly depends on how many there are.
//
// Each literal is entered under four neighbouring bytes of it (a gram), the rarest that it has. The pass folds and
// hashes the four bytes at each position and tests one bit; only where the bit is set does it look the gram up and compare
// the literals entered there. Unlike an automaton's, the steps do not wait for each other, the table that stays in cache has 16 KiB
// (a dense Aho-Corasick table of 4,000 literals has some 10 MiB), and it is filled in a millisecond at start-up.
// BenchmarkScanner: 3 ns a byte with 4,000 literals. Literals of two and three bytes are entered under two bytes in a
// table of their own; one of a single byte under every pair that starts with it.
type scanner struct {
	lits []string // folded; see searchable

	bits  []uint64   // which hashes of four folded bytes have a literal
	shift uint       // 32 - log2 of the number of bits
	pairs []uint64   // which two folded bytes have a literal; nil if no literal is that short
	alone [256]int32 // the literal that is this one byte, plus one; 0 = none

	keys  []uint64 // open addressing: gram | 1<<32, or pair | 1<<33; 0 = free
	first []int32  // keys' first entry
	mask  uint32
	ents  []gramEntry
}

// A gramEntry is a literal entered under a gram.
type gramEntry struct {
	lit  int32
	off  int32 // of the gram in the literal
	next int32 // -1 = last
}

const (
	// caseBits folds letters; it also makes other bytes alike, which the comparison that follows tells apart.
	caseBits  = 0x20202020
	gramKey   = 1 << 32
	pairKey   = 1 << 33
	hashPrime = 0x9E3779B1
	gramSize  = 4
)

func gramOf(s string, i int) uint32 {
	return (uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24) | caseBits
}

func pairOf(s string, i int) uint32 { return (uint32(s[i]) | uint32(s[i+1])<<8) | caseBits&0xffff }

func newScanner(lits []string) *scanner {
	s := &scanner{lits: lits}
	size := uint32(64)
	for size < uint32(len(lits))*2 {
		size *= 2
	}
	s.keys, s.first, s.mask = make([]uint64, size), make([]int32, size), size-1
	s.ents = make([]gramEntry, 0, len(lits))
	// One bit in thirty-two set at most: 16 KiB for 4,000 literals.
	log := uint(max(13, bits.Len32(uint32(len(lits)*32))))
	log = min(log, 20)
	s.shift = 32 - log
	s.bits = make([]uint64, 1<<log/64)
	var load [1 << 14]uint8 // literals entered under grams, by a hash
	for i, lit := range lits {
		if len(lit) < gramSize {
			s.enterPair(int32(i), lit)
			continue
		}
		best, bestCost := 0, 1<<30
		for at := 0; at+gramSize <= len(lit) && at < 64; at++ {
			// The rarest in harmless text, but not one under which many literals stand already.
			cost := int(byteCost[lit[at]])*2 + int(byteCost[lit[at+1]])*2 + int(byteCost[lit[at+2]])*2 + int(byteCost[lit[at+3]])*2
			if n := int(load[gramOf(lit, at)*hashPrime>>18]); n > 0 {
				cost += 4 + 8*n
			}
			if cost < bestCost {
				best, bestCost = at, cost
			}
		}
		g := gramOf(lit, best)
		if l := &load[g*hashPrime>>18]; *l < 255 {
			*l++
		}
		h := g * hashPrime >> s.shift
		s.bits[h>>6] |= 1 << (h & 63)
		s.enter(uint64(g)|gramKey, int32(i), best)
	}
	return s
}

func (s *scanner) enterPair(lit int32, text string) {
	if s.pairs == nil {
		s.pairs = make([]uint64, 1<<16/64)
	}
	if len(text) == 1 {
		s.alone[text[0]] = lit + 1
		for second := range 256 {
			g := pairOf(string([]byte{text[0], byte(second)}), 0)
			s.pairs[g>>6] |= 1 << (g & 63)
		}
		return
	}
	at := 0
	if len(text) == 3 && byteCost[text[0]] > byteCost[text[2]] {
		at = 1
	}
	g := pairOf(text, at)
	s.pairs[g>>6] |= 1 << (g & 63)
	s.enter(uint64(g)|pairKey, lit, at)
}

func (s *scanner) enter(key uint64, lit int32, off int) {
	k := s.slot(key)
	next := int32(-1)
	if s.keys[k] == key {
		next = s.first[k]
	}
	s.keys[k] = key
	s.first[k] = int32(len(s.ents))
	s.ents = append(s.ents, gramEntry{lit, int32(off), next})
}

// slot is where key is, or would be.
func (s *scanner) slot(key uint64) uint32 {
	k := uint32(key)*hashPrime>>7 ^ uint32(key>>32)
	for k &= s.mask; s.keys[k] != 0 && s.keys[k] != key; k = (k + 1) & s.mask {
	}
	return k
}

// A hit is one occurrence of a literal.
type hit struct {
	lit   int32
	start int32
}

// scan appends every occurrence of every literal in text to dst.
func (s *scanner) scan(text []byte, dst []hit) []hit {
	if s.pairs != nil {
		return s.scanPairs(text, dst)
	}
	i, tbl, shift := 0, s.bits, s.shift
	for ; i+8 <= len(text); i += 5 {
		w := binary.LittleEndian.Uint64(text[i:])
		w |= caseBits | caseBits<<32
		h0 := uint32(w) * hashPrime >> shift
		h1 := uint32(w>>8) * hashPrime >> shift
		h2 := uint32(w>>16) * hashPrime >> shift
		h3 := uint32(w>>24) * hashPrime >> shift
		h4 := uint32(w>>32) * hashPrime >> shift
		b0 := tbl[h0>>6] >> (h0 & 63) & 1
		b1 := tbl[h1>>6] >> (h1 & 63) & 1
		b2 := tbl[h2>>6] >> (h2 & 63) & 1
		b3 := tbl[h3>>6] >> (h3 & 63) & 1
		b4 := tbl[h4>>6] >> (h4 & 63) & 1
		if b0|b1|b2|b3|b4 == 0 {
			continue
		}
		for k, set := 0, b0|b1<<1|b2<<2|b3<<3|b4<<4; set != 0; k, set = k+1, set>>1 {
			if set&1 != 0 {
				dst = s.probe(text, i+k, uint64(uint32(w>>(8*k)))|gramKey, dst)
			}
		}
	}
	for ; i+gramSize <= len(text); i++ {
		w := binary.LittleEndian.Uint32(text[i:]) | caseBits
		if h := w * hashPrime >> shift; tbl[h>>6]>>(h&63)&1 != 0 {
			dst = s.probe(text, i, uint64(w)|gramKey, dst)
		}
	}
	return dst
}

// scanPairs is scan with short literals as well.
func (s *scanner) scanPairs(text []byte, dst []hit) []hit {
	i, tbl, shift, pairs := 0, s.bits, s.shift, (*[1 << 16 / 64]uint64)(s.pairs)
	for ; i+8 <= len(text); i += 5 {
		w := binary.LittleEndian.Uint64(text[i:])
		w |= caseBits | caseBits<<32
		h0 := uint32(w) * hashPrime >> shift
		h1 := uint32(w>>8) * hashPrime >> shift
		h2 := uint32(w>>16) * hashPrime >> shift
		h3 := uint32(w>>24) * hashPrime >> shift
		h4 := uint32(w>>32) * hashPrime >> shift
		b0 := tbl[h0>>6]>>(h0&63) | pairs[w>>6&1023]>>(w&63)
		b1 := tbl[h1>>6]>>(h1&63) | pairs[w>>14&1023]>>(w>>8&63)
		b2 := tbl[h2>>6]>>(h2&63) | pairs[w>>22&1023]>>(w>>16&63)
		b3 := tbl[h3>>6]>>(h3&63) | pairs[w>>30&1023]>>(w>>24&63)
		b4 := tbl[h4>>6]>>(h4&63) | pairs[w>>38&1023]>>(w>>32&63)
		if (b0|b1|b2|b3|b4)&1 == 0 {
			continue
		}
		for k, set := 0, b0&1|b1&1<<1|b2&1<<2|b3&1<<3|b4&1<<4; set != 0; k, set = k+1, set>>1 {
			if set&1 != 0 {
				dst = s.probeBoth(text, i+k, uint32(w>>(8*k)), dst)
			}
		}
	}
	for ; i+2 <= len(text); i++ {
		w := uint32(text[i]) | uint32(text[i+1])<<8 | caseBits&0xffff
		if i+gramSize <= len(text) {
			dst = s.probeBoth(text, i, binary.LittleEndian.Uint32(text[i:])|caseBits, dst)
		} else if pairs[w>>6]>>(w&63)&1 != 0 {
			dst = s.probePair(text, i, w, dst)
		}
	}
	if n := len(text); n > 0 && i < n && s.alone[text[n-1]] != 0 {
		dst = append(dst, hit{s.alone[text[n-1]] - 1, int32(n - 1)})
	}
	return dst
}

func (s *scanner) probeBoth(text []byte, i int, w uint32, dst []hit) []hit {
	if h := w * hashPrime >> s.shift; s.bits[h>>6]>>(h&63)&1 != 0 {
		dst = s.probe(text, i, uint64(w)|gramKey, dst)
	}
	if p := w & 0xffff; s.pairs[p>>6]>>(p&63)&1 != 0 {
		dst = s.probePair(text, i, p, dst)
	}
	return dst
}

// probePair compares the short literals that start, or are entered, at text[i:].
func (s *scanner) probePair(text []byte, i int, p uint32, dst []hit) []hit {
	if lit := s.alone[text[i]]; lit != 0 {
		dst = append(dst, hit{lit - 1, int32(i)})
	}
	return s.probe(text, i, uint64(p)|pairKey, dst)
}

// probe compares the literals entered under key, which stands at text[i:].
func (s *scanner) probe(text []byte, i int, key uint64, dst []hit) []hit {
	k := s.slot(key)
	if s.keys[k] == 0 {
		return dst
	}
	for e := s.first[k]; e >= 0; {
		ent := &s.ents[e]
		e = ent.next
		lit := s.lits[ent.lit]
		start := i - int(ent.off)
		if start < 0 || start+len(lit) > len(text) || !equalFold(text[start:start+len(lit)], lit) {
			continue
		}
		dst = append(dst, hit{ent.lit, int32(start)})
	}
	return dst
}

// A valueHit is what the scan of one text tells of one predicate: it is true because of text[start:end], or, with start < 0,
// it may be.
type valueHit struct {
	pred       int32
	start, end int32
}

const (
	maxCached   = 400  // bytes of a value that is remembered
	cacheSlots  = 512 // per field; a power of two
	targetSlots = 4096
	cacheHits   = 64 // more of a value are not remembered
)

// A quietMemory remembers values that make no rule a candidate, by 64 bits of a hash with a secret seed: two values
// of the same bits are not met with in practice, and cannot be made. Most of what comes in is found here.
type quietMemory struct {
	seed maphash.Seed
	sets [][8]uint64 // each a cache line, what was met last in front; 0 = free
}

const quietSets = 1 << 13 // a power of two; 512 KiB

func newQuietMemory() quietMemory {
	return quietMemory{maphash.MakeSeed(), make([][8]uint64, quietSets)}
}

// print is the fingerprint of a value, never 0.
func (q *quietMemory) print(v *gathered) uint64 {
	return (maphash.Bytes(q.seed, v.text) ^ v.mask*0x9E3779B97F4A7C15 ^ uint64(v.split)<<1) | 1
}

func (q *quietMemory) has(print uint64) bool {
	set := &q.sets[print>>32&(quietSets-1)]
	if set[0] == print {
		return true
	}
	for i := 1; i < len(set); i++ {
		if set[i] == print {
			set[i], set[i-1] = set[i-1], print
			return true
		}
	}
	return false
}

// add remembers in the middle of a line: what comes only once pushes out nothing that comes again and again.
func (q *quietMemory) add(print uint64) {
	set := &q.sets[print>>32&(quietSets-1)]
	copy(set[5:], set[4:])
	set[4] = print
}

// A valueCache remembers what was found in values that come again and again (User-Agent, Referer, request targets): a lookup
// compares all bytes, which is some five times faster than a scan, and what an expression said of the value is not asked again.
type valueCache struct {
	slots []cacheSlot
	size  int
	turn  uint8 // which of a value's two slots is given up next
}

type cacheSlot struct {
	text  []byte
	mask  uint64
	split int32
	gen   uint32 // changes when the slot is taken by another value
	find  int    // the first so many of hits may make rules candidates
	hits  []valueHit
}

// cacheHash reads every byte, in two lanes: agents differ in one digit anywhere.
func cacheHash(b []byte) uint32 {
	const p = 0x9E3779B97F4A7C15
	le := binary.LittleEndian
	x, y := uint64(len(b)), uint64(p)
	switch n := len(b); {
	case n > 16:
		tail := b[n-16:]
		for ; len(b) > 16; b = b[16:] {
			x = (x ^ le.Uint64(b)) * p
			y = (y ^ le.Uint64(b[8:])) * p
			x, y = x^x>>32, y^y>>29
		}
		x, y = (x^le.Uint64(tail))*p, (y^le.Uint64(tail[8:]))*p
	case n >= 8:
		x, y = (x^le.Uint64(b))*p, (y^le.Uint64(b[n-8:]))*p
	case n >= 4:
		x = (x ^ (uint64(le.Uint32(b)) | uint64(le.Uint32(b[n-4:]))<<32)) * p
	case n > 0:
		x = (x ^ (uint64(b[0]) | uint64(b[n/2])<<8 | uint64(b[n-1])<<16)) * p
	}
	x = (x ^ x>>32 ^ y ^ y>>29) * p
	return uint32(x >> 32)
}

// lookup returns the slot for a value, and whether it holds it. A value has two slots that it may be in.
func (c *valueCache) lookup(v *gathered) (slot *cacheSlot, found bool) {
	if c.slots == nil {
		c.slots = make([]cacheSlot, c.size)
	}
	hash, mask := cacheHash(v.text), uint32(c.size-1)
	h := hash & mask
	a, b := &c.slots[h], &c.slots[(hash>>16^h)&mask]
	if a.holds(v) {
		return a, true
	}
	if b.holds(v) {
		return b, true
	}
	if c.turn++; c.turn&1 != 0 {
		return a, false
	}
	return b, false
}

func (s *cacheSlot) holds(v *gathered) bool {
	return string(s.text) == string(v.text) && s.mask == v.mask && s.split == int32(v.split)
}

// store remembers what was found in a value, unless it is too much.
func (s *cacheSlot) store(v *gathered, hits []valueHit, find int) bool {
	if len(hits) > cacheHits {
		return false
	}
	s.gen++
	s.text = append(s.text[:0], v.text...)
	s.mask, s.split = v.mask, int32(v.split)
	s.hits, s.find = append(s.hits[:0], hits...), find
	return true
}

// learn notes the answer of a predicate that may have been true of the slot's value.
func (s *cacheSlot) learn(pred int32, ok bool, start, end int) {
	for i := range s.hits {
		if h := &s.hits[i]; h.pred == pred && h.start < 0 {
			if ok {
				h.start, h.end = int32(start), int32(end)
				return
			}
			last := len(s.hits) - 1
			if i < s.find {
				s.find--
				*h = s.hits[s.find]
				h = &s.hits[s.find]
			}
			*h = s.hits[last]
			s.hits = s.hits[:last]
			return
		}
	}
}
