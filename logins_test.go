package vanguard

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// logins are lines by which services say that somebody was refused, and, where their log tells it with the address, that somebody was let in.
// What stands in <> is filled in.
var logins = []struct{ name, refused, in string }{
	{"sshd-key",
		`<syslog> web sshd[<n>]: Failed password for <user> from <ip> port 4<n> ssh2`,
		`<syslog> web sshd[<n>]: Accepted password for <user> from <ip> port 4<n> ssh2`},
	{"sshd-pam",
		`<syslog> web sshd[<n>]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=<ip>  user=<user>`,
		`<syslog> web sshd[<n>]: Accepted password for <user> from <ip> port 5<n> ssh2`},
	{"sshd-preauth",
		`<syslog> web sshd[<n>]: Connection closed by authenticating user <user> <ip> port 4<n> [preauth]`,
		`<syslog> web sshd[<n>]: Accepted password for <user> from <ip> port 4<n> ssh2`},
	{"sshd-kbd",
		`<syslog> web sshd[<n>]: error: PAM: Authentication failure for <user> from <ip>`,
		`<syslog> web sshd[<n>]: Accepted keyboard-interactive/pam for <user> from <ip> port 4<n> ssh2`},
	{"dropbear",
		`<syslog> router dropbear[<n>]: Bad password attempt for '<user>' from <ip>:4<n>`,
		`<syslog> router dropbear[<n>]: Password auth succeeded for '<user>' from <ip>:4<n>`},
	{"dovecot",
		`<syslog> mail dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<<user>>, method=PLAIN, rip=<ip>, lip=198.51.100.2, TLS, session=<ab<n>>`,
		`<syslog> mail dovecot: imap-login: Login: user=<<user>>, method=PLAIN, rip=<ip>, lip=198.51.100.2, mpid=<n>, TLS, session=<ac<n>>`},
	{"dovecot-pop",
		`<syslog> mail dovecot: pop3-login: Aborted login (auth failed, 1 attempts in 3 secs): user=<<user>>, method=PLAIN, rip=<ip>, lip=198.51.100.2`,
		`<syslog> mail dovecot: pop3-login: Login: user=<<user>>, method=PLAIN, rip=<ip>, lip=198.51.100.2, mpid=<n>`},
	{"dovecot-auth",
		`<syslog> mail dovecot: auth-worker(<n>): sql(<user>,<ip>): Password mismatch`,
		``},
	{"dovecot-info",
		`<iso> imap-login: Info: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<<user>>, method=PLAIN, rip=<ip>, lip=198.51.100.2, session=<q<n>>`,
		`<iso> imap-login: Info: Logged in: user=<<user>>, method=PLAIN, rip=<ip>, lip=198.51.100.2`},
	{"postfix",
		`<syslog> mail postfix/smtpd[<n>]: warning: unknown[<ip>]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=<user>`,
		`<syslog> mail postfix/smtpd[<n>]: 4A<n>: client=unknown[<ip>], sasl_method=LOGIN, sasl_username=<user>`},
	{"postfix-sub",
		`<syslog> mail postfix/submission/smtpd[<n>]: warning: unknown[<ip>]: SASL PLAIN authentication failed: authentication failure`,
		`<syslog> mail postfix/submission/smtpd[<n>]: 4A<n>: client=unknown[<ip>], sasl_method=PLAIN, sasl_username=<user>`},
	{"exim",
		`<date> <time> dovecot_login authenticator failed for (host) [<ip>]:4<n>: 535 Incorrect authentication data (set_id=<user>)`,
		`<date> <time> 1xAb<n>-0001-Cd <= <user> H=(host) [<ip>]:4<n> P=esmtpsa A=dovecot_login:<user> S=812`},
	{"exim-plain",
		`<date> <time> plain_server authenticator failed for H=([127.0.0.1]) [<ip>]: 535 Incorrect authentication data (set_id=<user>)`,
		``},
	{"sendmail",
		`<syslog> mail sm-mta[<n>]: AUTH failure (LOGIN): user not found (-20) SASL(-13): user not found, relay=[<ip>]`,
		``},
	{"proftpd",
		`<syslog> ftp proftpd[<n>] ftp.example.com (host[<ip>]): USER <user> (Login failed): Incorrect password`,
		`<syslog> ftp proftpd[<n>] ftp.example.com (host[<ip>]): USER <user>: Login successful`},
	{"proftpd-nouser",
		`<date> <time>,123 ftp.example.com proftpd[<n>] ftp.example.com (host[<ip>]): USER <user>: no such user found from host [<ip>] to 198.51.100.2:21`,
		``},
	{"vsftpd",
		`<week> [pid <n>] [<user>] FAIL LOGIN: Client "<ip>"`,
		`<week> [pid <n>] [<user>] OK LOGIN: Client "<ip>"`},
	{"vsftpd-pam",
		`<syslog> ftp vsftpd[<n>]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=<user> rhost=<ip>`,
		``},
	{"pure-ftpd",
		`<syslog> ftp pure-ftpd: (?@<ip>) [WARNING] Authentication failed for user [<user>]`,
		`<syslog> ftp pure-ftpd: (?@<ip>) [INFO] <user> is now logged in`},
	{"asterisk",
		`[<date> <time>] NOTICE[<n>] chan_sip.c: Registration from '"<user>" <sip:<user>@198.51.100.2>' failed for '<ip>:5060' - Wrong password`,
		``},
	{"asterisk-sec",
		`[<date> <time>] SECURITY[<n>] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="<iso>",Severity="Error",Service="PJSIP",AccountID="<user>",SessionID="x<n>",LocalAddress="IPV4/UDP/198.51.100.2/5060",RemoteAddress="IPV4/UDP/<ip>/5060"`,
		`[<date> <time>] SECURITY[<n>] res_security_log.c: SecurityEvent="SuccessfulAuth",EventTV="<iso>",Severity="Informational",Service="PJSIP",AccountID="<user>",SessionID="x<n>",LocalAddress="IPV4/UDP/198.51.100.2/5060",RemoteAddress="IPV4/UDP/<ip>/5060"`},
	{"pjsip",
		`[<date> <time>] NOTICE[<n>] res_pjsip/pjsip_distributor.c: Request 'REGISTER' from '"<user>" <sip:<user>@198.51.100.2>' failed for '<ip>:5060' (callid: abc<n>) - Failed to authenticate`,
		``},
	{"freeswitch",
		`<date> <time>.123456 [WARNING] sofia_reg.c:1793 SIP auth failure (REGISTER) on sofia profile 'internal' for [<user>@198.51.100.2] from ip <ip>`,
		``},
	{"mysql",
		`<iso> <n> [Note] [MY-010926] [Server] Access denied for user '<user>'@'<ip>' (using password: YES)`,
		``},
	{"mariadb",
		`<date> <time> <n> [Warning] Access denied for user '<user>'@'<ip>' (using password: YES)`,
		``},
	{"postgres",
		`<date> <time>.123 UTC [<n>] <user>@shop <ip>(4<n>) FATAL:  password authentication failed for user "<user>"`,
		`<date> <time>.123 UTC [<n>] <user>@shop <ip>(4<n>) LOG:  connection authorized: user=<user> database=shop`},
	{"mongodb",
		`{"t":{"$date":"<iso>"},"s":"I","c":"ACCESS","id":20249,"ctx":"conn<n>","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","principalName":"<user>","authenticationDatabase":"admin","client":"<ip>:4<n>","result":"AuthenticationFailed: SCRAM authentication failed, storedKey mismatch"}}`,
		`{"t":{"$date":"<iso>"},"s":"I","c":"ACCESS","id":20250,"ctx":"conn<n>","msg":"Authentication succeeded","attr":{"mechanism":"SCRAM-SHA-256","principalName":"<user>","authenticationDatabase":"admin","client":"<ip>:4<n>"}}`},
	{"mssql",
		`<date> <time>.12 Logon       Login failed for user '<user>'. Reason: Password did not match that for the login provided. [CLIENT: <ip>]`,
		`<date> <time>.12 Logon       Login succeeded for user '<user>'. Connection made using SQL Server authentication. [CLIENT: <ip>]`},
	{"sogo",
		`<syslog> sogod [<n>]: SOGoRootPage Login from '<ip>' for user '<user>' might not have worked - password policy: 65535  grace: -1  expire: -1  bound: 0`,
		`<syslog> sogod [<n>]: SOGoRootPage successful login from '<ip>' for user '<user>' - expire = -1  grace = -1`},
	{"roundcube",
		`[<roundcube>]: <a<n>> IMAP Error: Login failed for <user> against localhost from <ip>. AUTHENTICATE PLAIN: Authentication failed. in /var/www/rc/program/lib/Roundcube/rcube_imap.php on line 211 (POST /?_task=login&_action=login)`,
		`[<roundcube>]: <a<n>> Successful login for <user> (ID: 3) from <ip> in session a<n>`},
	{"roundcube-fail",
		`[<roundcube>]: <a<n>> Failed login for <user> from <ip> in session a<n> (error: 0)`,
		`[<roundcube>]: <a<n>> Successful login for <user> (ID: 3) from <ip> in session a<n>`},
	{"gitea",
		`<bind> <time> ...ers/web/auth/auth.go:231:SignInPost() [W] Failed authentication attempt for <user> from <ip>:0: user does not exist [uid: 0, name: <user>]`,
		``},
	{"gitea2",
		`<slashed> <time> routers/web/auth/auth.go:199:SignInPost() [I] Failed authentication attempt for <user> from <ip>:4<n>: invalid password`,
		``},
	{"grafana",
		`logger=authn.service t=<iso> level=error msg="Failed to authenticate request" client=auth.client.form error="[password-auth.failed] failed to authenticate identity" remote_addr=<ip> uname=<user>`,
		``},
	{"grafana2",
		`logger=context userId=0 orgId=0 uname= t=<iso> level=info msg="Request Completed" method=POST path=/login status=401 remote_addr=<ip> time_ms=45 duration=45ms size=105 referer=https://g.example.com/login`,
		``},
	{"nextcloud",
		`{"reqId":"q<n>","level":2,"time":"<iso>","remoteAddr":"<ip>","user":"--","app":"core","method":"POST","url":"/login","message":"Login failed: <user> (Remote IP: <ip>)","userAgent":"Mozilla/5.0","version":"28.0.1.1"}`,
		`{"reqId":"q<n>","level":1,"time":"<iso>","remoteAddr":"<ip>","user":"<user>","app":"admin_audit","method":"POST","url":"/login","message":"Login successful: \"<user>\"","userAgent":"Mozilla/5.0","version":"28.0.1.1"}`},
	{"vaultwarden",
		`[<date> <time>.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: <ip>. Username: <user>.`,
		`[<date> <time>.123][vaultwarden::api::identity][INFO] User <user> logged in successfully. IP: <ip>`},
	{"bitwarden",
		`<date> <time>.123 +00:00 [WRN] Failed login attempt. <ip>`,
		``},
	{"keycloak",
		`<date> <time>,123 WARN  [org.keycloak.events] (executor-thread-<n>) type="LOGIN_ERROR", realmId="r", clientId="app", userId="null", ipAddress="<ip>", error="invalid_user_credentials", auth_method="openid-connect", username="<user>"`,
		`<date> <time>,123 INFO  [org.keycloak.events] (executor-thread-<n>) type="LOGIN", realmId="r", clientId="app", userId="u1", ipAddress="<ip>", auth_method="openid-connect", username="<user>"`},
	{"jellyfin",
		`[<date> <time>.123 +00:00] [ERR] [<n>] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for <user> has been denied (IP: <ip>).`,
		``},
	{"immich",
		`[Nest] <n>  - 11/23/2026, <time12> AM    WARN [Api:AuthService~ab<n>] Failed login attempt for user <user> from ip address <ip>`,
		``},
	{"home-assistant",
		`<date> <time>.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from host (<ip>). Requested URL: '/auth/login_flow/x'. (Mozilla/5.0)`,
		``},
	{"proxmox",
		`<syslog> pve pvedaemon[<n>]: authentication failure; rhost=::ffff:<ip> user=<user>@pam msg=Authentication failure`,
		``},
	{"emby",
		`<date> <time>.123 Warn UserManager: Authentication request for <user> has been denied. IP address: <ip>`,
		``},
	{"authelia",
		`time="<iso>" level=error msg="Unsuccessful 1FA authentication attempt by user '<user>'" method=POST path=/api/firstfactor remote_ip=<ip>`,
		`time="<iso>" level=info msg="Successful 1FA authentication attempt made by user '<user>'" method=POST path=/api/firstfactor remote_ip=<ip>`},
	{"authentik",
		`{"action": "login_failed", "client_ip": "<ip>", "context": {"username": "<user>"}, "event": "Created Event", "level": "info", "logger": "authentik.events.models", "timestamp": "<iso>"}`,
		`{"action": "login", "client_ip": "<ip>", "context": {"username": "<user>"}, "event": "Created Event", "level": "info", "logger": "authentik.events.models", "timestamp": "<iso>"}`},
	{"gitlab",
		`{"severity":"INFO","time":"<iso>","message":"Failed Login: username=<user> ip=<ip>"}`,
		`{"severity":"INFO","time":"<iso>","message":"Successful Login: username=<user> ip=<ip> method=standard admin=false"}`},
	{"openvpn",
		`<syslog> vpn openvpn[<n>]: <ip>:4<n> TLS Auth Error: Auth Username/Password verification failed for peer`,
		``},
	{"samba",
		`[<slashed> <time>.123,  2] ../../auth/auth.c:353(auth_log) Auth: [SMB2,(null)] user [WG]\\[<user>] at [<week>] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [X] remote host [ipv4:<ip>:4<n>] mapped to [WG]\\[<user>].`,
		``},
	{"webmin",
		`<syslog> host webmin[<n>]: Invalid login as <user> from <ip>`,
		`<syslog> host webmin[<n>]: Successful login as <user> from <ip>`},
	{"cpanel",
		`[<date> <time> +0000] info [cpaneld] <ip> - <user> "GET / HTTP/1.1" FAILED LOGIN cpaneld: user password incorrect`,
		``},
	{"xrdp",
		`[<compact>] [INFO ] AUTHFAIL: user=<user> ip=::ffff:<ip> time=<unix>`,
		``},
	{"cockpit",
		`<syslog> host cockpit-session[<n>]: pam_unix(cockpit:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=<ip>  user=<user>`,
		``},
	{"mikrotik",
		`<syslog> router system,error,critical login failure for user <user> from <ip> via winbox`,
		`<syslog> router system,info,account user <user> logged in from <ip> via winbox`},
	{"fortigate",
		`date=<date> time=<time> devname="fw" logid="0100032002" type="event" subtype="system" level="alert" logdesc="Admin login failed" user="<user>" ui="https(<ip>)" method="https" srcip=<ip> action="login" status="failed" reason="passwd_invalid" msg="Administrator <user> login failed from https(<ip>) because of invalid password"`,
		`date=<date> time=<time> devname="fw" logid="0100032001" type="event" subtype="system" level="information" logdesc="Admin login successful" user="<user>" ui="https(<ip>)" method="https" srcip=<ip> action="login" status="success" reason="none" msg="Administrator <user> logged in successfully from https(<ip>)"`},
	{"sftpgo",
		`{"level":"warn","time":"<date>T<time>.123","sender":"connection_failed","client_ip":"<ip>","username":"<user>","login_type":"password","protocol":"SSH","error":"invalid credentials"}`,
		``},
	{"minio",
		`{"time":"<iso>","level":"INFO","api":"ConsoleLogin","remotehost":"<ip>","requestClaims":{"user":"<user>"},"statusCode":401,"error":"invalid Login"}`,
		``},
	{"jenkins",
		`<iso> [id=<n>] WARNING h.s.BasicHandler: Failed login attempt for user "<user>" from <ip>`,
		`<iso> [id=<n>] INFO h.s.L: Successful login of user "<user>" from <ip>`},
	{"django",
		`WARNING <date> <time>,123 axes.watch_login AXES: New login failure by {username: "<user>", ip_address: "<ip>", user_agent: "Mozilla", path_info: "/admin/login/"}. Created new record in the database.`,
		``},
	{"windows-rdp",
		`<iso> host Security-Auditing: 4625: AUDIT_FAILURE An account failed to log on. Account Name: <user> Source Network Address: <ip> Failure Reason: Unknown user name or bad password.`,
		`<iso> host Security-Auditing: 4624: AUDIT_SUCCESS An account was successfully logged on. Account Name: <user> Source Network Address: <ip>`},
	{"teamspeak",
		`<date> <time>.123456|INFO    |VirtualServer |1  |client login failed '<user>' from <ip>:4<n>`,
		``},
	{"mailcow",
		`<syslog> mail nginx: <ip> - [warn] SOGo: failed login for <user>`,
		``},
	{"php-app",
		`[<date> <time>] production.WARNING: Login failed {"email":"<user>","ip":"<ip>"} []`,
		`[<date> <time>] production.INFO: User logged in {"email":"<user>","ip":"<ip>"} []`},
	{"spring",
		`<date> <time>.123  WARN <n> --- [nio-8080-exec-1] c.e.AuthListener : Authentication failed for user <user> from <ip>: Bad credentials`,
		`<date> <time>.123  INFO <n> --- [nio-8080-exec-1] c.e.AuthListener : Authentication succeeded for user <user> from <ip>`},
	{"rails",
		`I, [<date>T<time>.123456 #<n>]  INFO -- : Login failed for "<user>" from <ip> (invalid password)`,
		`I, [<date>T<time>.123456 #<n>]  INFO -- : Login succeeded for "<user>" from <ip>`},
	{"portainer",
		`<iso> ERR http error: Invalid credentials | error="Unauthorized" msg="Invalid credentials" remote_ip=<ip> user=<user> status_code=401`,
		``},
	{"adguard",
		`<slashed> <time>.123456 [info] auth: failed to login user <user> from ip: <ip>`,
		``},
	{"miniflux",
		`level=WARN time=<iso> msg="Incorrect username or password" authentication_failed=true client_ip=<ip> user_agent="Mozilla/5.0" username=<user>`,
		``},
	{"ombi",
		`<date> <time>.123 +00:00 [Warning] Login attempt failed for user <user> from <ip>`,
		``},
	{"bookstack",
		`[<date> <time>] production.WARNING: Failed login for <user> from <ip>`,
		``},
	{"mealie",
		`<iso> - auth - ERROR - Incorrect username or password from <ip>`,
		``},
	{"odoo",
		`<date> <time>,123 <n> INFO shop odoo.addons.base.models.res_users: Login failed for db:shop login:<user> from <ip>`,
		`<date> <time>,123 <n> INFO shop odoo.addons.base.models.res_users: Login successful for db:shop login:<user> from <ip>`},
	{"ejabberd",
		`<date> <time>.123 [warning] <0.<n>.0>@ejabberd_c2s:process_auth_result:283 (tls|<0.<n>.0>) Failed c2s SCRAM-SHA-1 authentication for <user>@example.com from <ip>: Invalid username or password`,
		``},
	{"radius",
		`<week> : Auth: (<n>) Login incorrect (pap: Cleartext password does not match): [<user>] (from client nas port 0 cli <ip>)`,
		`<week> : Auth: (<n>) Login OK: [<user>] (from client nas port 0 cli <ip>)`},
	{"redis-acl",
		`<n>:M 23 Nov 2026 <time>.123 # ACL LOG auth failed for user <user> from <ip>:4<n>`,
		``},
	{"courier",
		`<syslog> mail imapd: LOGIN FAILED, user=<user>, ip=[::ffff:<ip>]`,
		`<syslog> mail imapd: LOGIN, user=<user>, ip=[::ffff:<ip>], port=[4<n>], protocol=IMAP`},
	{"cyrus",
		`<syslog> mail imap[<n>]: badlogin: host [<ip>] plaintext <user> SASL(-13): authentication failure: checkpass failed`,
		`<syslog> mail imap[<n>]: login: host [<ip>] <user> plaintext User logged in`},
	{"sshd-gives-up",
		`<syslog> web sshd[<n>]: Received disconnect from <ip>: 3: com.example.SSHException: Auth fail [preauth]`,
		``},
	{"sshd-pam-via",
		`<syslog> web sshd[<n>]: error: PAM: authentication failure for <user> from <ip> via 192.0.2.1`,
		``},
	{"exim-not-advertised",
		`<date> <time> SMTP protocol error in "AUTH LOGIN" H=(host) [<ip>] AUTH command used when not advertised`,
		``},
	{"asterisk-challenge",
		`[<date> <time>] SECURITY[<n>] res_security_log.c: SecurityEvent="ChallengeResponseFailed",EventTV="<iso>",Severity="Error",Service="PJSIP",AccountID="7000",SessionID="x<n>",LocalAddress="IPV4/UDP/198.51.100.2/5060",RemoteAddress="IPV4/UDP/<ip>/5060"`,
		``},
	{"asterisk-no-peer",
		`[<date> <time>] NOTICE[<n>] chan_sip.c: Registration from '<sip:301@example.com>' failed for '<ip>' - Peer is not supposed to register`,
		``},
	{"freeswitch-no-user",
		`<date> <time>.123456 [WARNING] sofia_reg.c:2531 Can't find user [1001@192.0.2.51] from <ip>`,
		``},
}

