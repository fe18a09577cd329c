package logformat

import (
	"bytes"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// Access logs of AWS: load balancers, CloudFront, S3, VPC flows, API Gateway.

// split64 cuts rec at blanks; "..." is one value, with \" inside.
func split64(rec []byte, out *[64][]byte) (n int) {
	for i := 0; i < len(rec) && n < len(out); {
		if rec[i] == ' ' {
			i++
			continue
		}
		if rec[i] == '"' {
			end := closeQuote(rec, i+1)
			if end < 0 {
				end = len(rec)
			}
			out[n] = rec[i+1 : end]
			n++
			i = end + 1
			continue
		}
		t := token(rec, i)
		out[n] = t
		n++
		i += len(t)
		if len(t) == 0 {
			i++
		}
	}
	return n
}

// parseALB reads Application Load Balancer access logs.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
func parseALB(c *ctx, rec []byte, ev *event.Event) bool {
	switch string(token(rec, 0)) {
	case "http", "https", "h2", "grpcs", "ws", "wss":
	default:
		return false
	}
	var f [64][]byte
	n := split64(rec, &f)
	if n < 14 || !setTime(c, ev, f[1]) || !validAddr(f[3]) && !bytes.HasPrefix(f[2], []byte("app/")) { // the client may be a hash
		return false
	}
	elbCommon(ev, f[2:14])
	if n > 16 {
		set(ev, event.Resource, f[16])
	}
	if n > 17 {
		set(ev, event.RequestID, f[17])
	}
	if n > 18 && !none(f[18]) {
		ev.Set(event.Host, f[18])
	}
	if n > 22 && !none(f[22]) {
		ev.Add("aws.alb.actions", f[22], event.Server) // What the balancer did; event.action is what the request was for.
	}
	if n > 23 {
		set(ev, event.Location, f[23])
	}
	if n > 24 {
		set(ev, event.Reason, f[24])
	}
	if n > 27 && !none(f[27]) {
		ev.Add("classification", f[27], event.Server)
		if n > 28 && !none(f[28]) {
			ev.Add("classification_reason", f[28], event.Server)
		}
	}
	ev.Kind = event.KindWeb
	return true
}

// parseELB reads Classic Load Balancer access logs.
func parseELB(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 60 || rec[4] != '-' || rec[10] != 'T' {
		return false
	}
	var f [64][]byte
	n := split64(rec, &f)
	if n < 12 || n > 15 || !validAddr(f[2]) || !validAddr(f[3]) && !none(f[3]) || len(f[7]) != 3 && !none(f[7]) || !isTookOrMinus(f[4]) || !isTookOrMinus(f[6]) || !setTime(c, ev, f[0]) {
		return false
	}
	if n < 13 {
		f[12] = nil
	}
	elbCommon(ev, f[1:13])
	ev.Kind = event.KindWeb
	if bytes.HasPrefix(f[11], []byte("- ")) { // a TCP listener
		ev.Kind = event.KindFlow
	}
	return true
}

func isTookOrMinus(v []byte) bool {
	if len(v) == 2 && v[0] == '-' && v[1] == '1' {
		return true
	}
	_, ok := duration(v, time.Second)
	return ok
}

// elbCommon reads "elb client:port target:port t1 t2 t3 status target-status received sent request agent".
func elbCommon(ev *event.Event, f [][]byte) {
	set(ev, event.Hostname, f[0])
	setSource(ev, f[1])
	if host, port, a := splitAddr(f[2]); a.IsValid() {
		ev.Set(event.DestIP, host)
		set(ev, event.DestPort, port)
	}
	var took time.Duration
	known := false
	for _, v := range f[3:6] {
		if d, ok := duration(v, time.Second); ok {
			took += d
			known = true
		}
	}
	if known {
		ev.Duration = took
	}
	setStatus(ev, f[6])
	if !none(f[7]) && !bytes.Equal(f[6], f[7]) {
		ev.Add("target_status_code", f[7], event.Server)
	}
	set(ev, event.RequestBytes, f[8])
	setBytes(ev, f[9])
	if r := f[10]; !bytes.HasPrefix(r, []byte("- ")) {
		setRequest(ev, r)
		if host := ev.Get(event.Host); host != nil {
			ev.Set(event.Host, clfHost(host))
		}
	}
	set(ev, event.UserAgent, f[11])
}

// parseNLB reads Network Load Balancer access logs (TLS listeners).
func parseNLB(c *ctx, rec []byte, ev *event.Event) bool {
	if !bytes.HasPrefix(rec, []byte("tls ")) {
		return false
	}
	var f [64][]byte
	n := split64(rec, &f)
	if n < 16 || !validAddr(f[5]) || !setTime(c, ev, f[2]) {
		return false
	}
	set(ev, event.Hostname, f[3])
	setSource(ev, f[5])
	if host, port, a := splitAddr(f[6]); a.IsValid() {
		ev.Set(event.DestIP, host)
		set(ev, event.DestPort, port)
	}
	setDuration(ev, f[7], time.Millisecond)
	set(ev, event.RequestBytes, f[9])
	setBytes(ev, f[10])
	set(ev, event.Reason, f[11])
	if n > 17 {
		set(ev, event.Host, f[17])
	}
	ev.Set(event.Transport, f[0])
	ev.Kind = event.KindFlow
	return true
}

// parseS3Access reads S3 server access logs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
func parseS3Access(c *ctx, rec []byte, ev *event.Event) bool {
	open := bytes.IndexByte(rec[:min(len(rec), 256)], '[')
	if open < 4 || open+30 > len(rec) || rec[open+4] == ' ' || rec[open+3] != '/' || rec[open+27] != ']' {
		return false
	}
	var f [64][]byte
	n := split64(rec[open+28:], &f)
	if n < 8 || !validAddr(f[0]) && !none(f[0]) || bytes.IndexByte(f[3], '.') < 0 || !setTime(c, ev, rec[open+1:open+27]) {
		return false
	}
	switch op := f[3]; {
	case bytes.HasPrefix(op, []byte("REST.")), bytes.HasPrefix(op, []byte("BATCH.")), bytes.HasPrefix(op, []byte("WEBSITE.")), bytes.HasPrefix(op, []byte("S3.")), bytes.HasPrefix(op, []byte("SOAP.")):
	default:
		return false
	}
	owner := token(rec, 0)
	bucket := token(rec, len(owner)+1)
	ev.Set(event.Resource, bucket)
	setSource(ev, f[0])
	set(ev, event.Principal, f[1])
	set(ev, event.RequestID, f[2])
	ev.Set(event.Action, f[3])
	ev.Set(event.Provider, wordS3)
	key := f[4]
	if bytes.HasSuffix(f[5], []byte("HTTP/1.1")) || bytes.IndexByte(f[5], ' ') > 0 {
		setRequest(ev, f[5])
	}
	if !ev.Has(event.Path) {
		set(ev, event.Path, key)
	} else if !none(key) {
		ev.Add("aws.s3.key", key, event.Client)
	}
	setStatus(ev, f[6])
	set(ev, event.ErrorCode, f[7])
	if n > 8 {
		setBytes(ev, f[8])
	}
	if n > 10 {
		setDuration(ev, f[10], time.Millisecond)
	}
	if n > 12 {
		set(ev, event.Referer, f[12])
	}
	if n > 13 {
		set(ev, event.UserAgent, f[13])
	}
	if n > 19 {
		set(ev, event.Host, f[19])
	}
	ev.Kind = event.KindWeb
	return true
}

var wordS3 = []byte("s3.amazonaws.com")

// Layouts that AWS writes without a header where lines are pasted.
var (
	cloudfrontFields = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end"
	realtimeFields   = "timestamp c-ip s-ip time-to-first-byte sc-status sc-bytes cs-method cs-protocol cs-host cs-uri-stem cs-bytes x-edge-location x-edge-request-id x-host-header time-taken cs-protocol-version c-ip-version cs-user-agent cs-referer cs-cookie cs-uri-query x-edge-response-result-type x-forwarded-for ssl-protocol ssl-cipher x-edge-result-type fle-encrypted-fields fle-status sc-content-type sc-content-len sc-range-start sc-range-end c-port x-edge-detailed-result-type c-country cs-accept-encoding cs-accept cache-behavior-path-pattern cs-headers cs-header-names cs-headers-count"

	cloudfrontTabs     = fixedLayout("cloudfront", cloudfrontFields, '\t', 18)
	cloudfrontBlanks   = fixedLayout("cloudfront", cloudfrontFields, ' ', 18)
	cloudfrontRealtime = [...]*layout{
		fixedLayout("cloudfront_realtime", realtimeFields, '\t', 12),
		fixedLayout("cloudfront_realtime", "timestamp c-ip"+realtimeFields[len("timestamp c-ip s-ip"):], '\t', 12),
	}
	vpcFlow    = fixedLayout("vpc_flow", "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status", ' ', 14)
	iisDefault = [...]*layout{
		fixedLayout("iis_w3c", "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken", ' ', 15),
		fixedLayout("iis_w3c", "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken", ' ', 14),
	}
	apiCSV = fixedLayout("apigateway_csv", "c-ip caller cs-username timestamp cs-method cs-uri cs-version sc-status sc-bytes requestid", ',', 9)
)

func fixedLayout(name, fields string, sep byte, least int) *layout {
	l := fieldsLayout([]byte("#Fields: "+fields), nil)
	l.name, l.sep, l.least, l.group, l.must = name, sep, least, false, true
	for i := range l.cols {
		switch l.cols[i].slot {
		case sStatus:
			l.cols[i].typ = isStatus
		case slot(event.Method):
			l.cols[i].typ = isVerb
		case sSource, slot(event.DestIP):
			l.cols[i].typ = isAddr
		}
	}
	return l
}

// parseCloudFront reads CloudFront's standard and real-time logs without their header.
func parseCloudFront(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 60 {
		return false
	}
	if rec[4] == '-' && rec[7] == '-' && (rec[10] == '\t' || rec[10] == ' ') && rec[13] == ':' && rec[19] == rec[10] {
		l := cloudfrontTabs
		if rec[10] == ' ' {
			l = cloudfrontBlanks
		}
		edge := rec[20:25]
		for _, b := range edge[:3] {
			if b-'A' > 25 {
				return false
			}
		}
		return l.parse(c, rec, ev)
	}
	if tab := bytes.IndexByte(rec[:20], '\t'); tab >= 10 {
		if _, n := number(rec); n != tab && rec[n] != '.' {
			return false
		}
		for _, l := range cloudfrontRealtime {
			if l.parse(c, rec, ev) {
				ev.Format = l.name
				return true
			}
		}
	}
	return false
}

// parseIIS reads the columns that IIS writes by default, where the lines come without their header.
func parseIIS(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 60 || rec[4] != '-' || rec[10] != ' ' || rec[19] != ' ' || rec[13] != ':' {
		return false
	}
	switch bytes.Count(rec, blank) {
	case 14:
		return iisDefault[0].parse(c, rec, ev)
	case 13:
		return iisDefault[1].parse(c, rec, ev)
	}
	return false
}

// parseVPCFlow reads VPC flow records of the default format.
func parseVPCFlow(c *ctx, rec []byte, ev *event.Event) bool {
	if len(rec) < 40 || rec[1] != ' ' {
		return false
	}
	account := token(rec, 2)
	id := token(rec, 3+len(account))
	if !bytes.HasPrefix(id, []byte("eni-")) && !none(id) && !bytes.HasPrefix(id, []byte("unknown")) {
		return false
	}
	if !vpcFlow.parse(c, rec, ev) {
		return false
	}
	ev.Kind = event.KindFlow
	return true
}

// parseAPIGatewayCSV reads the CSV style that the API Gateway console offers.
func parseAPIGatewayCSV(c *ctx, rec []byte, ev *event.Event) bool {
	if i := bytes.IndexByte(rec[:min(len(rec), 48)], ','); i < 7 || !validAddr(rec[:i]) {
		return false
	}
	return apiCSV.parse(c, rec, ev) && ev.Has(event.Method) && ev.Status > 0
}

// parseAPIGatewayXML reads the XML style: <request id="..."> <ip>...</ip> ... <status>200</status> </request>
func parseAPIGatewayXML(c *ctx, rec []byte, ev *event.Event) bool {
	if !bytes.HasPrefix(rec, []byte("<request")) {
		return false
	}
	if i := bytes.Index(rec, []byte(`id="`)); i > 0 && i < 16 {
		if end := bytes.IndexByte(rec[i+4:], '"'); end > 0 {
			ev.Set(event.RequestID, rec[i+4:i+4+end])
		}
	}
	at, known := 0, 0
	var t twoPart
	for n := 0; n < 64; n++ {
		i := bytes.IndexByte(rec[at:], '<')
		if i < 0 {
			break
		}
		at += i + 1
		end := bytes.IndexByte(rec[at:], '>')
		if end < 0 {
			break
		}
		name := rec[at : at+end]
		at += end + 1
		if len(name) == 0 || name[0] == '/' || bytes.IndexByte(name, ' ') >= 0 {
			continue
		}
		end = bytes.Index(rec[at:], []byte("</"))
		if end < 0 {
			break
		}
		v := bytes.TrimSpace(rec[at : at+end])
		at += end
		col, ok := columnNamed(name)
		if string(name) == "requestTime" {
			col.slot = sTime
		}
		if !ok || none(v) {
			continue
		}
		known++
		setColumn(c, ev, &col, v, &t)
	}
	ev.Kind = event.KindWeb
	return known >= 3 && (ev.Has(event.SourceIP) || ev.Status > 0)
}

// parseAPIGatewayExecution reads API Gateway's execution logs, one step of one request each:
//
//	(7d1b2c3d-0000-4000-8000-0123456789ab) HTTP Method: GET, Resource Path: /x
//	(7d1b2c3d-0000-4000-8000-0123456789ab) Method request headers: {User-Agent=curl/8, X-Forwarded-For=192.0.2.1, Host=example.com}
//	(7d1b2c3d-0000-4000-8000-0123456789ab) Method completed with status: 403
func parseAPIGatewayExecution(c *ctx, rec []byte, ev *event.Event) bool {
	if isDigit(rec[0]) { // as `aws logs tail` prints it
		when := token(rec, 0)
		if len(when) < 19 || len(when)+2 > len(rec) || rec[len(when)+1] != '(' || !setTime(c, ev, when) {
			return false
		}
		rec = rec[len(when)+1:]
	}
	if len(rec) < 40 || rec[0] != '(' || rec[9] != '-' || rec[14] != '-' || rec[37] != ')' || rec[38] != ' ' {
		return false
	}
	ev.Set(event.RequestID, rec[1:37])
	msg := rec[39:]
	ev.Set(event.Message, msg)
	ev.Kind = event.KindWeb
	value := func(name string) []byte {
		if !bytes.HasPrefix(msg, []byte(name)) {
			return nil
		}
		return bytes.TrimSpace(msg[len(name):])
	}
	if v := value("HTTP Method: "); v != nil {
		method, path, _ := bytes.Cut(v, []byte(", Resource Path: "))
		set(ev, event.Method, method)
		setTarget(ev, path)
	} else if v := value("Method completed with status: "); v != nil {
		setStatus(ev, v)
	} else if v := value("Method request path: "); v != nil {
		set(ev, event.Path, v)
	} else if v := value("Method request query string: "); v != nil {
		set(ev, event.Query, bytes.Trim(v, "{}"))
	} else if v := value("Method request body before transformations: "); v != nil {
		set(ev, event.Body, v)
	} else if v := value("Method request headers: "); v != nil {
		set(ev, event.Headers, bytes.Trim(v, "{}"))
		set(ev, event.UserAgent, mapValue(v, "user-agent="))
		set(ev, event.ForwardedFor, mapValue(v, "x-forwarded-for="))
		set(ev, event.Host, mapValue(v, "host="))
		set(ev, event.Referer, mapValue(v, "referer="))
	}
	return true
}

// mapValue returns the value of name in "{A=1, B=2, 3, C=4}": up to a comma that another name and '=' follow.
func mapValue(s []byte, name string) []byte {
	at := 0
	for {
		i := indexFold(s[at:], name)
		if i < 0 {
			return nil
		}
		if at += i; at > 0 && (s[at-1] == '{' || s[at-1] == ' ') {
			break
		}
		at++
	}
	v := s[at+len(name):]
	for end := 0; end < len(v); end++ {
		if v[end] == '}' && end == len(v)-1 {
			return v[:end]
		}
		if v[end] == ',' && end+1 < len(v) && v[end+1] == ' ' {
			k := end + 2
			for k < len(v) && (isAlpha(v[k]) || isDigit(v[k]) || v[k] == '-') {
				k++
			}
			if k > end+2 && k < len(v) && v[k] == '=' {
				return v[:end]
			}
		}
	}
	return v
}
