package vanguard

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/rule"
)

// A dullMemory remembers values in which no judge finds anything: they need no decoding, make no rule a candidate and carry nothing that the
// classifier suspects. Nearly all that a log holds came before, so one look here takes the place of three judges' looks (Event.Dull). It changes
// nothing of what they say.
//
// Values are known by 64 bits of a hash with a secret seed: two of the same bits are not met with in practice, and cannot be made.
type dullMemory struct {
	seed  maphash.Seed
	sets  [][8]uint64 // each a cache line, what was met last in front; 0 = free
	short [2][shortValues]uint64
}

const (
	dullSets    = 1 << 13 // a power of two; 512 KiB
	dullBytes   = 400     // of a value; longer ones hardly come again
	shortValues = 16      // methods, and versions of HTTP; a power of two
)

// The values of an Event that are looked up, and the fields that each covers.
const (
	dullTarget = iota // path?query
	dullReferer
	dullAgent
	dullHashed // so many are remembered by a hash, the others as they stand

	dullMethod = iota - 1
	dullVersion
	dullValues
)

var dullFields = [dullValues]uint64{
	dullTarget: 1<<event.Path | 1<<event.Query, dullReferer: 1 << event.Referer, dullAgent: 1 << event.UserAgent,
	dullMethod: 1 << event.Method, dullVersion: 1 << event.HTTPVersion,
}

// Halves of targets, as dullMemory.key names them.
const (
	dullPath  = 8 // before a query
	dullQuery = 9
)

const dullCovered = 1<<event.Path | 1<<event.Query | 1<<event.Referer | 1<<event.UserAgent

// A dullLook is what was looked up of an Event: the keys of its values, 0 where there is none, and which of them are not known.
type dullLook struct {
	keys    [dullValues]uint64
	halves  [2]uint64 // of a target that is not known: of path and query, each 0 if it is known
	unknown uint8     // a bit each
}

func newDullMemory() dullMemory {
	return dullMemory{seed: maphash.MakeSeed(), sets: make([][8]uint64, dullSets)}
}

// look sets ev.Dull and returns what was looked up.
func (d *dullMemory) look(ev *event.Event, m *rule.Matcher) (l dullLook) {
	set := ev.Fields()
	l.keys[dullTarget] = d.target(ev)
	if set>>event.Referer&1 != 0 {
		l.keys[dullReferer] = d.key(dullReferer, ev.Get(event.Referer))
	}
	if set>>event.UserAgent&1 != 0 {
		l.keys[dullAgent] = d.key(dullAgent, ev.Get(event.UserAgent))
	}
	l.keys[dullMethod], l.keys[dullVersion] = shortKey(ev.Get(event.Method)), shortKey(ev.Get(event.HTTPVersion))
	dull := uint64(0)
	for i, key := range l.keys {
		switch {
		case key == 0:
		case i < dullHashed && d.has(key), i >= dullHashed && d.short[i-dullHashed][shortSlot(key)] == key:
			dull |= dullFields[i]
		default:
			l.unknown |= 1 << i
		}
	}
	if l.unknown>>dullTarget&1 != 0 && set>>event.Query&1 != 0 {
		path := ev.Get(event.Path)
		l.halves[0] = d.key(dullPath, path)
		if l.halves[1] = d.key(dullQuery, ev.Get(event.Query)); l.halves[1] != 0 {
			l.halves[1] += m.Ending(path) * 0x9E3779B97F4A7C15 << 1
		}
		known := 0
		for i, key := range l.halves {
			if key != 0 && d.has(key) {
				l.halves[i] = 0
				known++
			}
		}
		if known == 2 {
			dull |= dullFields[dullTarget]
			l.unknown &^= 1 << dullTarget
		}
	}
	ev.Dull |= dull
	return l
}

// learn remembers the values of which everybody said that they are dull.
func (d *dullMemory) learn(l *dullLook, dull uint64) {
	for i, key := range l.keys {
		switch {
		case l.unknown>>i&1 == 0 || dullFields[i]&^dull != 0:
		case i < dullHashed:
			d.add(key)
		default:
			d.short[i-dullHashed][shortSlot(key)] = key
		}
	}
}

// learnHalves remembers path and query of a target by themselves.
func (d *dullMemory) learnHalves(l *dullLook) {
	for _, key := range l.halves {
		if key != 0 {
			d.add(key)
		}
	}
}

// add remembers in the middle of a line: what comes only once pushes out nothing that comes again and again.
func (d *dullMemory) add(key uint64) {
	set := &d.sets[key>>32&(dullSets-1)]
	copy(set[5:], set[4:])
	set[4] = key
}

func (d *dullMemory) has(key uint64) bool {
	set := &d.sets[key>>32&(dullSets-1)]
	if set[0] == key {
		return true
	}
	for i := 1; i < len(set); i++ {
		if set[i] == key {
			set[i], set[i-1] = set[i-1], key
			return true
		}
	}
	return false
}

func (d *dullMemory) key(i int, v []byte) uint64 {
	if len(v) == 0 || len(v) > dullBytes {
		return 0
	}
	return (maphash.Bytes(d.seed, v) + uint64(i)<<1) | 1
}

// target is the key of path and query. A target with scheme and host before the path has none: rules look at all of it.
func (d *dullMemory) target(ev *event.Event) uint64 {
	path, query := ev.Get(event.Path), ev.Get(event.Query)
	n := len(path)
	if n == 0 || n+len(query) > dullBytes {
		return 0
	}
	if at, ok := ev.Span(path); ok && at[0] > 0 {
		if before := ev.Text[at[0]-1]; before > ' ' && before != '"' {
			return 0
		}
	}
	switch {
	case len(query) == 0:
		return (maphash.Bytes(d.seed, path) + dullTarget<<1) | 1
	case cap(path) > n+len(query) && &path[:n+2][n+1] == &query[0]:
		// Fast path - both stand in the record as the client sent them.
		return (maphash.Bytes(d.seed, path[:n+1+len(query)]) ^ uint64(n)<<33) | 1
	}
	return (maphash.Bytes(d.seed, path)*0x9E3779B97F4A7C15 ^ maphash.Bytes(d.seed, query)) | 1
}

// shortKey is a value of eight bytes at most as a number, or 0: no two values have the same.
func shortKey(v []byte) uint64 {
	switch n := len(v); {
	case n == 8 && v[7] > 7:
		return binary.LittleEndian.Uint64(v)
	case 4 <= n && n < 8:
		return uint64(n)<<56 | uint64(binary.LittleEndian.Uint32(v)) | uint64(binary.LittleEndian.Uint32(v[n-4:]))<<(8*(n-4)&63)
	case 0 < n && n < 4:
		return uint64(n)<<56 | uint64(v[0]) | uint64(v[n/2])<<(8*(n/2)&63) | uint64(v[n-1])<<(8*(n-1)&63)
	}
	return 0
}

func shortSlot(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 >> 60 & (shortValues - 1) }