// fillLogin writes the i-th line of a log, a line each eight seconds.
func fillLogin(line string, i int, ip string) string {
	at := time.Date(2026, 11, 23, 3, 10, 8*i, 0, time.UTC)
	return strings.NewReplacer("<iso>", at.Format(time.RFC3339), "<syslog>", at.Format(time.Stamp), "<date>", at.Format(time.DateOnly), "<slashed>", at.Format("2006/01/02"),
		"<time>", at.Format(time.TimeOnly), "<time12>", at.Format("3:04:05"), "<week>", at.Format(time.ANSIC), "<bind>", at.Format("02-Jan-2006 15:04:05.000"),
		"<roundcube>", at.Format("02-Jan-2006 15:04:05 -0700"), "<compact>", at.Format("20060102-15:04:05"), "<unix>", strconv.FormatInt(at.Unix(), 10),
		"<ip>", ip, "<user>", "alice", "<n>", strconv.Itoa(4000+i)).Replace(line) + "\n"
}

// TestLogins: ten refusals by any of these services are password guessing by that address, and a login behind them may have
// worked; three refusals and a login are a person.
func TestLogins(t *testing.T) {
	const ip = "203.0.113.9"
	guessing := map[string]bool{"brute-force": true, "ssh-brute-force": true}
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logins {
		run, few := "", ""
		for i := range 10 {
			run += fillLogin(l.refused, i, ip)
			if i < 3 {
				few = run
			}
		}
		found := func(r *Report, worked bool) bool {
			for _, f := range r.Findings {
				if guessing[f.Threat] && f.Actor.Value == ip && strings.Contains(f.Outcome, "succeeded") == worked {
					return true
				}
			}
			return false
		}
		if r := judge(t, e, "service.log", run); !found(r, false) {
			t.Errorf("%s: ten refusals: %s, and %s is not named\n%s", l.name, r.Verdict, ip, run)
		}
		if l.in != "" {
			few += fillLogin(l.in, 4, ip)
			if r := judge(t, e, "service.log", run+fillLogin(l.in, 12, ip)); !found(r, true) {
				t.Errorf("%s: refusals and a login: %s\n%s", l.name, r.Verdict, fillLogin(l.in, 12, ip))
			}
			// The owner, who sits elsewhere, is not who guesses.
			if r := judge(t, e, "service.log", run+fillLogin(l.in, 12, "198.51.100.4")); r.Verdict == CompromiseLikely {
				t.Errorf("%s: the owner's login from elsewhere: %s", l.name, r.Verdict)
			}
		}
		if r := judge(t, e, "service.log", few); len(r.Findings) > 0 {
			t.Errorf("%s: three refusals: %s, %s", l.name, r.Verdict, r.Findings[0].Threat)
		}
	}
	if len(logins) < 50 {
		t.Errorf("%d services", len(logins))
	}
}
