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

// far is a distance at which nothing is near.
const far = 99

// hearing takes in one message, word by word.
type hearing struct {
	toks []tok
	said said // by phrases that need no verdict

	authBad, authGood, tokenBad, deny, otherBad, done bool
	login, mfa, refresh, token, word                  bool // is spoken of; word: a password

	// How many counted words ago it was said in this clause, or far.
	topic, credential, perm, bad, good, not int
	zero                                    int // a number: "0 failed logins"
}

// judge reads tokens. addr: the record names the client, besides what the tokens may say.
func judge(toks []tok, addr bool) said {
	h := hearing{toks: toks, not: far, zero: far}
	h.forget()
	for i := 0; i < len(toks); i++ {
		t := &toks[i]
		switch t.kind {
		case tBreak:
			if n := addrGroup(toks[i:]); n > 0 {
				i += n - 1 // "attempt from [192.0.2.1, 10.0.0.2] failed"
				continue
			}
			h.forget()
			h.not, h.zero = far, far
		case tNumber:
			h.zero = 0
		case tColon:
			h.bad, h.good, h.zero = far, far, far // "Validation error: password too short"
		case tWord:
			cl, sp := t.class(), t.sp()
			if cl&wBlock != 0 && cl&(wBad|wGood|wTopic|wToken) == 0 {
				h.forget()
				if sp != spReset && sp != spLimit {
					h.not = far
				}
			}
			topic, then := h.phrase(i, sp)
			if then == end {
				return h.said
			} else if then == skip {
				continue
			}
			if topic {
				cl |= wTopic
			}
			if h.verdicts(i, cl, sp) {
				h.count(cl)
			}
		default:
			h.zero = far
		}
	}
	if len(toks) > 0 && noSuchUser(toks, addr) {
		h.authBad, h.login = true, true
	}
	return h.sum()
}

// forget ends a clause, but for a negation.
func (h *hearing) forget() { h.topic, h.credential, h.perm, h.bad, h.good = far, far, far, far, far }

// count moves everything that was said one word away.
func (h *hearing) count(cl word) {
	if cl&wFill == 0 || cl&(wTopic|wBad|wGood|wToken|wPerm) != 0 {
		h.topic, h.credential, h.perm, h.bad, h.good, h.not = h.topic+1, h.credential+1, h.perm+1, h.bad+1, h.good+1, h.not+1
	}
	h.zero++
}

// next is the k-th token after token i, if that is a special word.
func (h *hearing) next(i, k int) special {
	if i+k < len(h.toks) {
		return h.toks[i+k].sp()
	}
	return 0
}

type step uint8

const (
	on   step = iota
	skip      // the word is done with
	end       // so is the message
)

// phrase looks for the fixed phrases that word i begins. topic: the word is a topic here.
func (h *hearing) phrase(i int, sp special) (topic bool, then step) {
	toks := h.toks
	switch sp {
	case spLogged, spSigned:
		if h.next(i, 1) == spIn && h.bad <= maxApart {
			h.authBad, h.login = true, true // "failed to logged in"
		} else if h.next(i, 1) == spIn && h.not > maxApart {
			h.authGood, h.login = true, true
		} else if h.next(i, 1) == spOut {
			h.said = said{action: bLogout, category: bAuthn}
		}
	case spLogout:
		if h.said.action == nil {
			h.said = said{action: bLogout, category: bAuthn}
		}
	case spSession:
		if h.next(i, 1) == spOpened && h.next(i, 2) == spFor {
			h.authGood, h.login = true, true
		} else if h.next(i, 1) == spClosed && h.next(i, 2) == spFor {
			h.said = said{action: bLogout, category: bAuthn}
		}
	case spPassword:
		h.word = true
		if h.next(i, 1) == spReset && !h.login {
			h.said = said{action: bReset, category: bAuthn}
			h.topic = far
			return false, skip
		}
		if h.next(i, 1) == spChanged && h.not > maxApart {
			h.said = said{bChange, bSuccess, bAuthn}
			return false, end
		}
	case spUsing:
		if h.next(i, 1) == spPassword && (h.perm < far || h.deny) {
			h.authBad, h.login = true, true
		}
	case spToo:
		if h.next(i, 1) == spMany && h.next(i, 2) == spRequests {
			h.deny = true
		}
	case spRate:
		if h.next(i, 1) == spLimit && (h.next(i, 2) == spExceeded || h.next(i, 3) == spExceeded || string(lowerBytes(toks, i+1)) == "limited") {
			h.deny = true
		}
	case spThrottled:
		h.deny = true
	case spMissing:
		for k := 1; k <= 3 && i+k < len(toks); k++ {
			if toks[i+k].class()&(wTopic|wToken) != 0 {
				h.tokenBad = true
			}
		}
		h.bad = far
		return false, skip
	case spRegistered:
		if accountNear(toks, i) && h.not > maxApart {
			h.said = said{bRegister, bSuccess, bAuthn}
			return false, end
		}
	case spPayment, spCharge:
		if v := paymentVerdict(toks[i+1:]); v != nil {
			h.said = said{action: bPayment, result: v}
			return false, end
		}
	case spOTP:
		h.mfa = true
		for k := 1; k <= 3; k++ {
			if h.next(i, k) == spSent {
				h.said = said{action: bMFA, category: bAuthn}
				return false, end
			}
		}
	case spFactor:
		h.mfa = true
	case spStepUp:
		if i+2 < len(toks) && string(lowerBytes(toks, i+1)) == "up" {
			h.said = said{action: bMFA, category: bAuthn}
			return false, end
		}
	case spRequires:
		if h.next(i, 1) == spRole || h.next(i, 2) == spRole {
			h.deny = true
		}
	case spValidation, spInput:
		if i > 0 && toks[i-1].class()&wBad != 0 || i+1 < len(toks) && toks[i+1].class()&wBad != 0 {
			h.otherBad = true
		}
	case spUploaded:
		h.said.action = bUpload
	case spLogin, spSignin:
		h.login = true
	case spLog, spSign:
		if h.next(i, 1) == spIn {
			h.login = true
			return true, on
		}
	case spRefresh:
		h.refresh = true
	}
	return false, on
}

