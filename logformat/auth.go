package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// Authentication records of a Unix system. Every sentence is anchored: a user name is what a stranger typed, so the
// address is read from the end of the sentence, where only the server writes ("... from 192.0.2.1 port 4711 ssh2").

var (
	bSudo    = []byte("sudo")
	bSu      = []byte("su")
	bSession = []byte("session")
)

// authProgram reads a line of a program that authenticates. False if it is no such program or sentence.
func authProgram(c *ctx, ev *event.Event, name, line []byte) bool {
	switch string(name) {
	case "sshd", "sshd-session", "sshd-auth", "ssh", "internal-sftp":
		if parseSSHD(ev, line) {
			ev.Format = "sshd"
			return true
		}
	case "sudo":
		if parseSudo(ev, line) {
			ev.Format = "sudo"
			return true
		}
	case "pkexec": // "alice: Executing command [USER=root] ...": alice did it
		if at := bytes.Index(line, []byte(": ")); at > 0 && bytes.IndexByte(line[:at], ' ') < 0 && !bytes.HasPrefix(line, []byte("pam_")) {
			ev.Kind, ev.Format = event.KindAuth, "pkexec"
			ev.Set(event.User, line[:at])
			return true
		}
	case "su":
		if parseSu(ev, line) {
			ev.Format = "su"
			return true
		}
	case "useradd", "groupadd", "usermod", "userdel", "groupdel", "adduser", "passwd", "chpasswd", "gpasswd", "shadow":
		if parseAccount(ev, line) {
			ev.Format = "accounts"
			return true
		}
	case "cron", "CRON", "crond", "CROND", "anacron":
		if len(line) > 0 && line[0] == '(' {
			if e := bytes.IndexByte(line, ')'); e > 0 {
				ev.Kind = event.KindSystem
				ev.Format = "cron"
				ev.Set(event.User, line[1:e])
				ev.Set(event.Action, []byte("cron"))
				if i := bytes.Index(line, []byte("CMD (")); i > 0 {
					ev.Add("process.command_line", bytes.TrimSuffix(line[i+5:], []byte(")")), event.Server)
				}
				return true
			}
		}
	case "systemd-logind":
		if rest, ok := bytes.CutPrefix(line, []byte("New session ")); ok {
			if i := bytes.Index(rest, []byte(" of user ")); i > 0 {
				ev.Kind, ev.Format = event.KindAuth, "logind"
				ev.Set(event.Session, rest[:i])
				ev.Set(event.User, bytes.TrimRight(rest[i+9:], "."))
				ev.Set(event.Action, bSession)
				return true
			}
		}
	}
	if bytes.HasPrefix(line, []byte("pam_")) || bytes.HasPrefix(line, []byte("PAM ")) {
		if parsePAM(ev, line) {
			ev.Format = "pam"
			return true
		}
	}
	return false
}

// parseBareSSHD reads an sshd sentence without syslog around it.
func parseBareSSHD(c *ctx, rec []byte, ev *event.Event) bool {
	if !bytes.HasPrefix(rec, []byte("Failed ")) && !bytes.HasPrefix(rec, []byte("Accepted ")) && !bytes.HasPrefix(rec, []byte("Invalid user ")) &&
		!bytes.HasPrefix(rec, []byte("Connection closed by ")) && !bytes.HasPrefix(rec, []byte("Disconnected from ")) && !bytes.HasPrefix(rec, []byte("Received disconnect from ")) {
		return false
	}
	if !bytes.Contains(rec, []byte(" port ")) || !parseSSHD(ev, rec) {
		return false
	}
	ev.Set(event.Process, []byte("sshd"))
	ev.Set(event.Message, rec)
	return true
}

// login fills the fields of an attempt to log in.
func login(ev *event.Event, user, result []byte) {
	ev.Kind = event.KindAuth
	ev.Set(event.Category, bAuthn)
	ev.Set(event.Action, bLogin)
	if user != nil {
		ev.Set(event.User, user)
	}
	if result != nil {
		ev.Set(event.Result, result)
	}
}

