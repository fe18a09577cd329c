package logformat

import (
	"bytes"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// Where no known format fits, the lines of a source still show what their columns are: the third is always an
// address, the fifth always a method. induce finds such columns.

const (
	minInduced = 3  // lines that it takes
	maxInduced = 40 // columns of a line
	colsAgree  = 90 // percent of the lines whose column must look the same
	linesAgree = 80 // percent of the lines that must have the same number of columns
)

// colType is what the values of an induced column look like; 0 is anything.
type colType uint8

const (
	anything colType = iota
	isTime
	isAddr
	isVerb
	isTarget
	isRequest
	isStatus
	isSize
	isTook
	isAgent
	isURL
	isVersion
	isLevelWord
	isClock // a time of day without its date
	isHost  // www.example.com
	numTypes
)

// typeOf tells what v looks like.
func typeOf(c *ctx, v []byte) colType {
	if len(v) == 0 {
		return anything
	}
	switch b := v[0]; {
	case b == '/':
		return isTarget
	case isDigit(b) || b == ':' || b == '[':
		if validAddr(v) {
			return isAddr
		}
		n, k := number(v)
		if k == len(v) {
			if k == 3 && n >= 100 && n < 600 {
				return isStatus
			}
			if _, clock, m := scanTime(c, v); m == len(v) && clock != event.NoClock {
				return isTime
			}
			if k < 13 {
				return isSize
			}
			return anything
		}
		if _, clock, m := scanTime(c, v); m == len(v) {
			if clock == event.NoClock {
				return isClock
			}
			return isTime
		}
		if _, ok := duration(v, time.Second); ok {
			return isTook
		}
	case validAddr(v):
		return isAddr
	case isMethod(v) && knownMethod(v):
		return isVerb
	case bytes.HasPrefix(v, httpSlash) && len(v) < 10:
		return isVersion
	case levelNamed(v) != nil:
		return isLevelWord
	case bytes.HasPrefix(v, []byte("http://")) || bytes.HasPrefix(v, []byte("https://")):
		return isURL
	case bytes.HasPrefix(v, []byte("Mozilla/")), bytes.HasPrefix(v, []byte("curl/")):
		return isAgent
	case isHostname(v):
		return isHost
	default:
		if i := bytes.IndexByte(v, ' '); i > 0 && isMethod(v[:i]) && knownMethod(v[:i]) && i+1 < len(v) && v[i+1] == '/' {
			return isRequest
		}
		if _, clock, m := scanTime(c, v); m > 0 && m == len(v) && clock != event.NoClock {
			return isTime
		}
	}
	return anything
}

func knownMethod(v []byte) bool {
	switch string(v) {
	case "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "PROPFIND":
		return true
	}
	return false
}

// fits tells whether v can stand in a column of this type.
func (t colType) fits(c *ctx, v []byte) bool {
	if none(v) || absent(v) {
		return true
	}
	switch t {
	case isAgent, isURL, isLevelWord, isVersion, isHost, anything:
		return true
	case isTarget:
		return v[0] == '/' || v[0] == '*' || bytes.Contains(v, schemeSep)
	case isVerb:
		return isMethod(v)
	case isSize, isStatus:
		_, n := number(v)
		return n == len(v)
	case isTook:
		_, ok := duration(v, time.Second)
		return ok
	case isRequest:
		return bytes.IndexByte(v, ' ') > 0
	}
	return typeOf(c, v) == t
}

// induce finds the columns of lines; nil if they have none that tell enough. told: free text already finds times and
// addresses in them, so that columns must tell that and a request as well.
func induce(opt *Options, lines [][]byte, told bool) *shape {
	c := &ctx{opt: opt}
	for _, sep := range []byte("\t|;, ") {
		l := &layout{name: "induced", sep: sep, group: sep == ' ', brack: sep == ' ', csv: sep != ' ', must: true}
		seen, ok := l.induce(c, lines)
		if ok && told {
			ok = seen[isTime] > 0 && seen[isAddr] > 0 && (seen[isRequest] > 0 || seen[isVerb] > 0 && seen[isTarget]+seen[isURL] > 0)
		}
		if ok {
			return &shape{name: l.name, parse: l.parse}
		}
	}
	return nil
}

func (l *layout) induce(c *ctx, lines [][]byte) (seen [numTypes]int, ok bool) {
	// The number of columns that most lines have.
	counts := map[int]int{}
	split := make([][][]byte, 0, len(lines))
	for _, line := range lines {
		vals := l.split(c, line)
		split = append(split, vals)
		counts[len(vals)]++
	}
	most, n := 0, 0
	for k, have := range counts {
		if have > most || have == most && k > n {
			most, n = have, k
		}
	}
	if n < 3 || n > maxInduced || most < minInduced || most*100 < len(lines)*linesAgree {
		return seen, false
	}
	l.cols = make([]column, n)
	words := 0 // columns that hold the same word in each line
	for k := range l.cols {
		var votes [numTypes]int
		voters := 0
		for _, vals := range split {
			if len(vals) != n || none(vals[k]) || absent(vals[k]) {
				continue
			}
			voters++
			votes[typeOf(c, vals[k])]++
		}
		votes[isSize] += votes[isStatus]
		if votes[isStatus]*100 >= voters*colsAgree {
			votes[isSize] = 0
		}
		typ := anything
		if l.sep == ' ' && voters > 0 && votes[anything] == voters {
			words += sameWord(split, n, k)
		}
		for t := isTime; t < numTypes; t++ {
			if votes[t] > 0 && votes[t]*100 >= voters*colsAgree || t == isAgent && votes[t]*2 > voters {
				typ = t
			}
		}
		seen[typ]++
		l.cols[k] = inducedColumn(typ, &seen)
		if typ == isClock && k > 0 && l.cols[k-1].typ == isTime {
			l.cols[k-1].slot = cDate
		}
	}
	if seen[isAddr] == 0 && seen[isTime] == 0 || seen[isStatus]+seen[isTarget]+seen[isVerb]+seen[isRequest] < 1 ||
		seen[isAddr]+seen[isTime]+seen[isStatus]+seen[isTarget]+seen[isVerb]+seen[isRequest]+seen[isSize]+seen[isAgent] < 3 {
		return seen, false
	}
	// A number is a status only where there is a request.
	if seen[isTarget]+seen[isVerb]+seen[isRequest]+seen[isURL] == 0 {
		return seen, false
	}
	if words > 2 { // a sentence: free text understands it
		return seen, false
	}
	if seen[isTarget]+seen[isRequest] == 0 {
		for k := range l.cols {
			if l.cols[k].typ == isURL {
				l.cols[k].slot, l.cols[k].typ = sTarget, isTarget
				break
			}
		}
	}
	l.least = n
	l.setKind()
	return seen, true
}

// sameWord is 1 if column k of all lines with n columns is one and the same word of small letters.
func sameWord(split [][][]byte, n, k int) int {
	var word []byte
	for _, vals := range split {
		if len(vals) != n {
			continue
		}
		if v := vals[k]; word == nil {
			for _, b := range v {
				if b-'a' > 25 {
					return 0
				}
			}
			word = v
		} else if !bytes.Equal(v, word) {
			return 0
		}
	}
	return 1
}

func inducedColumn(t colType, seen *[numTypes]int) column {
	col := column{slot: cExtra, name: "column", typ: t}
	switch t {
	case isTime:
		col.slot = sTime
	case isAddr:
		if col.slot = sSource; seen[isAddr] > 1 {
			col.slot = slot(event.DestIP)
		}
	case isVerb:
		col.slot = slot(event.Method)
	case isTarget:
		col.slot = sTarget
	case isRequest:
		col.slot = sRequest
	case isStatus:
		if col.slot = sStatus; seen[isStatus] > 1 {
			col.slot, col.typ = cExtra, anything
		}
	case isSize:
		if col.slot = sBytes; seen[isSize] > 1 {
			col.slot, col.typ = cExtra, anything
		}
	case isTook:
		col.slot = sTook
	case isAgent:
		col.slot = slot(event.UserAgent)
	case isURL:
		col.slot = slot(event.Referer)
	case isVersion:
		col.slot = slot(event.HTTPVersion)
	case isLevelWord:
		col.slot = sLevel
	case isClock:
		col.slot = cClock
	case isHost:
		col.slot = slot(event.Host)
	}
	return col
}

// split cuts line into its columns, a time of several words being one.
func (l *layout) split(c *ctx, line []byte) (vals [][]byte) {
	for i := 0; i < len(line) && len(vals) <= maxInduced; {
		v, next, ok := l.field(line, i, l.group)
		if !ok {
			return nil
		}
		vals = append(vals, v)
		i = next
	}
	return vals
}
