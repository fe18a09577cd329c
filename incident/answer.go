package incident

import (
	"bytes"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// maxAnswers bounds the answers kept of one incident: the first half, the latest, and the longest.
const maxAnswers = 32

// An answer is how the server answered one request of an incident.
type answer struct {
	Event   EventNumber
	Route   uint64 // routeKey, or the key of an application's counts
	Payload uint64 // hash of what was asked
	Asked   question
	Level   event.Severity
	Status  int   // 0 in records of applications
	Size    int64 // bytes, or rows; -1 unknown
	Rows    bool
	Login   bool          // on a route that logs in
	Blind   bool          // the request asks for a delay
	Shows   bool          // the request asks for rows that would show
	Took    time.Duration // -1 unknown
	Sleep   time.Duration // the delay that it asks for; 0 none or not understood
}

// A question measures a query and body as an answer might repeat them.
type question struct {
	Raw, Plain            int64 // bytes as sent, and with percent-encoding undone
	Single, Double        int64 // quotes
	Angle, Amp, Backslash int64
}

func measure(q *question, b []byte) {
	q.Raw += int64(len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' && i+2 < len(b) {
			if hi, lo := unhex(b[i+1]), unhex(b[i+2]); hi < 16 && lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		}
		q.Plain++
		switch c {
		case '\'':
			q.Single++
		case '"':
			q.Double++
		case '<', '>':
			q.Angle++
		case '&':
			q.Amp++
		case '\\':
			q.Backslash++
		}
	}
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// A writing is a way in which a page writes what it repeats. length is how long q becomes.
type writing func(q *question) int64

var writings = [...]writing{
	func(q *question) int64 { return q.Plain },
	func(q *question) int64 { return q.Plain + 5*(q.Single+q.Double) + 3*q.Angle + 4*q.Amp }, // &#039; &quot; &lt; &amp;
	func(q *question) int64 { return q.Plain + 4*(q.Single+q.Double) + 3*q.Angle + 4*q.Amp }, // &#39; &#34;
	func(q *question) int64 { return q.Plain + 5*q.Double + 3*q.Angle + 4*q.Amp },            // single quotes left alone
	func(q *question) int64 { return q.Plain + q.Double + q.Backslash },                      // JSON
	func(q *question) int64 { return q.Raw },
}

// answer notes how ev was answered. It is telling if it took as long as it was asked to, or is longer than all before.
func (in *Incident) answer(t *Tracker, ev *event.Event, level event.Severity) (telling bool) {
	a := answer{Event: EventNumber(t.events), Level: level, Status: ev.Status, Size: ev.Bytes, Took: ev.Duration}
	switch ev.Kind {
	case event.KindWeb:
		if ev.Status == 0 {
			return false
		}
		if ev.Status < 400 {
			in.Served++
		} else {
			in.Limited++
		}
		path := ev.Get(event.Path)
		a.Route = routeKey(ev.Get(event.Method), path)
		a.Login = loginPath(path)
		if string(ev.Get(event.Method)) == "HEAD" {
			a.Size = -1
		}
		for _, b := range [...][]byte{ev.Get(event.Query), ev.Get(event.Body)} {
			a.Payload = a.Payload*31 + hash(b)
			measure(&a.Asked, b)
			a.aim(b)
		}
		a.Payload += hash(path)
		for _, d := range ev.Decoded() {
			a.aim(d.Text)
		}
	case event.KindApp, event.KindText:
		m := message(ev)
		n, ok := rows(m)
		if !ok {
			if ev.Kind == event.KindApp && string(ev.Get(event.Level)) == "info" { // It says that it did what was asked.
				in.Served++
			}
			return false
		}
		a.Route, a.Payload, a.Size, a.Rows, a.Status = rowsKey(m), hash(m), n, true, 0
		a.aim(m)
	default:
		return false
	}
	ok := a.Status/100 == 2 || a.Rows
	telling = a.Sleep > 0 && a.Took >= a.Sleep || ok && a.Size > in.Longest
	if ok {
		in.Longest = max(in.Longest, a.Size)
	}
	in.Answered++
	in.Newest = a.Event
	if len(in.Answers) < maxAnswers {
		in.Answers = append(in.Answers, a)
		return telling
	}
	// The longest stays where it is: it is the one most worth judging.
	longest := 0
	for i := range in.Answers {
		if in.Answers[i].Status/100 == 2 && in.Answers[i].Size > in.Answers[longest].Size {
			longest = i
		}
	}
	i := maxAnswers/2 + in.Answered%(maxAnswers/2)
	if i == longest {
		i = maxAnswers / 2
		if i == longest {
			i++
		}
	}
	in.Answers[i] = a
	return telling
}

// raise records that another detector takes the attempt of an event more seriously than the first one did.
func (in *Incident) raise(n EventNumber, level event.Severity) {
	for i := range in.Answers {
		if a := &in.Answers[i]; a.Event == n {
			a.Level = max(a.Level, level)
		}
	}
}

var delays = [...][]byte{[]byte("sleep"), []byte("waitfor"), []byte("benchmark"), []byte("randomblob"), []byte("dbms_pipe"), []byte("dbms_lock"), []byte("ping -c"), []byte("ping -n")}

var showing = [...][]byte{[]byte("union"), []byte(" or "), []byte("+or+"), []byte("%20or%20"), []byte("/or/")}

// aim looks in b for what the request is after: rows, or a delay, as in SLEEP(5), pg_sleep(5), WAITFOR DELAY '0:0:5', sleep 5.
func (a *answer) aim(b []byte) {
	var room [512]byte
	index := indexFold
	if len(b) <= len(room) { // Fast path
		index = bytes.Index
		b = append(room[:0], b...)
		for i, c := range b {
			if c-'A' < 26 {
				b[i] = c | 0x20
			}
		}
	}
	for _, word := range showing {
		a.Shows = a.Shows || index(b, word) >= 0
	}
	for _, word := range delays {
		at := index(b, word)
		if at < 0 {
			continue
		}
		a.Blind = true
		if word[0] != 's' && word[0] != 'w' {
			continue
		}
		// The last number shortly after the word, as in 0:0:5; digits after "%" encode something else.
		n, seen := 0, false
		rest := b[at+len(word):]
		rest = rest[:min(len(rest), 24)]
		for i := 0; i < len(rest); i++ {
			switch c := rest[i]; {
			case c == '%' && i+2 < len(rest):
				i += 2
				if seen {
					i = len(rest)
				}
			case c >= '0' && c <= '9':
				if !seen {
					n = 0
				}
				n, seen = min(n*10+int(c-'0'), 3600), true
			case c == ':':
				seen = false
			case seen:
				i = len(rest)
			}
		}
		if n > 0 {
			a.Sleep = max(a.Sleep, time.Duration(n)*time.Second)
		}
	}
}

// indexFold finds the lower-case word in b, whatever b's case.
func indexFold(b, word []byte) int {
	for i := 0; i+len(word) <= len(b); i++ {
		if b[i]|0x20 == word[0]|0x20 && bytes.EqualFold(b[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

var loginWords = [...][]byte{[]byte("login"), []byte("signin"), []byte("sign-in"), []byte("logon"), []byte("/auth"), []byte("/session")}

func loginPath(path []byte) bool {
	for _, w := range loginWords {
		if indexFold(path, w) >= 0 {
			return true
		}
	}
	return false
}

// message is what an application says, or its whole line.
func message(ev *event.Event) []byte {
	if m := ev.Get(event.Message); len(m) > 0 {
		return m
	}
	return ev.Text
}

var counted = [...][]byte{[]byte(" rows"), []byte(" results"), []byte(" records"), []byte(" hits")}

// rows reads the count that an application puts last: "-> 12 rows". What the client wrote comes before it.
func rows(m []byte) (n int64, ok bool) {
	m = m[max(0, len(m)-96):]
	for at := len(m) - 1; at > 0; at-- {
		if m[at] != ' ' || m[at-1] < '0' || m[at-1] > '9' {
			continue
		}
		for _, unit := range counted {
			if !bytes.HasPrefix(m[at:], unit) {
				continue
			}
			scale := int64(1)
			for i := at - 1; i >= 0 && m[i] >= '0' && m[i] <= '9' && scale < 1e12; i-- {
				n += int64(m[i]-'0') * scale
				scale *= 10
			}
			return n, true
		}
	}
	return 0, false
}

// rowsKey names a kind of message by its first two words.
func rowsKey(m []byte) uint64 {
	end, words := 0, 0
	for end < len(m) && end < 40 {
		if m[end] == ' ' {
			if words++; words == 2 {
				break
			}
		}
		end++
	}
	return hash(m[:end])<<1 | 1
}
