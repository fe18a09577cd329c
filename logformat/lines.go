package logformat

import "bytes"

// Which lines belong together. A line starts a record unless it continues the one before; that depends on
// these two lines alone, so a reader may start at any line that is no continuation.

const (
	maxContinued = 500     // lines of one record
	maxJoined    = 1 << 16 // bytes of a record to which another line is joined
	maxPretty    = 1 << 18 // the same where a record is JSON
	maxLook      = 512     // bytes of a line that are looked at to tell whether it continues a record
)

var newline = []byte{'\n'}

// firstLine returns rec up to its first line end.
func firstLine(rec []byte) []byte {
	i := bytes.IndexByte(rec, '\n')
	if i < 0 {
		return rec
	}
	if i > 0 && rec[i-1] == '\r' {
		i--
	}
	return rec[:i]
}

// trimLine removes the last line end, and blanks before it.
func trimLine(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// isBlank tells whether nothing but blanks stands in line.
func isBlank(line []byte) bool {
	for _, b := range line {
		if b != ' ' && b != '\t' && b != '\r' {
			return false
		}
	}
	return true
}

// recordEnd returns where the record ends that b starts with, with its line end, and its lines. With whole (b ends
// where a record does) all that is missing counts as the end; else ok is false if more bytes are needed to tell.
func recordEnd(b []byte, whole bool) (end, lines int, ok bool) {
	nl := bytes.IndexByte(b, '\n')
	if nl < 0 {
		return len(b), 1, whole
	}
	most, mostLines := maxJoined, maxContinued
	if b[0] == '{' || b[0] == '[' {
		most, mostLines = maxPretty, 10*maxContinued
	}
	prev := b[:nl]
	end, lines = nl+1, 1
	for end < len(b) && lines < mostLines && end < most {
		c := b[end]
		if !mayContinue[c] { // Fast path - most records are one line
			return end, lines, true
		}
		rest := b[end:]
		if c == '\n' || c == '\r' { // an empty line belongs to the record only if what follows surely does
			gap := bytes.IndexByte(rest, '\n') + 1
			if gap == 0 || len(rest) < gap+maxMark && !whole {
				return end, lines, whole
			}
			if gap > 2 || !stillTrace(rest[gap:]) {
				return end, lines, true
			}
			prev = rest[:gap]
			end, lines = end+gap, lines+1
			continue
		}
		nl = bytes.IndexByte(rest, '\n')
		next := rest
		if nl >= 0 {
			next = rest[:nl]
		} else if !whole && len(rest) <= maxLook {
			return end, lines, false
		}
		if len(next) > maxJoined || !continues(prev, next) && !(len(trimLine(prev)) == 0 && stillTrace(next)) {
			return end, lines, true
		}
		if nl < 0 {
			return len(b), lines + 1, whole
		}
		prev = next
		end, lines = end+nl+1, lines+1
	}
	return end, lines, whole || end < len(b) || lines >= mostLines || end >= most
}

// mayContinue are the bytes that a continuation can start with.
var mayContinue = func() (t [256]bool) {
	for _, b := range " \t})]#.\"[\n\r" + letters {
		t[b] = true
	}
	return t
}()

// traceMarks start lines that go on with a stack trace even after an empty line.
var traceMarks = [...]string{"[previous exception]", "[stacktrace]", "Caused by: ", "During handling of the above exception", "The above exception was the direct cause"}

const maxMark = 48 // bytes that hold any of traceMarks

func stillTrace(line []byte) bool {
	for _, m := range traceMarks {
		if len(line) >= len(m) && string(line[:len(m)]) == m {
			return true
		}
	}
	return false
}

// continues tells whether the line next goes on with what prev said.
func continues(prev, next []byte) bool {
	prev, next = trimLine(prev), trimLine(next)
	if len(prev) == 0 || len(next) == 0 {
		return false
	}
	long := len(next) > maxLook
	if long {
		next = next[:maxLook]
	}
	switch b := next[0]; b {
	case ' ', '\t':
		text := bytes.TrimLeft(next, " \t")
		return len(text) > 0 && !startsRecord(prev, text, long)
	case '}', ')', ']':
		return true
	case '#': // "#0 /var/www/index.php(3): f()"
		return len(next) > 2 && isDigit(next[1])
	case '.': // "... 12 more"
		return bytes.HasPrefix(next, []byte("... "))
	case '[':
		return stillTrace(next)
	case '"': // `"key": value` of JSON printed without indent; `"}` after a trace inside JSON (Laravel)
		if len(next) > 1 && next[1] == '}' {
			return true
		}
		switch prev[len(prev)-1] {
		case '{', '[', ',':
			i := bytes.Index(next, []byte(`":`))
			if i < 0 {
				i = bytes.Index(next, []byte(`" :`))
			}
			return i > 0
		}
		return false
	case 'C':
		if bytes.HasPrefix(next, []byte("Caused by: ")) {
			return true
		}
	case 'S':
		if bytes.HasPrefix(next, []byte("Stack trace:")) || bytes.HasPrefix(next, []byte("Suppressed: ")) {
			return true
		}
	case 'P':
		if bytes.HasPrefix(next, []byte("PHP message: ")) { // nginx, FastCGI
			return true
		}
	case 'a':
		if bytes.HasPrefix(next, []byte("at ")) && bytes.IndexByte(next, '(') > 0 {
			return true
		}
	}
	return goFrame(prev, next) || exceptionHead(next) && !exceptionHead(prev) && !stackFrame(prev)
}

// goFrame tells whether next names a function of a Go stack trace: "main.(*server).serve(0x1)", "example.com/a/b.run.func1".
func goFrame(prev, next []byte) bool {
	last := next[len(next)-1]
	if last != ')' && prev[0] != '\t' && prev[0] != ' ' && !bytes.Contains(next, []byte(".func")) {
		return false
	}
	return bytes.IndexByte(next, ' ') < 0 && bytes.IndexByte(next, '.') > 0 && (bytes.IndexByte(next, '/') > 0 || last == ')') && bytes.IndexByte(next, ':') < 0 &&
		(last == ')' || !bytes.ContainsAny(next, "=?&\"{"))
}

// exceptionHead tells whether line is the head of a stack trace: "java.lang.IllegalStateException: ...", "TypeError: ...",
// "Traceback (most recent call last):". A bare "Error:" or "ERROR:" is a record of its own.
func exceptionHead(line []byte) bool {
	if !isAlpha(line[0]) {
		return false
	}
	i, small := 0, false
	for i < len(line) && i < 160 {
		b := line[i]
		if !isAlpha(b) && !isDigit(b) && b != '.' && b != '_' && b != '$' && b != '\\' {
			break
		}
		small = small || b-'a' < 26
		i++
	}
	word := line[:i]
	if !small || i < 6 || i < len(line) && line[i] != ':' {
		return string(word) == "Traceback" && bytes.HasPrefix(line, []byte("Traceback (most recent"))
	}
	return i > 9 && string(word[i-9:]) == "Exception" || string(word[i-5:]) == "Error"
}

func stackFrame(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("at "))
}

