// Command witnesses asks others about labelled cases: Coraza with the OWASP Core Rule Set at paranoia level 1, and
// libinjection. It prints, per file, how many attacks each finds and how many harmless cases it flags, as `vanguard eval` does for Vanguard.
//
//	witnesses cases.jsonl...
//
// Only cases of one request line count (nginx's combined format, or JSON with request_body); doubtful ones are passed over.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/libinjection-go"
)

// labelled is a case as `vanguard eval` reads it.
type labelled struct {
	Label string   `json:"label"`
	Weak  bool     `json:"weak"`
	Lines []string `json:"lines"`
}

// request is what a log line tells of one.
type request struct{ method, uri, version, referer, agent, body string }

// parse reads a line of either format.
func parse(line string) (r request, ok bool) {
	if strings.HasPrefix(line, "{") {
		var j struct {
			Method  string `json:"request_method"`
			URI     string `json:"request_uri"`
			Version string `json:"server_protocol"`
			Referer string `json:"http_referer"`
			Agent   string `json:"http_user_agent"`
			Body    string `json:"request_body"`
		}
		if json.Unmarshal([]byte(line), &j) != nil || j.URI == "" {
			return r, false
		}
		return request{j.Method, j.URI, j.Version, j.Referer, j.Agent, j.Body}, true
	}
	part := strings.Split(line, `"`)
	if len(part) < 6 {
		return r, false
	}
	method, rest, _ := strings.Cut(part[1], " ")
	at := strings.LastIndex(rest, " ")
	if at < 0 {
		return r, false
	}
	return request{method, raw(rest[:at]), rest[at+1:], raw(part[3]), raw(part[5]), ""}, true
}

// raw undoes nginx's \xHH.
func raw(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' {
			if v, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func contentType(body string) string {
	switch t := strings.TrimSpace(body); {
	case t == "":
		return ""
	case t[0] == '{' || t[0] == '[':
		return "application/json"
	case t[0] == '<':
		return "text/xml"
	case strings.HasPrefix(t, "--"):
		boundary, _, _ := strings.Cut(t[2:], "\n")
		return "multipart/form-data; boundary=" + strings.TrimSpace(boundary)
	}
	return "application/x-www-form-urlencoded"
}

// firewall tells whether the anomaly score reaches its limit.
func firewall(waf coraza.WAF, r request) bool {
	tx := waf.NewTransaction()
	defer tx.Close()
	tx.ProcessConnection("203.0.113.1", 12345, "192.0.2.1", 443)
	tx.ProcessURI(r.uri, r.method, r.version)
	tx.AddRequestHeader("Host", "www.example.com")
	tx.AddRequestHeader("Accept", "*/*")
	if r.agent != "" && r.agent != "-" {
		tx.AddRequestHeader("User-Agent", r.agent)
	}
	if r.referer != "" && r.referer != "-" {
		tx.AddRequestHeader("Referer", r.referer)
	}
	if t := contentType(r.body); t != "" {
		tx.AddRequestHeader("Content-Type", t)
		tx.AddRequestHeader("Content-Length", strconv.Itoa(len(r.body)))
	}
	tx.ProcessRequestHeaders()
	if r.body != "" {
		tx.WriteRequestBody([]byte(r.body))
	}
	tx.ProcessRequestBody()
	for _, m := range tx.MatchedRules() {
		if id := m.Rule().ID(); id == 949110 || id == 949111 {
			return true
		}
	}
	return false
}

// library asks libinjection about every value that the request carries.
func library(r request) bool {
	_, query, _ := strings.Cut(r.uri, "?")
	values := []string{r.agent, r.referer}
	for _, form := range []string{query, r.body} {
		values = append(values, form)
		for _, pair := range strings.Split(form, "&") {
			if _, v, ok := strings.Cut(pair, "="); ok {
				if u, err := url.QueryUnescape(v); err == nil {
					v = u
				}
				values = append(values, v)
			}
		}
	}
	var leaves func(v any)
	leaves = func(v any) {
		switch v := v.(type) {
		case string:
			values = append(values, v)
		case []any:
			for _, x := range v {
				leaves(x)
			}
		case map[string]any:
			for k, x := range v {
				values = append(values, k)
				leaves(x)
			}
		}
	}
	var tree any
	if json.Unmarshal([]byte(r.body), &tree) == nil {
		leaves(tree)
	}
	for _, v := range values {
		if sqli, _ := libinjection.IsSQLi(v); sqli || libinjection.IsXSS(v) {
			return true
		}
	}
	return false
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: witnesses CASES.jsonl...")
		os.Exit(2)
	}
	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(`
		Include @coraza.conf-recommended
		Include @crs-setup.conf.example
		Include @owasp_crs/*.conf
		SecRuleEngine DetectionOnly
		SecAuditEngine Off`))
	if err != nil {
		fmt.Fprintln(os.Stderr, "witnesses:", err)
		os.Exit(1)
	}
	fmt.Printf("%-24s %8s %10s %12s %8s %10s %12s\n", "source", "attacks", "Coraza", "libinjection", "benign", "Coraza", "libinjection")
	for _, path := range os.Args[1:] {
		if err := ask(waf, path); err != nil {
			fmt.Fprintln(os.Stderr, "witnesses:", err)
			os.Exit(1)
		}
	}
}

func ask(waf coraza.WAF, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewScanner(file)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	var count, coraza, injection [2]int
	for n := 1; in.Scan(); n++ {
		var c labelled
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if c.Weak || len(c.Lines) != 1 {
			continue
		}
		r, ok := parse(c.Lines[0])
		if !ok {
			continue
		}
		k := 0
		if c.Label != "attack" {
			k = 1
		}
		count[k]++
		if firewall(waf, r) {
			coraza[k]++
		}
		if library(r) {
			injection[k]++
		}
	}
	share := func(n, of int) string {
		if of == 0 {
			return "-"
		}
		return fmt.Sprintf("%.2f%%", 100*float64(n)/float64(of))
	}
	fmt.Printf("%-24s %8d %10s %12s %8d %10s %12s\n", strings.TrimSuffix(filepath.Base(path), ".jsonl"),
		count[0], share(coraza[0], count[0]), share(injection[0], count[0]), count[1], share(coraza[1], count[1]), share(injection[1], count[1]))
	return in.Err()
}
