package main

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/neural"
)

//go:embed attacks.txt
var attackGrammar string

//go:embed benign.txt
var benignGrammar string

// A grammar expands names to texts. Its sections are in the files beside.
type grammar struct {
	section map[string][]string
	names   []string // in the order of the file
	words   []string // for ‹w› and ‹prose›
}

func parseGrammar(text string, words []string) *grammar {
	g := &grammar{section: map[string][]string{}, words: words}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "#") && name == "":
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") && !strings.ContainsAny(line, "‹$'# "):
			name = line[1 : len(line)-1]
			g.names = append(g.names, name)
		case name != "":
			g.section[name] = append(g.section[name], line)
		}
	}
	for n, list := range g.section { // the empty line before the next section belongs to the file, not to the grammar
		if len(list) > 1 && list[len(list)-1] == "" {
			g.section[n] = list[:len(list)-1]
		}
	}
	return g
}

const maxDepth = 8

// expand writes one alternative of a section.
func (g *grammar) expand(r *random, name string, depth int) string {
	list := g.section[name]
	if len(list) == 0 {
		return g.builtin(r, name)
	}
	if depth > maxDepth {
		return ""
	}
	return g.fill(r, list[r.below(len(list))], depth)
}

func (g *grammar) fill(r *random, text string, depth int) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "‹")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "›")
		if !ok {
			return b.String()
		}
		b.WriteString(g.expand(r, name, depth+1))
		text = after
	}
}

const (
	letters = "abcdefghijklmnopqrstuvwxyz"
	alnum   = letters + "0123456789"
)

func pick(r *random, from string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = from[r.below(len(from))]
	}
	return string(b)
}

// The parts of made-up words, and the ends of made-up hosts.
var (
	onsets = strings.Fields("b c d f g h j k l m n p q r s t v w x y z bl br ch cl cr dr fl fr gl gr ll pl pr qu rr sch sh sk sl sm sn sp st str th tr tz wh zh ñ ç")
	vowels = strings.Fields("a e i o u a e i o u ai au ea ee ei eu ia ie io oa oi oo ou ua ue ui y")
	codas  = strings.Fields("b c ch ck d f g h k l ll m n nd ng nk nt p r rd rg rk rn rs rt s sh ss st t th tt tz x z")
	tlds   = strings.Fields("com org net io de fr es it nl pl ru cn jp in br co.uk example test dev app info int shop cat gov edu")
)

func (g *grammar) word(r *random) string { return g.words[r.below(len(g.words))] }

func (g *grammar) builtin(r *random, name string) string {
	switch name {
	case "n":
		return pick(r, "123456789", 1) + pick(r, "0123456789", r.below(4))
	case "N":
		return pick(r, "123456789", 1) + pick(r, "0123456789", 4+r.below(5))
	case "w":
		return g.word(r)
	case "W":
		w := g.word(r)
		return strings.ToUpper(w[:1]) + w[1:]
	case "id":
		return pick(r, letters, 1) + pick(r, alnum, 1+r.below(7))
	case "hex":
		return pick(r, "0123456789abcdef", 4+2*r.below(15))
	case "b64":
		return base64.RawStdEncoding.EncodeToString([]byte(pick(r, alnum+"=;:/ ", 6+r.below(30))))
	case "host":
		if r.below(3) == 0 {
			return g.word(r) + "." + g.builtin(r, "name") + "." + g.builtin(r, "tld")
		}
		return g.builtin(r, "name") + "." + g.builtin(r, "tld")
	case "ip":
		return fmt.Sprintf("%d.%d.%d.%d", 1+r.below(223), r.below(256), r.below(256), 1+r.below(254))
	case "prose":
		n := 2 + r.below(9)
		var words []string
		for range n {
			words = append(words, g.word(r))
		}
		return strings.Join(words, " ")
	case "name": // a word of no language in particular
		var b strings.Builder
		for range 1 + r.below(3) {
			b.WriteString(onsets[r.below(len(onsets))])
			b.WriteString(vowels[r.below(len(vowels))])
			if r.below(2) == 0 {
				b.WriteString(codas[r.below(len(codas))])
			}
		}
		return b.String()
	case "tld":
		return tlds[r.below(len(tlds))]
	case "date":
		return fmt.Sprintf("20%02d-%02d-%02d", 10+r.below(20), 1+r.below(12), 1+r.below(28))
	case "uuid":
		h := pick(r, "0123456789abcdef", 32)
		return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
	case "rep": // one key held down, or a few
		return strings.Repeat(pick(r, alnum, 1+r.below(2)), 3+r.below(20))
	case "tok": // as programs make them for themselves
		return pick(r, alnum+"ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-", 6+r.below(26))
	case "jwt":
		return "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + pick(r, alnum+"ABCDEFGHIJ_-", 40+r.below(120)) + "." + pick(r, alnum+"ABCDEFG_-", 43)
	case "foreign":
		n := 1 + r.below(10)
		alphabet := alphabets[r.below(len(alphabets))]
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteString([]string{" ", " ", " ", ", ", "; ", " - ", "/", " & ", ": ", "! "}[r.below(10)])
			}
			for range 1 + r.below(9) {
				b.WriteRune(alphabet[r.below(len(alphabet))])
			}
		}
		return b.String()
	case "b64long":
		return base64.StdEncoding.EncodeToString([]byte(pick(r, alnum+"\x00\x01\x9f\xe3\xff\x7f", 20+r.below(120))))
	case "pass":
		return pick(r, alnum+"ABCDEFGHKLMNPQRSTUVWXYZ!@#$%^&*()-_=+;:,.?'\"<>/|~", 6+r.below(14))
	}
	panic("the grammar has no section " + name)
}

