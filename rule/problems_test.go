package rule

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestProblems holds the exact words of what is said about a wrong or unusable rule file.
func TestProblems(t *testing.T) {
	f := func(src string, want ...string) {
		t.Helper()
		rules, problems := Parse("rules/x.yaml", []byte(strings.TrimPrefix(src, "\n")))
		_, more := Compile(rules, Options{Placeholders: map[string][]string{"admins": {"root"}}})
		var got []string
		for _, p := range append(problems, more...) {
			got = append(got, p.Error())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s\n got %s\nwant %s", src, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	// detection builds a whole rule around one detection; its first line is line 6.
	detection := func(body string, want ...string) {
		t.Helper()
		f("title: T\nid: i\nlogsource: {category: webserver}\n\ndetection:\n  "+strings.ReplaceAll(body, "\n", "\n  ")+"\n", want...)
	}
	// YAML.
	f("a: [1\nb: 2\n", `rules/x.yaml:1: not YAML: did not find expected ',' or ']'`)
	f("title: A\n---\n\ntitle: \"B\n---\nx: 1\n", `rules/x.yaml:4: not YAML: found unexpected end of stream`,
		`rules/x.yaml:1: rule has neither id nor name, so that nothing can refer to it; add "id:" with a UUID`, `rules/x.yaml:1: rule has no detection; a rule needs a detection, a correlation or a filter`,
		`rules/x.yaml:6: rule has no title; add "title:"`, `rules/x.yaml:6: rule has neither id nor name, so that nothing can refer to it; add "id:" with a UUID`, `rules/x.yaml:6: rule has no detection; a rule needs a detection, a correlation or a filter`)
	f("- a\n- b\n", `rules/x.yaml:1: a rule must be a map, not a list; start with "title:"`)
	f("title: A\ntitle: B\nid: i\nlogsource: {category: webserver}\ndetection: {s: {a: b}, condition: s}\n", `rules/x.yaml:2: key "title" is there twice, first near line 1`)
	f("a: &a [*a]\n", `rules/x.yaml:1: nested deeper than 64 levels`)
	f("# nothing\n---\n---\n# here\n")
	// The document.
	f("title: T\nid: i\ndetections:\n  s: {a: b}\n", `rules/x.yaml:1: rule has no detection; did you mean "detection"?`)
	f("title: T\nid: i\ndetection: {s: {a: b}, condition: s}\n", `rules/x.yaml:1: rule has no logsource; add for instance "logsource: {category: webserver}"`)
	f("title: T\nid: i\nlevel: hihg\nlogsource: {category: webserver}\ndetection: {s: {a: b}, condition: s}\n", `rules/x.yaml:3: unknown level "hihg"; did you mean "high"?`)
	f("title: T\nid: i\nlogsource: webserver\ndetection: {s: {a: b}, condition: s}\n", `rules/x.yaml:3: logsource must be a map; write "logsource: {category: webserver}"`)
	f("title: T\nid: i\nunknown_key: 1\nlogsource: {category: webserver}\ndetection: {s: {a: b}, condition: s}\n")
	f("title: T\nid: i\naction: golbal\n", `rules/x.yaml:3: unknown action "golbal"; did you mean "global"?`)
	f("title: T\nid: i\naction: repeat\n", `rules/x.yaml:1: action "repeat" without a rule before it`)
	// The detection.
	detection("sel: {a: b}", `rules/x.yaml:6: detection has no condition; add "condition: selection"`)
	detection("condition: sel", `rules/x.yaml:6: detection has no search`)
	detection("sel: {a: b}\ncondition: sl", `rules/x.yaml:7: the condition names "sl", which is not defined; did you mean "sel"?`)
	detection("sel: {a: b}\nspare: {c: d}\ncondition: sel", `rules/x.yaml:6: search "spare" is not used by the condition`)
	detection("sel: {a: b}\ntimeframe: 5m\ncondition: sel", `rules/x.yaml:7: timeframe has no effect in a detection; write a correlation rule with a timespan`)
	detection("sel: {a: b}\ntimeframe: 5m\ncondition: sel | count() by c-ip > 3", `rules/x.yaml:8: aggregations after '|' were removed from Sigma; write a correlation rule (type: event_count or value_count)`)
	detection("sel: {a: b}\ncondition: {x: y}", `rules/x.yaml:7: a condition must be text, not a map`)
	detection("sel: {}\ncondition: sel", `rules/x.yaml:6: a search is empty`)
	detection("sel: []\ncondition: sel", `rules/x.yaml:6: a search is empty`)
	detection("sel:\ncondition: sel", `rules/x.yaml:6: a search is empty`)
	detection("sel: {a: []}\ncondition: sel", `rules/x.yaml:6: field "a" has no values`)
	detection("sel: {a: {b: c}}\ncondition: sel", `rules/x.yaml:6: field "a" has a map as its value`)
	detection("sel: {a: [x, [y]]}\ncondition: sel", `rules/x.yaml:6: field "a" has a list among its values`)
	// Modifiers.
	detection("sel:\n  x|contians: b\ncondition: sel", `rules/x.yaml:7: unknown modifier "contians"; did you mean "contains"?`)
	detection("sel:\n  x|frobnicate: b\ncondition: sel", `rules/x.yaml:7: unknown modifier "frobnicate"`)
	detection("sel:\n  x|: b\ncondition: sel", `rules/x.yaml:7: unknown modifier ""`)
	detection("sel:\n  x|i: b\ncondition: sel", `rules/x.yaml:7: modifier "i" stands without "re" before it; write "re|i"`)
	detection("sel:\n  x|contains|startswith: b\ncondition: sel", `rules/x.yaml:7: "contains", "startswith" and "endswith" exclude each other; keep one`)
	detection("sel:\n  x|re|contains: b\ncondition: sel", `rules/x.yaml:7: "re" searches anywhere in the text and takes no encodings; remove the other modifiers, or use ^ and $`)
	detection("sel:\n  x|re|cidr: b\ncondition: sel", `rules/x.yaml:7: modifiers that exclude each other`)
	detection("sel:\n  x|cidr|contains: 10.0.0.0/8\ncondition: sel", `rules/x.yaml:7: modifiers for text beside one for addresses, numbers or times`)
	detection("sel:\n  x|all|any: [a, b]\ncondition: sel", `rules/x.yaml:7: "all" and "any" exclude each other; keep one`)
	detection("sel:\n  x|contains|all: a\ncondition: sel", `rules/x.yaml:7: modifier "all" has no effect on one value`)
	detection("sel:\n  '|cidr': 10.0.0.0/8\ncondition: sel", `rules/x.yaml:7: keywords cannot have the modifier "cidr"; name a field`)
	// Values.
	detection("sel:\n  x|re: '('\ncondition: sel", "rules/x.yaml:7: regular expression: missing closing ): `(`")
	detection("sel:\n  x|re: 'a(?!b)'\ncondition: sel", "rules/x.yaml:7: cannot run here: regular expression: invalid or unsupported Perl syntax: `(?!`; look-around, back references and possessive repeats have no place in a linear-time matcher (RE2): write the exception as a second search and \"not\" it")
	detection("sel:\n  x|cidr: 10.0.0/8\ncondition: sel", `rules/x.yaml:7: "10.0.0/8" is no network; write it as 192.0.2.0/24`)
	detection("sel:\n  x|cidr: ten\ncondition: sel", `rules/x.yaml:7: "ten" is no network`)
	detection("sel:\n  x|gt: many\ncondition: sel", `rules/x.yaml:7: "many" is no number`)
	detection("sel:\n  x|hour: noon\ncondition: sel", `rules/x.yaml:7: "noon" is no number`)
	detection("sel:\n  x|exists: perhaps\ncondition: sel", `rules/x.yaml:7: "exists" takes true or false, not "perhaps"`)
	detection("sel:\n  x|contains: null\ncondition: sel", `rules/x.yaml:7: null is no value for "x|contains"; quote it if you mean the word`)
	detection("sel:\n  x|base64: 'a*'\ncondition: sel", `rules/x.yaml:7: an encoded value cannot have wildcards; escape them: \* and \?`)
	detection("sel:\n  x|windash: '-a -b -c -d'\ncondition: sel", `rules/x.yaml:7: "windash" value with more than 3 dashes`)
	detection("sel:\n  x|expand: '%admin%'\ncondition: sel", `rules/x.yaml:7: cannot run here: placeholder %admin% has no values; did you mean "admins"?`)
	detection("sel:\n  x|expand: '%zzzzz%'\ncondition: sel", `rules/x.yaml:7: cannot run here: placeholder %zzzzz% has no values; give its values with the rules`)
	// Logsources.
	logsource := func(ls string, want ...string) {
		t.Helper()
		f("title: T\nid: i\nlogsource: "+ls+"\ndetection: {s: {a: b}, condition: s}\n", want...)
	}
	logsource("{category: process_creation, product: windows}", `rules/x.yaml:1: cannot run here: logsource process_creation/windows needs an agent on the host; no log that this program reads has it`)
	logsource("{product: windows, service: security}", `rules/x.yaml:1: cannot run here: logsource windows/security needs an agent on the host; no log that this program reads has it`)
	logsource("{product: linux, service: auditd}", `rules/x.yaml:1: cannot run here: logsource linux/auditd needs an agent on the host; no log that this program reads has it`)
	logsource("{product: toaster}", `rules/x.yaml:1: cannot run here: logsource toaster is not known`)
	logsource("{category: webserver}")
	// The vanguard block.
	vanguard := func(v string, want ...string) {
		t.Helper()
		f("title: T\nid: i\nlogsource: {category: webserver}\ndetection: {s: {a: b}, condition: s}\nvanguard:\n  "+v+"\n", want...)
	}
	vanguard("{}", `rules/x.yaml:6: vanguard names no threat; add "threat:", or "base: true" if the rule only feeds correlations`)
	vanguard("base: true")
	vanguard("{threat: a, thread: b}", `rules/x.yaml:6: unknown key "thread" in vanguard; did you mean "threat"?`)
	vanguard("{threat: a, stage: exploid}", `rules/x.yaml:6: unknown stage "exploid"; did you mean "exploit"?`)
	vanguard("{threat: a, confidence: 90}", `rules/x.yaml:6: confidence "90" is not a probability; write a number above 0, at most 1`)
	vanguard("{threat: a, confidence: nan}", `rules/x.yaml:6: confidence "nan" is not a probability; write a number above 0, at most 1`)
	vanguard("{threat: a, outcome: succeded}", `rules/x.yaml:6: unknown outcome "succeded"; did you mean "succeeded"?`)
	vanguard("{threat: a, noise: maybe}", `rules/x.yaml:6: "maybe" is neither true nor false`)
	vanguard("{set: {event.categry: x}}", `rules/x.yaml:6: unknown field "event.categry"; did you mean "event.category"?`)
	vanguard("{set: {event.outcome: failed}}", `rules/x.yaml:6: unknown event.outcome "failed"; it is success, failure or unknown`)
	vanguard("{set: x}", `rules/x.yaml:6: set must be a map; write "set: {event.category: authentication}"`)
	vanguard("{set: {event.action: x}, order: first}", `rules/x.yaml:6: order "first" is not a whole number`)
	// Correlations.
	const base = "title: B\nname: base\nlogsource: {category: webserver}\ndetection: {s: {a: b}, condition: s}\n---\n"
	correlation := func(c string, want ...string) {
		t.Helper()
		f(base+"title: C\nname: corr\ncorrelation:\n  "+strings.ReplaceAll(c, "\n", "\n  ")+"\n", want...)
	}
	correlation("{type: event_count, rules: [base], timespan: 5m, condition: {gte: 3}}")
	correlation("{type: event_cuont, rules: [base], timespan: 5m, condition: {gte: 3}}", `rules/x.yaml:9: unknown correlation type "event_cuont"; did you mean "event_count"?`)
	correlation("{type: event_count, timespan: 5m, condition: {gte: 3}}", `rules/x.yaml:9: correlation names no rules; add "rules:" with names or ids`)
	correlation("{type: event_count, rules: [bsae], timespan: 5m, condition: {gte: 3}}", `rules/x.yaml:9: correlation names rule "bsae", which does not exist; did you mean "base"?`)
	correlation("{type: event_count, rules: [corr], timespan: 5m, condition: {gte: 3}}", `rules/x.yaml:9: correlations refer to each other in a circle`, `rules/x.yaml:9: cannot run here: correlation builds on "corr", which does not run`)
	correlation("{type: event_count, rules: [base], condition: {gte: 3}}", `rules/x.yaml:9: correlation has no timespan; add for instance "timespan: 5m"`)
	correlation("{type: event_count, rules: [base], timespan: 5 minutes, condition: {gte: 3}}", `rules/x.yaml:9: "5 minutes" is no timespan: unknown unit " "; units are s, m, h, d, w, M and y`)
	correlation("{type: event_count, rules: [base], timespan: soon, condition: {gte: 3}}", `rules/x.yaml:9: "soon" is no timespan; write a number and a unit, for instance 30s, 5m, 1h or 7d`)
	correlation("{type: event_count, rules: [base], timespan: 99y, condition: {gte: 3}}", `rules/x.yaml:9: timespan "99y" is longer than ten years`)
	correlation("{type: event_count, rules: [base], timespan: 5m}", `rules/x.yaml:9: correlation type event_count needs a condition; add for instance "condition: {gte: 10}"`)
	correlation("{type: event_count, rules: [base], timespan: 5m, condition: {geq: 3}}", `rules/x.yaml:9: unknown operator "geq" in the condition; did you mean "eq"?`, `rules/x.yaml:9: the condition compares with nothing; add for instance "gte: 10"`)
	correlation("{type: value_count, rules: [base], timespan: 5m, condition: {gte: 3}}", `rules/x.yaml:9: correlation type value_count needs a field; add "field:" to the condition`)
	correlation("{type: value_percentile, rules: [base], timespan: 5m, condition: {gte: 3, field: x}}", `rules/x.yaml:9: correlation type value_percentile needs a percentile; add "percentile: 95" to the condition`)
	correlation("{type: event_count, rules: [base], timespan: 5m, condition: base}", `rules/x.yaml:9: only temporal correlations have a condition over rule names; write a map, for instance "condition: {gte: 10}"`)
	correlation("{type: temporal, rules: [base], timespan: 5m, condition: base and bse}", `rules/x.yaml:9: the condition names "bse", which is not defined; did you mean "base"?`)
	correlation("{type: temporal, rules: [base], timespan: 5m, aliases: {u: {bsae: x}}}", `rules/x.yaml:9: alias "u" is for rule "bsae", which the correlation does not name; did you mean "base"?`)
	f("title: A\nname: a\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s}\n---\ntitle: C\nname: c\ncorrelation: {type: temporal, rules: [a], timespan: 5m}\n",
		`rules/x.yaml:1: cannot run here: logsource windows needs an agent on the host; no log that this program reads has it`, `rules/x.yaml:8: cannot run here: correlation builds on "a", which does not run`)
	// Names and filters.
	f(base+"title: B2\nname: base\nlogsource: {category: webserver}\ndetection: {s: {a: b}, condition: s}\n", `rules/x.yaml:6: another rule is named "base" already; see rules/x.yaml:1`)
	f(base+"title: F\nname: f\nlogsource: {category: webserver}\nfilter: {s: {a: b}, condition: not s}\n", `rules/x.yaml:9: filter names no rules; add "rules:" with names or ids, or "any"`)
	f(base+"title: F\nname: f\nlogsource: {category: webserver}\nfilter: {rules: [bse], s: {a: b}, condition: not s}\n", `rules/x.yaml:6: filter names rule "bse", which does not exist; did you mean "base"?`)
}

// A broken document does not hide its neighbours.
func TestNeighboursRun(t *testing.T) {
	rules, problems := Parse("x.yaml", []byte("title: A\nname: a\nlogsource: {category: webserver}\ndetection: {s: {a: b}, condition: s}\n---\ntitle: [\n---\ntitle: C\nname: c\nlogsource: {category: webserver}\ndetection: {s: {a: b}, condition: s}\n"))
	if len(rules) != 2 || rules[1].Name != "c" || rules[1].Line != 8 || len(problems) != 1 || problems[0].Line != 6 {
		t.Errorf("rules %v, problems %v", rules, problems)
	}
}

func TestCollections(t *testing.T) {
	const src = `
action: global
title: Both
logsource: {category: webserver}
level: high
detection:
  condition: sel
---
id: one
detection:
  sel: {url.path: /one}
---
id: two
detection:
  sel: {url.path: /two}
---
action: repeat
id: three
detection:
  sel: {url.path: /three}
---
action: reset
---
title: Alone
id: four
logsource: {category: dns}
detection:
  sel: {query: four.test}
  condition: sel
`
	with, without := compileText(t, src, Options{})
	for _, spec := range []string{"uri=/one", "uri=/two", "uri=/three", "kind=dns|dns.question.name=four.test"} {
		if !matches(t, with, without, spec) {
			t.Errorf("%s does not match", spec)
		}
	}
	if matches(t, with, without, "uri=/four") {
		t.Error("/four matches")
	}
	if r := with.Rules()[2]; r.Title != "Both" || r.Level.String() != "high" || r.ID != "three" {
		t.Errorf("the third rule is %+v", *r)
	}
}

func TestFilters(t *testing.T) {
	const src = `
title: A
id: id-a
name: a
logsource: {category: webserver}
detection: {sel: {url.path|contains: x}, condition: sel}
---
title: B
name: b
logsource: {category: webserver}
detection: {sel: {url.path|contains: x}, condition: sel}
---
title: Not from the office
name: office
logsource: {category: webserver}
filter:
  rules: [id-a]
  office: {c-ip|cidr: 192.0.2.0/24}
  condition: not office
---
title: Not the monitor
name: monitor
logsource: {category: webserver}
filter:
  rules: any
  agent: {c-useragent: monitor}
  condition: not agent
---
title: For other logs
name: other
logsource: {category: dns}
filter:
  rules: any
  agent: {c-useragent: other}
  condition: not agent
`
	with, without := compileText(t, src, Options{})
	f := func(spec, want string) {
		t.Helper()
		for _, s := range []*Set{with, without} {
			var got []string
			for _, sig := range s.NewMatcher().Match(newEvent(spec), nil) {
				got = append(got, sig.Detector.Name)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: got %v, want %s", spec, got, want)
			}
		}
	}
	f("uri=/x|client=198.51.100.1", "a b")
	f("uri=/x|client=192.0.2.1", "b")
	f("uri=/x|client=198.51.100.1|user_agent.original=monitor", "")
	f("uri=/x|client=198.51.100.1|user_agent.original=other", "a b")
}

func TestPack(t *testing.T) {
	fsys := fstest.MapFS{
		"web/a.yaml":  {Data: []byte(head + "  sel: {payload|re|i: 'sel(ect|x)\\s', url.path|contains: ['/a', \"b\\u00e9\"]}\n  condition: sel\n")},
		"b.yml":       {Data: []byte("title: A\n---\ntitle: C\nname: c\nlogsource: {category: dns}\ndetection: {s: {a: 1, b: null, c: true, d: 1.5}, condition: s}\n")},
		"notes.md":    {Data: []byte("no rules")},
		"web/a.log":   {Data: []byte("#: ignore\n")},
		"c/c.yaml":    {Data: []byte("title: [\n")},
		"empty/x.yml": {Data: []byte("")},
	}
	packed, problems, err := Pack(fsys)
	if err != nil {
		t.Fatal(err)
	}
	fromYAML, p1, err1 := Load(fsys, "")
	fromPacked, p2, err2 := Load(fsys, packed)
	if err1 != nil || err2 != nil || len(fromYAML) != 2 || len(fromPacked) != 2 {
		t.Fatal(err1, err2, fromYAML, fromPacked)
	}
	for i := range fromYAML {
		if a, b := fromYAML[i], fromPacked[i]; a.hash != b.hash || a.File != b.File || a.Line != b.Line || a.Title != b.Title {
			t.Errorf("%+v\n%+v", a, b)
		}
	}
	// What was wrong with the YAML itself is known when packing; the rest is found again.
	if len(p1) != 3 || len(problems) != 3 || len(p2) != 2 {
		t.Errorf("%d %d %d problems", len(p1), len(problems), len(p2))
	}
	a, _ := Compile(fromYAML, Options{})
	b, _ := Compile(fromPacked, Options{})
	if a.Hash() != b.Hash() || a.Hash() == "" {
		t.Errorf("hashes %s and %s", a.Hash(), b.Hash())
	}
	if c, _ := Compile(fromYAML[:1], Options{}); c.Hash() == a.Hash() {
		t.Error("other rules have the same hash")
	}
	if !InStep(fsys, packed) {
		t.Error("not in step")
	}
	fsys["b.yml"].Data = append(fsys["b.yml"].Data, "# more\n"...)
	if rules, _, err := Load(fsys, packed); err != nil || len(rules) != 2 || InStep(fsys, packed) {
		t.Error("a stale pack was used, or is in step", len(rules), err)
	}
	for n := range len(packed) - len(packMagic) - 8 {
		// Whatever the damage, no panic, and what is left is YAML or a clean prefix.
		u := unpacker{src: packed[len(packMagic)+8:][:n]}
		build(u.documents(), u.regexes())
	}
}
