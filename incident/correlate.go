package incident

import (
	"math"
	"slices"
	"time"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/rule"
)

const (
	maxMarks    = 64  // moments kept of one window; past it neighbours are joined
	maxValues   = 256 // values kept of one window
	maxStages   = 8   // rules of one temporal correlation
	maxExamples = 4   // lines kept of one window, to show if the correlation fires
)

// windows are one correlation's windows, one per group-by key.
type windows struct {
	c    *rule.Correlation
	keys *table[window]
}

// A window is what one correlation remembers of one key. All times are event time in nanoseconds. There may be
// many thousands, so it is kept small.
type window struct {
	Newest int64
	Marks  []mark              // event_count: moments; value_*: values; temporal: per rule
	Last   EventNumber         // the event that was counted last
	LastAt int64               // its time
	Base   [maxExamples]uint32 // numbers of lines that led here, in examples
	Total  int32               // base events since the window was last empty, saturated
	Route  uint32              // hash of the last event's route
	Log    uint32              // hash of the kind of log that told of it
	Fired  bool                // the condition held, and the key has not been quiet since
}

// A mark is a moment and what happened then.
type mark struct {
	At    int64  // temporal: when the rule matched last; ordered: when the chain up to it was complete
	Value uint64 // value_count: hash of the value; value_sum and the like: the number's bits; ordered: when that chain began
	N     int32  // events joined in it; temporal: 0 if the rule has not matched yet
}

// correlate adds the event to w's window of its key. ok is true if the correlation holds now; the returned signal then
// stands for all events of the window the first time, and for this event alone afterwards.
func (t *Tracker) correlate(w *windows, ev *event.Event, base raised) (r raised, ok bool) {
	var found bool
	t.key, found = w.c.Key(t.key[:0], ev, base.Detector)
	if !found {
		return r, false
	}
	win, _ := w.keys.at(t.key)
	at := t.last
	span := int64(w.c.Timespan)
	if win.Total > 0 && (at-win.Newest > span || win.Newest-at > span) {
		*win = window{Marks: win.Marks[:0]}
	}
	if win.Total == 0 {
		win.Newest = at
	}
	if w.c.Type != rule.Temporal && w.c.Type != rule.TemporalOrdered {
		// An event that several of the rules match happened once.
		if now := EventNumber(t.events); win.Last == now && !base.lasting {
			return r, false
		} else {
			win.Last = now
		}
		if w.c.Type == rule.EventCount && !base.lasting && win.again(ev, at) {
			return r, false
		}
	}
	win.Newest = max(win.Newest, at)
	win.Total = min(win.Total, math.MaxInt32-1) + 1
	if !win.add(w.c, ev, base.Detector, at) {
		t.remember(win, ev, &base)
		return r, false
	}
	r = raised{Signal: event.Signal{Detector: w.c.Detector, Field: base.Field, Span: base.Span}, actor: groupActor(w.c, ev, base.actor), events: 1, lasting: true}
	if !win.Fired {
		win.Fired = true
		r.events = max(int(win.Total), base.events)
		for _, n := range win.Base {
			if e, ok := t.examples.get(n); ok {
				e.By = []string{w.c.Detector.By}
				r.evidence = append(r.evidence, e)
			}
		}
		r.evidence = append(r.evidence, base.evidence...)
		r.parties = base.parties
		if w.c.Type == rule.ValueCount && len(w.c.Condition.Fields) == 1 && w.c.Condition.Fields[0] == "source.ip" {
			for _, m := range win.Marks {
				r.parties = append(r.parties, m.Value)
			}
		}
	}
	return r, true
}

// again tells whether ev is the event that was counted last, told by another log: the same route at the same moment. A web server, the
// application behind it and the application's request log each write a line about one request.
func (win *window) again(ev *event.Event, at int64) bool {
	path := ev.Get(event.Path)
	if len(path) == 0 {
		return false
	}
	var room [256]byte
	route := uint32(hash(Route(room[:0], path)))
	log := uint32(hash([]byte(ev.Format))) ^ uint32(ev.Kind)
	if route == win.Route && log != win.Log && at-win.LastAt <= int64(sameMoment) && win.LastAt-at <= int64(sameMoment) {
		return true
	}
	win.LastAt, win.Route, win.Log = at, route, log
	return false
}

const sameMoment = time.Second

