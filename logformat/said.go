package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// What a message says is decided by the server's words alone: a topic (login, password, token, access) and a verdict on
// it (failed, denied, accepted) close together in one clause, nothing between them that makes it about something else, no
// negation before. Names, paths, quoted text and JSON are opaque here.

var (
	bSuccess  = []byte("success")
	bFailure  = []byte("failure")
	bAuthn    = []byte("authentication")
	bLogin    = []byte("login")
	bLogout   = []byte("logout")
	bRegister = []byte("register")
	bReset    = []byte("password-reset")
	bChange   = []byte("password-change")
	bMFA      = []byte("mfa")
	bRefresh  = []byte("token-refresh")
	bAPICall  = []byte("api-call")
	bPayment  = []byte("payment")
	bUpload   = []byte("upload")
)

// said is what the words of one message come to.
type said struct {
	action, result, category []byte
}

// maxApart is how many words may stand between a topic and the verdict on it, fillers and opaque tokens not counted.
const maxApart = 1

// judge reads tokens. addr: the record names the client, besides what the tokens may say.
func judge(toks []tok, addr bool) (s said) {
	var authBad, authGood, tokenBad, deny, otherBad, done bool
	var topics, tokens int
	var login, mfa, refresh, word bool // word: a password is spoken of
	// The last topic, verdict, token word... of this clause: distance in counted words since, or far.
	const far = 99
	topic, tokn, perm, bad, good, not := far, far, far, far, far, far
	var topicPlural bool
	zero := far // a number just before: "0 failed logins"
	for i := 0; i < len(toks); i++ {
		t := &toks[i]
		switch t.kind {
		case tBreak:
			if n := addrGroup(toks[i:]); n > 0 {
				i += n - 1 // "attempt from [192.0.2.1, 10.0.0.2] failed"
				continue
			}
			topic, tokn, perm, bad, good, not, zero = far, far, far, far, far, far, far
			continue
		case tNumber:
			zero = 0
			continue
		case tColon:
			bad, good, zero = far, far, far // "Validation error: password too short"
			continue
		case tWord:
		default:
			zero = far
			continue
		}
		cl, sp := t.class(), t.sp()
		if cl&wBlock != 0 && cl&(wBad|wGood|wTopic|wToken) == 0 {
			topic, tokn, perm, bad, good = far, far, far, far, far
			if sp != spReset && sp != spLimit {
				not = far
			}
		}
		next := func(k int) special {
			if i+k < len(toks) {
				return toks[i+k].sp()
			}
			return 0
		}
		// Fixed phrases first.
		switch sp {
		case spLogged, spSigned:
			if next(1) == spIn && bad <= maxApart {
				authBad, login = true, true // "failed to logged in"
			} else if next(1) == spIn && not > maxApart {
				authGood, login = true, true
			} else if next(1) == spOut {
				s = said{action: bLogout, category: bAuthn}
			}
		case spLogout:
			if s.action == nil {
				s = said{action: bLogout, category: bAuthn}
			}
		case spSession:
			if next(1) == spOpened && next(2) == spFor {
				authGood, login = true, true
			} else if next(1) == spClosed && next(2) == spFor {
				s = said{action: bLogout, category: bAuthn}
			}
		case spPassword:
			word = true
			if next(1) == spReset && !login {
				s = said{action: bReset, category: bAuthn}
				topic = far
				continue
			}
			if next(1) == spChanged && not > maxApart {
				return said{bChange, bSuccess, bAuthn}
			}
		case spUsing:
			if next(1) == spPassword && perm < far || next(1) == spPassword && deny {
				authBad, login = true, true
				topics++
			}
		case spToo:
			if next(1) == spMany && next(2) == spRequests {
				deny = true
			}
		case spRate:
			if next(1) == spLimit && (next(2) == spExceeded || next(3) == spExceeded || string(lowerBytes(toks, i+1)) == "limited") {
				deny = true
			}
		case spThrottled:
			deny = true
		case spMissing:
			for k := 1; k <= 3 && i+k < len(toks); k++ {
				if toks[i+k].class()&(wTopic|wToken) != 0 {
					tokenBad = true
				}
			}
			bad = far
			continue
		case spRegistered:
			if accountNear(toks, i) && not > maxApart {
				return said{bRegister, bSuccess, bAuthn}
			}
		case spPayment, spCharge:
			if v := paymentVerdict(toks[i+1:]); v != nil {
				return said{action: bPayment, result: v}
			}
		case spOTP:
			mfa = true
			for k := 1; k <= 3; k++ {
				if next(k) == spSent {
					return said{action: bMFA, category: bAuthn}
				}
			}
		case spFactor:
			mfa = true
		case spStepUp:
			if i+2 < len(toks) && string(lowerBytes(toks, i+1)) == "up" {
				return said{action: bMFA, category: bAuthn}
			}
		case spRequires:
			if next(1) == spRole || next(2) == spRole {
				deny = true
			}
		case spValidation, spInput:
			for k := -1; k <= 1; k++ {
				if j := i + k; j >= 0 && j < len(toks) && k != 0 && toks[j].class()&wBad != 0 {
					otherBad = true
				}
			}
		case spUploaded:
			s.action = bUpload
		case spLogin, spSignin:
			login = true
		case spLog, spSign:
			if next(1) == spIn {
				cl |= wTopic
				login = true
			}
		case spRefresh:
			refresh = true
		}
		negated := not <= maxApart || zero == 0
		switch {
		case cl&wNot != 0:
			not = 0
			topic, tokn, perm, bad, good = topic+1, tokn+1, perm+1, bad+1, good+1
			if cannotLogIn(toks[i:]) {
				authBad, login = true, true
			}
			if tokenAfter(toks, i) {
				tokenBad = true
			}
			continue
		case cl&wTopic != 0 && cl&(wBad|wGood) != 0: // "AUTHFAIL", "loginok"
			topics++
			if cl&wBad != 0 {
				authBad = authBad || !negated
			} else if not > maxApart {
				authGood = true
			}
		case cl&wTopic != 0:
			topics++
			topicPlural = sp == spLogins
			if not <= maxApart {
				if w := string(lowerBytes(toks, i)); w == "authenticate" || w == "authenticated" && before(toks, i) == "be" {
					authBad, login = true, true
				} else if w == "authenticated" {
					tokenBad = true
				}
			}
			if !topicPlural {
				if bad <= maxApart {
					authBad = true
				}
				if good <= maxApart {
					authGood = true
				}
				topic = -1
			}
		case cl&wToken != 0:
			tokens++
			if w := before(toks, i); w == "unrecognized" || w == "unrecognised" || w == "illegal" || w == "unexpected" {
				continue // a parser's token
			}
			if bad <= maxApart {
				tokenBad = true
			}
			tokn = -1
		case cl&wBad != 0:
			if zero == 1 && string(lowerBytes(toks, i)) == "failures" {
				negated = true // "0 authentication failures"
			}
			if !negated {
				if topic <= maxApart {
					authBad = true
				}
				if tokn <= maxApart {
					tokenBad = true
				}
				if perm <= maxApart || cl&wDeny != 0 {
					deny = true
				}
				bad = -1
			}
		case cl&wGood != 0:
			if not <= maxApart { // "did not match", "not found", "not authorized"
				if topic <= maxApart+1 {
					authBad = true
				}
				if tokn <= maxApart+1 {
					tokenBad = true
				}
				if s := string(lowerBytes(toks, i)); s == "authorized" || s == "authorised" || s == "permitted" || s == "allowed" {
					deny = true
				}
				bad = -1
			} else if zero > 0 {
				if topic <= maxApart {
					authGood = true
				}
				good = -1
			}
		case cl&wDeny != 0:
			if !negated {
				deny = true
			}
		case cl&wPerm != 0:
			if bad <= maxApart {
				deny = true
			}
			perm = -1
		}
		if cl&wDone != 0 && not > maxApart {
			done = true
		}
		if cl&wFill == 0 || cl&(wTopic|wBad|wGood|wToken|wPerm) != 0 {
			topic, tokn, perm, bad, good, not = topic+1, tokn+1, perm+1, bad+1, good+1, not+1
		}
		zero++
	}
	if len(toks) > 0 && noSuchUser(toks, addr) {
		authBad, login = true, true
	}
	switch {
	case authBad:
		s = said{bLogin, bFailure, bAuthn}
		if mfa && !login && !word {
			s.action = bMFA
		} else if refresh && tokens > 0 && !login {
			s.action = bRefresh
		}
	case tokenBad:
		s = said{bAPICall, bFailure, bAuthn}
		if refresh {
			s.action = bRefresh
		}
	case deny, otherBad:
		if s.action == nil {
			s.action = bAPICall
		}
		s.result = bFailure
		s.category = nil
	case authGood:
		s = said{bLogin, bSuccess, bAuthn}
		if mfa && !login {
			s.action = bMFA
		}
	case done && s.action == nil:
		s = said{action: bAPICall, result: bSuccess}
	}
	return s
}

