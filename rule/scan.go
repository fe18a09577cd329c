package rule

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"
)

// A scanner finds every occurrence of many literals in a text, in one pass whose cost hardly depends on how many there are.
//
// Each literal is entered under four neighbouring bytes of it (a gram), the rarest that it has. The pass folds and
// hashes the four bytes at each position and tests one bit; only where the bit is set does it compare eight bytes of each literal
// entered there, and then the literal. Unlike an automaton's, the steps do not wait for each other, the table that stays in cache has
// 32 KiB (a dense Aho-Corasick table of 7,000 literals has some 20 MiB), and it is filled in a millisecond at start-up.
// BenchmarkScanner: 2 ns a byte with 4,000 literals. Literals of two and three bytes are entered under two bytes, in
// tables of their own; one of a single byte under every pair that starts with it.
type scanner struct {
	lits []string // folded; see searchable

	bits  *[gramBits / 64]uint64 // which hashes of four folded bytes have a literal
	grams entryTable             // by those hashes
	pairs [1 << 16 / 64]uint64
	short entryTable
	alone [256]int32 // the literal that is this one byte, plus one; 0 = none
	at    []uint8    // where in each literal its gram starts
}

// An entryTable has the entries by a hash: those of bucket b stand at first[b] to first[b+1].
type entryTable struct {
	first []uint32
	shift uint
	ents  []entry
}

// An entry is a literal entered under a gram or a pair.
type entry struct {
	want, mask uint64 // eight folded bytes of the text, those around the gram, masked where the literal is shorter
	lit        int32
	at         uint8 // where in the literal these eight bytes start
	back       uint8 // where in them the gram starts
	hash       uint32
}

const (
	// caseBits folds letters; it also makes other bytes alike, which the last comparison tells apart.
	caseBits  = 0x2020202020202020
	hashPrime = 0x9E3779B1
	gramSize  = 4
	window    = 8  // bytes of a literal that are compared first
	maxGram   = 64 // grams are chosen from so many bytes of a literal

	// One bit in thirty-two is set where there are 8,000 literals. A fixed number lets the compiler leave out the checks of bounds.
	gramLog  = 18
	gramBits = 1 << gramLog     // 32 KiB
	gramWord = 32 - gramLog + 6 // a hash, shifted by so much, is the number of its word
	gramBit  = 32 - gramLog
)

func gramOf(s string, i int) uint32 {
	return (uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24) | caseBits&0xffffffff
}

func pairOf(s string, i int) uint32 { return (uint32(s[i]) | uint32(s[i+1])<<8) | caseBits&0xffff }

// newScanner enters lits. known, if there is one, tells where a literal's gram starts, and whether to enter it at all.
func newScanner(lits []string, known func(i int) (at uint8, enter bool)) *scanner {
	s := &scanner{lits: lits, bits: new([gramBits / 64]uint64), at: make([]uint8, len(lits))}
	s.grams.ents = make([]entry, 0, len(lits))
	var load [1 << 14]uint8 // literals entered under grams, by a hash
	for i, lit := range lits {
		if known != nil {
			at, enter := known(i)
			if !enter {
				continue
			}
			s.at[i] = at
		}
		if len(lit) < gramSize {
			s.enterPair(int32(i), lit)
			continue
		}
		if known == nil {
			s.at[i] = rarestGram(lit, &load)
		}
		best := s.at[i]
		g := gramOf(lit, int(best))
		if l := &load[g*hashPrime>>18]; *l < 255 {
			*l++
		}
		h := g * hashPrime
		s.bits[h>>gramWord] |= 1 << (h >> gramBit & 63)
		s.grams.add(lit, int32(i), int(best), h)
	}
	s.grams.done()
	s.short.done()
	return s
}

