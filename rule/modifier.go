package rule

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf16"
)

// timePart is a component of a time.
type timePart uint8

const (
	noPart timePart = iota
	partMinute
	partHour
	partDay
	partWeek
	partMonth
	partYear
)

// modifiers are one item's, parsed.
type modifiers struct {
	all, any, neg, cased  bool
	contains, starts, end bool
	regex                 bool
	flags                 string  // of regex
	grammar               grammar // of regex
	cidr, exists, ref     bool
	expand                bool
	compare               bool
	op                    Op
	part                  timePart
	steps                 []func(value) ([]value, error) // encodings, in order
}

// modifierNames are all of Sigma's, and the two of our own, for hints.
var modifierNames = []string{"contains", "startswith", "endswith", "all", "any", "re", "i", "m", "s", "ignorecase", "multiline", "dotall", "cidr", "base64", "base64offset",
	"wide", "utf16", "utf16le", "utf16be", "windash", "exists", "cased", "neq", "gt", "gte", "lt", "lte", "fieldref", "expand",
	"minute", "hour", "day", "week", "month", "year", "sqli", "xss"}

// parseModifiers reads the names after a field's '|'.
func parseModifiers(names []string) (m modifiers, err error) {
	for _, n := range names {
		switch n {
		case "contains":
			m.contains = true
		case "startswith":
			m.starts = true
		case "endswith":
			m.end = true
		case "all":
			m.all = true
		case "any":
			m.any = true // Sigma's default, spelled out
		case "neq", "ne":
			m.neg = true
		case "cased":
			m.cased = true
		case "re":
			m.regex = true
		case "i", "m", "s", "ignorecase", "multiline", "dotall":
			if !m.regex {
				return m, errorHint(fmt.Sprintf("modifier %q stands without \"re\" before it", n), "write \"re|"+n+"\"")
			}
			f := n[:1]
			switch n {
			case "ignorecase":
				f = "i"
			case "multiline":
				f = "m"
			case "dotall":
				f = "s"
			}
			if !strings.Contains(m.flags, f) {
				m.flags += f
			}
		case "sqli", "xss":
			if !m.regex {
				return m, errorHint(fmt.Sprintf("modifier %q stands without \"re\" before it", n), "write \"re|"+n+"\" and an expression for where such a value may stand")
			}
			m.grammar = map[string]grammar{"sqli": grammarSQL, "xss": grammarHTML}[n]
		case "cidr":
			m.cidr = true
		case "exists":
			m.exists = true
		case "fieldref":
			m.ref = true
		case "expand":
			m.expand = true
		case "gt", "gte", "lt", "lte":
			m.compare = true
			m.op = map[string]Op{"gt": GT, "gte": GTE, "lt": LT, "lte": LTE}[n]
		case "minute", "hour", "day", "week", "month", "year":
			m.part = map[string]timePart{"minute": partMinute, "hour": partHour, "day": partDay, "week": partWeek, "month": partMonth, "year": partYear}[n]
		case "base64":
			m.steps = append(m.steps, toBase64)
		case "base64offset":
			m.steps = append(m.steps, toBase64Offset)
			m.contains = true
		case "wide", "utf16le":
			m.steps = append(m.steps, toUTF16(false, false))
		case "utf16be":
			m.steps = append(m.steps, toUTF16(true, false))
		case "utf16":
			m.steps = append(m.steps, toUTF16(false, true))
		case "windash":
			m.steps = append(m.steps, toDashes)
		default:
			return m, errorHint(fmt.Sprintf("unknown modifier %q", n), didYouMean(n, modifierNames))
		}
	}
	return m, m.check()
}

// check refuses combinations that mean nothing.
func (m *modifiers) check() error {
	kinds := 0
	for _, b := range []bool{m.regex, m.cidr, m.exists, m.compare, m.part != noPart && !m.compare} {
		if b {
			kinds++
		}
	}
	text := m.contains || m.starts || m.end
	places := 0
	for _, b := range []bool{m.contains, m.starts, m.end} {
		if b {
			places++
		}
	}
	switch {
	case kinds > 1 || m.ref && (kinds > 0 && !m.compare):
		return fmt.Errorf("modifiers that exclude each other")
	case m.regex && (text || len(m.steps) > 0):
		return errorHint("\"re\" searches anywhere in the text and takes no encodings", "remove the other modifiers, or use ^ and $")
	case (m.cidr || m.exists || m.compare || m.part != noPart) && (text || len(m.steps) > 0 || m.cased):
		return fmt.Errorf("modifiers for text beside one for addresses, numbers or times")
	case places > 1 && !(places == 2 && m.contains && len(m.steps) > 0):
		return errorHint("\"contains\", \"startswith\" and \"endswith\" exclude each other", "keep one")
	case m.ref && len(m.steps) > 0:
		return fmt.Errorf("\"fieldref\" takes no encodings")
	case m.all && m.any:
		return errorHint("\"all\" and \"any\" exclude each other", "keep one")
	case m.all && m.exists:
		return fmt.Errorf("\"exists\" takes one value, true or false")
	}
	return nil
}

