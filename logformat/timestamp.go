package logformat

import (
	"strconv"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// A time outside these years is no time: a clock that was never set, or a lie. Nanoseconds since 1970 reach from 1678 to 2262.
const (
	minYear = 1900
	maxYear = 2200
	maxUnix = 7_258_118_400 // 2200-01-01 in seconds since 1970
)

// timeCache remembers the last times that were read: the records of a log repeat them.
// It only saves work: a hit gives what reading the text again would give.
type timeCache struct {
	text  [40]byte
	n     int // bytes of text in use
	ns    int64
	clock event.Clock

	zoneFrom, zoneTo int64 // local seconds between which offset holds
	offset           int64
}

// setTime reads a time in any common layout, alone in s but for brackets, quotes and blanks; ok is false if it is none.
func setTime(c *ctx, ev *event.Event, s []byte) (ok bool) {
	k := &c.times
	if len(s) == k.n && string(s) == string(k.text[:k.n]) { // Fast path - most records repeat the time of the one before
		ev.Time, ev.Clock = k.ns, k.clock
		return k.n > 0
	}
	for len(s) > 0 && (s[0] == ' ' || s[0] == '[' || s[0] == '"' || s[0] == '\t' || s[0] == '(' || s[0] == '<') {
		s = s[1:]
	}
	for len(s) > 0 {
		if b := s[len(s)-1]; b != ' ' && b != ']' && b != '"' && b != '\t' && b != ',' && b != '\r' && b != ')' && b != '>' {
			break
		}
		s = s[:len(s)-1]
	}
	if len(s) == 0 {
		return false
	}
	ns, clock, n := scanTime(c, s)
	if n != len(s) {
		// "2026-11-23 03:10:11.5 Europe/Berlin", "... (CET)", "..., CEST": an unknown zone name may follow.
		if n == 0 || clock == event.NoClock || !zoneName(s[n:]) {
			return false
		}
	}
	if clock == event.NoClock {
		return false
	}
	ev.Time, ev.Clock = ns, clock
	if len(s) <= len(k.text) {
		k.n, k.ns, k.clock = copy(k.text[:], s), ns, clock
	}
	return true
}

func zoneName(s []byte) bool {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '(') {
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 32 {
		return len(s) == 0
	}
	for _, b := range s {
		if !isAlpha(b) && b != '/' && b != '_' && b != ')' && b != ' ' && b != '.' {
			return false
		}
	}
	return true
}

// scanTime reads the time that s starts with: its nanoseconds since 1970 UTC, and how many bytes it takes. n is 0 if
// s starts with no time. A time of day without a date gives n > 0 with NoClock.
func scanTime(c *ctx, s []byte) (ns int64, clock event.Clock, n int) {
	if len(s) < 5 {
		return 0, event.NoClock, 0
	}
	var t civil
	switch b := s[0]; {
	case isDigit(b):
		n = t.digits(c, s)
	case b == '@':
		n = t.tai64n(s)
	case isAlpha(b) || b >= 0x80:
		n = t.letters(c, s)
	}
	if n == 0 {
		return 0, event.NoClock, 0
	}
	if t.epoch {
		return t.ns, event.ZonedClock, n
	}
	if !t.dated || t.year < minYear || t.year > maxYear {
		return 0, event.NoClock, n
	}
	sec := days(t.year, t.month, t.day)*86400 + int64(t.hour)*3600 + int64(t.min)*60 + int64(t.sec)
	clock = event.LocalClock
	if t.zoned {
		clock = event.ZonedClock
		sec -= int64(t.offset)
	} else if c.opt != nil && c.opt.Zone != nil && c.opt.Zone != time.UTC {
		sec -= c.localOffset(sec)
	}
	return sec*1e9 + int64(t.frac), clock, n
}

// localOffset is how far the named zone is ahead of UTC at the local time of sec. Offsets change on quarter hours only.
func (c *ctx) localOffset(sec int64) int64 {
	k := &c.times
	if sec < k.zoneFrom || sec >= k.zoneTo {
		from := sec - ((sec%900)+900)%900
		t := time.Unix(from, 0).UTC()
		l := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, c.opt.Zone)
		k.zoneFrom, k.zoneTo, k.offset = from, from+900, from-l.Unix()
	}
	return k.offset
}

// civil is a time as written.
type civil struct {
	year, month, day, hour, min, sec int
	frac                             int // nanoseconds
	offset                           int // seconds ahead of UTC
	dated, zoned, epoch              bool
	ns                               int64 // epoch only
}

// days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
func days(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}

