package vanguard

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

const (
	maxUnread   = 20 // unread lines that a report names
	maxProblems = 50
	maxFormats  = 64
)

// count is what a report says about its input.
type count struct {
	lines, understood int
	outside           int // lines before Since or after Until
	without           int // records left out because Options.Without names them
	bytes             int64
	formats           []FormatCount
	usual             int // which of formats came last
	unread            []Unread
	problems          []string
	missed            string // the first of them, by name, that left a part of a log unread
	first, last       int64
	clock             event.Clock
	kinds             [event.NumKinds]int
	lacks             lacks
}

// lacks counts what web records do not say, for "what could not be seen".
type lacks struct {
	web, status, size, duration, body, agent int
	proxied                                  int // requests from a private address with no header that names the client
}

func (c *count) add(ev *event.Event) {
	c.lines += ev.Lines
	c.bytes += int64(len(ev.Text)) + 1
	if ev.Understood {
		c.understood += ev.Lines
	} else if len(c.unread) < maxUnread {
		c.unread = append(c.unread, Unread{Source: ev.Source, Line: ev.Line, Why: ev.Why})
	}
	c.kinds[ev.Kind]++
	if ev.Understood {
		c.format(ev.Format, ev.Lines)
	}
	if ev.Clock != event.NoClock {
		if c.clock == event.NoClock || ev.Time < c.first {
			c.first = ev.Time
		}
		if c.clock == event.NoClock || ev.Time > c.last {
			c.last = ev.Time
		}
		c.clock = max(c.clock, ev.Clock)
	}
	if ev.Kind == event.KindWeb {
		l := &c.lacks
		l.web++
		if ev.Status == 0 {
			l.status++
		}
		if ev.Bytes < 0 {
			l.size++
		}
		if ev.Duration < 0 {
			l.duration++
		}
		if !ev.Has(event.Body) {
			l.body++
		}
		if !ev.Has(event.UserAgent) {
			l.agent++
		}
		if ev.Client.IsPrivate() && !ev.Peer.IsValid() {
			l.proxied++
		}
	}
}

func (c *count) format(name string, lines int) {
	if n := len(c.formats); n > 0 && c.formats[c.usual].Name == name {
		c.formats[c.usual].Lines += lines
		return
	}
	for i := range c.formats {
		if c.formats[i].Name == name {
			c.formats[i].Lines += lines
			c.usual = i
			return
		}
	}
	if len(c.formats) < maxFormats {
		c.formats = append(c.formats, FormatCount{name, lines})
	}
}

func (c *count) problem(text string) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, text)
	}
}

// miss is a problem that left a part of a log unread: a reader of a quiet verdict has to know it.
func (c *count) miss(text string) {
	c.problem(text)
	if c.missed == "" || text < c.missed {
		c.missed = text
	}
}

// input is the count as a report shows it.
func (c *count) input() Input {
	in := Input{Lines: c.lines, Understood: c.understood, Bytes: c.bytes, Formats: slices.Clone(c.formats), Unread: slices.Clone(c.unread), Problems: slices.Clone(c.problems)}
	slices.SortStableFunc(in.Formats, func(a, b FormatCount) int { return -cmp.Compare(a.Lines, b.Lines) })
	if c.outside > 0 {
		in.Problems = append(in.Problems, strconv.Itoa(c.outside)+" lines lie outside the time range that was asked for")
	}
	if c.without > 0 {
		in.Problems = append(in.Problems, plural(c.without, "record")+" left out, as asked")
	}
	in.FirstSeen, in.LastSeen = stamp(c.first, c.clock), stamp(c.last, c.clock)
	return in
}

// notSeen names what these logs cannot show, the gravest first.
func (c *count) notSeen() []string {
	var out []string
	say := func(n int, what string) {
		if l := c.lacks.web; l > 0 && n*10 >= l*9 {
			out = append(out, what)
		}
	}
	say(c.lacks.status, "HTTP status: whether requests were answered or refused")
	say(c.lacks.body, "request bodies: POSTed payloads and log-in names")
	say(c.lacks.size, "response sizes")
	say(c.lacks.duration, "response times ($request_time, %D): time-based injection and slow attacks")
	say(c.lacks.agent, "user agents")
	say(c.lacks.proxied, "X-Forwarded-For: requests come from a private address, so a proxy hides the clients")
	if c.kinds[event.KindWeb] > 0 && c.kinds[event.KindApp] == 0 && c.kinds[event.KindError] == 0 {
		out = append(out, "the application's own log: what it did with a request")
	}
	if c.kinds[event.KindCloud] > 0 && c.kinds[event.KindWeb] == 0 {
		out = append(out, "data events (S3 object reads, Lambda invocations), unless the trail records them")
	}
	return out
}

// stamp writes a time as RFC 3339, without a zone where the log had none.
func stamp(nanos int64, clock event.Clock) string {
	t := time.Unix(0, nanos).UTC()
	switch clock {
	case event.ZonedClock:
		return t.Format("2006-01-02T15:04:05Z")
	case event.LocalClock:
		return t.Format("2006-01-02T15:04:05")
	}
	return ""
}
