package incident

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// A Threat is one page of the threat library: what a finding is called, how it
// is classified, and what a person should do about it. Strings are Markdown
// with nothing but inline code.
type Threat struct {
	Slug      string         `json:"slug"`     // "sql-injection"; the file's name
	Title     string         `json:"title"`    // in plain words: "SQL injection"
	OneLine   string         `json:"one_line"` // what happened, to follow "it looks as if": "someone tried to make the database run their SQL"
	Missing   string         `json:"missing"`  // the log or field that would settle whether it worked
	LogHint   string         `json:"log_hint"` // a configuration line that records it; may span lines
	Severity  event.Severity `json:"severity"`
	Stage     string         `json:"stage"`  // recon, exploit, foothold, action or exfiltration
	Attack    []string       `json:"attack"` // ATT&CK technique ids: "T1190", "T1110.001"
	OWASP     []string       `json:"owasp"`  // "A03:2021", "API2:2023", "LLM01:2025"
	CWE       []int          `json:"cwe"`
	CAPEC     []int          `json:"capec"`
	OAT       []string       `json:"oat"`       // OWASP Automated Threats: "OAT-008"
	Platforms []string       `json:"platforms"` // where it is seen: "nginx", "Apache", "Node.js", "AWS", "WordPress", "Linux"

	What       string   `json:"what"`   // a paragraph
	Worked     []string `json:"worked"` // how to tell whether it worked
	DoNow      []string `json:"do_now"` // first the one thing
	Then       []string `json:"then"`
	LookAlikes []string `json:"look_alikes"` // benign explanations
}

// MarshalJSON writes the severity by its name.
func (t *Threat) MarshalJSON() ([]byte, error) {
	type plain Threat
	return json.Marshal(struct {
		*plain
		Severity string `json:"severity"`
	}{(*plain)(t), t.Severity.String()})
}

// An item of DoNow or Then may begin with one of these; the rest of it is then
// advice for that case only.
const (
	ifWorked     = "If it worked: "
	unlessFailed = "Unless it failed: "
)

// Advice is DoNow and Then for an attack that came out as out: what does not
// apply is left out, and a condition that is known to hold is not repeated.
func (t *Threat) Advice(out event.Outcome) (now, then []string) {
	return fitting(t.DoNow, out), fitting(t.Then, out)
}

func fitting(items []string, out event.Outcome) (fit []string) {
	for _, item := range items {
		rest, conditional := strings.CutPrefix(item, ifWorked)
		if !conditional {
			rest, conditional = strings.CutPrefix(item, unlessFailed)
			if conditional && out == event.Unknown {
				conditional, item = false, upperFirst(rest)
			}
		}
		switch {
		case !conditional || out == event.Unknown:
			fit = append(fit, item)
		case out != event.Blocked:
			fit = append(fit, upperFirst(rest))
		}
	}
	return fit
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Stages are the steps of an attack, in the order in which they come.
var Stages = []string{"recon", "exploit", "foothold", "action", "exfiltration"}

// threatSections are the headings of a page, in their order.
var threatSections = [...]string{"What it is", "Did it work?", "Do now", "Then", "Innocent look-alikes"}

// LoadThreats reads every *.md of the root of fsys, by slug. Errors name file and line.
func LoadThreats(fsys fs.FS) (map[string]*Threat, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("threats: %w", err)
	}
	all := make(map[string]*Threat, len(entries))
	for _, e := range entries {
		name := e.Name()
		slug, isPage := strings.CutSuffix(name, ".md")
		if e.IsDir() || !isPage {
			continue
		}
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("threats: %w", err)
		}
		p := page{name: "threats/" + name, rest: string(b)}
		t, err := p.parse()
		if err != nil {
			return nil, err
		}
		if t.Slug != slug {
			return nil, fmt.Errorf("%s:1: slug is %q; it must be the file's name, %q", p.name, t.Slug, slug)
		}
		all[slug] = t
	}
	return all, nil
}

// A page is one file on its way into a Threat. The front matter is the small
// part of YAML that the pages need, read by hand: a general YAML parser takes
// longer for the 47 pages than the whole engine may take to start.
type page struct {
	name string
	rest string // what is not read yet
	line int    // number of the line that was read last
}

func (p *page) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.name, p.line, fmt.Sprintf(format, args...))
}

// next takes the next line, without its end.
func (p *page) next() (line string, ok bool) {
	if p.rest == "" {
		return "", false
	}
	line, p.rest, _ = strings.Cut(p.rest, "\n")
	p.line++
	return strings.TrimSuffix(line, "\r"), true
}

func (p *page) parse() (*Threat, error) {
	t := new(Threat)
	if first, _ := p.next(); first != "---" {
		return nil, p.errorf(`a page starts with its front matter, between two lines "---"`)
	}
	if err := p.frontMatter(t); err != nil {
		return nil, err
	}
	for _, must := range [...]struct{ key, value string }{
		{"slug", t.Slug}, {"title", t.Title}, {"one_line", t.OneLine}, {"missing", t.Missing}, {"stage", t.Stage},
	} {
		if must.value == "" {
			return nil, p.errorf("the front matter lacks %q", must.key)
		}
	}
	return t, p.sections(t)
}