func isDigit(b byte) bool { return b-'0' < 10 }
func isAlpha(b byte) bool { return b|0x20-'a' < 26 }

// two reads two digits at i, or -1.
func two(s []byte, i int) int {
	if i+2 > len(s) {
		return -1
	}
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int(a)*10 + int(b)
}

func four(s []byte, i int) int {
	a, b := two(s, i), two(s, i+2)
	if a < 0 || b < 0 {
		return -1
	}
	return a*100 + b
}

// date keeps a valid date.
func (t *civil) date(y, m, d int) bool {
	if y < 1 || m < 1 || m > 12 || d < 1 || d > 31 {
		return false
	}
	t.year, t.month, t.day, t.dated = y, m, d, true
	return true
}

// dayOfYear keeps the date of the day that three digits count from the first of January (ISO 8601's ordinal date).
func (t *civil) dayOfYear(y int, s []byte) bool {
	if !isDigit(s[0]) || two(s, 1) < 0 || y < 1 {
		return false
	}
	n := int(s[0]-'0')*100 + two(s, 1)
	for m := 12; m >= 1; m-- {
		if before := int(days(y, m, 1) - days(y, 1, 1)); n > before {
			d := n - before
			return d <= int(days(y+m/12, m%12+1, 1)-days(y, m, 1)) && t.date(y, m, d)
		}
	}
	return false
}

// taiEpoch is 1970-01-01 as TAI64 counts seconds where nobody keeps a table of leap seconds (tai64nlocal's 10).
const taiEpoch = 1<<62 + 10

// tai64n reads "@40000000433225833b6e1a8c", what multilog and its like put in front: 16 hexadecimal digits of seconds, 8 of nanoseconds.
func (t *civil) tai64n(s []byte) int {
	const length = 25
	if len(s) < length || s[1] != '4' || len(s) > length && s[length] != ' ' {
		return 0
	}
	sec, err := strconv.ParseInt(string(s[1:17]), 16, 64)
	if err != nil || sec < taiEpoch || sec-taiEpoch >= maxUnix {
		return 0
	}
	ns, err := strconv.ParseUint(string(s[17:length]), 16, 32)
	if err != nil || ns >= 1e9 {
		return 0
	}
	t.ns, t.epoch = (sec-taiEpoch)*1e9+int64(ns), true
	return length
}

// digits reads what starts with a digit and returns its length, or 0.
func (t *civil) digits(c *ctx, s []byte) int {
	run := 1
	for run < len(s) && run < 20 && isDigit(s[run]) {
		run++
	}
	if run == len(s) {
		if run == 14 {
			if n := t.compact(s); n > 0 {
				return n
			}
		}
		return t.unix(s, run)
	}
	sep := s[run]
	switch run {
	case 4:
		// 2026-11-23T03:10:11.123Z, 2026/11/23 03:10:11, 2026.11.23-03.10.11, 2026:11:23-03:10:11, 2026-Nov-23
		if sep != '-' && sep != '/' && sep != '.' && sep != ':' && sep != ' ' {
			return 0
		}
		if sep == '-' && len(s) > 8 && s[8] == 'T' && isDigit(s[6]) && isDigit(s[7]) {
			if t.dayOfYear(four(s, 0), s[5:8]) { // 2026-327T03:10:11
				return t.timeAfter(s, 8)
			}
			return 0
		}
		y, m, i := four(s, 0), two(s, 5), 7
		if m < 0 {
			if len(s) > 8 && isAlpha(s[5]) {
				var k int
				if m, k = month(s[5:]); m == 0 {
					return 0
				}
				i = 5 + k
			} else if len(s) > 6 && isDigit(s[5]) { // 2026-1-2
				m, i = int(s[5]-'0'), 6
			} else {
				return 0
			}
		}
		if i >= len(s) || s[i] != sep {
			return 0
		}
		d := two(s, i+1)
		i += 3
		if d < 0 {
			if i-2 >= len(s) || !isDigit(s[i-2]) {
				return 0
			}
			d, i = int(s[i-2]-'0'), i-1
		}
		if !t.date(y, m, d) {
			return 0
		}
		return t.timeAfter(s, i)
	case 1, 2:
		if sep == ':' { // time of day alone
			if k := t.clock(s, 0); k > 0 {
				return k
			}
			return 0
		}
		if run == 1 && sep == '.' { // 1.795403411e+09
			if n := t.unix(s, run); n > 0 {
				return n
			}
		}
		d, i := int(s[0]-'0'), 1
		if run == 2 {
			d, i = two(s, 0), 2
		}
		return t.dayFirst(c, s, d, i)
	case 6: // 261123  3:10:11 (MySQL)
		if sep == ' ' && run+6 < len(s) {
			y, m, d := two(s, 0), two(s, 2), two(s, 4)
			if t.date(2000+y, m, d) {
				if n := t.timeAfter(s, 6); n > 6 {
					return n
				}
				t.dated = false
			}
		}
	case 8: // 20261123T031011Z, 20261123 03:10:11
		if sep == 'T' || sep == ' ' || sep == '-' || sep == '_' || sep == '.' && two(s, 13) >= 0 {
			if t.date(four(s, 0), two(s, 4), two(s, 6)) && t.year >= 1970 && t.year < 2200 {
				if h, m := two(s, 9), two(s, 11); h >= 0 && m >= 0 && h < 24 && m < 60 {
					t.hour, t.min = h, m
					i := 13
					if sec := two(s, 13); sec >= 0 && sec <= 60 {
						t.sec, i = sec, 15
					}
					return t.zone(s, t.fraction(s, i))
				}
				if n := t.timeAfter(s, 8); n > 8 {
					return n
				}
			}
			t.dated = false
		}
	case 14:
		if n := t.compact(s); n > 0 {
			return n
		}
	}
	return t.unix(s, run)
}

