package incident

import (
	"slices"

	"github.com/helixvanguard/vanguard/event"
)

// An attack that many addresses share is one finding, about the account or route that they are after. Which addresses took part
// is kept as background noise beside it: whoever wants to shut them out needs the list, nobody else wants to read it.

// takenPart are the detectors of taking part, one for each threat that is shared like this.
var takenPart = func() map[string]*event.Detector {
	m := map[string]*event.Detector{}
	for threat, how := range manners {
		if how == guesses && threat != "carding" {
			m[threat] = &event.Detector{By: "profile:took_part:" + threat, Name: "took_part", Title: "One of many addresses that share an attack",
				Why:    "This address made some of the attempts that many addresses share, and never logged in.",
				Threat: threat, Level: event.Low, Confidence: 0.5, Noise: true, Stage: "exploit", Attack: []string{"T1110.004"}}
		}
	}
	return m
}()

// members remembers, one bit for each, which addresses ever logged in. Two that share a bit cost an address its place in the list.
type members [1024]uint64

func (m *members) add(h uint64)      { m[h>>6%uint64(len(m))] |= 1 << (h % 64) }
func (m *members) has(h uint64) bool { return m[h>>6%uint64(len(m))]&(1<<(h%64)) != 0 }

// party notes who logs in, and that ev's client took part in what r tells of an account or a route.
func (t *Tracker) party(ev *event.Event, who event.Entity) {
	if who.Type != event.EntityIP || string(ev.Get(event.Category)) != "authentication" {
		return
	}
	switch string(ev.Get(event.Result)) {
	case "success":
		t.members.add(hash([]byte(who.Value)))
		return
	case "failure":
	default:
		return
	}
	var part *raised
	for i := range t.queue {
		r := &t.queue[i]
		d := takenPart[r.Detector.Threat]
		if !r.lasting || r.Detector.Base || d == nil || r.actor.Type == event.EntityIP || r.Detector.Outcome >= event.LikelySucceeded {
			continue
		}
		t.key = incidentKey(t.key[:0], r.Detector.Threat, r.actor)
		in, _ := t.incidents.at(t.key)
		in.shared(hash([]byte(who.Value)))
		if part == nil && r.actor.Type != event.EntityCIDR {
			part = &raised{Signal: event.Signal{Detector: d, Field: r.Field, Span: r.Span}, actor: who, events: 1}
		}
	}
	if part != nil {
		t.record(ev, part)
	}
}

// shared notes an address that took part in what several share.
func (in *Incident) shared(who uint64) {
	for i, p := range in.Parties {
		if p == who {
			return
		}
		if p == 0 {
			in.Parties[i] = who
			return
		}
	}
}

const fewParties = 3 // addresses: fewer say nothing about the others

// forgetful tells whether nearly all the addresses that are said to share an attack on the login logged in as well: people who
// forgot their passwords, or a form that was down.
func (t *Tracker) forgetful(in *Incident) bool {
	n, good := 0, 0
	for _, p := range in.Parties {
		if p != 0 {
			n++
			if t.members.has(p) {
				good++
			}
		}
	}
	return n >= fewParties && good*5 >= n*4
}

// loggedIn tells whether in is about nothing but taking part, by an address that has logged in.
func (t *Tracker) loggedIn(in *Incident) bool {
	return t.members.has(hash([]byte(in.Actor.Value))) && !slices.ContainsFunc(in.Hits, func(h Hit) bool { return h.Detector.Name != "took_part" })
}
