// Package rule is Sigma 2.1, whole: it parses rule files, compiles them once
// into an immutable Set, and matches Events against the Set.
//
//	Parse     YAML -> []*Rule      syntax, modifiers, conditions; every problem with its line
//	Compile   []*Rule -> *Set      logsources, references, placeholders, filters, models; the index
//	Matcher   Event -> []Signal    one scan for the literals that rules require picks the few rules that are evaluated
//
// Correlation rules are resolved here and evaluated over time in package incident.
// The words are Sigma's (https://github.com/SigmaHQ/sigma-specification, version 2.1.0).
package rule

import (
	"fmt"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// Type is what a rule document is.
type Type uint8

const (
	Alert    Type = iota // raises a Signal on every Event that matches
	Model                // an application model: assigns fields to Events that match, raises nothing
	Correlat             // a correlation over other rules; see Correlation
	Filter               // a Sigma filter: narrows the rules that it names
)

var typeNames = [...]string{"alert", "model", "correlation", "filter"}

func (t Type) String() string { return typeNames[t] }

// A Rule is one parsed rule document. It is not changed after Parse.
type Rule struct {
	File string // as given to Parse
	Line int    // 1-based line of the document's first key
	Type Type

	ID, Name, Title, Status, Description, Author, Date, License string

	Level          event.Severity
	Tags           []string
	References     []string
	FalsePositives []string
	Logsource      Logsource

	// Detector speaks for the rule in Signals; nil for models and filters. Compile may
	// replace it by a copy, see Set.Rules.
	Detector *event.Detector

	custom bool // has a vanguard block
	order  int  // models: lower runs first
	assign []assignment
	det    *detection // alert, model and filter documents
	corr   *corrDoc   // correlation documents
	filter *filterDoc // filter documents
	hash   uint64     // of the document's content, without its layout
}

// ref names the rule in messages: its name, else its id, else its title.
func (r *Rule) ref() string {
	switch {
	case r.Name != "":
		return r.Name
	case r.ID != "":
		return r.ID
	}
	return r.Title
}

// Logsource says which logs a rule is about, as in Sigma.
type Logsource struct {
	Category, Product, Service, Definition string
}

func (l Logsource) String() string {
	var parts []string
	for _, s := range []string{l.Category, l.Product, l.Service} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return "any"
	}
	return strings.Join(parts, "/")
}

// ProblemKind tells how bad a Problem is.
type ProblemKind uint8

const (
	Broken    ProblemKind = iota // the document is wrong; it does not run
	CannotRun                    // the document is right, but nothing that this program reads or does can satisfy it
	Warning                      // it runs, but something in it was not understood or has no effect
)

// A Problem is something about a rule file that its author should know.
type Problem struct {
	Kind ProblemKind
	File string
	Line int    // 1-based; 0 if unknown
	Rule string // the rule's name, id or title; "" if unknown
	Msg  string // lower case, no full stop
	Hint string // what to do about it; may be empty
}

// Error writes the place first: `rules/web/x.yaml:12: unknown modifier "contians"; did you mean "contains"?`
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Kind == CannotRun {
		b.WriteString("cannot run here: ")
	}
	b.WriteString(p.Msg)
	if p.Hint != "" {
		b.WriteString("; ")
		b.WriteString(p.Hint)
	}
	return b.String()
}

// Options of Compile.
type Options struct {
	Placeholders map[string][]string // values of %name% in items with the modifier "expand"
	NoPrefilter  bool                // evaluate every rule on every Event; slow, for tests
	Final        bool                // these rules will not be compiled again: what only compiling needs of them is let go
}
