package logformat

import (
	"bytes"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// What a key of a structured record (JSON, logfmt, "key: value") means is looked up in one table by its normalised
// name, so that unknown naming still works: lower case, no separators, dots between the levels. The longest known tail of
// the path wins ("http.request.method", then "request.method", then "method"); what stands higher up in the record and
// is listed with more weight wins over the rest.

// A slot is an event.Field, or one of the meanings below that more than one field comes from.
type slot = uint8

const (
	sTime slot = slot(event.NumFields) + iota
	sTimeOrTook
	sTarget  // path with query, or a whole URL
	sRequest // "GET /x HTTP/1.1"
	sStatus
	sBytes
	sTook   // duration, unit by its looks
	sTookS  // seconds
	sTookMS //
	sTookUS //
	sTookNS //
	sSource // address, perhaps with port
	sHost   // the Host header in a web record, else who logged
	sProto  // HTTP version or transport
	sText   // the record's human text, perhaps a log line itself
	sBody   // request body in a web record, else text
	sOutcome
	sEvent // name of what happened: "user.login", "login_failed"
	sError // text of an error
	sUser  // user name, "-" where there is none
	sLevel
	sDay  // a date and a time of day in members of their own
	sHour //
	numSlots
)

// keyTable: slot, weight (9 best), names.
var keyTable = []struct {
	slot   slot
	weight uint8
	names  string
}{
	{sTime, 9, "@timestamp @t timestamp time ts t datetime timelocal timeiso8601 eventtime asctime eventtimestamp t.$date timeunixnano realtimetimestamp startutc requestreceivedtimestamp edgestarttimestamp querytimestamp"},
	{sTime, 6, "date published starttime timestampns timestampms logtime logtimestamp createdat occurredat receivedat startlocal startedat timems msec epoch unixtime observedtimeunixnano instant.epochsecond start eventtv updatedat timegenerated systemtime firstseen requesttimeepoch stagetimestamp"},
	{sTimeOrTook, 8, "requesttime"},

	{sSource, 9, "clientip cliip sourceip source.ip client.ip srcip sourceipaddress callerip clientaddr.ip request.clientip httprequest.clientip httprequest.remoteip context.identity.sourceip sourceaddress clienthost clientaddress httprequest.sourceip"},
	{sSource, 8, "remoteaddr remoteaddress remoteip peerip ip ipaddr ipaddress srcaddr src client remotehost remote userip originip peer rhost request.remoteip req.remoteaddress req.remoteaddr req.ip request.ip source.address client.address downstreamremoteaddress downstreamdirectremoteaddress clientaddr net.peer.ip network.peer.address http.clientip rip id.origh requestip oip remip ipport addr.remote accessip ipv4 ipv6 realip loginip xclientip fromip visitorip userhostaddress socketip ipaddressv4 cip"},
	{sSource, 5, "addr address from host.ip remoteipdetails.ipaddressv4 callipaddress networksourceip sourceips"},
	{slot(event.SourcePort), 5, "srcport sourceport remoteport clientport source.port client.port request.remoteport spt id.origp"},
	{slot(event.ForwardedFor), 8, "xforwardedfor httpxforwardedfor forwardedfor xff xrealip cfconnectingip trueclientip headers.xforwardedfor header.xforwardedfor headers.xrealip headers.cfconnectingip headers.trueclientip requestheaders.xforwardedfor requestxforwardedfor proxyaddxforwardedfor httpxrealip headers.forwarded httpforwarded xforwardedforip"},
	{slot(event.DestIP), 5, "destip destinationip dstip destination.ip dstaddr dst destaddr destinationaddress id.resph localip localaddress lip"},
	{slot(event.DestPort), 5, "destport dstport destinationport destination.port dpt id.respp localport serverport"},

	{slot(event.Method), 8, "method requestmethod httpmethod verb http.request.method request.method req.method httprequest.requestmethod http.method clientrequestmethod httpverb reqmethod csmethod httprequestmethod"},
	{sTarget, 8, "uri requesturi url path requestpath req.url request.uri request.url httprequest.requesturl http.url url.original http.target requesturl clientrequesturi rawpath urlpath httppath request.path req.path httprequest.uri url.path uripath reqpath requrl xenvoyoriginalpath xenvoyoriginpath originalurl target fullpath httpurl url.full csuristem clientrequestpath rawuri http.request.url http.path rawurl"},
	{sTarget, 5, "resourcepath route endpoint apipath uristem api"},
	{sTarget, 2, "http.route page location.pathname"},
	{slot(event.Query), 6, "query querystring args requestquery url.query httprequest.args uriquery clientrequestquery queryparams http.query csuriquery reqquery"},
	{sRequest, 8, "request requestline req httprequestline"},
	{sProto, 6, "protocol serverprotocol proto httpversion http.version requestprotocol request.proto http.flavor clientrequestprotocol httpprotocol network.protocol"},
	{slot(event.Transport), 6, "transport network.transport networkprotocol iptransport"},
	{sStatus, 8, "status statuscode responsestatus httpstatus httpstatuscode responsecode res.statuscode response.status response.statuscode http.response.statuscode http.statuscode downstreamstatus edgeresponsestatus httprequest.status respstatus rescode httpcode http.status res.status resstatus responsestatuscode edgeresponsestatuscode httpresponsecode scstatus statuscodetext responsestatus.code http.response.status response.code clientres.statuscode"},
	{sStatus, 3, "code originstatus originresponsestatus upstreamstatus returncode integrationstatus responsecodesent"},
	{sBytes, 8, "bodybytessent bytessent bytes size responsesize responselength httprequest.responsesize contentlength res.contentlength response.size downstreamcontentsize edgeresponsebytes respsize bytesout resbodysize responsebytes http.response.body.bytes http.response.bytes http.responsecontentlength sentbytes bytesfinal resheaders.contentlength res.headers.contentlength response.headers.contentlength outbytes responsebodysize responsecontentlength bytesoutput response.bodysize length contentsize http.response.size datasize"},
	{sBytes, 3, "sent"},
	{slot(event.RequestBytes), 6, "requestlength requestsize bytesreceived bytesin requestbytes httprequest.requestsize http.request.bytes http.request.body.bytes requestcontentsize clientrequestbytes bytesread reqsize request.contentlength"},
	{sTook, 6, "duration latency took elapsed elapsedtime processtime processingtime httprequest.latency exectime event.duration rt runtime reqtime totaltime timetaken duration.total responselatency requestlatency latencies.request"},
	{sTook, 6, "responsetime"},
	{sTookS, 7, "durations latencys seconds durationsec durationseconds elapsedseconds requesttimes requesttimesec latencysec latencyseconds responsetimes"},
	{sTookMS, 7, "ms durationms latencyms responsetimems elapsedms tookms timetakenms millis msecs responselatencyms totaltimems requesttimems executiontimems elapsedmilliseconds durationmillis"},
	{sTookUS, 7, "durationus latencyus requesttimeus tooktus microseconds durationmicros"},
	{sTookNS, 7, "durationns latencyns nanoseconds durationnanos"},
	{slot(event.UserAgent), 8, "useragent httpuseragent agent ua headers.useragent header.useragent useragent.original request.headers.useragent httprequest.useragent clientrequestuseragent browser http.useragent requestuseragent requestheaders.useragent csuseragent requestheaderuseragent uastring"},
	{slot(event.Referer), 8, "referer referrer httpreferer httpreferrer headers.referer headers.referrer header.referer http.request.referrer httprequest.referer requestreferer clientrequestreferer requestheaders.referer csreferer requestheaderreferer"},
	{slot(event.Cookie), 6, "cookie cookies httpcookie headers.cookie header.cookie requestheaders.cookie cscookie"},
	{slot(event.ContentType), 5, "responsecontenttype upstreamcontenttype resheaders.contenttype response.headers.contenttype responseheaders.contenttype respheaders.contenttype res.headers.contenttype sentcontenttype senthttpcontenttype edgeresponsecontenttype http.response.mimetype"},
	{slot(event.Location), 5, "sentlocation senthttplocation resheaders.location response.headers.location responseheaders.location respheaders.location res.headers.location redirecturl"},
	{slot(event.Host), 7, "httphost vhost servername requesthost authority headers.host header.host request.host req.host url.domain virtualhost clientrequesthost domainname serverfqdn httprequest.host req.hostname request.hostname requestauthority http.host cshost hostheader req.headers.host request.headers.host"},
	{sHost, 6, "host"},
	{sHost, 3, "domain"},
	{slot(event.Hostname), 7, "hostname host.name machine machinename computer computername node nodename hostid serverhostname syslogserver instanceid agenthostname _hostname"},

	{sUser, 8, "user username user.name remoteuser clientusername authuser uname login useremail email account accountname user.username user.email targetusername loginname usr authenticateduser requestuser requser user.login preferredusername userlogin mail account.email principalname userprincipalname req.user username.name authenticationusername attemptedusername actor.alternateid acct csusername user.id.name"},
	{sUser, 4, "accountid principal actor actor.name sub subject owner by who displayname identity admin customer customeremail userdisplayname remoteusername member"},
	{slot(event.UserID), 6, "userid user.id uid auid customerid memberid user.uid userguid useruuid actorid"},
	{slot(event.Session), 5, "session sessionid sid session.id sessid token.id tokenid jti connectionid"},
	{slot(event.RequestID), 5, "requestid reqid traceid trace.id correlationid xrequestid rayid transactionid req.id http.request.id xcorrelationid requestuuid amazontraceid transaction.id"},

	{sText, 8, "message msg @m renderedmessage shortmessage log fields.message event.original textpayload jsonpayload.message jsonpayload.msg rawlog line logmessage fullmessage body.stringvalue eventmessage @message logline content.message"},
	{sText, 3, "@mt messagetemplate text description detail details summary title content info note statement"},
	{sBody, 6, "requestbody body reqbody postdata payload request.body http.request.body.content requestpayload req.body http.request.body postbody rawbody params parameters form bodycontent inputbody http.request.body.original variables requestparams"},
	{slot(event.Headers), 4, "headers requestheaders req.headers request.headers header httpheaders"},
	{sLevel, 8, "level severity @l loglevel lvl levelname severitytext log.level logseverity s level.name event.severity loglevelname syslog.severity.name priorityname"},
	{sLevel, 3, "priority prio"},
	{slot(event.Process), 6, "process.name process exe processname syslogidentifier comm program programname tag comm.name appname"},
	{slot(event.Process), 3, "logger service service.name app application name component module facility channel loggername log.logger servicename appid resource.service.name source"},
	{slot(event.PID), 5, "pid processid process.pid procid"},
	{sEvent, 5, "type event.type operation op"},
	{sEvent, 7, "action event.action eventname event eventtype eventid activity auditaction eventaction evt eventclass securityevent method.name"},
	{sOutcome, 7, "outcome event.outcome result success eventoutcome loginresult authresult res event.result succeeded issuccess"},
	{slot(event.Category), 4, "event.category"},
	{slot(event.Reason), 6, "reason event.reason failurereason statusreason failreason rejectreason cause denyreason responsestatus.reason responsecodedetails"},
	{slot(event.ErrorCode), 5, "errorcode error.code err.code error.type exceptiontype error.class exception.class exceptionclass err.type error.name err.name"},
	{sError, 6, "error err errormessage error.message err.message exception errmsg exceptionmessage exception.message error.description errordescription errortext fault err.msg error.msg error.detail"},
	{slot(event.Provider), 5, "eventsource event.provider providername"},
	{slot(event.Region), 5, "awsregion cloud.region region"},
	{slot(event.Account), 5, "awsaccountid cloud.account.id recipientaccountid"},
	{slot(event.Resource), 3, "resource resourcename resource.name objectref.resource objectname targetresource resourceid bucket"},
	{slot(event.RuleName), 5, "rulename rule.name ruleid alert.signature terminatingruleid signature rule rule.id ruletitle alertname signaturename"},
	{slot(event.DNSName), 6, "queryname dns.question.name dnsquery qname rrname query.hostname"},
}

type keyMeaning struct{ slot, weight uint8 }

var keyMeanings = func() map[string]keyMeaning {
	m := make(map[string]keyMeaning, 900)
	for _, row := range keyTable {
		for _, n := range strings.Fields(row.names) {
			if _, dup := m[n]; !dup {
				m[n] = keyMeaning{row.slot, row.weight}
			}
		}
	}
	return m
}()

// clientParts are members whose content the client wrote: nothing inside names a field, but for who wants to log in.
// strangerParts are about something other than the request.
var clientParts, strangerParts = nameSet("body requestbody reqbody params parameters query args form payload variables queryparams requestparameters requestparams cookies input postdata data formdata jsonbody querystring inputbody"),
	nameSet("geo geoip kubernetes k8s docker container agent observer ecs beat tls ssl cert labels tags package file registry threat related upstream origin stack versions version spans span build git device os location autonomoussystem as metadata processors counters stats metrics config flow interfaces package pod")

func nameSet(s string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(s) {
		m[n] = true
	}
	return m
}

const maxKey = 48 // bytes of a normalised key that are looked at

// normKey appends the normalised form of key: letters and digits in lower case, and the dots.
func normKey(dst, key []byte) []byte {
	if len(key) > maxKey {
		key = key[:maxKey]
	}
	for _, c := range key {
		if c = keyByte[c]; c != 0 {
			dst = append(dst, c)
		}
	}
	return dst
}

// keyByte maps a byte of a key to its normal form, 0 to drop it.
var keyByte = func() (m [256]byte) {
	for c := range 256 {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '@', c == '$', c >= 0x80:
			m[c] = byte(c)
		case c >= 'A' && c <= 'Z':
			m[c] = byte(c) + 'a' - 'A'
		}
	}
	return
}()