// compact reads 20261123031011.
func (t *civil) compact(s []byte) int {
	h, m, sec := two(s, 8), two(s, 10), two(s, 12)
	if four(s, 0) < 1970 || four(s, 0) > 2200 || h > 23 || m > 59 || sec > 60 || !t.date(four(s, 0), two(s, 4), two(s, 6)) {
		t.dated = false
		return 0
	}
	t.hour, t.min, t.sec = h, m, sec
	return t.zone(s, t.fraction(s, 14))
}

// dayFirst reads dates whose first number d (which ended at i) is a day or a month.
func (t *civil) dayFirst(c *ctx, s []byte, d, i int) int {
	sep := s[i]
	i++
	if i >= len(s) {
		return 0
	}
	if isAlpha(s[i]) || s[i] >= 0x80 { // 23/Nov/2026:03:10:11 +0000, 23-Nov-2026 03:10:11.123, 23 Nov 2026 03:10:11, 23 Nov 03:10:11
		if sep != '/' && sep != '-' && sep != ' ' && sep != '.' {
			return 0
		}
		m, k := month(s[i:])
		if m == 0 {
			return 0
		}
		i += k
		if i >= len(s) || s[i] != sep && s[i] != ' ' && s[i] != ',' && s[i] != ':' {
			return 0
		}
		for i++; i < len(s) && s[i] == ' '; {
			i++
		}
		y, w := four(s, i), 4
		if y < 0 {
			if y = two(s, i); y >= 0 && i+2 < len(s) && s[i+2] != ':' { // 23-Nov-26 03:10
				y, w = 2000+y, 2
			} else { // 23 Nov 03:10:11
				y, w = c.year(), 0
				i--
			}
		}
		if !t.date(y, m, d) {
			return 0
		}
		return t.timeAfter(s, i+w)
	}
	if sep != '/' && sep != '.' && sep != '-' {
		return 0
	}
	m, k := two(s, i), 2
	if m < 0 {
		if !isDigit(s[i]) {
			return 0
		}
		m, k = int(s[i]-'0'), 1
	}
	i += k
	if i >= len(s) {
		return 0
	}
	if s[i] == ' ' && sep == '-' || s[i] == '-' && sep == '/' { // 11-23 03:10:11.123 (Android), 11/23-03:10:11.123 (Snort)
		if !t.date(c.year(), d, m) {
			return 0
		}
		if n := t.timeAfter(s, i); n > i {
			return n
		}
		t.dated = false
		return 0
	}
	if s[i] != sep {
		return 0
	}
	i++
	y, w := four(s, i), 4
	if y < 0 {
		if y, w = two(s, i), 2; y < 0 {
			return 0
		}
		if i+2 < len(s) && s[i+2] == sep { // 26/11/23 03:10:11 has more parts than this layout
			return 0
		}
		if sep == '/' && d > 12 && m <= 12 && y <= 31 && d >= 15 { // 26/11/23 (Hadoop, Spark): year first
			if !t.date(2000+d, m, y) {
				return 0
			}
			return t.timeAfter(s, i+w)
		}
		y += 2000
	}
	// Month first with '/', day first with '.' and '-', unless that is impossible.
	mon, day := m, d
	if sep == '/' && d <= 12 || m > 12 {
		mon, day = d, m
	}
	if !t.date(y, mon, day) {
		return 0
	}
	return t.timeAfter(s, i+w)
}

