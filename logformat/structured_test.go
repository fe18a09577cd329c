package logformat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// long writes the names that the tables below cut short.
var long = map[string]string{"act": "event.action", "res": "event.outcome", "cat": "event.category", "uid": "user.id", "body": "http.request.body.content",
	"proc": "process.name", "rule": "rule.name", "who": "principal", "why": "event.reason", "sess": "session.id", "on": "resource.name", "cmd": "process.command_line"}

// expect is check with these names, and with "login ok" and "login bad" for what they stand for.
func expect(t *testing.T, line, want string) {
	t.Helper()
	ok := []string{}
	for _, w := range strings.Split(want, "|") {
		switch w {
		case "login ok":
			ok = append(ok, "event.action=login", "event.outcome=success", "event.category=authentication")
			continue
		case "login bad":
			ok = append(ok, "event.action=login", "event.outcome=failure", "event.category=authentication")
			continue
		case "api bad":
			ok = append(ok, "event.action=api-call", "event.outcome=failure")
			continue
		case "says nothing":
			ok = append(ok, "!event.outcome", "!event.category")
			continue
		}
		key, val, has := strings.Cut(w, "=")
		if name := long[strings.TrimPrefix(key, "!")]; name != "" && has {
			w = name + "=" + val
		} else if name != "" {
			w = "!" + name
		}
		ok = append(ok, w)
	}
	check(t, nil, line, strings.Join(ok, "|"))
}

