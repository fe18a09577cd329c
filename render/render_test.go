package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/incident"
)

// hostile holds bytes that would do harm in one format or another.
var hostile = []string{
	"\x1b[2J\x1b]0;pwned\a",                 // clear screen, set title
	"\u009b31m\x9b31m",                      // C1 control sequence introducer
	"a\rb\nc\td\x00e\x7f\b",                 // line ends, NUL, DEL, backspace
	"\u202egnp.exe\u2066\u200b\u2028\ufeff", // reading direction, zero width, line separator
	"\xff\xfe\xc0\xaf",                      // not UTF-8
	"<script>alert(1)</script><img src=x onerror=alert(1)>",
	"\"><svg/onload=alert(1)>&lt;'",
	"</style></title><meta http-equiv=refresh>",
	"=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1+1", "＝1",
	"a\",\"b\n\"c",
	"```\n# heading\n```", "`x`", "[click](javascript:alert(1))", "![](http://evil.test/x.png)", "https://evil.test www.evil.test",
	"| a | b |", "1. item", "- item", "# h", "<!-- -->", "&#60;b&#62;",
	"‹fake›", "{{.}}", "\U000e0041\u3164", "%s%n",
}

// attacked is a report with s in every place where the log's bytes can get.
func attacked(s string) *vanguard.Report {
	r := &vanguard.Report{
		Schema: "vanguard.report/1", Verdict: vanguard.UnderAttack, Confidence: 0.9, Summary: s, Doubt: s, DoNow: []string{s, s},
		Input: vanguard.Input{Lines: 3, Understood: 2, Formats: []vanguard.FormatCount{{Name: s, Lines: 2}}, FirstSeen: "2026-11-23T03:10:11Z", LastSeen: "2026-11-23T03:12:11Z",
			Unread: []vanguard.Unread{{Source: s, Line: 3, Why: s}}, Problems: []string{s}},
		Findings: []vanguard.Finding{{ID: s, Threat: s, Title: s, Severity: s, Outcome: "unknown", OutcomeEvidence: s, Missing: s, Confidence: 0.8, Doubts: []string{s},
			Actor: vanguard.Actor{Type: "account", Value: s, Notes: []string{s}}, Targets: []vanguard.Target{{Type: s, Value: s}}, Stages: []string{s}, Attack: []string{s}, OWASP: []string{s}, CVE: []string{s},
			FirstSeen: "2026-11-23T03:10:11Z", LastSeen: "2026-11-23T03:12:11Z", Events: 2,
			Evidence: []vanguard.Evidence{{Source: s, Line: 1, Text: "GET /" + s + " HTTP/1.1", Spans: [][2]int{{5, 5 + len(s)}, {-4, 2}, {900, 1000}}, By: []string{s}, Why: s}}, Advice: []string{s}}},
		Noise: &vanguard.Noise{Events: 3, Actors: 1, Summary: s}, NotSeen: []string{s},
		Timeline: []vanguard.Bucket{{Start: "2026-11-23T03:10:00Z", Seconds: 60, Events: 3, Suspect: 1}},
	}
	r.Engine.Version, r.Engine.Rules = s, s
	return r
}

func write(t *testing.T, format string, r *vanguard.Report, opt Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, r, opt); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

// TestHostile puts hostile bytes everywhere and demands of each format that none of them acts.
func TestHostile(t *testing.T) {
	for _, h := range hostile {
		r := attacked(h)
		for _, f := range Formats {
			out := write(t, f, r, Options{Now: time.Unix(1e9, 0)})
			if !utf8.ValidString(out) {
				t.Errorf("%s with %q: not UTF-8", f, h)
			}
			for _, c := range out {
				if c != '\n' && hidden(c) {
					t.Errorf("%s with %q: hidden character %q", f, h, c)
				}
			}
		}
		colored := write(t, "text", r, Options{Color: true})
		if rest := regexp.MustCompile("\x1b\\[(0|1|2|1;3[1236]|1;4;31)m").ReplaceAllString(colored, ""); strings.Contains(rest, "\x1b") {
			t.Errorf("text with %q: an escape sequence of its own", h)
		}
	}
}