var errWild = errorHint("an encoded value cannot have wildcards", `escape them: \* and \?`)

func toBase64(v value) ([]value, error) {
	s, ok := v.literal()
	if !ok {
		return nil, errWild
	}
	return []value{{base64.StdEncoding.EncodeToString([]byte(s)), true}}, nil
}

// toBase64Offset gives the three forms that a text takes inside a longer text's base64: the characters that depend on
// its neighbours are cut off.
func toBase64Offset(v value) ([]value, error) {
	s, ok := v.literal()
	if !ok {
		return nil, errWild
	}
	var out []value
	for shift := range 3 {
		enc := base64.StdEncoding.EncodeToString(append(make([]byte, shift), s...))
		from := [3]int{0, 2, 3}[shift]
		to := len(enc) - [3]int{0, 3, 2}[(len(s)+shift)%3]
		if from < to {
			out = append(out, value{enc[from:to], true})
		}
	}
	return out, nil
}

func toUTF16(big, mark bool) func(value) ([]value, error) {
	return func(v value) ([]value, error) {
		s, ok := v.literal()
		if !ok {
			return nil, errWild
		}
		var b []byte
		if mark {
			b = append(b, 0xff, 0xfe)
		}
		for _, u := range utf16.Encode([]rune(s)) {
			if big {
				b = append(b, byte(u>>8), byte(u))
			} else {
				b = append(b, byte(u), byte(u>>8))
			}
		}
		return []value{{string(b), true}}, nil
	}
}

// dashes are what Windows programs take for a dash before an option.
var dashes = []string{"-", "/", "–", "—", "―"}

// maxDashes bounds the options of one value that windash varies: each multiplies the values by five.
const maxDashes = 3

// toDashes gives a value with each dash that starts an option replaced by each of dashes.
func toDashes(v value) ([]value, error) {
	var at []int
	for i := 0; i+1 < len(v.text); i++ {
		if (v.text[i] == '-' || v.text[i] == '/') && wordByte(v.text[i+1]) && (i == 0 || !wordByte(v.text[i-1])) {
			at = append(at, i)
		}
	}
	if len(at) > maxDashes {
		return nil, fmt.Errorf("\"windash\" value with more than %d dashes", maxDashes)
	}
	out := []string{""}
	from := 0
	for _, i := range at {
		var next []string
		for _, head := range out {
			for _, d := range dashes {
				next = append(next, head+v.text[from:i]+d)
			}
		}
		out, from = next, i+1
	}
	vals := make([]value, len(out))
	for i, s := range out {
		vals[i] = value{s + v.text[from:], v.plain}
	}
	return vals, nil
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// expandValue replaces each %name% by each of its values.
func expandValue(s string, known map[string][]string) ([]string, error) {
	out := []string{""}
	for s != "" {
		head, rest, ok := strings.Cut(s, "%")
		if ok {
			var name string
			if name, rest, ok = strings.Cut(rest, "%"); ok && name != "" {
				vals, have := known[name]
				if !have {
					var names []string
					for k := range known {
						names = append(names, k)
					}
					hint := didYouMean(name, names)
					if hint == "" {
						hint = "give its values with the rules"
					}
					return nil, errorHint(fmt.Sprintf("placeholder %%%s%% has no values", name), hint)
				}
				var next []string
				for _, o := range out {
					for _, v := range vals {
						next = append(next, o+head+v)
					}
				}
				if len(next) > maxValues {
					return nil, fmt.Errorf("placeholders give more than %d values", maxValues)
				}
				out, s = next, rest
				continue
			}
		}
		for i := range out {
			out[i] += s
		}
		break
	}
	return out, nil
}

func parseCIDR(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("%q is no network", s)
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errorHint(fmt.Sprintf("%q is no network", s), "write it as 192.0.2.0/24")
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func parseNumber(s string) (float64, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return f, nil
}
