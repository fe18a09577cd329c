package logformat

// timeAfter reads the time of day after a date that ended at i, if there is one, and returns where all ended.
func (t *civil) timeAfter(s []byte, i int) int {
	j := i
	if j < len(s) && s[j] == ',' {
		j++
	}
	if j >= len(s) {
		return i
	}
	switch s[j] {
	case 'T', 't', '_', ':', '-', ' ', ';', '\t':
		for j++; j < len(s) && s[j] == ' '; {
			j++
		}
	default:
		return i
	}
	if k := t.clock(s, j); k > 0 {
		return k
	}
	return i
}

// clock reads "03:10:11.123 PM +01:00" at i and returns where it ends, or 0.
func (t *civil) clock(s []byte, i int) int {
	h, k := two(s, i), 2
	if h < 0 {
		if i >= len(s) || !isDigit(s[i]) {
			return 0
		}
		h, k = int(s[i]-'0'), 1
	}
	i += k
	if i >= len(s) || s[i] != ':' && s[i] != '.' || h > 24 {
		return 0
	}
	sep := s[i]
	m := two(s, i+1)
	if m < 0 || m > 59 {
		return 0
	}
	i += 3
	sec := 0
	if i < len(s) && s[i] == sep {
		if sec = two(s, i+1); sec < 0 || sec > 60 {
			return 0
		}
		i += 3
	} else if sep == '.' {
		return 0
	}
	t.hour, t.min, t.sec = h, m, sec
	i = t.fraction(s, i)
	if i+3 <= len(s) && s[i] == ' ' && (s[i+1]|0x20 == 'a' || s[i+1]|0x20 == 'p') && s[i+2]|0x20 == 'm' { // 3:10:11 PM
		if t.hour %= 12; s[i+1]|0x20 == 'p' {
			t.hour += 12
		}
		i += 3
	}
	return t.zone(s, i)
}

// fraction reads ".123456" or ",123".
func (t *civil) fraction(s []byte, i int) int {
	if i+1 >= len(s) || s[i] != '.' && s[i] != ',' && s[i] != ':' || !isDigit(s[i+1]) {
		return i
	}
	scale, v := 100_000_000, 0
	for i++; i < len(s) && isDigit(s[i]); i++ {
		v += int(s[i]-'0') * scale
		scale /= 10
	}
	t.frac = v
	return i
}

// zone reads "Z", "+01:00", " +0100", "-07", " UTC" at i, if there is one.
func (t *civil) zone(s []byte, i int) int {
	j := i
	if j < len(s) && s[j] == ' ' {
		j++
	}
	if j >= len(s) {
		return i
	}
	switch b := s[j]; {
	case b == '+' || b == '-':
		h := two(s, j+1)
		if h < 0 || h > 15 {
			return i
		}
		m, k := two(s, j+3), 5
		if m < 0 {
			if m, k = 0, 3; j+3 < len(s) && s[j+3] == ':' {
				if m, k = two(s, j+4), 6; m < 0 {
					return i
				}
			} else if j > i && j+3 < len(s) && s[j+3] != ' ' && s[j+3] != ']' { // " -07x" is something else
				return i
			}
		}
		if t.offset = h*3600 + m*60; b == '-' {
			t.offset = -t.offset
		}
		t.zoned = true
		return j + k
	case (b == 'Z' || b == 'z') && j == i:
		if j+1 < len(s) && isAlpha(s[j+1]) {
			return i
		}
		t.zoned, t.offset = true, 0
		return j + 1
	case isAlpha(b) && j > i:
		k := j
		for k < len(s) && k < j+5 && s[k]-'A' < 26 {
			k++
		}
		if k < len(s) && (isAlpha(s[k]) || isDigit(s[k])) {
			return i
		}
		off, ok := zoneOffset(s[j:k])
		if !ok {
			return i
		}
		t.zoned, t.offset = true, off
		if k+5 <= len(s) && (s[k] == '+' || s[k] == '-') { // GMT+0100
			t.zone(s, k)
			return k + 5
		}
		return k
	}
	return i
}