// TestExplainHostile: an explanation quotes the same bytes and is held to the same.
func TestExplainHostile(t *testing.T) {
	for _, h := range hostile {
		x := []vanguard.Explanation{{Line: "GET /" + h, Format: h, Kind: h, Understood: true, Time: h, Client: h, Peer: h,
			Fields: []vanguard.FieldValue{{Name: h, Value: h, By: "client"}}, Decoded: []vanguard.FieldValue{{Name: h, Value: h}},
			Signals: []vanguard.SignalReason{{Name: h, Title: h, Why: h, Threat: h, Level: h, Field: h, Span: [2]int{5, 5 + len(h)}}}, Report: attacked(h)}}
		for _, f := range []string{"text", "json"} {
			var b bytes.Buffer
			if err := Explain(&b, f, x, Options{}); err != nil {
				t.Fatal(err)
			}
			for _, c := range b.String() {
				if c != '\n' && hidden(c) || c == utf8.RuneError {
					t.Errorf("%s with %q: hidden character %q", f, h, c)
				}
			}
		}
		var b bytes.Buffer
		unwrapped := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if Explain(&b, "text", x, Options{}); !strings.Contains(unwrapped(b.String()), unwrapped("GET /‹"+visible(tidyString(h), '‹', '›')+"›")) {
			t.Errorf("%q: the guilty bytes are not marked:\n%s", h, b.String())
		}
	}
}

// TestThreat: a page fits its width, but for configuration, which is to be copied.
func TestThreat(t *testing.T) {
	page := &incident.Threat{Slug: "x", Title: "A threat", OWASP: []string{"A03:2021"}, OAT: []string{"OAT-008"}, CWE: []int{89}, What: strings.Repeat("what it is ", 30),
		Worked: []string{"a", "b"}, DoNow: []string{strings.Repeat("now ", 40), "two"}, Missing: "the size", LogHint: strings.Repeat("x", 150) + "\nsecond"}
	var b bytes.Buffer
	if err := Threat(&b, page, Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for row := range strings.SplitSeq(b.String(), "\n") {
		if columns(row) > 80 && !strings.Contains(row, "xxx") {
			t.Errorf("a row of %d columns: %s", columns(row), row)
		}
	}
	for _, want := range []string{"OWASP A03:2021, OAT-008 · CWE 89", "\n  1. now now", "\n     now", "\n  - b\n", strings.Repeat("x", 150) + "\n  second"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("page lacks %q:\n%s", want, b.String())
		}
	}
}

