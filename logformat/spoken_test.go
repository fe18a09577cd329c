package logformat

import (
	"bytes"
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

func TestFoundingLine(t *testing.T) {
	expect(t, `ERROR: Unauthorized access attempt detected for API /v1/deleteUser from IP 192.168.1.100 - Request Body: {"userId":"12345"}`,
		`kind=app|understood=true|lvl=error|client=192.168.1.100|p=/v1/deleteUser|body={"userId":"12345"}|api bad|msg=Unauthorized access attempt detected for API /v1/deleteUser from IP 192.168.1.100 - Request Body: {"userId":"12345"}`)
	s, _ := NewStream("x", nil)
	b, _ := s.Next([]byte(`ERROR: denied for API /v1/x from IP 192.0.2.1 - Request Body: {"userId":"12345"}`), true)
	var ev event.Event
	b.Parse(func(e *event.Event) *event.Event {
		if e != nil {
			if e.Object == nil {
				t.Fatal("the body is not shown as structured")
			}
			if v, _ := e.Object.Lookup(nil, []string{"userId"}); len(v) != 1 || string(v[0]) != "12345" {
				t.Errorf("userId = %q", v)
			}
		}
		ev.Reset()
		return &ev
	})
}

func TestSSHD(t *testing.T) {
	f := func(msg, want string) {
		t.Helper()
		expect(t, "Nov 23 03:10:11 web1 sshd[4711]: "+msg, "kind=auth|host.name=web1|proc=sshd|process.pid=4711|msg="+msg+"|"+want)
	}
	f("Failed password for root from 192.0.2.1 port 4711 ssh2", "login bad|u=root|client=192.0.2.1|port=4711|why=password")
	f("Failed password for invalid user admin from 2001:db8::7 port 4711 ssh2", "login bad|u=admin|client=2001:db8::7")
	f("Failed keyboard-interactive/pam for invalid user x from 192.0.2.1 port 1 ssh2", "login bad|u=x")
	f("Failed publickey for git from 192.0.2.1 port 5 ssh2: RSA SHA256:abc", "login bad|u=git|client=192.0.2.1")
	f("Failed none for invalid user  from 192.0.2.1 port 5 ssh2", "login bad|u=|client=192.0.2.1")
	f("Accepted password for ops from 192.0.2.1 port 4711 ssh2", "login ok|u=ops|client=192.0.2.1")
	f("Accepted publickey for ops from 192.0.2.1 port 4711 ssh2: ED25519 SHA256:Zm9v", "login ok|u=ops|why=publickey")
	f("Invalid user admin from 192.0.2.1 port 4711", "login bad|u=admin|client=192.0.2.1")
	f("Invalid user admin from 192.0.2.1", "login bad|u=admin|client=192.0.2.1|!port")
	f("Connection closed by authenticating user root 192.0.2.1 port 4711 [preauth]", "login bad|u=root|client=192.0.2.1|port=4711")
	f("Connection reset by invalid user x y 192.0.2.1 port 4711 [preauth]", "login bad|u=x y|client=192.0.2.1")
	f("Connection closed by 192.0.2.1 port 4711 [preauth]", "client=192.0.2.1|says nothing|event.action=connection")
	f("Disconnected from authenticating user root 192.0.2.1 port 4711 [preauth]", "login bad|u=root|client=192.0.2.1")
	f("Disconnected from user ops 192.0.2.1 port 4711", "event.action=logout|u=ops|client=192.0.2.1|!res")
	f("Disconnecting invalid user a 192.0.2.1 port 4711: Too many authentication failures [preauth]", "login bad|u=a|client=192.0.2.1|why=Too many authentication failures")
	f("error: maximum authentication attempts exceeded for invalid user root from 192.0.2.1 port 4711 ssh2 [preauth]", "login bad|u=root|client=192.0.2.1")
	f("Did not receive identification string from 192.0.2.1 port 4711", "client=192.0.2.1|says nothing")
	f("Unable to negotiate with 192.0.2.1 port 4711: no matching key exchange method found. Their offer: diffie-hellman-group1-sha1 [preauth]", "client=192.0.2.1|says nothing")
	f("banner exchange: Connection from 192.0.2.1 port 4711: invalid format", "client=192.0.2.1|port=4711")
	f("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root", "login bad|u=root|client=192.0.2.1")
	f("User ops from 192.0.2.1 not allowed because not listed in AllowUsers", "login bad|u=ops|client=192.0.2.1")
	f("message repeated 3 times: [ Failed password for root from 192.0.2.1 port 4711 ssh2]", "login bad|u=root|client=192.0.2.1|event.repeated=3")
	f("reverse mapping checking getaddrinfo for host.example [192.0.2.1] failed - POSSIBLE BREAK-IN ATTEMPT!", "client=192.0.2.1")
	// A stranger's user name forges nothing.
	f("Failed password for invalid user root from 203.0.113.66 port 22 ssh2 from 192.0.2.1 port 4711 ssh2", "login bad|client=192.0.2.1|port=4711|u=root from 203.0.113.66 port 22 ssh2")
	f("Invalid user Accepted password for root from 203.0.113.66 port 22 from 192.0.2.1 port 4711", "login bad|client=192.0.2.1")
	f("Connection closed by invalid user from 203.0.113.66 port 22 [preauth] 192.0.2.1 port 4711 [preauth]", "login bad|client=192.0.2.1")
	f("Failed password for invalid user \" rhost=203.0.113.66 from 192.0.2.1 port 1 ssh2", "client=192.0.2.1")
}

func TestAuth(t *testing.T) {
	f := func(line, want string) { t.Helper(); expect(t, line, want) }
	f("Nov 23 03:10:11 h sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt update", "kind=auth|u=alice|event.action=sudo|res=success|cmd=/usr/bin/apt update|on=root")
	f("Nov 23 03:10:11 h sudo:    eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/sh", "u=eve|event.action=sudo|res=failure|why=user NOT in sudoers|cmd=/bin/sh")
	f("Nov 23 03:10:11 h sudo:    eve : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/sh", "res=failure|why=3 incorrect password attempts")
	f("Nov 23 03:10:11 h sudo: pam_unix(sudo:auth): authentication failure; logname=eve uid=1000 euid=0 tty=/dev/pts/0 ruser=eve rhost=  user=eve", "event.action=sudo|res=failure|u=eve|!client")
	f("Nov 23 03:10:11 h sudo: pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)", "event.action=session|u=root|who=alice|!res")
	f("Nov 23 03:10:11 h pkexec[9]: eve: The value for the SHELL variable was not found the /etc/shells file [USER=root] [TTY=/dev/pts/3]", "kind=auth|u=eve")
	f("Nov 23 03:10:11 h su[9]: FAILED SU (to root) eve on pts/1", "event.action=su|res=failure|u=eve|on=root")
	f("Nov 23 03:10:11 h su[9]: (to root) alice on pts/1", "event.action=su|res=success|u=alice")
	f("Nov 23 03:10:11 h su(pam_unix)[9]: authentication failure; logname= uid=1342 euid=0 tty= ruser=eve rhost=  user=root", "event.action=su|res=failure|u=root|proc=su")
	f("Nov 23 03:10:11 h su[9]: BAD SU eve to root on /dev/ttyp0", "event.action=su|res=failure|u=eve|on=root")
	f("%ASA-6-113005: AAA user authentication Rejected : reason = Invalid password : server = 10.0.0.1 : user = bob : user IP = 192.0.2.1", "lvl=info|login bad|client=192.0.2.1|u=bob")
	f("Nov 23 03:10:11 h useradd[9]: new user: name=backdoor, UID=0, GID=0, home=/root, shell=/bin/bash", "event.action=user-create|on=backdoor|res=success")
	f("Nov 23 03:10:11 h usermod[9]: add 'eve' to group 'sudo'", "event.action=group-add|on=eve|group.name=sudo")
	f("Nov 23 03:10:11 h passwd[9]: pam_unix(passwd:chauthtok): password changed for bob", "event.action=password-change|u=bob|res=success")
	f("Nov 23 03:10:11 h CRON[9]: (root) CMD (/usr/local/bin/backup)", "event.action=cron|u=root|cmd=/usr/local/bin/backup|kind=system")
	f("Nov 23 03:10:11 h CRON[9]: pam_unix(cron:session): session opened for user root by (uid=0)", "event.action=session|!res")
	f("Nov 23 03:10:11 h dropbear[9]: Bad password attempt for 'root' from 192.0.2.1:4711", "kind=auth|login bad|u=root|client=192.0.2.1|port=4711")
	f("Nov 23 03:10:11 h dropbear[9]: Password auth succeeded for 'root' from 192.0.2.1:4711", "login ok|u=root|client=192.0.2.1")
	f("Nov 23 03:10:11 h dropbear[9]: Login attempt for nonexistent user from 192.0.2.1:4711", "login bad|client=192.0.2.1")
	f("Nov 23 03:10:11 h postfix/smtpd[9]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6", "kind=auth|login bad|client=192.0.2.1|proc=postfix/smtpd")
	f("Nov 23 03:10:11 h dovecot: imap-login: Disconnected (auth failed, 3 attempts in 9 secs): user=<bob@example.com>, method=PLAIN, rip=192.0.2.1, lip=10.0.0.1, session=<x>", "kind=auth|login bad|u=bob@example.com|client=192.0.2.1")
	f("Nov 23 03:10:11 h exim[9]: dovecot_login authenticator failed for ([203.0.113.66]) [192.0.2.1]:4711: 535 Incorrect authentication data (set_id=bob@example.com)", "login bad|client=192.0.2.1|u=bob@example.com")
	f("Nov 23 03:10:11 h pure-ftpd: (?@192.0.2.1) [WARNING] Authentication failed for user [root]", "login bad|client=192.0.2.1|u=root")
	f("Nov 23 03:10:11 h named[9]: client @0x7f 192.0.2.1#3076 (example.com): query (cache) 'example.com/ANY/IN' denied", "kind=system|client=192.0.2.1|port=3076|res=failure")
	f("Nov 23 03:10:11 h pvedaemon[9]: authentication failure; rhost=::ffff:192.0.2.1 user=root@pam msg=no such user", "kind=auth|login bad|client=192.0.2.1|u=root@pam")
	f("2026-11-23T03:10:11.123456+01:00 h sshd-session[9]: Failed password for root from 192.0.2.1 port 1 ssh2", "login bad|time=2026-11-23T02:10:11.123456Z")
	f(`type=USER_LOGIN msg=audit(1795403411.123:42): pid=9 uid=0 auid=4294967295 ses=1 msg='op=login acct="root" exe="/usr/sbin/sshd" hostname=192.0.2.1 addr=192.0.2.1 terminal=ssh res=failed'`, "format=auditd|kind=auth|event.action=login|res=failure|client=192.0.2.1|u=root|time=2026-11-23T03:10:11.123Z")
	f(`type=SYSCALL msg=audit(1795403411.123:42): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=2 auid=1000 uid=33 comm="sh" exe="/usr/bin/dash" key="web"`, "format=auditd|kind=system|event.action=SYSCALL|res=success|process.pid=2")
}

func TestSyslog(t *testing.T) {
	f := func(line, want string) { t.Helper(); expect(t, line, want) }
	f("<38>Nov 23 03:10:11 h sshd[9]: Accepted password for ops from 192.0.2.1 port 1 ssh2", "login ok|lvl=info|client=192.0.2.1")
	f("<34>1 2026-11-23T03:10:11.003Z h su - ID47 - 'su root' failed for eve on /dev/pts/8", "format=syslog|kind=system|host.name=h|proc=su|lvl=critical|time=2026-11-23T03:10:11.003Z")
	f(`<165>1 2026-11-23T03:10:11Z h app 12 - [ex@1 ip="192.0.2.1" user="bob"] Login failed`, "login bad|process.pid=12|client=192.0.2.1|u=bob")
	f(`<165>1 2026-11-23T03:10:11Z h nginx - - - 192.0.2.1 - - [23/Nov/2026:03:10:11 +0000] "GET /x HTTP/1.1" 404 5 "-" "ua"`, "kind=web|client=192.0.2.1|p=/x|status=404|host.name=h")
	f(`Nov 23 03:10:11 lb haproxy[9]: 192.0.2.1:4711 [23/Nov/2026:03:10:11.127] http-in app/s1 1/0/0/3/17 403 73 - - ---- 1/1/0/0/0 0/0 "GET /y HTTP/1.1"`, "kind=web|client=192.0.2.1|p=/y|status=403")
	f(`Nov 23 03:10:11 h app[9]: {"level":"warn","msg":"Login failed","ip":"192.0.2.1","user":"bob"}`, "client=192.0.2.1|u=bob|login bad|lvl=warn")
	f(`Nov 23 03:10:11 h kernel: [12.5] DROP IN=eth0 OUT= MAC=00 SRC=192.0.2.1 DST=198.51.100.1 LEN=40 PROTO=TCP SPT=5 DPT=22 SYN`, "kind=flow|client=192.0.2.1|port=5|dip=198.51.100.1|network.transport=TCP|res=failure")
	f(`Nov 23 03:10:11 fw filterlog: 53,,,1000000301,em0,match,block,in,4,0x0,,64,420,0,none,6,tcp,60,192.0.2.1,198.51.100.1,53742,22,0,S,1,,1,,`, "kind=flow|client=192.0.2.1|dip=198.51.100.1|event.action=block|res=failure")
	f("Nov 23 03:10:11 h systemd[1]: Started nginx.service - A web server.", "format=syslog|kind=system|proc=systemd|says nothing|!client")
	f("Nov 23 03:10:11 h Google Chrome Helper[42]: text here", "proc=Google Chrome Helper|process.pid=42")
	f("Nov 23 03:10:11 h last message repeated 3 times", "format=syslog|msg=last message repeated 3 times")
	f("-- Logs begin at Mon 2026-11-23 00:00:00 UTC. --", "format=journal|kind=system")
	// No syslog: an application's own line that begins with a time.
	f("2026-11-23T03:10:11Z [info] shop: Started", "format=text_app|!host.name")
	f("2026-11-23T03:10:11Z starting worker: ok", "format=text_app")
}

func TestWrappers(t *testing.T) {
	f := func(line, want string) { t.Helper(); expect(t, line, want) }
	web := `192.0.2.1 - - [23/Nov/2026:03:10:11 +0000] "GET /x HTTP/1.1" 404 5 "-" "ua"`
	f("web_1  | "+web, "kind=web|client=192.0.2.1|p=/x")
	f("\x1b[36mweb-1  |\x1b[0m "+web, "understood=true")
	f("2026-11-23T03:10:12.123456789Z stdout F "+web, "kind=web|client=192.0.2.1|p=/x|time=2026-11-23T03:10:11Z")
	f("2026-11-23T03:10:12.123456789Z stderr P half a line", "format=cri|msg=half a line|time=2026-11-23T03:10:12.123456789Z")
	f("2026-11-23T03:10:12.1Z stdout F {\"msg\":\"Login failed\",\"ip\":\"192.0.2.1\"}", "login bad|client=192.0.2.1|time=2026-11-23T03:10:12.1Z")
	f("[pod/api-7/api] "+web, "kind=web|client=192.0.2.1|p=/x")
	f(`web  | web  | web  | web  | web  | web  | web  | web  | web  | deep`, "understood=true")
	f("CEF:0|Vendor|Product|1|100|Threat blocked|7|src=192.0.2.1 spt=5 dst=198.51.100.1 dpt=80 proto=TCP", "format=cef|kind=finding|client=192.0.2.1|rule=Threat blocked")
	f("11/23/2026-03:10:11.123456  [**] [1:2000:3] TEST scan [**] [Classification: Recon] [Priority: 2] {TCP} 192.0.2.1:5 -> 198.51.100.1:22", "format=suricata_fast|kind=finding|client=192.0.2.1|dip=198.51.100.1|rule=TEST scan|why=Recon")
	f(`<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><EventID>4625</EventID><TimeCreated SystemTime="2026-11-23T03:10:11.1Z"/><Computer>dc1</Computer></System><EventData><Data Name="TargetUserName">bob</Data><Data Name="IpAddress">192.0.2.1</Data></EventData></Event>`, "kind=auth|login bad|u=bob|client=192.0.2.1|host.name=dc1")
}

// What a message's words come to.
func TestSaid(t *testing.T) {
	f := func(msg, want string) { t.Helper(); expect(t, "2026-11-23T03:10:11Z [info] app: "+msg, want) }
	for _, m := range []string{
		"Login failed for user 'bob' from 192.0.2.1", "Failed login attempt by 192.0.2.1", "Invalid credentials for bob (192.0.2.1)", "authentication failure; user=bob rhost=192.0.2.1",
		"Username or password is incorrect. IP: 192.0.2.1. Username: bob.", "Authentication request for \"bob\" has been denied (IP: \"192.0.2.1\").", "Auth-Failure ip 192.0.2.1 username 'bob'",
		"Wrong password for bob from 192.0.2.1", "Access denied for user 'bob'@'192.0.2.1' (using password: YES)", "password authentication failed for user \"bob\" 192.0.2.1", "bob could not be authenticated, ip=192.0.2.1",
		"Unsuccessful login from 192.0.2.1", "type=LOGIN_ERROR, ipAddress=192.0.2.1, error=invalid_user_credentials, username=bob", "No such user bob, 192.0.2.1", "user bob not found, from 192.0.2.1",
		"login from 192.0.2.1 rejected", "FAIL LOGIN: Client \"192.0.2.1\"", "Fehlgeschlagene Anmeldung von 192.0.2.1", "Account bob@example.com is locked, login from 192.0.2.1 rejected", "Password did not match for bob, ip 192.0.2.1",
		"Authentication attempt from [192.0.2.1, 172.18.0.2] for user \"bob\" failed.", "AUTHFAIL: user=bob ip=192.0.2.1", "Event 1: Cannot login bob@192.0.2.1", "failed to find user: login \"bob\" from ip 192.0.2.1", "badlogin: user=bob ip=192.0.2.1 mechanism PLAIN",
		"EAP method MSCHAPV2 failed for user=bob at 192.0.2.1", "unable to log in user=bob (192.0.2.1)", "Wrong username, password or second factor: user=bob ip=192.0.2.1",
	} {
		f(m, "login bad|client=192.0.2.1")
	}
	for m, u := range map[string]string{"Invalid login as root from 192.0.2.1": "root", "login failure for user admin from 192.0.2.1 via ssh": "admin", "Cannot login root@192.0.2.1": "root"} {
		f(m, "login bad|client=192.0.2.1|u="+u)
	}
	for _, m := range []string{"User bob logged in from 192.0.2.1", "Login OK user=bob ip=192.0.2.1", "Successful authentication for 'bob' from 192.0.2.1", "Authentication request for bob has succeeded. 192.0.2.1", "session opened for bob rhost=192.0.2.1", "Accepted password for bob from 192.0.2.1", "bob signed in (192.0.2.1)"} {
		f(m, "login ok|client=192.0.2.1")
	}
	for _, m := range []string{"Forbidden: user 7 tried GET /api/x ip=192.0.2.1", "Unauthorized access attempt to GET /api/x from 192.0.2.1: no token provided", "Access denied for user bob@example.com on GET /api/x: requires role admin [192.0.2.1]", "JsonWebTokenError: jwt malformed - GET /api/x from 192.0.2.1",
		"No auth token on GET /api/x (ip 192.0.2.1)", "API key rejected for GET /api/x from 192.0.2.1", "401 GET /api/x missing credentials ip=192.0.2.1", "Validation error on GET /api/x: password too short (ip 192.0.2.1)"} {
		f(m, "api bad|client=192.0.2.1|m=GET|p=/api/x")
	}
	for _, m := range []string{"Too many requests from 192.0.2.1, throttled", "rate limit exceeded ip=192.0.2.1"} {
		f(m, "api bad|client=192.0.2.1")
	}
	f("Order 12 deleted by user 7 (eve@example.com) ip=192.0.2.1", "event.action=api-call|res=success|uid=7|u=eve@example.com|client=192.0.2.1")
	f("Password reset requested for bob@example.com from 192.0.2.1", "event.action=password-reset|u=bob@example.com|!res")
	f("Password changed for user 7 from 192.0.2.1", "event.action=password-change|res=success|uid=7")
	f("New account bob@example.com registered from 192.0.2.1", "event.action=register|res=success|u=bob@example.com")
	f("charge failed (card_declined) user=bob ip=192.0.2.1 amount=1", "event.action=payment|res=failure|u=bob")
	f("Payment captured for user 7 amount 5 ip 192.0.2.1", "event.action=payment|res=success|uid=7")
	f("User bob logged out from 192.0.2.1", "event.action=logout|!res")
	f("OTP sms sent to 4670 requested by 192.0.2.1", "event.action=mfa|!res")
	// Words that are nobody's verdict on a login.
	for _, m := range []string{"GraphQL Me (22 chars, 0 failed logins) from 192.0.2.1", "no failed logins in the last hour from 192.0.2.1", "login page served", "Failed to load the login page", "password policy updated by the config service", "authentication service connection timeout", "Failed to send password mail", "0 authentication failures",
		"Product search \"login failed for admin\" -> 0 rows (192.0.2.1)", "Display name set to 'Accepted password for root'", "viewing /login/failed/password", "comment=\"Unauthorized\" saved=1", "SQLITE_ERROR: unrecognized token: \"' LIMIT\""} {
		f(m, "!event.category")
	}
	f("SSL user failed to logged in from 192.0.2.1", "login bad")
	f(`[client IP="192.0.2.1, 10.0.0.2"] failed to authenticate user: bob`, "login bad|client=192.0.2.1|peer=10.0.0.2|u=bob")
	f("New connection: 192.0.2.1:4711 (10.0.0.1:22) [session: 3e5a]", "client=192.0.2.1|dip=10.0.0.1")
	f("authenticator failed for (x) [192.0.2.1]:5 I=[198.51.100.1]:25: 535 Incorrect authentication data", "login bad|client=192.0.2.1")
	f("tcp/accept: 192.0.2.1.50550 0.0.0.0.1080: password authentication failed for user \"bob\"", "login bad|client=192.0.2.1|port=50550|u=bob")
	f("IP 192.0.2.1.43436 > 198.51.100.2.22: Flags [S]", "client=192.0.2.1|dip=198.51.100.2|port=43436")
	f("login attempt for nonexistent user from ::ffff:192.0.2.1:4711", "login bad|client=192.0.2.1|port=4711")
	// Who and whence: the server's part of the sentence.
	f("Failed login for alice from 203.0.113.66 from 192.0.2.1", "client=192.0.2.1")
	f("Webhook test by user 7 to http://203.0.113.66/x -> 200 ip=192.0.2.1", "client=192.0.2.1|uid=7|!status")
	f("400 bad input /api/hook destination not allowed: 203.0.113.66 192.0.2.1", "client=192.0.2.1|p=/api/hook")
	f("connection from 192.0.2.1:5 to 198.51.100.1:80", "client=192.0.2.1|dip=198.51.100.1")
	f("User eve@example.com logged in from 203.0.113.66 by user 7 (192.0.2.1)", "client=192.0.2.1")
	f(`Search by bob@example.com filter={"ip":"203.0.113.66","$ne":1} -> 0 rows ip=192.0.2.1`, `client=192.0.2.1|u=bob@example.com|body={"ip":"203.0.113.66","$ne":1}`)
	f("Display name set to x\\n2026-11-23T03:10:12Z [info] app: User admin@example.com logged in from 203.0.113.66 (192.0.2.1)", "client=192.0.2.1|says nothing|!u")
	f("Failed login for user jean-luc.picard from [2001:db8::1]:4711", "client=2001:db8::1|port=4711|u=jean-luc.picard|login bad")
}

func TestText(t *testing.T) {
	f := func(line, want string) { t.Helper(); expect(t, line, want) }
	// A file of the machine is not what a client asked for, unless the words say so.
	f("/usr/sbin/mysqld, Version: 8.0.43 ((Ubuntu)). started with:", "!p")
	f("/bin/ps auxww", "!p")
	f("[2026-11-23 03:10:11] local.ERROR: class Cors does not exist at /site/vendor/Container.php:916)", "!p|lvl=error")
	f("[2026-11-23 03:10:11] local.ERROR: not found: path=/etc/passwd", "p=/etc/passwd|lvl=error")
	f("[10-Oct-2026 12:00:00 UTC] PHP Fatal error:  Uncaught Error: boom in /var/www/x.php:3", "kind=error|lvl=fatal|format=php_error|time=2026-10-10T12:00:00Z")
	f("[10-Oct-2026 12:00:00 UTC] WordPress database error You have an error in your SQL syntax for query SELECT 1", "time=2026-10-10T12:00:00Z|format=php_error|kind=error")
	f(`[2026-11-23 03:10:11] production.ERROR: Login failed {"ip":"192.0.2.1","email":"bob@example.com"} []`, "lvl=error|proc=production|client=192.0.2.1|u=bob@example.com|login bad")
	f("2026-11-23 03:10:11,123 WARN  [org.example.Auth] (thread-1) Failed login for bob from 192.0.2.1", "lvl=warn|proc=org.example.Auth|client=192.0.2.1|login bad|time=2026-11-23T03:10:11.123")
	f("2026/11/23 03:10:11 [error] POST 192.0.2.1 /control/login: invalid username or password", "client=192.0.2.1|m=POST|p=/control/login|login bad")
	f("I, [2026-11-23T03:10:11.678 #1]  INFO -- : Successful authentication for 'bob' from 192.0.2.1", "lvl=info|login ok|u=bob|client=192.0.2.1|time=2026-11-23T03:10:11.678")
	f("E1123 03:10:11.619632  4711 auth.go:12] login failed from 192.0.2.1", "lvl=error|login bad|client=192.0.2.1|time=1970-11-23T03:10:11.619632")
	f("[Nest] 7  - 11/23/2026, 7:32:47 PM    WARN [Auth] Failed login attempt for user a@example.com from ip address 192.0.2.1", "lvl=warn|time=2026-11-23T19:32:47|client=192.0.2.1|u=a@example.com|login bad")
	f("2026-11-23 03:10:11.536 UTC [147] 192.0.2.1 bob@shop FATAL:  password authentication failed for user \"bob\"", "lvl=fatal|client=192.0.2.1|u=bob|login bad")
	f("2026-11-23T03:10:11.1Z 344 [Note] Access denied for user 'root'@'192.0.2.1' (using password: YES)", "client=192.0.2.1|u=root|login bad")
	f("Mon Nov 23 12:08:53 2026 [pid 7] [bob] FAIL LOGIN: Client \"::ffff:192.0.2.1\"", "client=192.0.2.1|login bad|time=2026-11-23T12:08:53")
	f("\x1b[33m2026-11-23 03:10:11\x1b[39m \x1b[31mERROR\x1b[0m Failed login for bob from 192.0.2.1", "lvl=error|login bad|client=192.0.2.1")
	f("ERROR    2026-11-23T03:10:11 - Incorrect username or password from 192.0.2.1", "lvl=error|login bad|time=2026-11-23T03:10:11")
	f("03:10:11.123 something happened to 192.0.2.1", "understood=true|!time")
	f(`time="2026-11-23T03:10:11Z" level=warning msg="Login failed: invalid password" remote_ip=192.0.2.1 user="bob"`, "format=logfmt|kind=app|lvl=warn|client=192.0.2.1|u=bob|login bad|msg=Login failed: invalid password")
	f(`time=2026-11-23T03:10:11Z level=warn msg="invalid filter" got="a' or 1=1--" size=7 host_name=h file=/srv/a.go ip=192.0.2.1`, "format=logfmt|got=a' or 1=1--|!size|!file") // quoted input stands under names of its own
	f(`2026-11-23 03:10:11,123 WARNING django.request: Not Found: /x/?q=1`, "kind=app|p=/x/|q=q=1|status=404|lvl=warn")
	f(`2026-11-23 03:10:11,123 WARNING django.security.csrf: Forbidden (CSRF cookie not set.): /login/`, "kind=app|p=/login/|status=403")
	f(`2026-11-23 03:10:11,123 WARNING shop: Not Found: the page /x`, "kind=app|!status")
	f(`ts=2026-11-23T03:10:11Z lvl=info method=GET path=/x?a=1 status=200 duration=12ms ip=192.0.2.1 bytes=7`, "format=logfmt|kind=web|m=GET|p=/x|q=a=1|status=200|took=12ms|bytes=7|client=192.0.2.1")
	f(`level=info msg="name set to \"login failed\"" time=2026-11-23T03:10:11Z ip=192.0.2.1`, "says nothing|client=192.0.2.1")
	f(`date=2026-11-23 time=03:10:11 level="alert" action="login" remip=192.0.2.1 user="N/A" status="failed"`, "time=2026-11-23T03:10:11|client=192.0.2.1|!u|login bad")
	f("something with 192.0.2.1 in it", "understood=false|kind=text|client=192.0.2.1|msg=something with 192.0.2.1 in it")
	f("just words", "understood=false|format=text|kind=text")
	f("2026-11-23 03:10:11 ERROR boom\n  at a.b(c.js:1)\n  at d", "lines=3|lvl=error")
	f(`{"a":`, "understood=false")
	f("{not json} at all", "understood=false")
}

func FuzzStructured(f *testing.F) {
	for _, s := range []string{trail, `{"log":"{\"a\":\"b\"}\n","stream":"x","time":"2026-11-23T03:10:11Z"}`, "Nov 23 03:10:11 h sshd[9]: Failed password for invalid user x from 192.0.2.1 port 1 ssh2", "<34>1 2026-11-23T03:10:11Z h a 1 - [x y=\"]\"] m",
		"2026-11-23 03:10:11 ERROR [x] (a) Login failed for 'b' from ::1 {\"a\":[1,{}]}", "type=SYSCALL msg=audit(1.2:3): a=b msg='c=d", "web | web | x=y z", "CEF:0|a|b|c|d|e|f|src=1.2.3.4", "E1123 03:10:11.6 1 a.go:1] x", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`, `[{"a":1},{"b":"\ud83d`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if at := bytes.IndexByte(data, '{'); at >= 0 {
			sameNodes(t, data[at:])
		}
		s, err := NewStream("fuzz", nil)
		if err != nil {
			t.Fatal(err)
		}
		var ev event.Event
		var vals [][]byte
		for buf := data; ; {
			b, n := s.Next(buf, true)
			if n == 0 {
				return
			}
			b.Parse(func(e *event.Event) *event.Event {
				if e != nil {
					if e.Object != nil {
						e.Object.Walk(func(path, value []byte) bool { return true })
						vals, _ = e.Object.Lookup(vals[:0], []string{"a", "b"})
					}
					for k := range event.NumFields {
						if sp, ok := e.Span(e.Get(k)); ok && string(e.Text[sp[0]:sp[1]]) != string(e.Get(k)) {
							t.Fatalf("%v: span %v of %q", k, sp, e.Get(k))
						}
					}
					if r := e.Get(event.Result); r != nil && string(r) != "success" && string(r) != "failure" {
						t.Fatalf("result %q", r)
					}
				}
				ev.Reset()
				return &ev
			})
			buf = buf[n:]
		}
	})
}

// A stack trace is the server's own: it is no part of what a client may have written.
func TestStackTrace(t *testing.T) {
	f := func(msg string, want int) {
		t.Helper()
		if got := traceStart([]byte(msg)); got != want {
			t.Errorf("%q: trace at %d, want %d", msg, got, want)
		}
	}
	f("it broke\n    at run (/srv/app.js:1:2)", 8)
	f(`it broke\n    at run (/srv/app.js:1:2)`, 8)
	f("it broke\n\tat com.example.Main.run(Main.java:3)", 8)
	f("PHP Fatal error: x\nStack trace:\n#0 /srv/a.php(3): require('b.php')", 19)
	f(`x [stacktrace]\n#0 /srv/a.php(3): f()`, 2)
	f("x\nTraceback (most recent call last):\n  File \"a.py\", line 3", 1)
	f("a client says Stack trace: <script>alert(1)</script>", -1) // no frame follows
	f("meet me at noon", -1)
	f("", -1)
}
