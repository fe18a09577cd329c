package incident

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// A site is what a web server usually answers, learned from all its lines: only against that does the size of one answer mean anything.
type site struct {
	Refused int                // requests for missing or forbidden things that the server did refuse (403, 404, 410)
	Good    int                // records of applications that tell of a success, or have a level at which successes are told
	Sizes   [sizeSlots]usual   // answers with status 200 by their size; a slot holds the last size that fell on it
	Keys    [routeSlots]uint64 // of Routes; apart from them, so that looking one up touches one cache line
	Routes  [routeSlots]route
	Logins  [loginRoutes]logins
}

// logins are what is known of one login route.
type logins struct {
	Key   uint64     // of the route
	Plain bool       // a wrong password was answered 401: an answer 200 is a login that worked, where a form would be shown again
	Early [16]uint64 // hashes of the clients that it last answered 200 before that was known
	Next  uint8
}

const loginRoutes = 16

// The rules for a login of which the answer says nothing, for one that worked, and for an address from which several work.
const (
	loginTried  = "auth_login_try"
	loginWorked = "auth_login_ok"
	sharedBy    = "shared_address"
)

// A route is what one method and path usually answers to requests that nothing is held against.
type route struct {
	OK      uint32 // answers 2xx whose size is known
	Refused uint32 // 401, 403
	Asked   uint32 // 401 of these: who one is
	Missing uint32 // 404, 410
	Failed  uint32 // 5xx
	Moved   uint32 // 3xx whose size is known

	// The least and the greatest size of the answers 2xx, less echoes times the length of what was asked: a page that
	// repeats the question once or twice grows with it, and only one of these stays put.
	Lo, Hi [echoes]int64
	To     [2]int64      // the same of answers 3xx, less the question's length once: the Location header repeats it
	Slow   time.Duration // longest
}

const (
	routeSlots = 4096 // a power of two
	routeWays  = 4    // slots that one key may take; the least used gives way
	wellKnown  = 64   // answers after which only what is out of their range is measured
	echoes     = 3    // an answer repeats the question 0, 1 or 2 times
)

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

// learn takes one answer to a harmless request.
func (s *site) learn(ev *event.Event) {
	if ev.Status == 0 {
		return
	}
	r := s.take(routeKey(ev.Get(event.Method), ev.Get(event.Path)))
	r.Slow = max(r.Slow, ev.Duration)
	switch ev.Status / 100 {
	case 2:
		if r.OK >= wellKnown && ev.Bytes >= r.Lo[0] && ev.Bytes <= r.Hi[0] { // Fast path - nothing more to learn.
			return
		}
		if q, ok := asked(ev.Get(event.Query)); ok {
			if b, ok := asked(ev.Get(event.Body)); ok {
				r.size(ev.Bytes, q+b)
			}
		}
	case 3:
		if ev.Bytes <= 0 {
			return
		}
		q, _ := asked(ev.Get(event.Query))
		n := ev.Bytes - q
		if r.Moved == 0 {
			r.To = [2]int64{n, n}
		}
		r.To = [2]int64{min(r.To[0], n), max(r.To[1], n)}
		r.Moved++
	case 4:
		switch ev.Status {
		case 401, 403:
			r.Refused++
			if ev.Status == 401 {
				r.Asked++
			}
		case 404, 410:
			r.Missing++
		}
	case 5:
		r.Failed++
	}
}

// login follows one answer of a login route. early is how many logins of the same client have worked, as is known only now.
func (s *site) login(ev *event.Event) (early int) {
	if !ev.Client.IsValid() {
		return 0
	}
	key := routeKey(ev.Get(event.Method), ev.Get(event.Path))
	l := &s.Logins[key>>8%loginRoutes]
	if l.Key != key {
		*l = logins{Key: key}
	}
	a := ev.Client.As16()
	who := hash(a[:]) | 1
	switch ev.Status {
	case 401:
		l.Plain = true
		for i, w := range l.Early {
			if w == who {
				l.Early[i] = 0
				early++
			}
		}
	case 200, 201, 204:
		if ev.Has(event.Result) {
			return 0
		}
		if l.Plain {
			ev.Set(event.Result, []byte("success"))
			return 0
		}
		l.Early[l.Next%uint8(len(l.Early))] = who
		l.Next++
	}
	return early
}

// hear takes one record of an application.
func (s *site) hear(ev *event.Event, harmless bool) {
	l := ev.Get(event.Level)
	if string(ev.Get(event.Result)) == "success" || len(l) > 0 && (l[0]|0x20 == 'i' || l[0]|0x20 == 'd' || l[0]|0x20 == 't' || string(l) == "30" || string(l) == "20") {
		s.Good++
	}
	if !harmless {
		return
	}
	m := message(ev)
	if n, ok := rows(m); ok {
		s.take(rowsKey(m)).size(n, 0)
	}
}

