package logformat

import (
	"github.com/helixvanguard/vanguard/event"
)

// A shape is one kind of record that this package reads. parse fills ev and tells whether rec has the shape; on
// false the caller undoes what it set. Values are pieces of rec wherever possible, so that spans can be shown.
type shape struct {
	name  string // as people see it: "nginx_combined", "cloudtrail", "sshd"; parse may set ev.Format to a narrower name
	first string // the bytes that such a record can start with; "" = any. Rejects cheaply
	// multi: parse is given the whole record with its continuation lines, else only its first
	// line, and the rest is added to Message or to error.stack_trace.
	multi bool
	// fallback: tried only where no other shape fits; sets ev.Understood (and ev.Why) itself.
	fallback bool
	parse    func(c *ctx, rec []byte, ev *event.Event) bool
}

// shapes are all that is known, more specific first; byFirst holds those that a record with this first
// byte can have. They are filled by init because wrappers lead back to them (ctx.inner).
var (
	shapes    []shape
	byFirst   [256][]*shape
	fallbacks []*shape
)

// maxDepth bounds text inside text inside text.
const maxDepth = 6

func init() {
	shapes = []shape{
		// Strict shapes, which no other text has by chance.
		{name: "aws_alb", first: "hgw", parse: parseALB},
		{name: "aws_nlb", first: "t", parse: parseNLB},
		{name: "aws_elb", first: digits, parse: parseELB},
		{name: "cloudfront", first: digits, parse: parseCloudFront},
		{name: "iis_w3c", first: digits, parse: parseIIS},
		{name: "vpc_flow", first: digits, parse: parseVPCFlow},

		// Structured text, wrappers, system and application records.
		{name: "json", first: "{[ ", multi: true, parse: parseJSON},
		{name: "cri", first: digits, multi: true, parse: parseCRI},
		{name: "docker_compose", first: letters + "\x1b[", multi: true, parse: parseCompose},
		{name: "syslog", first: "<" + letters + digits + "\xc3\xd0", multi: true, parse: parseSyslog},
		{name: "journal", first: "-", parse: parseJournalMark},
		{name: "cef", first: "C", parse: parseCEF},
		{name: "suricata_fast", first: digits, parse: parseFastLog},
		{name: "windows_xml", first: "<-", multi: true, parse: parseWinXML},
		{name: "sshd", first: "FAIDCR", parse: parseBareSSHD},

		// Web servers, proxies and edges.
		{name: "s3_access", parse: parseS3Access},
		{name: "apigateway_execution", first: "(" + digits, multi: true, parse: parseAPIGatewayExecution},
		{name: "apigateway_xml", first: "<", multi: true, parse: parseAPIGatewayXML},
		{name: "apigateway_csv", first: hexes, parse: parseAPIGatewayCSV},
		{name: "nginx_error", first: digits, multi: true, parse: parseNginxError},
		{name: "apache_error", first: "[", parse: parseApacheError},
		{name: "haproxy", first: hexes + "u", parse: parseHAProxy},
		{name: "envoy", first: "[", parse: parseEnvoy},
		{name: "nginx_proxy_manager", first: "[", parse: parseProxyManager},
		{name: "uwsgi", first: "[", parse: parseUWSGI},
		{name: "squid", first: digits, parse: parseSquid},
		{name: "framework", first: "[S\x1b" + hexes + letters, parse: parseFrameworks},
		{name: "clf", parse: parseCLF},
		{name: "morgan", first: "\x1b" + hexes + letters + "-", parse: parseMorgan},

		{name: "logfmt", first: letters + "@_", multi: true, parse: parseLogfmt},

		// Fallbacks.
		{name: "text", multi: true, fallback: true, parse: parseText},
	}
	for i := range shapes {
		s := &shapes[i]
		if s.fallback {
			fallbacks = append(fallbacks, s)
			continue
		}
		for b := range byFirst {
			if s.first == "" || containsByte(s.first, byte(b)) {
				byFirst[b] = append(byFirst[b], s)
			}
		}
	}
}

func containsByte(s string, b byte) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == b {
			return true
		}
	}
	return false
}

// Sets of first bytes.
const (
	digits  = "0123456789"
	hexes   = digits + "abcdefABCDEF:"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// ctx is what a parser may know besides the record. One serves one Block.Parse call, never two
// goroutines. What it remembers between records (caches) never changes a result.
type ctx struct {
	opt   *Options
	depth int // wrappers around this text so far (syslog, docker, JSON...); bounded by maxDepth
	// next commits a filled Event and returns an empty one with Source, Line and Text set, for a record that
	// holds several events (a CloudWatch envelope). The last one is committed by the caller. A parser that has called
	// next must return true. It is nil inside wrappers: then only the first event can be kept.
	next func(*event.Event) *event.Event

	cur   *event.Event // the Event being filled, outside wrappers
	shape *shape       // the shape being tried, outside wrappers
	two   bool         // format.two
	// single: the record has one line, which saves looking for its end
	single bool
	nodes  []node // of the record, where it is JSON that the Stream read already
	times  timeCache
	saved  [maxDepth + 1]event.Event // what inner restores; kept here to allocate once
}

// inner reads text that stood inside another record (a syslog message, a JSON "log" member) in any shape but the
// fallbacks, into ev over what the wrapper set. False, with ev untouched, if no shape fits: the wrapper then has text to
// read freely. The better time wins: one with a zone, else the text's own.
func (c *ctx) inner(text []byte, ev *event.Event) bool {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n') {
		text = text[1:]
	}
	if len(text) == 0 || c.depth >= maxDepth {
		return false
	}
	c.depth++
	saved, next := &c.saved[c.depth], c.next
	*saved = *ev
	c.next = nil
	ev.Format = "" // the text's own name tells more than the wrapper's
	ok := false
	for _, s := range byFirst[text[0]] {
		if ok = c.fits(s, text, ev); ok {
			break
		}
		*ev = *saved
		ev.Format = ""
	}
	if !ok {
		ev.Format = saved.Format
	}
	c.depth--
	c.next = next
	if ok && (ev.Clock == event.NoClock || saved.Clock == event.ZonedClock && ev.Clock != event.ZonedClock) {
		ev.Time, ev.Clock = saved.Time, saved.Clock
	}
	return ok
}

// fits parses rec, which may have several lines, by s, and completes what s leaves to its caller.
func (c *ctx) fits(s *shape, rec []byte, ev *event.Event) bool {
	first := rec
	if !s.multi && (c.depth > 0 || !c.single) {
		first = firstLine(rec)
	}
	if !s.parse(c, first, ev) {
		return false
	}
	if c.depth == 0 {
		ev = c.cur // next may have moved on
	}
	if ev.Format == "" {
		ev.Format = s.name
	}
	if !s.fallback {
		ev.Understood = true
	}
	if len(first) < len(rec) {
		rest := rec[len(first):]
		// The message goes on if it ran to the end of the first line.
		if msg := ev.Get(event.Message); len(msg) > 0 && cap(msg) >= cap(rest) && cap(msg)-len(msg) == cap(rest) && &msg[:len(msg)+1][len(msg)] == &rest[0] {
			ev.Set(event.Message, msg[:len(msg)+len(rest)])
		} else {
			ev.Add("error.stack_trace", rest, event.Mixed)
		}
	}
	return true
}
