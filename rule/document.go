package rule

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// An assignment is one field that a model sets.
type assignment struct {
	field event.Field
	value []byte
}

// A filterDoc is a filter's block: which rules it narrows.
type filterDoc struct {
	rules []string
	any   bool
}

// A corrDoc is a correlation document before its references are resolved.
type corrDoc struct {
	line     int32
	typ      CorrelationType
	rules    []string
	groupBy  []string
	aliases  map[string]map[string]string // alias -> rule reference -> field
	timespan time.Duration
	cond     Condition
	generate bool
}

// defaultOrder is the order of generic application models.
const defaultOrder = 100

// Parse reads one rule file: any number of YAML documents. Documents with a problem that keeps them
// from running are left out of rules. file is used in messages only.
func Parse(file string, src []byte) (rules []*Rule, list []Problem) {
	docs, list := readYAML(file, src)
	r, l := build(each(docs), nil)
	return r, append(list, l...)
}

func each(docs []document) iter.Seq[*document] {
	return func(yield func(*document) bool) {
		for i := range docs {
			if !yield(&docs[i]) {
				return
			}
		}
	}
}

// build makes rules of documents, and applies the collection actions of old rule files. regexes has the facts
// of expressions that are known to be right. A document is looked at until the one after the next comes, or for good where it has an action.
func build(docs iter.Seq[*document], regexes map[string]facts) (rules []*Rule, list []Problem) {
	var global, previous *node
	file := ""
	for d := range docs {
		if file != d.file {
			file, global, previous = d.file, nil, nil
		}
		n := &d.root
		if n.kind != nodeMap {
			list = append(list, Problem{File: d.file, Line: int(n.line), Msg: "a rule must be a map, not " + nodeNames[n.kind], Hint: "start with \"title:\""})
			continue
		}
		switch action := n.text("action"); action {
		case "global":
			global = merge(global, n)
			continue
		case "reset":
			global = nil
			continue
		case "repeat":
			if previous == nil {
				list = append(list, Problem{File: d.file, Line: int(n.line), Msg: "action \"repeat\" without a rule before it"})
				continue
			}
			n = merge(previous, n)
		case "":
			if global != nil {
				n = merge(global, n)
			}
		default:
			if a := n.get("action"); a.scalar() {
				list = append(list, Problem{File: d.file, Line: int(a.line), Msg: fmt.Sprintf("unknown action %q", action),
					Hint: didYouMean(action, []string{"global", "reset", "repeat"})})
				continue
			}
		}
		previous = n
		p := &problems{file: d.file, regexes: regexes}
		if n != &d.root || d.hash == 0 {
			d.hash = contentHash(n)
		}
		r := parseRule(d.file, n, p)
		r.hash = d.hash
		list = append(list, p.list...)
		if !p.failed() {
			rules = append(rules, r)
		}
	}
	return rules, list
}

// merge lays the map b over the map a.
func merge(a, b *node) *node {
	if a == nil {
		return b
	}
	out := &node{kind: nodeMap, line: b.line, kids: append([]node(nil), a.kids...)}
next:
	for i := 0; i+1 < len(b.kids); i += 2 {
		if b.kids[i].str == "action" {
			continue
		}
		for j := 0; j+1 < len(out.kids); j += 2 {
			if out.kids[j].str != b.kids[i].str {
				continue
			}
			if out.kids[j+1].kind == nodeMap && b.kids[i+1].kind == nodeMap {
				out.kids[j+1] = *merge(&out.kids[j+1], &b.kids[i+1])
			} else {
				out.kids[j], out.kids[j+1] = b.kids[i], b.kids[i+1]
			}
			continue next
		}
		out.kids = append(out.kids, b.kids[i], b.kids[i+1])
	}
	return out
}

