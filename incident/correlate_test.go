package incident

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/rule"
)

// The rules that the tables below correlate.
const correlationRules = `
title: a log-in failed
id: 5b0a1f0e-0001-4000-8000-000000000001
name: fail
logsource: {category: application}
detection: {sel: {event.outcome: failure}, condition: sel}
level: low
vanguard: {threat: brute-force, confidence: 0.1, base: true}
---
title: a log-in worked
id: 5b0a1f0e-0002-4000-8000-000000000002
name: ok
logsource: {category: application}
detection: {sel: {event.outcome: success}, condition: sel}
level: low
vanguard: {threat: brute-force, confidence: 0.1, base: true}
---
title: three failures in a minute
id: 5b0a1f0e-0003-4000-8000-000000000003
name: three
correlation: {type: event_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {gte: 3}}
level: medium
vanguard: {threat: brute-force, confidence: 0.8, outcome: blocked}
---
title: three accounts from one source
id: 5b0a1f0e-0004-4000-8000-000000000004
name: spray
correlation: {type: value_count, rules: [fail], group-by: [source.ip], timespan: 1m, condition: {field: user.name, gte: 3}}
level: medium
vanguard: {threat: low-and-slow, confidence: 0.8, outcome: blocked}
---
title: success after failures
id: 5b0a1f0e-0005-4000-8000-000000000005
name: worked
correlation: {type: temporal_ordered, rules: [three, ok], group-by: [source.ip], timespan: 5m}
level: critical
vanguard: {threat: account-takeover, confidence: 0.9, outcome: succeeded}
---
title: failures for root, which another rule names as well
id: 5b0a1f0e-0007-4000-8000-000000000007
name: root
logsource: {category: application}
detection: {sel: {user.name: root, event.outcome: failure}, condition: sel}
level: low
vanguard: {threat: brute-force, confidence: 0.1, base: true}
---
title: the same failures once more
id: 5b0a1f0e-0009-4000-8000-000000000009
name: again
logsource: {category: application}
detection: {sel: {user.name|startswith: roo, event.outcome: failure}, condition: sel}
level: low
vanguard: {threat: brute-force, confidence: 0.1, base: true}
---
title: four failures for root
id: 5b0a1f0e-0008-4000-8000-000000000008
name: four
correlation: {type: event_count, rules: [root, again], group-by: [source.ip], timespan: 200s, condition: {gte: 4}}
level: medium
vanguard: {threat: credential-stuffing, confidence: 0.8, outcome: blocked}
---
title: failures of one account
id: 5b0a1f0e-0006-4000-8000-000000000006
name: account
correlation: {type: event_count, rules: [fail], group-by: [user.name], timespan: 10m, condition: {gte: 5}}
level: medium
vanguard: {threat: ssh-brute-force, confidence: 0.8, outcome: blocked}
`

func tracker(t testing.TB) (*Tracker, *rule.Set) {
	t.Helper()
	rules, problems := rule.Parse("test.yaml", []byte(correlationRules))
	set, more := rule.Compile(rules, rule.Options{})
	if all := append(problems, more...); len(all) > 0 {
		t.Fatal(all)
	}
	return New(Config{Correlations: set.Correlations()}), set
}

// step is "second source user result".
func observe(t *Tracker, m *rule.Matcher, n int, step string) {
	var sec int64
	var ip, user, result string
	fmt.Sscan(step, &sec, &ip, &user, &result)
	var ev event.Event
	ev.Reset()
	ev.Source, ev.Line, ev.Kind, ev.Understood, ev.Format = "app.log", n, event.KindApp, true, "text_app"
	ev.Text = []byte(step)
	ev.Time, ev.Clock = sec*1e9, event.ZonedClock
	if sec < 0 {
		ev.Clock = event.NoClock
	}
	ev.Client = netip.MustParseAddr(ip)
	ev.Set(event.SourceIP, []byte(ip))
	ev.Set(event.User, []byte(user))
	ev.Set(event.Result, []byte(result))
	t.Observe(&ev, m.Match(&ev, nil))
}

func summary(t *Tracker) string {
	var out []string
	for _, in := range t.Result().Incidents {
		out = append(out, fmt.Sprintf("%s %s %s x%d", in.Threat, in.Actor.Value, in.Outcome(), in.Events()))
	}
	return strings.Join(out, "; ")
}

