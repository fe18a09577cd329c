package incident

import (
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

// TestClassifierAlone: whatever the classifier says, and however often, its word alone makes no more than a probe, and never a success.
func TestClassifierAlone(t *testing.T) {
	model := &event.Detector{By: "model:web/sql-injection/95", Threat: "sql-injection", Level: event.Critical, Confidence: 0.95, Model: true}
	other := &event.Detector{By: "model:web/sql-injection/70", Threat: "sql-injection", Level: event.Critical, Confidence: 0.7, Model: true}
	rule := &event.Detector{By: "rule:x", Threat: "sql-injection", Level: event.High, Confidence: 0.5}
	noise := &event.Detector{By: "rule:y", Threat: "sql-injection", Level: event.Medium, Confidence: 0.5, Noise: true}

	run := func(ds ...*event.Detector) *Incident {
		tr := New(Config{})
		for i, d := range ds {
			ev := new(event.Event)
			ev.Reset()
			ev.Kind, ev.Status, ev.Bytes = event.KindWeb, 200, int64(1000+i)
			ev.Set(event.SourceIP, []byte("192.0.2.1"))
			ev.Set(event.Path, []byte("/login"))
			ev.Set(event.Action, []byte("login"))
			ev.Set(event.Result, []byte("success"))
			tr.Observe(ev, []event.Signal{{Detector: d}})
		}
		r := tr.Result()
		if len(r.Incidents) != 1 {
			t.Fatalf("%d incidents", len(r.Incidents))
		}
		return r.Incidents[0]
	}
	many := make([]*event.Detector, 50)
	for i := range many {
		many[i] = model
	}
	in := run(append(many, other)...)
	if in.Grade() != Probed || in.Outcome() != event.Unknown || in.Confidence() != 0.95 || !in.Model {
		t.Errorf("alone: grade %d, outcome %s, confidence %v, model %v", in.Grade(), in.Outcome(), in.Confidence(), in.Model)
	}
	alone := run(rule).Confidence()
	for _, ds := range [][]*event.Detector{{rule, model}, {model, rule}, {model, other, rule}} {
		in := run(ds...)
		if c := in.Confidence(); c <= alone || in.Model || in.Level != event.High {
			t.Errorf("beside a rule: confidence %v, of the rule alone %v; model %v, level %s", c, alone, in.Model, in.Level)
		}
	}
	for _, ds := range [][]*event.Detector{{noise, model}, {model, noise}} {
		if in := run(ds...); !in.Noise || in.Level != event.Medium {
			t.Errorf("beside noise: noise %v, level %s", in.Noise, in.Level)
		}
	}
}
