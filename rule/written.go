package rule

import (
	"bytes"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// People write about attacks, and programmers write code. What a client sends as a post, a ticket, a page or a snippet may hold
// every byte of an exploit and do nothing. So a rule that matches inside written text raises a weaker twin of its Detector: it
// shows, and alone it never makes more than "probed".

const (
	maxWritten = 4 << 10 // bytes looked at on either side of what a rule found
	doubtful   = 0.3     // confidence of a Detector inside written text, at most
)

// certain threats are so by their place, not by their words: nothing around them makes them harmless.
var certain = map[string]bool{"known-cve-exploit": true, "webshell": true}

// quoted returns what a Detector is worth inside written text; nil where that changes nothing.
func quoted(d *event.Detector) *event.Detector {
	if d == nil || d.Base || d.Threat == "" || d.Noise || certain[d.Threat] {
		return nil
	}
	q := *d
	q.By += "/written"
	q.Level, q.Confidence, q.Written = min(d.Level, event.Low), min(d.Confidence, doubtful), true
	q.Outcome = event.Unknown
	return &q
}

// A worth is what a match is worth for where it stands.
type worth uint8

const (
	full   worth = iota
	doubt        // inside written text: the twin speaks
	nought       // somebody's own doing: nobody speaks
)

// weigh tells what a match is worth: less inside written text of a request, nothing in what a program says that it does.
func (m *Matcher) weigh(g *memo, threat string) worth {
	switch {
	case g.whole == nil:
	case !m.ev.Has(event.Path), m.ev.Kind == event.KindError && g.field == event.Message:
		return m.ownWords(g, threat)
	default:
		return m.inWriting(g, threat)
	}
	return full
}

// inWriting weighs a match by the text of a request in which it stands.
func (m *Matcher) inWriting(g *memo, threat string) worth {
	switch action := m.ev.Get(event.Action); {
	case len(action) == 0:
	case !m.ev.Has(event.Body):
	case bytes.Equal(action, actionEdit) && (g.field == event.Body || threat == "wordpress-plugin-exploit"),
		bytes.Equal(action, actionTelemetry) && g.field == event.Body:
		return doubt
	}
	if g.field != event.Body && g.field != event.Query && (g.field != event.Referer || threat != "sql-injection") {
		return full
	}
	start, end := g.from, g.from+len(g.at)
	middle := (start + end) / 2 // What was found may begin and end with the marks around a value.
	from, to := writingAround(g.whole, middle, middle)
	from, to = min(from, middle), max(to, middle)
	name, value := nameBefore(g.whole, from), g.whole[from:to]
	asks := bytes.Equal(m.ev.Get(event.Action), actionQuery)
	if (asks || sqlNames[name]) && threat == "sql-injection" && isStatement(value) {
		return nought // A tool whose users write SQL: nothing is broken out of.
	}
	if asks {
		return doubt
	}
	if quoteNames[name] || codeNames[name] && (breaks(value) >= 2 || threat == "sql-injection" && isStatement(value) || namesLanguage(g.whole) || isDocument(value)) {
		return doubt
	}
	if searchNames[name] && (threat == "command-injection" || threat == "path-traversal") && !bytes.ContainsAny(value, "'\"`;|&$<>{}()\n\r") &&
		!bytes.Contains(value, dotDot) && !bytes.ContainsAny(value[:min(len(value), 1)], "/.%") {
		return doubt // Commands and paths without anything that would make a server run or open them are what people search for.
	}
	if codeNames[name] && m.ev.Has(event.User) && g.field == event.Body {
		return doubt // What somebody who is signed in writes into a page.
	}
	if g.field == event.Query && built(value, threat) {
		return full
	}
	var w words
	w.count(g.whole[max(from, middle-maxWritten):min(to, middle+maxWritten)])
	if w.prose() || textNames[name] && w.plain >= 4 {
		return doubt
	}
	return full
}

// built tells whether the words of a parameter only lead up to an exploit that is whole: it breaks out of the last of them, as what
// is read does not, and nothing is said after it; or it sends a visitor's cookies away. Who asks about attacks writes neither.
func built(v []byte, threat string) bool {
	v = bytes.ToLower(v[:min(len(v), maxWritten)])
	for _, c := range [][2]string{{"+", " "}, {"%20", " "}, {"%27", "'"}, {"%22", "\""}, {"%2f", "/"}, {"%23", "#"}} {
		v = bytes.ReplaceAll(v, []byte(c[0]), []byte(c[1]))
	}
	switch threat {
	case "sql-injection":
		end := bytes.TrimRight(v, " -#")
		if rest := v[len(end):]; !bytes.Contains(rest, []byte("--")) && !bytes.Contains(rest, []byte("#")) {
			return false
		}
		for i := 1; i < len(end); i++ {
			if (end[i] == '\'' || end[i] == '"') && wordByte(end[i-1]) {
				next := bytes.TrimLeft(end[i+1:], " )")
				if len(next) > 0 && (next[0] == ';' || slices.ContainsFunc(breakWords, func(w []byte) bool { return bytes.HasPrefix(next, w) })) {
					return true
				}
			}
		}
	case "path-traversal":
		i := bytes.Index(v, dotDot)
		return i > 1 && v[i-1] == '/' && wordByte(v[i-2]) && bytes.IndexByte(v[i:], ' ') < 0
	case "cross-site-scripting":
		return bytes.Contains(v, []byte("document.cookie")) && bytes.Contains(v, []byte("//"))
	}
	return false
}

var breakWords = [][]byte{[]byte("union "), []byte("union/"), []byte("and "), []byte("or "), []byte("||"), []byte("&&"), []byte("order by "), []byte("having ")}

// ownWords weighs a match in what a program says without a request: of a statement that it runs, of a shell that it starts, or of
// what somebody wrote in a field of a record.
func (m *Matcher) ownWords(g *memo, threat string) worth {
	switch m.ev.Kind {
	case event.KindApp, event.KindText, event.KindSystem:
	case event.KindError:
		if threat != "sql-injection" {
			return full
		}
	case event.KindAuth:
		if threat == "command-injection" && bytes.Contains(g.at, []byte("sh -c")) {
			return nought // what sudo was told to run
		}
		return full
	default:
		return full
	}
	before, after := g.whole[max(g.from-maxWritten, 0):g.from], g.whole[g.from+len(g.at):]
	after = after[:min(len(after), maxWritten)]
	switch threat {
	case "sql-injection":
		if runsStatement(before, g.at) && !bytes.Contains(after, []byte("--")) && !bytes.Contains(after, []byte("/*")) && !quotedEquals(g.whole) {
			return nought
		}
	case "command-injection":
		if bytes.Contains(g.at, []byte("sh -c")) {
			return nought
		}
	}
	if m.ev.Kind == event.KindSystem && (threat == "ssrf" || threat == "command-injection" || threat == "path-traversal") {
		return nought
	}
	if sameBytes(g.whole, m.ev.Get(event.Message)) {
		return full // the program's own words, which are sentences as well
	}
	var w words
	w.count(before)
	w.count(after)
	if w.common >= 2 && w.plain >= 5 || textNames[m.leafName(g)] && w.prose() {
		return doubt
	}
	return full
}

// leafName returns the name of the leaf of a record in which a match stands, "" if it is not known.
func (m *Matcher) leafName(g *memo) string {
	at, ok := m.ev.Span(g.whole)
	if !ok || !g.raw {
		return ""
	}
	from := max(0, at[0]-2*maxName)
	return nameBefore(m.ev.Text[from:at[0]], at[0]-from)
}

// sameBytes tells whether a and b are the same memory.
func sameBytes(a, b []byte) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

// runsStatement tells whether the text before what was found, or what was found, begins a statement of SQL: a verb at the
// front of the text or behind a colon, a bracket or spaces, and no quote that a value would stand in.
func runsStatement(before, at []byte) bool {
	text := bytes.ToLower(append(append(make([]byte, 0, len(before)+len(at)), before...), at...))
	for _, v := range statements {
		i := bytes.Index(text, v)
		if i < 0 {
			continue
		}
		head := bytes.TrimRight(text[:i], " ")
		if len(head) == 0 || len(head) < i && len(head)+2 <= i || bytes.IndexByte([]byte(":])>;"), head[len(head)-1]) >= 0 || logger(head) || bytes.HasSuffix(head, []byte(" query")) {
			return true
		}
	}
	return false
}

// logger tells whether head ends with the name of a logger, "sqlalchemy.engine.Engine": words with dots between them.
func logger(head []byte) bool {
	name := head[bytes.LastIndexByte(head, ' ')+1:]
	dot := bytes.LastIndexByte(name, '.')
	return dot > 0 && dot < len(name)-1 && !bytes.ContainsAny(name, "'\"=(/%")
}

var statements = [][]byte{[]byte("select "), []byte("update "), []byte("insert into "), []byte("delete from "), []byte("alter table "), []byte("create table "), []byte("drop table "), []byte("with ")}

// quotedEquals tells whether text compares two quoted values, as nobody's own statement does.
func quotedEquals(text []byte) bool {
	return bytes.Contains(text, []byte("'='")) || bytes.Contains(text, []byte("' = '"))
}

var (
	dotDot          = []byte("..")
	actionEdit      = []byte("edit")      // event.action of saving a page by those who may
	actionQuery     = []byte("query")     // and of asking in a language of queries
	actionTelemetry = []byte("telemetry") // and of sending logs, traces and reports of errors, which quote what others sent
	languageKeys    = [][]byte{[]byte(`"lang`), []byte(`"parser"`), []byte(`"syntax"`), []byte("&lang=")}
	documentTags    = [][]byte{[]byte("<html"), []byte("<!doctype html"), []byte("<!DOCTYPE html"), []byte("<!-- wp:")}
)

// casual returns a number for the value in which a match stands, if that is a search or a password that a person may well have
// typed without meaning any harm: a few bytes, or words with some code between them. 0 if not.
func (m *Matcher) casual(g *memo, threat string) uint32 {
	if len(g.whole) == 0 || !m.ev.Has(event.Path) {
		return 0
	}
	var name string
	value := g.whole
	switch g.field {
	case event.Query, event.Body, event.Referer:
		middle := (g.from + g.from + len(g.at)) / 2
		from, to := writingAround(g.whole, middle, middle)
		from, to = min(from, middle), max(to, middle)
		name, value = nameBefore(g.whole, from), g.whole[from:to]
	case event.Message: // a leaf of a record
		name = m.leafName(g)
	}
	switch {
	case threat == "cross-site-scripting" && bookmarklet(value):
		return lettersHash(value)
	case secretNames[name] && !meant(value), searchNames[name] && offhand(value, threat):
		return lettersHash(value)
	}
	return 0
}

// bookmarklet tells whether v is a script to be kept as a bookmark: a function that is called at once, and nothing of what is done
// to other people's pages.
func bookmarklet(v []byte) bool {
	v = bytes.ToLower(v[:min(len(v), maxWritten)])
	for _, c := range [][2]string{{"%20", " "}, {"%3a", ":"}, {"%28", "("}, {"%29", ")"}} {
		v = bytes.ReplaceAll(v, []byte(c[0]), []byte(c[1]))
	}
	script, ok := bytes.CutPrefix(v, []byte("javascript:"))
	return ok && (bytes.HasPrefix(script, []byte("(function")) || bytes.HasPrefix(script, []byte("(()")) || bytes.HasPrefix(script, []byte("void("))) &&
		!slices.ContainsFunc(harmWords, func(w []byte) bool { return bytes.Contains(script, w) })
}

var harmWords = [][]byte{[]byte("alert"), []byte("confirm"), []byte("prompt"), []byte("cookie"), []byte("eval"), []byte("atob"), []byte("fromcharcode"), []byte("fetch("), []byte("xmlhttp"), []byte("storage")}

// meant tells whether a password is what nobody chooses for one: a condition that always holds, or a query.
func meant(v []byte) bool {
	v = bytes.ToLower(v[:min(len(v), maxWritten)])
	return quotedEquals(v) || slices.ContainsFunc(meantWords, func(w []byte) bool { return bytes.Contains(v, w) })
}

var meantWords = [][]byte{[]byte("1=1"), []byte("'1'"), []byte("select"), []byte("sleep("), []byte("waitfor"), []byte("benchmark("), []byte("/etc/"), []byte("http"), []byte("$ne"), []byte("$gt")}

const slip = 7 // bytes of a value that is too short to do harm on purpose

// offhand tells whether a search is so short, or so full of words, that nothing shows that its code was meant.
func offhand(v []byte, threat string) bool {
	if len(v)-2*bytes.Count(v, []byte("%")) <= slip {
		return threat != "ssrf"
	}
	var w words
	w.count(v[:min(len(v), maxWritten)])
	switch threat {
	case "command-injection":
		return w.plain >= 1 && !bytes.ContainsAny(v, ";|&`$/\\")
	case "template-injection":
		return w.plain >= 1 && !bytes.Contains(v, []byte("__")) && !bytes.ContainsAny(v, "'\"[")
	case "path-traversal":
		return w.plain >= 2 && !bytes.Contains(v, dotDot)
	}
	return false
}

// lettersHash is a number, never 0, for the letters and digits of a value, however the rest of it is encoded.
func lettersHash(v []byte) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '%':
			i += 2
		case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
			h = (h ^ uint32(c|0x20)) * 16777619
		}
	}
	return h | 1
}

