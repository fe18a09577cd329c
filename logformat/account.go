package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// Who a message is about.

// users: "user=x", "for user 'x'", "user x", "by user 7 (x@example.com)", "login:x", or the only e-mail address.
func (r *reader) users() {
	ev := r.ev
	best, rank := -1, 0
	mails, mail := 0, -1
	id, idRank := -1, 0
	for i := range r.toks {
		t := &r.toks[i]
		switch t.kind {
		case tMail, tQuoted, tOpaque, tNumber, tWord:
		default:
			continue
		}
		g := 0
		if t.kind == tMail {
			// "changed to new@example.com" is not who did it, "served to x@example.com" is.
			if mails++; i == 0 || r.toks[i-1].kind != tArrow && (r.toks[i-1].sp() != spTo || i > 1 && r.toks[i-2].sp() != spChanged && r.toks[i-2].class()&wDone != 0) {
				mail = i
			}
		}
		if t.kind == tWord && t.class() == 0 && t.sp() == 0 && rank < 3 && r.nowIn(i) {
			best, rank = i, 3
			continue
		}
		p := i - 1
		assigned := false
		for p >= 0 && (r.toks[p].kind == tColon || r.toks[p].kind == tBreak && (r.m[r.toks[p].start] == '[' || r.m[r.toks[p].start] == '<' || r.m[r.toks[p].start] == '(')) {
			assigned = assigned || r.toks[p].kind == tColon
			p--
		}
		if p < 0 || r.toks[p].kind != tWord {
			continue
		}
		l := &r.toks[p]
		switch {
		case assigned && l.class()&wBad != 0 && p > 0 && r.toks[p-1].class()&wTopic != 0 && i+1 < len(r.toks) && r.toks[i+1].kind == tBreak && r.m[r.toks[i+1].start] == '(' && t.class() == 0:
			g = 2 // "Login failed: alice (192.0.2.1)"
		case l.class()&wUser != 0 || l.sp() == spLogin && (t.kind == tQuoted || r.m[t.start-1] == ':' || r.m[t.start-1] == '='):
			if t.kind == tWord && !assigned && (t.class()&(wStop|wTo) != 0 || t.sp() != 0) && !(string(r.text(t)) == "admin" && i+1 < len(r.toks) && (r.toks[i+1].sp() == spFrom || r.toks[i+1].class()&wTopic != 0)) {
				continue
			}
			if g = 3; assigned || t.kind == tQuoted {
				g = 4
			}
			if p > 0 && r.toks[p-1].sp() == spBy {
				g = 6
			}
			if l.class()&wFill == 0 || string(r.text(l)) == "username" {
				g++ // "email=", "username"
			}
			if string(r.text(l)) == "account" && t.kind == tWord {
				g = 1
			}
		case l.sp() == spFor && (t.kind == tQuoted || t.kind == tMail), l.sp() == spBy && t.kind == tMail, l.sp() == spBy && assigned:
			g = 3
			if l.sp() == spBy {
				g = 6
			}
		case l.sp() == spFor && t.kind == tWord && t.class() == 0 && i+1 < len(r.toks) && (r.toks[i+1].sp() == spFrom || r.toks[i+1].kind == tBreak && r.m[r.toks[i+1].start] == '('):
			g = 3 // "for alice from 192.0.2.1"
		case t.kind == tWord && t.class() == 0 && string(r.text(l)) == "as" && i+1 < len(r.toks) && r.toks[i+1].sp() == spFrom:
			g = 3 // "invalid login as root from 192.0.2.1"
		case l.sp() == spFor && t.kind == tOpaque && i+1 < len(r.toks) && r.toks[i+1].sp() == spFrom:
			g = 3
		case l.sp() == spFor && t.kind == tWord && t.class() == 0 && t.sp() == 0 && r.aboutLogin(p):
			g = 3 // "login failed for alice", "authentication request for alice has been denied"
		case l.class()&wBad != 0 && t.kind == tQuoted && p == i-1 && r.aboutLogin(p):
			g = 3 // "client login failed 'alice' from 192.0.2.1"
		case assigned && t.open == '[' && l.class()&(wBad|wGood) != 0 && r.aboutLogin(p):
			g = 3 // "Login OK: [alice]"
		case assigned && string(r.text(l)) == "id" && p > 0 && string(r.text(&r.toks[p-1])) == "set":
			g = 4 // Exim: set_id=alice
		case l.sp() == spFrom && t.kind == tQuoted && bytes.Contains(r.text(t), []byte("<sip:")):
			g = 3
		}
		if t.kind == tNumber && g > 0 && l.sp() == spUser || t.kind == tNumber && g == 6 {
			if g >= idRank {
				id, idRank = i, g
			}
			// "by user 7 (x@example.com)": the mail is the one who did it.
			if i+2 < len(r.toks) && r.toks[i+1].kind == tBreak && r.toks[i+2].kind == tMail && r.toks[i+2].open == '(' && g >= rank {
				best, rank = i+2, g
			}
			continue
		}
		if g > rank {
			best, rank = i, g
		}
	}
	if id >= 0 && idRank >= rank && !ev.Has(event.UserID) {
		ev.Set(event.UserID, r.text(&r.toks[id]))
	}
	if best < 0 && mail >= 0 && mails == 1 {
		best = mail
	}
	if best >= 0 && !ev.Has(event.User) {
		if v := bytes.TrimRight(r.text(&r.toks[best]), ".:"); len(v) > 0 && !absent(v) {
			v = r.name(best, v)
			if at := bytes.LastIndexByte(v, '@'); at > 0 && !ev.Has(event.SourceIP) { // "root@192.0.2.1"
				if a, n := addrAt(v[at+1:]); n == len(v)-at-1 && n > 0 {
					setSource(ev, a)
					v = v[:at:at]
				}
			}
			ev.Set(event.User, v)
		}
	}
}

