package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// A manner is how a threat shows in the server's answers whether it worked.
type manner uint8

const (
	noManner  manner = iota
	executes         // what was asked is carried out, and its output comes back
	queries          // what was asked changes which rows come back
	fetches          // what was named is fetched from somewhere else
	reads            // a file comes back, or nothing
	shells           // a script that was put there answers each command differently
	redirects        // the answer sends the client on
	lists            // who exists is answered differently from who does not
	guesses          // many attempts, one of which may go through
	floods           // being served is the harm
	exploits         // what is asked of a known hole comes back; nobody else uses that route
)

var manners = map[string]manner{
	"command-injection": executes, "template-injection": executes, "xxe": executes,
	"sql-injection": queries, "nosql-injection": queries, "graphql-abuse": queries, "ldap-injection": queries,
	"ssrf": fetches, "path-traversal": reads, "webshell": shells, "open-redirect": redirects,
	"user-enumeration": lists, "known-cve-exploit": exploits, "wordpress-plugin-exploit": exploits,
	"brute-force": guesses, "wordpress-brute-force": guesses, "account-takeover": guesses, "low-and-slow": guesses, "carding": guesses,
	"rate-flood": floods, "dos-flood": floods,
}

// A ruling is what the answers on one route amount to.
type ruling struct {
	out     event.Outcome
	because string
	event   EventNumber // the answer that shows it, where one does
}

const (
	jitter    = 4  // bytes by which answers differ that say the same: a counter, a shorter time
	step      = 16 // bytes that separate two kinds of answer
	tell      = 24 // bytes: the shortest output of a command, row or file that counts
	minServe  = 20 // requests: fewer are no flood
	sameForms = 8  // attempts that show the same form again
)

// settle decides what single lines could not: how the answers to one actor's attempts differ among themselves, and from
// what the same route usually answers.
func (t *Tracker) settle(in *Incident) {
	if in.Threat == "webshell" {
		t.doubtShells(in)
	}
	if in.Outcome() >= event.LikelySucceeded {
		return
	}
	t.settleProbes(in)
	how := manners[in.Threat]
	if how == noManner || in.Outcome() >= event.LikelySucceeded {
		return
	}
	var routes []uint64
	for i := range in.Answers {
		if r := in.Answers[i].Route; !slices.Contains(routes, r) {
			routes = append(routes, r)
		}
	}
	var best ruling
	open := 0 // routes on which nothing can be said
	for _, key := range routes {
		g := newGroup(in, key, t.site.route(key))
		v := g.rule(in.Threat, how)
		if v.out > best.out {
			best = v
		}
		if v.out == event.Unknown && g.open() {
			open++
		}
	}
	if how == floods && best.out < event.LikelySucceeded {
		if v := served(in); v.out != event.Unknown {
			best = v
		}
	}
	switch out := in.Outcome(); {
	case best.out >= event.LikelySucceeded:
		in.settleAs(best)
	case out == event.Unknown && best.out == event.Blocked && open == 0 && len(in.Answers) > 0:
		in.settleAs(best)
	case out == event.Blocked:
		if why := t.inconclusive(in, how); why != "" {
			in.settleAs(ruling{out: event.Unknown, because: why})
		}
	}
}

// settleAs makes v the incident's outcome.
func (in *Incident) settleAs(v ruling) {
	in.because, in.settled = v.because, v.out
	if v.out == event.Blocked {
		in.Outcomes[event.Blocked] += in.Outcomes[event.Unknown]
		in.Outcomes[event.Unknown] = 0
	} else {
		in.Outcomes[v.out]++
	}
	if v.out >= event.LikelySucceeded {
		in.Worked = max(in.Worked, v.level(in))
	}
	for i := range in.Evidence {
		e := &in.Evidence[i]
		if v.out == event.Blocked && e.Outcome == event.Unknown || v.event != 0 && e.Event == v.event {
			e.Outcome, e.Because = v.out, v.because
		}
	}
}

// level is how severe the attempt is that v tells of; that of all of them, where it tells of no single one.
func (v *ruling) level(in *Incident) event.Severity {
	for i := range in.Answers {
		if in.Answers[i].Event == v.event {
			return in.Answers[i].Level
		}
	}
	return in.Level
}