// codeNames are names of values that hold code by design, quoteNames those that repeat it or hold a site's own, textNames those
// in which people write to people, and searchNames those of search fields.
var (
	codeNames  = nameSet("code source source_code snippet cell patch diff content paste body text html css template markdown script yaml dockerfile makefile sql rawsql raw_sql sql_query sqlquery statement stmt query stringvalue")
	sqlNames   = nameSet("sql rawsql raw_sql sql_query sqlquery statement stmt stringvalue")
	quoteNames = nameSet(`script-sample stack stacktrace stack_trace sourcefile source-file commit_message
		footer_html header_html head_html custom_html custom_css custom_js tracking_code footer_scripts header_scripts`)
	searchNames = nameSet("q query search s term terms keyword keywords text searchterm search_term search_query find k")
	secretNames = nameSet("password passwd pass pwd passphrase new_password old_password password_confirmation confirm_password secret pin")
	textNames   = nameSet("message body text content description comment subject title note notes commit_message review bio")
)

func nameSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, n := range strings.Fields(s) {
		set[n] = true
	}
	return set
}

// writingAround returns the bounds of the parameter's or JSON member's value in which text[start:end] stands. Unlike valueAround
// it takes a quote in a JSON text for the end of a string only where the next byte says so: in decoded text the inner
// quotes are no longer escaped.
func writingAround(text []byte, start, end int) (from, to int) {
	if text[0] != '{' && text[0] != '[' {
		return valueAround(text, start, end)
	}
	for from = start; from > 0; from-- {
		if text[from-1] == '"' && (from < 2 || text[from-2] != '\\') && opens(text[:from-1]) {
			break
		}
	}
	for to = end; to < len(text); to++ {
		if text[to] == '"' && text[to-1] != '\\' && closes(text[to+1:]) {
			break
		}
	}
	return from, to
}