// aboutLogin tells whether the three tokens before token p speak of a login.
func (r *reader) aboutLogin(p int) bool {
	for k := p - 1; k >= 0 && k >= p-3 && r.toks[k].kind == tWord; k-- {
		if r.toks[k].class()&wTopic != 0 {
			return true
		}
	}
	return false
}

// nowIn: "alice is now logged in", "alice logged in", with alice at token i.
func (r *reader) nowIn(i int) bool {
	k := i + 1
	for k < len(r.toks) && k < i+4 && r.toks[k].kind == tWord && r.toks[k].sp() == 0 {
		switch string(r.text(&r.toks[k])) {
		case "is", "has", "now", "just":
			k++
			continue
		}
		break
	}
	return k+1 < len(r.toks) && (r.toks[k].sp() == spLogged || r.toks[k].sp() == spSigned) && r.toks[k+1].sp() == spIn
}

// name widens a user name that the tokens cut ("jean-luc", "a.b"): up to the next blank or quote.
func (r *reader) name(i int, v []byte) []byte {
	t := &r.toks[i]
	if bytes.HasPrefix(r.m[t.end:], []byte(`]\[`)) { // Samba: [DOMAIN]\[user]
		rest := r.m[t.end+3:]
		if e := bytes.IndexByte(rest, ']'); e > 0 {
			return rest[:e:e]
		}
	}
	if at := bytes.Index(v, []byte("<sip:")); t.kind == tQuoted && at >= 0 { // "Alice" <sip:alice@example.com>
		v = v[at+5:]
		if e := bytes.IndexAny(v, "@>"); e >= 0 {
			v = v[:e:e]
		}
	}
	if t.kind == tQuoted || t.kind == tMail {
		return v
	}
	e := int(t.end)
	for e < len(r.m) && (wordByte[r.m[e]] || (r.m[e] == '-' || r.m[e] == '.' || r.m[e] == '@') && e+1 < len(r.m) && wordByte[r.m[e+1]]) {
		e++
	}
	s := int(t.start)
	return r.m[s:e:e]
}