func TestJSON(t *testing.T) {
	f := func(line, want string) { t.Helper(); expect(t, line, want) }
	// Access logs, whatever their names.
	f(`{"time_local":"23/Nov/2026:03:10:11 +0000","remote_addr":"192.0.2.1","remote_user":"-","request":"GET /a/b?x=1 HTTP/1.1","status":"404","body_bytes_sent":"512","request_time":"0.012","http_referer":"","http_user_agent":"curl/8","http_x_forwarded_for":"-"}`,
		"format=nginx_json|kind=web|client=192.0.2.1|m=GET|p=/a/b|q=x=1|status=404|bytes=512|took=12ms|ua=curl/8|time=2026-11-23T03:10:11Z|!u|!xff")
	f(`{"level":"info","ts":1795403411.25,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.3","remote_port":"4711","client_ip":"203.0.113.9","proto":"HTTP/2.0","method":"POST","host":"example.com","uri":"/login?next=%2F","headers":{"User-Agent":["Mozilla/5.0"],"X-Forwarded-For":["198.51.100.7"],"Referer":["https://example.com/"]}},"bytes_read":12,"user_id":"","duration":0.0025,"size":77,"status":401,"resp_headers":{"Content-Type":["text/html"],"Location":["/x"]}}`,
		"format=caddy|kind=web|ip=203.0.113.9|m=POST|p=/login|q=next=%2F|status=401|bytes=77|took=2.5ms|host=example.com|ua=Mozilla/5.0|ref=https://example.com/|http.response.mime_type=text/html|http.response.headers.location=/x")
	f(`{"ClientAddr":"192.0.2.7:5555","ClientHost":"192.0.2.7","DownstreamStatus":502,"DownstreamContentSize":11,"Duration":1500000,"RequestMethod":"GET","RequestPath":"/api?q=1","RequestHost":"example.com","RequestProtocol":"HTTP/2.0","StartUTC":"2026-11-23T03:10:11.5Z","request_User-Agent":"k6","level":"info","msg":""}`,
		"format=traefik_json|client=192.0.2.7|status=502|bytes=11|took=1.5ms|m=GET|p=/api|q=q=1|host=example.com|ua=k6|time=2026-11-23T03:10:11.5Z")
	f(`{":authority":"www.example.com","bytes_sent":121,"downstream_remote_address":"192.0.2.8:1234","duration":11,"method":"GET","path":"/x?y","protocol":"HTTP/2","response_code":200,"start_time":"2026-11-23T03:10:11.000Z","user_agent":"ua/1","x_forwarded_for":"192.0.2.8","response_code_details":"via_upstream"}`,
		"client=192.0.2.8|port=1234|status=200|took=11ms|host=www.example.com|p=/x|q=y|v=HTTP/2")
	f(`{"level":30,"time":1795403411000,"pid":7,"hostname":"api-1","req":{"id":9,"method":"GET","url":"/p?id=1","remoteAddress":"::ffff:192.0.2.9","remotePort":1,"headers":{"host":"h.example","user-agent":"ua/2","cookie":"a=b"}},"res":{"statusCode":500,"headers":{"content-length":"7"}},"responseTime":33,"msg":"request errored"}`,
		"format=pino|kind=web|client=192.0.2.9|m=GET|p=/p|q=id=1|status=500|took=33ms|host=h.example|ua=ua/2|http.request.headers.cookie=a=b|lvl=info|time=2026-11-23T03:10:11Z|host.name=api-1")
	f(`{"@timestamp":"2026-11-23T03:10:11.000Z","log.level":"warn","source.ip":"192.0.2.10","http.request.method":"DELETE","url.path":"/u/1","http.response.status_code":403,"user.name":"eve","event.outcome":"failure","ecs.version":"8.0"}`,
		"format=ecs_json|client=192.0.2.10|m=DELETE|p=/u/1|status=403|u=eve|res=failure|lvl=warn")
	f(`{"@timestamp":"2026-11-23T03:10:11Z","source":{"ip":"192.0.2.10","port":5},"http":{"request":{"method":"GET"},"response":{"status_code":200,"body":{"bytes":9}}},"url":{"path":"/u"},"user_agent":{"original":"x"},"ecs":{"version":"1"},"host":{"name":"web1"},"destination":{"ip":"192.0.2.99"}}`,
		"client=192.0.2.10|port=5|m=GET|status=200|bytes=9|p=/u|ua=x|host.name=web1|dip=192.0.2.99")
	f(`{"httpRequest":{"requestMethod":"GET","requestUrl":"https://example.com/a?b=c","status":404,"userAgent":"x","remoteIp":"192.0.2.11","latency":"0.031s","responseSize":"90"},"logName":"projects/p/logs/requests","timestamp":"2026-11-23T03:10:11.1Z","severity":"WARNING"}`,
		"format=gcp_http|client=192.0.2.11|p=/a|q=b=c|host=example.com|status=404|took=31ms|bytes=90|lvl=warn")
	f(`{"version":"1.1","host":"web1","short_message":"GET denied","timestamp":1795403411.5,"level":4,"_client_ip":"192.0.2.12","_method":"GET","_path":"/adm"}`, "format=gelf|client=192.0.2.12|p=/adm|lvl=warn|time=2026-11-23T03:10:11.5Z")
	f(`{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"n1"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795403411000000000","severityText":"ERROR","body":{"stringValue":"Login failed for user 'bob' from 192.0.2.13"},"attributes":[{"key":"client.address","value":{"stringValue":"192.0.2.13"}}]}]}]}]}`,
		"format=otlp_json|client=192.0.2.13|lvl=error|u=bob|login bad|host.name=n1|time=2026-11-23T03:10:11Z")
	f(`{"requestId":"r1","ip":"192.0.2.14","requestTime":"23/Nov/2026:03:10:11 +0000","httpMethod":"PUT","resourcePath":"/v1/{id}","path":"/v1/7","status":"403","responseLength":"23","userAgent":"x"}`,
		"format=api_gateway|client=192.0.2.14|p=/v1/7|m=PUT|status=403|bytes=23|trace.id=r1|time=2026-11-23T03:10:11Z")

	// Application records.
	f(`{"timestamp":"2026-11-23T03:10:11Z","level":"warn","message":"Failed login attempt","ip":"192.0.2.20","username":"admin","requestId":"q"}`, "kind=app|client=192.0.2.20|u=admin|lvl=warn|login bad|trace.id=q")
	f(`{"event":"user.login","success":false,"user":"eve","addr.remote":"192.0.2.21:3","time":"2026-11-23T03:10:11Z","error":"invalid password"}`, "client=192.0.2.21|u=eve|login bad")
	f(`{"type":"CUSTOMER_LOGIN_SUCCESS","ip":"192.0.2.22","customer_id":"7","ts":"2026-11-23T03:10:11Z"}`, "client=192.0.2.22|login ok|uid=7")
	f(`{"action":"login_failed","client_ip":"192.0.2.23","timestamp":1795403411,"user":{"username":"u","email":""}}`, "login bad|u=u")
	f(`{"level":50,"time":1795403411000,"pid":1,"hostname":"h","err":{"type":"TypeError","message":"x is not a function","stack":"TypeError: x\n at y"},"msg":"boom"}`, "lvl=error|error.message=x is not a function|error.code=TypeError|says nothing")
	// Serilog, compact and not; the template speaks where nothing was rendered.
	f(`{"@t":"2026-11-23T03:10:11.5Z","@mt":"Invalid password for {Email} from {Ip}","@l":"Warning","Email":"ana@example.com","Ip":"203.0.113.9"}`, "client=203.0.113.9|u=ana@example.com|login bad|lvl=warn|time=2026-11-23T03:10:11.5Z")
	f(`{"Timestamp":"2026-11-23T03:10:11.5Z","Level":"Warning","MessageTemplate":"Invalid password for {Email}","RenderedMessage":"Invalid password for ana@example.com from 203.0.113.9"}`, "client=203.0.113.9|login bad|lvl=warn")
	// structlog calls the message "event"; others call the name of what happened so.
	f(`{"event":"Login failed - bad password (ana@example.com, 203.0.113.9)","level":"warning","logger":"shop","timestamp":"2026-11-23T03:10:11.5Z"}`, "client=203.0.113.9|login bad|lvl=warn|message=Login failed - bad password (ana@example.com, 203.0.113.9)")
	f(`{"event":"GET /api/v1/orders/17 refused for user 4: no token","level":"warning","timestamp":"2026-11-23T03:10:11.5Z"}`, "m=GET|p=/api/v1/orders/17")
	f(`{"event":"user login failed","user":"ana","ip":"203.0.113.9","timestamp":"2026-11-23T03:10:11.5Z"}`, "client=203.0.113.9|u=ana|login bad|!message")
	f(`{"t":{"$date":"2026-11-23T03:10:11.000+00:00"},"s":"I","c":"ACCESS","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","principalName":"root","remote":"192.0.2.24:5"}}`, "client=192.0.2.24|u=root|login bad|lvl=info")
	f(`{"reqId":"a","level":2,"time":"2026-11-23T03:10:11+00:00","remoteAddr":"192.0.2.25","user":"--","app":"core","method":"POST","url":"/login","message":"Login failed: bob (Remote IP: 192.0.2.25)"}`, "client=192.0.2.25|u=bob|login bad|lvl=warn")

	// A log line inside.
	f(`{"log":"192.0.2.30 - - [23/Nov/2026:03:10:11 +0000] \"GET /in HTTP/1.1\" 200 5 \"-\" \"x\"\n","stream":"stdout","time":"2026-11-23T03:10:12.5Z"}`, "kind=web|client=192.0.2.30|p=/in|status=200|time=2026-11-23T03:10:11Z")
	f(`{"log":"{\"remote_addr\":\"192.0.2.31\",\"method\":\"GET\",\"uri\":\"/q\",\"status\":200}\n","stream":"stdout","time":"2026-11-23T03:10:12Z"}`, "kind=web|client=192.0.2.31|p=/q|time=2026-11-23T03:10:12Z")
	f(`{"@timestamp":"2026-11-23T03:10:11Z","host":{"name":"b1"},"message":"Nov 23 03:10:11 b1 sshd[7]: Failed password for root from 192.0.2.32 port 22 ssh2"}`, "kind=auth|client=192.0.2.32|u=root|login bad|time=2026-11-23T03:10:11Z")
	f(`{"__REALTIME_TIMESTAMP":"1795403411000000","_HOSTNAME":"h","SYSLOG_IDENTIFIER":"sshd","_PID":"9","MESSAGE":"Accepted publickey for ops from 192.0.2.33 port 1 ssh2: ED25519 SHA256:x","PRIORITY":"6"}`, "kind=auth|client=192.0.2.33|u=ops|login ok|lvl=info|time=2026-11-23T03:10:11Z|proc=sshd")

	// What the client wrote decides nothing.
	f(`{"time":"2026-11-23T03:10:11Z","remote_addr":"192.0.2.40","method":"POST","uri":"/c","status":200,"request_body":"{\"msg\":\"login successful for admin\",\"ip\":\"203.0.113.66\"}"}`, `client=192.0.2.40|says nothing|body={"msg":"login successful for admin","ip":"203.0.113.66"}`)
	f(`{"time":"2026-11-23T03:10:11Z","ip":"192.0.2.41","method":"POST","path":"/login","status":401,"body":{"ip":"203.0.113.66","success":true,"username":"root"}}`, "client=192.0.2.41|status=401|says nothing|u=root")
	f(`{"time":"2026-11-23T03:10:11Z","ip":"192.0.2.42","message":"profile name set to \"Accepted password for root from 203.0.113.66\""}`, "client=192.0.2.42|says nothing|!u")
	f(`{"time":"2026-11-23T03:10:11Z","headers":{"client_ip":"203.0.113.66","remote-addr":"203.0.113.66","status":"302","outcome":"success","user":"root","method":"PUT","User-Agent":"x","host":"example.com"},"remote_addr":"192.0.2.46","method":"POST","uri":"/login","status":401}`,
		"client=192.0.2.46|status=401|m=POST|ua=x|host=example.com|says nothing|!u")
	f(`{"level":30,"time":1795403411000,"pid":1,"req":{"method":"GET","url":"/a","headers":{"clientip":"203.0.113.66","x-forwarded-for":"203.0.113.67"},"remoteAddress":"192.0.2.47"},"res":{"statusCode":200}}`, "client=192.0.2.47|status=200")
	f(`{"time":"2026-11-23T03:10:11Z","ip":"192.0.2.48","message":"203.0.113.66 - - [23/Nov/2026:03:10:11 +0000] \"GET /evil HTTP/1.1\" 200 5"}`, "client=192.0.2.48")
	f(`{"time":"2026-11-23T03:10:11Z","ip":"192.0.2.49","message":"192.0.2.49 - - [23/Nov/2026:03:10:11 +0000] \"GET /a HTTP/1.1\" 200 5"}`, "client=192.0.2.49|p=/a|status=200")
	// Wrong types, duplicates, escapes in keys.
	f(`{"time":[],"ip":{"a":1},"method":7,"url":true,"status":"x","msg":null,"level":{}}`, "understood=true|!client")
	f(`{"ip":"192.0.2.43","ip":"203.0.113.66","time":"2026-11-23T03:10:11Z","msg":"x y"}`, "client=192.0.2.43")
	f(`{"remote\u005faddr":"192.0.2.44","time":"2026-11-23T03:10:11Z","msg":"\u00e9\ud83d\ude00"}`, "client=192.0.2.44|msg=é😀")
	f(`{"time":"2026-11-23T03:10:11Z","remote_addr":"192.0.2.45","request":"\x16\x03 x","status":400}`, "client=192.0.2.45|p=\x16\x03 x|status=400")
}