func opens(before []byte) bool {
	before = bytes.TrimRight(before, " \t\r\n")
	return len(before) > 0 && bytes.IndexByte([]byte(":,[{"), before[len(before)-1]) >= 0
}

func closes(after []byte) bool {
	after = bytes.TrimLeft(after, " \t\r\n")
	return len(after) == 0 || bytes.IndexByte([]byte(":,]}"), after[0]) >= 0
}

const maxName = 32 // bytes of a name that is looked up

// nameBefore returns the name of the value that begins at text[at], in lower case.
func nameBefore(text []byte, at int) string {
	head := bytes.TrimRight(text[:at], `"': =`)
	i := len(head)
	for i > 0 && len(head)-i < maxName && (wordByte(head[i-1]) || head[i-1] == '-') {
		i--
	}
	return strings.ToLower(string(head[i:]))
}

// breaks counts the line breaks of v, however they are written.
func breaks(v []byte) int {
	return bytes.Count(v, []byte("\n")) + bytes.Count(v, []byte(`\n`)) + bytes.Count(v, []byte("%0A")) + bytes.Count(v, []byte("%0a"))
}

// isStatement tells whether v is a statement of SQL from its first word on: nothing is broken out of.
func isStatement(v []byte) bool {
	v = bytes.TrimLeft(v, " \"'(+")
	i := 0
	for i < len(v) && i < maxName && wordByte(v[i]) {
		i++
	}
	return i < len(v) && verbs[strings.ToLower(string(v[:i]))]
}