// parseSSHD reads OpenSSH's sentences (auth.c, packet.c, sshd.c, auth-pam.c).
func parseSSHD(ev *event.Event, s []byte) bool {
	for _, p := range [...]string{"error: ", "fatal: ", "debug1: "} {
		s = bytes.TrimPrefix(s, []byte(p))
	}
	if rest, ok := bytes.CutPrefix(s, []byte("message repeated ")); ok { // rsyslog: message repeated 3 times: [ ...]
		if at := bytes.Index(rest, []byte(" times: [ ")); at > 0 {
			ev.Add("event.repeated", rest[:at], event.Server)
			return parseSSHD(ev, bytes.TrimSuffix(rest[at+10:], []byte("]")))
		}
	}
	s = bytes.TrimSuffix(s, []byte(" [preauth]"))
	cut := func(prefix string) ([]byte, bool) { return bytes.CutPrefix(s, []byte(prefix)) }
	if rest, ok := cut("Failed "); ok {
		if at := bytes.Index(rest, []byte(" for ")); at > 0 && at < 40 {
			user := fromEnd(ev, rest[at+5:])
			user = bytes.TrimPrefix(user, []byte("invalid user "))
			user = bytes.TrimPrefix(user, []byte("illegal user "))
			login(ev, user, bFailure)
			ev.Set(event.Reason, rest[:at])
			return true
		}
	}
	if rest, ok := cut("Accepted "); ok {
		if at := bytes.Index(rest, []byte(" for ")); at > 0 && at < 40 {
			login(ev, fromEnd(ev, rest[at+5:]), bSuccess)
			ev.Set(event.Reason, rest[:at])
			return true
		}
	}
	for _, p := range [...]string{"Invalid user ", "Illegal user ", "maximum authentication attempts exceeded for ", "Too many authentication failures for ", "input_userauth_request: invalid user ", "userauth_pubkey: unsupported public key algorithm for "} {
		if rest, ok := cut(p); ok {
			user := fromEnd(ev, rest)
			user = bytes.TrimPrefix(user, []byte("invalid user "))
			login(ev, user, bFailure)
			return true
		}
	}
	for _, p := range [...]string{"Connection closed by ", "Connection reset by ", "Disconnected from ", "Disconnecting ", "Received disconnect from ", "Closing connection to ", "Connection from ", "ssh_dispatch_run_fatal: Connection from "} {
		if rest, ok := cut(p); ok {
			return sshEnd(ev, p, rest)
		}
	}
	if rest, ok := cut("User "); ok { // User U from HOST not allowed because ...
		if at := bytes.LastIndex(rest, []byte(" not allowed because ")); at > 0 {
			ev.Set(event.Reason, rest[at+1:])
			login(ev, fromEnd(ev, rest[:at]), bFailure)
			return true
		}
	}
	if rest, ok := cut("ROOT LOGIN REFUSED FROM "); ok {
		addrPort(ev, rest)
		login(ev, []byte("root"), bFailure)
		return true
	}
	if rest, ok := cut("Starting session: "); ok {
		if at := bytes.LastIndex(rest, []byte(" for ")); at > 0 {
			ev.Kind = event.KindAuth
			ev.Set(event.User, fromEnd(ev, rest[at+5:]))
			ev.Set(event.Action, bSession)
			return true
		}
	}
	if rest, ok := cut("Close session: user "); ok {
		ev.Kind = event.KindAuth
		ev.Set(event.User, fromEnd(ev, rest))
		ev.Set(event.Action, bLogout)
		return true
	}
	if rest, ok := cut("Timeout before authentication for "); ok {
		addrPort(ev, rest)
		ev.Kind = event.KindAuth
		ev.Set(event.Action, []byte("connection"))
		return true
	}
	if bytes.HasPrefix(s, []byte("pam_")) || bytes.HasPrefix(s, []byte("PAM ")) || bytes.HasPrefix(s, []byte("PAM: ")) {
		return parsePAM(ev, s)
	}
	// Scans and broken handshakes: no account is named. What follows "from" at the end is the peer.
	for _, p := range [...]string{"Did not receive identification string from ", "Bad protocol version identification ", "banner exchange: Connection from ", "Unable to negotiate with ",
		"Protocol major versions differ for ", "kex_exchange_identification: ", "kex_protocol_error: ", "Magic value check failed ", "refused connect from ", "Bad packet length ", "no matching "} {
		if rest, ok := cut(p); ok {
			ev.Kind = event.KindAuth
			ev.Set(event.Action, []byte("connection"))
			if at := bytes.LastIndex(rest, []byte(" from ")); at >= 0 {
				rest = rest[at+6:]
			}
			addrPort(ev, rest)
			return true
		}
	}
	if at := bytes.Index(s, []byte("POSSIBLE BREAK-IN ATTEMPT")); at > 0 {
		ev.Kind = event.KindAuth
		head := s[:at]
		if i := bytes.LastIndexByte(head, '['); i >= 0 {
			addrPort(ev, head[i+1:])
		} else if rest, ok := cut("Address "); ok {
			addrPort(ev, rest)
		}
		return true
	}
	return false
}

