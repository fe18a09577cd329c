// Package incident holds everything that the engine remembers over time: windows and correlations,
// what a site usually answers, incidents, and the verdict that follows.
//
// It runs on event time alone: no clock is read, so a replay gives what watching gave. Every table is bounded by
// a named limit; the key not touched for longest is forgotten first, and counted.
package incident

import (
	"slices"
	"time"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/rule"
)

const (
	maxIncidents = 4096 // incidents that are remembered
	maxWindows   = 4096 // keys of one correlation that are remembered
	maxSignals   = 64   // signals of one event that are considered, correlations included
)

// Config is what a Tracker is made from.
type Config struct {
	Correlations []*rule.Correlation
	Allow        Allow
	OnUpdate     func(Update)          // called as incidents begin and grow worse; may be nil
	Geo          Geo                   // where addresses are; nil if nobody knows
	OnSignal     func(*event.Detector) // called for every signal that counts, also of a correlation that only feeds others; may be nil
}

// An Update says that an incident is new, or that it got worse. The Incident is borrowed until OnUpdate returns.
type Update struct {
	Incident *Incident
	New      bool
}

// A Tracker takes Events in order, with their Signals, and keeps the incidents.
type Tracker struct {
	cfg       Config
	byBase    map[*event.Detector][]*windows
	all       []*windows
	tools     *windows // of tendsMany, if there is such a correlation
	sharing   *windows // of sharedBy, likewise
	loginTry  *event.Detector
	loginOK   *event.Detector
	site      site
	incidents *table[Incident]
	lent      *table[loan]  // by the session's key
	visits    *table[visit] // by account
	examples  examples
	kept      kept
	callbacks []callback
	walkers   *walkers
	members   *members
	timeline  Timeline
	last      int64 // time of the newest event of a source without times
	events    int
	allowed   map[string]int      // events that each allow entry hid
	shadows   map[string]*Tracker // what they would have led to, by allow entry
	key       []byte
	queue     []raised
}

// raised is a signal on its way to an incident.
type raised struct {
	event.Signal
	actor    event.Entity
	evidence []Evidence // of earlier lines, for a correlation that has just fired
	events   int        // events that it stands for
	lasting  bool
	parties  []uint64 // hashes of the addresses among them, of one that several share
	because  string   // why it worked, where the detector knows better than the event
}

// New returns an empty Tracker.
func New(cfg Config) *Tracker {
	t := &Tracker{
		cfg:       cfg,
		byBase:    map[*event.Detector][]*windows{},
		incidents: newTable[Incident](maxIncidents),
		lent:      newTable[loan](maxLent),
		visits:    newTable[visit](maxTravellers),
		walkers:   &walkers{},
		members:   &members{},
		allowed:   map[string]int{},
	}
	for _, c := range cfg.Correlations {
		w := &windows{c: c, keys: newTable[window](maxWindows)}
		t.all = append(t.all, w)
		if c.Detector.Name == tendsMany {
			t.tools = w
		}
		if c.Detector.Name == sharedBy {
			t.sharing = w
		}
		for _, b := range c.Bases {
			switch b.Detector.Name {
			case loginTried:
				t.loginTry = b.Detector
			case loginWorked:
				t.loginOK = b.Detector
			}
			if d := b.Detector; !slices.Contains(t.byBase[d], w) {
				t.byBase[d] = append(t.byBase[d], w)
			}
		}
	}
	return t
}

// Observe takes the next event and what was said about it. Both are borrowed.
func (t *Tracker) Observe(ev *event.Event, signals []event.Signal) {
	t.events++
	if ev.Clock != event.NoClock {
		t.last = ev.Time
	}
	early := 0 // logins that worked, of which the log tells only now
	switch ev.Kind {
	case event.KindWeb:
		t.site.observe(ev)
		if len(signals) > 0 && string(ev.Get(event.Action)) == "login" {
			early = t.site.login(ev)
		}
		if harmless(signals) {
			t.site.learn(ev)
		}
		if len(t.callbacks) > 0 {
			t.called(ev)
		}
	case event.KindCloud:
		t.lend(ev)
	case event.KindDNS, event.KindFlow:
		if len(t.callbacks) > 0 {
			t.reached(ev)
		}
	case event.KindApp, event.KindText:
		t.site.hear(ev, harmless(signals))
	}
	suspect := false
	if len(signals) > 0 {
		suspect = t.suspect(ev, signals, early)
	}
	if t.cfg.Geo != nil {
		suspect = t.travel(ev) || suspect
	}
	if ev.Kind == event.KindWeb || ev.Kind == event.KindApp {
		if d, n := t.walkers.step(ev, t.last, &t.site); d != nil {
			suspect = t.walked(ev, d, n) || suspect
		}
	}
	if ev.Clock != event.NoClock {
		t.timeline.add(ev.Time, suspect)
	}
}