// TestPlainLayout: whatever a line holds, it begins no row of the report of its own, and fakes no mark.
func TestPlainLayout(t *testing.T) {
	own := regexp.MustCompile(`(?m)^[^ \n]`)
	want := len(own.FindAllString(write(t, "text", attacked("x"), Options{}), -1))
	for _, h := range hostile {
		out := write(t, "text", attacked(h), Options{})
		if got := len(own.FindAllString(out, -1)); got != want {
			t.Errorf("%q: %d rows at the margin, want %d:\n%s", h, got, want, out)
		}
		if strings.Contains(h, "‹") && !strings.Contains(out, "T /‹\\u2039fake\\u203a› HTTP/1.1") {
			t.Errorf("%q: a mark was faked:\n%s", h, out)
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	for _, h := range hostile {
		r := attacked(h)
		var back vanguard.Report
		if err := json.Unmarshal([]byte(write(t, "json", r, Options{})), &back); err != nil {
			t.Fatalf("%q: %v", h, err)
		}
		e := back.Findings[0].Evidence[0]
		if want := tidyString(h); back.Summary != want || e.Text[e.Spans[1][0]:e.Spans[1][1]] != want {
			t.Errorf("%q came back as %q, its span as %q", h, back.Summary, e.Text[e.Spans[1][0]:e.Spans[1][1]])
		}
		if len(e.Spans) != 2 { // {-4,2} is cut to {0,2}, {900,1000} is dropped
			t.Errorf("%q: spans %v", h, e.Spans)
		}
		lines := strings.Split(strings.TrimSpace(write(t, "jsonl", r, Options{})), "\n")
		if len(lines) != 2 {
			t.Fatalf("%q: %d lines of jsonl", h, len(lines))
		}
		var last struct {
			Verdict  string
			Findings int
		}
		if err := json.Unmarshal([]byte(lines[1]), &last); err != nil || last.Verdict != "under-attack" || last.Findings != 1 {
			t.Errorf("%q: last line %s: %v", h, lines[1], err)
		}
	}
}

func TestCSVCells(t *testing.T) {
	for _, h := range hostile {
		rows, err := csv.NewReader(strings.NewReader(write(t, "csv", attacked(h), Options{}))).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(csvHeader) {
			t.Fatalf("%q: %d rows: %v", h, len(rows), err)
		}
		for i, c := range rows[1] {
			if strings.ContainsAny(c[:min(len(c), 1)], "=+-@\t\r") || strings.ContainsAny(strings.TrimLeft(c, " "), "\n\r\t") {
				t.Errorf("%q: column %s could be a formula: %q", h, csvHeader[i], c)
			}
		}
	}
	f := func(in, want string) {
		t.Helper()
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
	f("", "")
	f("plain", "plain")
	f("=1", "'=1")
	f("  =1", "'  =1")
	f("\t=1", `\t=1`)
	f("＋1", "'＋1")
	f("10.5", "10.5")
	f("a=b", "a=b")
}

func TestMarkdown(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := md(in); got != want {
			t.Errorf("md(%q) = %q, want %q", in, got, want)
		}
	}
	f("plain words, 3.5 of 4: fine", "plain words, 3.5 of 4: fine")
	f("a*b_c", `a\*b\_c`)
	f("[x](y)", `\[x\](y)`)
	f("<b>", `\<b\>`)
	f("https://evil.test", `https\:\/\/evil.test`)
	f("www.evil.test", `www\.evil.test`)
	f("1. one", `1\. one`)
	f("- one", `\- one`)
	f("+ one", `\+ one`)
	f("2026-11-23 3.10 (UTC)", "2026-11-23 3.10 (UTC)")
	f("a\nb", `a\\nb`)
	c := func(in, want string) {
		t.Helper()
		if got := code(in); got != want {
			t.Errorf("code(%q) = %q, want %q", in, got, want)
		}
	}
	c("x", "`x`")
	c("a`b", "``a`b``")
	c("``", "``` `` ```")

	fence := regexp.MustCompile("(?m)^(`{3,})text\n")
	for _, h := range hostile {
		out := write(t, "md", attacked(h), Options{})
		m := fence.FindStringSubmatch(out)
		if m == nil || strings.Count(out, "\n"+m[1]) != 2 {
			t.Errorf("%q: the fence could be closed from inside:\n%s", h, out)
		}
	}
}

// TestHTMLInert: the page has no element, attribute or address that the template does not have.
func TestHTMLInert(t *testing.T) {
	tag := regexp.MustCompile(`</?(?:[^c>/][^>]*|c[^o][^>]*)>`) // but <code>, which backticks make
	want := tag.FindAllString(write(t, "html", attacked("x"), Options{}), -1)
	for _, h := range hostile {
		out := write(t, "html", attacked(h), Options{})
		got := tag.FindAllString(out, -1)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q changed the page's elements", h)
		}
	}
	out := write(t, "html", attacked("x"), Options{})
	for _, must := range []string{"default-src 'none'", "style-src 'sha256-", "<title>Under attack"} {
		if !strings.Contains(out, must) {
			t.Errorf("page lacks %q", must)
		}
	}
	if strings.Contains(out, "<script") || strings.Contains(out, " style=") || !strings.Contains(out, "<style>"+htmlStyle+"</style>") {
		t.Error("page has a script, an inline style, or another style sheet than the hashed one")
	}
}

func TestPieces(t *testing.T) {
	f := func(text string, limit int, want string, spans ...[2]int) {
		t.Helper()
		if got := marked(pieces(text, spans, limit)); got != want {
			t.Errorf("pieces(%q, %v, %d) = %q, want %q", text, spans, limit, got, want)
		}
	}
	f("abc", 0, "abc")
	f("abc", 0, "a‹b›c", [2]int{1, 2})
	f("abcd", 0, "a‹bcd›", [2]int{2, 9}, [2]int{1, 2})
	f("abcd", 0, "‹a›b‹c›d", [2]int{2, 3}, [2]int{0, 1}, [2]int{3, 3}, [2]int{7, 5})
	f("aéb", 0, "a‹é›b", [2]int{2, 3})
	f("a\x1bb", 0, `a‹\x1b›b`, [2]int{1, 2})
	f(strings.Repeat("x", 30), 12, strings.Repeat("x", 12)+" …")
	f(strings.Repeat("x", 30)+"EVIL"+strings.Repeat("y", 30), 24, "xxxxxx … xxxx‹EVIL›yyyyyyyyyy …", [2]int{30, 34})
	f("EVIL"+strings.Repeat("y", 30), 10, "‹EVIL›yyyyyy …", [2]int{0, 4})
}

func TestOnOneLine(t *testing.T) {
	f := func(in string, span [2]int, want string) {
		t.Helper()
		text, spans := onOneLine(in, [][2]int{span})
		if got := marked(pieces(text, spans, 0)); got != want {
			t.Errorf("%q %v = %q, want %q", in, span, got, want)
		}
	}
	f("{\n  \"a\": 1,\r\n  \"b\": 2\n}", [2]int{4, 10}, `{ ‹"a": 1›, "b": 2 }`)
	f("a\n\n  b", [2]int{5, 6}, "a ‹b›")
	f("a\n\n  b", [2]int{1, 6}, "a‹ b›")
	f("plain", [2]int{0, 5}, "‹plain›")
}

func TestRich(t *testing.T) {
	f := func(in string, want ...phrase) {
		t.Helper()
		if got := rich(in); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q = %v, want %v", in, got, want)
		}
	}
	f("run `sshd -t`, then wait", phrase{"run ", false}, phrase{"sshd -t", true}, phrase{", then wait", false})
	f("a stray ` tick", phrase{"a stray ", false}, phrase{"` tick", false})
	f("``")
	f("plain\x1b", phrase{`plain\x1b`, false})
}