// startsRecord tells whether an indented line is a record that was pasted with its indent, not a continuation.
func startsRecord(prev, text []byte, long bool) bool {
	switch b := text[0]; {
	case isDigit(b):
		if a, n := scanIPv4(text); n > 0 && a.IsValid() && n < len(text) && text[n] == ' ' {
			return true
		}
		return four(text, 0) > 1900 && two(text, 5) > 0 && (text[4] == '-' || text[4] == '/') && text[7] == text[4] && two(text, 8) > 0
	case b == '[' && len(text) > 5:
		return isDigit(text[1]) && (two(text, 6) >= 0 || isAlpha(text[4])) || len(text) > 20 && weekday(text[1:]) && text[4] == ' '
	case b == '<':
		_, n := number(text[1:])
		return n > 0 && n < 4 && n+1 < len(text) && text[n+1] == '>'
	case b == '{':
		last := prev[len(prev)-1]
		return len(text) > 2 && text[1] == '"' && (long || text[len(text)-1] == '}') && last != '[' && last != '{' && last != ','
	case b-'A' < 26:
		for _, w := range [...]string{"ERROR", "WARN", "INFO", "DEBUG", "FATAL", "CRITICAL", "NOTICE"} {
			if len(text) > len(w)+1 && string(text[:len(w)]) == w {
				return true
			}
		}
		m, n := month(text)
		return m > 0 && n == 3 && len(text) > 12 && text[3] == ' ' && text[6] == ' ' && text[9] == ':'
	}
	return false
}
