package rule

import (
	"bytes"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// refKind is where a rule's field name finds its values.
type refKind uint8

const (
	refField    refKind = iota // an event.Field
	refStatus                  // Event.Status
	refBytes                   // Event.Bytes
	refDuration                // Event.Duration, in milliseconds
	refClient                  // Event.Client, else SourceIP
	refCIDR                    // the /24 or /48 of Event.Client
	refTime                    // Event.Time
	refURI                     // path, and '?' and query where there is one
	refTarget                  // the query, or the URI: what SigmaHQ's cs-uri-query means in practice
	refExt                     // the extension of the path's last segment
	refPayload                 // everything that the client wrote
	refKeyword                 // the whole record, and what was decoded from it
	refTree                    // a path of Event.Object, or the name of an Extra pair
)

// A fieldRef is a resolved field name.
type fieldRef struct {
	kind  refKind
	field event.Field // of refField
	name  string      // as written in the rule
	path  []string    // of refTree
}

// Field names with a meaning in every logsource: SigmaHQ's web server and proxy taxonomy, then common names of other taxonomies.
var fieldTable = map[string]fieldRef{
	"payload": {kind: refPayload}, "source.cidr": {kind: refCIDR},
	"source.ip": {kind: refClient}, "client.ip": {kind: refClient}, "c-ip": {kind: refClient}, "src_ip": {kind: refClient}, "cs-ip": {kind: refClient},
	"srcip": {kind: refClient}, "clientip": {kind: refClient}, "client_ip": {kind: refClient}, "sourceip": {kind: refClient}, "src-ip": {kind: refClient},
	"http.response.status_code": {kind: refStatus}, "sc-status": {kind: refStatus},
	"http.response.body.bytes": {kind: refBytes}, "http.response.bytes": {kind: refBytes}, "sc-bytes": {kind: refBytes},
	"event.duration": {kind: refDuration}, "time-taken": {kind: refDuration},
	"@timestamp": {kind: refTime}, "timestamp": {kind: refTime}, "eventtime": {kind: refTime},
	"c-uri": {kind: refURI}, "cs-uri": {kind: refURI}, "url.original": {kind: refURI}, "url.full": {kind: refURI}, "request_uri": {kind: refURI},
	"cs-uri-query": {kind: refTarget}, "c-uri-query": {kind: refTarget},
	"c-uri-extension": {kind: refExt}, "cs-uri-extension": {kind: refExt}, "url.extension": {kind: refExt},

	"cs-uri-stem": {field: event.Path}, "c-uri-stem": {field: event.Path}, "c-uri-path": {field: event.Path}, "uri_path": {field: event.Path},
	"uri_query": {field: event.Query},
	"cs-method": {field: event.Method}, "c-method": {field: event.Method}, "http_method": {field: event.Method},
	"cs-user-agent": {field: event.UserAgent}, "c-useragent": {field: event.UserAgent}, "c-user-agent": {field: event.UserAgent},
	"cs-useragent": {field: event.UserAgent}, "cs(user-agent)": {field: event.UserAgent}, "user-agent": {field: event.UserAgent},
	"http_user_agent": {field: event.UserAgent}, "useragent": {field: event.UserAgent},
	"cs-referer": {field: event.Referer}, "cs-referrer": {field: event.Referer}, "c-referer": {field: event.Referer}, "c-referrer": {field: event.Referer},
	"cs(referer)": {field: event.Referer}, "http_referer": {field: event.Referer}, "referer": {field: event.Referer},
	"cs-cookie": {field: event.Cookie}, "c-cookie": {field: event.Cookie}, "cs(cookie)": {field: event.Cookie},
	"cs-host": {field: event.Host}, "c-host": {field: event.Host}, "cs(host)": {field: event.Host}, "r-dns": {field: event.Host}, "cs-uri-host": {field: event.Host},
	"http.request.headers.host": {field: event.Host}, "http.request.headers.user-agent": {field: event.UserAgent}, "http.request.headers.referer": {field: event.Referer},
	"cs-version": {field: event.HTTPVersion}, "cs-username": {field: event.User}, "c-username": {field: event.User},
	"cs-bytes": {field: event.RequestBytes}, "http.request.body.bytes": {field: event.RequestBytes},
	"cs-body": {field: event.Body}, "post-body": {field: event.Body}, "request_body": {field: event.Body},
	"cs-headers": {field: event.Headers}, "x-forwarded-for": {field: event.ForwardedFor}, "cs(x-forwarded-for)": {field: event.ForwardedFor},
	"sc-content-type": {field: event.ContentType}, "rs-content-type": {field: event.ContentType}, "sc-mime-type": {field: event.ContentType},
	"sc-location": {field: event.Location},
	"s-ip":        {field: event.DestIP}, "r-ip": {field: event.DestIP}, "dst_ip": {field: event.DestIP}, "dst-ip": {field: event.DestIP}, "dstip": {field: event.DestIP},
	"s-port": {field: event.DestPort}, "r-port": {field: event.DestPort}, "dst_port": {field: event.DestPort}, "dst-port": {field: event.DestPort},
	"c-port": {field: event.SourcePort}, "src_port": {field: event.SourcePort}, "src-port": {field: event.SourcePort},
	"s-computername": {field: event.Hostname}, "s-dns": {field: event.Hostname}, "hostname": {field: event.Hostname},
	"user_agent": {field: event.UserAgent}, "user.email": {field: event.User}, "dns.question.name": {field: event.DNSName},
	"trace_id": {field: event.RequestID}, "service.name": {field: event.App},
}

// Names that mean a Field only in their own logsource; elsewhere they are paths of the record.
var cloudtrailTable = map[string]fieldRef{
	"eventname": {field: event.Action}, "eventsource": {field: event.Provider}, "errorcode": {field: event.ErrorCode},
	"errormessage": {field: event.ErrorMessage}, "awsregion": {field: event.Region}, "useridentity.type": {field: event.PrincipalType},
	"sourceipaddress": {kind: refClient}, "useragent": {field: event.UserAgent},
}

var dnsTable = map[string]fieldRef{
	"query": {field: event.DNSName}, "queryname": {field: event.DNSName}, "dns_query": {field: event.DNSName}, "dns_query_name": {field: event.DNSName},
}

var firewallTable = map[string]fieldRef{
	"srcaddr": {kind: refClient}, "dstaddr": {field: event.DestIP}, "srcport": {field: event.SourcePort}, "dstport": {field: event.DestPort},
	"action": {field: event.Action}, "protocol": {field: event.Transport}, "proto": {field: event.Transport}, "blocked": {field: event.Result},
}

var s3Table = map[string]fieldRef{
	"operation": {field: event.Action}, "requester": {field: event.Principal}, "bucket": {field: event.Resource}, "remoteip": {kind: refClient},
	"errorcode": {field: event.ErrorCode}, "error_code": {field: event.ErrorCode}, "requesturi": {kind: refURI}, "key": {kind: refTree, name: "aws.s3.key", path: []string{"aws.s3.key"}},
}

var applicationTable = map[string]fieldRef{
	"level": {field: event.Level}, "msg": {field: event.Message}, "user": {field: event.User}, "username": {field: event.User},
	"processname": {field: event.Process}, "program": {field: event.Process}, "ident": {field: event.Process},
}

// resolve finds what a field name means in a logsource.
func resolve(name string, ls *source) fieldRef {
	if name == "" {
		return fieldRef{kind: refKeyword}
	}
	low := strings.ToLower(name)
	found := func(r fieldRef) fieldRef {
		if r.name == "" {
			r.name = name
		}
		return r
	}
	for _, t := range ls.names {
		if r, ok := t[low]; ok {
			return found(r)
		}
	}
	if !ls.treeOnly {
		if r, ok := fieldTable[low]; ok {
			return found(r)
		}
		if f, ok := event.FieldNamed(low); ok {
			return found(fieldRef{kind: refField, field: f})
		}
	}
	return fieldRef{kind: refTree, name: name, path: strings.Split(name, ".")}
}

// String is the name under which people know the reference: the ECS name where there is one.
func (r *fieldRef) String() string {
	switch r.kind {
	case refField:
		return r.field.String()
	case refClient:
		return "source.ip"
	case refCIDR:
		return "source.cidr"
	case refStatus:
		return "http.response.status_code"
	case refBytes:
		return "http.response.body.bytes"
	case refURI, refTarget:
		return "url.original"
	}
	return r.name
}

// home is the Field that stands for the reference in a Signal.
func (r *fieldRef) home() event.Field {
	switch r.kind {
	case refField:
		return r.field
	case refClient, refCIDR:
		return event.SourceIP
	case refStatus:
		return event.StatusText
	case refURI, refExt:
		return event.Path
	case refTarget:
		return event.Query
	}
	return event.Message
}

// Prefixes that stand for one subscriber or one small network.
const (
	cidrBits4 = 24
	cidrBits6 = 48
)

// appendText appends the reference's first raw value to dst. ok is false if the record has none.
func (r *fieldRef) appendText(dst []byte, ev *event.Event) (out []byte, ok bool) {
	switch r.kind {
	case refField:
		v := ev.Get(r.field)
		return append(dst, v...), len(v) > 0
	case refStatus:
		if ev.Status == 0 {
			return dst, false
		}
		return strconv.AppendInt(dst, int64(ev.Status), 10), true
	case refBytes:
		if ev.Bytes < 0 {
			return dst, false
		}
		return strconv.AppendInt(dst, ev.Bytes, 10), true
	case refDuration:
		if ev.Duration < 0 {
			return dst, false
		}
		return strconv.AppendInt(dst, ev.Duration.Milliseconds(), 10), true
	case refClient:
		if ev.Client.IsValid() {
			return ev.Client.AppendTo(dst), true
		}
		v := ev.Get(event.SourceIP)
		return append(dst, v...), len(v) > 0
	case refCIDR:
		return appendCIDR(dst, ev.Client)
	case refTime:
		if ev.Clock == event.NoClock {
			return dst, false
		}
		return time.Unix(0, ev.Time).UTC().AppendFormat(dst, time.RFC3339Nano), true
	case refURI:
		return appendURI(dst, ev)
	case refTarget:
		if v := ev.Get(event.Query); len(v) > 0 {
			return append(dst, v...), true
		}
		return appendURI(dst, ev)
	case refExt:
		v := extension(ev.Get(event.Path))
		return append(dst, v...), len(v) > 0
	case refKeyword:
		return append(dst, ev.Text...), len(ev.Text) > 0
	case refTree:
		for _, p := range ev.Extra() {
			if strings.EqualFold(p.Name, r.name) {
				return append(dst, p.Value...), len(p.Value) > 0
			}
		}
		if ev.Object != nil {
			var room [4][]byte
			if vals, _ := ev.Object.Lookup(room[:0], r.path); len(vals) > 0 {
				return append(dst, vals[0]...), len(vals[0]) > 0
			}
		}
	}
	return dst, false
}

func appendURI(dst []byte, ev *event.Event) ([]byte, bool) {
	if !ev.Has(event.Path) && !ev.Has(event.Query) {
		return dst, false
	}
	dst = append(dst, ev.Get(event.Path)...)
	if q := ev.Get(event.Query); len(q) > 0 {
		dst = append(append(dst, '?'), q...)
	}
	return dst, true
}

func appendCIDR(dst []byte, a netip.Addr) ([]byte, bool) {
	if !a.IsValid() {
		return dst, false
	}
	a = a.Unmap().WithZone("")
	bits := cidrBits4
	if a.Is6() {
		bits = cidrBits6
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return dst, false
	}
	return p.AppendTo(dst), true
}

// extension is the text after the last dot of the path's last segment.
func extension(path []byte) []byte {
	path = path[bytes.LastIndexByte(path, '/')+1:]
	if dot := bytes.LastIndexByte(path, '.'); dot >= 0 {
		return path[dot+1:]
	}
	return nil
}

// text returns the reference's first raw value, borrowed from ev.
func (r *fieldRef) text(ev *event.Event) ([]byte, bool) {
	if r.kind == refField {
		v := ev.Get(r.field)
		return v, len(v) > 0
	}
	var room [128]byte
	b, ok := r.appendText(room[:0], ev)
	if !ok {
		return nil, false
	}
	out := ev.Alloc(len(b))
	copy(out, b)
	return out, true
}

// number parses a value as a finite number.
func number(b []byte) (float64, bool) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > maxNumber {
		return 0, false
	}
	// Fast path - plain digits: most numbers in logs, and no conversion to string.
	var n int64
	for i, c := range b {
		if c < '0' || c > '9' || i >= 15 {
			f, err := strconv.ParseFloat(string(b), 64)
			return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
		}
		n = n*10 + int64(c-'0')
	}
	return float64(n), true
}

const maxNumber = 40 // bytes; longer text is no number