func TestOCSF(t *testing.T) {
	r := attacked("x")
	f := &r.Findings[0]
	f.Actor = vanguard.Actor{Type: "ip", Value: "203.0.113.9"}
	f.Severity, f.Outcome, f.Attack, f.CVE, f.Confidence = "high", "blocked", []string{"T1190"}, []string{"CVE-2021-44228"}, 0.9
	var o map[string]any
	if err := json.Unmarshal([]byte(write(t, "ocsf", r, Options{})), &o); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"class_uid": 2004.0, "type_uid": 200401.0, "category_uid": 2.0, "activity_id": 1.0, "severity_id": 4.0, "confidence_id": 3.0, "confidence_score": 90.0,
		"disposition_id": 2.0, "action_id": 2.0, "time": float64(time.Date(2026, 11, 23, 3, 12, 11, 0, time.UTC).UnixMilli()), "count": 2.0,
		"metadata.version": "1.6.0", "metadata.product.name": "Helix Vanguard", "finding_info.uid": "x",
		"finding_info.attacks.0.technique.uid": "T1190", "vulnerabilities.0.cve.uid": "CVE-2021-44228",
		"evidences.0.src_endpoint.ip": "203.0.113.9", "observables.0.type_id": 2.0, "observables.0.value": "203.0.113.9",
	} {
		if got := at(o, path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	f.LastSeen = ""
	json.Unmarshal([]byte(write(t, "ocsf", r, Options{Now: time.UnixMilli(77)})), &o)
	if at(o, "time") != 77.0 {
		t.Errorf("time of a finding without one = %v", at(o, "time"))
	}
}

// at walks a decoded JSON tree by a dotted path.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			var i int
			if fmt.Sscan(key, &i); i >= len(x) {
				return nil
			}
			v = x[i]
		}
	}
	return v
}

func TestPeriod(t *testing.T) {
	f := func(a, b, want string) {
		t.Helper()
		if got := period(a, b); got != want {
			t.Errorf("period(%q, %q) = %q, want %q", a, b, got, want)
		}
	}
	f("", "", "")
	f("2026-11-23T03:10:11Z", "2026-11-23T03:31:02Z", "2026-11-23 03:10:11 – 03:31:02 UTC")
	f("2026-11-23T03:10:11", "2026-11-24T03:31:02.5", "2026-11-23 03:10:11 – 2026-11-24 03:31:02")
	f("2026-11-23T03:10:11+02:00", "", "2026-11-23 03:10:11 +02:00")
}

// TestWidth: no row of a report is wider than the terminal, evidence in wide characters included.
func TestWidth(t *testing.T) {
	for _, width := range []int{40, 80, 200} {
		for _, s := range []string{strings.Repeat("字", 300), strings.Repeat("word ", 200), strings.Repeat("x", 5000)} {
			for row := range strings.SplitSeq(write(t, "text", attacked(s), Options{Width: width}), "\n") {
				if n := columns(row); n > width && !strings.Contains(row, "sure") && !strings.Contains(row, s[:60]) {
					t.Errorf("width %d: a row of %d columns: %.80q", width, n, row)
				}
			}
		}
	}
}

func TestChart(t *testing.T) {
	var bs []vanguard.Bucket
	for i := range 1000 {
		bs = append(bs, vanguard.Bucket{Start: time.Unix(int64(i*60), 0).UTC().Format(time.RFC3339), Seconds: 60, Events: 2, Suspect: i % 2})
	}
	c := newChart(bs)
	sum, suspect := 0, 0
	for i, b := range c.Bars {
		sum, suspect = sum+b.Events, suspect+b.Suspects
		if b.X < 0 || b.X+b.Width > chartWidth || b.EventY < 0 || b.SuspectH > chartDown || i > 0 && b.X <= c.Bars[i-1].X {
			t.Errorf("bar %d: %+v", i, b)
		}
	}
	if len(c.Bars) > maxBars || sum != 2000 || suspect != 500 {
		t.Errorf("%d bars of %d events, %d suspect", len(c.Bars), sum, suspect)
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := Write(&bytes.Buffer{}, "pdf", attacked("x"), Options{}); err == nil || !strings.Contains(err.Error(), "text, json") {
		t.Errorf("error %v", err)
	}
}
