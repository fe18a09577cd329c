package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/helixvanguard/vanguard"
)

// outcomes are the columns of the confusion; the right answer is never none.
var outcomes = [...]string{"succeeded", "blocked", "unknown", "none"}

const (
	outSucceeded = iota
	outBlocked
	outUnknown
	outNone // nothing was found, so nothing was said
	numOutcomes
)

// outcomeIndex is -1 for an unknown name. A likely success counts as a success.
func outcomeIndex(s string) int {
	if s == "likely-succeeded" {
		return outSucceeded
	}
	return slices.Index(outcomes[:outNone], s)
}

// An evalTally counts over cases; n of m are kept as two counts, so that evalTallies add up.
type evalTally struct {
	Attacks     int `json:"attacks"`
	Found       int `json:"found"`
	WithThreat  int `json:"with_threat"`
	RightThreat int `json:"right_threat"`
	WithActors  int `json:"with_actors"`
	RightActor  int `json:"right_actor"`
	Accused     int `json:"cases_with_innocent_named"` // of WithActors
	Innocents   int `json:"innocents_named"`
	Benign      int `json:"benign"`
	Flagged     int `json:"benign_flagged"`
	Red         int `json:"benign_red"`
	Compromise  int `json:"benign_compromise_likely"`

	Outcome [outNone][numOutcomes]int `json:"outcome"` // [right answer][what came out]
}

func (t *evalTally) add(o *evalTally) {
	t.Attacks += o.Attacks
	t.Found += o.Found
	t.WithThreat += o.WithThreat
	t.RightThreat += o.RightThreat
	t.WithActors += o.WithActors
	t.RightActor += o.RightActor
	t.Accused += o.Accused
	t.Innocents += o.Innocents
	t.Benign += o.Benign
	t.Flagged += o.Flagged
	t.Red += o.Red
	t.Compromise += o.Compromise
	for i := range t.Outcome {
		for j := range t.Outcome[i] {
			t.Outcome[i][j] += o.Outcome[i][j]
		}
	}
}

// A ratio is n of m.
type ratio struct{ n, of int }

func (r ratio) value() float64 { return float64(r.n) / float64(r.of) }

// rateNames are the rates in the order in which they are shown.
var rateNames = [...]string{
	"found", "right_threat", "right_actor", "innocent_named", "benign_flagged", "benign_red", "benign_compromise_likely",
	"right_outcome", "false_succeeded", "missed_succeeded",
}

const firstOutcomeRate = 7 // in rateNames

func (t *evalTally) rates() [len(rateNames)]ratio {
	var right, said, notSucceeded, false_, succeeded int
	for i, row := range t.Outcome {
		sum := 0
		for _, n := range row {
			sum += n
		}
		said += sum
		right += row[i]
		if i == outSucceeded {
			succeeded = sum
		} else {
			notSucceeded += sum
			false_ += row[outSucceeded]
		}
	}
	return [...]ratio{
		{t.Found, t.Attacks}, {t.RightThreat, t.WithThreat}, {t.RightActor, t.WithActors}, {t.Accused, t.WithActors},
		{t.Flagged, t.Benign}, {t.Red, t.Benign}, {t.Compromise, t.Benign},
		{right, said}, {false_, notSucceeded}, {succeeded - t.Outcome[outSucceeded][outSucceeded], succeeded},
	}
}

// A evalListed is one case in the list of --misses or --false.
type evalListed struct {
	seq   int
	Why   string `json:"why"` // "missed", "wrong threat", "wrong actor", "wrong outcome", "flagged", "innocent named"
	ID    string `json:"id"`
	Label string `json:"label"`
	Want  string `json:"want,omitempty"`
	Got   string `json:"got"`
	Line  string `json:"line"` // the first line, or the first that was held against a benign case; shortened and escaped
}

// scores is everything that eval counts.
type scores struct {
	opt    *evalCmd
	cases  int
	lines  int
	main   map[string]*evalTally // by source
	weak   map[string]*evalTally
	sure   map[string]*calibration // of the strong cases, by source
	misses []evalListed
	false_ []evalListed
	engine vanguard.EngineInfo
}

func newScores(opt *evalCmd) *scores {
	return &scores{opt: opt, main: map[string]*evalTally{}, weak: map[string]*evalTally{}, sure: map[string]*calibration{}}
}

func (s *scores) merge(o *scores) {
	s.cases += o.cases
	s.lines += o.lines
	for _, m := range [...]struct{ to, from map[string]*evalTally }{{s.main, o.main}, {s.weak, o.weak}} {
		for name, t := range m.from {
			tallyOf(m.to, name).add(t)
		}
	}
	for name, c := range o.sure {
		s.sureOf(name).merge(c)
	}
	s.misses = append(s.misses, o.misses...)
	s.false_ = append(s.false_, o.false_...)
	if o.cases > 0 {
		s.engine = o.engine
	}
}

