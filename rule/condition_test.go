package rule

import (
	"fmt"
	"strings"
	"testing"
)

// show writes an expr in a canonical form.
func show(e *expr, names []string) string {
	switch e.op {
	case opLeaf:
		return names[e.leaf]
	case opTrue:
		return "true"
	}
	var kids []string
	for _, k := range e.kids {
		kids = append(kids, show(k, names))
	}
	return fmt.Sprintf("(%s %s)", map[exprOp]string{opAnd: "and", opOr: "or", opNot: "not"}[e.op], strings.Join(kids, " "))
}

func TestCondition(t *testing.T) {
	names := []string{"selection", "sel_a", "sel_b", "filter_main_x", "filter_y", "_helper", "keywords", "a.b"}
	f := func(src, want string) {
		t.Helper()
		e, _, err := parseCondition(src, names)
		got := ""
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = show(e, names)
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", src, got, want)
		}
	}
	f("selection", "selection")
	f("  selection\t\n", "selection")
	f("selection and sel_a", "(and selection sel_a)")
	f("selection AND NOT sel_a OR sel_b", "(or (and selection (not sel_a)) sel_b)")
	f("selection or sel_a and sel_b", "(or selection (and sel_a sel_b))")
	f("(selection or sel_a) and sel_b", "(and (or selection sel_a) sel_b)")
	f("((selection))", "selection")
	f("not not selection", "(not (not selection))")
	f("not (selection and not sel_a)", "(not (and selection (not sel_a)))")
	f("1 of sel_*", "(or sel_a sel_b)")
	f("any of sel_*", "(or sel_a sel_b)")
	f("all of sel_*", "(and sel_a sel_b)")
	f("1 of sel*", "(or selection sel_a sel_b)")
	f("1 of filter_main_*", "filter_main_x")
	f("1 of *_x", "filter_main_x")
	f("1 of f*_*", "(or filter_main_x filter_y)")
	f("1 of f*_y", "filter_y")
	f("all of them", "(and selection sel_a sel_b filter_main_x filter_y keywords a.b)")
	f("1 of them", "(or selection sel_a sel_b filter_main_x filter_y keywords a.b)")
	f("1 of _hel*", "_helper")
	f("_helper", "_helper")
	f("a.b", "a.b")
	f("2 of sel*", "(or (and selection sel_a) (and selection sel_b) (and sel_a sel_b))")
	f("3 of sel*", "(and selection sel_a sel_b)")
	f("selection and not 1 of filter_*", "(and selection (not (or filter_main_x filter_y)))")
	f("selection and (1 of sel_* or keywords)", "(and selection (or (or sel_a sel_b) keywords))")

	f("", `error: the condition is empty; write the name of a search, for instance "selection"`)
	f("selectoin", `error: the condition names "selectoin", which is not defined; did you mean "selection"?`)
	f("zzzzzz", `error: the condition names "zzzzzz", which is not defined`)
	f("1 of zz*", `error: no search matches "zz*"`)
	f("1 of selectoin*", `error: no search matches "selectoin*"; did you mean "selection"?`)
	f("1 of", `error: "1 of" lacks a pattern; write "them" or a pattern such as "selection_*"`)
	f("most of sel*", `error: "most" is no quantity; write "1 of", "any of" or "all of"`)
	f("0 of sel*", `error: "0" is no quantity; write "1 of", "any of" or "all of"`)
	f("9 of sel*", `error: "9 of sel*" asks for 9 searches, but only 3 match`)
	f("(selection", `error: the condition lacks a ')'`)
	f("selection)", `error: the condition has a ')' without '('`)
	f("selection sel_a", `error: unexpected "sel_a" in the condition; join searches by "and" or "or"`)
	f("selection and", `error: the condition ends too early`)
	f("and selection", `error: unexpected "and" in the condition`)
	f("not", `error: the condition ends too early`)
	f("()", `error: unexpected ")" in the condition`)
	f("selection | count() by c-ip > 5", `error: aggregations after '|' were removed from Sigma; write a correlation rule (type: event_count or value_count)`)
	f(strings.Repeat("(", 100)+"selection", "error: nested deeper than 64 levels")
	f(strings.Repeat("not ", 100)+"selection", "error: nested deeper than 64 levels")
	f(strings.Repeat("selection or ", 1500)+"selection", "error: the condition has more than 2000 words")
}

func TestDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got := distance(a, b, 9); got != want {
			t.Errorf("%s %s: got %d, want %d", a, b, got, want)
		}
	}
	f("contains", "contains", 0)
	f("contians", "contains", 1)
	f("contain", "contains", 1)
	f("", "abc", 3)
	f("abcdefghijkl", "a", 9)
	f("startwith", "startswith", 1)
}