var alphabets = [][]rune{
	[]rune("абвгдежзиклмнопрстуфхцчшщыьэюя"), []rune("日本語東京大阪検索商品価格新着お知らせこんにちは"), []rune("中文搜索产品价格北京上海你好世界登录用户"),
	[]rune("ابتثجحخدذرزسشصضطظعغفقكلمنهوي"), []rune("한국어검색상품가격서울안녕하세요"), []rune("αβγδεζηθικλμνξοπρστυφχψω"),
	[]rune("éèàùçâêîôûëïüœabcdefilmnoprstuv"), []rune("äöüßabcdefghiklmnoprstuvw"), []rune("ñáéíóúü¿¡abcdelmnoprst"), []rune("ąćęłńóśźżabcdeklmnoprstwyz"),
	[]rune("אבגדהוזחטיכלמנסעפצקרשת"), []rune("กขคงจชซดตถทนบปผพฟมยรลวสหอ"), []rune("अआइईउऊएकखगघचजटडतदनपबमयरलवसह"), []rune("şğıöüçabcdeklmnrsty"), []rune("ăâđêôơưabcdeghklmnotuvxy"),
}

// vocabulary takes the words that benign rows are made of: the grammars write with them.
func vocabulary(samples []sample, r *random) []string {
	seen := map[string]bool{}
	var words []string
	for i := range samples {
		if samples[i].attack || samples[i].source == "ua" {
			continue
		}
		for _, w := range strings.FieldsFunc(strings.ToLower(samples[i].text), func(c rune) bool { return c < 'a' || c > 'z' }) {
			if len(w) >= 3 && len(w) <= 12 && !seen[w] {
				seen[w] = true
				words = append(words, w)
			}
		}
	}
	for i := len(words) - 1; i > 0; i-- {
		j := r.below(i + 1)
		words[i], words[j] = words[j], words[i]
	}
	return words[:min(len(words), 20000)]
}

// generate makes rows of both labels, and mutations of the attacks that were read.
func generate(read []sample, words []string, seed uint64, made int) (samples []sample) {
	r := random(seed ^ 0xa11ce)
	attacks, benign := parseGrammar(attackGrammar, words), parseGrammar(benignGrammar, words)
	threats := append([]string{"other"}, webClasses...)
	// The large families get more rows: they have more forms.
	share := map[string]int{"sql-injection": 4, "cross-site-scripting": 4, "path-traversal": 2, "command-injection": 5, "template-injection": 2}
	var turns []string
	for _, t := range threats {
		for range max(share[t], 1) {
			turns = append(turns, t)
		}
	}
	for i := range made {
		threat := turns[i%len(turns)]
		text := attacks.expand(&r, threat, 0)
		if r.below(5) < 2 {
			text = mutate(&r, attacks, text)
		}
		if r.below(3) == 0 {
			text = surround(&r, attacks, text)
		}
		samples = append(samples, make1(&r, "made/attack", true, threat, text, neural.Param))
	}
	for i := range read {
		x := &read[i]
		if !x.attack || len(x.text) >= 200 || strings.HasPrefix(x.text, "/") {
			continue
		}
		if r.below(3) == 0 {
			samples = append(samples, make1(&r, "made/mutant", true, x.class, mutate(&r, attacks, x.text), neural.Param))
		}
		if r.below(2) == 0 { // counts with those of its source
			samples = append(samples, make1(&r, x.source, true, x.class, surround(&r, attacks, x.text), neural.Param))
		}
	}
	var kinds []string
	for _, name := range benign.names {
		if _, ok := benignKinds[name]; ok {
			kinds = append(kinds, name)
		}
	}
	for i := range made {
		name := kinds[i%len(kinds)]
		text := benign.expand(&r, name, 0)
		switch r.below(12) {
		case 0: // logs and forms cut off what is long
			text = cutOff(&r, text)
		case 1:
			text = surround(&r, benign, text)
		case 2:
			text = strings.ReplaceAll(text, " ", []string{"%20", "%09", "+", "  ", "%0a", "_", "\t"}[r.below(7)])
		}
		samples = append(samples, make1(&r, "made/"+name, false, "benign", text, benignKinds[name]))
	}
	return samples
}