func parseRule(file string, n *node, p *problems) *Rule {
	r := &Rule{File: file, Line: int(n.line), ID: n.text("id"), Name: n.text("name"), Title: n.text("title"), Status: n.text("status"),
		Description: strings.TrimSpace(n.text("description")), Author: n.text("author"), Date: n.text("date"), License: n.text("license"),
		Tags: n.texts("tags"), References: n.texts("references"), FalsePositives: n.texts("falsepositives")}
	p.rule = r.ref()
	if r.Title == "" {
		p.add(Broken, n.line, "rule has no title", "add \"title:\"")
	}
	if r.Name == "" && r.ID == "" {
		p.add(Warning, n.line, "rule has neither id nor name, so that nothing can refer to it", "add \"id:\" with a UUID")
	}
	r.Level = event.Medium
	if l := n.get("level"); l != nil {
		var ok bool
		if r.Level, ok = event.SeverityNamed(strings.ToLower(l.str)); !ok {
			p.add(Broken, l.line, fmt.Sprintf("unknown level %q", l.str), didYouMean(l.str, []string{"informational", "low", "medium", "high", "critical"}))
		}
	}
	if ls := n.get("logsource"); ls != nil {
		r.Logsource = Logsource{strings.ToLower(ls.text("category")), strings.ToLower(ls.text("product")), strings.ToLower(ls.text("service")), ls.text("definition")}
		if ls.kind != nodeMap {
			p.add(Broken, ls.line, "logsource must be a map", "write \"logsource: {category: webserver}\"")
		}
	}
	v := n.get("vanguard")
	r.custom = v != nil
	det, corr, filter := n.get("detection"), n.get("correlation"), n.get("filter")
	switch {
	case corr != nil:
		r.Type = Correlat
		r.corr = parseCorrelation(corr, p)
	case filter != nil:
		r.Type = Filter
		r.filter = &filterDoc{rules: filter.texts("rules")}
		r.filter.any = len(r.filter.rules) == 1 && strings.EqualFold(r.filter.rules[0], "any")
		if len(r.filter.rules) == 0 {
			p.add(Broken, filter.line, "filter names no rules", "add \"rules:\" with names or ids, or \"any\"")
		}
		r.det = parseDetection(filter, true, p)
	case det != nil:
		r.det = parseDetection(det, false, p)
		if n.get("logsource") == nil && !r.custom {
			p.add(Broken, n.line, "rule has no logsource", "add for instance \"logsource: {category: webserver}\"")
		}
	default:
		hint := ""
		for i := 0; i < len(n.kids) && hint == ""; i += 2 {
			hint = didYouMean(n.kids[i].str, []string{"detection", "correlation", "filter"})
		}
		if hint == "" {
			hint = "a rule needs a detection, a correlation or a filter"
		}
		p.add(Broken, n.line, "rule has no detection", hint)
	}
	parseVanguard(r, v, p)
	return r
}

var vanguardKeys = []string{"threat", "stage", "confidence", "noise", "base", "outcome", "set", "order"}

// parseVanguard reads the custom block, makes up for it where it is absent, and builds the Detector.
func parseVanguard(r *Rule, v *node, p *problems) {
	d := &event.Detector{By: "rule:" + r.ref(), Name: r.Name, Title: r.Title, Why: firstSentences(r.Description), Level: r.Level, Tags: r.Tags}
	if d.Name == "" {
		d.Name = r.ref()
	}
	for _, t := range r.Tags {
		low := strings.ToLower(t)
		if id, ok := strings.CutPrefix(low, "attack.t"); ok && len(id) >= 4 && id[0] >= '0' && id[0] <= '9' {
			d.Attack = append(d.Attack, "T"+id)
		}
		if id, ok := strings.CutPrefix(low, "cve."); ok {
			d.CVE = append(d.CVE, "CVE-"+strings.ReplaceAll(strings.ToUpper(strings.TrimPrefix(id, "cve-")), ".", "-"))
		}
	}
	if v == nil {
		if r.Type == Alert || r.Type == Correlat {
			derive(r, d)
			r.Detector = d
		}
		return
	}
	if v.kind != nodeMap {
		p.add(Broken, v.line, "vanguard must be a map", "see docs/rules.md")
		return
	}
	for i := 0; i+1 < len(v.kids); i += 2 {
		key, val := v.kids[i].str, &v.kids[i+1]
		switch key {
		case "threat":
			d.Threat = val.str
		case "stage":
			d.Stage = val.str
			if !oneOf(val.str, stages) {
				p.add(Broken, val.line, fmt.Sprintf("unknown stage %q", val.str), didYouMean(val.str, stages))
			}
		case "confidence":
			f, err := strconv.ParseFloat(val.str, 64)
			if err != nil || !(f > 0 && f <= 1) {
				p.add(Broken, val.line, fmt.Sprintf("confidence %q is not a probability", val.str), "write a number above 0, at most 1")
			}
			d.Confidence = f
		case "noise":
			d.Noise = truth(val, p)
		case "base":
			d.Base = truth(val, p)
		case "outcome":
			var ok bool
			if d.Outcome, ok = event.OutcomeNamed(val.str); !ok {
				p.add(Broken, val.line, fmt.Sprintf("unknown outcome %q", val.str), didYouMean(val.str, []string{"blocked", "likely-succeeded", "succeeded", "unknown"}))
			}
		case "set":
			r.Type = Model
			parseSet(r, val, p)
		case "order":
			n, err := strconv.Atoi(val.str)
			if err != nil {
				p.broken(val.line, "order %q is not a whole number", val.str)
			}
			r.order = n
		default:
			p.add(Broken, v.kids[i].line, fmt.Sprintf("unknown key %q in vanguard", key), didYouMean(key, vanguardKeys))
		}
	}
	switch r.Type {
	case Model:
		if r.corr != nil || r.filter != nil {
			p.broken(v.line, "only a rule with a detection can set fields")
		}
		if v.get("order") == nil {
			r.order = defaultOrder
		}
		return
	case Filter:
		return
	}
	fallback := *d
	derive(r, &fallback)
	if d.Threat == "" {
		if !d.Base {
			p.add(Broken, v.line, "vanguard names no threat", "add \"threat:\", or \"base: true\" if the rule only feeds correlations")
		}
		d.Threat = fallback.Threat
	}
	if d.Stage == "" {
		d.Stage = fallback.Stage
	}
	if d.Confidence == 0 {
		d.Confidence = fallback.Confidence
	}
	r.Detector = d
}

