package vanguard

import (
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/witness"
)

// An Explanation shows how one line was read, decoded and judged.
type Explanation struct {
	Line       string         `json:"line"`
	Format     string         `json:"format"`
	Kind       string         `json:"kind"`
	Understood bool           `json:"understood"`
	Why        string         `json:"why,omitempty"` // if not understood
	Time       string         `json:"time,omitempty"`
	Client     string         `json:"client,omitempty"`
	Peer       string         `json:"peer,omitempty"`
	Fields     []FieldValue   `json:"fields"`
	Decoded    []FieldValue   `json:"decoded,omitempty"` // what attacker-written text says once its encodings are undone
	Signals    []SignalReason `json:"signals,omitempty"`
	Classifier []PieceScore   `json:"classifier,omitempty"` // what the classifier says of each piece that it looked at
	Report     *Report        `json:"report"`               // the verdict on this line alone
}

// FieldValue is one value of an Explanation, and who wrote its bytes: "server", "client" or "mixed".
type FieldValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	By    string `json:"by,omitempty"`
}

// SignalReason is one reason to suspect the line.
type SignalReason struct {
	By         string  `json:"by"`
	Name       string  `json:"name"`
	Title      string  `json:"title"`
	Why        string  `json:"why,omitempty"`
	Threat     string  `json:"threat,omitempty"`
	Level      string  `json:"level"`
	Confidence float64 `json:"confidence"`
	Field      string  `json:"field,omitempty"`
	Span       [2]int  `json:"span"`
	Base       bool    `json:"base,omitempty"` // only feeds correlations
}

// PieceScore is what the classifier says of one piece of client-written text.
type PieceScore struct {
	Field       string  `json:"field"`
	Kind        string  `json:"kind"` // path, parameter, json, body, agent, referer, text
	Text        string  `json:"text"` // as the application would see it
	Probability float64 `json:"probability"`
	Threat      string  `json:"threat"`  // what it would be, if it is an attack; of a message, what it would tell
	Suspect     bool    `json:"suspect"` // the probability reaches the model's limit
}

var writerNames = map[event.Writer]string{event.Server: "server", event.Client: "client", event.Mixed: "mixed"}

// Explain reads and judges line by itself, and shows every step. A record that holds several events gives several Explanations.
func (e *Engine) Explain(line []byte) []Explanation {
	var out []Explanation
	opt := e.opt
	opt.Workers, opt.OnUpdate = 1, nil
	one := *e
	one.opt = opt
	a := one.Analyzer()
	one.opt.OnEvent = func(ev *event.Event) {
		x := Explanation{
			Line: string(ev.Text), Format: ev.Format, Kind: ev.Kind.String(), Understood: ev.Understood, Why: ev.Why,
			Time: stamp(ev.Time, ev.Clock),
		}
		if ev.Client.IsValid() {
			x.Client = ev.Client.String()
		}
		if ev.Peer.IsValid() {
			x.Peer = ev.Peer.String()
		}
		for f := range event.NumFields {
			if ev.Has(f) {
				x.Fields = append(x.Fields, FieldValue{f.String(), string(ev.Get(f)), writerNames[f.By()]})
			}
		}
		for _, p := range ev.Extra() {
			x.Fields = append(x.Fields, FieldValue{p.Name, string(p.Value), writerNames[p.By]})
		}
		for _, d := range ev.Decoded() {
			x.Decoded = append(x.Decoded, FieldValue{Name: d.Field.String(), Value: string(d.Text)})
		}
		for _, s := range a.signals {
			d := s.Detector
			x.Signals = append(x.Signals, SignalReason{
				By: d.By, Name: d.Name, Title: d.Title, Why: d.Why, Threat: d.Threat, Level: d.Level.String(),
				Confidence: d.Confidence, Field: s.Field.String(), Span: s.Span, Base: d.Base,
			})
		}
		if e.witness != nil {
			x.Classifier = pieceScores(e.witness.NewScorer(), ev)
		}
		out = append(out, x)
	}
	src := a.Source("line")
	src.Write(line)
	src.Close()
	one.opt.OnEvent = nil
	r := a.Report()
	for i := range out {
		out[i].Report = r
	}
	return out
}

func pieceScores(s *witness.Scorer, ev *event.Event) (list []PieceScore) {
	for _, seg := range witness.Cut(nil, ev) {
		o := s.Opinion(seg)
		list = append(list, PieceScore{
			Field: seg.Field.String(), Kind: seg.Kind.String(), Text: string(s.Canonical(seg.Raw)),
			Probability: round(o.Probability), Threat: o.Threat, Suspect: o.Suspect,
		})
	}
	if m := witness.Message(ev); m != nil {
		if o := s.Reading(m); o.Threat != "" {
			list = append(list, PieceScore{Field: event.Message.String(), Kind: neural.Text.String(), Text: string(m), Probability: round(o.Probability), Threat: o.Threat, Suspect: o.Suspect})
		}
	}
	return list
}
