// Package event holds the words that every other package speaks: what one log
// record says (Event), what somebody thinks of it (Signal), and the small
// vocabularies both are written in. It has no behaviour beyond access.
//
// Names follow the Elastic Common Schema (ECS); String gives the ECS name.
package event

import (
	"net/netip"
	"time"
	"unsafe"
)

// An Event is one normalised log record.
//
// It is borrowed: every byte slice that it holds, and the Event itself, is
// invalid after the call that handed it over returns. Whoever keeps something
// clones it.
type Event struct {
	Source string // name of the source, such as "access.log"
	Line   int    // 1-based number of the record's first line in Source
	Lines  int    // how many physical lines the record has; at least 1
	Text   []byte // the record as read, without its last line end

	Format     string // name of the format that was recognised, such as "nginx_combined"; "text" if none
	Understood bool   // a known format fitted the record
	Why        string // if not Understood: why, in a few words
	Kind       Kind

	Time  int64 // nanoseconds since 1970 UTC; meaningless when Clock is NoClock
	Clock Clock

	Client   netip.Addr    // who made the request: the true client behind trusted proxies; zero if the record does not say
	Peer     netip.Addr    // who was connected, where that differs from Client (a proxy); else zero
	Status   int           // HTTP status that the server answered; 0 unknown
	Bytes    int64         // size of the response body; -1 unknown
	Duration time.Duration // how long the request took; -1 unknown

	// Dull has a bit for each Field whose value nobody finds anything in, as was found out when the same value came before: it needs no decoding, makes
	// no rule a candidate and carries nothing for the classifier.
	Dull uint64

	// Plain has a bit for each Field of which is known that decode has nothing to undo in its value.
	Plain uint64

	// Object is the record's tree where it is structured (JSON), else nil. Fields that
	// have a name of their own (Field) are set as well.
	Object Object

	// Spare is memory that the parser which filled this Event may reuse for the next
	// record that it puts here. Nobody else touches it; Reset keeps it.
	Spare any

	set   uint64
	val   [NumFields][]byte
	extra []Pair

	decoded []Decoded
	arena   []byte
}

// A Pair is a named value without a Field of its own.
type Pair struct {
	Name  string
	Value []byte
	By    Writer
}

// Decoded is the canonical form of attacker-written text: what the
// application behind the log would have seen after undoing every encoding.
type Decoded struct {
	Field Field
	Text  []byte
}

// An Object is a structured record.
type Object interface {
	// Lookup appends the scalar values at the dotted path (already split) to dst as
	// text. Arrays on the way fan out. exists tells whether the path is there at
	// all: a JSON null exists with no value appended. Object keys that contain dots
	// match a path written with the same dots.
	Lookup(dst [][]byte, path []string) (vals [][]byte, exists bool)
	// Walk calls f for every scalar leaf with its dotted path, until f returns false.
	Walk(f func(path, value []byte) bool)
	// Keys has the KeyBit of each key at the top; all bits where that is not known. A path whose first segment has another bit does not exist.
	Keys() uint64
}

// KeyBit is one of 64 bits, by a key's length and some of its letters. The factor was sought until no two keys of a CloudTrail
// record had the same bit, and no two of its userIdentity.
func KeyBit[T string | []byte](key T) uint64 {
	n := len(key)
	if n == 0 {
		return 1
	}
	h := uint32(key[0]) | uint32(key[n-1-n/4])<<8 | uint32(key[n-1])<<16 | uint32(n)<<24
	return 1 << (h * 0xbe849cdd >> 26)
}

// Reset empties e for the next record and keeps its memory.
func (e *Event) Reset() {
	e.Source, e.Line, e.Lines, e.Text = "", 0, 1, nil
	e.Format, e.Understood, e.Why, e.Kind = "", false, "", KindText
	e.Time, e.Clock = 0, NoClock
	e.Client, e.Peer = netip.Addr{}, netip.Addr{}
	e.Status, e.Bytes, e.Duration = 0, -1, -1
	e.Object, e.Dull, e.Plain = nil, 0, 0
	e.set = 0
	e.extra = e.extra[:0]
	e.decoded = e.decoded[:0]
	e.arena = e.arena[:0]
}

// Get returns the value of f, or nil if the record has none.
func (e *Event) Get(f Field) []byte {
	if e.set&(1<<f) == 0 {
		return nil
	}
	return e.val[f]
}

// Has tells whether f was set, also to an empty value.
func (e *Event) Has(f Field) bool { return e.set&(1<<f) != 0 }

// Set sets f to v, which is borrowed like everything in an Event.
func (e *Event) Set(f Field, v []byte) {
	e.set |= 1 << f
	e.val[f] = v
}

// Fields returns the set fields as a bit set, bit 1<<f for Field f.
func (e *Event) Fields() uint64 { return e.set }

// Add appends a named value that has no Field of its own.
func (e *Event) Add(name string, v []byte, by Writer) {
	e.extra = append(e.extra, Pair{name, v, by})
}

// Extra returns the named values that have no Field of their own.
func (e *Event) Extra() []Pair { return e.extra }

// Alloc returns n bytes that live as long as the Event, for parsers and
// decoders that must build a value which the record does not contain literally.
func (e *Event) Alloc(n int) []byte {
	if cap(e.arena)-len(e.arena) < n {
		// Older values keep the old array alive; only the spare room moves.
		e.arena = make([]byte, 0, max(2*cap(e.arena), n, 512))
	}
	at := len(e.arena)
	e.arena = e.arena[:at+n]
	return e.arena[at : at+n : at+n]
}

// SetDecoded records the canonical form of f, where it differs from the raw value.
func (e *Event) SetDecoded(f Field, text []byte) {
	e.decoded = append(e.decoded, Decoded{f, text})
}

// Decoded returns the canonical forms that differ from the raw values; a field
// may have several (the query undone, and base64 inside it).
func (e *Event) Decoded() []Decoded { return e.decoded }

// Span returns the byte offsets of sub in e.Text if sub is a piece of it (the same
// memory, not merely equal), else ok is false.
func (e *Event) Span(sub []byte) (s Span, ok bool) {
	if len(sub) == 0 || len(e.Text) == 0 {
		return Span{}, false
	}
	// The addresses tell, whatever capacity a parser left to sub. They are compared, never followed.
	at := int(uintptr(unsafe.Pointer(&sub[0])) - uintptr(unsafe.Pointer(&e.Text[0])))
	if at < 0 || at+len(sub) > len(e.Text) {
		return Span{}, false
	}
	return Span{at, at + len(sub)}, true
}