func (s *scores) sort() {
	for _, list := range [][]evalListed{s.misses, s.false_} {
		slices.SortStableFunc(list, func(a, b evalListed) int { return cmp.Compare(a.seq, b.seq) })
	}
}

func tallyOf(m map[string]*evalTally, source string) *evalTally {
	t := m[source]
	if t == nil {
		t = new(evalTally)
		m[source] = t
	}
	return t
}

// add scores one case.
func (s *scores) add(seq int, c *labelled, r *vanguard.Report) {
	s.cases++
	s.lines += len(c.Lines)
	s.engine = vanguard.EngineInfo{Version: r.Engine.Version, Rules: r.Engine.Rules, Model: r.Engine.Model}
	m := s.main
	if c.Weak && !s.opt.Weak {
		m = s.weak
	}
	t := tallyOf(m, c.Source)
	if !c.Weak || s.opt.Weak {
		s.sureOf(c.Source).add(c, r)
	}
	if c.Label == "benign" {
		s.addBenign(t, seq, c, r)
	} else {
		s.addAttack(t, seq, c, r)
	}
}

func flagged(v vanguard.Verdict) bool {
	return v == vanguard.Probed || red(v)
}

func red(v vanguard.Verdict) bool {
	return v == vanguard.UnderAttack || v == vanguard.CompromiseLikely
}

func (s *scores) addBenign(t *evalTally, seq int, c *labelled, r *vanguard.Report) {
	t.Benign++
	if want := s.opt.Threat; want != "" && !slices.ContainsFunc(r.Findings, func(f vanguard.Finding) bool { return f.Threat == want }) {
		return
	}
	if !flagged(r.Verdict) {
		return
	}
	t.Flagged++
	if red(r.Verdict) {
		t.Red++
	}
	if r.Verdict == vanguard.CompromiseLikely {
		t.Compromise++
	}
	if s.opt.False {
		s.false_ = append(s.false_, list(seq, "flagged", c, r, ""))
	}
}

func (s *scores) addAttack(t *evalTally, seq int, c *labelled, r *vanguard.Report) {
	miss := func(why, want string) {
		if s.opt.Misses {
			s.misses = append(s.misses, list(seq, why, c, r, want))
		}
	}
	t.Attacks++
	found := flagged(r.Verdict)
	if found {
		t.Found++
	} else {
		miss("missed", c.Threat)
	}
	isRight := func(f vanguard.Finding) bool { return isRightThreat(c, &f) }
	if c.Threat != "" {
		t.WithThreat++
		if slices.ContainsFunc(r.Findings, isRight) {
			t.RightThreat++
		} else if found {
			miss("wrong threat", c.Threat)
		}
	}
	if len(c.Actors) > 0 {
		t.WithActors++
		guilty, innocents := actors(c, r)
		if guilty {
			t.RightActor++
		} else if found {
			miss("wrong actor", strings.Join(c.Actors, ","))
		}
		if len(innocents) > 0 {
			t.Accused++
			t.Innocents += len(innocents)
			if s.opt.False {
				s.false_ = append(s.false_, list(seq, "innocent named", c, r, "not "+strings.Join(innocents, ",")))
			}
		}
	}
	if c.Outcome != "" {
		want, got := outcomeIndex(c.Outcome), outcomeOf(r, isRight)
		t.Outcome[want][got]++
		if want != got && found {
			miss("wrong outcome", c.Outcome)
		}
	}
}

// isRightThreat tells whether f names the threat of c, or another that a fair reader could name.
func isRightThreat(c *labelled, f *vanguard.Finding) bool {
	return f.Threat == c.Threat || slices.Contains(c.Also, f.Threat)
}

// actors tells whether a finding names a guilty actor, and which innocent
// addresses of the case's lines findings name. A finding about a network names
// every address of it.
func actors(c *labelled, r *vanguard.Report) (guilty bool, innocents []string) {
	bad := map[string]bool{}
	for _, a := range c.Actors {
		bad[canonicalActor(a)] = true
	}
	named := map[string]bool{}
	for _, f := range r.Findings {
		v := canonicalActor(f.Actor.Value)
		if v == "" {
			continue
		}
		if bad[v] {
			guilty = true
			continue
		}
		if addr, err := netip.ParseAddr(v); err == nil {
			named[addr.String()] = true
			continue
		}
		network, err := netip.ParsePrefix(v)
		if err != nil {
			continue // accounts and keys: the labels do not say which are innocent
		}
		for _, a := range addresses(c.Lines) {
			if !network.Contains(a) {
				continue
			} else if bad[a.String()] {
				guilty = true
			} else {
				named[a.String()] = true
			}
		}
	}
	for a := range named {
		innocents = append(innocents, a)
	}
	slices.Sort(innocents)
	return guilty, innocents
}

