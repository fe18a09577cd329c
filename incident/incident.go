package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"

	"github.com/helixvanguard/vanguard/event"
)

const (
	maxEvidence  = 8    // lines kept of one incident
	maxText      = 2048 // bytes kept of one line
	maxTargets   = 6    // routes, accounts and resources kept of one incident
	maxDetectors = 16   // distinct detectors kept of one incident
	parties      = 24   // addresses that took part in what several share, by which it is judged whether they belong here
	casuals      = 2    // values of one incident that may be an accident
)

// An Incident is what one actor did of one threat, over time.
type Incident struct {
	Threat   string
	Actor    event.Entity
	Peer     string // the proxy in front of the actor, where there was one
	First    int64  // nanoseconds since 1970
	Last     int64
	Clock    event.Clock
	Lines    int         // events that a rule named by themselves
	Counted  EventNumber // the last of them
	Outcomes [4]int      // signals by event.Outcome
	Level    event.Severity
	Worked   event.Severity // the most severe of what worked
	Refused  int            // signals that were refused
	Noise    bool           // nothing but background noise
	Model    bool           // nothing but the classifier's word
	Lasting  bool           // a correlation fired: more than single lines
	Firm     bool           // not only what people may have typed by themselves, see event.Signal
	Casual   [casuals]uint32
	Parties  [parties]uint64 // hashes of addresses that took part, of one that several share
	Nights   int             // days on which a correlation fired
	Night    int64           // the last of them, in days since 1970
	Hits     []Hit
	Targets  []event.Entity
	Stages   []string
	Evidence []Evidence
	Links    []event.Entity // by what it may belong to others, see chains
	Sources  []string       // logs that tell of it

	Answers  []answer    // how the server answered, at most maxAnswers
	Answered int         // answers in all
	Newest   EventNumber // of the last of them
	Longest  int64       // bytes or rows of the longest answer 2xx
	Served   int         // 2xx and 3xx among them
	Limited  int         // refusals and failures

	Told      event.Outcome // when OnUpdate was called last
	ToldLevel event.Severity

	Crowd int // other actors of whom the classifier alone says the same, see foldCrowds

	because string // of what settle decided
	settled event.Outcome
}

// EventNumber is an event's place among all that a Tracker observed, from 1.
type EventNumber int

// A Hit counts what one detector raised in an incident.
type Hit struct {
	Detector *event.Detector
	Events   int
}

// Evidence is one record that carries an incident.
type Evidence struct {
	Event   EventNumber
	Source  string
	Line    int
	Time    int64
	Clock   event.Clock
	Text    string // at most maxText bytes
	Spans   []event.Span
	By      []string
	Why     string
	Outcome event.Outcome
	Because string // why Outcome
	Status  int
	Bytes   int64
	Level   event.Severity
	Field   event.Field // where the guilty bytes stand
	Telling bool        // how it was answered may show that it worked
	Told    bool        // an application tells of it, in its own words and with a level
}

// ID is stable for the same lines: it names the threat, the actor and the first moment.
func (in *Incident) ID() string {
	h := sha256.Sum256([]byte(in.Threat + "\x00" + string(in.Actor.Type) + "\x00" + in.Actor.Value + "\x00" + strconv.FormatInt(in.First, 10)))
	return hex.EncodeToString(h[:6])
}

// Events is how many events the incident stands for: those named one by one, or what a correlation counted. The
// same events may be counted by several correlations, so the largest count stands.
func (in *Incident) Events() int {
	n := in.Lines
	for _, h := range in.Hits {
		n = max(n, h.Events)
	}
	return n
}

// Outcome is the incident's: one step that worked makes it a success; else what most generously can be said.
func (in *Incident) Outcome() event.Outcome {
	for o := event.Succeeded; o > event.Blocked; o-- {
		if in.Outcomes[o] > 0 {
			return o
		}
	}
	if in.Outcomes[event.Unknown] > 0 || in.Outcomes[event.Blocked] == 0 {
		return event.Unknown
	}
	return event.Blocked
}

// OutcomeEvidence says in words what decided Outcome.
func (in *Incident) OutcomeEvidence() string {
	out := in.Outcome()
	if in.because != "" && in.settled == out {
		return in.because
	}
	for _, e := range in.Evidence {
		if e.Outcome == out && e.Because != "" {
			return e.Because
		}
	}
	return ""
}