// A group is an incident's answers on one route, beside what that route usually answers.
type group struct {
	usual   route
	all     []*answer
	ok      []*answer // 2xx of known size, or counts of rows
	served  int       // 2xx
	moved   []*answer // 3xx
	refused int       // 4xx
	forbid  int       // 4xx other than 404 and 410
	failed  int       // 5xx
	blind   bool      // one asks for a delay, and the log records none
}

func newGroup(in *Incident, key uint64, usual route) *group {
	g := &group{usual: usual}
	for i := range in.Answers {
		a := &in.Answers[i]
		if a.Route != key {
			continue
		}
		g.all = append(g.all, a)
		g.blind = g.blind || a.Blind && a.Took < 0
		switch a.Status / 100 {
		case 0, 2:
			g.served++
			if a.Size >= 0 {
				g.ok = append(g.ok, a)
			}
		case 3:
			g.moved = append(g.moved, a)
		case 4:
			g.refused++
			if a.Status != 404 && a.Status != 410 {
				g.forbid++
			}
		case 5:
			g.failed++
		}
	}
	return g
}

// open tells whether an answer leaves it open whether the attempt worked.
func (g *group) open() bool { return g.served+len(g.moved)+g.failed > 0 }

func (g *group) rule(threat string, how manner) ruling {
	if v := g.waited(); v.out != event.Unknown {
		return v
	}
	switch how {
	case executes, fetches:
		return g.ruleOutput(threat, how)
	case exploits:
		if g.usual.OK > 0 { // A page that others use as well differs for many reasons.
			return ruling{}
		}
		return g.ruleOutput(threat, executes)
	case queries:
		return g.ruleQueries()
	case reads:
		return g.ruleReads()
	case shells:
		return g.ruleShells()
	case redirects:
		return g.ruleRedirects()
	case lists, guesses:
		if a, ok := g.sameForm(); ok && how == guesses {
			return ruling{event.Blocked, fmt.Sprintf("the form was shown again to each of %d attempts, always with %s bytes", len(g.all), comma(a.Size)), 0}
		}
		if a, ok := g.sameAnswer(); ok {
			return ruling{event.Blocked, fmt.Sprintf("each of %d attempts was answered alike: %d with %s bytes", len(g.all), a.Status, comma(a.Size)), 0}
		}
	}
	return ruling{}
}

// waited judges by time: an answer that took as long as it was told to sleep, on a route that is fast otherwise.
func (g *group) waited() ruling {
	for _, a := range g.all {
		if a.Sleep >= time.Second && a.Took >= a.Sleep-a.Sleep/20 && a.Took < 3*a.Sleep+5*time.Second && g.usual.Slow < a.Sleep/2 {
			return ruling{event.LikelySucceeded, fmt.Sprintf("the answer took %.1f seconds where the request asked for a delay of %.0f", a.Took.Seconds(), a.Sleep.Seconds()), a.Event}
		}
	}
	return ruling{}
}

// ruleShells judges requests to a script that was put there: a file that is only handed out is always as long.
func (g *group) ruleShells() ruling {
	if len(g.ok) == 0 {
		return ruling{}
	}
	a := longest(g.ok)
	lo := slices.MinFunc(g.ok, func(a, b *answer) int { return int(min(max(a.Size-b.Size, -1), 1)) }).Size
	if g.usual.OK > 0 {
		lo = min(lo, g.usual.Lo[0])
	}
	if a.Size-lo > jitter {
		return ruling{event.LikelySucceeded, fmt.Sprintf("the script answered with %s, depending on what it was sent: it runs", span(lo, a.Size, " bytes")), a.Event}
	}
	return ruling{}
}

