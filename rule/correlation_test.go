package rule

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

const correlations = `
title: Failed web login
id: 6d1f4f0a-1111-4222-8333-000000000001
name: web_failed
logsource: {category: webserver}
detection: {sel: {cs-uri-stem: /login, sc-status: 401}, condition: sel}
---
title: Failed cloud login
id: 6d1f4f0a-1111-4222-8333-000000000002
name: cloud_failed
logsource: {product: aws, service: cloudtrail}
detection: {sel: {eventName: ConsoleLogin}, condition: sel}
---
title: Explicit
name: explicit
logsource: {category: webserver}
detection: {sel: {cs-uri-stem: /x}, condition: sel}
vanguard: {threat: brute-force}
---
title: Outer
name: outer
level: critical
correlation:
  type: temporal_ordered
  rules: [many, 6d1f4f0a-1111-4222-8333-000000000002, explicit]
  group-by: [source.ip]
  timespan: 1h
vanguard: {threat: account-takeover, stage: foothold, confidence: 0.8, outcome: succeeded}
---
title: Many
name: many
correlation:
  type: event_count
  rules: [web_failed, cloud_failed]
  group-by: [who, source.cidr, cs-host]
  aliases:
    who: {web_failed: cs-username, cloud_failed: userIdentity.userName}
  timespan: 90s
  condition: {gte: 3, lt: 10}
vanguard: {threat: brute-force}
---
title: Generates
name: generates
correlation:
  type: value_count
  rules: [web_failed]
  timespan: 1h30m
  generate: true
  condition: {field: [user.name, sc-status], neq: 1}
---
title: Percentile
name: percentile
correlation:
  type: value_percentile
  rules: [explicit]
  timespan: 1d
  condition: {field: sc-bytes, percentile: 95, gt: 1000}
---
title: Either
name: either
correlation:
  type: temporal
  rules: [web_failed, cloud_failed, explicit]
  timespan: 5m
  condition: web_failed and (cloud_failed or not explicit)
`