func TestCorrelations(t *testing.T) {
	f := func(name, steps, want string) {
		t.Helper()
		tr, set := tracker(t)
		m := set.NewMatcher()
		for i, s := range strings.Split(steps, ",") {
			observe(tr, m, i+1, strings.TrimSpace(s))
		}
		if got := summary(tr); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
	}
	const a, b = "192.0.2.1", "192.0.2.2"
	f("two are not three", "0 "+a+" u failure, 10 "+a+" u failure", "")
	f("three in a minute", "0 "+a+" u failure, 10 "+a+" u failure, 20 "+a+" u failure", "brute-force 192.0.2.1 blocked x3")
	f("each further one counts", "0 "+a+" u failure, 10 "+a+" u failure, 20 "+a+" u failure, 30 "+a+" u failure", "brute-force 192.0.2.1 blocked x4")
	f("too slow", "0 "+a+" u failure, 40 "+a+" u failure, 80 "+a+" u failure", "")
	f("two sources", "0 "+a+" u failure, 10 "+b+" u failure, 20 "+a+" u failure", "")
	f("out of order by a little", "20 "+a+" u failure, 0 "+a+" u failure, 10 "+a+" u failure", "brute-force 192.0.2.1 blocked x3")
	f("no times at all", "-1 "+a+" u failure, -1 "+a+" u failure, -1 "+a+" u failure", "brute-force 192.0.2.1 blocked x3")
	f("a gap starts anew", "0 "+a+" u failure, 10 "+a+" u failure, 500 "+a+" u failure, 510 "+a+" u failure", "")
	f("three accounts", "0 "+a+" u failure, 10 "+a+" v failure, 20 "+a+" w failure", "brute-force 192.0.2.1 blocked x3; low-and-slow 192.0.2.1 blocked x3")
	f("one event that two rules match counts once", "0 "+a+" root failure, 90 "+a+" root failure, 180 "+a+" root failure", "")
	f("four of them", "0 "+a+" root failure, 61 "+a+" root failure, 122 "+a+" root failure, 183 "+a+" root failure", "credential-stuffing 192.0.2.1 blocked x4")
	f("success after failures", "0 "+a+" u failure, 10 "+a+" u failure, 20 "+a+" u failure, 30 "+a+" u success",
		"account-takeover 192.0.2.1 succeeded x2; brute-force 192.0.2.1 blocked x3")
	f("success of another", "0 "+a+" u failure, 10 "+a+" u failure, 20 "+a+" u failure, 30 "+b+" u success", "brute-force 192.0.2.1 blocked x3")
	f("success before failures", "0 "+a+" u success, 10 "+a+" u failure, 20 "+a+" u failure, 30 "+a+" u failure", "brute-force 192.0.2.1 blocked x3")
	f("success too late", "0 "+a+" u failure, 10 "+a+" u failure, 20 "+a+" u failure, 900 "+a+" u success", "brute-force 192.0.2.1 blocked x3")
	f("a forgetful user", "0 "+a+" u failure, 10 "+a+" u failure, 20 "+a+" u success", "")
	f("one account from many", "0 192.0.2.1 u failure, 90 192.0.2.2 u failure, 180 192.0.2.3 u failure, 270 192.0.2.4 u failure, 360 192.0.2.5 u failure",
		"ssh-brute-force u blocked x5")
}

// A restored tracker goes on as if it had never stopped.
func TestRestoredEqualsNeverStopped(t *testing.T) {
	steps := []string{}
	for i := range 400 {
		result := "failure"
		if i%97 == 96 {
			result = "success"
		}
		steps = append(steps, fmt.Sprintf("%d 192.0.2.%d u\xff%d %s", i*7, i*i%23, i%5, result))
	}
	whole, set := tracker(t)
	m := set.NewMatcher()
	for i, s := range steps {
		observe(whole, m, i+1, s)
	}
	for _, cut := range []int{0, 1, 57, 200, 399} {
		first, set := tracker(t)
		m := set.NewMatcher()
		for i, s := range steps[:cut] {
			observe(first, m, i+1, s)
		}
		var b bytes.Buffer
		if err := first.Save(&b); err != nil {
			t.Fatal(err)
		}
		second, set := tracker(t) // rules compiled anew, as after a restart
		m = set.NewMatcher()
		var all []*event.Detector
		for _, r := range set.Rules() {
			all = append(all, r.Detector)
		}
		if err := second.Load(&b, all); err != nil {
			t.Fatal(err)
		}
		for i, s := range steps[cut:] {
			observe(second, m, cut+i+1, s)
		}
		if got, want := dump(second), dump(whole); got != want || len(want) < 1000 {
			t.Fatalf("stopped after %d:\ngot  %s\nwant %s", cut, got, want)
		}
	}
	if err := whole.Load(strings.NewReader("nonsense"), nil); err == nil {
		t.Error("a broken snapshot was taken")
	}
}

func dump(t *Tracker) string {
	r := t.Result()
	s := fmt.Sprint(r.Grade, r.Confidence, r.Forgotten, r.Timeline)
	for _, in := range r.Incidents {
		hits := ""
		for _, h := range in.Hits {
			hits += fmt.Sprint(h.Detector.Name, h.Events, " ")
		}
		c := *in
		c.Hits = nil
		s += fmt.Sprintf("\n%s %+v", hits, c)
	}
	return s
}

// A flood from ever new addresses pushes nothing grave out of memory.
func TestFloodHidesNothing(t *testing.T) {
	tr, set := tracker(t)
	m := set.NewMatcher()
	n := 0
	step := func(s string) { n++; observe(tr, m, n, s) }
	for _, s := range []string{"0 192.0.2.1 u failure", "10 192.0.2.1 u failure", "20 192.0.2.1 u failure", "30 192.0.2.1 u success"} {
		step(s)
	}
	for i := range maxIncidents + 500 {
		for k := range 3 {
			step(fmt.Sprintf("%d 2001:db8::%x v%d failure", 40+k, i+1, i))
		}
	}
	r := tr.Result()
	if len(r.Incidents) != maxIncidents || r.Forgotten == 0 {
		t.Fatalf("%d incidents, %d forgotten: no flood", len(r.Incidents), r.Forgotten)
	}
	if in := r.Incidents[0]; r.Grade != Compromised || in.Threat != "account-takeover" || in.Actor.Value != "192.0.2.1" {
		t.Errorf("grade %d, first %s by %s", r.Grade, in.Threat, in.Actor.Value)
	}
}