// ruleOutput judges attempts whose output would stand in the answer.
func (g *group) ruleOutput(threat string, how manner) ruling {
	if len(g.ok) == 0 {
		if how == fetches && g.served+len(g.moved) == 0 && g.failed > 0 && g.onlyGateway() {
			return ruling{event.Blocked, fmt.Sprintf("the server answered %d to each: it fetched nothing", g.all[0].Status), 0}
		}
		return ruling{}
	}
	asked := payloads(g.ok)
	if g.usual.OK > 0 && how == executes {
		if a, more := g.farthest(); more >= tell+g.margin() {
			return ruling{event.LikelySucceeded, g.unlikeUsual(a), a.Event}
		}
	}
	if g.alike(g.ok) {
		_, more := g.farthest()
		switch {
		case g.blind, g.usual.OK > 0 && more > step:
		case g.usual.OK > 0 && g.near(g.ok[0]) && (asked >= 4 || threat == "xxe" && g.echoFree()),
			g.usual.OK > 0 && !g.near(g.ok[0]) && asked >= 2,
			asked >= 4:
			return ruling{event.Blocked, g.sameWhatever(asked), 0}
		}
		return ruling{}
	}
	n := g.levels(g.ok)
	if how == fetches && n >= 2 && g.failed > 0 && g.onlyGateway() {
		return ruling{event.LikelySucceeded, fmt.Sprintf("the server reached some of the addresses (200 with %s) and failed on others", sizes(g.ok)), longest(g.ok).Event}
	}
	if n >= 3 && asked >= 3 && (g.usual.OK == 0 || how == fetches) {
		return ruling{event.LikelySucceeded, fmt.Sprintf("the answer depends on what was asked: %d attempts were answered 200 with %s", len(g.ok), sizes(g.ok)), longest(g.ok).Event}
	}
	return ruling{}
}

// ruleQueries judges attempts to change a query.
func (g *group) ruleQueries() ruling {
	if len(g.ok) > 0 && g.ok[0].Rows {
		return g.ruleRows()
	}
	// A login that refuses, fails on broken text, and then lets one in.
	for _, a := range g.moved {
		if a.Login && (g.refused > 0 || g.usual.Refused > 0) {
			return ruling{event.LikelySucceeded, fmt.Sprintf("the login answered %d to this, and refused other attempts", a.Status), a.Event}
		}
	}
	if len(g.ok) == 0 {
		return ruling{}
	}
	asked := payloads(g.ok)
	if g.usual.OK > 0 {
		margin := max(g.usual.Hi[0]/4, g.usual.Hi[0]-g.usual.Lo[0])
		if g.usual.OK < 2 {
			margin = g.usual.Hi[0]
		}
		if a, more := g.farthest(); more >= tell+margin {
			return ruling{event.LikelySucceeded, g.unlikeUsual(a), a.Event}
		}
	}
	alike := g.alike(g.ok)
	if g.failed > 0 && asked >= 3 && !alike && g.levels(g.ok) >= 3 {
		return ruling{event.LikelySucceeded, fmt.Sprintf("the server failed on %d broken queries and answered well-formed ones 200 with %s", g.failed, sizes(g.ok)), longest(g.ok).Event}
	}
	// A condition that changes nothing may stand where there was nothing to change.
	shows := g.usual.OK == 0 || !g.near(g.ok[0]) || slices.ContainsFunc(g.ok, func(a *answer) bool { return a.Shows })
	if alike && g.failed == 0 && !g.blind && (asked >= 3 && shows || asked >= 2 && g.forbid > 0 || g.forbid >= 2 && g.usual.OK > 0 && g.near(g.ok[0])) {
		return ruling{event.Blocked, g.sameWhatever(asked), 0}
	}
	return ruling{}
}

// ruleRows judges by the number of rows that the application says it found.
func (g *group) ruleRows() ruling {
	most := longest(g.ok)
	switch {
	case most.Size == 0 && payloads(g.ok) >= 2 && !g.blind:
		return ruling{event.Blocked, fmt.Sprintf("the application found no rows for any of %d attempts", payloads(g.ok)), 0}
	case g.usual.OK > 0 && most.Size > g.usual.Hi[0]:
		return ruling{event.LikelySucceeded, fmt.Sprintf("the application returned %s rows; it usually returns %s", comma(most.Size), span(g.usual.Lo[0], g.usual.Hi[0], "")), most.Event}
	}
	return ruling{}
}

// ruleReads judges attempts at files by a parameter of one route.
func (g *group) ruleReads() ruling {
	if len(g.ok) == 0 {
		return ruling{}
	}
	a := longest(g.ok)
	asked := payloads(g.ok)
	if (len(distinct(g.ok)) >= 2 && g.refused > 0 || g.refused >= 4) && a.Size >= minLeak {
		return ruling{event.LikelySucceeded, fmt.Sprintf("answered 200 with %s bytes, while the same route refused %d other files", comma(a.Size), g.refused), a.Event}
	}
	if g.alike(g.ok) {
		if asked >= 3 || asked >= 2 && g.usual.OK > 0 {
			return ruling{event.Blocked, g.sameWhatever(asked), 0}
		}
		return ruling{}
	}
	if asked >= 3 && g.levels(g.ok) >= 3 && g.usual.OK == 0 {
		return ruling{event.LikelySucceeded, fmt.Sprintf("%d files were answered 200 with %s", asked, sizes(g.ok)), a.Event}
	}
	return ruling{}
}

