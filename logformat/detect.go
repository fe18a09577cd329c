package logformat

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

const (
	sampled    = 64 // records of a block that are read to find its format
	probed     = 3  // records of a block that are read to see whether its format still holds
	maxBackoff = 64 // blocks between two searches where nothing is found
)

// A sampler reads records to see which shapes they have.
type sampler struct {
	ctx ctx
	ev  event.Event
}

// shapeOf returns the shape of rec, nil if there is none but a fallback.
func (p *sampler) shapeOf(f *format, rec []byte) *shape {
	p.ev.Reset()
	p.ev.Text = rec
	p.ctx.opt, p.ctx.cur, p.ctx.depth = f.opt, &p.ev, 0
	p.ctx.next = func(ev *event.Event) *event.Event {
		ev.Reset()
		ev.Text = rec
		return ev
	}
	s := p.ctx.read(f, rec)
	if s != nil && s.fallback {
		return nil
	}
	return s
}

// choose sets the format for the block b.
func (s *Stream) choose(b []byte) {
	if s.forced != nil || s.header != nil || s.format.comment && s.format.first != nil {
		return
	}
	if s.sampler == nil {
		s.sampler = &sampler{}
	}
	if s.checked > 0 {
		if f := s.format.first; f != nil {
			hits := 0
			sample(b, probed, func(rec []byte) {
				if s.sampler.shapeOf(s.format, rec) == f {
					hits++
				}
			})
			if hits > 0 {
				s.checked = 1
				return
			}
		}
		if s.wait > 0 {
			s.wait--
			return
		}
		s.checked = min(2*s.checked, maxBackoff)
		s.wait = s.checked
	} else {
		s.checked = 1
	}
	s.detect(b)
}

// detect finds the shape that most records of b have, and induces one for those that have none.
func (s *Stream) detect(b []byte) {
	f := &format{opt: s.opt, comment: s.format.comment}
	counts := map[*shape]int{}
	var strange [][]byte
	total, told, clf, more := 0, 0, 0, 0
	sample(b, sampled, func(rec []byte) {
		total++
		if k := s.sampler.shapeOf(f, rec); k != nil {
			counts[k]++
			if k.name == "clf" {
				clf++
				if line := firstLine(rec); bytes.Count(line, quoteMark)-bytes.Count(line, quotedMark) > 6 {
					more++
				}
			}
			return
		}
		// Free text may have told all there is.
		if ev := s.sampler.ctx.cur; ev.Clock != event.NoClock && ev.Client.IsValid() {
			told++
		}
		strange = append(strange, firstLine(rec))
	})
	most := 0
	for i := range shapes { // in the table's order, so that equal counts always give the same answer
		if n := counts[&shapes[i]]; n > most {
			most, f.first = n, &shapes[i]
		}
	}
	f.two = clf >= minInduced && more*5 < clf
	if len(strange) >= minInduced && len(strange)*4 >= total {
		f.induced = induce(s.opt, strange, told*2 > len(strange))
	}
	if f.induced == nil {
		f.induced = s.format.induced
	}
	s.format = f
}

var quoteMark, quotedMark = []byte{'"'}, []byte{'\\', '"'}

// sample calls f with about n records of b: the first ones, and some spread over the rest.
func sample(b []byte, n int, f func(rec []byte)) {
	at := 0
	for i := 0; at < len(b) && i < n; i++ {
		if i >= (n+1)/2 {
			if to := i * (len(b) / n); to > at {
				nl := bytes.IndexByte(b[to:], '\n')
				if nl < 0 {
					return
				}
				at = to + nl + 1
				if at >= len(b) {
					return
				}
			}
		}
		end, _, _ := recordEnd(b[at:], true)
		if rec := trimLine(b[at : at+end]); len(rec) > 0 && rec[0] != '#' {
			f(rec)
		}
		at += end
	}
}

// forcedShape resolves Options.Force.
func forcedShape(name string) (*shape, error) {
	if strings.ContainsAny(name, "$%") {
		l, err := compileCustom(name)
		if err != nil {
			return nil, fmt.Errorf("format: %w", err)
		}
		return &shape{name: "custom", parse: l.parse}, nil
	}
	want := strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
	if alias, ok := formatAliases[want]; ok {
		want = alias
	}
	var names []string
	for i := range shapes {
		if shapes[i].name == want {
			return &shapes[i], nil
		}
		names = append(names, shapes[i].name)
	}
	for alias := range formatAliases {
		names = append(names, alias)
	}
	sort.Strings(names)
	return nil, fmt.Errorf("format: %q is unknown; give a log_format or LogFormat string, or one of: %s", name, strings.Join(names, ", "))
}