// harmlessText is what harmless records are full of. It steers which bytes of a literal are searched for.
const harmlessText = `GET /shop/garden/wooden-chairs-and-tables-1024?page=2&sort=price_asc&view=grid HTTP/1.1 https://www.example.com/shop/garden/
/blog/2026/09/how-to-plant-a-green-hedge-in-autumn /assets/js/vendor.4f3a91c2.min.js /assets/css/main.css?v=3.14.2 /static/fonts/inter-regular.woff2
/media/products/2034/silver-lantern_400x400.jpg /images/logo.svg /img/banner.png /favicon.ico /robots.txt /sitemap.xml /api/v1/products/1873/reviews?limit=20&offset=40
/api/v2/users/me /search?q=blue+mountain+bike&category=sports&in_stock=1&lang=en /cart/checkout/address /account/orders/123456/status /login?next=/account /news/world
/wp-content/uploads/2026/08/header-1200x630.jpg /wp-content/themes/twenty/style.css /contact /about-us /help/shipping-and-returns /downloads/report_2026.pdf
https://www.google.com/ https://duckduckgo.com/ https://m.facebook.com/ android-app://com.google.android ?utm_source=newsletter&utm_medium=email&utm_campaign=summer_sale
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1
Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
s3.amazonaws.com AssumeRole arn:aws:iam::111122223333:role/deploy us-east-1 aws-cli/2.15 Python/3.11 GetObject DescribeInstances ListBuckets eu-central-1`

// commonGrams has a bit for each hash of four neighbouring bytes of harmlessText, and commonPairs how often two stand in it.
var commonGrams, commonPairs = func() (grams [1 << 14 / 64]uint64, pairs [1 << 12]uint8) {
	for i := range len(harmlessText) - gramSize {
		h := gramOf(harmlessText, i) * hashPrime >> 18
		grams[h>>6] |= 1 << (h & 63)
		if p := &pairs[pairOf(harmlessText, i)*hashPrime>>20]; *p < 255 {
			*p++
		}
	}
	return grams, pairs
}()

// rarestGram is where the four bytes of a literal start that are the rarest in harmless text, but not such under which many literals stand already.
func rarestGram(lit string, load *[1 << 14]uint8) uint8 {
	best, bestCost := 0, 1<<30
	n := min(len(lit), maxGram+gramSize-1)
	cost := 0 // of the gram that ends at i
	for i := range n {
		cost += int(byteCost[lit[i]])
		if i > 0 {
			cost += pairCost(lit, i-1)
		}
		if i >= gramSize {
			cost -= int(byteCost[lit[i-gramSize]]) + pairCost(lit, i-gramSize)
		}
		at := i - gramSize + 1
		if at < 0 {
			continue
		}
		h, all := gramOf(lit, at)*hashPrime>>18, cost
		if commonGrams[h>>6]>>(h&63)&1 != 0 {
			all += 100
		}
		if l := int(load[h]); l > 0 {
			all += 10 + 10*l
		}
		if all < bestCost {
			best, bestCost = at, all
		}
	}
	return uint8(best)
}

// pairCost guesses how common the two bytes at s[i:] are in harmless text.
func pairCost(s string, i int) int { return 8 * bits.Len8(commonPairs[pairOf(s, i)*hashPrime>>20]) }

func (s *scanner) enterPair(lit int32, text string) {
	if len(text) == 1 {
		s.alone[text[0]] = lit + 1
		for second := range 256 {
			g := (uint32(text[0]) | uint32(second)<<8) | caseBits&0xffff
			s.pairs[g>>6] |= 1 << (g & 63)
		}
		return
	}
	at := 0
	if len(text) == 3 && commonPairs[pairOf(text, 0)*hashPrime>>20] > commonPairs[pairOf(text, 1)*hashPrime>>20] {
		at = 1
	}
	g := pairOf(text, at)
	s.pairs[g>>6] |= 1 << (g & 63)
	s.short.add(text, lit, at, g*hashPrime)
}

// add enters a literal under the gram, or pair, at off of it.
func (t *entryTable) add(text string, lit int32, off int, hash uint32) {
	at := max(0, min(off-(window-gramSize)/2, len(text)-window))
	e := entry{lit: lit, at: uint8(at), back: uint8(off - at), hash: hash}
	for k := range min(window, len(text)-at) {
		e.want |= uint64(text[at+k]) << (8 * k)
		e.mask |= 0xff << (8 * k)
	}
	e.want |= caseBits & e.mask
	t.ents = append(t.ents, e)
}

// done sorts the entries into their buckets.
func (t *entryTable) done() {
	log := uint(max(4, bits.Len32(uint32(len(t.ents)))))
	t.shift = 32 - log
	t.first = make([]uint32, 1<<log+1)
	for i := range t.ents {
		t.first[t.ents[i].hash>>t.shift+1]++
	}
	for b := 1; b < len(t.first); b++ {
		t.first[b] += t.first[b-1]
	}
	sorted, next := make([]entry, len(t.ents)), slices.Clone(t.first)
	for _, e := range t.ents {
		to := &next[e.hash>>t.shift]
		sorted[*to] = e
		*to++
	}
	t.ents = sorted
}

