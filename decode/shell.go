package decode

import "bytes"

// shellWord undoes the quoting of a command's name (c'a't, w\get, who""ami, p^ing), which a shell ignores. out is what
// was written so far, and rest begins with the quoting character. It returns what the bytes
// of rest up to used stand for. Only known names are touched: it's, DOMAIN\user and C:\dir stay.
func shellWord(out, rest []byte) (word string, used int) {
	const maxName, maxQuoted = 12, 40
	var name [maxName]byte
	back := len(out)
	for back > 0 && isLetter(out[back-1]) {
		if len(out)-back == maxName {
			return "", 0
		}
		back--
	}
	n := copy(name[:], out[back:])
	var prev byte
	if back > 0 {
		prev = out[back-1]
	}
	if isDigit(prev) || prev == '_' || prev == '\\' {
		return "", 0
	}
	inside := false // a quoting character stands between two letters
	if n == 0 && rest[0] == '\\' {
		if prev == '.' || prev == ':' || len(rest) < 2 || bytes.IndexByte([]byte("bfnrtuxv0"), rest[1]|0x20) >= 0 {
			return "", 0
		}
		inside = true
	}
	start := n
	var quotes [3]int
	end, total := 0, 0 // end of the last point where every quote was closed
	for j := 0; j < len(rest) && j < maxQuoted; j++ {
		c := rest[j]
		switch {
		case isLetter(c):
			if n == maxName {
				return "", 0
			}
			name[n] = c
			n++
			if j > 0 && n > 1 && !isLetter(rest[j-1]) {
				inside = true
			}
		case c == '\'':
			quotes[0]++
		case c == '"':
			quotes[1]++
		case c == '`':
			quotes[2]++
		case c == '\\' || c == '^':
		case isDigit(c) || c == '_':
			return "", 0
		default:
			j = maxQuoted
			continue
		}
		if quotes[0]&1 == 0 && quotes[1]&1 == 0 && quotes[2]&1 == 0 && c != '\\' && c != '^' {
			end, total = j+1, n
		}
	}
	if end == 0 || total != n || n == start || !inside {
		return "", 0
	}
	for i := range name[:n] {
		name[i] |= 0x20
	}
	full := command(string(name[:n]))
	if full == "" {
		return "", 0
	}
	return full[start:], end
}

// command returns name if it is one that attackers hide.
func command(name string) string {
	for _, c := range commands {
		if c == name {
			return c
		}
	}
	return ""
}

var commands = [...]string{
	"awk", "base", "bash", "bin", "busybox", "cat", "certutil", "chmod", "cmd", "cp", "curl", "dash", "dig", "echo", "env", "etc", "eval", "exec", "find",
	"grep", "head", "hostname", "id", "ifconfig", "ls", "mshta", "mv", "nc", "ncat", "netcat", "netstat", "nslookup", "passwd", "perl", "php",
	"ping", "powershell", "printenv", "ps", "pwd", "python", "rm", "ruby", "sed", "sh", "shadow", "sleep", "ssh", "tac", "tail", "tftp", "touch",
	"uname", "wget", "whoami", "zsh",
}

// fieldSeparator returns the length of $IFS, with the empty variable that often follows ($IFS$9), else 0.
func fieldSeparator(s []byte) int {
	if len(s) < 4 || s[1]|0x20 != 'i' || s[2]|0x20 != 'f' || s[3]|0x20 != 's' || len(s) > 4 && (isAlnum(s[4]) || s[4] == '_') {
		return 0
	}
	if len(s) > 5 && s[4] == '$' && isDigit(s[5]) {
		return 6
	}
	return 4
}

// lookup resolves the ${...} whose closing brace comes next after out: Log4j's ${lower:j} and ${env:x:-j}, the shell's
// ${x:-j}, ${IFS} and ${PATH:0:1}. It returns the new length of out, or -1. Inner ones
// were resolved before outer ones, since their braces close first.
func lookup(out []byte) int {
	w := len(out)
	open := -1
	for j := w - 1; j > 0 && w-j <= maxLookup; j-- {
		if out[j] == '}' {
			return -1
		}
		if out[j] == '{' {
			open = j
			break
		}
	}
	if open < 0 || out[open-1] != '$' {
		return -1
	}
	body := out[open+1:]
	w = open - 1
	switch {
	case hasPrefixFold(body, "lower:"), hasPrefixFold(body, "upper:"):
		return w + copy(out[w:], body[len("lower:"):])
	case hasPrefixFold(body, "jndi:"):
		return -1
	case len(body) == 3 && hasPrefixFold(body, "ifs"):
		out[w] = ' '
		if w > 0 && out[w-1] == ' ' {
			return w
		}
		return w + 1
	case len(body) == 8 && hasPrefixFold(body, "path:0:1"), len(body) == 8 && hasPrefixFold(body, "home:0:1"), len(body) == 7 && hasPrefixFold(body, "pwd:0:1"):
		out[w] = '/'
		return w + 1
	case hasPrefixFold(body, "date:'"):
		body = body[len("date:'"):]
		if n := len(body); n > 0 && body[n-1] == '\'' {
			body = body[:n-1]
		}
		return w + copy(out[w:], body)
	}
	if at := bytes.Index(body, []byte(":-")); at >= 0 {
		return w + copy(out[w:], body[at+2:])
	}
	return -1
}

// hasPrefixFold tells whether s begins with prefix, which is in lower case.
func hasPrefixFold(s []byte, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}