// meaning looks key (normalised, with dots) up by its longest known tail. weight is 0 if it has none.
func meaning(key []byte) keyMeaning {
	if m, ok := keyMeanings[string(key)]; ok {
		return m
	}
	tails := 0
	for i := 0; i < len(key) && tails < 6; i++ {
		if key[i] == '.' {
			tails++
			if m, ok := keyMeanings[string(key[i+1:])]; ok {
				return m
			}
		}
	}
	return keyMeaning{}
}

// A keyMemo remembers what the n-th key of the last record meant: records of one log have the same keys in the same order.
type keyMemo struct {
	key [23]byte
	n   uint8 // bytes of key in use
	m   keyMeaning
}

// facts collects the best value of each slot of one record.
type facts struct {
	val    [numSlots][]byte
	weight [numSlots]uint8
	quoted [numSlots]bool // the value was a string
}

func (f *facts) reset() { f.weight = [numSlots]uint8{} }

func (f *facts) get(s slot) []byte {
	if f.weight[s] == 0 {
		return nil
	}
	return f.val[s]
}

// put keeps v for s unless something at least as good is there.
func (f *facts) put(s slot, weight uint8, v []byte, quoted bool) {
	if s == sTime && len(v) >= 5 && len(v) <= 15 {
		if v[2] == ':' && isDigit(v[0]) {
			s = sHour
		} else if len(v) == 10 && (v[4] == '-' || v[4] == '/') && !isNumber(v) {
			s = sDay
		}
	}
	if s == sSource && !addressLike(v) {
		weight = 1 // "client=auth.form": a name is better than nothing, and no more
	}
	if weight > f.weight[s] && !absent(v) {
		f.val[s], f.weight[s], f.quoted[s] = v, weight, quoted
	}
}

