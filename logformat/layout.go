package logformat

import (
	"bytes"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// A layout is a record of columns: named by a header line (W3C, Zeek, VPC flow, CSV) or a format string, or
// recognised by type. It is immutable; any number of goroutines read by it.
type layout struct {
	name  string
	kind  event.Kind
	cols  []column
	sep   byte   // between columns; ' ' stands for any run of blanks
	group bool   // "..." is one column, whatever is inside
	brack bool   // so is [...]
	csv   bool   // a quote inside quotes is doubled
	least int    // columns that a record must have
	date  []byte // of records that have a time of day alone
	must  bool   // a record must have a valid time, address or status to fit: nothing else tells it from text
}

// A column is what one value of a layout means.
type column struct {
	slot slot
	name string        // of a value without a Field
	unit time.Duration // of sTook
	typ  colType       // induced layouts: what the value must look like
}

// More meanings of columns, besides the slots of keys.go.
const (
	cSkip slot = numSlots + iota
	cExtra
	cDate  // 2026-11-23, with the time of day in another column
	cClock // 03:10:11
	cPath  // a path without query, not to be split
	cURL   // scheme://host:port/path?query
	cFlowAction
	cCached // "Hit", "Miss"...
)

// columnAliases are the names of columns that mean something else here than as keys of a structured record.
var columnAliases = map[string]column{
	"date": {slot: cDate}, "time": {slot: cClock}, "datelocal": {slot: cDate}, "timelocal": {slot: cClock}, "cstatus": {slot: sStatus}, "timetakenms": {slot: sTookMS},
	"xdatetime": {slot: sTime},
	"cip":       {slot: sSource}, "cport": {slot: slot(event.SourcePort)}, "sip": {slot: slot(event.DestIP)}, "sport": {slot: slot(event.DestPort)},
	"scomputername": {slot: slot(event.Hostname)}, "ssitename": {slot: cExtra, name: "iis.site.name"}, "cdns": {slot: cSkip},
	"csuristem": {slot: cPath}, "csuriquery": {slot: slot(event.Query)}, "csuri": {slot: sTarget}, "csurl": {slot: sTarget},
	"scbytes": {slot: sBytes}, "csbytes": {slot: slot(event.RequestBytes)}, "csversion": {slot: slot(event.HTTPVersion)}, "csprotocolversion": {slot: slot(event.HTTPVersion)},
	"csprotocol": {slot: cSkip}, "cshost": {slot: slot(event.Host)}, "xhostheader": {slot: slot(event.Host)}, "xforwardedfor": {slot: slot(event.ForwardedFor)},
	"scsubstatus": {slot: cExtra, name: "sc-substatus"}, "scwin32status": {slot: cSkip}, "timetaken": {slot: sTookMS},
	"xedgelocation": {slot: cSkip}, "xedgeresulttype": {slot: cCached, name: "x-edge-result-type"}, "xedgerequestid": {slot: slot(event.RequestID)},
	"sccontenttype": {slot: slot(event.ContentType)}, "sccontentlen": {slot: cSkip}, "fleencryptedfields": {slot: cSkip}, "timetofirstbyte": {slot: cSkip},
	"saction": {slot: slot(event.Action)}, "csauthgroup": {slot: cSkip}, "rhierarchy": {slot: cSkip}, "xexceptionid": {slot: cSkip},
	"xvirusid": {slot: slot(event.RuleName)}, "csip": {slot: sSource}, "csuripath": {slot: cPath}, "csurischeme": {slot: cSkip}, "csuriport": {slot: cSkip},

	"version": {slot: cSkip}, "accountid": {slot: slot(event.Account)}, "interfaceid": {slot: slot(event.Resource)},
	"srcaddr": {slot: sSource}, "dstaddr": {slot: slot(event.DestIP)}, "srcport": {slot: slot(event.SourcePort)}, "dstport": {slot: slot(event.DestPort)},
	"protocol": {slot: sProto}, "packets": {slot: cExtra, name: "network.packets"}, "bytes": {slot: sBytes}, "start": {slot: sTime}, "end": {slot: cSkip},
	"action": {slot: cFlowAction}, "logstatus": {slot: cSkip}, "vpcid": {slot: cSkip}, "subnetid": {slot: cSkip}, "instanceid": {slot: slot(event.Hostname)},
	"tcpflags": {slot: cSkip}, "type": {slot: cSkip}, "pktsrcaddr": {slot: cExtra, name: "pkt-srcaddr"}, "pktdstaddr": {slot: cExtra, name: "pkt-dstaddr"}, "azid": {slot: cSkip},
	"sublocationtype": {slot: cSkip}, "sublocationid": {slot: cSkip}, "pktsrcawsservice": {slot: cSkip}, "pktdstawsservice": {slot: cSkip},
	"flowdirection": {slot: cExtra, name: "network.direction"}, "trafficpath": {slot: cSkip}, "rejectreason": {slot: slot(event.Reason)},

	"uid": {slot: slot(event.Session)}, "id.origh": {slot: sSource}, "id.origp": {slot: slot(event.SourcePort)}, "id.resph": {slot: slot(event.DestIP)}, "id.respp": {slot: slot(event.DestPort)},
	"proto": {slot: sProto}, "duration": {slot: sTookS}, "origbytes": {slot: slot(event.RequestBytes)}, "respbytes": {slot: sBytes}, "uri": {slot: sTarget},
	"requestbodylen": {slot: slot(event.RequestBytes)}, "responsebodylen": {slot: sBytes}, "transdepth": {slot: cSkip}, "statusmsg": {slot: cSkip}, "infocode": {slot: cSkip}, "infomsg": {slot: cSkip},
	"host": {slot: slot(event.Host)}, "connstate": {slot: slot(event.Reason)}, "query": {slot: slot(event.DNSName)}, "username": {slot: sUser}, "tags": {slot: cSkip},
	"origfuids": {slot: cSkip}, "respfuids": {slot: cSkip}, "origmimetypes": {slot: cSkip}, "respmimetypes": {slot: slot(event.ContentType)},
}

// columnNamed finds what a column with this name holds. known is false for a name that means nothing.
func columnNamed(name []byte) (col column, known bool) {
	var buf [maxKey]byte
	key := normKey(buf[:0], name)
	if c, ok := columnAliases[string(key)]; ok {
		return c, true
	}
	m := meaning(key)
	if m.weight == 0 {
		return column{slot: cExtra, name: string(name)}, false
	}
	return column{slot: m.slot}, true
}

// fieldsLayout reads "#Fields: date time c-ip ..." or Zeek's "#fields\tts\tuid...". date is the day that the
// header names ("#Date: 2026-11-23 00:00:00"), for records without one.
func fieldsLayout(line, date []byte) *layout {
	l := &layout{name: "w3c", sep: ' ', group: true}
	i := bytes.IndexAny(line, ": \t")
	if i < 0 {
		return nil
	}
	rest := line[i+1:]
	if bytes.IndexByte(rest, '\t') >= 0 {
		l.sep = '\t'
		l.group = false
	}
	if line[i] != ':' {
		l.name = "zeek"
	}
	names := bytes.Fields(rest)
	if len(names) < 2 || len(names) > 256 {
		return nil
	}
	edge, dated := false, false
	for _, n := range names {
		edge = edge || string(n) == "x-edge-location"
		dated = dated || string(n) == "date" || string(n) == "date-local"
	}
	for _, n := range names {
		col, _ := columnNamed(n)
		switch {
		case l.name == "zeek" && string(n) == "tags":
			col = column{slot: cSkip}
		case edge && string(n) == "cs(Host)": // the distribution's name, where x-host-header is what the client asked for
			col = column{slot: slot(event.Hostname)}
		case string(n) == "time-taken" && edge:
			col.slot = sTookS
		case string(n) == "time" && !dated && len(date) == 0:
			col.slot = sTime
		}
		l.cols = append(l.cols, col)
	}
	if edge {
		l.name, l.sep, l.group = "cloudfront", '\t', false
	} else if l.sep == ' ' && bytes.Contains(line, []byte("s-ip")) {
		l.name = "iis_w3c"
	}
	if !dated && len(date) >= 10 {
		l.date = bytes.Clone(date[:10])
	}
	l.least = len(l.cols)
	l.setKind()
	return l
}

// called gives a layout the name of the log that its header says (Zeek's #path).
func (l *layout) called(kind []byte) {
	if len(kind) > 0 && len(kind) < 32 {
		l.name += "_" + string(kind)
	}
}

// headerLayout makes a layout of a first line that holds nothing but names of columns; nil if it is something else.
func headerLayout(line []byte) *layout {
	if len(line) < 16 || len(line) > 4096 || !isAlpha(line[0]) && line[0] != '"' && line[0] != '@' && line[0] != '_' {
		return nil
	}
	sep := byte(' ')
	for _, b := range []byte("\t,;|") {
		if bytes.Count(line, []byte{b}) >= 3 {
			sep = b
			break
		}
	}
	l := &layout{name: "csv", sep: sep, csv: true, must: true}
	if sep == ' ' {
		l.name, l.csv, l.group, l.brack = "columns", false, true, true
	}
	names := 0
	source, when, hit := false, false, 0
	for i := 0; i < len(line); {
		var v []byte
		var ok bool
		if v, i, ok = l.field(line, i, true); !ok {
			return nil
		}
		v = bytes.TrimSpace(v)
		if !isName(v) || sep == ' ' && isProse(v) {
			return nil
		}
		col, known := columnNamed(v)
		if known {
			hit++
		}
		source = source || col.slot == sSource
		when = when || col.slot == sTime || col.slot == cDate
		names++
		l.cols = append(l.cols, col)
	}
	if names < 4 || hit < 3 || hit*2 < names || !source && !when || sep == ' ' && hit*5 < names*4 {
		return nil
	}
	flow := false
	clock, date := -1, false
	for i, c := range l.cols {
		flow = flow || c.slot == cFlowAction
		if c.slot == cClock {
			clock = i
		}
		date = date || c.slot == cDate
	}
	if clock >= 0 && !date {
		l.cols[clock].slot = sTime
	}
	if clock < 0 && date {
		for i := range l.cols {
			if l.cols[i].slot == cDate {
				l.cols[i].slot = sTime
			}
		}
	}
	if flow && sep == ' ' {
		l.name = "vpc_flow"
	}
	l.least = len(l.cols)
	l.setKind()
	return l
}

// isName tells whether s can be the name of a column.
func isName(s []byte) bool {
	if len(s) == 0 || len(s) > 64 || isDigit(s[0]) {
		return false
	}
	alpha := false
	for _, b := range s {
		if isAlpha(b) {
			alpha = true
		} else if !isDigit(b) && strings.IndexByte("_-.()$@{} #/", b) < 0 {
			return false
		}
	}
	return alpha && bytes.Count(s, []byte{' '}) < 4
}

// isProse tells whether s is a word that sentences have and headers have not.
func isProse(s []byte) bool {
	switch string(s) {
	case "the", "The", "a", "is", "was", "of", "for", "to", "in", "on", "by", "with", "and", "or", "not", "at", "has", "be", "are", "an":
		return true
	}
	return false
}

func (l *layout) setKind() {
	var has [cCached + 1]bool
	for _, c := range l.cols {
		has[c.slot] = true
	}
	switch {
	case has[sRequest], has[slot(event.Method)], has[sStatus] && (has[sTarget] || has[cPath] || has[cURL]):
		l.kind = event.KindWeb
	case has[event.DNSName]:
		l.kind = event.KindDNS
	case has[event.DestIP] && has[sSource]:
		l.kind = event.KindFlow
	default:
		l.kind = event.KindApp
	}
	// "query" names a DNS question in a resolver's log, else the part of a URL.
	if l.kind == event.KindWeb || has[sTarget] || has[cPath] {
		for i := range l.cols {
			if l.cols[i].slot == slot(event.DNSName) {
				l.cols[i].slot = slot(event.Query)
			}
		}
		if has[event.DNSName] {
			l.kind = event.KindWeb
		}
	} else if !has[event.DNSName] && l.kind == event.KindApp {
		for i := range l.cols {
			if l.cols[i].slot == cFlowAction {
				l.cols[i].slot = slot(event.Action)
			}
		}
	}
}

// field reads the column of rec that starts at i, and returns where the next one starts. At the end of rec next is
// len(rec)+1 if a separator stood there and an empty column follows, else len(rec).
func (l *layout) field(rec []byte, i int, group bool) (v []byte, next int, ok bool) {
	if l.sep == ' ' {
		for i < len(rec) && (rec[i] == ' ' || rec[i] == '\t') {
			i++
		}
		if i >= len(rec) {
			return nil, i, false
		}
	}
	if i < len(rec) && (group || l.csv) {
		switch b := rec[i]; {
		case b == '"':
			if end := l.quoteEnd(rec, i+1); end >= 0 {
				return rec[i+1 : end], l.after(rec, end+1), true
			}
		case b == '[' && l.brack:
			end := bytes.IndexByte(rec[i:], ']')
			if end > 0 {
				v, i = rec[i+1:i+end], i+end+1
				if i == len(rec) || rec[i] == l.sep {
					return v, l.after(rec, i), true
				}
				i -= len(v) + 2
			}
		}
	}
	end := bytes.IndexByte(rec[i:], l.sep)
	if end < 0 {
		return rec[i:], len(rec), true
	}
	return rec[i : i+end], l.after(rec, i+end), true
}

// quoteEnd returns where the quote closes that opened before i: where a separator or the end follows. -1 if nowhere.
func (l *layout) quoteEnd(rec []byte, i int) int {
	for at := i; ; at++ {
		j := bytes.IndexByte(rec[at:], '"')
		if j < 0 {
			return -1
		}
		at += j
		if at+1 < len(rec) && rec[at+1] == '"' && !(at == i && (at+2 == len(rec) || rec[at+2] == l.sep)) {
			at++ // doubled
			continue
		}
		if !l.csv && escapedAt(rec, i, at) {
			continue
		}
		if at+1 == len(rec) || rec[at+1] == l.sep {
			return at
		}
	}
}

// after steps over the separator at i.
func (l *layout) after(rec []byte, i int) int {
	if i >= len(rec) {
		return len(rec)
	}
	if l.sep == ' ' {
		for i < len(rec) && rec[i] == ' ' {
			i++
		}
		return i
	}
	return i + 1
}

var blank = []byte{' '}

// parse reads a record of columns.
func (l *layout) parse(c *ctx, rec []byte, ev *event.Event) bool {
	i, n := 0, 0
	t := twoPart{date: l.date}
	// IIS writes no blanks and quotes nothing: where the blanks are as many as the columns need, a quote is the client's.
	group := l.group && (l.brack || l.sep != ' ' || bytes.Count(rec, blank)+1 != len(l.cols))
	for {
		if i >= len(rec) && !(l.sep != ' ' && i == len(rec) && i > 0 && rec[i-1] == l.sep) || n >= len(l.cols) {
			break
		}
		at := i
		v, next, ok := l.field(rec, i, group)
		if !ok {
			return false
		}
		col := &l.cols[n]
		if col.typ != 0 && !col.typ.fits(c, v) {
			return false
		}
		setColumn(c, ev, col, v, &t)
		n++
		if i = next; at == len(rec) {
			break
		}
	}
	if n < l.least || i < len(rec) {
		return false
	}
	t.join(c, ev)
	if l.must && ev.Clock == event.NoClock && !ev.Client.IsValid() && ev.Status == 0 {
		return false
	}
	ev.Kind = l.kind
	return true
}

// twoPart collects a time whose date and time of day are columns of their own.
type twoPart struct{ date, clock []byte }

func (t *twoPart) join(c *ctx, ev *event.Event) {
	if len(t.date) == 0 || len(t.date) > 24 {
		return
	}
	if len(t.clock) == 0 || len(t.clock) > 15 {
		setTime(c, ev, t.date)
		return
	}
	var buf [40]byte
	n := copy(buf[:], t.date)
	buf[n] = ' '
	n += 1 + copy(buf[n+1:], t.clock)
	setTime(c, ev, buf[:n])
}

// setColumn gives ev the value of one column.
func setColumn(c *ctx, ev *event.Event, col *column, v []byte, t *twoPart) {
	if none(v) || absent(v) {
		return
	}
	switch col.slot {
	case cSkip:
	case cExtra, cCached:
		ev.Add(col.name, v, event.Mixed)
	case cDate:
		t.date = v
	case cClock:
		t.clock = v
	case sTime, sTimeOrTook:
		if ev.Clock == event.NoClock {
			setTime(c, ev, v)
		}
	case sSource:
		if !ev.Has(event.SourceIP) {
			setSource(ev, v)
		} else if !ev.Has(event.ForwardedFor) {
			ev.Set(event.ForwardedFor, v)
		}
	case cPath:
		if q := bytes.IndexByte(v, '?'); q >= 0 {
			setTarget(ev, v)
		} else {
			ev.Set(event.Path, v)
		}
	case sTarget, cURL:
		if !ev.Has(event.Path) {
			setTarget(ev, v)
		}
	case sRequest:
		setRequest(ev, v)
	case sStatus:
		setStatus(ev, v)
	case sBytes:
		setBytes(ev, v)
	case sTookS:
		setDuration(ev, v, time.Second)
	case sTook:
		unit := col.unit
		if unit == 0 {
			unit = time.Millisecond
			if bytes.IndexByte(v, '.') >= 0 {
				unit = time.Second
			}
		}
		setDuration(ev, v, unit)
	case sTookMS:
		setDuration(ev, v, time.Millisecond)
	case sTookUS:
		setDuration(ev, v, time.Microsecond)
	case sTookNS:
		setDuration(ev, v, time.Nanosecond)
	case sHost:
		if !ev.Has(event.Host) {
			ev.Set(event.Host, v)
		}
	case sProto:
		if len(v) > 4 && v[0]|0x20 == 'h' && v[1]|0x20 == 't' {
			ev.Set(event.HTTPVersion, v)
		} else {
			ev.Set(event.Transport, v)
		}
	case cFlowAction, sEvent:
		ev.Set(event.Action, v)
	case sText, sError:
		ev.Set(event.Message, v)
	case sBody:
		ev.Set(event.Body, v)
	case sUser:
		ev.Set(event.User, v)
	case sLevel:
		ev.Set(event.Level, v)
	case sOutcome:
		if r := outcomeNamed(v); r != nil {
			ev.Set(event.Result, r)
		}
	case slot(event.DestIP):
		host, port, _ := splitAddr(v)
		ev.Set(event.DestIP, host)
		if len(port) > 0 {
			ev.Set(event.DestPort, port)
		}
	default:
		if col.slot < slot(event.NumFields) && !ev.Has(event.Field(col.slot)) {
			ev.Set(event.Field(col.slot), v)
		}
	}
}
