package incident

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// A callback is an address of this site to which a script, planted by an attacker, would send what it steals. Once
// another client asks for it, the script has run in that client's browser.
type callback struct {
	Path     []byte // lower case
	Prefix   []byte // of the query: "c="
	Incident []byte // its key
	Client   string // who planted it

	Host string // instead of Path: the host that an injected command or lookup would make the server call, lower case
	At   int64  // when that was asked for
}

const (
	maxCallbacks = 16 // the oldest is forgotten
	maxCallback  = 128
	minStolen    = 12           // bytes of a query that carries something away
	callDelay    = int64(600e9) // nanoseconds: a server that does what it is told does it by then, clocks that differ included
	schemeEnd    = "://"
)

// callsOut are the threats whose payload makes the server call another host.
var callsOut = map[string]bool{"log4shell": true, "command-injection": true, "ssrf": true, "xxe": true, "known-cve-exploit": true, "webshell": true, "template-injection": true}

// await notes the host that ev's payload would make the server call, so that a resolver's or a network's log can tell whether it did.
func (t *Tracker) await(ev *event.Event, key []byte) {
	for _, d := range ev.Decoded() {
		if t.awaitIn(d.Text, ev, key) {
			return
		}
	}
	for _, f := range [...]event.Field{event.Query, event.Body, event.UserAgent, event.Referer, event.Path} {
		if t.awaitIn(ev.Get(f), ev, key) {
			return
		}
	}
}

func (t *Tracker) awaitIn(text []byte, ev *event.Event, key []byte) bool {
	at := bytes.Index(text, []byte(schemeEnd))
	if at < 0 {
		return false
	}
	rest := text[at+len(schemeEnd):]
	rest = rest[:min(len(rest), maxCallback)]
	end := bytes.IndexAny(rest, "/:?#'\"`<> )}&|;\\")
	if end < 0 {
		end = len(rest)
	}
	host := strings.TrimSuffix(strings.ToLower(string(rest[:end])), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() {
			return false // calls that stay inside leave no trace at the edge
		}
	} else if !strings.Contains(host, ".") || strings.EqualFold(host, string(ev.Get(event.Host))) {
		return false
	}
	for i := range t.callbacks {
		if c := &t.callbacks[i]; c.Host == host && bytes.Equal(c.Incident, key) {
			c.At = t.last
			return true
		}
	}
	t.expect(callback{Host: host, At: t.last, Incident: bytes.Clone(key), Client: ev.Client.String()})
	return true
}

func (t *Tracker) expect(c callback) {
	if len(t.callbacks) == maxCallbacks {
		t.callbacks = append(t.callbacks[:0], t.callbacks[1:]...)
	}
	t.callbacks = append(t.callbacks, c)
}

// reached looks whether a resolver's or a network's record shows that the server called a host which only a payload had named.
func (t *Tracker) reached(ev *event.Event) {
	var host []byte
	what := "looked up"
	switch ev.Kind {
	case event.KindDNS:
		host = bytes.TrimSuffix(ev.Get(event.DNSName), []byte("."))
	case event.KindFlow:
		if a := string(ev.Get(event.Action)); !strings.EqualFold(a, "ACCEPT") || !ev.Client.IsPrivate() {
			return
		}
		host, what = ev.Get(event.DestIP), "connected to"
	}
	if len(host) == 0 {
		return
	}
	for i := range t.callbacks {
		c := &t.callbacks[i]
		if c.Host == "" || len(host) != len(c.Host) || !strings.EqualFold(string(host), c.Host) || t.last-c.At > callDelay || c.At-t.last > callDelay {
			continue
		}
		in := t.incidents.get(c.Incident)
		if in == nil || len(in.Hits) == 0 {
			continue
		}
		t.link(in, ev)
		t.answered(in, ev, "The server calls the host that the payload named.",
			fmt.Sprintf("the server then %s %s, which the payload named: it did what it was told", what, printable(host)))
		c.At = t.last - callDelay - 1 // once is enough
		return
	}
}

// answered notes that ev shows what in's payload asked for, and tells why it does.
func (t *Tracker) answered(in *Incident, ev *event.Event, why, because string) {
	in.Outcomes[event.LikelySucceeded]++
	in.Worked = max(in.Worked, in.Level)
	d := *in.Hits[0].Detector
	d.Why = why
	in.keep(t.evidence(ev, &event.Signal{Detector: &d}, event.LikelySucceeded, because))
	t.tell(in, false, true)
}

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
		c := callback{Path: bytes.ToLower(path), Prefix: bytes.Clone(query), Incident: bytes.Clone(key), Client: ev.Client.String()}
		for _, old := range t.callbacks {
			if old.Host == "" && bytes.Equal(old.Path, c.Path) && bytes.Equal(old.Incident, c.Incident) {
				return true
			}
		}
		t.expect(c)
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
		if c.Host != "" || len(path) != len(c.Path) || !bytes.EqualFold(path, c.Path) || !bytes.HasPrefix(query, c.Prefix) || ev.Client.String() == c.Client {
			continue
		}
		in := t.incidents.get(c.Incident)
		if in == nil || len(in.Hits) == 0 {
			continue
		}
		t.answered(in, ev, "Another client asks for the address to which the planted script sends what it steals.",
			fmt.Sprintf("another client, %s, then asked for %s with something in it: the script ran there", ev.Client, printable(path)))
		return
	}
}
