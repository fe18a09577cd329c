package vanguard

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/incident"
)

// Report says what is known so far. It may be called at any time, and again; a Source that is
// still open shows what it has judged (see Source.Flush).
func (a *Analyzer) Report() *Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	res := a.track.Result()
	r := &Report{
		Schema:   "vanguard.report/1",
		Input:    a.count.input(),
		Findings: []Finding{},
		NotSeen:  a.count.notSeen(),
		LogHints: a.count.logHints(),
		Engine:   EngineInfo{Version: Version, Rules: a.engine.set.Hash()},
	}
	if m := a.engine.opt.Model; m != nil {
		r.Engine.Model = m.Hash
	}
	noisy := map[string]bool{}
	for _, in := range res.Incidents {
		if in.Noise && in.Grade() == incident.Probed {
			if r.Noise == nil {
				r.Noise = &Noise{}
			}
			r.Noise.Events += in.Events()
			noisy[in.Actor.Value] = true
		}
		r.Findings = append(r.Findings, a.engine.finding(in))
	}
	a.engine.tell(r, res.Chains)
	if r.Noise != nil {
		r.Noise.Actors = len(noisy)
		r.Noise.Summary = fmt.Sprintf("background noise: %s from %s", plural(r.Noise.Events, "scanner or bot request"), plural(r.Noise.Actors, "source"))
	}
	for _, b := range res.Timeline.Buckets {
		r.Timeline = append(r.Timeline, Bucket{Start: stamp(b.Start*1e9, a.count.clock), Seconds: res.Timeline.Width, Events: b.Events, Suspect: b.Suspect})
	}
	for _, al := range res.Allowed {
		out := Allowed{Entry: al.Entry, Events: al.Events}
		for _, in := range al.Incidents {
			f := a.engine.finding(in)
			out.Hides = append(out.Hides, Hidden{Threat: f.Threat, Title: f.Title, Actor: f.Actor, Severity: f.Severity, Outcome: f.Outcome, Events: f.Events})
		}
		r.Allowed = append(r.Allowed, out)
	}
	slices.Sort(r.Input.Problems)
	if res.Forgotten > 0 {
		r.Input.Problems = append(r.Input.Problems, fmt.Sprintf("memory limit: %s forgotten, those not seen for longest", plural(res.Forgotten, "source")))
	}
	a.conclude(r, &res)
	if top := a.engine.opt.Top; top > 0 && len(r.Findings) > top {
		r.Findings = r.Findings[:top]
	}
	r.Engine.Report = fingerprint(r)
	return r
}

// tell puts the chains into r, and into each finding the one that it is a step of.
func (e *Engine) tell(r *Report, chains []*incident.Chain) {
	at := map[string]*Finding{}
	for i := range r.Findings {
		at[r.Findings[i].ID] = &r.Findings[i]
	}
	for _, c := range chains {
		out := Chain{
			ID: c.ID, Stages: c.Stages, Sources: c.Sources, Outcome: c.Outcome.String(),
			FirstSeen: stamp(c.First, c.Clock), LastSeen: stamp(c.Last, c.Clock),
		}
		for _, w := range c.Who {
			out.Who = append(out.Who, Target{string(w.Type), w.Value})
		}
		for _, in := range c.Incidents {
			f := at[in.ID()]
			if f == nil {
				continue
			}
			f.Chain, f.ChainStages = c.ID, c.Stages
			out.Steps = append(out.Steps, Step{
				Finding: f.ID, Title: f.Title, Stages: f.Stages, Outcome: f.Outcome, Time: f.FirstSeen, Sources: in.Sources,
			})
		}
		r.Chains = append(r.Chains, out)
	}
}

// fingerprint is a hash over everything that the report says.
func fingerprint(r *Report) string {
	b, err := json.Marshal(r)
	if err != nil { // Report holds nothing that JSON cannot write, but for an impossible number.
		return ""
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:12])
}