// cutOff is a part of text, as logs that cut long values would hold.
func cutOff(r *random, text string) string {
	if len(text) < 8 {
		return text
	}
	from, to := 0, len(text)
	if r.below(3) == 0 {
		from = r.below(len(text) / 2)
	}
	if from == 0 || r.below(2) == 0 {
		to = from + (len(text)-from)*(40+r.below(60))/100
	}
	return strings.ToValidUTF8(text[from:to], "")
}

// surround sets text among harmless words: what stands around a payload must not decide.
func surround(r *random, g *grammar, text string) string {
	between := func() string {
		if r.below(2) == 0 {
			return " "
		}
		return []string{", ", ". ", ": ", "; ", "\n", " - ", "&", ",", " (", ") "}[r.below(10)]
	}
	if where := r.below(4); where < 2 {
		text = words(r, g) + between() + text
		if where == 0 {
			return text
		}
	}
	return text + between() + words(r, g)
}

// words are some of no consequence.
func words(r *random, g *grammar) string {
	switch r.below(4) {
	case 0:
		return g.builtin(r, "w") + " " + g.builtin(r, "w") + ", " + g.builtin(r, "prose")
	case 1:
		return g.builtin(r, "name")
	}
	return g.builtin(r, "prose")
}

// benignKinds are the sections of whole benign texts, and where such texts stand.
var benignKinds = map[string]neural.Kind{
	"search": neural.Param, "comment": neural.Param, "value": neural.Param, "code": neural.Leaf, "filter": neural.Param, "link": neural.Param,
	"rich": neural.Body, "json": neural.Body, "graphql": neural.Leaf, "xml": neural.Body, "path": neural.Path, "agent": neural.Agent,
	"referer": neural.Referer, "cookie": neural.Param, "file": neural.Param, "foreign-text": neural.Param, "password": neural.Param, "tricky": neural.Param,
	"url": neural.Param, "restpath": neural.Param, "windows": neural.Param, "beacon": neural.Param, "address": neural.Param, "manual": neural.Param,
	"shards": neural.Param, "css": neural.Param, "header": neural.Agent, "regex": neural.Param, "query": neural.Param, "cookies": neural.Param,
}

// benignFields are the sections whose texts the engine cuts itself, as it cuts that field.
var benignFields = map[string]event.Field{"query": event.Query, "cookies": event.Cookie}

// make1 is a sample of one generated text.
func make1(r *random, source string, attack bool, class, text string, kind neural.Kind) sample {
	x := sample{source: source, attack: attack, class: class, text: text}
	if f, ok := benignFields[strings.TrimPrefix(source, "made/")]; ok && !attack {
		var ev event.Event
		ev.Reset()
		ev.Set(f, []byte(text))
		x.pieces = cutEvent(&ev)
		return x
	}
	raw := text
	if kind == neural.Param {
		switch r.below(10) {
		case 0, 1:
			kind = neural.Leaf
		case 2:
			kind = neural.Body
		case 3:
			kind = neural.Referer
			raw = url.QueryEscape(text)
		case 4:
			raw = url.QueryEscape(text)
		case 5:
			if attack {
				kind = neural.Agent
			}
		case 6:
			if attack {
				kind = neural.Path
			}
		}
	}
	if kind == neural.Body && len(raw) > 0 && (raw[0] == '{' || raw[0] == '[' && strings.Contains(raw, `"`)) {
		x.pieces = body(raw)
	} else {
		x.pieces = parts(kind, []byte(raw))
	}
	return x
}

// mutate disguises an attack.
func mutate(r *random, g *grammar, text string) string {
	for range 1 + r.below(2) {
		switch r.below(8) {
		case 0: // cut off at the end, as long lines are
			if n := len(text); n > 16 {
				text = text[:n*(60+r.below(40))/100]
				for !utf8.ValidString(text) && len(text) > 0 {
					text = text[:len(text)-1]
				}
			}
		case 1: // a keyword cut in two
			if at := strings.IndexAny(text, "aeiou"); at > 1 && len(text) > 12 {
				i := at + r.below(len(text)-at)
				for i < len(text) && !utf8.RuneStart(text[i]) {
					i++
				}
				text = text[:i] + []string{" ", "/**/", "'+'", "''", "\\", "||", "<x>", "%00"}[r.below(8)] + text[i:]
			}
		case 2: // other blanks
			text = strings.ReplaceAll(text, " ", []string{"/**/", "%09", "%0a", "+", "  ", "/*" + g.builtin(r, "id") + "*/", "%a0", "(", "\t"}[r.below(9)])
		case 3:
			text = strings.ReplaceAll(text, "=", []string{" like ", " = ", "<>", " rlike ", "=="}[r.below(5)])
		case 4:
			text = strings.ReplaceAll(text, "'", []string{"\"", "`", "’", "\\'", "%27"}[r.below(5)])
		case 5:
			text = strings.Repeat(g.builtin(r, "id"), 1+r.below(8)) + text
		}
	}
	return text
}
