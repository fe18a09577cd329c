package rule

import (
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// CorrelationType is the Sigma correlation type.
type CorrelationType uint8

const (
	EventCount      CorrelationType = iota // how many base events
	ValueCount                             // how many different values of Condition.Fields
	Temporal                               // all base rules within Timespan, in any order
	TemporalOrdered                        // all base rules within Timespan, in the order of Bases
	ValueSum                               // sum of the field's numbers
	ValueAvg                               // their mean
	ValuePercentile                        // their Condition.Percentile-th percentile
	ValueMedian                            // their median
)

var correlationNames = [...]string{"event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile", "value_median"}

func (t CorrelationType) String() string { return correlationNames[t] }

// A Correlation is a compiled Sigma correlation rule. Package incident evaluates it over event time:
// it groups the Signals of Bases by Key within Timespan and raises Detector where Condition holds.
type Correlation struct {
	Detector  *event.Detector
	Rule      *Rule
	Type      CorrelationType
	Bases     []Base        // what is counted, in the order of `rules:`
	Ordered   bool          // the order of Bases matters (TemporalOrdered)
	GroupBy   []string      // names of the key's parts: ECS names, "source.cidr", aliases or paths
	Timespan  time.Duration // positive
	Condition Condition
	Generate  bool // the base rules raise findings of their own too

	keys  [][]fieldRef // per base, per GroupBy part
	value [][]fieldRef // per Condition.Fields, what the name means for any of Bases
}

// A Base is a rule, or another correlation, that a correlation builds on.
type Base struct {
	Detector    *event.Detector // the rule's or the correlation's
	Correlation *Correlation    // nil for a plain rule
}

// NewCount is a correlation that no file holds: it raises d where one source address gives rise to at least n Signals of bases within span.
func NewCount(d *event.Detector, bases []*event.Detector, n int, span time.Duration) *Correlation {
	c := &Correlation{Detector: d, Type: EventCount, GroupBy: []string{event.SourceIP.String()}, Timespan: span, Condition: Condition{Limits: []Limit{{GTE, float64(n)}}}}
	key := []fieldRef{resolve(event.SourceIP.String(), &anySource)}
	for _, b := range bases {
		c.Bases = append(c.Bases, Base{Detector: b})
		c.keys = append(c.keys, key)
	}
	return c
}

// Op compares a measured number with a limit.
type Op uint8

const (
	GT Op = iota
	GTE
	LT
	LTE
	EQ
	NEQ
)

// A Limit is one comparison.
type Limit struct {
	Op    Op
	Value float64
}

// Condition is what a correlation measures and when it holds.
type Condition struct {
	Fields     []string // whose values are counted or measured (value_*); names as in the rule
	Percentile float64  // 0..100, of ValuePercentile
	Limits     []Limit  // all must hold; empty for temporal types
	expr       *expr    // temporal types with a condition over rule names; nil = all bases
	index      []int    // expr leaf -> index of Bases
}

// Holds tells whether a measured number is within all limits.
func (c *Condition) Holds(x float64) bool {
	for _, l := range c.Limits {
		ok := false
		switch l.Op {
		case GT:
			ok = x > l.Value
		case GTE:
			ok = x >= l.Value
		case LT:
			ok = x < l.Value
		case LTE:
			ok = x <= l.Value
		case EQ:
			ok = x == l.Value
		case NEQ:
			ok = x != l.Value
		}
		if !ok {
			return false
		}
	}
	return true
}

// Complete tells whether the temporal condition holds when seen says which of Bases occurred
// within the timespan: all of them, or what the rule's own and/or/not condition asks for.
func (c *Correlation) Complete(seen func(base int) bool) bool {
	if c.Condition.expr == nil {
		for i := range c.Bases {
			if !seen(i) {
				return false
			}
		}
		return true
	}
	return c.Condition.expr.eval(func(leaf int) bool { return seen(c.Condition.index[leaf]) })
}

// Separates the parts of a key. The parts are hostile text; see appendPart.
const keySeparator = 0

// Key appends the group key of ev, which matched base (one of Bases), to dst. A key
// of one part is that value as text, a longer one has a NUL between its parts.
// ok is false if ev lacks one of the parts: then it counts for no group.
// The caller may keep the bytes; they are its own.
func (c *Correlation) Key(dst []byte, ev *event.Event, base *event.Detector) (key []byte, ok bool) {
	for b := range c.Bases {
		if c.Bases[b].Detector != base {
			continue
		}
		start := len(dst)
		for i := range c.keys[b] {
			if i > 0 {
				dst = append(dst, keySeparator)
			}
			at := len(dst)
			if dst, ok = c.keys[b][i].appendText(dst, ev); !ok {
				return dst[:start], false
			}
			dst = appendPart(dst, at)
		}
		return dst, true
	}
	return dst, false
}

// appendPart cleans the part that starts at dst[at]: bounded, and without the separator,
// so that a client cannot write itself into another client's group.
func appendPart(dst []byte, at int) []byte {
	if len(dst)-at > maxKeyPart {
		dst = dst[:at+maxKeyPart]
	}
	for i := at; i < len(dst); i++ {
		if dst[i] == keySeparator {
			dst[i] = ' '
		}
	}
	return dst
}

const maxKeyPart = 256 // bytes of one value in a group key

// Value returns what ValueCount counts and the other value types measure. It is borrowed from ev.
func (c *Correlation) Value(ev *event.Event) (v []byte, ok bool) {
	if len(c.value) == 1 && len(c.value[0]) == 1 {
		return c.value[0][0].text(ev)
	}
	var room [256]byte
	b := room[:0]
	for i, refs := range c.value {
		if i > 0 {
			b = append(b, keySeparator)
		}
		at := len(b)
		ok = false
		for j := 0; j < len(refs) && !ok; j++ {
			b, ok = refs[j].appendText(b, ev)
		}
		if !ok {
			return nil, false
		}
		b = appendPart(b, at)
	}
	v = ev.Alloc(len(b))
	copy(v, b)
	return v, len(c.value) > 0
}

// Number returns the number that value_sum, value_avg, value_percentile and value_median measure.
func (c *Correlation) Number(ev *event.Event) (x float64, ok bool) {
	v, ok := c.Value(ev)
	if !ok {
		return 0, false
	}
	return number(v)
}
