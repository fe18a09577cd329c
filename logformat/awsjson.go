package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// knownJSON reads the records and envelopes that the key table alone would misread. done: it was one of them.
func knownJSON(c *ctx, sc *scratch, t *tree, root uint32, ev *event.Event) (done, ok bool) {
	if sc.obj.isCloudTrail(t, root) { // Fast path - by far the most JSON that is here in such numbers that it matters.
		return true, readCloudTrail(c, t, root, ev)
	}
	// Which of the marking keys are there: one pass over the top level.
	var eventName, eventSource, records, detail, detailType, messages, logEvents, events, typ, msg, acl, httpReq,
		logText, stream, timeKey, jMessage, realtime, service, product, queryName, srcaddr, dstaddr, modelID, eventType,
		laurel, sys, body, event_ uint32
	for i := root + 1; i < t.nodes[root].next; i = t.nodes[i].next {
		switch string(t.keyOf(i)) {
		case "eventName":
			eventName = i
		case "eventSource":
			eventSource = i
		case "Records", "records":
			records = i
		case "detail":
			detail = i
		case "detail-type":
			detailType = i
		case "Messages":
			messages = i
		case "logEvents":
			logEvents = i
		case "events", "Events":
			events = i
		case "Type", "type":
			typ = i
		case "Message":
			msg = i
		case "webaclId", "webACLId":
			acl = i
		case "httpRequest":
			httpReq = i
		case "log":
			logText = i
		case "stream":
			stream = i
		case "time":
			timeKey = i
		case "MESSAGE":
			jMessage = i
		case "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP":
			realtime = i
		case "service":
			service = i
		case "ProductArn", "product_arn":
			product = i
		case "query_name":
			queryName = i
		case "srcaddr", "srcAddr":
			srcaddr = i
		case "dstaddr", "dstAddr":
			dstaddr = i
		case "modelId":
			modelID = i
		case "event_type":
			eventType = i
		case "SYSCALL":
			laurel = i
		case "EXECVE", "PATH", "ANOM_ABEND", "PROCTITLE":
			if laurel == 0 {
				laurel = i
			}
		case "System":
			sys = i
		case "Event":
			event_ = i
		case "Body", "body":
			body = i
		}
	}
	switch {
	case eventName != 0 && eventSource != 0 && records == 0:
		return true, readCloudTrail(c, t, root, ev)
	case records != 0 && t.nodes[records].kind == jArray && t.nodes[records].children > 0:
		return true, eachOf(c, t, records, ev, openRecord)
	case detailType != 0 && detail != 0 && t.nodes[detail].kind == jObject:
		return true, readBridge(c, sc, t, root, detail, ev)
	case messages != 0 && t.nodes[messages].kind == jArray && t.nodes[messages].children > 0:
		return true, eachOf(c, t, messages, ev, openRecord)
	case logEvents != 0 && t.nodes[logEvents].kind == jArray && t.nodes[logEvents].children > 0:
		return true, eachOf(c, t, logEvents, ev, openRecord)
	case events != 0 && t.nodes[events].kind == jArray && t.nodes[events].children > 0 && opens(t, events+1):
		return true, eachOf(c, t, events, ev, openRecord)
	case t.get(root, "CloudTrailEvent") != 0:
		return true, openRecord(c, t, root, ev)
	case typ != 0 && msg != 0 && string(t.str(typ)) == "Notification" && t.nodes[msg].kind == jString:
		return true, openRecord(c, t, root, ev)
	case body != 0 && t.get(root, "ReceiptHandle")+t.get(root, "receiptHandle") != 0:
		return true, openRecord(c, t, root, ev)
	case acl != 0 || httpReq != 0 && t.get(root, "terminatingRuleId") != 0:
		return true, readWAF(c, t, root, httpReq, ev)
	case logText != 0 && t.nodes[logText].kind == jString && (stream != 0 || timeKey != 0 && t.nodes[root].children <= 4):
		return true, readDocker(c, t, root, logText, timeKey, ev)
	case jMessage != 0 && (realtime != 0 || t.get(root, "SYSLOG_IDENTIFIER")+t.get(root, "_COMM")+t.get(root, "PRIORITY") != 0):
		return true, readJournal(c, t, root, jMessage, realtime, ev)
	case service != 0 && typ != 0 && t.nodes[service].kind == jObject && t.get(root, "severity") != 0:
		return true, readGuardDuty(c, t, root, ev)
	case product != 0:
		return true, readSecurityHub(c, sc, t, root, ev)
	case queryName != 0 && srcaddr != 0:
		generic(c, sc, t, root, ev)
		ev.Format, ev.Kind = "route53_resolver", event.KindDNS
		return true, true
	case srcaddr != 0 && dstaddr != 0:
		generic(c, sc, t, root, ev)
		ev.Format, ev.Kind = "vpc_flow", event.KindFlow
		return true, true
	case t.get(root, "class_uid") != 0 && t.get(root, "metadata") != 0:
		readOCSF(c, sc, t, root, ev)
		return true, true
	case modelID != 0 && t.get(root, "operation") != 0:
		readBedrock(c, sc, t, root, modelID, ev)
		return true, true
	case eventType != 0 && t.get(root, "src_ip")+t.get(root, "flow_id")+t.get(root, "stats") != 0:
		readSuricata(c, sc, t, root, eventType, ev)
		return true, true
	case laurel != 0 && t.get(root, "ID") != 0:
		readLaurel(c, sc, t, root, laurel, ev)
		return true, true
	case event_ != 0 && t.path(event_, "System") != 0:
		readWindows(c, sc, t, root, t.path(event_, "System"), ev)
		return true, true
	case sys != 0 && t.get(sys, "EventID") != 0:
		readWindows(c, sc, t, root, sys, ev)
		return true, true
	}
	return false, false
}