func lowerBytes(toks []tok, i int) []byte { return wordText[toks[i].id] }

// before is the known word right before token i.
func before(toks []tok, i int) string {
	if i == 0 || toks[i-1].kind != tWord {
		return ""
	}
	return string(lowerBytes(toks, i-1))
}

// addrGroup returns how many tokens "[192.0.2.1, 10.0.0.2]" takes at the start of toks: one bracket, addresses, one bracket. 0 if
// there is no such group.
func addrGroup(toks []tok) int {
	n := 1
	for n+1 < len(toks) && toks[n].kind == tAddr && toks[n+1].kind == tBreak {
		n += 2
	}
	if n == 1 || toks[1].open != '[' && toks[1].open != '(' {
		return 0
	}
	return n
}

// cannotLogIn: "cannot login", "couldn't log in", "unable to sign in" at the start of toks.
func cannotLogIn(toks []tok) bool {
	at := func(i int) special {
		if i < len(toks) {
			return toks[i].sp()
		}
		return 0
	}
	switch string(lowerBytes(toks, 0)) {
	case "cannot", "can't", "couldn't", "unable":
	default:
		return false
	}
	i := 1
	if at(i) == spTo {
		i++
	}
	return at(i) == spLogin || at(i) == spSignin || (at(i) == spLog || at(i) == spSign) && at(i+1) == spIn
}