// verdicts brings word i together with what was said just before it. counted: the word lies between its neighbours.
func (h *hearing) verdicts(i int, cl word, sp special) (counted bool) {
	toks := h.toks
	negated := h.not <= maxApart || h.zero == 0
	switch {
	case cl&wNot != 0:
		h.not = 0
		h.topic, h.credential, h.perm, h.bad, h.good = h.topic+1, h.credential+1, h.perm+1, h.bad+1, h.good+1
		if cannotLogIn(toks[i:]) {
			h.authBad, h.login = true, true
		}
		if tokenAfter(toks, i) {
			h.tokenBad = true
		}
		return false
	case cl&wTopic != 0 && cl&(wBad|wGood) != 0: // "AUTHFAIL", "loginok"
		if cl&wBad != 0 {
			h.authBad = h.authBad || !negated
		} else if h.not > maxApart {
			h.authGood = true
		}
	case cl&wTopic != 0:
		if h.not <= maxApart {
			if w := string(lowerBytes(toks, i)); w == "authenticate" || w == "authenticated" && before(toks, i) == "be" {
				h.authBad, h.login = true, true
			} else if w == "authenticated" {
				h.tokenBad = true
			}
		}
		if sp != spLogins {
			h.authBad = h.authBad || h.bad <= maxApart
			h.authGood = h.authGood || h.good <= maxApart
			h.topic = -1
		}
	case cl&wToken != 0:
		h.token = true
		switch before(toks, i) {
		case "unrecognized", "unrecognised", "illegal", "unexpected":
			return false // a parser's token
		}
		h.tokenBad = h.tokenBad || h.bad <= maxApart
		h.credential = -1
	case cl&wBad != 0:
		if negated || h.zero == 1 && string(lowerBytes(toks, i)) == "failures" { // "0 authentication failures"
			break
		}
		h.authBad = h.authBad || h.topic <= maxApart
		h.tokenBad = h.tokenBad || h.credential <= maxApart
		h.deny = h.deny || h.perm <= maxApart || cl&wDeny != 0
		h.bad = -1
	case cl&wGood != 0:
		if h.not <= maxApart { // "did not match", "not found", "not authorized"
			h.authBad = h.authBad || h.topic <= maxApart+1
			h.tokenBad = h.tokenBad || h.credential <= maxApart+1
			switch string(lowerBytes(toks, i)) {
			case "authorized", "authorised", "permitted", "allowed":
				h.deny = true
			}
			h.bad = -1
		} else if h.zero > 0 {
			h.authGood = h.authGood || h.topic <= maxApart
			h.good = -1
		}
	case cl&wDeny != 0:
		h.deny = h.deny || !negated
	case cl&wPerm != 0:
		h.deny = h.deny || h.bad <= maxApart
		h.perm = -1
	}
	h.done = h.done || cl&wDone != 0 && h.not > maxApart
	return true
}

// sum weighs what was heard: what failed counts before what went well.
func (h *hearing) sum() said {
	s := h.said
	switch {
	case h.authBad:
		s = said{bLogin, bFailure, bAuthn}
		if h.mfa && !h.login && !h.word {
			s.action = bMFA
		} else if h.refresh && h.token && !h.login {
			s.action = bRefresh
		}
	case h.tokenBad:
		s = said{bAPICall, bFailure, bAuthn}
		if h.refresh {
			s.action = bRefresh
		}
	case h.deny, h.otherBad:
		if s.action == nil {
			s.action = bAPICall
		}
		s.result = bFailure
		s.category = nil
	case h.authGood:
		s = said{bLogin, bSuccess, bAuthn}
		if h.mfa && !h.login {
			s.action = bMFA
		}
	case h.done && s.action == nil:
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