func TestCorrelation(t *testing.T) {
	s, _ := compileText(t, correlations, Options{})
	byName := map[string]*Correlation{}
	var order []string
	for _, c := range s.Correlations() {
		byName[c.Detector.Name] = c
		order = append(order, c.Detector.Name)
	}
	if got := strings.Join(order, " "); got != "many outer generates percentile either" {
		t.Errorf("order is %s", got)
	}
	det := map[string]*event.Detector{}
	for _, r := range s.Rules() {
		if r.Detector != nil {
			det[r.Name] = r.Detector
		}
	}
	// A rule without a vanguard block that a correlation names is not shown by itself; a block decides for itself.
	if !det["web_failed"].Base || !det["cloud_failed"].Base || det["explicit"].Base || det["many"].Base {
		t.Error("base flags are wrong")
	}
	many, outer := byName["many"], byName["outer"]
	if many.Type != EventCount || many.Timespan != 90*time.Second || many.Bases[0].Detector != det["web_failed"] || many.Bases[1].Detector != det["cloud_failed"] || many.Ordered {
		t.Errorf("many is %+v", many)
	}
	if strings.Join(many.GroupBy, " ") != "who source.cidr url.domain" {
		t.Errorf("grouped by %v", many.GroupBy)
	}
	if !outer.Ordered || outer.Bases[0].Correlation != many || outer.Bases[0].Detector != many.Detector || outer.Bases[1].Detector != det["cloud_failed"] || outer.Detector.Level != event.Critical {
		t.Errorf("outer is %+v", outer)
	}
	// Signals point at the same detectors.
	sig := s.NewMatcher().Match(newEvent("uri=/login|status=401"), nil)
	if len(sig) != 1 || sig[0].Detector != many.Bases[0].Detector {
		t.Errorf("signals are %v", sig)
	}
	key := func(c *Correlation, spec string, base *event.Detector, want string) {
		t.Helper()
		k, ok := c.Key([]byte("#"), newEvent(spec), base)
		got := string(k)
		if !ok {
			got += "!"
		}
		if got != want {
			t.Errorf("%s %s: key %q, want %q", c.Detector.Name, spec, got, want)
		}
	}
	key(many, "client=192.0.2.7|user.name=eve|url.domain=a.test", det["web_failed"], "#eve\x00192.0.2.0/24\x00a.test")
	key(many, `kind=cloud|client=2001:db8::1|json={"userIdentity":{"userName":"bob"}}|url.domain=b`, det["cloud_failed"], "#bob\x002001:db8::/48\x00b")
	key(many, "client=192.0.2.7|user.name=e\x00e|url.domain=a.test", det["web_failed"], "#e e\x00192.0.2.0/24\x00a.test")
	key(many, "client=192.0.2.7|url.domain=a.test", det["web_failed"], "#!")
	key(many, "client=192.0.2.7|user.name=eve|url.domain=a.test", det["explicit"], "#!")
	key(outer, "client=192.0.2.7", many.Detector, "#192.0.2.7")
	key(byName["generates"], "uri=/", det["web_failed"], "#")
	key(many, "client=192.0.2.7|user.name="+strings.Repeat("x", 400)+"|url.domain=a", det["web_failed"], "#"+strings.Repeat("x", 256)+"\x00192.0.2.0/24\x00a")

	value := func(c *Correlation, spec, want string) {
		t.Helper()
		v, ok := c.Value(newEvent(spec))
		if got := string(v); got != want || ok != (want != "") {
			t.Errorf("%s %s: value %q %t, want %q", c.Detector.Name, spec, got, ok, want)
		}
	}
	value(byName["generates"], "user.name=eve|status=401", "eve\x00401")
	value(byName["generates"], "status=401", "")
	value(byName["percentile"], "bytes=1234", "1234")
	value(many, "bytes=1234", "")
	if x, ok := byName["percentile"].Number(newEvent("bytes=1234")); !ok || x != 1234 || byName["percentile"].Condition.Percentile != 95 {
		t.Error("number of bytes is", x, ok)
	}
	if byName["generates"].Timespan != 90*time.Minute || !byName["generates"].Generate {
		t.Errorf("generates is %+v", byName["generates"])
	}
	seen := func(c *Correlation, bases, want string) {
		t.Helper()
		ok := c.Complete(func(i int) bool { return bases[i] == '1' })
		if got := map[bool]string{true: "holds", false: "does not"}[ok]; got != want {
			t.Errorf("%s %s: %s, want %s", c.Detector.Name, bases, got, want)
		}
	}
	seen(outer, "111", "holds")
	seen(outer, "110", "does not")
	seen(byName["either"], "110", "holds")
	seen(byName["either"], "100", "holds")
	seen(byName["either"], "101", "does not")
	seen(byName["either"], "011", "does not")
	seen(byName["either"], "111", "holds")
}

func TestHolds(t *testing.T) {
	f := func(x float64, want bool, limits ...Limit) {
		t.Helper()
		c := Condition{Limits: limits}
		if c.Holds(x) != want {
			t.Errorf("%v %v: not %t", x, limits, want)
		}
	}
	f(3, true, Limit{GTE, 3})
	f(2, false, Limit{GTE, 3})
	f(3, false, Limit{GT, 3})
	f(4, true, Limit{GT, 3}, Limit{LTE, 4})
	f(5, false, Limit{GT, 3}, Limit{LTE, 4})
	f(2, true, Limit{LT, 3})
	f(3, true, Limit{EQ, 3})
	f(3, false, Limit{NEQ, 3})
	f(math.NaN(), false, Limit{GTE, 3})
	f(0, true)
}

func TestTimespan(t *testing.T) {
	f := func(s string, want time.Duration) {
		t.Helper()
		if got, err := parseTimespan(s); got != want || err != nil {
			t.Errorf("%s: got %v %v, want %v", s, got, err, want)
		}
	}
	f("30s", 30*time.Second)
	f("5m", 5*time.Minute)
	f("1h30m", 90*time.Minute)
	f("7d", 168*time.Hour)
	f("2w", 336*time.Hour)
	f("1M", 720*time.Hour)
	f("1y", 8760*time.Hour)
}
