package logformat

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// A custom is a parser made from an nginx log_format, Apache LogFormat or API Gateway format string: text
// with a column after each piece of it. Immutable.
type custom struct {
	kind   event.Kind
	pieces []piece
	text   []byte // after the last column
}

type piece struct {
	text []byte // before the column
	col  column
	gaps int  // blanks inside the value, where the format itself has them (a date)
	list bool // values like "a, b" (nginx upstreams, forwarding lists)
}

const maxPieces = 128

// compileCustom reads the format string, or the whole directive around it.
func compileCustom(format string) (*custom, error) {
	text := directiveText(format)
	apache := strings.Contains(text, "%") && !strings.Contains(text, "$")
	p := &custom{}
	var lit []byte
	status, known := false, 0
	for i := 0; i < len(text); {
		b := text[i]
		var pc piece
		switch {
		case apache && b == '%' && i+1 < len(text):
			if text[i+1] == '%' {
				lit = append(lit, '%')
				i += 2
				continue
			}
			var n int
			if pc, n = apacheDirective(text[i:]); n == 0 {
				return nil, fmt.Errorf("byte %d: %q is no LogFormat directive", i, text[i:min(len(text), i+12)])
			}
			i += n
		case !apache && b == '$':
			name, n := variable(text[i:])
			if n == 0 {
				return nil, fmt.Errorf("byte %d: a variable's name must follow '$'", i)
			}
			pc = nginxVariable(name)
			i += n
		default:
			lit = append(lit, b)
			i++
			continue
		}
		if len(p.pieces) == maxPieces {
			return nil, fmt.Errorf("more than %d variables", maxPieces)
		}
		pc.text, lit = lit, nil
		if len(p.pieces) > 0 && len(pc.text) == 0 && pc.col.slot != slot(event.Query) {
			return nil, fmt.Errorf("byte %d: two variables with nothing between them cannot be told apart", i)
		}
		p.pieces = append(p.pieces, pc)
		switch pc.col.slot {
		case cSkip, cExtra:
		case sStatus, sRequest, slot(event.Method), sTarget, cPath:
			status = true
			known++
		default:
			known++
		}
	}
	p.text = lit
	if known < 2 {
		return nil, fmt.Errorf("%q names fewer than two values that are known here", format)
	}
	if p.kind = event.KindApp; status {
		p.kind = event.KindWeb
	}
	return p, nil
}

