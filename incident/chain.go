package incident

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/helixvanguard/vanguard/event"
)

const (
	maxLinks   = 8                  // addresses, accounts, keys and requests remembered of one incident
	maxSources = 8                  // logs remembered of one incident
	chainGap   = int64(24 * 3600e9) // nanoseconds: steps further apart are not one story. A log whose zone is wrong is off by less
	skew       = int64(120e9)       // nanoseconds by which the clocks of two logs may differ
	maxSteps   = 24                 // steps of one chain that are shown
	maxLent    = 4096               // keys of cloud sessions whose origin is remembered
)

// A loan is a key that a cloud lent to somebody for a session, and who he was before: the first of a row of roles.
type loan struct{ By string }

var credentialsPath = [...]string{"responseElements", "credentials", "accessKeyId"}

// lend remembers who took on a role or drew a session, by the key that he was given for it.
func (t *Tracker) lend(ev *event.Event) {
	action := ev.Get(event.Action)
	if !bytes.HasPrefix(action, []byte("AssumeRole")) && !bytes.HasPrefix(action, []byte("GetSessionToken")) && !bytes.HasPrefix(action, []byte("GetFederationToken")) || ev.Object == nil {
		return
	}
	var room [1][]byte
	keys, _ := ev.Object.Lookup(room[:0], credentialsPath[:])
	if len(keys) == 0 || len(keys[0]) == 0 || len(keys[0]) > 128 {
		return
	}
	by := clip(ev.Get(event.Principal))
	if l := t.lent.get(ev.Get(event.AccessKey)); l != nil {
		by = l.By
	}
	if by != "" {
		l, _ := t.lent.at(keys[0])
		l.By = by
	}
}

// A Chain is one story: incidents of one principal, or about one request, whichever log they stand in. Recon that nobody followed
// up is none.
type Chain struct {
	ID          string
	Who         []event.Entity // the names under which the principal was seen
	Incidents   []*Incident    // in the order in which they happened
	Sources     []string       // the logs that tell of it, by name
	Stages      []string       // of the kill chain, in its order
	Outcome     event.Outcome
	First, Last int64
	Clock       event.Clock
}

// link remembers by what in may belong to the incidents of other actors and other logs: who acted as the server knows it, and the
// request's number. A name that somebody merely tried to log in with says nothing about him.
func (t *Tracker) link(in *Incident, ev *event.Event) {
	if !slices.Contains(in.Sources, ev.Source) && len(in.Sources) < maxSources {
		in.Sources = append(in.Sources, ev.Source)
	}
	if len(in.Links) >= maxLinks {
		return
	}
	add := func(typ event.EntityType, v []byte) {
		if len(v) == 0 || len(v) > 256 || len(v) == 1 && v[0] == '-' || len(in.Links) >= maxLinks {
			return
		}
		for _, l := range in.Links {
			if l.Type == typ && l.Value == string(v) {
				return
			}
		}
		in.Links = append(in.Links, event.Entity{Type: typ, Value: string(v)})
	}
	if ev.Client.IsValid() && !ev.Client.IsLoopback() {
		add(event.EntityIP, []byte(ev.Client.Unmap().String()))
	}
	if ev.Kind == event.KindCloud {
		add(event.EntityAccount, ev.Get(event.Principal))
		add(event.EntityKey, ev.Get(event.AccessKey))
		if l := t.lent.get(ev.Get(event.AccessKey)); l != nil {
			add(event.EntityAccount, []byte(l.By))
		}
	}
	if vouched(ev) {
		add(event.EntityAccount, ev.Get(event.User))
	}
	add(event.EntityRequest, ev.Get(event.RequestID))
}

// vouched tells whether the server stands behind the record's user name.
func vouched(ev *event.Event) bool {
	switch {
	case string(ev.Get(event.Result)) == "failure", ev.Status == 401, ev.Status == 403:
		return false
	case ev.Kind == event.KindCloud, string(ev.Get(event.Result)) == "success":
		return true
	case ev.Kind == event.KindWeb:
		return ev.Status >= 200 && ev.Status < 400
	}
	return false
}