// addressLike tells whether v may be an address, or a list of them, by its looks.
func addressLike(v []byte) bool {
	return len(v) > 1 && (isDigit(v[0]) || bytes.IndexByte(v, ':') >= 0 || v[0] == 'I' && v[1] == 'P')
}

// absent tells whether v is one of the usual ways to say that there is no value.
func absent(v []byte) bool {
	switch len(v) {
	case 0:
		return true
	case 1:
		return v[0] == '-'
	case 3:
		return string(v) == "N/A" || string(v) == "n/a"
	case 2:
		return v[0] == '-' && v[1] == '-'
	case 4:
		return string(v) == "null" || string(v) == "None"
	case 6:
		return string(v) == "(null)" || string(v) == "<null>"
	case 9:
		return string(v) == "undefined"
	}
	return false
}

// apply writes what was collected to ev and tells what sort of record it is: web if it holds a request.
func (f *facts) apply(c *ctx, ev *event.Event) (web bool) {
	if v := f.get(sEvent); f.weight[sText] == 0 && isSentence(v) { // structlog and others call the message so
		f.val[sText], f.weight[sText], f.weight[sEvent] = v, f.weight[sEvent], 0
	}
	if v := f.get(sRequest); v != nil && bytes.IndexByte(v, ' ') > 0 && !(f.weight[sTarget] > 0 && f.weight[event.Method] > 0) {
		setRequest(ev, v)
	}
	if v := f.get(slot(event.Method)); v != nil && looksMethod(v) {
		ev.Set(event.Method, v)
	}
	if v := f.get(sTarget); v != nil && (f.weight[sTarget] > 5 || bytes.IndexByte(v, '/') >= 0) {
		setTarget(ev, v)
		if q := f.get(slot(event.Query)); q != nil && len(ev.Get(event.Query)) == 0 {
			if q[0] == '?' {
				q = q[1:]
			}
			ev.Set(event.Query, q)
		}
	}
	if v := f.get(sStatus); v != nil {
		if n := smallInt(v); n >= 100 && n < 1000 {
			setStatus(ev, v)
		} else if f.weight[sOutcome] == 0 {
			f.put(sOutcome, 1, v, f.quoted[sStatus])
		}
	}
	web = ev.Has(event.Method) && ev.Has(event.Path)
	if v := f.get(sTime); v != nil {
		setAnyTime(c, ev, v)
	}
	if ev.Clock == event.NoClock && f.weight[sDay] > 0 {
		var room [32]byte
		t := append(append(append(room[:0], f.val[sDay]...), ' '), f.get(sHour)...)
		setTime(c, ev, trimSpace(t))
	}
	if v := f.get(sTimeOrTook); v != nil {
		if len(v) < 10 || bytes.IndexByte(v, ':') < 0 && bytes.IndexByte(v, '-') < 0 && smallInt(v) >= 0 && len(v) < 9 {
			setDuration(ev, v, time.Second)
		} else if ev.Clock == event.NoClock {
			setAnyTime(c, ev, v)
		}
	}
	f.applyTook(ev)
	if v := f.get(sBytes); v != nil && web {
		setBytes(ev, v)
	}
	if v := f.get(sSource); v != nil {
		setSource(ev, firstAddr(v))
	}
	if v := f.get(slot(event.DestIP)); v != nil {
		host, port, _ := splitAddr(firstAddr(v))
		if ev.Set(event.DestIP, host); len(port) > 0 {
			ev.Set(event.DestPort, port)
		}
	}
	if v := f.get(slot(event.SourcePort)); v != nil && !ev.Has(event.SourcePort) {
		ev.Set(event.SourcePort, v)
	}
	if v := f.get(sHost); v != nil {
		if web && !ev.Has(event.Host) && f.weight[event.Host] == 0 {
			ev.Set(event.Host, v)
		} else if f.weight[event.Hostname] == 0 {
			ev.Set(event.Hostname, v)
		}
	}
	if v := f.get(sProto); v != nil {
		if len(v) > 3 && (v[0]|0x20) == 'h' && (v[1]|0x20) == 't' || len(v) <= 3 && v[0] >= '0' && v[0] <= '9' {
			ev.Set(event.HTTPVersion, v)
		} else {
			ev.Set(event.Transport, v)
		}
	}
	if v := f.get(sBody); v != nil {
		if web || !f.quoted[sBody] || f.weight[sText] > 0 {
			ev.Set(event.Body, v)
		} else {
			f.put(sText, 2, v, true)
		}
	}
	if v := f.get(sUser); v != nil {
		if f.quoted[sUser] || !isNumber(v) {
			ev.Set(event.User, v)
		} else if f.weight[event.UserID] == 0 {
			ev.Set(event.UserID, v)
		}
	}
	if v := f.get(sError); v != nil {
		ev.Set(event.ErrorMessage, v)
	}
	for s := range event.NumFields {
		if f.weight[s] > 0 && !ev.Has(s) {
			ev.Set(s, f.val[s])
		}
	}
	if v := f.get(sLevel); v != nil {
		if l := levelNamed(v); l != nil {
			ev.Set(event.Level, l)
		}
	}
	if v := f.get(sEvent); v != nil && len(v) <= maxEventName && !web { // a controller's action says less than the request
		ev.Set(event.Action, v)
	}
	if r := outcomeNamed(f.get(sOutcome)); r != nil {
		ev.Set(event.Result, r)
	}
	return web
}

