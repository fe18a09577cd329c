package rule

import (
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// A source is what a logsource means here: which records a rule is tried on.
type source struct {
	kinds    uint32 // bit 1<<Kind
	http     bool   // also records of other kinds that hold a request (a path)
	names    []map[string]fieldRef
	treeOnly bool // field names are paths of a JSON record, never of this program's Fields
	process  []string
}

func kinds(ks ...event.Kind) (m uint32) {
	for _, k := range ks {
		m |= 1 << k
	}
	return m
}

const allKinds = 1<<event.NumKinds - 1

// What is tried for applications' own logs: also text in no known shape, and what a server wrote for its application.
var appKinds = kinds(event.KindApp, event.KindText, event.KindError, event.KindSystem)

// Product "any" and category "any" are this program's own: every record.
var anySource = source{kinds: allKinds, names: []map[string]fieldRef{cloudtrailTable}}

// Category "report" is this program's own too: what another guard, product or audit log reports. Calls of a cloud's API are none, and the busiest of all structured logs.
var reportSource = source{kinds: allKinds &^ (1 << event.KindCloud), names: []map[string]fieldRef{cloudtrailTable}}

var (
	webSource   = source{kinds: kinds(event.KindWeb, event.KindWAF), http: true}
	errorSource = source{kinds: kinds(event.KindError)}
	appSource   = source{kinds: appKinds, names: []map[string]fieldRef{applicationTable}}
	jsonSource  = source{kinds: appKinds | kinds(event.KindCloud, event.KindFinding), treeOnly: true}
	flowSource  = source{kinds: kinds(event.KindFlow, event.KindWAF), names: []map[string]fieldRef{firewallTable}}
	dnsSource   = source{kinds: kinds(event.KindDNS), names: []map[string]fieldRef{dnsTable}}
	cloudSource = source{kinds: kinds(event.KindCloud), names: []map[string]fieldRef{cloudtrailTable}}
	s3Source    = source{kinds: webSource.kinds, names: []map[string]fieldRef{s3Table}}
	authKinds   = kinds(event.KindAuth, event.KindSystem)
)

// Categories, whatever the product.
var categories = map[string]*source{
	"any": &anySource, "all": &anySource, "report": &reportSource, "authentication": {kinds: allKinds},
	"webserver": &webSource, "web": &webSource, "http": &webSource, "proxy": {kinds: kinds(event.KindWeb), http: true}, "waf": {kinds: kinds(event.KindWAF, event.KindWeb)},
	"api": &webSource, "application": &appSource, "firewall": &flowSource, "dns": &dnsSource, "database": &appSource, "flow": &flowSource,
}

// Products whose services are told apart.
var products = map[string]map[string]*source{
	"any": {"": &anySource},
	"aws": {
		"": &cloudSource, "cloudtrail": &cloudSource,
		"guardduty": {kinds: kinds(event.KindFinding), names: []map[string]fieldRef{cloudtrailTable}},
		"waf":       {kinds: kinds(event.KindWAF)}, "vpcflow": &flowSource, "vpc": &flowSource, "route53": &dnsSource,
		"alb": &webSource, "elb": &webSource, "cloudfront": &webSource, "apigateway": &webSource, "s3": &s3Source, "s3access": &s3Source,
	},
	"linux": {
		"": {kinds: authKinds}, "syslog": {kinds: authKinds}, "auth": {kinds: authKinds}, "secure": {kinds: authKinds}, "authpriv": {kinds: authKinds},
		"sshd": {kinds: authKinds, process: []string{"sshd", "sshd-session", "dropbear"}}, "sudo": {kinds: authKinds, process: []string{"sudo"}},
		"su": {kinds: authKinds, process: []string{"su"}}, "cron": {kinds: authKinds, process: []string{"cron", "crond", "anacron"}},
		"vsftpd":  {kinds: authKinds | kinds(event.KindText), process: []string{"vsftpd"}},
		"clamav":  {kinds: authKinds | kinds(event.KindText), process: []string{"clamd", "freshclam", "clamav"}},
		"pam":     {kinds: authKinds},
		"systemd": {kinds: authKinds, process: []string{"systemd"}}, "guacamole": {kinds: authKinds | kinds(event.KindText), process: []string{"guacd", "guacamole"}},
		"modsecurity": {kinds: kinds(event.KindError, event.KindWAF)}, "iptables": &flowSource, "ufw": &flowSource,
	},
	"zeek": {
		"http": {kinds: kinds(event.KindWeb), http: true}, "dns": &dnsSource, "conn": &flowSource,
	},
	"apache":    {"": {kinds: webSource.kinds | errorSource.kinds}, "access": &webSource, "error": &errorSource},
	"nginx":     {"": {kinds: webSource.kinds | errorSource.kinds}, "access": &webSource, "error": &errorSource},
	"iis":       {"": &webSource},
	"tomcat":    {"": {kinds: webSource.kinds | appSource.kinds}},
	"php":       {"": {kinds: appKinds | webSource.kinds}},
	"wordpress": {"": {kinds: appKinds | webSource.kinds}},
	"haproxy":   {"": &webSource}, "caddy": {"": &webSource}, "traefik": {"": &webSource}, "envoy": {"": &webSource}, "kong": {"": &webSource},
}

// Services that name their server without a product.
var services = map[string]*source{
	"apache": {kinds: webSource.kinds | errorSource.kinds}, "nginx": {kinds: webSource.kinds | errorSource.kinds}, "iis": &webSource,
	"modsecurity": {kinds: kinds(event.KindError, event.KindWAF)}, "sshd": products["linux"]["sshd"], "cloudtrail": &cloudSource,
}

// Products whose audit logs are JSON records that any log shipper writes: tried on structured records, by their own paths.
var jsonProducts = map[string]bool{
	"azure": true, "gcp": true, "okta": true, "m365": true, "github": true, "gitlab": true, "google_workspace": true, "onelogin": true, "cloudflare": true,
	"kubernetes": true, "bitbucket": true, "opencanary": true, "auth0": true, "docker": true, "slack": true, "zoom": true, "fastly": true, "vault": true, "teleport": true,
}

// Products and categories that only an agent on the host sees: no log that this program reads can have them.
var hostOnly = map[string]bool{
	"windows": true, "macos": true, "antivirus": true, "process_creation": true, "process_access": true, "process_tampering": true, "process_termination": true,
	"image_load": true, "driver_load": true, "network_connection": true, "dns_query": true, "pipe_created": true, "wmi_event": true, "create_remote_thread": true,
	"create_stream_hash": true, "raw_access_thread": true, "clipboard_capture": true, "sysmon_status": true, "sysmon_error": true, "auditd": true, "edr": true,
	"file_event": true, "file_access": true, "file_change": true, "file_delete": true, "file_rename": true, "file_executable_detected": true, "file_block_executable": true, "file_block_shredding": true,
	"registry_event": true, "registry_add": true, "registry_delete": true, "registry_set": true, "registry_rename": true, "registry_access": true,
	"ps_script": true, "ps_module": true, "ps_classic_start": true, "ps_classic_provider_start": true, "ps_classic_script": true, "usb_monitoring": true, "amsi": true,
}

// sourceOf finds what a logsource means. why is not empty if no record can ever have it.
func sourceOf(l Logsource) (s *source, why string) {
	for _, name := range []string{l.Category, l.Product, l.Service} {
		if hostOnly[name] {
			return nil, "logsource " + l.String() + " needs an agent on the host; no log that this program reads has it"
		}
	}
	if svc, ok := products[l.Product]; ok {
		if s, ok := svc[l.Service]; ok && (l.Category == "" || l.Service != "") {
			return s, ""
		}
		if s, ok := categories[l.Category]; ok && l.Service == "" {
			return s, ""
		}
		if s, ok := svc[""]; ok && l.Category == "" && l.Product != "aws" && l.Product != "linux" {
			return s, ""
		}
		if s, ok := svc[l.Category]; ok && l.Service == "" {
			return s, ""
		}
		if l.Product == "linux" && l.Category == "" {
			// Any other daemon of a Linux system writes to syslog under its own name.
			return &source{kinds: authKinds | kinds(event.KindText, event.KindApp), process: []string{l.Service}}, ""
		}
		return nil, "logsource " + l.String() + " is not known"
	}
	if jsonProducts[l.Product] || jsonProducts[l.Service] {
		return &jsonSource, ""
	}
	if s, ok := categories[l.Category]; ok {
		return s, ""
	}
	if s, ok := services[l.Service]; ok && l.Category == "" {
		return s, ""
	}
	if l.Category == "" && l.Product == "" && l.Service == "" {
		return &anySource, ""
	}
	if l.Category == "" && appProducts[l.Product] {
		return &appSource, ""
	}
	return nil, "logsource " + l.String() + " is not known"
}

// Languages and frameworks that SigmaHQ also writes without "category: application".
var appProducts = map[string]bool{
	"python": true, "django": true, "nodejs": true, "ruby_on_rails": true, "ruby": true, "spring": true, "jvm": true, "java": true, "sql": true, "velocity": true,
	"flask": true, "express": true, "rails": true, "laravel": true, "dotnet": true, "go": true, "rpc_firewall": false, "spark": true, "postgresql": true, "mysql": true, "application": true,
}

// classes are the records that a rule of this source is tried on, a bit each. A class is a Kind, and
// whether the record holds a request; or it is toldRequest.
func (s *source) classes() (m uint64) {
	for c := range toldRequest {
		k, http := event.Kind(c>>1), c&1 != 0
		if s.kinds&(1<<k) != 0 || s.http && http {
			m |= 1 << c
		}
	}
	if s.http || s.kinds&kinds(event.KindWeb, event.KindApp) != 0 {
		m |= 1 << toldRequest
	}
	return m
}

const (
	toldRequest = int(event.NumKinds) * 2 // a request that an application logged with words of its own: rules for either are tried
	numClasses  = toldRequest + 1
)

// classOf is the class of a record: which rules are tried on it.
func classOf(ev *event.Event) int {
	if ev.Kind == event.KindWeb && ev.Has(event.Message) {
		return toldRequest
	}
	c := int(ev.Kind) << 1
	if ev.Has(event.Path) {
		c |= 1
	}
	return c
}

// Threats of rules that name none, by words of the rule's tags, name, title and file: first hit wins.
var threatWords = []struct{ word, threat string }{
	{"log4", "log4shell"}, {"jndi", "log4shell"}, {"cve-2021-44228", "log4shell"}, {"cve.2021-44228", "log4shell"}, {"cve.2021.44228", "log4shell"},
	{"nosql", "nosql-injection"}, {"sql_inj", "sql-injection"}, {"sql inj", "sql-injection"}, {"sqli", "sql-injection"}, {"sqlmap", "sql-injection"}, {"error_based", "sql-injection"},
	{"xss", "cross-site-scripting"}, {"cross-site", "cross-site-scripting"}, {"cross_site", "cross-site-scripting"}, {"ssti", "template-injection"}, {"template inj", "template-injection"},
	{"xxe", "xxe"}, {"ssrf", "ssrf"}, {"server-side request", "ssrf"}, {"webshell", "webshell"}, {"web shell", "webshell"}, {"t1505.003", "webshell"}, {"ldap inj", "ldap-injection"},
	{"traversal", "path-traversal"}, {"t1083", "path-traversal"}, {"lfi", "path-traversal"}, {"file inclusion", "path-traversal"}, {"source_code_enum", "sensitive-file-probe"},
	{"attack.t1562", "cloud-defense-evasion"}, {"attack.t1098", "cloud-persistence"}, {"attack.t1136", "cloud-persistence"},
	{"attack.t1537", "cloud-exfiltration"}, {"attack.t1530", "cloud-exfiltration"}, {"attack.t1486", "cloud-exfiltration"}, {"attack.t1496", "cloud-cost-abuse"},
	{"attack.t1580", "cloud-recon"}, {"attack.t1526", "cloud-recon"}, {"attack.t1552.005", "cloud-credential-theft"},
	{"brute", "brute-force"}, {"t1110", "brute-force"}, {"cmd_inj", "command-injection"}, {"command inj", "command-injection"}, {"code inj", "command-injection"}, {" rce", "command-injection"}, {"_rce", "command-injection"}, {"remote code", "command-injection"}, {"t1059", "command-injection"},
	{"deserial", "known-cve-exploit"}, {"cve.", "known-cve-exploit"}, {"cve-", "known-cve-exploit"}, {"cve_", "known-cve-exploit"}, {"exploit", "known-cve-exploit"},
	{"attack.t1595", "recon-scanning"}, {"scanner", "recon-scanning"}, {"t1592", "recon-scanning"}, {"attack.t1499", "dos-flood"}, {"attack.t1498", "dos-flood"},
}

// Threats by tactic, where no word tells more: in the cloud and elsewhere.
var tacticThreats = []struct{ tag, cloud, other string }{
	{"attack.defense-evasion", "cloud-defense-evasion", ""}, {"attack.defense_evasion", "cloud-defense-evasion", ""}, {"attack.privilege-escalation", "cloud-privilege-escalation", ""},
	{"attack.privilege_escalation", "cloud-privilege-escalation", ""}, {"attack.persistence", "cloud-persistence", ""}, {"attack.credential", "cloud-credential-theft", "brute-force"},
	{"attack.exfiltration", "cloud-exfiltration", "data-exfiltration"}, {"attack.impact", "cloud-exfiltration", "destructive-calls"}, {"attack.discovery", "cloud-recon", "recon-scanning"},
	{"attack.reconnaissance", "cloud-recon", "recon-scanning"}, {"attack.collection", "cloud-exfiltration", "data-exfiltration"},
}

// Kill-chain stages by tactic.
var tacticStages = []struct{ tag, stage string }{
	{"attack.reconnaissance", "recon"}, {"attack.discovery", "recon"}, {"attack.exfiltration", "exfiltration"}, {"attack.impact", "action"}, {"attack.collection", "exfiltration"},
	{"attack.persistence", "foothold"}, {"attack.privilege", "foothold"}, {"attack.defense", "action"}, {"attack.command", "foothold"}, {"attack.initial", "exploit"}, {"attack.execution", "exploit"},
	{"attack.credential", "exploit"}, {"attack.lateral", "foothold"},
}

// Confidence of rules that state none, by status and level: foreign rules are measured on foreign logs.
var levelConfidence = [...]float64{event.Informational: 0.1, event.Low: 0.2, event.Medium: 0.4, event.High: 0.6, event.Critical: 0.75}

// derive fills in what a rule without a vanguard block does not say.
func derive(r *Rule, d *event.Detector) {
	if d.Threat != "" && d.Stage != "" && d.Confidence != 0 {
		return // Fast path - the rule says it all.
	}
	file := r.File[strings.LastIndexByte(r.File, '/')+1:]
	words := strings.ToLower(strings.Join(r.Tags, " ") + " " + r.Name + " " + r.Title + " " + file)
	if d.Threat == "" {
		d.Threat = deriveThreat(r, words)
	}
	if d.Stage == "" {
		d.Stage = "exploit"
		for _, t := range tacticStages {
			if strings.Contains(words, t.tag) {
				d.Stage = t.stage
				break
			}
		}
	}
	if d.Confidence == 0 {
		d.Confidence = levelConfidence[r.Level]
		if r.Status == "experimental" || r.Status == "unsupported" || r.Status == "deprecated" {
			d.Confidence *= 0.7
		}
	}
}

func deriveThreat(r *Rule, words string) string {
	cloud := r.Logsource.Product == "aws" || r.Logsource.Product == "azure" || r.Logsource.Product == "gcp" || r.Logsource.Service == "cloudtrail"
	for _, w := range threatWords {
		if !strings.Contains(words, w.word) || strings.HasPrefix(w.threat, "cloud-") && !cloud {
			continue
		}
		if w.threat == "brute-force" && (r.Logsource.Service == "sshd" || strings.Contains(words, "ssh")) {
			return "ssh-brute-force"
		}
		return w.threat
	}
	for _, t := range tacticThreats {
		if !strings.Contains(words, t.tag) {
			continue
		}
		if cloud {
			return t.cloud
		}
		if t.other != "" {
			return t.other
		}
	}
	if cloud {
		return "cloud-recon"
	}
	return "api-abuse"
}