// finding turns an incident into what a reader sees, in the words of its threat.
func (e *Engine) finding(in *incident.Incident) Finding {
	out := in.Outcome()
	f := Finding{
		ID: in.ID(), Threat: in.Threat, Title: in.Threat, Severity: in.Level.String(),
		Outcome: out.String(), OutcomeEvidence: in.OutcomeEvidence(),
		Confidence: round(in.Confidence()), Noise: in.Noise && in.Grade() == incident.Probed,
		Actor:     Actor{Type: string(in.Actor.Type), Value: in.Actor.Value, Notes: e.actorNotes(in)},
		Stages:    slices.Clone(in.Stages),
		FirstSeen: stamp(in.First, in.Clock), LastSeen: stamp(in.Last, in.Clock),
		Events: in.Events(),
	}
	for _, t := range in.Targets {
		f.Targets = append(f.Targets, Target{string(t.Type), t.Value})
	}
	for _, h := range in.Hits {
		for _, id := range h.Detector.Attack {
			if !slices.Contains(f.Attack, id) {
				f.Attack = append(f.Attack, id)
			}
		}
		for _, id := range h.Detector.CVE {
			if !slices.Contains(f.CVE, id) {
				f.CVE = append(f.CVE, id)
			}
		}
	}
	if in.Model {
		f.Classifier = true
		if in.Crowd > 0 {
			f.Doubts = append(f.Doubts, fmt.Sprintf("the classifier says the same of %s, and no rule does: more likely how this site is used than an attack", plural(in.Crowd, "other source")))
		}
		f.Doubts = append(f.Doubts, "only the classifier suspects this: no rule knows it")
	}
	if in.Written() {
		f.Doubts = append(f.Doubts, "what looks like an attack stands inside written text, which may only talk about one")
	}
	if in.Events() == 1 || len(in.Evidence) == 1 {
		f.Doubts = append(f.Doubts, "it is a single line: little evidence")
	}
	if all, err := e.threats(); err == nil && all[in.Threat] != nil {
		t := all[in.Threat]
		f.Title = t.Title
		f.OWASP, f.CWE = t.OWASP, t.CWE
		if len(f.Attack) == 0 {
			f.Attack = t.Attack
		}
		if out == event.Unknown || out == event.LikelySucceeded {
			f.Missing, f.LogHint = t.Missing, t.LogHint
		}
		if len(f.Stages) == 0 && t.Stage != "" {
			f.Stages = []string{t.Stage}
		}
		f.Doubts = append(f.Doubts, t.LookAlikes...)
		now, then := t.Advice(out)
		f.Advice = append(append(f.Advice, now...), then...)
	}
	slices.SortStableFunc(f.Stages, func(a, b string) int {
		return slices.Index(incident.Stages, a) - slices.Index(incident.Stages, b)
	})
	for i := range in.Evidence {
		ev := &in.Evidence[i]
		line := Evidence{Source: ev.Source, Line: ev.Line, Time: stamp(ev.Time, ev.Clock), Text: ev.Text, By: ev.By, Why: ev.Why}
		for _, s := range ev.Spans {
			line.Spans = append(line.Spans, s)
		}
		f.Evidence = append(f.Evidence, line)
	}
	return f
}

// actorNotes says what about the actor's address matters before somebody blocks it.
func (e *Engine) actorNotes(in *incident.Incident) []string {
	if in.Actor.Type != event.EntityIP {
		return nil
	}
	var notes []string
	addr, err := netip.ParseAddr(in.Actor.Value)
	switch {
	case err != nil:
	case addr.IsLoopback():
		notes = append(notes, "loopback address: this very machine, or a proxy on it that hides the client")
	case addr.IsPrivate() || addr.IsLinkLocalUnicast():
		notes = append(notes, "private address: inside your own network, or a proxy that hides the client; do not block it")
	}
	if err == nil && e.opt.Geo != nil {
		if p, ok := e.opt.Geo(addr.Unmap()); ok {
			for _, s := range [...]string{p.Network, p.City, p.Country} {
				if s != "" {
					notes = append(notes, s)
				}
			}
			if p.Anonymous {
				notes = append(notes, "a known exit of a VPN or of Tor")
			}
		}
	}
	if in.Peer != "" {
		notes = append(notes, "behind the proxy "+in.Peer+": block it there, not at the proxy's address")
	}
	return notes
}

func round(p float64) float64 { return math.Round(p*100) / 100 }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

// grouped is a count with its thousands set apart, once it has five digits.
func grouped(n int) string {
	s := strconv.Itoa(n)
	if n < 10_000 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// sentence makes a phrase a sentence: a capital at its front and a full stop at its end.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