const maxEventName = 80 // bytes; a longer "event" is text

// isSentence tells whether the value of "event" is what a person reads rather than the name of an event ("user login", "order.created").
func isSentence(v []byte) bool {
	words := 1
	for i, c := range v {
		switch {
		case c == ' ':
			words++
		case (c == '(' || c == ':' || c == '=' || c == '@' || isDigit(c)) && words > 1 && i > 8:
			return true
		}
	}
	return words > 4
}

func (f *facts) applyTook(ev *event.Event) {
	for _, u := range [...]struct {
		s    slot
		unit time.Duration
	}{{sTookMS, time.Millisecond}, {sTookS, time.Second}, {sTookUS, time.Microsecond}, {sTookNS, time.Nanosecond}} {
		if v := f.get(u.s); v != nil {
			setDuration(ev, v, u.unit)
			return
		}
	}
	v := f.get(sTook)
	if v == nil {
		return
	}
	digits := 0
	for digits < len(v) && (v[digits] >= '0' && v[digits] <= '9') {
		digits++
	}
	unit := time.Millisecond
	switch {
	case digits < len(v) && v[digits] == '.':
		unit = time.Second // "0.012": nobody writes fractions of a millisecond without saying so, but for big ones
		if digits > 2 {
			unit = time.Millisecond
		}
	case digits > 6:
		unit = time.Nanosecond
	}
	num := digits
	for num < len(v) && (v[num] >= '0' && v[num] <= '9' || v[num] == '.') {
		num++
	}
	switch string(trimSpace(v[num:])) {
	case "ms", "msec", "msecs":
		unit = time.Millisecond
	case "s", "sec", "secs", "seconds":
		unit = time.Second
	case "us", "µs", "μs", "usec":
		unit = time.Microsecond
	case "ns":
		unit = time.Nanosecond
	case "m", "min":
		unit = time.Minute
	case "":
	default:
		return
	}
	setDuration(ev, v[:num], unit)
}
