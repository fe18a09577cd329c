package vanguard

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/incident"
)

const (
	fewLines    = 20  // fewer lines than this are little evidence of normality
	unreadShare = 0.3 // a smaller share of understood lines, and nothing found, decides nothing
	scarce      = 3   // lines up to which the first advice is to bring more of them
)

// conclude writes the verdict and what a reader should know and do first.
func (a *Analyzer) conclude(r *Report, res *incident.Result) {
	c := &a.count
	share := 0.0
	if c.lines > 0 {
		share = float64(c.understood) / float64(c.lines)
	}
	switch res.Grade {
	case incident.Compromised:
		r.Verdict, r.Confidence = CompromiseLikely, res.Confidence
	case incident.UnderAttack:
		r.Verdict, r.Confidence = UnderAttack, res.Confidence
	case incident.Probed:
		r.Verdict, r.Confidence = Probed, res.Confidence
	default:
		if c.lines == 0 || share < unreadShare {
			r.Verdict, r.Confidence = CantTell, 1-share
		} else {
			// The more lines were read and understood, the less room there is for something unseen.
			r.Verdict = LooksNormal
			r.Confidence = 0.6 + 0.35*share*(1-math.Exp(-float64(c.lines)/100))
		}
	}
	r.Confidence = round(r.Confidence)
	if res.Grade == incident.Quiet {
		a.concludeQuiet(r, share)
		return
	}
	in, f := res.Incidents[0], &r.Findings[0]
	all, _ := a.engine.threats()
	what := in.Threat
	if t := all[in.Threat]; t != nil && t.OneLine != "" {
		what = t.OneLine
	}
	r.Summary = attempt(in, f.Title) + sentence(what) + " " + sentence(scene(in, c.lines)) + " " + sentence(outcomeWords(in))
	if n := others(res, in); n > 0 {
		r.Summary += " " + sentence(fmt.Sprintf("%s more, below", plural(n, "finding")))
	}
	if len(f.Doubts) > 0 {
		r.Doubt = f.Doubts[0]
	}
	if c.lines <= scarce {
		r.DoNow = append(r.DoNow, "Paste five minutes either side of "+theseLines(c.lines)+", from the same source and account: that decides between a mistake and an attack.")
	}
	r.DoNow = append(r.DoNow, f.Advice[:min(len(f.Advice), 3)]...)
}

// attempt says up front that what follows was refused, where it was and nobody kept at it.
func attempt(in *incident.Incident, title string) string {
	if in.Outcome() != event.Blocked || in.Grade() != incident.Probed {
		return ""
	}
	return sentence(title+", only attempted") + " "
}

func theseLines(n int) string {
	if n == 1 {
		return "this line"
	}
	return "these lines"
}

// others counts the further findings that are worth a reader's time.
func others(res *incident.Result, first *incident.Incident) int {
	n := 0
	for _, in := range res.Incidents {
		if in != first && !(in.Noise && in.Grade() == incident.Probed) {
			n++
		}
	}
	return n
}

// scene says who did it how often.
func scene(in *incident.Incident, lines int) string {
	who := in.Actor.Value
	switch in.Actor.Type {
	case "":
		who = "a source that these lines do not name"
	case event.EntityAccount:
		who = "account " + who
	case event.EntityCIDR:
		who = "network " + who
	}
	s := "it came from " + who
	if in.Events() > 1 {
		s += ", " + plural(in.Events(), "event")
		if d := (in.Last - in.First) / 1e9; in.Clock != event.NoClock && d > 0 {
			s += " in " + span(d)
		}
	}
	if lines == 1 {
		s += ", in the one line given"
	}
	return s
}

func span(seconds int64) string {
	switch {
	case seconds < 120:
		return plural(int(seconds), "second")
	case seconds < 2*3600:
		return plural(int(seconds/60), "minute")
	case seconds < 2*86400:
		return plural(int(seconds/3600), "hour")
	}
	return plural(int(seconds/86400), "day")
}

func outcomeWords(in *incident.Incident) string {
	why := strings.TrimSuffix(in.OutcomeEvidence(), ".")
	switch in.Outcome() {
	case event.Succeeded:
		return join("it worked", why)
	case event.LikelySucceeded:
		return join("it probably worked", why)
	case event.Blocked:
		return join("it was refused or failed", why)
	}
	return "nothing here shows whether it worked"
}

func join(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

// concludeQuiet words a report without findings. It never says "clean".
func (a *Analyzer) concludeQuiet(r *Report, share float64) {
	c := &a.count
	if r.Verdict == LooksNormal {
		r.Summary = fmt.Sprintf("Nothing suspicious was found in %s, judged by %s.", plural(c.lines, "line"), plural(len(a.engine.set.Rules()), "rule"))
		switch {
		case c.missed != "":
			r.Doubt = "not all of it was read: " + c.missed
		case c.lines < fewLines:
			r.Doubt = "so few lines show little: an attack may stand just before or after them"
		case len(r.NotSeen) > 0:
			r.Doubt = "these logs do not show " + r.NotSeen[0]
		}
		return
	}
	switch {
	case c.lines == 0 && c.outside > 0:
		r.Summary = "No line lies in the time range that was asked for."
		r.DoNow = []string{"Widen --since and --until."}
	case c.lines == 0 && len(c.problems) > 0:
		r.Summary = sentence("nothing could be read: " + slices.Min(c.problems))
		r.DoNow = []string{"Give the log as text; packed by gzip, zstd or bzip2 it is read as well."}
	case c.lines == 0:
		r.Summary = "There was nothing to read."
		r.DoNow = []string{"Give some lines of a log."}
	default:
		some := fmt.Sprintf("Only %s of %s could be understood, too few to say anything.", grouped(c.understood), plural(c.lines, "line"))
		if c.understood == 0 {
			some = fmt.Sprintf("None of %s could be understood.", plural(c.lines, "line"))
		}
		r.Summary = some
		r.DoNow = []string{
			"Name the format (`--format`): a known name, or your nginx log_format or Apache LogFormat string.",
			"Or paste the lines as the server writes them, from the start of a line.",
		}
	}
}