// ruleRedirects judges answers that send the client on; the Location header stands in few logs, but its length is part of
// the answer's where headers are counted.
func (g *group) ruleRedirects() ruling {
	var long []*answer
	for _, a := range g.moved {
		if a.Size > 0 {
			long = append(long, a)
		}
	}
	if len(g.moved) == 0 {
		return ruling{}
	}
	a := g.moved[0]
	if len(long) == 0 {
		return ruling{event.LikelySucceeded, fmt.Sprintf("the server answered %d to %s: it sent the client on; the log does not say where", a.Status, times(len(g.moved))), a.Event}
	}
	a = long[0]
	if n := a.Size - a.Asked.Plain; g.usual.Moved > 0 && n >= g.usual.To[0]-jitter && n <= g.usual.To[1]+jitter || payloads(long) > 1 && grows(long) {
		return ruling{event.LikelySucceeded, fmt.Sprintf("the server answered %d, and the answer (%s bytes) grows with the address that was asked for, as its Location header does", a.Status, comma(a.Size)), a.Event}
	}
	return ruling{}
}

// grows tells whether answers to questions of different length differ by just that.
func grows(as []*answer) bool {
	lo, hi := as[0], as[0]
	for _, a := range as {
		if a.Asked.Plain < lo.Asked.Plain {
			lo = a
		}
		if a.Asked.Plain > hi.Asked.Plain {
			hi = a
		}
	}
	more := hi.Asked.Plain - lo.Asked.Plain
	return more > jitter && abs(hi.Size-lo.Size-more) <= 2
}

// served judges a flood: it did what it set out to do if it was answered throughout.
func served(in *Incident) ruling {
	switch total := in.Served + in.Limited; {
	case total < minServe:
	case in.Limited*20 <= total:
		return ruling{event.LikelySucceeded, fmt.Sprintf("%s of %s requests were served; nothing limited them", comma(int64(in.Served)), comma(int64(total))), 0}
	}
	return ruling{}
}

// inconclusive says why refusals alone do not show that an attack was fended off; "" if they do.
func (t *Tracker) inconclusive(in *Incident, how manner) string {
	switch how {
	case guesses, lists:
		if !in.Lasting || t.site.Good > 0 || !slices.ContainsFunc(in.Evidence, func(e Evidence) bool { return e.Told }) {
			return ""
		}
		return "this log holds nothing but failures: a success may have been recorded elsewhere"
	case queries:
		for i := range in.Answers {
			if a := &in.Answers[i]; a.Blind && a.Took < 0 && a.Status == 404 {
				return "it asked the database to wait, and this log records no durations"
			}
		}
	}
	return ""
}

// farthest returns the answer that exceeds what the route usually answers by most, however much it repeats the question.
func (g *group) farthest() (far *answer, more int64) {
	for _, a := range g.ok {
		if x := over(a, &g.usual.Hi); far == nil || x > more {
			far, more = a, x
		}
	}
	return far, more
}

func over(a *answer, hi *[echoes]int64) int64 {
	least := a.Size - hi[0]
	for k := 1; k < echoes; k++ {
		for _, w := range writings {
			least = min(least, a.Size-int64(k)*w(&a.Asked)-hi[k])
		}
	}
	return least
}

// margin is how much an answer may exceed the usual ones before it means something: little where they hardly differ, much
// where they do, or where only one is known.
func (g *group) margin() int64 {
	tight := g.usual.Hi[0] - g.usual.Lo[0]
	for k := range g.usual.Hi {
		tight = min(tight, g.usual.Hi[k]-g.usual.Lo[k])
	}
	if g.usual.OK > 1 && tight <= 4*step {
		return tight / 2
	}
	return max(tight, g.usual.Hi[0]/4)
}

// near tells whether a is as long as the route's usual answers.
func (g *group) near(a *answer) bool {
	for k := range echoes {
		for _, w := range writings {
			n := a.Size - int64(k)*w(&a.Asked)
			if n >= g.usual.Lo[k]-step && n <= g.usual.Hi[k]+step {
				return true
			}
		}
	}
	return false
}