// directiveText takes the format out of "log_format main '...' '...';" or "LogFormat \"...\" name".
func directiveText(s string) string {
	s = strings.TrimSpace(s)
	low := strings.ToLower(s)
	if !strings.HasPrefix(low, "log_format") && !strings.HasPrefix(low, "logformat") && !strings.HasPrefix(low, "customlog") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		q := s[i]
		if q != '\'' && q != '"' {
			continue
		}
		for i++; i < len(s) && s[i] != q; i++ {
			if s[i] == '\\' && i+1 < len(s) && (s[i+1] == q || s[i+1] == '\\') {
				i++
			}
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// variable reads "$name", "${name}" or "$context.identity.sourceIp".
func variable(s string) (name string, n int) {
	if strings.HasPrefix(s, "${") {
		end := strings.IndexByte(s, '}')
		if end < 3 {
			return "", 0
		}
		return s[2:end], end + 1
	}
	n = 1
	for n < len(s) && (isAlpha(s[n]) || isDigit(s[n]) || s[n] == '_' || s[n] == '.' && n+1 < len(s) && isAlpha(s[n+1]) && strings.HasPrefix(s, "$context")) {
		n++
	}
	if n == 1 {
		return "", 0
	}
	return s[1:n], n
}

func nginxVariable(name string) piece {
	at := func(s slot) piece { return piece{col: column{slot: s}} }
	switch name {
	case "remote_addr", "binary_remote_addr":
		return at(sSource)
	case "realip_remote_addr", "proxy_protocol_addr":
		return piece{col: column{slot: cExtra, name: name}}
	case "remote_user":
		return at(sUser)
	case "time_local", "context.requestTime":
		return piece{col: column{slot: sTime}, gaps: 1}
	case "time_iso8601", "msec", "context.requestTimeEpoch":
		return at(sTime)
	case "request":
		return at(sRequest)
	case "status":
		return at(sStatus)
	case "body_bytes_sent", "bytes_sent", "context.responseLength":
		return at(sBytes)
	case "request_time":
		return at(sTookS)
	case "request_uri", "context.path", "context.resourcePath":
		return at(sTarget)
	case "uri", "document_uri":
		return at(cPath)
	case "args", "query_string":
		return at(slot(event.Query))
	case "request_method", "context.httpMethod":
		return at(slot(event.Method))
	case "host", "http_host", "server_name", "context.domainName":
		return at(slot(event.Host))
	case "hostname":
		return at(slot(event.Hostname))
	case "server_protocol", "context.protocol":
		return at(slot(event.HTTPVersion))
	case "http_x_forwarded_for", "proxy_add_x_forwarded_for":
		return piece{col: column{slot: slot(event.ForwardedFor)}, list: true}
	case "http_x_real_ip", "http_cf_connecting_ip", "http_true_client_ip":
		return at(slot(event.ForwardedFor))
	case "request_body":
		return at(sBody)
	case "scheme", "pipe", "connection", "connection_requests", "request_completion", "context.identity.caller", "server_port", "server_addr", "ssl_protocol", "ssl_cipher", "gzip_ratio", "upstream_cache_status":
		return at(cSkip)
	case "context.responseLatency", "context.integrationLatency":
		return at(sTookMS)
	}
	if strings.HasPrefix(name, "upstream_") {
		return piece{col: column{slot: cSkip}, list: true}
	}
	plain := strings.TrimPrefix(strings.TrimPrefix(name, "http_"), "sent_http_")
	if strings.HasPrefix(name, "cookie_") || strings.HasPrefix(name, "arg_") {
		return piece{col: column{slot: cExtra, name: name}}
	}
	var buf [maxKey]byte
	if m := meaning(normKey(buf[:0], []byte(plain))); m.weight > 0 && !(strings.HasPrefix(name, "http_") && m.slot >= sTime && m.slot != sUser) {
		return at(m.slot)
	}
	return piece{col: column{slot: cExtra, name: name}}
}

// apacheDirective reads "%h", "%>s", "%{Referer}i", "%400,501{User-agent}i", "%{ms}T".
func apacheDirective(s string) (pc piece, n int) {
	n = 1
	for n < len(s) && (s[n] == '>' || s[n] == '<' || s[n] == '!' || s[n] == ',' || isDigit(s[n])) {
		n++
	}
	arg := ""
	if n < len(s) && s[n] == '{' {
		end := strings.IndexByte(s[n:], '}')
		if end < 0 {
			return pc, 0
		}
		arg = s[n+1 : n+end]
		n += end + 1
	}
	if n >= len(s) || !isAlpha(s[n]) {
		return pc, 0
	}
	d := s[n]
	n++
	at := func(s slot) (piece, int) { return piece{col: column{slot: s}}, n }
	extra := func(name string) (piece, int) { return piece{col: column{slot: cExtra, name: name}}, n }
	switch d {
	case 'h', 'a':
		if arg == "c" {
			return extra("peer")
		}
		return at(sSource)
	case 'u':
		return at(sUser)
	case 't':
		if arg == "" {
			return piece{col: column{slot: sTime}, gaps: 1}, n
		}
		if strings.HasSuffix(arg, "_frac") || arg == "%z" {
			return at(cSkip)
		}
		return piece{col: column{slot: sTime}, gaps: strings.Count(arg, " ")}, n
	case 'r':
		return at(sRequest)
	case 's':
		return at(sStatus)
	case 'b', 'B', 'O':
		return at(sBytes)
	case 'I', 'S':
		return at(slot(event.RequestBytes))
	case 'D':
		return at(sTookUS)
	case 'T':
		switch arg {
		case "ms":
			return at(sTookMS)
		case "us":
			return at(sTookUS)
		}
		return at(sTookS)
	case 'v', 'V':
		return at(slot(event.Host))
	case 'm':
		return at(slot(event.Method))
	case 'U':
		return at(cPath)
	case 'q':
		return at(slot(event.Query))
	case 'H':
		return at(slot(event.HTTPVersion))
	case 'A':
		return at(slot(event.DestIP))
	case 'P':
		return at(slot(event.PID))
	case 'i':
		switch strings.ToLower(arg) {
		case "referer", "referrer":
			return at(slot(event.Referer))
		case "user-agent":
			return at(slot(event.UserAgent))
		case "x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip":
			return piece{col: column{slot: slot(event.ForwardedFor)}, list: true}, n
		case "cookie":
			return at(slot(event.Cookie))
		case "host":
			return at(slot(event.Host))
		}
		return extra("http.request.headers." + strings.ToLower(arg))
	case 'o':
		switch strings.ToLower(arg) {
		case "location":
			return at(slot(event.Location))
		case "content-type":
			return at(slot(event.ContentType))
		}
		return at(cSkip)
	case 'C', 'e', 'n', 'x':
		return extra(arg)
	case 'L':
		return at(slot(event.RequestID))
	case 'l', 'p', 'k', 'X', 'f', 'R', 'E', 'M', 'F':
		return at(cSkip)
	}
	return pc, 0
}

// parse reads a record by the format.
func (p *custom) parse(c *ctx, rec []byte, ev *event.Event) bool {
	i := 0
	var t twoPart
	for k := range p.pieces {
		pc := &p.pieces[k]
		if i = skipText(rec, i, pc.text); i < 0 {
			return false
		}
		next := p.text
		if k+1 < len(p.pieces) {
			next = p.pieces[k+1].text
			if len(next) == 0 { // "%U%q": the path ends where the query starts
				next = questionMark
			}
		} else if len(next) == 0 {
			next = nil
		}
		end := pc.end(rec, i, next)
		if end < 0 {
			if len(next) == 1 && next[0] == '?' {
				next = nil
				if k+2 < len(p.pieces) {
					next = p.pieces[k+2].text
				}
				end = pc.end(rec, i, next)
			}
			if end < 0 {
				return false
			}
		}
		v := rec[i:end]
		if pc.col.slot == slot(event.Query) && len(v) > 0 && v[0] == '?' {
			v = v[1:]
		}
		if pc.list && bytes.HasPrefix(v, []byte("\"")) {
			v = bytes.Trim(v, "\"")
		}
		setColumn(c, ev, &pc.col, v, &t)
		i = end
	}
	if i = skipText(rec, i, p.text); i < 0 {
		return false
	}
	t.join(c, ev)
	if ev.Clock == event.NoClock && ev.Status == 0 && !ev.Has(event.SourceIP) {
		return false
	}
	ev.Kind = p.kind
	return true
}

var questionMark = []byte{'?'}

// skipText steps over text at i, where any run of blanks is as good as another; -1 if something else stands there.
func skipText(rec []byte, i int, text []byte) int {
	for k := 0; k < len(text); k++ {
		if text[k] == ' ' {
			if i >= len(rec) || rec[i] != ' ' && rec[i] != '\t' {
				return -1
			}
			for i < len(rec) && (rec[i] == ' ' || rec[i] == '\t') {
				i++
			}
			for k+1 < len(text) && text[k+1] == ' ' {
				k++
			}
			continue
		}
		if i >= len(rec) || rec[i] != text[k] {
			return -1
		}
		i++
	}
	return i
}

// end finds where the value at i ends: before the text next, or with the record if there is none.
func (pc *piece) end(rec []byte, i int, next []byte) int {
	if len(next) == 0 {
		return len(rec)
	}
	if i < len(rec) && rec[i] == '[' && pc.col.slot == sTime && next[0] != ']' {
		if j := bytes.IndexByte(rec[i:], ']'); j > 0 {
			return i + j + 1
		}
	}
	if next[0] == '"' && len(pc.text) > 0 && pc.text[len(pc.text)-1] == '"' {
		if pc.col.slot == sRequest {
			return requestEnd(rec, i)
		}
		return closeQuote(rec, i)
	}
	at := i
	for gaps := pc.gaps; ; gaps-- {
		j := bytes.Index(rec[at:], next)
		if j < 0 {
			return -1
		}
		end := at + j
		if next[0] == ' ' && (gaps > 0 && !bytes.HasPrefix(rec[i:end], []byte("[")) || pc.list && end > i && (rec[end-1] == ',' || rec[end-1] == ':' || end+1 < len(rec) && rec[end+1] == ':')) {
			at = end + 1
			continue
		}
		return end
	}
}