// generic reads root by the key table and lets words decide as for any JSON.
func generic(c *ctx, sc *scratch, t *tree, root uint32, ev *event.Event) *facts {
	f := &sc.facts[c.depth]
	f.reset()
	gatherFrom(sc, t, root, f)
	f.apply(c, ev)
	if ev.Clock == event.NoClock {
		splitTime(c, t, root, ev)
	}
	return f
}

// opens tells whether element i is an envelope that openRecord opens.
func opens(t *tree, i uint32) bool {
	return t.nodes[i].kind == jObject && (t.get(i, "message") != 0 || t.get(i, "CloudTrailEvent") != 0 || t.get(i, "eventName") != 0)
}

// eachOf reads every element of a list as an Event of its own.
func eachOf(c *ctx, t *tree, list uint32, ev *event.Event, read func(*ctx, *tree, uint32, *event.Event) bool) bool {
	first, any := true, false
	for i := list + 1; i < t.nodes[list].next; i = t.nodes[i].next {
		if t.nodes[i].kind != jObject {
			continue
		}
		if !first {
			if c.next == nil {
				break
			}
			ev.Understood = true
			ev = c.next(ev)
		}
		first = false
		if read(c, t, i, ev) {
			any = true
		}
		ev.Understood = true
	}
	return any || !first && c.next != nil
}

// openRecord reads one element of an envelope: a CloudTrail record, an SQS message (Body), an SNS notification (Message
// or Sns.Message), a CloudWatch Logs event (message), a looked-up event (CloudTrailEvent). What is no envelope is JSON as any.
func openRecord(c *ctx, t *tree, i uint32, ev *event.Event) bool {
	sc := scratchOf(ev)
	if t.get(i, "eventName") != 0 && t.get(i, "eventSource") != 0 && t.get(i, "userIdentity") != 0 {
		sc.obj.n = 0
		sc.obj.add(t, i)
		ev.Object = &sc.obj
		return readCloudTrail(c, t, i, ev)
	}
	text := uint32(0)
	if sns := t.get(i, "Sns"); sns != 0 {
		text = t.get(sns, "Message")
	}
	for _, k := range [...]string{"CloudTrailEvent", "Body", "body", "Message", "message"} {
		if text != 0 {
			break
		}
		text = t.get(i, k)
	}
	if text == 0 || t.nodes[text].kind != jString {
		if t.get(i, "s3") != 0 || text == 0 {
			return readJSON(c, sc, t, i, ev)
		}
		if t.nodes[text].kind == jObject {
			return readJSON(c, sc, t, text, ev)
		}
	}
	for _, k := range [...]string{"timestamp", "Timestamp", "EventTime"} {
		if v := t.getStr(i, k); v != nil && setAnyTime(c, ev, v) {
			break
		}
	}
	s := t.str(text)
	if c.inner(s, ev) {
		return true
	}
	plain(c, ev, s)
	return true
}