// A caller of the cloud that names itself as infrastructure as code, by an agent that anybody can write, and the correlation that holds
// once it was seen to look after many things, as such a tool does before it changes one.
const (
	claimedTool = "aws-claimed-tool"
	tendsMany   = "aws_tool_tends"
)

// tended tells whether what d sees in ev is the work of such a caller. Deployments make roles and give rights; what is as grave and
// takes guards away or data out is not excused.
func (t *Tracker) tended(ev *event.Event, d *event.Detector) bool {
	builds := d.Level == event.High && (d.Threat == "cloud-privilege-escalation" || d.Threat == "cloud-persistence")
	if t.tools == nil || d.Level > event.Medium && !builds || string(ev.Get(event.App)) != claimedTool {
		return false
	}
	key, ok := t.tools.c.Key(t.key[:0], ev, t.tools.c.Bases[0].Detector)
	t.key = key
	if !ok {
		return false
	}
	win := t.tools.keys.get(key)
	return win != nil && win.Fired
}

// remember keeps the event, or the lines that its own correlation rests on, to show if the condition comes to hold.
func (t *Tracker) remember(win *window, ev *event.Event, base *raised) {
	for i := range win.Base {
		if win.Base[i] != 0 {
			continue
		}
		if len(base.evidence) == 0 {
			// Several correlations may rest on the same signal: its line is kept once.
			if t.kept.event != t.events || t.kept.by != base.Detector {
				out, why := judge(ev, base.Detector)
				t.kept = kept{t.events, base.Detector, t.examples.put(t.evidence(ev, &base.Signal, out, why))}
			}
			win.Base[i] = t.kept.number
			return
		}
		win.Base[i] = t.examples.put(base.evidence[0])
		base.evidence = base.evidence[1:]
		if len(base.evidence) == 0 {
			return
		}
	}
}

// kept is the example that was kept last.
type kept struct {
	event  int
	by     *event.Detector
	number uint32
}

// groupActor is the actor of a correlation: the account if it groups by account and not by source. One that
// groups by nothing is about many sources, none of which is to be blamed: it is named by what they were after.
func groupActor(c *rule.Correlation, ev *event.Event, base event.Entity) event.Entity {
	if len(c.GroupBy) == 0 {
		if p := ev.Get(event.Path); len(p) > 0 {
			return event.Entity{Type: event.EntityRoute, Value: string(Route(nil, p))}
		}
		return event.Entity{}
	}
	for _, g := range c.GroupBy {
		switch g {
		case "source.ip", "c-ip", "src_ip", "client_ip", "sourceIPAddress":
			return base // The source itself is part of the key.
		case "source.cidr":
			if ev.Client.IsValid() {
				bits := 24
				if ev.Client.Is6() && !ev.Client.Is4In6() {
					bits = 48
				}
				if p, err := ev.Client.Unmap().Prefix(bits); err == nil {
					return event.Entity{Type: event.EntityCIDR, Value: p.String()}
				}
			}
		case "user.name", "cs-username":
			if u := ev.Get(event.User); len(u) > 0 && ev.Kind != event.KindCloud {
				return event.Entity{Type: event.EntityAccount, Value: clip(u)}
			}
		}
	}
	return base
}

// add puts one base event into the window and tells whether the correlation holds.
func (win *window) add(c *rule.Correlation, ev *event.Event, base *event.Detector, at int64) bool {
	span := int64(c.Timespan)
	switch c.Type {
	case rule.EventCount:
		win.Marks = append(expire(win.Marks, win.Newest-span), mark{At: at, N: 1})
		if len(win.Marks) > maxMarks {
			win.Marks = join(win.Marks)
		}
		n := 0
		for _, m := range win.Marks {
			n += int(m.N)
		}
		return c.Condition.Holds(float64(n))
	case rule.ValueCount:
		v, ok := c.Value(ev)
		if !ok {
			return false
		}
		win.note(hash(v), at, span, valueLimit(c))
		return c.Condition.Holds(float64(len(win.Marks)))
	case rule.ValueSum, rule.ValueAvg, rule.ValuePercentile, rule.ValueMedian:
		num, ok := c.Number(ev)
		if !ok {
			return false
		}
		win.Marks = append(expire(win.Marks, win.Newest-span), mark{At: at, N: 1, Value: math.Float64bits(num)})
		if len(win.Marks) > maxValues {
			win.Marks = win.Marks[1:]
		}
		return c.Condition.Holds(aggregate(c, win.Marks))
	case rule.Temporal, rule.TemporalOrdered:
		n := min(len(c.Bases), maxStages)
		if len(win.Marks) == 0 {
			win.Marks = append(win.Marks, make([]mark, n)...)
		}
		for i := n - 1; i >= 0; i-- { // From the back, so that one event of a rule named twice takes one step.
			if c.Bases[i].Detector == base {
				win.step(i, at, span, c.Ordered)
			}
		}
		if last := &win.Marks[n-1]; c.Ordered {
			return c.Bases[n-1].Detector == base && last.N > 0 && last.At == at && at-int64(last.Value) <= span
		}
		return c.Complete(func(i int) bool { return i < n && win.Marks[i].N > 0 && win.Newest-win.Marks[i].At <= span })
	}
	return false
}

