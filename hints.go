package vanguard

import (
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// The formats that record everything which the engine asks of an access log; it reads them without being told (hints_test.go).
// Request bodies are not in them: they hold passwords. The application's own log says what it did.
const (
	hintNginx = `log_format vanguard '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                    '"$http_referer" "$http_user_agent" $request_time "$http_x_forwarded_for"';
access_log /var/log/nginx/access.log vanguard;`
	hintApache = `LogFormat "%h %l %u %t \"%r\" %>s %B \"%{Referer}i\" \"%{User-Agent}i\" %D \"%{X-Forwarded-For}i\"" vanguard
CustomLog ${APACHE_LOG_DIR}/access.log vanguard`
	hintCloudTrail = `aws cloudtrail put-event-selectors --trail-name TRAIL --event-selectors \
  '[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3"]},{"Type":"AWS::Lambda::Function","Values":["arn:aws:lambda"]}]}]'`
)

// logHints are configurations that record what these logs lack (see notSeen), where a line of configuration can.
func (c *count) logHints() (out []LogHint) {
	l := &c.lacks
	lack := func(n int) bool { return n*10 >= l.web*9 }
	from := func(name string) bool {
		return slices.ContainsFunc(c.formats, func(f FormatCount) bool { return strings.Contains(f.Name, name) })
	}
	// Of a log in JSON or of an application's own making, the fields are its author's choice: nothing to recommend.
	if l.web > 0 && (from("combined") || from("common") || from("nginx") || from("apache")) &&
		(lack(l.status) || lack(l.size) || lack(l.duration) || lack(l.agent) || lack(l.proxied)) {
		nginx, apache := from("nginx"), from("apache")
		if nginx || !apache {
			out = append(out, LogHint{"nginx", hintNginx})
		}
		if apache || !nginx {
			out = append(out, LogHint{"Apache", hintApache})
		}
	}
	if c.kinds[event.KindCloud] > 0 && c.kinds[event.KindWeb] == 0 && from("cloudtrail") {
		out = append(out, LogHint{"AWS CloudTrail", hintCloudTrail})
	}
	return out
}
