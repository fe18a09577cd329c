package vanguard

import (
	"math/bits"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/rule"
)

// A repeatMemory remembers what all judges together said of a request: what scanners ask for and what everybody's browser misses comes again and again, with
// the same agent and the same answer. Like dullMemory it changes nothing of what is said, and knows values by their hashes.
type repeatMemory struct {
	once [repeatOnce]uint64 // keys of requests that came once and raised nothing: of these, what comes again is worth its room
	keys [repeatSlots]uint64
	said [repeatSlots]*said
	used [repeatSlots]uint8 // how often lately, so that what comes often stays
}

const (
	repeatSlots = 1 << 10 // powers of two
	repeatOnce  = 1 << 12
	oftenUsed   = 8
)

// A said is what was said of one request. It is never changed: Events that wait to be observed may hold its texts.
type said struct {
	asked   []rule.Asked // what must be answered alike
	decoded []event.Decoded
	values  []valueSet
	signals []event.Signal // their Spans count from the front of a field's value
	fields  []event.Field  // that field, of each
}

// A valueSet is what a model set.
type valueSet struct {
	field event.Field
	value []byte
}

// requestFields are those in which the guilty bytes of a remembered request may stand.
var requestFields = [...]event.Field{event.Path, event.Query, event.Referer, event.UserAgent, event.Method, event.HTTPVersion}

// A repeatKey names the requests of which the same is said: whole by all their values, loose by those that are not dull.
type repeatKey struct{ whole, loose uint64 }

// looseFields are those in which dull values change all the time: a page's address before each request for what is in it.
const looseFields = 1<<event.Referer | 1<<event.UserAgent

// key is that of a request, or zero if judges may look at more than at its values, or will say nothing.
func (r *repeatMemory) key(ev *event.Event, l *dullLook) (k repeatKey) {
	set := ev.Fields() &^ (1 << event.SourceIP)
	if set&^ev.Dull == 0 && ev.Status < 400 { // Fast path - nothing to say.
		return k
	}
	if ev.Kind != event.KindWeb || set&^rule.RequestFields != 0 || len(ev.Extra()) > 0 || ev.Object != nil {
		return k
	}
	whole := set<<10 | uint64(ev.Status)
	loose := whole ^ ev.Dull&looseFields<<32
	for i, key := range l.keys {
		f := dullFields[i]
		if key == 0 && f&set != 0 {
			return k // a value without a key
		}
		whole = stir(whole ^ key)
		if f&looseFields&ev.Dull == 0 {
			loose = stir(loose ^ key)
		}
	}
	return repeatKey{whole | 1, loose &^ 1}
}

func stir(x uint64) uint64 {
	hi, lo := bits.Mul64(x, 0x9E3779B97F4A7C15)
	return hi ^ lo
}

// say repeats what was said of a request with that key.
func (r *repeatMemory) say(key repeatKey, ev *event.Event, m *rule.Matcher, dst *[]event.Signal) bool {
	return r.sayOf(key.loose, ev, m, dst) || r.sayOf(key.whole, ev, m, dst)
}

func (r *repeatMemory) sayOf(key uint64, ev *event.Event, m *rule.Matcher, dst *[]event.Signal) bool {
	at := key >> 32 % repeatSlots
	if r.keys[at] != key || !inOrder(ev) {
		return false
	}
	s := r.said[at]
	if !m.Repeats(s.asked, ev) {
		return false
	}
	r.used[at] = min(r.used[at]+1, oftenUsed)
	for _, d := range s.decoded {
		ev.SetDecoded(d.Field, d.Text)
	}
	for _, v := range s.values {
		ev.Set(v.field, v.value)
	}
	for i, signal := range s.signals {
		if signal.Span != (event.Span{}) {
			base, _ := ev.Span(ev.Get(s.fields[i]))
			signal.Span[0] += base[0]
			signal.Span[1] += base[0]
		}
		*dst = append(*dst, signal)
	}
	return true
}

// learn remembers what was said of a request that had these fields before it was judged.
func (r *repeatMemory) learn(k repeatKey, ev *event.Event, m *rule.Matcher, fields uint64, signals []event.Signal) {
	key := k.whole
	if m.Looked()&ev.Dull&looseFields == 0 {
		key = k.loose
	}
	if once := &r.once[key>>32%repeatOnce]; len(signals) == 0 && *once != key {
		*once = key
		return
	}
	at := key >> 32 % repeatSlots
	if r.used[at] > 0 && r.keys[at] != key { // Who is there was asked for lately.
		r.used[at]--
		return
	}
	if !inOrder(ev) {
		return
	}
	s := &said{asked: m.Asked(), signals: append([]event.Signal(nil), signals...), fields: make([]event.Field, len(signals))}
	for i := range s.signals {
		if at := &s.signals[i].Span; *at != (event.Span{}) {
			f, base, ok := homeOf(ev, *at)
			if !ok || 1<<f&looseFields&ev.Dull != 0 && key != k.whole {
				return
			}
			s.fields[i] = f
			at[0] -= base
			at[1] -= base
		}
	}
	for set := ev.Fields() &^ fields; set != 0; set &= set - 1 {
		f := event.Field(bits.TrailingZeros64(set))
		s.values = append(s.values, valueSet{f, ev.Get(f)}) // of a rule's file: models set nothing else
	}
	for _, d := range ev.Decoded() {
		s.decoded = append(s.decoded, event.Decoded{Field: d.Field, Text: append([]byte(nil), d.Text...)})
	}
	r.keys[at], r.said[at], r.used[at] = key, s, 1
}

// inOrder tells whether the values of a request stand in the record as they came: then what is known of one such record is known of all.
func inOrder(ev *event.Event) bool {
	for _, f := range requestFields {
		v := ev.Get(f)
		if _, ok := ev.Span(v); !ok && len(v) > 0 {
			return false
		}
	}
	path, query := ev.Get(event.Path), ev.Get(event.Query)
	n := len(path)
	return len(query) == 0 || cap(path) > n+len(query) && &path[:n+2][n+1] == &query[0]
}

// homeOf finds the field in which a span of the record begins.
func homeOf(ev *event.Event, at event.Span) (f event.Field, base int, ok bool) {
	for _, f := range requestFields {
		if home, ok := ev.Span(ev.Get(f)); ok && home[0] <= at[0] && at[0] < home[1] {
			return f, home[0], at[1] <= home[1] || f == event.Path
		}
	}
	return 0, 0, false
}
