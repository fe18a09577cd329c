package vanguard

import (
	"math/bits"

	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
)

const (
	maxPayload = 64 << 10 // bytes of one field that are decoded; a longer value is judged by its front and as it stands
	maxLeaves  = 512      // leaves of one structured record that are decoded
)

// attackerFields has a bit for each field whose bytes a client may have written.
var attackerFields = func() (mask uint64) {
	for f := range event.NumFields {
		switch f {
		case event.Method, event.HTTPVersion, event.RequestBytes, event.ForwardedFor:
		default:
			if f.By() != event.Server {
				mask |= 1 << f
			}
		}
	}
	return mask
}()

// canonicalise records the canonical form of everything that a client may have written into ev, once for all judges.
func (w *worker) canonicalise(ev *event.Event) {
	for set := ev.Fields() & attackerFields &^ ev.Dull; set != 0; set &= set - 1 {
		f := event.Field(bits.TrailingZeros64(set))
		if v := ev.Get(f); w.canonical(ev, f, v) && len(v) <= maxPayload {
			ev.Plain |= 1 << f
		}
	}
	for _, p := range ev.Extra() {
		if p.By != event.Server {
			w.canonical(ev, event.Body, p.Value)
		}
	}
	if ev.Object != nil && ev.Kind != event.KindCloud && ev.Kind != event.KindFlow {
		w.canonicaliseLeaves(ev)
	}
}

// canonicaliseLeaves does the same for the leaves of a structured record. It stands alone because what its
// closure holds is allocated, and a record without a tree should pay nothing.
func (w *worker) canonicaliseLeaves(ev *event.Event) {
	n := 0
	ev.Object.Walk(func(path, leaf []byte) bool {
		n++
		if len(leaf) >= 4 && decode.Needed(leaf) && !event.ServerLeaf(path) && !held(ev, leaf) {
			w.canonical(ev, event.Body, leaf)
		}
		return n < maxLeaves
	})
}

// canonical records the canonical form of v. plain tells that v has nothing to undo.
func (w *worker) canonical(ev *event.Event, f event.Field, v []byte) (plain bool) {
	v = v[:min(len(v), maxPayload)]
	// Fast path - Needed is false only where Canonical would change nothing. Values that are looked up in w.dull are not remembered twice.
	if 1<<f&dullCovered != 0 && !decode.Needed(v) || 1<<f&dullCovered == 0 && !w.decode.Needed(v) {
		return true
	}
	w.odd |= 1 << f
	out, changed := decode.Canonical(w.scratch[:0], v)
	if changed {
		text := ev.Alloc(len(out))
		copy(text, out)
		ev.SetDecoded(f, text)
	}
	w.scratch = out[:0]
	return false
}

// held tells whether a leaf is the very memory of fields that were decoded already: of one, or of the request line
// or URL that was split into several.
func held(ev *event.Event, leaf []byte) bool {
	path, query := len(ev.Get(event.Path)), len(ev.Get(event.Query))
	if query > 0 {
		path += 1 + query // '?'
	}
	if sameStart(ev.Get(event.Path), leaf) && path == len(leaf) {
		return true
	}
	if m := ev.Get(event.Method); sameStart(m, leaf) {
		line := len(m) + 1 + path
		if v := len(ev.Get(event.HTTPVersion)); line == len(leaf) || line+1+v == len(leaf) {
			return true
		}
	}
	for set := ev.Fields() & attackerFields; set != 0; set &= set - 1 {
		if v := ev.Get(event.Field(bits.TrailingZeros64(set))); len(v) == len(leaf) && sameStart(v, leaf) {
			return true
		}
	}
	return false
}

// sameStart tells whether a and b start at the same byte in memory.
func sameStart(a, b []byte) bool { return len(a) > 0 && len(b) > 0 && &a[0] == &b[0] }
