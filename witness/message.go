package witness

import (
	"fmt"
	"time"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/rule"
)

// Message is the text of ev that the message head reads: what an application or a service wrote in its own words. nil if it has none.
func Message(ev *event.Event) []byte {
	switch ev.Kind {
	case event.KindApp, event.KindText, event.KindError, event.KindAuth, event.KindSystem:
		if m := ev.Get(event.Message); len(m) >= minTelling && (ev.Kind != event.KindAuth || string(ev.Get(event.Result)) != "success") { // Who was let in did nothing else there.
			return m
		}
	}
	return nil
}

// A telling is what a class of messages means.
type telling struct {
	threat string
	weight reason
	title  string
}

// A reason is what a message of a class is worth without a rule.
type reason uint8

const (
	everyday reason = iota // none: it happens to everybody. explain shows it
	counted                // many from one address are a reason to suspect
	telltale               // one is
)

// tellings are by class. Refused requests and worn-out tokens are everyday, and an office behind one address makes many of them.
var tellings = map[string]telling{
	"auth-failure":       {"brute-force", counted, "The classifier reads: a login failed"},
	"access-denied":      {"unauthorized-burst", everyday, "The classifier reads: somebody was refused something"},
	"lockout":            {"brute-force", everyday, "The classifier reads: somebody was locked out"},
	"privilege":          {"bfla", telltale, "The classifier reads: somebody reached for more rights"},
	"rate-limit":         {"rate-flood", everyday, "The classifier reads: somebody asked too often"},
	"token":              {"token-abuse", everyday, "The classifier reads: a token was refused"},
	"injection-reported": {"recon-scanning", telltale, "The classifier reads: the application reports an attack"},
	"crash":              {"", everyday, "The classifier reads: something crashed"},
}

// Many messages of one class from one address within a while are worth a finding: more than an office behind one address makes.
const (
	manyMessages = 40
	messageSpan  = 5 * time.Minute
	surely       = 0.99 // probability from which one message alone is a reason
)

// addMessages makes the Detectors of the message head, and the correlations that count what they raise.
func (w *Witness) addMessages(h *neural.Head) {
	for _, class := range h.Classes {
		means := tellings[class]
		var row [len(steps)]*event.Detector
		for i, p := range steps {
			row[i] = &event.Detector{
				By:         fmt.Sprintf("model:%s/%s/%.0f", neural.TextHead, class, 100*p),
				Name:       "model_message_" + class,
				Title:      means.title,
				Why:        fmt.Sprintf("%s, with a probability of at least %.0f %%.", means.title, 100*p),
				Threat:     means.threat,
				Level:      event.Low,
				Confidence: p,
				Base:       means.weight != telltale,
				Model:      true,
			}
		}
		w.text = append(w.text, row)
		if means.weight != counted {
			continue
		}
		many := &event.Detector{
			By: "model:" + neural.TextHead + "/many-" + class, Name: "model_many_" + class,
			Title:  means.title + ", many times",
			Why:    fmt.Sprintf("%s: %d times or more within %.0f minutes, from one address.", means.title, manyMessages, messageSpan.Minutes()),
			Threat: means.threat, Level: event.Medium, Confidence: 0.7, Model: true,
		}
		w.counts = append(w.counts, rule.NewCount(many, row[:], manyMessages, messageSpan))
	}
}

// Correlations count what the message head raises.
func (w *Witness) Correlations() []*rule.Correlation { return w.counts }

// message appends what the message head reads in ev. Where a rule has spoken of the event already, it only agrees.
func (s *Scorer) message(ev *event.Event, dst []event.Signal, from int) []event.Signal {
	h := s.w.model.Text
	if h == nil {
		return dst
	}
	m := Message(ev)
	if m == nil {
		return dst
	}
	sc := h.Score(&s.nn, neural.Text, m)
	if int(sc.P) < h.Limit {
		return dst
	}
	d := s.w.text[sc.Class][step(sc)]
	if !d.Base && float64(sc.P) < surely*neural.Certain {
		return dst
	}
	for _, r := range dst[from:] {
		if !d.Base && !r.Detector.Base && r.Detector.Threat != "" && r.Detector.Threat != d.Threat {
			return dst
		}
	}
	signal := event.Signal{Detector: d, Field: event.Message}
	if span, ok := ev.Span(m); ok {
		signal.Span = span
	}
	return append(dst, signal)
}
