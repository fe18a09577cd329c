package render

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard"
)

func TestRedactText(t *testing.T) {
	hides := func(text, want string) {
		t.Helper()
		if got, _, n := redact(text, nil); got != want || n == 0 && text != want {
			t.Errorf("redact(%q)\n got %q (%d)\nwant %q", text, got, n, want)
		}
	}
	keeps := func(text string) { t.Helper(); hides(text, text) }
	hides(`POST /login?user=ann&password=hunter2&next=/ 200`, `POST /login?user=ann&password=[hidden]&next=/ 200`)
	hides(`GET /x?access_token=abc.def-123 HTTP/1.1`, `GET /x?access_token=[hidden] HTTP/1.1`)
	hides(`{"user":"ann","password":"hunter2","n":1}`, `{"user":"ann","password":"[hidden]","n":1}`)
	hides(`body="{\"apiKey\":\"k-9\"}"`, `body="{\"apiKey\":\"[hidden]\"}"`)
	hides(`next=%2Fa%3Fpassword%3Dhunter2`, `next=%2Fa%3Fpassword%3D[hidden]`)
	hides(`Authorization: Bearer 0123456789abcdef`, `Authorization: Bearer [hidden]`)
	hides(`Authorization: Basic YW5uOmh1bnRlcjI=`, `Authorization: Basic [hidden]`)
	hides(`cannot reach postgres://app:s3cr3t@192.0.2.4/db`, `cannot reach postgres://app:[hidden]@192.0.2.4/db`)
	hides(`jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln done`, `jwt [hidden] done`)
	hides(`PHPSESSID=0123456789abcdef; theme=dark`, `PHPSESSID=[hidden]; theme=dark`)
	hides(`key ghp_`+strings.Repeat("a", 36)+` leaked`, `key [hidden] leaked`)
	hides("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[hidden]")
	hides(`X-Amz-Credential=AKIAEXAMPLE&X-Amz-Signature=deadbeef`, `X-Amz-Credential=AKIAEXAMPLE&X-Amz-Signature=[hidden]`)
	keeps(`Failed password for invalid user admin from 203.0.113.99 port 52736 ssh2`)
	keeps(`"accessKeyId": "AKIAIOSFODNN7EXAMPLE"`)
	keeps(`GET /forgot-password HTTP/1.1`)
	keeps(`token: expired`)
	keeps(`{"password":"***"}`)
	keeps(`GET /articles?tokenizer=on 200`)
}

func TestRedactKeepsTheAttack(t *testing.T) {
	text := `GET /login?password=%27%20OR%201=1 HTTP/1.1`
	at := strings.Index(text, "%27")
	if got, _, n := redact(text, [][2]int{{at, at + 12}}); got != text || n != 0 {
		t.Errorf("the evidence was hidden: %q", got)
	}
	if got, _, _ := redact(text, nil); got == text {
		t.Error("without a span nothing says that this value is the attack")
	}
}

func TestRedactMovesSpans(t *testing.T) {
	text := `a password=hunter2 b <script> token=xyzw0123456789 c`
	i := strings.Index(text, "<script>")
	whole := strings.Index(text, "hunter2")
	got, spans, n := redact(text, [][2]int{{i, i + 8}, {whole + 2, whole + 4}})
	if n != 2 || got[spans[0][0]:spans[0][1]] != "<script>" || got[spans[1][0]:spans[1][1]] != hiddenMark {
		t.Errorf("%q %v %d", got, spans, n)
	}
}

func TestRedactReport(t *testing.T) {
	r := &vanguard.Report{Summary: "token=abcdefgh", Findings: []vanguard.Finding{{Evidence: []vanguard.Evidence{{Text: "password=hunter2"}}, Targets: []vanguard.Target{{Type: "route", Value: "/x?api_key=k1"}}}}}
	c := Redact(r)
	if c.Redacted != 3 || c.Findings[0].Evidence[0].Text != "password=[hidden]" || c.Summary != "token=[hidden]" || c.Findings[0].Targets[0].Value != "/x?api_key=[hidden]" {
		t.Errorf("%+v", c)
	}
	if r.Findings[0].Evidence[0].Text != "password=hunter2" || r.Redacted != 0 {
		t.Error("the original was changed")
	}
}

// TestRedactNeeds: what a form needs in order to be asked is in everything that it finds.
func TestRedactNeeds(t *testing.T) {
	texts := []string{"pa\u017f\u017fword=hunter2", "PA\u017fSWORD: hunter2", "api-\u212aEY=k1", "\u212aEY to\u212aen x=1 TOKEN=abc", "\u017fessid=12", "BEARER abcdefgh12", "XOXB-0123456789ab", "Cvv=123", "AIza0123456789ab"}
	for _, name := range [...]string{"../testdata/logs/*", "../testdata/innocent/*", "../rules/app/*.log"} {
		files, err := filepath.Glob(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, strings.SplitN(string(b), "\n", 12)...)
		}
	}
	found := 0
	for i, form := range secretForms() {
		for _, text := range texts {
			if len(text) > 2000 || !form.MatchString(text) {
				continue
			}
			found++
			if folded := fold(text); !slices.ContainsFunc(form.needs, func(need string) bool { return strings.Contains(folded, need) }) {
				t.Errorf("form %d finds a secret in %q and would not be asked", i, text)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d lines with secrets were tried", found)
	}
}