// formatAliases are other names by which people call a shape, and the narrower names that its records get.
var formatAliases = func() map[string]string {
	m := map[string]string{}
	for shape, names := range map[string]string{
		"clf":            "nginx apache combined common nginx_combined apache_combined apache_common vhost_combined vhost_common ncsa",
		"framework":      "gin uvicorn rails tornado php_server",
		"iis_w3c":        "iis w3c",
		"json":           "json_app json_access nginx_json pino bunyan winston caddy traefik_json ecs_json gelf otlp_json cloudtrail aws_waf guardduty securityhub eventbridge route53_resolver bedrock ocsf api_gateway apigateway_json gcp_http cloudflare suricata_eve journald_json laurel",
		"syslog":         "rfc3164 rfc5424 auth auditd sudo su pam cron netfilter filterlog",
		"docker_compose": "compose", "cri": "kubernetes k8s containerd",
		"aws_alb": "alb", "aws_nlb": "nlb", "aws_elb": "elb", "s3_access": "s3", "vpc_flow": "vpc flow_logs", "cloudfront": "cloudfront_realtime",
		"text": "text_app free_text plain",
	} {
		for _, n := range strings.Fields(names) {
			m[n] = shape
		}
	}
	return m
}()

// headerIn returns where in b the next header line starts, -1 if there is none. A header at the very front is 0.
func (s *Stream) headerIn(b []byte) int {
	if isDirective(b) {
		return 0
	}
	if s.line == 1 && s.forced == nil && s.header == nil && headerLayout(firstLine(b)) != nil {
		return 0
	}
	return s.nextHeader(b, 0)
}

// nextHeader returns where in b, after from, a header line starts, or -1.
func (s *Stream) nextHeader(b []byte, from int) int {
	for at := from; ; at++ { // The sign is rarer than line ends are.
		i := bytes.IndexByte(b[at:], '#')
		if i < 0 {
			break
		}
		if at += i; at > from && b[at-1] == '\n' && isFields(b[at:]) {
			return at
		}
	}
	if s.header != nil {
		if i := bytes.Index(b[from:], s.header); i >= 0 {
			return from + i + 1
		}
	}
	return -1
}

// isFields tells whether b starts with the directive that names the columns.
func isFields(b []byte) bool {
	return bytes.HasPrefix(b, []byte("#Fields:")) || bytes.HasPrefix(b, []byte("#fields\t")) || bytes.HasPrefix(b, []byte("#fields "))
}

// isDirective tells whether b starts with a line of a W3C or Zeek header.
func isDirective(b []byte) bool {
	if len(b) == 0 || b[0] != '#' {
		return false
	}
	for _, d := range [...]string{"#Fields:", "#Software:", "#Version:", "#Date:", "#Start-Date:", "#Remark:",
		"#fields", "#separator", "#set_separator", "#empty_field", "#unset_field", "#path", "#open", "#types"} {
		if bytes.HasPrefix(b, []byte(d)) {
			return true
		}
	}
	return false
}

// readHeader takes the header lines that b starts with, makes the format that they ask for, and returns where in b
// another header may follow.
func (s *Stream) readHeader(b []byte) int {
	if !isDirective(b) {
		line := firstLine(b)
		if l := headerLayout(line); l != nil {
			s.format = &format{opt: s.opt, first: &shape{name: l.name, parse: l.parse}, header: bytes.Clone(line)}
			word := line
			if i := bytes.IndexAny(line, " ,;\t|"); i > 0 {
				word = line[:i+1]
			}
			s.header = append([]byte{'\n'}, word...)
		}
		return max(len(line)-1, 0)
	}
	at := 0
	var l *layout
	var kind, date []byte
	for at < len(b) && (b[at] == '#' || b[at] == '\n' || b[at] == '\r') {
		line := firstLine(b[at:])
		if isFields(line) {
			l = fieldsLayout(line, date)
		} else if bytes.HasPrefix(line, []byte("#Date: ")) {
			date = line[len("#Date: "):]
		} else if bytes.HasPrefix(line, []byte("#path")) {
			kind = bytes.TrimSpace(line[5:])
		}
		nl := bytes.IndexByte(b[at:], '\n')
		if nl < 0 {
			at = len(b)
			break
		}
		at += nl + 1
	}
	at = max(at-1, 0) // with the line end before what follows
	f := &format{opt: s.opt, comment: true, first: s.format.first}
	if l != nil {
		l.called(kind)
		f.first = &shape{name: l.name, parse: l.parse}
	}
	s.format = f
	return at
}