// suspect follows the signals through the correlations and puts what is to be shown into incidents.
func (t *Tracker) suspect(ev *event.Event, signals []event.Signal, early int) bool {
	who := actor(ev)
	if entry := t.cfg.Allow.hides(ev, who); entry != "" {
		t.hide(entry, ev, signals, nil)
		return false
	}
	t.queue = t.queue[:0]
	for i, s := range signals[:min(len(signals), maxSignals)] {
		if entry := t.cfg.Allow.hidesRule(s.Detector); entry != "" {
			t.hide(entry, ev, signals[i:i+1], nil)
			continue
		}
		if s.Detector == t.loginTry && t.loginOK != nil && string(ev.Get(event.Result)) == "success" {
			s.Detector = t.loginOK
		}
		t.queue = append(t.queue, raised{Signal: s, actor: who, events: 1})
	}
	for i := 0; i < min(early, 4) && t.sharing != nil; i++ {
		if r, ok := t.correlate(t.sharing, ev, raised{Signal: event.Signal{Detector: t.loginOK}, actor: who, events: 1, lasting: true}); ok {
			t.queue = append(t.queue, r)
			break
		}
	}
	// A correlation that fires is a signal itself, on which others may build.
	for i := 0; i < len(t.queue) && len(t.queue) < maxSignals; i++ {
		for _, w := range t.byBase[t.queue[i].Detector] {
			r, ok := t.correlate(w, ev, t.queue[i])
			if !ok {
				continue
			}
			if entry := t.cfg.Allow.hidesRule(r.Detector); entry != "" {
				t.hide(entry, ev, nil, &r)
				continue
			}
			t.queue = append(t.queue, r)
		}
	}
	if f := t.cfg.OnSignal; f != nil {
		for i := range t.queue {
			f(t.queue[i].Detector)
		}
	}
	shown := false
	sure := 0.0
	for i := range t.queue {
		if d := t.queue[i].Detector; !d.Base && d.Threat != "" && !t.queue[i].lasting {
			sure = max(sure, d.Confidence)
		}
	}
	for i := range t.queue {
		r := &t.queue[i]
		d := r.Detector
		if d.Base || d.Threat == "" {
			continue
		}
		// A line that one detector is sure about needs no second guess at another threat.
		if !r.lasting && sure >= 0.8 && d.Confidence < 0.55 {
			continue
		}
		t.record(ev, r)
		shown = true
	}
	t.party(ev, who)
	return shown
}

// walked puts what a walk shows into an incident, unless it is known to be innocent. n is how many requests carry it.
func (t *Tracker) walked(ev *event.Event, d *event.Detector, n int) bool {
	who := actor(ev)
	entry := t.cfg.Allow.hides(ev, who)
	if entry == "" {
		entry = t.cfg.Allow.hidesRule(d)
	}
	if d == fleetSeen || d == rushSeen { // of no single client
		who = event.Entity{Type: event.EntityRoute, Value: string(Route(nil, ev.Get(event.Path)))}
	}
	r := raised{Signal: event.Signal{Detector: d, Field: event.Path}, actor: who, events: n, lasting: true}
	if entry != "" {
		t.hide(entry, ev, nil, &r)
		return false
	}
	t.record(ev, &r)
	return true
}

// record puts r into the incident of its actor and threat.
func (t *Tracker) record(ev *event.Event, r *raised) {
	d := r.Detector
	severity, noise := d.Level, d.Noise
	if ev.Kind == event.KindCloud && t.tended(ev, d) {
		severity, noise = min(severity, event.Low), true
	}
	t.key = incidentKey(t.key[:0], d.Threat, r.actor)
	in, fresh := t.incidents.at(t.key)
	if fresh {
		in.Threat, in.Actor = d.Threat, r.actor
		if ev.Peer.IsValid() {
			in.Peer = ev.Peer.String()
		}
	}
	before, level := in.Outcome(), in.Level
	out, why := judge(ev, d)
	if r.because != "" {
		why = r.because
	}
	if d.Model && out > event.Blocked { // Whether an attack worked is not asked on the classifier's word.
		out, why = event.Unknown, ""
	}
	in.hit(d, r.events, severity, noise)
	switch {
	case r.Casual != 0:
		in.casually(r.Casual)
	case !d.Model:
		in.Firm = true
	}
	if r.lasting {
		in.Lasting = true
		if day := ev.Time / int64(24*time.Hour); ev.Clock != event.NoClock && day != in.Night {
			in.Nights, in.Night = in.Nights+1, day
		}
	}
	if now := EventNumber(t.events); !r.lasting && in.Counted != now {
		in.Lines++
		in.Counted = now
	}
	in.Outcomes[out]++
	switch {
	case out >= event.LikelySucceeded:
		in.Worked = max(in.Worked, severity)
	case out == event.Blocked:
		in.Refused++
	}
	telling := false
	switch now := EventNumber(t.events); {
	case d.Level < event.Medium, d.Model:
	case in.Answered > 0 && in.Newest == now:
		in.raise(now, d.Level)
	default:
		telling = in.answer(t, ev, d.Level)
		if d.Threat == "cross-site-scripting" {
			t.plant(ev, t.key)
		}
	}
	if callsOut[d.Threat] && ev.Kind != event.KindDNS && ev.Kind != event.KindFlow && !r.lasting {
		t.await(ev, t.key)
	}
	for _, p := range r.parties {
		in.shared(p)
	}
	for _, e := range r.evidence {
		in.seen(e.Time, e.Clock)
		in.keep(e)
		if !slices.Contains(in.Sources, e.Source) && len(in.Sources) < maxSources {
			in.Sources = append(in.Sources, e.Source)
		}
	}
	t.link(in, ev)
	in.seen(ev.Time, ev.Clock)
	if d.Outcome == event.Unknown || !r.lasting || out >= event.LikelySucceeded || len(in.Evidence) < maxEvidence {
		e := t.evidence(ev, &r.Signal, out, why)
		e.Telling = telling
		in.keep(e)
	}
	t.targets(ev, in)
	t.tell(in, fresh, in.Level > level || in.Outcome() != before)
}

