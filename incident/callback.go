package incident

import (
	"bytes"
	"fmt"

	"github.com/helixvanguard/vanguard/event"
)

// A callback is an address of this site to which a script, planted by an attacker, would send what it steals. Once
// another client asks for it, the script has run in that client's browser.
type callback struct {
	Path     []byte // lower case
	Prefix   []byte // of the query: "c="
	Incident []byte // its key
	Client   string // who planted it
}

const (
	maxCallbacks = 16 // the oldest is forgotten
	maxCallback  = 128
	minStolen    = 12 // bytes of a query that carries something away
)

var steals = [...][]byte{[]byte("document.cookie"), []byte("localstorage"), []byte("sessionstorage")}

// plant notes where the script in ev would send what it steals.
func (t *Tracker) plant(ev *event.Event, key []byte) {
	for _, d := range ev.Decoded() {
		if t.plantIn(d.Text, ev, key) {
			return
		}
	}
	for _, f := range [...]event.Field{event.Query, event.Body, event.UserAgent, event.Referer} {
		if t.plantIn(ev.Get(f), ev, key) {
			return
		}
	}
}

func (t *Tracker) plantIn(text []byte, ev *event.Event, key []byte) bool {
	stealing := false
	for _, s := range steals {
		stealing = stealing || indexFold(text, s) >= 0
	}
	for i := 0; stealing && i+2 < len(text); i++ {
		if (text[i] != '\'' && text[i] != '"' && text[i] != '`') || text[i+1] != '/' || text[i+2] == '/' {
			continue
		}
		rest := text[i+1:]
		rest = rest[:min(len(rest), maxCallback)]
		end := bytes.IndexAny(rest, "'\"`<> ")
		if end < 0 {
			continue
		}
		path, query, asks := bytes.Cut(rest[:end], []byte{'?'})
		if !asks || len(path) < 2 || !bytes.HasSuffix(query, []byte{'='}) {
			continue
		}
		if known := t.site.route(routeKey([]byte("GET"), path)); known.used() > 0 {
			continue // Others ask for it anyway.
		}
		c := callback{bytes.ToLower(path), bytes.Clone(query), bytes.Clone(key), ev.Client.String()}
		for _, old := range t.callbacks {
			if bytes.Equal(old.Path, c.Path) && bytes.Equal(old.Incident, c.Incident) {
				return true
			}
		}
		if len(t.callbacks) == maxCallbacks {
			t.callbacks = append(t.callbacks[:0], t.callbacks[1:]...)
		}
		t.callbacks = append(t.callbacks, c)
		return true
	}
	return false
}

// called looks whether ev is what a planted script sends.
func (t *Tracker) called(ev *event.Event) {
	query := ev.Get(event.Query)
	if len(query) < minStolen || !ev.Client.IsValid() {
		return
	}
	path := ev.Get(event.Path)
	for i := range t.callbacks {
		c := &t.callbacks[i]
		if len(path) != len(c.Path) || !bytes.EqualFold(path, c.Path) || !bytes.HasPrefix(query, c.Prefix) || ev.Client.String() == c.Client {
			continue
		}
		in := t.incidents.get(c.Incident)
		if in == nil || len(in.Hits) == 0 {
			continue
		}
		in.Outcomes[event.LikelySucceeded]++
		in.Worked = max(in.Worked, in.Level)
		d := *in.Hits[0].Detector
		d.Why = "Another client asks for the address to which the planted script sends what it steals."
		in.keep(t.evidence(ev, &event.Signal{Detector: &d}, event.LikelySucceeded,
			fmt.Sprintf("another client, %s, then asked for %s with something in it: the script ran there", ev.Client, printable(path))))
		t.tell(in, false, true)
		return
	}
}