// harmless tells whether nothing is held against an event by itself.
func harmless(signals []event.Signal) bool {
	for i := range signals {
		if d := signals[i].Detector; !d.Base && d.Threat != "" {
			return false
		}
	}
	return true
}

func (r *route) size(n, question int64) {
	if n < 0 {
		return
	}
	for k := range r.Lo {
		if r.OK == 0 {
			r.Lo[k], r.Hi[k] = n, n
		}
		r.Lo[k], r.Hi[k] = min(r.Lo[k], n), max(r.Hi[k], n)
		n -= question
	}
	r.OK++
}

// take returns the route of key, made anew if it is not there.
func (s *site) take(key uint64) *route {
	set := int(key % (routeSlots / routeWays) * routeWays)
	for i, k := range s.Keys[set : set+routeWays] {
		if k == key {
			return &s.Routes[set+i]
		}
	}
	least := set
	for i := set; i < set+routeWays; i++ {
		if s.Routes[i].used() < s.Routes[least].used() {
			least = i
		}
	}
	s.Keys[least], s.Routes[least] = key, route{}
	return &s.Routes[least]
}

// route returns what is known of key; nothing, if that is so.
func (s *site) route(key uint64) route {
	set := int(key % (routeSlots / routeWays) * routeWays)
	for i, k := range s.Keys[set : set+routeWays] {
		if k == key {
			return s.Routes[set+i]
		}
	}
	return route{}
}

// asks tells whether a route asks who one is: what it shows belongs to somebody.
func (s *site) asks(method, path []byte) bool {
	r := s.route(routeKey(method, path))
	return r.Asked >= 2
}

func (r *route) used() uint32 { return r.OK + r.Refused + r.Missing + r.Failed + r.Moved }

// asked is how many bytes a query or body has once its percent-encoding is undone. It is not plain if it holds what
// attacks need and few others send: the answer to an attack that no rule knows would pass for usual.
func asked(b []byte) (n int64, plain bool) {
	n = int64(len(b))
	plain = true
	b = b[:min(len(b), maxAsked)]
	any := uint8(0)
	for _, c := range b {
		any |= telling[c]
	}
	if any == 0 { // Fast path
		return n, true
	}
	entity := -maxEntity // where "&" stood last
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' && i+2 < len(b) {
			if hi, lo := unhex(b[i+1]), unhex(b[i+2]); hi < 16 && lo < 16 {
				c = hi<<4 | lo
				if c == '&' {
					entity = i
				}
				i += 2
				n -= 2
			}
		}
		if c == ';' && i-entity <= maxEntity { // &amp; in text
			continue
		}
		if odd[c] || c == '{' && i+1 < len(b) && b[i+1] == '{' {
			plain = false
		}
	}
	return n, plain
}

const (
	maxAsked  = 512 // bytes of a query or body that are looked at
	maxEntity = 12  // bytes of an HTML entity, percent-encoded at both ends
)

var odd = func() (t [256]bool) {
	for _, c := range "'`;|$\n\r\x00" {
		t[c] = true
	}
	return t
}()

// telling are the bytes that asked looks at.
var telling = func() (t [256]uint8) {
	for c := range t {
		if odd[c] || c == '%' || c == '{' {
			t[c] = 1
		}
	}
	return t
}()

// routeKey names a method and a path in which each digit counts as any other. Never 0.
func routeKey(method, path []byte) uint64 {
	const ones = 0x0101010101010101
	h := hash(method)
	for len(path) > 0 {
		var w uint64
		if len(path) >= 8 {
			w, path = binary.LittleEndian.Uint64(path), path[8:]
		} else {
			w, path = tail(path), nil
		}
		x := w ^ '0'*ones                                             // A digit is 0 to 9 now,
		digit := ^(x&(0x7f*ones) + (0x7f-9)*ones | x) & (0x80 * ones) // which leaves the top bit of this sum clear.
		w &^= digit>>3 - digit>>7                                     // Its low four bits go: every digit is '0'.
		h = (bits.RotateLeft64(h, 23) ^ w) * 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	return h | 1
}

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
	h = (h ^ tail(b)) * 0xc4ceb9fe1a85ec53
	return h ^ h>>29
}

// tail is up to seven bytes as a number.
func tail(b []byte) (w uint64) {
	n := len(b)
	switch {
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<(8*(n-4)&63)
	case n > 0:
		return uint64(b[0]) | uint64(b[n/2])<<(8*(n/2)&63) | uint64(b[n-1])<<(8*(n-1)&63)
	}
	return 0
}
