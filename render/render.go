// Package render turns a Report into what people and programs read: text for a
// terminal, JSON, Markdown, HTML, OCSF and CSV.
//
// A Report quotes the log, and the log is hostile: see escape.go for how its bytes are
// made harmless. Nothing here reads a clock or knows a terminal; the host says how wide
// and whether in colour.
package render

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard"
)

// Options say what the reader's side looks like. The zero value is plain text, 100 columns wide.
type Options struct {
	Width int       // columns of the terminal; 0 = 100
	Color bool      // ANSI colours (text only)
	Top   int       // findings to show, the worst first; 0 = all
	Now   time.Time // OCSF demands a time of every finding: used for those whose lines had none
}

// TextTop is how many findings text shows unless told otherwise.
const TextTop = 20

// Formats are the names that Write takes.
var Formats = []string{"text", "json", "jsonl", "md", "html", "ocsf", "csv"}

// Write writes r to w in the named format. The error is about the format's name or comes from w.
func Write(w io.Writer, format string, r *vanguard.Report, opt Options) error {
	r = tidy(r)
	shown, more := r.Findings, 0
	if format == "text" || format == "md" || format == "html" {
		// People get background noise as one line; programs get all of it.
		shown = slices.DeleteFunc(shown, func(f vanguard.Finding) bool { return f.Noise })
	}
	if opt.Top > 0 && len(shown) > opt.Top {
		shown, more = shown[:opt.Top], len(shown)-opt.Top
	}
	r.Findings = shown
	switch format {
	case "text":
		return writeText(w, r, more, opt)
	case "json":
		return writeJSON(w, r)
	case "jsonl":
		return writeJSONL(w, r)
	case "md":
		return writeMarkdown(w, r, more)
	case "html":
		return writeHTML(w, r, more)
	case "ocsf":
		return writeOCSF(w, r, opt)
	case "csv":
		return writeCSV(w, r)
	}
	return fmt.Errorf("unknown output format %q; one of %s", format, strings.Join(Formats, ", "))
}

// look is how a word of a vocabulary is shown: never by colour alone.
type look struct {
	Icon string // one column wide
	Word string
	Tone tone
}

// tone is what a colour means.
type tone string

const (
	bad   tone = "bad"
	warn  tone = "warn"
	calm  tone = "calm"
	muted tone = "muted"
)

func verdictLook(v vanguard.Verdict) look {
	switch v {
	case vanguard.CompromiseLikely:
		return look{"▲", "Compromise likely", bad}
	case vanguard.UnderAttack:
		return look{"◆", "Under attack", warn}
	case vanguard.Probed:
		return look{"○", "Probed", calm}
	case vanguard.LooksNormal:
		return look{"✓", "Looks normal", calm}
	}
	return look{"?", "Can't tell", muted}
}

func outcomeLook(o string) look {
	switch o {
	case "succeeded":
		return look{"▲", "Succeeded", bad}
	case "likely-succeeded":
		return look{"△", "Likely succeeded", bad}
	case "blocked":
		return look{"■", "Blocked", calm}
	}
	return look{"●", "Outcome unknown", warn}
}

// percent shows a probability, without ever claiming certainty.
func percent(p float64) string { return fmt.Sprintf("%d%%", min(max(int(p*100+0.5), 0), 99)) }

// hiddenFindings says how many findings are not shown.
func hiddenFindings(more int) string {
	if more == 0 {
		return ""
	}
	return "and " + count(more, "further finding") + ", less severe (--top 0 shows all)"
}

// noise words the background noise.
func noise(n *vanguard.Noise) string {
	if n == nil || n.Events == 0 {
		return ""
	}
	if n.Summary != "" {
		return n.Summary
	}
	return count(n.Events, "event") + " from " + count(n.Actors, "source")
}

// count writes "1 line", "12,345 lines".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}

// grouped writes 12345 as 12,345.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// period shows two RFC 3339 times as people write them; the second without its date if
// that is the first's. A zone is shown once, where the log had one.
func period(first, last string) string {
	d1, t1, z := splitTime(first)
	d2, t2, _ := splitTime(last)
	if z != "" {
		z = " " + z
	}
	switch {
	case first == "":
		return ""
	case last == "" || last == first:
		return d1 + " " + t1 + z
	case d1 == d2:
		return d1 + " " + t1 + " – " + t2 + z
	}
	return d1 + " " + t1 + " – " + d2 + " " + t2 + z
}

// splitTime splits an RFC 3339 time, with or without a zone, and drops fractions.
func splitTime(s string) (date, clock, zone string) {
	date, clock, _ = strings.Cut(s, "T")
	if i := strings.IndexAny(clock, "Z+-"); i >= 0 {
		clock, zone = clock[:i], clock[i:]
	}
	if zone == "Z" {
		zone = "UTC"
	}
	clock, _, _ = strings.Cut(clock, ".")
	return date, clock, zone
}