var stages = []string{"recon", "exploit", "foothold", "action", "exfiltration"}

func oneOf(s string, known []string) bool {
	for _, k := range known {
		if s == k {
			return true
		}
	}
	return false
}

func truth(n *node, p *problems) bool {
	switch strings.ToLower(n.str) {
	case "true", "yes":
		return true
	case "false", "no":
		return false
	}
	p.broken(n.line, "%q is neither true nor false", n.str)
	return false
}

func parseSet(r *Rule, n *node, p *problems) {
	if n.kind != nodeMap || len(n.kids) == 0 {
		p.add(Broken, n.line, "set must be a map", "write \"set: {event.category: authentication}\"")
		return
	}
	for i := 0; i+1 < len(n.kids); i += 2 {
		key, val := &n.kids[i], &n.kids[i+1]
		f, ok := event.FieldNamed(key.str)
		switch {
		case !ok:
			var names []string
			for f := range event.NumFields {
				names = append(names, f.String())
			}
			p.add(Broken, key.line, fmt.Sprintf("unknown field %q", key.str), didYouMean(key.str, names))
		case !val.scalar():
			p.broken(val.line, "field %q must be set to text", key.str)
		case f == event.Result && val.str != "success" && val.str != "failure" && val.str != "unknown":
			p.add(Broken, val.line, fmt.Sprintf("unknown event.outcome %q", val.str), "it is success, failure or unknown")
		default:
			r.assign = append(r.assign, assignment{f, []byte(val.str)})
		}
	}
}

