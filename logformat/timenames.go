package logformat

// weekday tells whether s starts with the name of a day: the first two letters are enough in the languages that
// month knows, since a month or a day of the month must follow.
func weekday(s []byte) bool {
	switch uint16(s[0]|0x20)<<8 | uint16(s[1]|0x20) {
	case 'm'<<8 | 'o', 't'<<8 | 'u', 'w'<<8 | 'e', 't'<<8 | 'h', 'f'<<8 | 'r', 's'<<8 | 'a', 's'<<8 | 'u', // English
		'd'<<8 | 'i', 'm'<<8 | 'i', 'd'<<8 | 'o', 's'<<8 | 'o', // German
		'l'<<8 | 'u', 'm'<<8 | 'a', 'm'<<8 | 'e', 'j'<<8 | 'e', 'v'<<8 | 'e', // French, Spanish, Italian
		'j'<<8 | 'u', 'v'<<8 | 'i', 'g'<<8 | 'i', 's'<<8 | 'e', 'q'<<8 | 'u', 'z'<<8 | 'o', 'w'<<8 | 'o', 'v'<<8 | 'r':
		return true
	}
	return false
}

// month reads a month's name, in full or cut to three letters, in English, German, French, Spanish, Portuguese,
// Italian, Dutch or Polish: its number and length, or 0.
func month(s []byte) (m, n int) {
	if len(s) < 3 {
		return 0, 0
	}
	k := uint32(s[0]|0x20)<<16 | uint32(s[1]|0x20)<<8 | uint32(s[2]|0x20)
	const (
		a = 16
		b = 8
	)
	switch k {
	case 'j'<<a | 'a'<<b | 'n', 'e'<<a | 'n'<<b | 'e', 'g'<<a | 'e'<<b | 'n', 's'<<a | 't'<<b | 'y':
		m = 1
	case 'f'<<a | 'e'<<b | 'b', 'f'<<a | 'e'<<b | 'v', 'f'<<a | 0xe3<<b | 0xa9, 'l'<<a | 'u'<<b | 't':
		m = 2
	case 'm'<<a | 'a'<<b | 'r', 'm'<<a | 'r'<<b | 'z', 'm'<<a | 'r'<<b | 't', 'm'<<a | 0xe3<<b | 0xa4:
		m = 3
	case 'a'<<a | 'p'<<b | 'r', 'a'<<a | 'v'<<b | 'r', 'a'<<a | 'b'<<b | 'r', 'k'<<a | 'w'<<b | 'i':
		m = 4
	case 'm'<<a | 'a'<<b | 'y', 'm'<<a | 'a'<<b | 'i', 'm'<<a | 'a'<<b | 'g', 'm'<<a | 'e'<<b | 'i':
		m = 5
	case 'j'<<a | 'u'<<b | 'n', 'g'<<a | 'i'<<b | 'u', 'c'<<a | 'z'<<b | 'e':
		m = 6
	case 'j'<<a | 'u'<<b | 'l', 'l'<<a | 'u'<<b | 'g', 'l'<<a | 'i'<<b | 'p':
		m = 7
	case 'j'<<a | 'u'<<b | 'i': // juin, juillet
		if m = 6; len(s) > 3 && s[3]|0x20 == 'l' {
			m = 7
		}
	case 'a'<<a | 'u'<<b | 'g', 'a'<<a | 'g'<<b | 'o', 's'<<a | 'i'<<b | 'e', 'a'<<a | 'o'<<b | 0xe3:
		m = 8
	case 's'<<a | 'e'<<b | 'p', 's'<<a | 'e'<<b | 't', 'w'<<a | 'r'<<b | 'z':
		m = 9
	case 'o'<<a | 'c'<<b | 't', 'o'<<a | 'k'<<b | 't', 'o'<<a | 'u'<<b | 't', 'o'<<a | 't'<<b | 't', 'p'<<a | 'a'<<b | 0xe5:
		m = 10
	case 'n'<<a | 'o'<<b | 'v', 'l'<<a | 'i'<<b | 's':
		m = 11
	case 'd'<<a | 'e'<<b | 'c', 'd'<<a | 'e'<<b | 'z', 'd'<<a | 'i'<<b | 'c', 'd'<<a | 0xe3<<b | 0xa9, 'g'<<a | 'r'<<b | 'u':
		m = 12
	default:
		return 0, 0
	}
	if len(s) > 3 && (s[3] == '/' || s[3] == ' ') { // Fast path - "Nov/", "Nov "
		return m, 3
	}
	n = 3
	for n < len(s) && n < 12 && (isAlpha(s[n]) || s[n] >= 0x80) {
		n++
	}
	if n < len(s) && s[n] == '.' {
		n++
	}
	return m, n
}

// zoneOffset is how many seconds a named zone is ahead of UTC. Names that several zones share mean the most common one.
func zoneOffset(s []byte) (sec int, ok bool) {
	const h = 3600
	switch string(s) {
	case "UTC", "GMT", "Z", "UCT", "WET":
		return 0, true
	case "CET", "BST", "WEST", "MEZ":
		return h, true
	case "CEST", "EET", "MESZ", "SAST":
		return 2 * h, true
	case "EEST", "MSK":
		return 3 * h, true
	case "JST", "KST":
		return 9 * h, true
	case "EST", "CDT":
		return -5 * h, true
	case "EDT":
		return -4 * h, true
	case "CST", "MDT":
		return -6 * h, true
	case "MST", "PDT":
		return -7 * h, true
	case "PST":
		return -8 * h, true
	}
	return 0, false
}
