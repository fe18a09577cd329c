package witness

import (
	"fmt"
	"hash/maphash"
	"math"

	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/rule"
)

// steps are the probabilities at which the classifier speaks: a Detector has one confidence, so each step is one. A piece speaks
// at the highest step that its calibrated probability reaches.
var steps = [...]float64{0.5, 0.6, 0.7, 0.8, 0.9, 0.95}

// alone is the probability from which the classifier speaks where no rule agrees.
const alone = 0.9

// A Witness is a model with a Detector for each thing that it can say. It is immutable and may be shared.
type Witness struct {
	model  *neural.Model
	web    [][len(steps)]*event.Detector // by class
	text   [][len(steps)]*event.Detector // the same of the message head
	counts []*rule.Correlation
	limit  float64
}

// New makes a Witness of model.
func New(model *neural.Model) *Witness {
	w := &Witness{model: model, limit: float64(model.Web.Limit) / neural.Certain}
	for _, threat := range model.Web.Classes {
		var row [len(steps)]*event.Detector
		for i, p := range steps {
			row[i] = &event.Detector{
				By:         fmt.Sprintf("model:%s/%s/%.0f", neural.WebHead, threat, 100*p),
				Name:       "model_" + neural.WebHead,
				Title:      "The classifier takes this for an attack",
				Why:        fmt.Sprintf("The classifier takes this text for an attack with a probability of at least %.0f %%.", 100*p),
				Threat:     threat,
				Level:      event.Medium,
				Confidence: p,
				Model:      true,
				Stage:      "exploit",
			}
		}
		w.web = append(w.web, row)
	}
	if model.Text != nil {
		w.addMessages(model.Text)
	}
	return w
}

// Detectors are all that w can raise.
func (w *Witness) Detectors() (list []*event.Detector) {
	for i := range w.web {
		list = append(list, w.web[i][:]...)
	}
	for i := range w.text {
		list = append(list, w.text[i][:]...)
	}
	for _, c := range w.counts {
		list = append(list, c.Detector)
	}
	return list
}

// A Scorer is one goroutine's memory for asking a Witness.
type Scorer struct {
	w        *Witness
	nn       neural.Scratch
	text     []byte
	segments []Segment
	parts    [][2]int
	seed     maphash.Seed
	known    []known
	quiet    []uint64 // fingerprints of values no piece of which is suspect
	loud     uint64   // fields of the last Event that have a suspect piece
}

// known is what was said of a piece before.
type known struct {
	hash  uint64
	score neural.Score
}

const (
	knownPieces = 1 << 12 // pieces that are remembered; 24 bytes each
	quietValues = 1 << 12 // values that are remembered; 8 bytes each
)

// NewScorer returns a Scorer with nothing in memory.
func (w *Witness) NewScorer() *Scorer {
	return &Scorer{w: w, seed: maphash.MakeSeed(), known: make([]known, knownPieces), quiet: make([]uint64, quietValues)}
}

// Judge appends what the classifier says of ev, of which the rules' signals stand in dst[from:]. Of the request it raises one
// Signal at most: it joins a rule that suspects the same threat, or else speaks of the most suspect piece, unless a rule has
// named those bytes already.
//
// What the message head reads in an application's words comes on top.
func (s *Scorer) Judge(ev *event.Event, dst []event.Signal, from int) []event.Signal {
	dst = s.request(ev, dst, from)
	return s.message(ev, dst, from)
}

// Quiet has the fields of the last Event in which nothing is suspect.
func (s *Scorer) Quiet() uint64 { return ^s.loud }