// A hit is one occurrence of a literal.
type hit struct {
	lit   int32
	start int32
}

// scan appends every occurrence of every literal in text to dst.
func (s *scanner) scan(text []byte, dst []hit) []hit {
	tbl, pairs := s.bits, &s.pairs
	for i := 0; i < len(text); i += 5 {
		var w uint64
		if i+8 <= len(text) {
			w = binary.LittleEndian.Uint64(text[i:])
		} else {
			w = lastBytes(text, i)
		}
		w |= caseBits
		h0 := uint32(w) * hashPrime
		h1 := uint32(w>>8) * hashPrime
		h2 := uint32(w>>16) * hashPrime
		h3 := uint32(w>>24) * hashPrime
		h4 := uint32(w>>32) * hashPrime
		b0 := tbl[h0>>gramWord]>>(h0>>gramBit&63) | pairs[w>>6&1023]>>(w&63)
		b1 := tbl[h1>>gramWord]>>(h1>>gramBit&63) | pairs[w>>14&1023]>>(w>>8&63)
		b2 := tbl[h2>>gramWord]>>(h2>>gramBit&63) | pairs[w>>22&1023]>>(w>>16&63)
		b3 := tbl[h3>>gramWord]>>(h3>>gramBit&63) | pairs[w>>30&1023]>>(w>>24&63)
		b4 := tbl[h4>>gramWord]>>(h4>>gramBit&63) | pairs[w>>38&1023]>>(w>>32&63)
		for set := b0&1 | b1&1<<1 | b2&1<<2 | b3&1<<3 | b4&1<<4; set != 0; set &= set - 1 {
			k := bits.TrailingZeros64(set)
			if i+k < len(text) {
				dst = s.probe(text, i+k, uint32(w>>(8*k)), dst)
			}
		}
	}
	return dst
}

// lastBytes is the end of the text from i on, less than eight bytes, with zeros behind.
func lastBytes(text []byte, i int) (w uint64) {
	if n := len(text); n >= 8 {
		return binary.LittleEndian.Uint64(text[n-8:]) >> (8 * (i + 8 - n))
	}
	for k, c := range text[i:] {
		w |= uint64(c) << (8 * k)
	}
	return w
}

// probe compares the literals that are entered under the folded bytes w, which stand at text[i:].
func (s *scanner) probe(text []byte, i int, w uint32, dst []hit) []hit {
	if h := w * hashPrime; s.bits[h>>gramWord]>>(h>>gramBit&63)&1 != 0 {
		dst = s.compare(text, i, &s.grams, h, dst)
	}
	if p := w & 0xffff; s.pairs[p>>6]>>(p&63)&1 != 0 {
		if lit := s.alone[text[i]]; lit != 0 {
			dst = append(dst, hit{lit - 1, int32(i)})
		}
		dst = s.compare(text, i, &s.short, p*hashPrime, dst)
	}
	return dst
}

func (s *scanner) compare(text []byte, i int, t *entryTable, h uint32, dst []hit) []hit {
	b := h >> t.shift
	ents := t.ents[t.first[b]:t.first[b+1]]
	for k := range ents {
		e := &ents[k]
		from := i - int(e.back)
		if from >= 0 && from+window <= len(text) && (binary.LittleEndian.Uint64(text[from:])|caseBits)&e.mask != e.want {
			continue
		}
		lit := s.lits[e.lit]
		start := from - int(e.at)
		if start >= 0 && start+len(lit) <= len(text) && equalFold(text[start:start+len(lit)], lit) {
			dst = append(dst, hit{e.lit, int32(start)})
		}
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
	maxCached   = 400 // bytes of a value that is remembered
	cacheSlots  = 512 // per field; a power of two
	targetSlots = 1024
	cacheHits   = 64 // more of a value are not remembered
)

// A quietMemory remembers values that make no rule a candidate, by 64 bits of a hash with a secret seed: two values
// of the same bits are not met with in practice, and cannot be made. Most of what comes in is found here.
type quietMemory struct {
	seed maphash.Seed
	sets [][8]uint64 // each a cache line, what was met last in front; 0 = free
}

const quietSets = 1 << 11 // a power of two; 128 KiB

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
