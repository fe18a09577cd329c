package event

// Kind is what sort of log a record comes from.
type Kind uint8

const (
	KindText    Kind = iota // free text in no known shape
	KindWeb                 // an HTTP access record: a request and its answer (nginx, Apache, ALB, CloudFront, API Gateway, morgan...)
	KindError               // an HTTP server's or PHP's error log
	KindApp                 // an application's own message (Node.js, Java, Python... JSON or text)
	KindAuth                // sshd, sudo, su, login, PAM and other services' authentication records
	KindCloud               // a cloud control plane record (CloudTrail)
	KindWAF                 // a web application firewall's record: a request and the firewall's verdict
	KindFlow                // a network flow or firewall packet record
	KindDNS                 // a resolver's query record
	KindFinding             // another detector's finding (GuardDuty)
	KindSystem              // any other system log
	NumKinds
)

var kindNames = [NumKinds]string{"text", "web", "error", "app", "auth", "cloud", "waf", "flow", "dns", "finding", "system"}

func (k Kind) String() string { return kindNames[k] }

// Clock tells how much a record's time is worth.
type Clock uint8

const (
	NoClock    Clock = iota // no time in the record
	LocalClock              // a time without a zone: UTC or the zone the user named is assumed
	ZonedClock              // a time with a zone
)

// Writer is who wrote a field's bytes. Only Server fields may decide an outcome.
type Writer uint8

const (
	Server Writer = iota // the server itself
	Client               // the client: anything may stand here
	Mixed                // the server's words with the client's inside
)

// Field names a value of an Event by its ECS name.
type Field uint8

const (
	SourceIP      Field = iota // the address as the record writes it (the peer, or the true client where the record resolved it)
	SourcePort                 //
	ForwardedFor               // X-Forwarded-For, Forwarded, X-Real-IP or CF-Connecting-IP as sent
	DestIP                     //
	DestPort                   //
	Host                       // Host header or virtual host
	Method                     //
	Path                       // URL path as logged: still encoded
	Query                      // URL query as logged, without '?'
	HTTPVersion                // "HTTP/1.1" or "1.1", as logged
	Referer                    //
	UserAgent                  //
	Cookie                     //
	Body                       // request body
	Headers                    // other request headers, as logged
	StatusText                 // the status as logged, where it is not a plain number
	RequestBytes               // size of the request
	ContentType                // of the response
	Location                   // of the response
	User                       // user.name: as authenticated, or as attempted where authentication failed
	UserID                     // user.id
	Session                    // session id or token id
	Message                    // the human text of an application or system record
	Level                      // log.level
	Process                    // process.name: "sshd"
	PID                        //
	Hostname                   // host.name: who logged
	Action                     // event.action: what was done ("login", CloudTrail's eventName)
	Result                     // event.outcome: "success", "failure", as the server said it or as an application model (apps/) reads it
	Category                   // event.category: "authentication"...
	Reason                     // event.reason: the server's explanation
	Provider                   // event.provider: CloudTrail's eventSource
	Region                     // cloud.region
	Account                    // cloud.account.id
	Principal                  // the acting identity: ARN, or user where that is all
	PrincipalType              // CloudTrail's userIdentity.type
	AccessKey                  // the key id that signed
	ErrorCode                  // error.code
	ErrorMessage               // error.message
	Resource                   // what was acted on
	RuleName                   // a firewall's or detector's own rule
	Transport                  // network protocol
	DNSName                    // dns.question.name
	RequestID                  // trace or request id
	App                        // the application recognised by a model (apps/): "wordpress"
	Area                       // what a route is for, by its words (apps/routes.yaml): "administration", "login"
	NumFields
)

var fieldNames = [NumFields]string{
	"source.ip", "source.port", "http.request.headers.x-forwarded-for", "destination.ip", "destination.port",
	"url.domain", "http.request.method", "url.path", "url.query", "http.version",
	"http.request.referrer", "user_agent.original", "http.request.headers.cookie", "http.request.body.content", "http.request.headers",
	"http.response.status", "http.request.bytes", "http.response.mime_type", "http.response.headers.location",
	"user.name", "user.id", "session.id", "message", "log.level", "process.name", "process.pid", "host.name",
	"event.action", "event.outcome", "event.category", "event.reason", "event.provider",
	"cloud.region", "cloud.account.id", "principal", "principal.type", "access_key.id",
	"error.code", "error.message", "resource.name", "rule.name", "network.transport", "dns.question.name", "trace.id", "app.name", "url.area",
}