// echoFree tells whether the route's usual answers hardly differ in length.
func (g *group) echoFree() bool { return g.usual.Hi[0]-g.usual.Lo[0] <= 4*step }

// alike tells whether the answers differ by no more than what repeating the question explains.
func (g *group) alike(as []*answer) bool {
	return residues(as, func(r []int64) bool { return r[len(r)-1]-r[0] <= jitter })
}

// levels is into how many kinds the answers fall at least, by size, once what repeating the question explains is taken off.
func (g *group) levels(as []*answer) int {
	least := len(as)
	residues(as, func(r []int64) bool {
		n := 1
		for i := 1; i < len(r); i++ {
			if r[i]-r[i-1] > step {
				n++
			}
		}
		least = min(least, n)
		return false
	})
	return least
}

// residues calls f with the sorted sizes of as, less what each way of repeating the question adds to them, until f returns true.
func residues(as []*answer, f func([]int64) bool) bool {
	if len(as) == 0 {
		return false
	}
	r := make([]int64, len(as))
	for k := range echoes {
		for _, w := range writings {
			for i, a := range as {
				r[i] = a.Size - int64(k)*w(&a.Asked)
			}
			slices.Sort(r)
			if f(r) {
				return true
			}
			if k == 0 {
				break
			}
		}
	}
	return false
}

// sameAnswer tells whether many different attempts got the very same redirect.
func (g *group) sameAnswer() (*answer, bool) {
	if len(g.moved) < 2 || len(g.moved) != len(g.all) {
		return nil, false
	}
	first := g.moved[0]
	for _, a := range g.moved {
		if a.Status != first.Status || a.Size <= 0 || abs(a.Size-first.Size) > 2 {
			return nil, false
		}
	}
	return first, true
}

// sameForm tells whether a login answered many attempts 200 with the same page, as it does to a wrong password.
func (g *group) sameForm() (*answer, bool) {
	if len(g.all) < sameForms || len(g.ok) != len(g.all) {
		return nil, false
	}
	for _, a := range g.ok {
		if !a.Login || a.Size <= 0 || abs(a.Size-g.ok[0].Size) > jitter {
			return nil, false
		}
	}
	return g.ok[0], true
}

// onlyGateway tells whether all failures are those of a server that got no answer from another.
func (g *group) onlyGateway() bool {
	return !slices.ContainsFunc(g.all, func(a *answer) bool { return a.Status/100 == 5 && (a.Status < 502 || a.Status > 504) })
}

func (g *group) unlikeUsual(a *answer) string {
	return fmt.Sprintf("answered %d with %s bytes; this route usually answers %s", a.Status, comma(a.Size), span(g.usual.Lo[0], g.usual.Hi[0], " bytes"))
}

func (g *group) sameWhatever(asked int) string {
	lo, hi := g.ok[0].Size, g.ok[0].Size
	for _, a := range g.ok {
		lo, hi = min(lo, a.Size), max(hi, a.Size)
	}
	if asked == 1 {
		return fmt.Sprintf("the attempt was answered %d with %s, as harmless requests are: nothing came back", g.ok[0].Status, span(lo, hi, " bytes"))
	}
	return fmt.Sprintf("%d different attempts were answered alike, with %s: nothing came back", asked, span(lo, hi, " bytes"))
}

func longest(as []*answer) *answer {
	return slices.MaxFunc(as, func(a, b *answer) int { return int(min(max(a.Size-b.Size, -1), 1)) })
}

// payloads counts the different questions.
func payloads(as []*answer) int {
	seen := map[uint64]bool{}
	for _, a := range as {
		seen[a.Payload] = true
	}
	return len(seen)
}

// sizes lists up to four different sizes: "209, 160, 916 and 587 bytes".
func sizes(as []*answer) string {
	var out []string
	for _, n := range distinct(as) {
		if len(out) < 4 {
			out = append(out, comma(n))
		}
	}
	if len(out) == 1 {
		return out[0] + " bytes"
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1] + " bytes"
}

func distinct(as []*answer) (sizes []int64) {
	for _, a := range as {
		if !slices.Contains(sizes, a.Size) {
			sizes = append(sizes, a.Size)
		}
	}
	return sizes
}
