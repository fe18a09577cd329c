package incident

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/helixvanguard/vanguard/event"
)

// judge says whether the attack that d sees in ev worked, from server-written fields alone, and why it says so. "2xx" is
// never enough: what a 200 means depends on the application, and is said by d itself, by an application model
// (event.outcome), or later by settle, which knows what the server usually answers.
func judge(ev *event.Event, d *event.Detector) (event.Outcome, string) {
	if d.Outcome != event.Unknown {
		return d.Outcome, because(ev, d.Outcome)
	}
	result := string(ev.Get(event.Result))
	if result == "success" && string(ev.Get(event.Action)) == "login" && manners[d.Threat] == queries {
		return event.LikelySucceeded, "the login that carried this was accepted"
	}
	switch ev.Kind {
	case event.KindCloud:
		if code := ev.Get(event.ErrorCode); len(code) > 0 {
			return event.Blocked, "the call failed: errorCode " + printable(code)
		}
		if result == "failure" {
			return event.Blocked, "the service reported a failure"
		}
		if result == "success" && string(ev.Get(event.Action)) == "GetCallerIdentity" {
			return event.Unknown, "" // It needs no right: who asks has a valid key, and no more is known.
		}
		if result == "success" {
			return event.Succeeded, "the call was carried out: no errorCode"
		}
	case event.KindWAF:
		if result == "failure" {
			return event.Blocked, "the firewall blocked the request"
		}
		return event.Unknown, ""
	case event.KindApp, event.KindText:
		if d.Threat == "ssrf" {
			if status := fetched(ev.Get(event.Message)); status/100 == 2 {
				return event.LikelySucceeded, "the application fetched it, and was answered " + strconv.Itoa(status)
			} else if status >= 400 {
				return event.Blocked, "what the application fetched was answered " + strconv.Itoa(status)
			}
		}
	case event.KindWeb, event.KindError:
		if ev.Status == 0 {
			break
		}
		if d.Threat == "log-injection" && (ev.Status == 401 || ev.Status == 404) {
			return event.Unknown, "" // A refused log-in is logged as well, which is all that was asked for.
		}
		if out, why := judgeStatus(ev.Status); out != event.Unknown {
			return out, why
		}
	}
	if result == "failure" {
		return event.Blocked, because(ev, event.Blocked)
	}
	return event.Unknown, ""
}

// fetched reads the status that an application puts behind the address that it fetched: "to http://192.0.2.1/ -> 200". 0 if there is none.
func fetched(m []byte) int {
	at := bytes.LastIndex(m, []byte("-> "))
	if at < 0 || len(m) < at+6 || len(m) > at+6 && m[at+6] != ' ' && m[at+6] != ',' && m[at+6] != ')' {
		return 0
	}
	n, err := strconv.Atoi(string(m[at+3 : at+6]))
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}

// judgeStatus reads an HTTP status for what it proves on any application: refusals are refusals, the rest is open.
func judgeStatus(status int) (event.Outcome, string) {
	switch {
	case status == 404 || status == 410:
		return event.Blocked, "the server answered " + strconv.Itoa(status) + ": nothing is there"
	case status == 401 || status == 403 || status == 405 || status == 406 || status == 429 || status == 444:
		return event.Blocked, "the server refused with " + strconv.Itoa(status)
	case status == 400 || status == 408 || status >= 411 && status <= 431 || status == 501 || status == 505:
		return event.Blocked, "the server rejected the request with " + strconv.Itoa(status)
	}
	return event.Unknown, ""
}

func because(ev *event.Event, o event.Outcome) string {
	if code := ev.Get(event.ErrorCode); len(code) > 0 {
		return "the call failed: errorCode " + printable(code)
	}
	switch {
	case ev.Status != 0:
		return fmt.Sprintf("the server answered %d", ev.Status)
	case o == event.Blocked:
		return "the application says that it refused"
	case o >= event.LikelySucceeded:
		return "the application says that it went through"
	}
	return ""
}