// firstSentences shortens a description to what fits under a finding.
func firstSentences(s string) string {
	const most = 400
	if len(s) <= most && !strings.ContainsAny(s, "\n\r\t") && !strings.Contains(s, "  ") && strings.TrimSpace(s) == s {
		return s
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	if i := strings.LastIndex(s[:most], ". "); i > 0 {
		return s[:i+1]
	}
	i := strings.LastIndexByte(s[:most], ' ')
	if i < 0 {
		i = most
		for i > 0 && s[i]&0xc0 == 0x80 {
			i--
		}
	}
	return s[:i] + " ..."
}

var correlationOps = map[string]Op{"gt": GT, "gte": GTE, "lt": LT, "lte": LTE, "eq": EQ, "neq": NEQ}

func parseCorrelation(n *node, p *problems) *corrDoc {
	c := &corrDoc{line: n.line}
	if n.kind != nodeMap {
		p.broken(n.line, "correlation must be a map, not %s", nodeNames[n.kind])
		return c
	}
	typ := n.text("type")
	found := false
	for i, name := range correlationNames {
		if typ == name {
			c.typ, found = CorrelationType(i), true
		}
	}
	if !found {
		p.add(Broken, n.line, fmt.Sprintf("unknown correlation type %q", typ), didYouMean(typ, correlationNames[:]))
	}
	if c.rules = n.texts("rules"); len(c.rules) == 0 {
		p.add(Broken, n.line, "correlation names no rules", "add \"rules:\" with names or ids")
	}
	c.groupBy = n.texts("group-by")
	if g := n.get("generate"); g != nil {
		c.generate = truth(g, p)
	}
	if ts := n.text("timespan"); ts == "" {
		p.add(Broken, n.line, "correlation has no timespan", "add for instance \"timespan: 5m\"")
	} else {
		var err error
		if c.timespan, err = parseTimespan(ts); err != nil {
			p.err(n.get("timespan").line, "", err)
		}
	}
	if a := n.get("aliases"); a != nil && a.kind == nodeMap {
		c.aliases = map[string]map[string]string{}
		for i := 0; i+1 < len(a.kids); i += 2 {
			per := map[string]string{}
			for j := 0; j+1 < len(a.kids[i+1].kids); j += 2 {
				per[a.kids[i+1].kids[j].str] = a.kids[i+1].kids[j+1].str
			}
			for _, ref := range sortedKeys(per) {
				if !oneOf(ref, c.rules) {
					p.add(Broken, a.kids[i+1].line, fmt.Sprintf("alias %q is for rule %q, which the correlation does not name", a.kids[i].str, ref), didYouMean(ref, c.rules))
				}
			}
			c.aliases[a.kids[i].str] = per
		}
	} else if a != nil {
		p.broken(a.line, "aliases must be a map")
	}
	c.parseCorrelationCondition(n, p)
	return c
}

func (c *corrDoc) parseCorrelationCondition(n *node, p *problems) {
	temporal := c.typ == Temporal || c.typ == TemporalOrdered
	v := n.get("condition")
	switch {
	case v == nil || v.kind == nodeNull:
		if !temporal {
			p.add(Broken, n.line, fmt.Sprintf("correlation type %s needs a condition", c.typ), "add for instance \"condition: {gte: 10}\"")
		}
		return
	case v.scalar():
		if !temporal {
			p.add(Broken, v.line, "only temporal correlations have a condition over rule names", "write a map, for instance \"condition: {gte: 10}\"")
			return
		}
		e, _, err := parseCondition(v.str, c.rules)
		if err != nil {
			p.err(v.line, "", err)
			return
		}
		c.cond.expr = e
		return
	case v.kind != nodeMap:
		p.broken(v.line, "a correlation's condition must be a map")
		return
	}
	for i := 0; i+1 < len(v.kids); i += 2 {
		key, val := v.kids[i].str, &v.kids[i+1]
		switch {
		case key == "field":
			c.cond.Fields = v.texts("field")
		case key == "percentile":
			f, err := parseNumber(val.str)
			if err != nil || f < 0 || f > 100 {
				p.broken(val.line, "percentile %q is not within 0 and 100", val.str)
			}
			c.cond.Percentile = f
		default:
			op, ok := correlationOps[key]
			if !ok {
				p.add(Broken, v.kids[i].line, fmt.Sprintf("unknown operator %q in the condition", key), didYouMean(key, append(sortedKeys(correlationOps), "field")))
				continue
			}
			f, err := parseNumber(val.str)
			if err != nil {
				p.err(val.line, "", err)
				continue
			}
			c.cond.Limits = append(c.cond.Limits, Limit{op, f})
		}
	}
	if !temporal && len(c.cond.Limits) == 0 {
		p.add(Broken, v.line, "the condition compares with nothing", "add for instance \"gte: 10\"")
	}
	if c.typ != EventCount && !temporal && len(c.cond.Fields) == 0 {
		p.add(Broken, v.line, fmt.Sprintf("correlation type %s needs a field", c.typ), "add \"field:\" to the condition")
	}
	if c.typ == ValuePercentile && v.get("percentile") == nil {
		p.add(Broken, v.line, "correlation type value_percentile needs a percentile", "add \"percentile: 95\" to the condition")
	}
}

func contentHash(n *node) uint64 {
	h := hasher(hashStart)
	h.node(n)
	return uint64(h)
}

const hashStart = 14695981039346656037 // FNV-1a's offset basis

// hasher is FNV-1a over a document's content: the same rule laid out differently has the same hash.
type hasher uint64

func (h *hasher) byte(c byte) { *h = (*h ^ hasher(c)) * 1099511628211 }

func (h *hasher) string(s string) {
	for i := 0; i < len(s); i++ {
		h.byte(s[i])
	}
	h.byte(0xff) // no UTF-8 text has it
}

func (h *hasher) node(n *node) {
	h.byte(byte(n.kind))
	h.string(n.str)
	for i := range n.kids {
		h.node(&n.kids[i])
	}
	h.byte(0xfe)
}