func (f Field) String() string { return fieldNames[f] }

var fieldWriters = [NumFields]Writer{
	ForwardedFor: Client, Host: Client, Method: Client, Path: Client, Query: Client, HTTPVersion: Client,
	Referer: Client, UserAgent: Client, Cookie: Client, Body: Client, Headers: Client, RequestBytes: Client,
	User: Client, Session: Client, DNSName: Client,
	Message: Mixed, Reason: Mixed, ErrorMessage: Mixed, Resource: Mixed, Location: Mixed,
}

// By tells who wrote f.
func (f Field) By() Writer { return fieldWriters[f] }

// FieldNamed returns the Field with the ECS name s.
func FieldNamed(s string) (Field, bool) {
	for i, n := range fieldNames {
		if n == s {
			return Field(i), true
		}
	}
	return 0, false
}

// ServerLeaf tells by the path of a structured record's leaf that the server alone wrote it: a stack trace or the command line
// of a process, whose file names and calls read like an attack.
func ServerLeaf(path []byte) bool {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			path = path[i+1:]
			break
		}
	}
	switch string(path) {
	case "stack", "stacktrace", "stack_trace", "stackTrace", "backtrace", "traceback", "exception", "trace",
		"command_line", "CommandLine", "ParentCommandLine", "ScriptBlockText", "cmdline":
		return true
	}
	return false
}

// A Span is a piece of Event.Text: offsets of its first byte and of the byte after its last.
type Span [2]int

// Severity of a finding; Sigma calls it level.
type Severity uint8

const (
	Informational Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"informational", "low", "medium", "high", "critical"}

func (s Severity) String() string { return severityNames[s] }

// SeverityNamed parses a Sigma level.
func SeverityNamed(s string) (Severity, bool) {
	for i, n := range severityNames {
		if n == s {
			return Severity(i), true
		}
	}
	return 0, false
}

// Outcome is whether an attack worked, as far as server-written evidence shows.
type Outcome uint8

const (
	Unknown         Outcome = iota // the log cannot decide
	Blocked                        // refused, or failed
	LikelySucceeded                //
	Succeeded                      //
)

var outcomeNames = [...]string{"unknown", "blocked", "likely-succeeded", "succeeded"}

func (o Outcome) String() string { return outcomeNames[o] }

// OutcomeNamed parses an Outcome's name.
func OutcomeNamed(s string) (Outcome, bool) {
	for i, n := range outcomeNames {
		if n == s {
			return Outcome(i), true
		}
	}
	return 0, false
}

// EntityType is what an Entity is.
type EntityType string

const (
	EntityIP      EntityType = "ip"
	EntityCIDR    EntityType = "cidr"
	EntityAccount EntityType = "account"
	EntityKey     EntityType = "key"
	EntityToken   EntityType = "token"
	EntitySession EntityType = "session"
	EntityRoute   EntityType = "route"
	EntityRes     EntityType = "resource"
	EntityRequest EntityType = "request" // one request, by the number that several logs give it
)

// An Entity acts or is acted on.
type Entity struct {
	Type  EntityType
	Value string
}

// A Detector is whoever raises Signals: a rule, a model, a profile. One exists per
// rule for the life of the engine; Signals point at it.
type Detector struct {
	By         string // "rule:<id>", "model:<head>/<threat>/<percent>", "profile:<name>"
	Name       string // short name, unique among detectors: the rule's `name`, else its id
	Title      string
	Why        string   // one plain sentence about what the match means
	Threat     string   // slug of threats/
	Level      Severity //
	Confidence float64  // probability that one matching line, alone, is this threat
	Noise      bool     // the internet's background noise: alone it never makes more than "probed"
	Base       bool     // only feeds correlations; never shown by itself
	Model      bool     // the classifier: its word alone never makes more than "probed"
	Written    bool     // what matched stands inside written text, which may only talk about an attack
	Outcome    Outcome  // what a match itself proves, if anything
	Stage      string   // kill-chain stage: recon, exploit, foothold, action, exfiltration
	Attack     []string // ATT&CK technique ids
	Tags       []string // Sigma tags
	CVE        []string // CVE ids
}

// A Signal is one reason to suspect one Event.
type Signal struct {
	Detector *Detector
	Field    Field // where the guilty bytes stand
	Span     Span  // the guilty bytes in Event.Text; zero if not known

	// Casual is not 0 where the match stands in a search or a password in which people type whatever they like, and might be just
	// that: a number for the value. A few such values of one client are noticed and no more.
	Casual uint32
}