// namesLanguage tells whether a request says which language of programs its code is in.
func namesLanguage(text []byte) bool {
	return slices.ContainsFunc(languageKeys, func(k []byte) bool { return bytes.Contains(text, k) })
}

// isDocument tells whether v is a whole page.
func isDocument(v []byte) bool {
	v = v[:min(len(v), maxWritten)]
	return slices.ContainsFunc(documentTags, func(k []byte) bool { return bytes.Contains(v, k) })
}

var verbs = nameSet("select insert update delete with explain show create alter describe")

// words are counted to tell sentences from code.
type words struct {
	plain   int // of letters only, between spaces or at the marks of a sentence
	common  int // that sentences cannot do without and code has no use for
	run     int // plain ones in a row, now and at most
	longest int
	foreign int // letters beyond ASCII
}

// prose tells whether what was counted is sentences, or a search in words. It takes more where none of the words is known.
func (w *words) prose() bool {
	return w.common >= 1 && w.plain >= 3 && w.plain <= 12 || w.common >= 3 && w.plain >= 6 || w.plain >= 12 && w.longest >= 6 || w.foreign >= 24
}

// count counts the words of text, encoded as a form or not. Tags are passed over.
func (w *words) count(text []byte) {
	form := bytes.IndexByte(text, ' ') < 0 // "+" is a space, unless there are spaces
	w.run = 0
	for i := 0; i < len(text); {
		n := space(text[i:], form)
		if n > 0 {
			i += n
			continue
		}
		if text[i] == '<' {
			if end := bytes.IndexByte(text[i:], '>'); end > 0 {
				i += end + 1
				continue
			}
		}
		from := i
		for i < len(text) && text[i] != '<' && space(text[i:], form) == 0 {
			i++
		}
		if i == from {
			i++
		}
		w.add(text[from:i])
	}
}