// fromEnd reads "U from ADDR port N ssh2: ..." from its end: it sets the address and returns U, which may be anything.
// Where there is no address all of s is the user's.
func fromEnd(ev *event.Event, s []byte) []byte {
	for end := len(s); end > 0; {
		at := bytes.LastIndex(s[:end], []byte(" from "))
		if at < 0 {
			if bytes.HasPrefix(s, []byte("from ")) { // an empty user name
				addrPort(ev, s[5:])
				return s[:0:0]
			}
			break
		}
		if addrPort(ev, s[at+6:]) {
			return s[:at:at]
		}
		end = at
	}
	return s
}

// addrPort reads "192.0.2.1 port 4711..." or "host.example" at the start of s. It sets nothing if there is no address.
func addrPort(ev *event.Event, s []byte) bool {
	e := bytes.IndexByte(s, ' ')
	if e < 0 {
		e = len(s)
	}
	a := bytes.TrimRight(s[:e], ":,;>)]")
	if len(a) == 0 {
		return false
	}
	host, _, addr := splitAddr(a)
	if !addr.IsValid() {
		// sshd with UseDNS writes names.
		if bytes.IndexByte(a, '.') < 0 && string(a) != "UNKNOWN" || bytes.IndexByte(a, '@') >= 0 || bytes.IndexByte(a, '\'') >= 0 {
			return false
		}
		if rest := s[e:]; !bytes.HasPrefix(rest, []byte(" port ")) && len(rest) > 0 {
			return false
		}
	}
	_ = host
	setSource(ev, a)
	if rest, ok := bytes.CutPrefix(s[e:], []byte(" port ")); ok {
		if _, n := number(rest); n > 0 && n < 6 {
			ev.Set(event.SourcePort, rest[:n])
		}
	}
	return true
}

// sshEnd reads the end of a connection: "[authenticating|invalid ]user U ADDR port N[: reason]" or "ADDR port N...".
func sshEnd(ev *event.Event, how string, s []byte) bool {
	ev.Kind = event.KindAuth
	user := false
	trying := false
	for _, p := range [...]string{"authenticating user ", "invalid user ", "user "} {
		if rest, ok := bytes.CutPrefix(s, []byte(p)); ok {
			s, user, trying = rest, true, p != "user "
			break
		}
	}
	if !user {
		addrPort(ev, s)
		if how == "Received disconnect from " && bytes.HasSuffix(s, []byte("Auth fail")) { // a client that gives up
			login(ev, nil, bFailure)
			return true
		}
		ev.Set(event.Action, []byte("connection"))
		return true
	}
	for _, r := range [...]string{": Too many authentication failures", ": Change of username"} {
		if at := bytes.Index(s, []byte(r)); at > 0 {
			ev.Set(event.Reason, s[at+2:])
			s = s[:at]
		}
	}
	name := s
	if at := bytes.LastIndex(s, []byte(" port ")); at > 0 {
		if sp := bytes.LastIndexByte(s[:at], ' '); sp >= 0 {
			addrPort(ev, s[sp+1:])
			name = s[:sp:sp]
		} else {
			addrPort(ev, s)
			name = nil
		}
	}
	if trying {
		login(ev, name, bFailure)
	} else {
		ev.Set(event.User, name)
		ev.Set(event.Action, bLogout)
		ev.Set(event.Category, bAuthn)
	}
	return true
}

// parsePAM reads "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root".
func parsePAM(ev *event.Event, s []byte) bool {
	service := []byte(nil)
	if open := bytes.IndexByte(s, '('); open > 0 && open < 32 {
		if e := bytes.IndexByte(s, ')'); e > open {
			service = s[open+1 : e]
			if at := bytes.IndexByte(service, ':'); at > 0 {
				service = service[:at]
			}
			s = bytes.TrimPrefix(s[e+1:], []byte(": "))
		}
	}
	return pamText(ev, service, s)
}

