package vanguard

import (
	"bytes"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// Platforms are the platforms that threat pages name, in the order in which tables show them.
var Platforms = []string{"nginx", "Apache", "Node.js", "AWS", "WordPress", "Linux"}

// platformsOf tells on which platforms a record like ev is at home. Several, where they write the same bytes: a combined line is
// nginx's and Apache's, and one about /wp-login.php WordPress's too. None, where the format does not tell: any program writes JSON.
func platformsOf(ev *event.Event) (at []string) {
	format := ev.Format
	has := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(format, p) {
				return true
			}
		}
		return false
	}
	switch {
	case ev.Kind == event.KindCloud, has("aws_", "cloudfront", "s3_access", "vpc_flow", "apigateway", "api_gateway", "guardduty", "securityhub", "route53", "cloudtrail", "bedrock"):
		at = append(at, "AWS")
	case has("nginx_combined", "combined", "common", "clf"):
		at = append(at, "nginx", "Apache")
	case has("nginx"):
		at = append(at, "nginx")
	case has("apache", "vhost"):
		at = append(at, "Apache")
	case has("morgan", "pino", "bunyan", "winston"):
		at = append(at, "Node.js")
	case ev.Kind == event.KindAuth, ev.Kind == event.KindSystem:
		at = append(at, "Linux")
	}
	if path := ev.Get(event.Path); string(ev.Get(event.App)) == "wordpress" || bytes.Contains(path, []byte("/wp-")) || bytes.HasSuffix(path, []byte("/xmlrpc.php")) ||
		bytes.Contains(ev.Text, []byte("/wp-content/")) {
		at = append(at, "WordPress")
	}
	return at
}