// place names an evidence line: "access.log:213".
func place(source string, line int) string {
	if source == "" {
		return fmt.Sprint("line ", line)
	}
	return fmt.Sprintf("%s:%d", source, line)
}

// understood says how much was read: "487 of 500 lines understood (nginx_combined 400, sshd 87)".
func understood(in *vanguard.Input) string {
	const maxNamed = 4
	s := fmt.Sprintf("%s of %s understood", grouped(in.Understood), count(in.Lines, "line"))
	var names []string
	rest := 0
	for i, f := range in.Formats {
		switch {
		case len(in.Formats) == 1:
			names = append(names, f.Name)
		case i < maxNamed:
			names = append(names, f.Name+" "+grouped(f.Lines))
		default:
			rest += f.Lines
		}
	}
	if rest > 0 {
		names = append(names, "others "+grouped(rest))
	}
	if len(names) > 0 {
		s += " (" + strings.Join(names, ", ") + ")"
	}
	return s
}

// references lists a finding's ids in the catalogues of the field.
func references(f *vanguard.Finding) []string {
	var out []string
	list := func(catalogue string, ids []string) {
		if len(ids) > 0 {
			out = append(out, strings.TrimSpace(catalogue+" "+strings.Join(ids, ", ")))
		}
	}
	list("ATT&CK", f.Attack)
	list("OWASP", f.OWASP)
	var cwe []string
	for _, c := range f.CWE {
		cwe = append(cwe, fmt.Sprint("CWE-", c))
	}
	list("", cwe)
	list("", f.CVE)
	return out
}

// A target is a Target in the order in which they are shown.
type target struct {
	vanguard.Target
	First bool // of its type
}

// targetsByType puts targets of one type next to each other.
func targetsByType(f *vanguard.Finding) (out []target) {
	for _, t := range f.Targets {
		if slices.ContainsFunc(out, func(o target) bool { return o.Type == t.Type }) {
			continue
		}
		first := true
		for _, o := range f.Targets {
			if o.Type == t.Type {
				out = append(out, target{o, first})
				first = false
			}
		}
	}
	return out
}

// targets names what was acted on: "route /a, /b, account admin", at most most of them; 0 = all.
func targets(f *vanguard.Finding, most int) string {
	all := targetsByType(f)
	if most == 0 {
		most = len(all)
	}
	var b strings.Builder
	for i, t := range all[:min(most, len(all))] {
		if i > 0 {
			b.WriteString(", ")
		}
		if t.First {
			b.WriteString(t.Type + " ")
		}
		b.WriteString(t.Value)
	}
	if more := len(all) - most; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// unnamed is a rule that has an id and no name, which tells a reader nothing.
var unnamed = regexp.MustCompile(`^rule:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// named drops what has no name from a list of detectors.
func named(by []string) []string {
	return slices.DeleteFunc(slices.Clone(by), unnamed.MatchString)
}

// reasonsOnce drops the reason of a line whose reason stands above it already.
func reasonsOnce(all []vanguard.Evidence) []vanguard.Evidence {
	out := slices.Clone(all)
	for i := 1; i < len(all); i++ {
		if all[i].Why == all[i-1].Why {
			out[i].Why = ""
		}
	}
	return out
}

// A phrase is a stretch of a sentence: the threat pages write commands and settings between backticks.
type phrase struct {
	Text string // visible
	Code bool
}

// rich splits a sentence at its backticks.
func rich(s string) (out []phrase) {
	parts := strings.Split(visible(s), "`")
	for i, p := range parts {
		if i%2 == 1 && i == len(parts)-1 { // never closed
			p = "`" + p
		}
		if p != "" {
			out = append(out, phrase{p, i%2 == 1 && i < len(parts)-1})
		}
	}
	return out
}

// keyEvidence picks the lines that a person reads first: the first of each reason, then the earliest.
func keyEvidence(all []vanguard.Evidence, most int) (key []vanguard.Evidence) {
	keep := make([]bool, len(all))
	left := most
	seen := map[string]bool{}
	for i, e := range all {
		if left > 0 && !seen[e.Why] {
			seen[e.Why], keep[i] = true, true
			left--
		}
	}
	for i := range all {
		if left > 0 && !keep[i] {
			keep[i] = true
			left--
		}
	}
	for i, e := range all {
		if keep[i] {
			key = append(key, e)
		}
	}
	return key
}

func actor(f *vanguard.Finding) string {
	a := &f.Actor
	s := a.Value
	if s == "" {
		return "not named in these lines"
	}
	if a.Type != "" && a.Type != "ip" {
		s = a.Type + " " + s
	}
	if len(a.Notes) > 0 {
		s += " (" + strings.Join(a.Notes, "; ") + ")"
	}
	return s
}