func (p *page) frontMatter(t *Threat) error {
	for {
		line, ok := p.next()
		if !ok {
			return p.errorf(`the front matter does not end; close it with a line "---"`)
		}
		if line == "---" {
			return nil
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		key, raw, ok := strings.Cut(line, ":")
		if !ok {
			return p.errorf("want key: value, have %q", line)
		}
		if err := p.set(t, key, strings.TrimSpace(raw)); err != nil {
			return err
		}
	}
}

func (p *page) set(t *Threat, key, raw string) error {
	var err error
	switch key {
	case "slug":
		t.Slug, err = p.scalar(raw)
	case "title":
		t.Title, err = p.scalar(raw)
	case "one_line":
		t.OneLine, err = p.scalar(raw)
	case "missing":
		t.Missing, err = p.scalar(raw)
	case "log_hint":
		t.LogHint, err = p.scalar(raw)
	case "severity":
		var ok bool
		if t.Severity, ok = event.SeverityNamed(raw); !ok {
			err = p.errorf("unknown severity %q; one of informational, low, medium, high, critical", raw)
		}
	case "stage":
		t.Stage = raw
		if !isStage(raw) {
			err = p.errorf("unknown stage %q; one of %s", raw, strings.Join(Stages, ", "))
		}
	case "attack":
		t.Attack, err = p.list(raw)
	case "owasp":
		t.OWASP, err = p.list(raw)
	case "oat":
		t.OAT, err = p.list(raw)
	case "platforms":
		t.Platforms, err = p.list(raw)
	case "cwe":
		t.CWE, err = p.numbers(raw)
	case "capec":
		t.CAPEC, err = p.numbers(raw)
	default:
		err = p.errorf("unknown key %q in the front matter", key)
	}
	return err
}

func isStage(s string) bool {
	for _, known := range Stages {
		if s == known {
			return true
		}
	}
	return false
}

// scalar reads a plain, 'quoted', "quoted" or block (|) value.
func (p *page) scalar(raw string) (string, error) {
	switch {
	case raw == "|":
		var lines []string
		for strings.HasPrefix(p.rest, "  ") {
			line, _ := p.next()
			lines = append(lines, line[2:])
		}
		return strings.Join(lines, "\n"), nil
	case strings.HasPrefix(raw, "'"):
		if len(raw) < 2 || raw[len(raw)-1] != '\'' {
			return "", p.errorf("the quote does not end on its line")
		}
		return strings.ReplaceAll(raw[1:len(raw)-1], "''", "'"), nil
	case strings.HasPrefix(raw, `"`):
		s, err := strconv.Unquote(raw)
		if err != nil {
			return "", p.errorf("bad double-quoted value %s", raw)
		}
		return s, nil
	case strings.Contains(raw, ": ") || strings.Contains(raw, " #"):
		return "", p.errorf(`a value with ": " or " #" inside needs quotes`)
	}
	return raw, nil
}

// list reads [a, "b"]. Items contain no commas.
func (p *page) list(raw string) ([]string, error) {
	inner, ok := strings.CutPrefix(raw, "[")
	if ok {
		inner, ok = strings.CutSuffix(inner, "]")
	}
	if !ok {
		return nil, p.errorf("want a list like [a, b], have %q", raw)
	}
	if strings.TrimSpace(inner) == "" {
		return nil, nil
	}
	var items []string
	for item := range strings.SplitSeq(inner, ",") {
		s, err := p.scalar(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		items = append(items, s)
	}
	return items, nil
}

func (p *page) numbers(raw string) ([]int, error) {
	items, err := p.list(raw)
	if err != nil {
		return nil, err
	}
	var ns []int
	for _, item := range items {
		n, err := strconv.Atoi(item)
		if err != nil {
			return nil, p.errorf("want a number, have %q", item)
		}
		ns = append(ns, n)
	}
	return ns, nil
}

func (p *page) sections(t *Threat) error {
	var paragraph []string
	into := [...]*[]string{&paragraph, &t.Worked, &t.DoNow, &t.Then, &t.LookAlikes}
	numbered := [...]bool{2: true, 3: true, 4: false}
	at := -1
	for {
		line, ok := p.next()
		if !ok {
			break
		}
		text := strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			if at++; at == len(threatSections) || heading != threatSections[at] {
				return p.errorf("unexpected heading %q; the headings are, in order, %q", heading, threatSections)
			}
			continue
		}
		if text == "" {
			continue
		}
		if at < 0 {
			return p.errorf("text before the first heading, %q", threatSections[0])
		}
		item, starts := text, at == 0 && len(paragraph) == 0
		if at > 0 && text == line {
			mark := "- "
			if numbered[at] {
				mark = strconv.Itoa(len(*into[at])+1) + ". "
			}
			if item, starts = strings.CutPrefix(line, mark); !starts {
				return p.errorf("under %q an item starts with %q; its further lines are indented", threatSections[at], mark)
			}
		}
		if list := into[at]; starts {
			*list = append(*list, item)
		} else if len(*list) == 0 {
			return p.errorf("an indented line before the first item")
		} else {
			(*list)[len(*list)-1] += " " + item
		}
	}
	if at != len(threatSections)-1 {
		return p.errorf("the page ends before the heading %q", threatSections[at+1])
	}
	for i, list := range into {
		if len(*list) == 0 {
			return p.errorf("nothing under %q", threatSections[i])
		}
	}
	t.What = paragraph[0]
	return nil
}
