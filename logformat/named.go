package logformat

import "github.com/helixvanguard/vanguard/event"

// What the name in a field says: an outcome, a level, an event.

// outcomeNamed reads a server's word for how it went.
func outcomeNamed(v []byte) []byte {
	if len(v) == 0 || len(v) > 24 {
		return nil
	}
	var buf [24]byte
	w := buf[:0]
	for _, c := range v {
		w = append(w, lower(c))
	}
	switch string(w) {
	case "success", "succeeded", "successful", "ok", "true", "allowed", "allow", "passed", "pass", "accepted", "granted", "yes", "permit", "permitted", "completed":
		return bSuccess
	case "failure", "failed", "fail", "false", "denied", "deny", "error", "blocked", "block", "rejected", "reject", "refused", "forbidden", "unauthorized", "invalid", "no", "drop", "dropped":
		return bFailure
	}
	return nil
}

var levels = func() map[string][]byte {
	m := map[string][]byte{}
	for _, row := range [...][]string{
		{"trace", "trc", "verbose", "vrb", "finest", "finer", "10", "silly"},
		{"debug", "dbg", "fine", "20", "debug1", "debug2", "debug3", "debug4", "debug5", "dbug"},
		{"info", "inf", "information", "informational", "30", "log", "infos", "http"},
		{"notice", "notic", "note"},
		{"warn", "warning", "wrn", "40", "warnung"},
		{"error", "err", "eror", "50", "severe", "fehler"},
		{"critical", "crit", "crt"},
		{"fatal", "ftl", "60", "panic", "dpanic"},
		{"alert"}, {"emergency", "emerg"},
	} {
		for _, n := range row {
			m[n] = []byte(row[0])
		}
	}
	return m
}()

// levelNamed returns the usual name of a level, nil if v names none.
func levelNamed(v []byte) []byte {
	if len(v) < 2 || len(v) > 13 {
		if len(v) == 1 {
			switch v[0] {
			case 'T':
				return levels["trace"]
			case 'D':
				return levels["debug"]
			case 'I':
				return levels["info"]
			case 'N':
				return levels["notice"]
			case 'W':
				return levels["warn"]
			case 'E':
				return levels["error"]
			case 'C':
				return levels["critical"]
			case 'F':
				return levels["fatal"]
			}
		}
		return nil
	}
	var buf [13]byte
	w := buf[:0]
	for _, c := range v {
		w = append(w, lower(c))
	}
	return levels[string(w)]
}

// eventNames are what identity providers call a login or a second factor, where the words do not say it; whether it was granted stands
// elsewhere in the record, unless it is said here (developer.okta.com/docs/reference/api/event-types).
var eventNames = map[string]said{
	"user.session.start":                            {bLogin, nil, bAuthn},
	"user.authentication.sso":                       {bLogin, nil, bAuthn},
	"user.authentication.verify":                    {bLogin, nil, bAuthn},
	"user.authentication.auth_via_idp":              {bLogin, nil, bAuthn},
	"user.authentication.auth_via_mfa":              {bMFA, nil, bAuthn},
	"user.mfa.okta_verify.deny_push":                {bMFA, bFailure, bAuthn},
	"user.mfa.okta_verify.deny_push_upgrade_needed": {bMFA, bFailure, bAuthn},
	"user.mfa.attempt_bypass":                       {bMFA, bFailure, bAuthn},
}

// judgeName reads an event's name: "user.login", "login_failed", "USER_LOGIN_SUCCESS", "UserLoginFailed".
func judgeName(ev *event.Event, name []byte) {
	if len(name) > maxEventName {
		return
	}
	if isWindowsLogin(name) {
		windowsLogin(ev, name)
		return
	}
	if s, ok := eventNames[string(name)]; ok {
		ev.Set(event.Action, s.action)
		s.set(ev)
		return
	}
	sc := scratchOf(ev)
	toks := sc.toks[:0]
	for i := 0; i < len(name); {
		if !isAlpha(name[i]) {
			i++
			continue
		}
		e := i
		for e < len(name) && (isAlpha(name[e]) || name[e] == '_' || name[e] == '-') {
			e++
		}
		toks = sc.words(toks, name, i, e)
		i = e
	}
	sc.toks = toks
	s := judge(toks, ev.Has(event.SourceIP))
	var login, failed, ok, out, register bool
	for i := range toks {
		switch sp := toks[i].sp(); {
		case sp == spLogin || sp == spSignin:
			login = true
		case sp == spLog || sp == spSign:
			login = login || i+1 < len(toks) && toks[i+1].sp() == spIn
		case sp == spLogout:
			out = true
		case sp == spRegister:
			register = true
		case sp == spError:
			failed = true
		}
		failed = failed || toks[i].class()&wBad != 0
		ok = ok || toks[i].class()&wGood != 0
	}
	if s.category == nil && s.action == nil && len(toks) == 1 && toks[0].class()&wTopic != 0 && ev.Has(event.Result) {
		login = true // {"event":"auth","outcome":"deny"}
	}
	if (login || register) && !out && s.result == nil {
		if s = (said{action: bLogin, category: bAuthn}); register && !login {
			s.action = bRegister
		}
		if failed {
			s.result = bFailure
		} else if ok {
			s.result = bSuccess
		}
	}
	if s.category == nil && string(s.action) != string(bPayment) {
		return
	}
	if s.action != nil {
		ev.Set(event.Action, s.action)
	}
	s.set(ev)
}