// unix reads seconds, milli-, micro- or nanoseconds since 1970.
func (t *civil) unix(s []byte, run int) int {
	var v int64
	for _, b := range s[:min(run, 19)] {
		v = v*10 + int64(b-'0')
	}
	n := run
	switch run {
	case 9, 10:
		if v < 300_000_000 || v > 4_200_000_000 {
			return 0
		}
		v *= 1e9
		if n < len(s) && s[n] == '.' {
			var f civil
			n = f.fraction(s, n)
			v += int64(f.frac)
		}
	case 13:
		if v > maxUnix*1e3 {
			return 0
		}
		v *= 1e6
		if n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]) {
			for n++; n < len(s) && isDigit(s[n]); {
				n++
			}
		}
	case 16:
		if v > maxUnix*1e6 {
			return 0
		}
		v *= 1e3
	case 19:
		if v < 0 || v > maxUnix*1e9 { // 19 digits may exceed an int64
			return 0
		}
	default:
		// 1.7e+09 as some JSON writers print it
		if run == 1 && len(s) > 6 && s[1] == '.' {
			i, scale, sum := 2, int64(1e17), v*1e18
			for ; i < len(s) && isDigit(s[i]) && scale > 0; i++ {
				sum += int64(s[i]-'0') * scale
				scale /= 10
			}
			if i < len(s) && s[i]|0x20 == 'e' && v <= 4 {
				if i++; i < len(s) && s[i] == '+' {
					i++
				}
				e, k := 0, i
				for ; k < len(s) && k < i+2 && isDigit(s[k]); k++ {
					e = e*10 + int(s[k]-'0')
				}
				if k > i && (e == 9 || e == 12) { // seconds, milliseconds: both are sum nanoseconds
					t.epoch, t.ns = true, sum
					return k
				}
			}
		}
		return 0
	}
	if n < len(s) && (isAlpha(s[n]) || s[n] == '-' || s[n] == ':' || s[n] == '/' || s[n] == '_') {
		return 0
	}
	t.epoch, t.ns = true, v
	return n
}

// letters reads what starts with a month or the day of the week.
func (t *civil) letters(c *ctx, s []byte) int {
	m, i := month(s)
	if m == 0 {
		// Fri Nov 23 ..., Fri, 23 Nov ..., Friday, November 23, 2026
		w := 0
		for w < len(s) && w < 12 && (isAlpha(s[w]) || s[w] >= 0x80 || s[w] == '.') {
			w++
		}
		if w < 2 || w >= len(s)-8 || s[w] != ' ' && s[w] != ',' || !weekday(s) {
			return 0
		}
		for w < len(s) && (s[w] == ' ' || s[w] == ',') {
			w++
		}
		if w >= len(s) {
			return 0
		}
		if isDigit(s[w]) {
			n := t.digits(c, s[w:])
			if n == 0 || !t.dated {
				return 0
			}
			return w + n
		}
		if m, i = month(s[w:]); m == 0 {
			return 0
		}
		i += w
	}
	if i >= len(s) || s[i] != ' ' && s[i] != '/' && s[i] != '-' {
		return 0
	}
	sep := s[i]
	for i++; i < len(s) && s[i] == ' '; {
		i++
	}
	d, k := two(s, i), 2
	if d < 0 {
		if i >= len(s) || !isDigit(s[i]) {
			return 0
		}
		d, k = int(s[i]-'0'), 1
	}
	i += k
	if i >= len(s) || !t.date(c.year(), m, d) {
		return 0
	}
	if s[i] == ',' || s[i] == sep && sep != ' ' {
		i++
	}
	for i < len(s) && s[i] == ' ' {
		i++
	}
	if y := four(s, i); y > 1900 && (i+4 == len(s) || !isDigit(s[i+4])) { // Nov 23 2026 03:10:11, Nov 23, 2026 3:10:11 AM
		t.year = y
		return t.timeAfter(s, i+4)
	}
	end := t.clock(s, i)
	if end == 0 {
		t.dated = false
		return 0
	}
	// Fri Nov 23 03:10:11.123456 2026, ... UTC 2026
	if y := four(s, end+1); y > 1900 && s[end] == ' ' && (end+5 == len(s) || s[end+5] == ']' || s[end+5] == ' ' || s[end+5] == ',' || s[end+5] == ';') {
		t.year = y
		end += 5
		if !t.zoned {
			end = t.zone(s, end)
		}
	}
	return end
}

func (c *ctx) year() int {
	if c.opt != nil && c.opt.Year > 0 {
		return c.opt.Year
	}
	return 1970
}
