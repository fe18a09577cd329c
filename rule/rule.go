// Package rule is Sigma 2.1: parse, compile, match.
package rule

import "github.com/helixvanguard/vanguard/event"

// Set is a compiled, immutable set of rules.
type Set struct{}

// Matcher matches Events against a Set; one per goroutine.
type Matcher struct{}

// NewMatcher returns a Matcher with its own scratch memory.
func (s *Set) NewMatcher() *Matcher { return &Matcher{} }

// Match applies the set's application models to ev, then appends the Signals of every rule that matches.
func (m *Matcher) Match(ev *event.Event, dst []event.Signal) []event.Signal { return dst }