// canonicalActor writes an address or network in its one usual form.
func canonicalActor(s string) string {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().String()
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked().String()
	}
	return s
}

// addresses finds every IP address in the lines.
func addresses(lines []string) (all []netip.Addr) {
	for _, line := range lines {
		for word := range strings.FieldsFuncSeq(line, func(r rune) bool {
			return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F' || r == '.' || r == ':')
		}) {
			if a, err := netip.ParseAddr(word); err == nil {
				all = append(all, a.Unmap())
			}
		}
	}
	return all
}

// outcomeOf is what the report says about the attack: the findings of the right
// threat count, or all where there is none; a success among them outweighs the
// rest, else the first (worst) one speaks.
func outcomeOf(r *vanguard.Report, isRight func(vanguard.Finding) bool) int {
	about := r.Findings
	if slices.ContainsFunc(about, isRight) {
		about = slices.DeleteFunc(slices.Clone(about), func(f vanguard.Finding) bool { return !isRight(f) })
	}
	got := outNone
	for _, f := range about {
		o := outcomeIndex(f.Outcome)
		if o < 0 {
			o = outUnknown
		}
		if got == outNone || o == outSucceeded {
			got = o
		}
	}
	return got
}

const maxListed = 160 // bytes of a line that a list shows

func list(seq int, why string, c *labelled, r *vanguard.Report, want string) evalListed {
	got := []string{string(r.Verdict)}
	line := ""
	for i, f := range r.Findings {
		if i == 4 {
			got = append(got, fmt.Sprintf("and %d more", len(r.Findings)-i))
			break
		}
		got = append(got, fmt.Sprintf("%s(%s, %s, %.2f)", f.Threat, f.Actor.Value, f.Outcome, f.Confidence))
		if line == "" && len(f.Evidence) > 0 && why != "missed" {
			line = f.Evidence[0].Text
		}
	}
	if line == "" && len(c.Lines) > 0 {
		line = c.Lines[0]
	}
	return evalListed{seq, why, c.ID, c.Label, want, strings.Join(got, " "), shorten(line)}
}

// shorten makes log text safe and short enough to stand in a list.
func shorten(s string) string {
	short := s[:min(len(s), maxListed)]
	q := strconv.Quote(short)
	if len(short) < len(s) {
		q += "..."
	}
	return q
}

// summary is an evalTally with its rates, as JSON.
type summary struct {
	Source string `json:"source,omitempty"`
	*evalTally
	Outcome map[string]map[string]int `json:"outcome,omitempty"` // right answer -> what came out -> cases
	Rates   map[string]float64        `json:"rates"`             // 0 to 1; absent where there was no such case
}

func summarise(source string, t *evalTally) summary {
	s := summary{Source: source, evalTally: t, Rates: map[string]float64{}}
	for i, r := range t.rates() {
		if r.of > 0 {
			s.Rates[rateNames[i]] = r.value()
		}
	}
	for i, row := range t.Outcome {
		if row == [numOutcomes]int{} {
			continue
		}
		if s.Outcome == nil {
			s.Outcome = map[string]map[string]int{}
		}
		s.Outcome[outcomes[i]] = map[string]int{}
		for j, n := range row {
			s.Outcome[outcomes[i]][outcomes[j]] = n
		}
	}
	return s
}

// A block is the table of the strong or of the weak cases.
type block struct {
	Overall summary            `json:"overall"`
	Macro   map[string]float64 `json:"macro"` // mean of the rates over the sources that have one
	Sources []summary          `json:"sources"`
}

func newBlock(m map[string]*evalTally) *block {
	if len(m) == 0 {
		return nil
	}
	b := &block{Macro: map[string]float64{}}
	total := new(evalTally)
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		total.add(m[name])
		b.Sources = append(b.Sources, summarise(name, m[name]))
	}
	b.Overall = summarise("", total)
	for _, name := range rateNames {
		sum, n := 0.0, 0
		for _, s := range b.Sources {
			if r, ok := s.Rates[name]; ok {
				sum += r
				n++
			}
		}
		if n > 0 {
			b.Macro[name] = sum / float64(n)
		}
	}
	return b
}