// space returns how many bytes of text are white space at its front.
func space(text []byte, form bool) int {
	switch c := text[0]; {
	case c == ' ', c == '\t', c == '\n', c == '\r', c == '+' && form:
		return 1
	case c == '\\' && len(text) > 1 && (text[1] == 'n' || text[1] == 'r' || text[1] == 't'):
		return 2
	case c == '%' && len(text) > 2 && (text[1] == '2' && text[2] == '0' || text[1] == '0' && (text[2]|0x20 == 'a' || text[2]|0x20 == 'd' || text[2] == '9')):
		return 3
	}
	return 0
}

// add counts a token.
func (w *words) add(token []byte) {
	token = trimMarks(token)
	if len(token) == 0 {
		return
	}
	var room [maxName]byte
	low := room[:0]
	for i, c := range token {
		switch {
		case c >= 0x80:
			w.foreign++
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case c == '\'' && 0 < i && i < len(token)-1, c == '-' && 0 < i && i < len(token)-1:
		default:
			w.run = 0
			return
		}
		if len(low) < maxName {
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			}
			low = append(low, c)
		}
	}
	if codeWords[string(low)] {
		w.run = 0
		return
	}
	w.plain++
	w.run++
	w.longest = max(w.longest, w.run)
	if commonWords[string(low)] {
		w.common++
	}
}

// trimMarks cuts the marks of sentences off a token, encoded or not.
func trimMarks(token []byte) []byte {
	for {
		n := len(token)
		token = bytes.Trim(token, "\"'`*_()[].,;:!?\\")
		if len(token) >= 3 && token[len(token)-3] == '%' {
			token = token[:len(token)-3]
		}
		if len(token) >= 3 && token[0] == '%' {
			token = token[3:]
		}
		if len(token) == n {
			return token
		}
	}
}

// codeWords are words of languages that attacks are written in; they tell nothing.
var codeWords = nameSet(`select from where union all distinct and or xor not null like in having limit insert into update delete drop exec execute declare
	sleep benchmark waitfor delay cast convert concat join exists else if echo cat id ls wget curl bash sh ping whoami uname sudo chmod rm cd
	dir eval function var let const true false script alert prompt confirm onerror onload require char int`)

// commonWords are the words without which nobody writes a sentence, in languages that many logs are in.
var commonWords = nameSet(`the an you we he she they it this that these those of to with at be are was were will would can could should have has had does
	my your our their me us how what why which who please thanks hello hi never because about there here but so than just also only any some more
	very after before without must may might its
	der die das und ist nicht ein eine ich sie wir mit auf den dem von zu wie kann bitte danke oder
	le la les des est une je vous nous avec pour pas que qui dans sur mon comment merci
	el los las una con por para como puedo gracias del os uma com il che non per sono het een van niet ik je wij met voor hoe
	nie jest co jak`)