// pamText reads what a PAM module said about a service.
func pamText(ev *event.Event, service, s []byte) bool {
	action := bLogin
	switch string(service) {
	case "sudo", "sudo-i":
		action = bSudo
	case "su", "su-l":
		action = bSu
	case "cron", "crond", "systemd-user", "atd":
		action = bSession
	}
	switch {
	case len(s) > len(pamRefused) && bytes.EqualFold(s[:len(pamRefused)], pamRefused):
		who, _, _ := bytes.Cut(s[len(pamRefused):], []byte(" via "))
		login(ev, bytes.TrimPrefix(fromEnd(ev, who), []byte("illegal user ")), bFailure)
		return true
	case bytes.Contains(s, []byte("uthentication failure")) || bytes.HasPrefix(s, []byte("PAM ")) && bytes.Contains(s, []byte("failure")) || bytes.HasPrefix(s, []byte("auth could not identify")):
		login(ev, nil, bFailure)
		ev.Set(event.Action, action)
		if at := bytes.Index(s, []byte(" rhost=")); at >= 0 {
			v := s[at+7:]
			rest := []byte(nil)
			if sp := bytes.IndexByte(v, ' '); sp >= 0 {
				v, rest = v[:sp], v[sp:]
			}
			if len(v) > 0 {
				setSource(ev, v)
			}
			if u := bytes.Index(rest, []byte(" user=")); u >= 0 {
				set(ev, event.User, rest[u+6:])
			}
		} else if u := bytes.Index(s, []byte(" user=")); u >= 0 {
			set(ev, event.User, s[u+6:])
		}
		return true
	case bytes.HasPrefix(s, []byte("check pass; user unknown")):
		ev.Kind = event.KindAuth
		ev.Set(event.Category, bAuthn)
		return true
	case bytes.HasPrefix(s, []byte("session opened for user ")) || bytes.HasPrefix(s, []byte("session closed for user ")):
		ev.Kind = event.KindAuth
		ev.Set(event.Action, bSession)
		u := s[24:]
		if e := bytes.IndexAny(u, " ("); e > 0 {
			by := u[e:]
			u = u[:e]
			if at := bytes.Index(by, []byte(" by ")); at >= 0 && s[8] == 'o' {
				if who := by[at+4:]; bytes.IndexByte(who, '(') > 0 {
					ev.Set(event.Principal, who[:bytes.IndexByte(who, '(')])
				}
			}
		}
		ev.Set(event.User, u)
		return true
	case bytes.HasPrefix(s, []byte("password changed for ")):
		ev.Kind = event.KindAuth
		ev.Set(event.Category, bAuthn)
		ev.Set(event.User, s[21:])
		ev.Set(event.Action, bChange)
		ev.Set(event.Result, bSuccess)
		return true
	case bytes.Contains(s, []byte(" tally ")) && bytes.HasPrefix(s, []byte("user ")):
		login(ev, firstWord(s[5:]), bFailure)
		ev.Set(event.Action, action)
		return true
	}
	return false
}

var pamRefused = []byte("PAM: Authentication failure for ")

func firstWord(s []byte) []byte {
	if e := bytes.IndexByte(s, ' '); e >= 0 {
		return s[:e]
	}
	return s
}

// parseSudo reads "alice : [3 incorrect password attempts ; ]TTY=... ; PWD=... ; USER=root ; COMMAND=...". A refused
// sudo is a failure.
func parseSudo(ev *event.Event, s []byte) bool {
	s = trimLeft(s)
	if bytes.HasPrefix(s, []byte("pam_")) {
		return parsePAM(ev, s)
	}
	at := bytes.Index(s, []byte(" : "))
	if at <= 0 {
		return false
	}
	user, rest := s[:at], s[at+3:]
	ev.Kind = event.KindAuth
	ev.Set(event.User, user)
	ev.Set(event.Action, bSudo)
	ev.Set(event.Category, bAuthn)
	if i := bytes.Index(rest, []byte("COMMAND=")); i >= 0 {
		ev.Add("process.command_line", rest[i+8:], event.Client)
	}
	if i := bytes.Index(rest, []byte(" ; USER=")); i >= 0 {
		t := rest[i+8:]
		if e := bytes.Index(t, []byte(" ;")); e >= 0 {
			t = t[:e]
		}
		ev.Set(event.Resource, t)
	}
	if !bytes.HasPrefix(rest, []byte("TTY=")) && !bytes.HasPrefix(rest, []byte("PWD=")) && !bytes.HasPrefix(rest, []byte("HOST=")) {
		reason := rest
		if e := bytes.Index(rest, []byte(" ; ")); e >= 0 {
			reason = rest[:e]
		}
		ev.Set(event.Reason, reason)
		ev.Set(event.Result, bFailure) // "user NOT in sudoers", "3 incorrect password attempts", "command not allowed"
	} else {
		ev.Set(event.Result, bSuccess)
	}
	return true
}