func (s *Scorer) request(ev *event.Event, dst []event.Signal, from int) []event.Signal {
	s.segments = s.segments[:0]
	s.loud = 0
	if ev.Fields()&cutFields&^ev.Dull == 0 && len(ev.Extra()) == 0 { // Fast path
		return dst
	}
	if look := ev.Fields() & cutFields &^ ev.Dull; look != 0 {
		for _, f := range fields {
			if look>>f&1 == 0 {
				continue
			}
			if value := ev.Get(f); len(value) > 2 {
				if f == event.Path && ev.Plain>>f&1 != 0 && passed(value, inPath) { // Fast path - no piece is cut from it.
					continue
				}
				from := len(s.segments)
				if s.suspects(f, value); len(s.segments) > from {
					s.loud |= 1 << f
				}
			}
		}
	}
	s.segments = cutExtra(s.segments, ev)
	if len(s.segments) == 0 {
		return dst
	}
	rules := dst[from:]
	var at *Segment
	var best neural.Score
	joined := false
	for i := range s.segments {
		seg := &s.segments[i]
		sc := s.score(seg)
		if float64(sc.P)/neural.Certain < s.w.limit {
			continue
		}
		agrees, named := false, false
		for _, r := range rules {
			if d := r.Detector; !d.Base && d.Threat != "" {
				agrees = agrees || d.Threat == s.w.model.Web.Classes[sc.Class]
				named = named || r.Field == seg.Field
			}
		}
		switch {
		case named && !agrees, joined && !agrees, !agrees && float64(sc.P) < alone*neural.Certain:
		case at == nil, agrees && !joined, sc.P > best.P:
			at, best, joined = seg, sc, agrees
		}
	}
	if at == nil || asks(ev) {
		return dst
	}
	signal := event.Signal{Detector: s.w.web[best.Class][step(best)], Field: at.Field}
	if span, ok := ev.Span(at.Raw); ok {
		signal.Span = span
	}
	return append(dst, signal)
}

// asks tells whether the request is a question in a language of queries, to a program that takes such: only a rule knows what is wrong with one.
func asks(ev *event.Event) bool { return string(ev.Get(event.Action)) == "query" }

// suspects appends the pieces of a value of f if one of them reaches the limit. Most values of a log were seen before, and are
// passed over.
func (s *Scorer) suspects(f event.Field, value []byte) {
	h := maphash.Bytes(s.seed, value) + 2*uint64(f) | 1
	slot := &s.quiet[h>>1%quietValues]
	if *slot == h { // The seed is secret here too.
		return
	}
	from := len(s.segments)
	s.segments = cut(s.segments, f, value)
	for i := range s.segments[from:] {
		if float64(s.score(&s.segments[from+i]).P)/neural.Certain >= s.w.limit {
			return
		}
	}
	s.segments = s.segments[:from]
	*slot = h
}

// step is the highest of steps that a score reaches.
func step(sc neural.Score) int {
	i := 0
	for i+1 < len(steps) && float64(sc.P) >= steps[i+1]*neural.Certain {
		i++
	}
	return i
}

// An Opinion is what the classifier says of a piece.
type Opinion struct {
	Probability float64 // of an attack, calibrated
	Threat      string  // which, if it is one
	Suspect     bool    // the probability reaches the limit from which the classifier speaks
}

// Opinion asks about one piece.
func (s *Scorer) Opinion(seg Segment) Opinion {
	sc := s.score(&seg)
	p := float64(sc.P) / neural.Certain
	return Opinion{p, s.w.model.Web.Classes[sc.Class], p >= s.w.limit}
}

// Reading is what the message head reads in m.
func (s *Scorer) Reading(m []byte) Opinion {
	h := s.w.model.Text
	if h == nil {
		return Opinion{}
	}
	sc := h.Score(&s.nn, neural.Text, m)
	return Opinion{float64(sc.P) / neural.Certain, h.Classes[sc.Class], int(sc.P) >= h.Limit}
}

// score gives the most suspect part of a piece.
func (s *Scorer) score(seg *Segment) neural.Score {
	h := maphash.Bytes(s.seed, seg.Raw) + 2*uint64(seg.Kind) | 1
	slot := &s.known[h>>1%knownPieces]
	if slot.hash == h { // Fast path - the seed is secret, so nobody can make two pieces look alike.
		return slot.score
	}
	best := neural.Score{Logit: math.MinInt32}
	text := s.Canonical(seg.Raw)
	s.parts = Parts(s.parts[:0], text)
	for _, p := range s.parts {
		if sc := s.w.model.Web.Score(&s.nn, seg.Kind, text[p[0]:p[1]]); sc.Logit > best.Logit {
			best = sc
		}
	}
	slot.hash, slot.score = h, best
	return best
}

// Canonical is the text of a piece as the application would see it, valid until the next call.
func (s *Scorer) Canonical(raw []byte) []byte { s.text = Canonical(s.text[:0], raw); return s.text }

// Canonical appends the text of a piece as the application would see it to dst.
func Canonical(dst, raw []byte) []byte {
	from := len(dst)
	out, changed := decode.Canonical(dst, raw)
	if !changed {
		out = append(out[:from], raw...)
		for i, c := range out[from:] {
			if 'A' <= c && c <= 'Z' {
				out[from+i] = c | 0x20
			}
		}
	}
	return out
}
