package rule

import "github.com/helixvanguard/vanguard/event"

// Set is a compiled, immutable set of rules, safe for use by many goroutines.
type Set struct {
	rules        []*Rule
	correlations []*Correlation
	problems     []Problem
	hash         string
}

// Rules returns every rule that runs, in file order: alerts, models, correlations and filters.
// Their Detectors are the ones that Signals point at.
func (s *Set) Rules() []*Rule { return s.rules }

// Correlations returns the correlations, each after those that it builds on.
func (s *Set) Correlations() []*Correlation { return s.correlations }

// Problems returns what Compile found.
func (s *Set) Problems() []Problem { return s.problems }

// Hash identifies the content of the rules and options: equal sets have equal hashes.
func (s *Set) Hash() string { return s.hash }

// Matcher matches Events against a Set; one per goroutine.
type Matcher struct{ set *Set }

// NewMatcher returns a Matcher with its own scratch memory.
func (s *Set) NewMatcher() *Matcher { return &Matcher{set: s} }

// Match applies the set's application models to ev, then appends the Signals of every rule that matches.
func (m *Matcher) Match(ev *event.Event, dst []event.Signal) []event.Signal { return dst }

// Parse reads one rule file.
func Parse(file string, src []byte) (rules []*Rule, problems []Problem) { return nil, nil }

// Compile makes a Set of rules. Rules with a problem are left out, the others run.
func Compile(rules []*Rule, opt Options) (*Set, []Problem) { return &Set{}, nil }

type (
	assignment struct{}
	detection  struct{}
	corrDoc    struct{}
	filterDoc  struct{}
	source     struct {
		names    []map[string]fieldRef
		treeOnly bool
	}
	expr struct{}
)

func (e *expr) eval(leaf func(int) bool) bool { return false }