// plain reads text that no shape fits and that a wrapper timed: front, then message.
func plain(c *ctx, ev *event.Event, s []byte) {
	f := front{c: c, ev: ev, s: s}
	ns, clock := ev.Time, ev.Clock
	f.read()
	if clock == event.ZonedClock && ev.Clock != event.ZonedClock {
		ev.Time, ev.Clock = ns, clock
	}
	msg := startOf(s[f.i:])
	ev.Kind = event.KindApp
	if len(msg) > 1 && (msg[0] == '{' || addrFirst(msg)) && len(msg) < len(s) && c.inner(msg, ev) {
		return
	}
	ev.Set(event.Message, msg)
	line := firstLine(msg)
	readMessage(c, ev, line)
	readPairs(c, ev, line)
	if ev.Has(event.Method) && ev.Has(event.Path) && ev.Status != 0 && ev.Has(event.SourceIP) && !bytes.Equal(ev.Get(event.Category), bAuthn) {
		ev.Kind = event.KindWeb
	}
	lateLevel(ev, s)
}

// readBridge reads an EventBridge event: what it carries, under the envelope's account, region and time.
func readBridge(c *ctx, sc *scratch, t *tree, root, detail uint32, ev *event.Event) bool {
	sc.obj.n = 0
	sc.obj.add(t, detail)
	sc.obj.add(t, root)
	switch {
	case t.get(detail, "eventName") != 0 && t.get(detail, "eventSource") != 0:
		readCloudTrail(c, t, detail, ev)
	case t.get(detail, "findings") != 0:
		if f := t.get(detail, "findings"); t.nodes[f].kind == jArray && t.nodes[f].children > 0 {
			readSecurityHub(c, sc, t, f+1, ev)
		}
	case bytes.Contains(t.getStr(root, "source"), []byte("guardduty")) || t.get(detail, "service") != 0:
		readGuardDuty(c, t, detail, ev)
	default:
		generic(c, sc, t, detail, ev)
		ev.Format, ev.Kind = "eventbridge", event.KindCloud
		if !ev.Has(event.Action) {
			ev.Set(event.Action, t.getStr(root, "detail-type"))
		}
		if !ev.Has(event.Provider) {
			ev.Set(event.Provider, t.getStr(root, "source"))
		}
	}
	if ev.Clock == event.NoClock {
		setAnyTime(c, ev, t.getStr(root, "time"))
	}
	if !ev.Has(event.Account) {
		set(ev, event.Account, t.getStr(root, "account"))
	}
	if !ev.Has(event.Region) {
		set(ev, event.Region, t.getStr(root, "region"))
	}
	return true
}