// settleProbes decides about files that should not be there: an answer of 200 counts as a leak only if this server is known
// to refuse what is missing, and does not give answers of this size to everything.
func (t *Tracker) settleProbes(in *Incident) {
	if in.Threat != "sensitive-file-probe" && in.Threat != "path-traversal" {
		return
	}
	for i := range in.Evidence {
		e := &in.Evidence[i]
		if e.Outcome != event.Unknown || e.Status != 200 {
			continue
		}
		if in.Threat == "sensitive-file-probe" && e.Level >= event.Medium && e.Bytes < 0 && in.Refused >= enoughRefused {
			in.works(e, fmt.Sprintf("answered 200, while %d other probes of this client were refused", in.Refused))
			continue
		}
		if e.Bytes < minLeak || e.Level < event.Low || t.site.Refused == 0 || t.site.answersEverything(e.Bytes) {
			continue
		}
		if in.Threat == "sensitive-file-probe" && e.Level == event.Medium && e.Field == event.Path && in.Refused == 0 {
			continue // Downloads are named like that, too: it takes somebody who asked for other things that were refused.
		}
		if in.Threat == "path-traversal" && (e.Field != event.Path || e.Bytes > maxLeak) {
			continue // A page that takes a file name as a parameter is judged by its other answers.
		}
		in.works(e, fmt.Sprintf("answered 200 with %s bytes, while this server refuses what is missing (%d times here)", comma(e.Bytes), t.site.Refused))
	}
}

// doubtShells takes back that a script answered, where the answers show that it is not there: different commands answered alike, or
// with what this server answers to everything.
func (t *Tracker) doubtShells(in *Incident) {
	if in.Outcomes[event.LikelySucceeded] == 0 || in.Outcomes[event.Succeeded] > 0 {
		return
	}
	var ok []*answer
	for i := range in.Answers {
		switch a := &in.Answers[i]; {
		case a.Status/100 != 2:
		case a.Size < 0 || a.Size > 0 && !t.site.answersEverything(a.Size):
			ok = append(ok, a)
		case a.Size == 0:
			return // A shell may well be silent.
		}
	}
	g := group{ok: ok}
	if len(ok) > 0 && (payloads(ok) < enoughShells || !g.alike(ok)) {
		return
	}
	if len(ok) == 0 && in.Served == 0 {
		return
	}
	in.Outcomes[event.Unknown] += in.Outcomes[event.LikelySucceeded]
	in.Outcomes[event.LikelySucceeded], in.Worked = 0, 0
	for i := range in.Evidence {
		if e := &in.Evidence[i]; e.Outcome == event.LikelySucceeded {
			e.Outcome, e.Because = event.Unknown, ""
		}
	}
}

// works notes that the attempt behind e worked.
func (in *Incident) works(e *Evidence, because string) {
	e.Outcome, e.Because = event.LikelySucceeded, because
	in.Worked = max(in.Worked, e.Level)
	in.Outcomes[event.Unknown]--
	in.Outcomes[event.LikelySucceeded]++
}

const (
	minLeak       = 24      // bytes: a smaller answer holds no secret
	enoughRefused = 4       // probes of one client refused: it is not told 200 whatever it asks for
	enoughShells  = 3       // different commands that a script answers alike: it does not run them
	maxLeak       = 1 << 16 // bytes: password files and the like are smaller than pages
)

// printable cuts s to a short piece without control characters.
func printable(s []byte) string {
	out := make([]byte, 0, 64)
	for _, c := range s[:min(len(s), 64)] {
		if c >= 0x20 && c < 0x7f {
			out = append(out, c)
		}
	}
	return string(out)
}

func span(lo, hi int64, unit string) string {
	if lo == hi {
		return comma(lo) + unit
	}
	return comma(lo) + " to " + comma(hi) + unit
}

func times(n int) string {
	if n == 1 {
		return "it"
	}
	return strconv.Itoa(n) + " such requests"
}

// comma writes n with commas between thousands.
func comma(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func abs(n int64) int64 { return max(n, -n) }
