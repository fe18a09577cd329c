package render

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/helixvanguard/vanguard"
)

// hiddenMark stands where a secret stood.
const hiddenMark = "[hidden]"

// A secretForm finds secrets in text; the first group that matched is what has to go. Text without any of needs (in lower case) holds none:
// most lines are passed over without asking the expression.
type secretForm struct {
	needs []string
	*regexp.Regexp
}

// secretForms: names that people give to secrets come first, then tokens that can be told by their looks. Key ids (AKIA...), addresses and
// account names stay: without them nobody could act on a report.
var secretForms = sync.OnceValue(func() []secretForm {
	form := func(expression string, needs ...string) secretForm {
		return secretForm{needs, regexp.MustCompile(expression)}
	}
	return []secretForm{
		// password=x, "password": "x", password: x, also percent-encoded in a form within a form
		form(`(?i)(?:pass(?:word|wd|phrase|code)?|pwd|secret|client[_-]?secret|secret[_-]?(?:access[_-]?)?key|api[_-]?key|access[_-]?token|refresh[_-]?token|id[_-]?token|auth[_-]?token|session[_-]?token|csrf[_-]?token|x-amz-security-token|x-amz-signature|signature|private[_-]?key|token|otp|cvv|cvc|(?:php|j|asp\.?net_)?sess(?:ion)?_?id)(?:\\?["'])?\s*(?:=|:|%3d|%3a)\s*(?:\\?["']|%22|%27)?([^\s"'\\&;,<>{}\[\]()|%]+|%[0-9a-f]{2}[^\s"'\\&;,<>{}\[\]()|]*)`,
			"pass", "pwd", "secret", "key", "token", "signature", "otp", "cvv", "cvc", "sess"),
		form(`(?i)\b(?:bearer|basic|digest|token|apikey)\s+([a-z0-9+/_.~=-]{8,})`,
			"bearer", "basic", "digest", "token", "apikey"),
		form(`(?i)\b[a-z][a-z0-9+.-]{1,16}://[^\s/:@"']+:([^\s/@"']+)@`,
			"://"),
		form(`\b(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?)`,
			"eyj"),
		form(`\b((?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk_live_|rk_live_|sk-ant-|sk-proj-|npm_|AIza|SG\.|hvs\.)[A-Za-z0-9_.-]{12,})`,
			"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "sk_live_", "rk_live_", "sk-ant-", "sk-proj-", "npm_", "aiza", "sg.", "hvs."),
		form(`(-----BEGIN [A-Z ]{0,24}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,24}PRIVATE KEY-----)?)`,
			"-----begin "),
	}
})

// innocent are values that say that there is no secret, or name one instead of being one.
var innocent = regexp.MustCompile(`(?i)^(?:null|nil|none|true|false|undefined|\*+|x{3,}|-|\[?(?:redacted|hidden|filtered|masked|removed)\]?|expired|invalid|missing|required|wrong|incorrect|failed|denied|for|is|was|not|from)$`)

// ours are the fields that hold our own sentences: no log byte is in them, and advice about passwords is no password.
var ours = map[string]bool{"Doubt": true, "DoNow": true, "Doubts": true, "Advice": true, "Missing": true, "LogHint": true, "Title": true, "NotSeen": true, "LogHints": true, "Why": true, "Notes": true}

// Redact returns a copy of r in which passwords, keys and tokens are hidden, and says in Redacted how many. A value that carries the
// attack itself (password=' OR 1=1) stays: it is the evidence.
func Redact(r *vanguard.Report) *vanguard.Report {
	c := tidy(r)
	c.Redacted = redactAll(reflect.ValueOf(c).Elem())
	return c
}

// redactAll hides the secrets in every string of v, so that a field which the Report gains later cannot be forgotten here.
func redactAll(v reflect.Value) (n int) {
	switch v.Kind() {
	case reflect.String:
		text, _, k := redact(v.String(), nil)
		v.SetString(text)
		return k
	case reflect.Pointer:
		if !v.IsNil() {
			return redactAll(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += redactAll(v.Index(i))
		}
	case reflect.Struct:
		if e, ok := v.Addr().Interface().(*vanguard.Evidence); ok {
			e.Text, e.Spans, n = redact(e.Text, e.Spans)
			return n
		}
		for i := range v.NumField() {
			if !ours[v.Type().Field(i).Name] {
				n += redactAll(v.Field(i))
			}
		}
	}
	return n
}

// redact hides the secrets in text, moves spans along, and counts what it hid.
func redact(text string, spans [][2]int) (string, [][2]int, int) {
	var cuts [][2]int
	folded := fold(text)
	for _, form := range secretForms() {
		if !slices.ContainsFunc(form.needs, func(need string) bool { return strings.Contains(folded, need) }) {
			continue
		}
		for _, m := range form.FindAllStringSubmatchIndex(text, -1) {
			value := [2]int{m[2], m[3]}
			s := text[value[0]:value[1]]
			if innocent.MatchString(s) || attacks(s) && within(value, spans) {
				continue
			}
			cuts = append(cuts, value)
		}
	}
	if len(cuts) == 0 {
		return text, spans, 0
	}
	cuts = cleanSpans(text, cuts)
	var b strings.Builder
	at := 0
	for _, c := range cuts {
		b.WriteString(text[at:c[0]])
		b.WriteString(hiddenMark)
		at = c[1]
	}
	b.WriteString(text[at:])
	moved := slices.Clone(spans)
	for i := range moved {
		moved[i] = [2]int{movedTo(moved[i][0], cuts, false), movedTo(moved[i][1], cuts, true)}
	}
	return b.String(), moved, len(cuts)
}

// fold is text in lower case, as case-insensitive expressions see it: they also take the long s and the Kelvin sign for s and k.
func fold(text string) string { return strings.ReplaceAll(strings.ToLower(text), "\u017f", "s") }

// movedTo is where an offset lies once the cuts were made. One inside a cut moves to its edge.
func movedTo(at int, cuts [][2]int, end bool) int {
	shift := 0
	for _, c := range cuts {
		if at <= c[0] {
			break
		}
		if at < c[1] {
			if end {
				return c[0] + shift + len(hiddenMark)
			}
			return c[0] + shift
		}
		shift += len(hiddenMark) - (c[1] - c[0])
	}
	return at + shift
}

// attacks tells whether a value holds what no key or token holds, plain or encoded.
func attacks(s string) bool {
	return strings.ContainsAny(s, "'\"<>();|$`{}*\\ ") || strings.Contains(s, "%") || strings.Contains(s, "..")
}

func within(v [2]int, spans [][2]int) bool {
	return slices.ContainsFunc(spans, func(s [2]int) bool { return s[0] < v[1] && v[0] < s[1] })
}