// chains finds the stories in incidents.
func chains(incidents []*Incident) (out []*Chain) {
	group := make([]int, len(incidents)) // union-find
	for i := range group {
		group[i] = i
	}
	find := func(i int) int {
		for group[i] != i {
			group[i] = group[group[i]]
			i = group[i]
		}
		return i
	}
	by := map[event.Entity][]int{}
	for i, in := range incidents {
		for _, l := range in.Links {
			by[l] = append(by[l], i)
		}
	}
	for _, same := range by { // The order does not matter: joining is commutative.
		slices.SortFunc(same, func(a, b int) int { return cmp.Or(cmp.Compare(incidents[a].First, incidents[b].First), a-b) })
		last := incidents[same[0]].Last
		for k := 1; k < len(same); k++ {
			a, b := incidents[same[k-1]], incidents[same[k]]
			if b.First-last <= chainGap || a.Clock == event.NoClock || b.Clock == event.NoClock {
				group[find(same[k])] = find(same[k-1])
			}
			last = max(last, b.Last)
		}
	}
	parts := map[int][]*Incident{}
	var order []int
	for i, in := range incidents {
		g := find(i)
		if parts[g] == nil {
			order = append(order, g)
		}
		parts[g] = append(parts[g], in)
	}
	for _, g := range order {
		if c := newChain(parts[g]); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// newChain makes a Chain of incidents that belong together, or nil if they are none: several steps, at least one of which is more
// than background noise, that lie on different stages, in different logs, or under different names.
func newChain(ins []*Incident) *Chain {
	c := &Chain{Incidents: slices.Clone(ins)}
	grave, open, actors := false, false, false
	for _, in := range ins {
		grave = grave || in.Grade() >= UnderAttack
		for _, s := range in.Stages {
			if !slices.Contains(c.Stages, s) {
				c.Stages = append(c.Stages, s)
			}
		}
		for _, s := range in.Sources {
			if !slices.Contains(c.Sources, s) {
				c.Sources = append(c.Sources, s)
			}
		}
		for _, l := range append([]event.Entity{in.Actor}, in.Links...) {
			if l.Type != event.EntityRequest && l.Value != "" && len(c.Who) < maxLinks && !slices.Contains(c.Who, l) {
				c.Who = append(c.Who, l)
			}
		}
		c.Outcome = max(c.Outcome, in.Outcome())
		actors = actors || in.Actor != ins[0].Actor
		open = open || in.Outcome() == event.Unknown
		if in.Clock != event.NoClock {
			if c.Clock == event.NoClock || in.First < c.First {
				c.First = in.First
			}
			c.Last = max(c.Last, in.Last)
			c.Clock = max(c.Clock, in.Clock)
		}
	}
	if !grave || len(ins) < 2 || len(c.Stages) < 2 && len(c.Sources) < 2 && !actors {
		return nil
	}
	if open && c.Outcome == event.Blocked {
		c.Outcome = event.Unknown
	}
	slices.Sort(c.Sources)
	slices.SortFunc(c.Who, func(a, b event.Entity) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value))
	})
	slices.SortStableFunc(c.Stages, func(a, b string) int { return slices.Index(Stages, a) - slices.Index(Stages, b) })
	c.sort()
	h := sha256.New()
	for _, in := range c.Incidents {
		h.Write([]byte(in.ID()))
	}
	c.ID = hex.EncodeToString(h.Sum(nil)[:6])
	c.Incidents = c.Incidents[:min(len(c.Incidents), maxSteps)]
	return c
}

// sort puts the incidents in the order in which they happened. Between two logs whose clocks may differ, steps that are close
// follow the kill chain.
func (c *Chain) sort() {
	s := c.Incidents
	slices.SortStableFunc(s, func(a, b *Incident) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.step(), b.step()), cmp.Compare(a.Threat, b.Threat), cmp.Compare(a.Actor.Value, b.Actor.Value))
	})
	for i := 1; i < len(s); i++ {
		for k := i; k > 0; k-- {
			a, b := s[k-1], s[k]
			if b.First-a.First > skew || b.step() >= a.step() || slices.Equal(a.Sources, b.Sources) {
				break
			}
			s[k-1], s[k] = b, a
		}
	}
}

// step is the first stage of the kill chain that in reached.
func (in *Incident) step() int {
	first := len(Stages)
	for _, s := range in.Stages {
		if i := slices.Index(Stages, s); i >= 0 {
			first = min(first, i)
		}
	}
	return first
}