func TestTree(t *testing.T) {
	var tr tree
	// Against encoding/json: what it takes, we take whole; what it refuses, we may take leniently, but never more than there is.
	for _, s := range []string{`{"a":1}`, `{"a":[1,2,{"b":"c\"d"}],"e":null,"f":true,"g":-1.5e+9}`, `[]`, `{}`, `[[[[1]]]]`, `{"":""}`, ` {"a" : "b" } `, `{"a":"` + strings.Repeat("x", 100) + `\n"}`, `{"a":"é😀"}`} {
		if !json.Valid([]byte(s)) {
			t.Fatalf("%s: the sample is no JSON", s)
		}
		if n := tr.parse([]byte(s)); n != len(strings.TrimRight(s, " ")) || tr.cut {
			t.Errorf("%s: %d bytes taken, cut %v", s, n, tr.cut)
		}
	}
	for _, s := range []string{`{a:1}`, `{"a":1]`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":zzz}`, `{"a":+1}`, strings.Repeat("[", maxJSONDepth+1) + "1", "{" + strings.Repeat(`"a":{`, maxJSONDepth+3)} {
		if n := tr.parse([]byte(s)); n != 0 {
			t.Errorf("%.40s: taken, %d bytes", s, n)
		}
	}
	for _, s := range []string{`{"a":"b`, `{"a":{"b":[1,2`, `{"a":tru`, `{"a":1,"b"`, `{"a":1,"b":`} {
		if n := tr.parse([]byte(s)); n != len(s) || !tr.cut {
			t.Errorf("%s: %d bytes taken, cut %v", s, n, tr.cut)
		}
	}
}

func TestLookup(t *testing.T) {
	var tr tree
	text := []byte(`{"a":{"b":["x",{"c":"y"},{"c":7}],"n":null,"b.c":"dotted"},"log.level":"info","é\n":true,"dup":1,"dup":2}`)
	if tr.parse(text) == 0 {
		t.Fatal("no JSON")
	}
	var o object
	o.add(&tr, 0)
	f := func(path, want string, exists bool) {
		t.Helper()
		vals, ok := o.Lookup(nil, strings.Split(path, "."))
		if got := string(bytes.Join(vals, []byte(","))); got != want || ok != exists {
			t.Errorf("%s = %q %v, want %q %v", path, got, ok, want, exists)
		}
	}
	f("a.b", "x", true)
	f("a.b.c", "y,7,dotted", true)
	f("a.n", "", true)
	f("a.zz", "", false)
	f("log.level", "info", true)
	f("log", "", false)
	f("é\n", "true", true)
	f("dup", "1,2", true)
	f("a", "", true)
	var got []string
	o.Walk(func(path, value []byte) bool { got = append(got, fmt.Sprintf("%s=%s", path, value)); return true })
	if s := strings.Join(got, " "); s != "a.b=x a.b.c=y a.b.c=7 a.b.c=dotted log.level=info é\n=true dup=1 dup=2" {
		t.Errorf("Walk: %s", s)
	}
	o.Walk(func(path, value []byte) bool { got = nil; return false })
	if got != nil {
		t.Error("Walk went on")
	}
}

// Values without escapes are pieces of the record, so that their place can be shown.
func TestJSONSpans(t *testing.T) {
	line := `{"remote_addr":"192.0.2.1","method":"GET","uri":"/a?id=1%27","status":200,"ua":"plain","time":"2026-11-23T03:10:11Z"}`
	s, _ := NewStream("x", nil)
	b, _ := s.Next([]byte(line), true)
	var ev event.Event
	b.Parse(func(e *event.Event) *event.Event {
		if e != nil {
			for _, f := range []event.Field{event.Path, event.Query, event.UserAgent, event.SourceIP, event.Method} {
				sp, ok := e.Span(e.Get(f))
				if !ok || string(e.Text[sp[0]:sp[1]]) != string(e.Get(f)) {
					t.Errorf("%v: span %v of %q", f, sp, e.Get(f))
				}
			}
		}
		ev.Reset()
		return &ev
	})
}

const trail = `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:deploy-session","arn":"arn:aws:sts::123456789012:assumed-role/Deploy/deploy-session","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::123456789012:role/Deploy","accountId":"123456789012","userName":"Deploy"},"attributes":{"creationDate":"2026-11-23T03:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-11-23T03:10:11Z","eventSource":"iam.amazonaws.com","eventName":"CreateAccessKey","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.50","userAgent":"aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64 prompt/off command/iam.create-access-key","errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::123456789012:assumed-role/Deploy/deploy-session is not authorized to perform: iam:CreateAccessKey on resource: user admin","requestParameters":{"userName":"admin"},"responseElements":null,"requestID":"3c2f1a2e-0000-4000-8000-0123456789ab","eventID":"5a6b7c8d-0000-4000-8000-0123456789ab","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"iam.amazonaws.com"}}`

func TestCloudTrail(t *testing.T) {
	f := func(line, want string) { t.Helper(); expect(t, line, want) }
	want := "format=cloudtrail|kind=cloud|act=CreateAccessKey|event.provider=iam.amazonaws.com|client=192.0.2.50|res=failure|error.code=AccessDenied|who=arn:aws:iam::123456789012:role/Deploy|principal.type=AssumedRole|u=Deploy|sess=deploy-session|access_key.id=ASIAEXAMPLE|cloud.region=us-east-1|cloud.account.id=123456789012|on=admin|time=2026-11-23T03:10:11Z"
	f(trail, want)
	quoted, _ := json.Marshal(trail)
	f(`{"version":"0","id":"x","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","account":"123456789012","time":"2026-11-23T03:10:12Z","region":"us-east-1","resources":[],"detail":`+trail+`}`, want)
	f(`{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1795403411000,"message":`+string(quoted)+`}]}`, want)
	f(`{"Type":"Notification","MessageId":"m","TopicArn":"arn:aws:sns:us-east-1:123456789012:t","Message":`+string(quoted)+`,"Timestamp":"2026-11-23T03:10:12Z"}`, want)
	f(`{"Messages":[{"MessageId":"m","ReceiptHandle":"r","Body":`+string(quoted)+`}]}`, want)
	f(`{"Records":[{"messageId":"m","receiptHandle":"r","body":`+string(quoted)+`,"eventSource":"aws:sqs"}]}`, want)
	f(`{"Events":[{"EventId":"x","EventName":"CreateAccessKey","CloudTrailEvent":`+string(quoted)+`}]}`, want)
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(trail), "", "  "); err != nil {
		t.Fatal(err)
	}
	f(pretty.String(), want)

	id := func(identity, rest, want string) {
		t.Helper()
		f(`{"eventVersion":"1.08","eventTime":"2026-11-23T03:10:11Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.51","userIdentity":`+identity+rest+`}`, want)
	}
	id(`{"type":"IAMUser","principalId":"AIDA","accountId":"1","userName":"bob","arn":"arn:aws:iam::1:user/bob"}`, `,"responseElements":{"ConsoleLogin":"Failure"},"errorMessage":"Failed authentication"`, "res=failure|cat=authentication|u=bob|who=arn:aws:iam::1:user/bob|act=ConsoleLogin")
	id(`{"type":"Root","principalId":"1","arn":"arn:aws:iam::1:root","accountId":"1"}`, `,"responseElements":{"ConsoleLogin":"Success"}`, "res=success|u=root|who=arn:aws:iam::1:root")
	id(`{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}`, ``, "who=lambda.amazonaws.com|principal.type=AWSService")
	id(`{"type":"WebIdentityUser","principalId":"accounts.example.com:app:me","userName":"me","identityProvider":"accounts.example.com"}`, ``, "u=me|who=me")
	id(`"nonsense"`, ``, "understood=true|!who")
	// Several events in one record.
	two := read(t, `{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1795403411000,"message":`+string(quoted)+`},{"id":"2","timestamp":1795403412000,"message":"plain text from 192.0.2.52"}]}`, nil)
	if len(two) != 2 {
		t.Fatalf("%d events, want 2", len(two))
	}
	checkEvent(t, "second", two[1], "client=192.0.2.52|time=2026-11-23T03:10:12Z|msg=plain text from 192.0.2.52")
}

func TestAWSJSON(t *testing.T) {
	f := func(line, want string) { t.Helper(); expect(t, line, want) }
	f(`{"timestamp":1795403411000,"formatVersion":1,"webaclId":"arn:aws:wafv2:x","terminatingRuleId":"AWS-SQLi","terminatingRuleType":"MANAGED_RULE_GROUP","action":"BLOCK","httpSourceName":"ALB","httpSourceId":"app/a","ruleGroupList":[{"ruleGroupId":"g","terminatingRule":{"ruleId":"SQLi_QUERY","action":"BLOCK"}}],"httpRequest":{"clientIp":"192.0.2.60","country":"DE","headers":[{"name":"Host","value":"example.com"},{"name":"User-Agent","value":"sqlmap"}],"uri":"/s","args":"q=1' or 1=1","httpVersion":"HTTP/1.1","httpMethod":"GET","requestId":"r"}}`,
		"format=aws_waf|kind=waf|client=192.0.2.60|p=/s|q=q=1' or 1=1|host=example.com|ua=sqlmap|act=BLOCK|res=failure|rule=AWS-SQLi|why=SQLi_QUERY|time=2026-11-23T03:10:11Z")
	f(`{"timestamp":1795403411000,"webaclId":"x","terminatingRuleId":"Default_Action","action":"ALLOW","httpRequest":{"clientIp":"2001:db8::60","uri":"/","args":"","httpMethod":"GET"}}`, "act=ALLOW|!res|!rule|client=2001:db8::60")
	f(`{"actor":{"id":"00u1","type":"User","alternateId":"kim@example.com"},"client":{"ipAddress":"192.0.2.61"},"eventType":"user.session.start","outcome":{"result":"SUCCESS"},"published":"2026-11-23T03:10:11.000Z"}`,
		"client=192.0.2.61|user.name=kim@example.com|act=login|res=success|time=2026-11-23T03:10:11Z")
	f(`{"actor":{"alternateId":"kim@example.com"},"client":{"ipAddress":"192.0.2.61"},"eventType":"user.mfa.okta_verify.deny_push","outcome":{"result":"FAILURE"},"published":"2026-11-23T03:10:11.000Z"}`,
		"client=192.0.2.61|user.name=kim@example.com|act=mfa|res=failure")
	f(`{"EventTime":"2026-11-23 03:10:11","Hostname":"dc1","EventID":4625,"Channel":"Security","TargetUserName":"kim","IpAddress":"192.0.2.61"}`,
		"client=192.0.2.61|user.name=kim|act=login|res=failure")
	f(`{"schemaVersion":"2.0","accountId":"1","region":"eu-west-1","type":"UnauthorizedAccess:EC2/SSHBruteForce","service":{"serviceName":"guardduty","action":{"actionType":"NETWORK_CONNECTION","networkConnectionAction":{"remoteIpDetails":{"ipAddressV4":"192.0.2.61"}}},"eventLastSeen":"2026-11-23T03:10:11Z"},"severity":8,"title":"t","description":"d","resource":{"resourceType":"Instance","instanceDetails":{"instanceId":"i-1"}}}`,
		"format=guardduty|kind=finding|client=192.0.2.61|rule=UnauthorizedAccess:EC2/SSHBruteForce|on=i-1|lvl=critical|time=2026-11-23T03:10:11Z")
	f(`{"version":"1.1","account_id":"1","region":"us-east-1","query_timestamp":"2026-11-23T03:10:11Z","query_name":"x.example.","query_type":"A","rcode":"NOERROR","srcaddr":"192.0.2.62","srcport":"5","transport":"UDP"}`, "format=route53_resolver|kind=dns|client=192.0.2.62|dns.question.name=x.example.|network.transport=UDP")
	f(`{"timestamp":"2026-11-23T03:10:11.1+0000","flow_id":1,"event_type":"alert","src_ip":"192.0.2.63","src_port":5,"dest_ip":"198.51.100.1","dest_port":80,"proto":"TCP","alert":{"action":"blocked","signature":"TEST exploit","category":"Web attack"},"http":{"hostname":"h","url":"/x?a=1","http_method":"GET","status":404}}`,
		"format=suricata_eve|kind=finding|client=192.0.2.63|rule=TEST exploit|act=alert|res=failure|m=GET|p=/x")
}

// benign lines allocate nothing once the Event has grown.
func TestJSONAllocs(t *testing.T) {
	for _, line := range []string{trail,
		`{"time":"2026-11-23T03:10:11Z","remote_addr":"192.0.2.1","method":"GET","uri":"/a?b=1","status":200,"bytes":12,"request_time":0.002,"user_agent":"x","referer":""}`,
		`2026-11-23T03:10:11.123Z [info] shop: Order 7 viewed by user 9 ip=192.0.2.1`,
		`Nov 23 03:10:11 h sshd[7]: Failed password for invalid user admin from 192.0.2.1 port 4711 ssh2`,
		`time="2026-11-23T03:10:11Z" level=info msg="request done" method=GET path=/x status=200 remote_ip=192.0.2.1`} {
		s, _ := NewStream("x", nil)
		text := []byte(strings.Repeat(line+"\n", 50))
		b, _ := s.Next(text, true)
		var ev event.Event
		next := func(e *event.Event) *event.Event { ev.Reset(); return &ev }
		b.Parse(next)
		// A Parse has some fixed cost; 50 records must not add to it.
		if n := testing.AllocsPerRun(20, func() { b.Parse(next) }); n > 3 {
			t.Errorf("%.60q: %v allocations for 50 records", line, n)
		}
	}
}

func BenchmarkStructured(b *testing.B) {
	for _, k := range [...]struct{ name, line string }{
		{"cloudtrail", trail},
		{"nginx_json", `{"time":"2026-11-23T03:10:11+00:00","remote_addr":"192.0.2.1","method":"GET","uri":"/api/v1/products?page=3","status":200,"bytes":1271,"referer":"","user_agent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15","request_time":0.006,"request_body":""}`},
		{"app_text", `2026-11-23T03:10:11.123Z [warn] shop: Failed login for bob@example.com from 192.0.2.1`},
		{"sshd", `Nov 23 03:10:11 h sshd[7]: Failed password for invalid user admin from 192.0.2.1 port 4711 ssh2`},
	} {
		b.Run(k.name, func(b *testing.B) {
			s, _ := NewStream("x", nil)
			blk, _ := s.Next([]byte(strings.Repeat(k.line+"\n", 100)), true)
			var ev event.Event
			next := func(e *event.Event) *event.Event { ev.Reset(); return &ev }
			b.SetBytes(int64(len(blk.Bytes)))
			b.ReportAllocs()
			for b.Loop() {
				blk.Parse(next)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/line")
		})
	}
}

func TestTook(t *testing.T) {
	f := func(member string, want time.Duration) {
		t.Helper()
		s, err := NewStream("app.log", nil)
		if err != nil {
			t.Fatal(err)
		}
		line := []byte(`{"time":"2026-11-23T03:10:11Z","ip":"203.0.113.9","method":"GET","path":"/a","status":200,` + member + "}\n")
		b, _ := s.Next(line, true)
		b.Parse(func(ev *event.Event) *event.Event {
			if ev != nil && ev.Duration != want {
				t.Errorf("%s: %v, want %v", member, ev.Duration, want)
			}
			next := &event.Event{}
			next.Reset()
			return next
		})
	}
	f(`"ms":5040`, 5040*time.Millisecond)
	f(`"duration_ms":12`, 12*time.Millisecond)
	f(`"ms":1795403411000`, -1) // a moment
}

// sameNodes fails unless nodesOf, where it is sure of text, says what the two lenient passes say.
func sameNodes(t *testing.T, text []byte) bool {
	t.Helper()
	got, n := nodesOf(nil, text)
	if n == 0 {
		if len(got) > 0 {
			t.Errorf("%q: nodes of what is not sure", text)
		}
		return false
	}
	var scan jsonScan
	if end, st := scan.value(text); end != n || st != jsonWhole {
		t.Errorf("%q ends at %d, not %d", text, n, end)
	}
	var tr tree
	if end := tr.lenient(text); end != n || tr.cut {
		t.Errorf("%q: %d bytes, not %d", text, n, end)
	}
	if !slices.Equal(got, tr.nodes) {
		t.Errorf("%q:\n%+v\nnot\n%+v", text, got, tr.nodes)
	}
	return true
}

func TestNodesOf(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"a":1}`, ` `, `{"a":"b","c":[1,2,{"d":null},[],{}],"e":{"f":true,"g":"h\"i\\"}}, {"next":1}`, "{ \"a\" :\t[ \"b\" , -1.5e3 ]\r\n}\n", `{"ключ":"значение","a\u0062":"\n"}`,
		`{"a":{"b":{"c":[[[[1]]]]}},"long key of more than eight bytes":"a value that has more than sixteen bytes"}`,
	} {
		if sure := sameNodes(t, []byte(text)); sure != (text[0] == '{') {
			t.Errorf("%q: %t", text, sure)
		}
	}
	for _, text := range []string{``, `{`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{"a":1]`, `{"a":[1}`, `{"a":[1,]}`, `{"a":[,1]}`, `{,"a":1}`, `{"a":x}`, `{a:1}`, `{"a":"` + "\n" + `"}`,
		`{"a":"\`, `[1]`, `"a"`, `{"a":1 "b":2}`, `{"a":tru}`, strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat(`}`, 65)} {
		if sameNodes(t, []byte(text)) {
			t.Errorf("%q: sure", text)
		}
	}
	deep := strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat(`}`, 64)
	if !sameNodes(t, []byte(deep)) {
		t.Error("64 objects: not sure")
	}
}
