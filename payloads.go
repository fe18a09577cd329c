package vanguard

import (
	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
)

const (
	maxPayload = 64 << 10 // bytes of one field that are decoded; a longer value is judged by its front and as it stands
	maxLeaves  = 512      // leaves of one structured record that are decoded
)

// attackerFields are the fields whose bytes a client may have written.
var attackerFields = func() (list []event.Field) {
	for f := range event.NumFields {
		switch f {
		case event.Method, event.HTTPVersion, event.RequestBytes, event.ForwardedFor:
		default:
			if f.By() != event.Server {
				list = append(list, f)
			}
		}
	}
	return list
}()

// canonicalise records the canonical form of everything that a client may have written into ev, once for all judges.
// scratch is memory to work in, returned for the next call.
func canonicalise(ev *event.Event, scratch []byte) []byte {
	set := ev.Fields()
	for _, f := range attackerFields {
		if set&(1<<f) != 0 {
			scratch = canonical(ev, f, ev.Get(f), scratch)
		}
	}
	for _, p := range ev.Extra() {
		if p.By != event.Server {
			scratch = canonical(ev, event.Body, p.Value, scratch)
		}
	}
	if ev.Object != nil && ev.Kind != event.KindCloud && ev.Kind != event.KindFlow {
		scratch = canonicaliseLeaves(ev, scratch)
	}
	return scratch
}

// canonicaliseLeaves does the same for the leaves of a structured record. It stands alone because what its
// closure holds is allocated, and a record without a tree should pay nothing.
func canonicaliseLeaves(ev *event.Event, scratch []byte) []byte {
	n := 0
	ev.Object.Walk(func(path, leaf []byte) bool {
		n++
		if len(leaf) >= 4 && decode.Needed(leaf) && !event.ServerLeaf(path) && !held(ev, leaf) {
			scratch = canonical(ev, event.Body, leaf, scratch)
		}
		return n < maxLeaves
	})
	return scratch
}

func canonical(ev *event.Event, f event.Field, v, scratch []byte) []byte {
	v = v[:min(len(v), maxPayload)]
	if !decode.Needed(v) { // Fast path - Needed is false only where Canonical would change nothing.
		return scratch
	}
	out, changed := decode.Canonical(scratch[:0], v)
	if changed {
		text := ev.Alloc(len(out))
		copy(text, out)
		ev.SetDecoded(f, text)
	}
	return out[:0]
}

// held tells whether a leaf is the very memory of fields that were decoded already: of one, or of the request line
// or URL that was split into several.
func held(ev *event.Event, leaf []byte) bool {
	set := ev.Fields()
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
	for _, f := range attackerFields {
		if set&(1<<f) != 0 {
			if v := ev.Get(f); len(v) == len(leaf) && sameStart(v, leaf) {
				return true
			}
		}
	}
	return false
}

// sameStart tells whether a and b start at the same byte in memory.
func sameStart(a, b []byte) bool { return len(a) > 0 && len(b) > 0 && &a[0] == &b[0] }
