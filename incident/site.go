package incident

import (
	"encoding/binary"

	"github.com/helixvanguard/vanguard/event"
)

// A site is what a web server usually answers, learned from all its lines: only against that does the size of one answer mean anything.
type site struct {
	Refused int              // requests for missing or forbidden things that the server did refuse (403, 404, 410)
	Sizes   [sizeSlots]usual // answers with status 200 by their size; a slot holds the last size that fell on it
}

// usual remembers on which paths one size of answer was seen.
type usual struct {
	Size  int64
	Paths [catchAll]uint32 // hashes of different paths
	N     uint8
}

const (
	sizeSlots = 2048
	catchAll  = 3 // so many different paths with answers of one size are one page that answers everything
)

func (s *site) observe(ev *event.Event) {
	switch ev.Status {
	case 403, 404, 410:
		s.Refused++
	case 200:
		if ev.Bytes <= 0 {
			return
		}
		u := &s.Sizes[uint64(ev.Bytes)*0x9e3779b97f4a7c15>>32%sizeSlots]
		if u.Size != ev.Bytes {
			*u = usual{Size: ev.Bytes}
		}
		if u.N == catchAll { // Fast path - nothing more to learn about this size.
			return
		}
		h := uint32(hash(ev.Get(event.Path)))
		for _, p := range u.Paths[:u.N] {
			if p == h {
				return
			}
		}
		u.Paths[u.N] = h
		u.N++
	}
}

// answersEverything tells whether different paths were answered 200 with this very size: a single-page
// application's fallback or a soft 404, so the size proves nothing.
func (s *site) answersEverything(size int64) bool {
	u := &s.Sizes[uint64(size)*0x9e3779b97f4a7c15>>32%sizeSlots]
	return u.Size == size && u.N == catchAll
}

// hash is a multiply-xor hash of short strings, the same on every machine.
func hash(b []byte) uint64 {
	h := uint64(len(b)) ^ 0x9e3779b97f4a7c15
	for len(b) >= 8 {
		h = (h ^ binary.LittleEndian.Uint64(b)) * 0xff51afd7ed558ccd
		h ^= h >> 32
		b = b[8:]
	}
	var tail [8]byte
	copy(tail[:], b)
	h = (h ^ binary.LittleEndian.Uint64(tail[:])) * 0xc4ceb9fe1a85ec53
	return h ^ h>>29
}