// note adds a value; of more than limit values the oldest is forgotten.
func (win *window) note(h uint64, at, span int64, limit int) {
	win.Marks = expire(win.Marks, win.Newest-span)
	oldest := 0
	for i := range win.Marks {
		m := &win.Marks[i]
		if m.Value == h {
			m.At = max(m.At, at)
			return
		}
		if m.At < win.Marks[oldest].At {
			oldest = i
		}
	}
	if len(win.Marks) >= limit {
		win.Marks[oldest] = mark{At: at, N: 1, Value: h}
		return
	}
	win.Marks = append(win.Marks, mark{At: at, N: 1, Value: h})
}

// valueLimit is how many different values are worth remembering: a few more than the condition asks for.
func valueLimit(c *rule.Correlation) int {
	most := 0.0
	for _, l := range c.Condition.Limits {
		most = max(most, l.Value)
	}
	return min(int(most)+8, maxValues)
}

// step notes that rule i matched.
func (win *window) step(i int, at, span int64, ordered bool) {
	s := &win.Marks[i]
	began := at
	if ordered && i > 0 {
		prev := &win.Marks[i-1]
		began = int64(prev.Value)
		if prev.N == 0 || prev.At > at || at-began > span {
			return
		}
	}
	*s = mark{At: at, Value: uint64(began), N: 1}
}

// examples keeps the last few thousand lines that fed correlations, whichever window they belong to, so that memory does not
// grow with the number of windows. A line is named by its number, from 1.
type examples struct {
	Ring []Evidence
	Last uint64
}

const maxExampleLines = 4096

// put returns the line's number: its lower half, which tells it from all that are kept.
func (x *examples) put(e Evidence) uint32 {
	x.Last++
	if len(x.Ring) < maxExampleLines {
		x.Ring = append(x.Ring, e)
	} else {
		x.Ring[(x.Last-1)%maxExampleLines] = e
	}
	return uint32(x.Last)
}

func (x *examples) get(n uint32) (Evidence, bool) {
	age := uint64(uint32(x.Last) - n)
	if n == 0 || age >= uint64(len(x.Ring)) {
		return Evidence{}, false
	}
	return x.Ring[(x.Last-1-age)%maxExampleLines], true
}

// expire drops the marks from before oldest.
func expire(m []mark, oldest int64) []mark {
	keep := m[:0]
	for _, x := range m {
		if x.At >= oldest {
			keep = append(keep, x)
		}
	}
	return keep
}

// join halves the number of marks: neighbours become one, at the later moment. Counts stay
// exact; only the moment at which old events leave the window becomes coarser.
func join(m []mark) []mark {
	out := m[:0]
	for i := 0; i < len(m); i += 2 {
		x := m[i]
		if i+1 < len(m) {
			x.At, x.N = max(x.At, m[i+1].At), x.N+m[i+1].N
		}
		out = append(out, x)
	}
	return out
}

func aggregate(c *rule.Correlation, m []mark) float64 {
	nums := make([]float64, len(m))
	sum := 0.0
	for i, x := range m {
		nums[i] = math.Float64frombits(x.Value)
		sum += nums[i]
	}
	switch c.Type {
	case rule.ValueSum:
		return sum
	case rule.ValueAvg:
		return sum / float64(len(nums))
	}
	slices.Sort(nums)
	p := 50.0
	if c.Type == rule.ValuePercentile {
		p = c.Condition.Percentile
	}
	return nums[min(int(float64(len(nums))*p/100), len(nums)-1)]
}