// Written tells whether all that was found stands inside written text.
func (in *Incident) Written() bool {
	for _, h := range in.Hits {
		if !h.Detector.Written {
			return false
		}
	}
	return len(in.Hits) > 0
}

// Confidence is the probability that the incident is real: independent detectors
// support each other, repetition of one counts for less and less.
func (in *Incident) Confidence() float64 {
	miss, model := 1.0, 0.0
	for _, h := range in.Hits {
		c := min(max(h.Detector.Confidence, 0.05), 0.98)
		if h.Detector.Model { // Several words of one witness are one word.
			model = max(model, c)
			continue
		}
		miss *= math.Pow(1-c, 1+0.2*math.Log2(float64(max(h.Events, 1))))
	}
	if in.Model {
		if in.Crowd > 0 {
			return model / 2
		}
		return model
	}
	return min(1-miss*(1-agreement*model), 0.99)
}

// casually notes a value that may have been typed without meaning harm: one or two of them are no attack, more are no accident.
func (in *Incident) casually(value uint32) {
	for i, v := range in.Casual {
		switch v {
		case value:
			return
		case 0:
			in.Casual[i] = value
			return
		}
	}
	in.Firm = true
}

// agreement is how much of the classifier's word counts beside a rule's: both read the same bytes.
const agreement = 0.5

func (in *Incident) hit(d *event.Detector, n int, level event.Severity, noise bool) {
	switch {
	case len(in.Hits) == 0:
		in.Noise, in.Model = true, d.Model
	case in.Model && !d.Model: // What a rule says takes the place of what the classifier said before.
		in.Noise, in.Model, in.Level = true, false, 0
	}
	if in.Model == d.Model {
		in.Noise = in.Noise && noise
		in.Level = max(in.Level, level)
	}
	if d.Stage != "" && !slices.Contains(in.Stages, d.Stage) {
		in.Stages = append(in.Stages, d.Stage)
	}
	for i := range in.Hits {
		if in.Hits[i].Detector == d {
			in.Hits[i].Events += n
			return
		}
	}
	if len(in.Hits) < maxDetectors {
		in.Hits = append(in.Hits, Hit{d, n})
	}
}

func (in *Incident) seen(when int64, clock event.Clock) {
	if clock == event.NoClock {
		return
	}
	if in.Clock == event.NoClock || when < in.First {
		in.First = when
	}
	if in.Clock == event.NoClock || when > in.Last {
		in.Last = when
	}
	in.Clock = max(in.Clock, clock)
}

func (in *Incident) target(t event.Entity) {
	if t.Value == "" || len(in.Targets) >= maxTargets || slices.Contains(in.Targets, t) {
		return
	}
	in.Targets = append(in.Targets, t)
}

// keep adds e if it tells more than what is kept: the first two lines stay, then
// the ones that say most about the outcome, and of equals the later.
func (in *Incident) keep(e Evidence) {
	for i := range in.Evidence {
		if k := &in.Evidence[i]; k.Event == e.Event {
			k.merge(e)
			return
		}
	}
	if len(in.Evidence) < maxEvidence {
		in.Evidence = append(in.Evidence, e)
		return
	}
	least := -1
	for i := 2; i < len(in.Evidence); i++ {
		if k := &in.Evidence[i]; weight(k) <= weight(&e) && (least < 0 || weight(k) < weight(&in.Evidence[least])) {
			least = i
		}
	}
	if least >= 0 {
		copy(in.Evidence[least:], in.Evidence[least+1:])
		in.Evidence[len(in.Evidence)-1] = e
	}
}

func weight(e *Evidence) int {
	w := int(e.Level)
	switch e.Outcome {
	case event.Succeeded:
		w += 30
	case event.LikelySucceeded:
		w += 20
	case event.Unknown:
		w += 5
	}
	if e.Telling {
		w += 2
	}
	return w
}

// merge adds what another detector said about the same line.
func (k *Evidence) merge(e Evidence) {
	for _, b := range e.By {
		if !slices.Contains(k.By, b) {
			k.By = append(k.By, b)
		}
	}
	for _, s := range e.Spans {
		if !slices.Contains(k.Spans, s) {
			k.Spans = append(k.Spans, s)
		}
	}
	if e.Level > k.Level {
		k.Why, k.Level = e.Why, e.Level
	}
	k.Telling = k.Telling || e.Telling
	if e.Outcome > k.Outcome {
		k.Outcome, k.Because = e.Outcome, e.Because
	}
}