// readWAF reads AWS WAF's log (docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html). A block is a failure of
// the request; that the firewall let one pass says nothing about how it went.
func readWAF(c *ctx, t *tree, root, req uint32, ev *event.Event) bool {
	ev.Format, ev.Kind = "aws_waf", event.KindWAF
	setAnyTime(c, ev, t.getStr(root, "timestamp"))
	action := t.getStr(root, "action")
	set(ev, event.Action, action)
	switch string(action) {
	case "BLOCK", "CAPTCHA", "CHALLENGE":
		ev.Set(event.Result, bFailure)
	}
	if rule := t.getStr(root, "terminatingRuleId"); len(rule) > 0 && string(rule) != "Default_Action" {
		ev.Set(event.RuleName, rule)
	}
	if l := t.get(root, "ruleGroupList"); l != 0 && t.nodes[l].kind == jArray {
		for g := l + 1; g < t.nodes[l].next; g = t.nodes[g].next {
			if r := t.path(g, "terminatingRule"); r != 0 && t.nodes[r].kind == jObject {
				set(ev, event.Reason, t.getStr(r, "ruleId"))
			}
		}
	}
	set(ev, event.Resource, t.getStr(root, "httpSourceId"))
	setStatus(ev, t.getStr(root, "responseCodeSent"))
	if req == 0 || t.nodes[req].kind != jObject {
		return true
	}
	setSource(ev, t.getStr(req, "clientIp"))
	set(ev, event.Method, t.getStr(req, "httpMethod"))
	setTarget(ev, t.getStr(req, "uri"))
	if q := t.getStr(req, "args"); len(q) > 0 {
		ev.Set(event.Query, q)
	}
	set(ev, event.HTTPVersion, t.getStr(req, "httpVersion"))
	set(ev, event.RequestID, t.getStr(req, "requestId"))
	if h := t.get(req, "headers"); h != 0 && t.nodes[h].kind == jArray {
		ev.Set(event.Headers, t.str(h))
		for i := h + 1; i < t.nodes[h].next; i = t.nodes[i].next {
			if t.nodes[i].kind == jObject {
				setHeader(ev, t.getStr(i, "name"), t.getStr(i, "value"))
			}
		}
	}
	return true
}

// setHeader keeps a request header that has a field.
func setHeader(ev *event.Event, name, value []byte) {
	if len(name) > 20 || len(value) == 0 {
		return
	}
	var buf [20]byte
	n := buf[:0]
	for _, b := range name {
		n = append(n, lower(b))
	}
	switch string(n) {
	case "host":
		ev.Set(event.Host, value)
	case "user-agent":
		ev.Set(event.UserAgent, value)
	case "referer":
		ev.Set(event.Referer, value)
	case "cookie":
		ev.Set(event.Cookie, value)
	case "x-forwarded-for":
		ev.Set(event.ForwardedFor, value)
	}
}

// readGuardDuty reads a GuardDuty finding (docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html).
func readGuardDuty(c *ctx, t *tree, root uint32, ev *event.Event) bool {
	ev.Format, ev.Kind = "guardduty", event.KindFinding
	set(ev, event.RuleName, t.getStr(root, "type"))
	set(ev, event.Reason, t.getStr(root, "title"))
	set(ev, event.Message, t.getStr(root, "description"))
	set(ev, event.Account, t.getStr(root, "accountId"))
	set(ev, event.Region, t.getStr(root, "region"))
	ev.Set(event.Provider, []byte("guardduty.amazonaws.com"))
	if sev := t.getStr(root, "severity"); len(sev) > 0 {
		switch {
		case sev[0] >= '7' && sev[0] <= '9':
			ev.Set(event.Level, levels["critical"])
		case sev[0] >= '4' && sev[0] < '7':
			ev.Set(event.Level, levels["error"])
		default:
			ev.Set(event.Level, levels["warn"])
		}
		ev.Add("event.severity", sev, event.Server)
	}
	if res := t.get(root, "resource"); res != 0 {
		if k := t.get(res, "accessKeyDetails"); k != 0 {
			set(ev, event.User, t.getStr(k, "userName"))
			set(ev, event.AccessKey, t.getStr(k, "accessKeyId"))
			set(ev, event.PrincipalType, t.getStr(k, "userType"))
			set(ev, event.UserID, t.getStr(k, "principalId"))
			set(ev, event.Principal, t.getStr(k, "userName"))
		}
		if k := t.get(res, "instanceDetails"); k != 0 {
			set(ev, event.Resource, t.getStr(k, "instanceId"))
		}
		if k := t.get(res, "s3BucketDetails"); k != 0 && t.nodes[k].kind == jArray && t.nodes[k].children > 0 {
			set(ev, event.Resource, t.getStr(k+1, "name"))
		}
		if !ev.Has(event.Resource) {
			set(ev, event.Resource, t.getStr(res, "resourceType"))
		}
	}
	for _, k := range [...]string{"updatedAt", "createdAt"} {
		if ev.Clock == event.NoClock {
			setAnyTime(c, ev, t.getStr(root, k))
		}
	}
	svc := t.get(root, "service")
	if svc == 0 {
		return true
	}
	setAnyTime(c, ev, t.getStr(svc, "eventLastSeen"))
	act := t.get(svc, "action")
	if act == 0 || t.nodes[act].kind != jObject {
		return true
	}
	for i := act + 1; i < t.nodes[act].next; i = t.nodes[i].next {
		if t.nodes[i].kind != jObject {
			continue
		}
		set(ev, event.Action, t.getStr(i, "api"))
		set(ev, event.DNSName, t.getStr(i, "domain"))
		if ip := t.path(i, "remoteIpDetails"); ip != 0 {
			setSource(ev, t.getStr(ip, "ipAddressV4"))
		}
		if p := t.path(i, "portProbeDetails"); p != 0 && t.nodes[p].children > 0 && t.nodes[p].kind == jArray {
			if ip := t.path(p+1, "remoteIpDetails"); ip != 0 {
				setSource(ev, t.getStr(ip, "ipAddressV4"))
			}
		}
	}
	if !ev.Has(event.Action) {
		set(ev, event.Action, t.getStr(act, "actionType"))
	}
	return true
}