func (s *scores) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Schema string              `json:"schema"`
		Cases  int                 `json:"cases"`
		Lines  int                 `json:"lines"`
		Engine vanguard.EngineInfo `json:"engine"`
		*block
		Weak   *block       `json:"weak,omitempty"`
		Sure   *reliability `json:"calibration,omitempty"`
		Misses []evalListed `json:"misses,omitempty"`
		False  []evalListed `json:"false,omitempty"`
	}{"vanguard.eval/1", s.cases, s.lines, s.engine, newBlock(s.main), newBlock(s.weak), s.reliability(), s.misses, s.false_})
}

func (s *scores) writeText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d cases, %d lines\n", s.cases, s.lines)
	for _, part := range [...]struct {
		title string
		m     map[string]*evalTally
	}{{"", s.main}, {"\nWeak cases (doubtful label), apart:\n", s.weak}} {
		if block := newBlock(part.m); block != nil {
			b.WriteString(part.title)
			block.writeText(&b)
		}
	}
	if r := s.reliability(); r != nil {
		r.writeText(&b)
	}
	for _, part := range [...]struct {
		title string
		list  []evalListed
	}{{"Misses", s.misses}, {"False", s.false_}} {
		if len(part.list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s (%d):\n", part.title, len(part.list))
		for _, l := range part.list {
			fmt.Fprintf(&b, "%-14s %s  %s", l.Why, safe(l.ID), l.Label)
			if l.Want != "" {
				fmt.Fprintf(&b, "  want %s", safe(l.Want))
			}
			fmt.Fprintf(&b, "  got %s\n    %s\n", safe(l.Got), l.Line)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// safe escapes what may hold bytes of a log, without the quotes of shorten.
func safe(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// columns of the text table: a heading, the rate under it, and whether the count stands beside it.
var columns = [...]struct {
	head, rate string
	count      bool
}{
	{"found", "found", true}, {"threat", "right_threat", false}, {"actor", "right_actor", false}, {"innocents", "innocent_named", false},
	{"flagged", "benign_flagged", true}, {"red", "benign_red", true}, {"compromise", "benign_compromise_likely", true},
}

const countColumns = 4 // the first columns are about attacks, the others about benign cases

func (bl *block) writeText(b *strings.Builder) {
	rows := append(slices.Clone(bl.Sources), bl.Overall)
	rows[len(rows)-1].Source = "overall"
	width := len("macro average")
	for _, r := range rows {
		width = max(width, len(safe(r.Source)))
	}
	// row writes one line: cell gives the text of column i.
	row := func(source, attacks, benign string, cell func(i int) string) {
		fmt.Fprintf(b, "%-*s %8s", width, source, attacks)
		for i, c := range columns {
			if i == countColumns {
				fmt.Fprintf(b, "  %8s", benign)
			}
			size := 10
			if c.count {
				size = 14
			}
			fmt.Fprintf(b, " %*s", size, cell(i))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	row("source", "attacks", "benign", func(i int) string { return columns[i].head })
	for _, r := range rows {
		rates := r.rates()
		row(safe(r.Source), strconv.Itoa(r.Attacks), strconv.Itoa(r.evalTally.Benign), func(i int) string {
			rate := rates[slices.Index(rateNames[:], columns[i].rate)]
			switch {
			case rate.of == 0:
				return "-"
			case columns[i].count:
				return fmt.Sprintf("%d %6.2f%%", rate.n, 100*rate.value())
			}
			return fmt.Sprintf("%.1f%%", 100*rate.value())
		})
	}
	row("macro average", "", "", func(i int) string {
		if v, ok := bl.Macro[columns[i].rate]; ok {
			return fmt.Sprintf("%.2f%%", 100*v)
		}
		return "-"
	})
	if bl.Overall.Outcome == nil {
		return
	}
	fmt.Fprintf(b, "\n%-*s", width, "outcome")
	for _, o := range outcomes {
		fmt.Fprintf(b, " %10s", o)
	}
	b.WriteByte('\n')
	for i, row := range bl.Overall.evalTally.Outcome {
		fmt.Fprintf(b, "%-*s", width, "was "+outcomes[i])
		for _, n := range row {
			fmt.Fprintf(b, " %10d", n)
		}
		b.WriteByte('\n')
	}
	for i, r := range bl.Overall.rates() {
		if i >= firstOutcomeRate {
			fmt.Fprintf(b, "%s: %s (macro %.1f%%)\n", strings.ReplaceAll(rateNames[i], "_", " "), cell(r), 100*bl.Macro[rateNames[i]])
		}
	}
}

func cell(r ratio) string {
	if r.of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d, %.1f%%", r.n, r.of, 100*r.value())
}