// incidentKey appends the key of the incident of a threat and an actor.
func incidentKey(dst []byte, threat string, who event.Entity) []byte {
	dst = append(append(append(append(dst, threat...), 0), who.Type...), 0)
	return append(dst, who.Value...)
}

// tell calls OnUpdate if in is new or got worse. What its answers amount to counts as well.
func (t *Tracker) tell(in *Incident, fresh, changed bool) {
	f := t.cfg.OnUpdate
	if f == nil || !fresh && !changed && (in.Told >= event.LikelySucceeded || in.Answered > maxAnswers && in.Answered%8 != 0) {
		return
	}
	c := *in
	c.Evidence = slices.Clone(in.Evidence)
	t.settle(&c)
	out := c.Outcome()
	if fresh || c.Level > in.ToldLevel || out != in.Told && out >= event.LikelySucceeded {
		in.Told, in.ToldLevel = out, c.Level
		f(Update{&c, fresh})
	}
}

// evidence copies what a reader needs of ev.
func (t *Tracker) evidence(ev *event.Event, s *event.Signal, out event.Outcome, why string) Evidence {
	e := Evidence{
		Event: EventNumber(t.events), Source: ev.Source, Line: ev.Line, Time: ev.Time, Clock: ev.Clock,
		Text: string(ev.Text[:min(len(ev.Text), maxText)]),
		By:   []string{s.Detector.By}, Why: s.Detector.Why,
		Outcome: out, Because: why, Status: ev.Status, Bytes: ev.Bytes, Level: s.Detector.Level, Field: s.Field,
		Told: ev.Status == 0 && ev.Kind == event.KindApp && len(ev.Get(event.Level)) > 0,
	}
	if s.Span[1] > s.Span[0] && s.Span[1] <= len(e.Text) {
		e.Spans = []event.Span{s.Span}
	}
	return e
}

// targets notes what was acted on.
func (t *Tracker) targets(ev *event.Event, in *Incident) {
	if len(in.Targets) >= maxTargets {
		return
	}
	if ev.Kind == event.KindCloud {
		if a := ev.Get(event.Action); len(a) > 0 {
			in.target(event.Entity{Type: event.EntityRoute, Value: string(ev.Get(event.Provider)) + ":" + string(a)})
		}
	} else if p := ev.Get(event.Path); len(p) > 0 {
		t.key = Route(t.key[:0], p)
		if in.Actor.Type != event.EntityRoute {
			in.target(event.Entity{Type: event.EntityRoute, Value: string(t.key)})
		}
	}
	if u := ev.Get(event.User); len(u) > 0 && len(u) < 128 && in.Actor.Type != event.EntityAccount {
		in.target(event.Entity{Type: event.EntityAccount, Value: string(u)})
	}
	if r := ev.Get(event.Resource); len(r) > 0 && len(r) < 256 {
		in.target(event.Entity{Type: event.EntityRes, Value: string(r)})
	}
}

// actor is who is held responsible for ev: in a cloud the principal, elsewhere the
// client's address, then whoever the record names.
func actor(ev *event.Event) event.Entity {
	if ev.Kind == event.KindCloud {
		if p := ev.Get(event.Principal); len(p) > 0 {
			return event.Entity{Type: event.EntityAccount, Value: clip(p)}
		}
		if k := ev.Get(event.AccessKey); len(k) > 0 {
			return event.Entity{Type: event.EntityKey, Value: clip(k)}
		}
	}
	switch {
	case ev.Client.IsValid():
		return event.Entity{Type: event.EntityIP, Value: ev.Client.String()}
	case len(ev.Get(event.SourceIP)) > 0:
		return event.Entity{Type: event.EntityIP, Value: clip(ev.Get(event.SourceIP))}
	case len(ev.Get(event.Principal)) > 0:
		return event.Entity{Type: event.EntityAccount, Value: clip(ev.Get(event.Principal))}
	case len(ev.Get(event.User)) > 0:
		return event.Entity{Type: event.EntityAccount, Value: clip(ev.Get(event.User))}
	case len(ev.Get(event.UserID)) > 0:
		return event.Entity{Type: event.EntityAccount, Value: clip(ev.Get(event.UserID))}
	case len(ev.Get(event.Session)) > 0:
		return event.Entity{Type: event.EntitySession, Value: clip(ev.Get(event.Session))}
	}
	return event.Entity{}
}

func clip(b []byte) string { return string(b[:min(len(b), 256)]) }
