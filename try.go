package vanguard

import "github.com/helixvanguard/vanguard/event"

// Try judges log by itself and tells which rules spoke, by name: those that matched a record, and those behind a
// finding. The value is true for a rule that only feeds correlations. It is how rules are tested on samples.
func (e *Engine) Try(log []byte) (raised map[string]bool, r *Report) {
	raised = map[string]bool{}
	one := *e
	one.opt.Workers, one.opt.OnUpdate = 1, nil
	a := one.Analyzer()
	one.opt.OnEvent = func(*event.Event) {
		for _, s := range a.signals {
			raised[s.Detector.Name] = s.Detector.Base
		}
	}
	src := a.Source("sample")
	src.Write(log)
	src.Close()
	for _, in := range a.track.Result().Incidents {
		for _, h := range in.Hits {
			raised[h.Detector.Name] = h.Detector.Base
		}
	}
	return raised, a.Report()
}