// wordText is the text of known words by id.
var wordText = func() [][]byte {
	out := make([][]byte, len(wordInfos))
	for w, id := range lexicon {
		out[id] = []byte(w)
	}
	return out
}()

// accountNear tells whether "account" or "user" stands up to four tokens before i.
func accountNear(toks []tok, i int) bool {
	for k := max(0, i-4); k < i; k++ {
		if sp := toks[k].sp(); sp == spAccount || sp == spUser {
			return true
		}
	}
	return false
}

// paymentVerdict looks for what became of a payment in the next few words.
func paymentVerdict(toks []tok) []byte {
	for i := range toks[:min(len(toks), 5)] {
		switch cl := toks[i].class(); {
		case toks[i].kind == tBreak && i > 0:
			return nil
		case cl&wBad != 0:
			return bFailure
		case cl&wGood != 0, toks[i].sp() == spCaptured:
			return bSuccess
		}
	}
	return nil
}

// tokenAfter: "no token provided", "no auth token": a missing credential.
func tokenAfter(toks []tok, i int) bool {
	if s := string(lowerBytes(toks, i)); s != "no" && s != "without" {
		return false
	}
	for k := i + 1; k <= i+3 && k < len(toks) && toks[k].kind == tWord; k++ {
		if toks[k].class()&wToken != 0 {
			return true
		}
	}
	return false
}

// noSuchUser: "no such user", "no user found", "unknown user", "user not found", "invalid user", "user does not
// exist", "can't find user": with an address in the message it is somebody who tried to get in.
func noSuchUser(toks []tok, addr bool) bool {
	hit := false
	for i := range toks {
		t := &toks[i]
		if t.kind == tAddr {
			addr = true
		}
		if t.sp() != spUser && t.sp() != spAccount {
			continue
		}
		for k := i - 1; k >= max(0, i-2); k-- {
			switch w := string(lowerBytes(toks, k)); w {
			case "unknown", "invalid", "no", "nonexistent", "nonexisting", "illegal":
				hit = true
			case "such":
				continue
			}
			if toks[k].class()&wNot != 0 && k == i-2 && string(lowerBytes(toks, i-1)) != "" {
				hit = hit || toks[i-1].class()&wStop == 0 && toks[i-1].kind == tWord
			}
		}
		if i >= 3 && toks[i-3].class()&wBad != 0 && toks[i-2].sp() == spTo { // "failed to find user"
			switch string(lowerBytes(toks, i-1)) {
			case "find", "locate", "lookup":
				hit = true
			}
		}
		for k := i + 1; k <= i+4 && k < len(toks) && toks[k].kind != tBreak; k++ {
			if toks[k].class()&wNot != 0 && k+1 < len(toks) && (toks[k+1].class()&wGood != 0) {
				hit = true
			}
		}
	}
	return addr && hit
}

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

// set puts what was said on ev, over nothing that is there already but an outcome-free name of the event.
func (s *said) set(ev *event.Event) {
	if s.action != nil && (!ev.Has(event.Action) || s.result != nil && s.category != nil) {
		ev.Set(event.Action, s.action)
	}
	if s.result != nil && !ev.Has(event.Result) {
		ev.Set(event.Result, s.result)
	}
	if s.category != nil && !ev.Has(event.Category) {
		ev.Set(event.Category, s.category)
	}
}

// trimSpace is bytes.TrimSpace for ASCII.
func trimSpace(s []byte) []byte { return bytes.Trim(s, " \t\r\n") }

// judgeText lets the words of a server-written text decide, without taking names or addresses from it.
func judgeText(ev *event.Event, text []byte) {
	said := judge(scratchOf(ev).tokenize(text), ev.Has(event.SourceIP))
	if said.category == nil && said.result != nil && (!ev.Has(event.SourceIP) && !ev.Has(event.User) || string(said.result) == "success") {
		return
	}
	said.set(ev)
}

// judgeAuth is judgeText for authentication alone.
func judgeAuth(ev *event.Event, text []byte) {
	if said := judge(scratchOf(ev).tokenize(text), ev.Has(event.SourceIP)); said.category != nil {
		said.set(ev)
	}
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
