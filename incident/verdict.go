package incident

import (
	"cmp"
	"math"
	"slices"

	"github.com/helixvanguard/vanguard/event"
)

// Grade is how much an incident, or a whole log, is worth worrying about.
type Grade uint8

const (
	Quiet       Grade = iota // nothing
	Probed                   // background noise, or a single attempt that was refused
	UnderAttack              // real, targeted or sustained; nothing shows that it worked
	Compromised              // a step of it worked
)

// A Result is what the incidents amount to at one moment.
type Result struct {
	Grade      Grade
	Confidence float64     // that Grade is right, given that the log was understood; 0 where Grade is Quiet
	Incidents  []*Incident // worst first; copies
	Chains     []*Chain    // stories over several of them, that of the worst first
	Timeline   Timeline
	Allowed    []Allowed // what each allow entry hid, as the user wrote them
	Forgotten  int       // keys forgotten because a table was full
}

// sustained is how many refused attempts by one actor are an attack rather than a probe.
const sustained = 10

// Grade judges one incident.
func (in *Incident) Grade() Grade {
	out, c := in.Outcome(), in.Confidence()
	switch {
	case in.Model:
		return Probed // A suspicion, and no more.
	case out < event.LikelySucceeded && (!in.Firm || in.unnamed()):
		return Probed
	case in.Nights >= routine && (in.Threat == "data-exfiltration" || in.Threat == "destructive-calls"):
		return Probed // What comes back night after night is a job.
	case out >= event.LikelySucceeded && manners[in.Threat] == floods && in.Level >= event.Medium:
		return UnderAttack // What was served was served; nothing was broken into.
	case out >= event.LikelySucceeded && in.Worked >= event.High && c >= 0.6:
		return Compromised
	case out >= event.LikelySucceeded && in.Level >= event.High:
		return UnderAttack
	case out >= event.LikelySucceeded && in.Worked >= event.Medium && c >= 0.6 && in.Threat != "recon-scanning":
		return UnderAttack // A probe that found what it looked for is no noise, whoever sent it.
	case in.Noise:
		return Probed
	case in.Lasting && in.Level >= event.Medium:
		return UnderAttack
	case in.Level >= event.High && c >= 0.6 && (out == event.Unknown || in.Events() >= sustained):
		return UnderAttack
	}
	return Probed
}

// routine is on how many days the same copying or clearing away must be seen to be somebody's work.
const routine = 3

// unnamed tells whether the incident is single lines without anybody in them - no request, address or account - that no
// application tells of either: the output of a build or a script.
func (in *Incident) unnamed() bool {
	return in.Actor.Value == "" && !in.Lasting && !slices.ContainsFunc(in.Evidence, func(e Evidence) bool { return e.Told })
}

// rank keeps a flood of probes from pushing an attack out of memory, and a flood of attacks a success.
func (in *Incident) rank() uint8 { return uint8(in.Grade()) }

// Result judges everything that was observed so far. It changes nothing.
func (t *Tracker) Result() Result {
	r := Result{Timeline: Timeline{Width: t.timeline.Width, Buckets: slices.Clone(t.timeline.Buckets)}}
	t.incidents.each(func(_ string, in *Incident) {
		if t.loggedIn(in) || t.forgetful(in) {
			return
		}
		c := *in
		c.Evidence = slices.Clone(in.Evidence)
		t.settle(&c)
		slices.SortStableFunc(c.Evidence, func(a, b Evidence) int {
			return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line))
		})
		r.Incidents = append(r.Incidents, &c)
	})
	slices.SortFunc(r.Incidents, func(a, b *Incident) int {
		return cmp.Or(
			-cmp.Compare(a.Grade(), b.Grade()),
			-cmp.Compare(severityOfOutcome(a.Outcome()), severityOfOutcome(b.Outcome())),
			-cmp.Compare(a.Level, b.Level),
			-cmp.Compare(math.Round(20*a.Confidence()), math.Round(20*b.Confidence())),
			-cmp.Compare(a.Events(), b.Events()),
			cmp.Compare(a.First, b.First),
			cmp.Compare(a.Actor.Value, b.Actor.Value),
			cmp.Compare(a.Threat, b.Threat),
		)
	})
	r.Incidents = foldCrowds(r.Incidents)
	r.Chains = chains(r.Incidents)
	r.Allowed = t.preview()
	if len(r.Incidents) > 0 {
		r.Grade = r.Incidents[0].Grade()
		miss := 1.0
		for _, in := range r.Incidents {
			if in.Grade() == r.Grade {
				c := in.Confidence()
				if r.Grade == Compromised && in.Outcome() == event.LikelySucceeded {
					c *= 0.85
				}
				miss = min(miss, 1-c)
			}
		}
		r.Confidence = 1 - miss
	}
	for _, w := range t.all {
		r.Forgotten += w.keys.evicted
	}
	r.Forgotten += t.incidents.evicted
	return r
}

// crowd is how many actors the classifier alone may suspect of one threat before their number speaks against it.
const crowd = 10

// foldCrowds keeps the first of the incidents that the classifier alone suspects, where it says the same of more than crowd
// actors: what so many clients send without any rule to know it is how the site is used. What was counted over time stays, as
// many addresses may guess passwords together. list is in order, worst first.
func foldCrowds(list []*Incident) []*Incident {
	actors := map[string]int{}
	for _, in := range list {
		if in.Model && !in.Lasting {
			actors[in.Threat]++
		}
	}
	kept := list[:0]
	for _, in := range list {
		if n := actors[in.Threat]; in.Model && !in.Lasting && (n == 0 || n > crowd) {
			if n == 0 {
				continue
			}
			in.Crowd, actors[in.Threat] = n-1, 0
		}
		kept = append(kept, in)
	}
	clear(list[len(kept):])
	return kept
}

func severityOfOutcome(o event.Outcome) int {
	switch o {
	case event.Succeeded:
		return 3
	case event.LikelySucceeded:
		return 2
	case event.Unknown:
		return 1
	}
	return 0
}