// readSecurityHub reads a finding in AWS's finding format (ASFF), which Security Hub, Macie and Inspector share.
func readSecurityHub(c *ctx, sc *scratch, t *tree, root uint32, ev *event.Event) bool {
	generic(c, sc, t, root, ev)
	ev.Format, ev.Kind = "securityhub", event.KindFinding
	set(ev, event.Reason, t.getStr(root, "Title"))
	set(ev, event.Message, t.getStr(root, "Description"))
	set(ev, event.Account, t.getStr(root, "AwsAccountId"))
	set(ev, event.Region, t.getStr(root, "Region"))
	if l := t.get(root, "Types"); l != 0 && t.nodes[l].kind == jArray && t.nodes[l].children > 0 {
		set(ev, event.RuleName, t.str(l+1))
	}
	if s := t.path(root, "Severity"); s != 0 && t.nodes[s].kind == jObject {
		ev.Add("event.severity", t.getStr(s, "Label"), event.Server)
	}
	if r := t.get(root, "Resources"); r != 0 && t.nodes[r].kind == jArray && t.nodes[r].children > 0 && t.nodes[r+1].kind == jObject {
		set(ev, event.Resource, t.getStr(r+1, "Id"))
	}
	if i := t.path(root, "Action", "AwsApiCallAction"); i != 0 {
		set(ev, event.Action, t.getStr(i, "Api"))
		if ip := t.path(i, "RemoteIpDetails"); ip != 0 {
			setSource(ev, t.getStr(ip, "IpAddressV4"))
		}
	}
	return true
}

// readBedrock reads a model invocation log. What was asked is the client's: Body.
func readBedrock(c *ctx, sc *scratch, t *tree, root, model uint32, ev *event.Event) {
	generic(c, sc, t, root, ev)
	ev.Format, ev.Kind = "bedrock", event.KindCloud
	ev.Set(event.Provider, []byte("bedrock.amazonaws.com"))
	set(ev, event.Action, t.getStr(root, "operation"))
	set(ev, event.Resource, t.str(model))
	set(ev, event.Account, t.getStr(root, "accountId"))
	if id := t.path(root, "identity", "arn"); id != 0 {
		set(ev, event.Principal, t.scalar(id))
	}
	if in := t.get(root, "input"); in != 0 {
		ev.Set(event.Body, t.str(in))
	}
	if e := t.getStr(root, "errorCode"); len(e) > 0 {
		ev.Set(event.ErrorCode, e)
		ev.Set(event.Result, bFailure)
	}
}