// parseSu reads "FAILED SU (to root) alice on pts/0", "(to root) alice on pts/0", "Successful su for root by alice", "FAILED su for root by alice".
func parseSu(ev *event.Event, s []byte) bool {
	if bytes.HasPrefix(s, []byte("pam_")) {
		return parsePAM(ev, s)
	}
	for _, p := range [...]string{"BAD SU ", "SU "} { // BSD: "BAD SU eve to root on /dev/ttyp0"
		if rest, ok := bytes.CutPrefix(s, []byte(p)); ok {
			to := bytes.Index(rest, []byte(" to "))
			if to < 0 {
				return false
			}
			ev.Kind = event.KindAuth
			ev.Set(event.Category, bAuthn)
			ev.Set(event.Action, bSu)
			ev.Set(event.User, rest[:to])
			ev.Set(event.Resource, firstWord(rest[to+4:]))
			if ev.Set(event.Result, bSuccess); p[0] == 'B' {
				ev.Set(event.Result, bFailure)
			}
			return true
		}
	}
	result := bSuccess
	rest, failed := bytes.CutPrefix(s, []byte("FAILED "))
	if !failed {
		rest = bytes.TrimPrefix(s, []byte("Successful "))
	} else {
		result = bFailure
	}
	var target, who []byte
	switch {
	case bytes.HasPrefix(rest, []byte("SU (to ")) || bytes.HasPrefix(rest, []byte("su (to ")) || bytes.HasPrefix(rest, []byte("(to ")):
		rest = rest[bytes.IndexByte(rest, '(')+4:]
		e := bytes.IndexByte(rest, ')')
		if e < 0 {
			return false
		}
		target, who = rest[:e], firstWord(trimLeft(rest[e+1:]))
	case bytes.HasPrefix(rest, []byte("su for ")):
		rest = rest[7:]
		by := bytes.LastIndex(rest, []byte(" by "))
		if by < 0 {
			return false
		}
		target, who = rest[:by], rest[by+4:]
	default:
		return false
	}
	ev.Kind = event.KindAuth
	ev.Set(event.Category, bAuthn)
	ev.Set(event.Action, bSu)
	ev.Set(event.User, who)
	ev.Set(event.Resource, target)
	ev.Set(event.Result, result)
	return true
}

// parseAccount reads changes of accounts: "new user: name=x, UID=1001, ...", "add 'x' to group 'sudo'", "delete user 'x'".
func parseAccount(ev *event.Event, s []byte) bool {
	if bytes.HasPrefix(s, []byte("pam_")) {
		return parsePAM(ev, s)
	}
	for _, k := range [...]struct{ start, action string }{{"new user: name=", "user-create"}, {"new group: name=", "group-create"}, {"delete user '", "user-delete"}, {"removed group '", "group-delete"}, {"change user '", "user-change"}, {"add '", "group-add"}, {"delete '", "group-remove"}} {
		if rest, ok := bytes.CutPrefix(s, []byte(k.start)); ok {
			e := bytes.IndexAny(rest, "',")
			if e < 0 {
				e = len(rest)
			}
			ev.Kind = event.KindAuth
			ev.Set(event.Action, []byte(k.action))
			ev.Set(event.Result, bSuccess)
			ev.Set(event.Resource, rest[:e])
			if i := bytes.Index(rest, []byte("group '")); i > 0 {
				ev.Add("group.name", bytes.TrimRight(rest[i+7:], "'"), event.Server)
			}
			return true
		}
	}
	return false
}
