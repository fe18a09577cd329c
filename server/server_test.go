package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/render"
	"github.com/helixvanguard/vanguard/store"
)

var engine = sync.OnceValue(func() *vanguard.Engine {
	e, err := vanguard.NewEngine(vanguard.Options{})
	if err != nil {
		panic(err)
	}
	return e
})

func zipped(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.Bytes()
}

// built is a small page as the build leaves it.
var built = fstest.MapFS{
	".gitignore":       {Data: []byte("*")},
	"index.html":       {Data: []byte("<!doctype html>index")},
	"index.html.gz":    {Data: zipped("<!doctype html>index")},
	"open.html":        {Data: []byte("<!doctype html>open")},
	"share.html":       {Data: []byte("<!doctype html>share")},
	"trust.html":       {Data: []byte("<!doctype html>trust")},
	"worker.js":        {Data: []byte("work()")},
	"vanguard.wasm.gz": {Data: zipped("\x00asm")},
	"vanguard.wasm.br": {Data: []byte("brotli")},
}

// A host is a server under test, and its clock.
type host struct {
	t   *testing.T
	srv *Server
	now time.Time
}

func serve(t *testing.T, change func(*Config)) *host {
	t.Helper()
	db, err := store.Open("", 20<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &host{t: t, now: time.Unix(1795402800, 0)}
	cfg := Config{Engine: engine(), Log: slog.New(slog.DiscardHandler), Page: built, Shares: db, Scan: true, Now: func() time.Time { return h.now }}
	if change != nil {
		change(&cfg)
	}
	if h.srv, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return h
}

// ask sends one request. Headers are "Name: value"; the minute that passes gives each limit its tokens back.
func (h *host) ask(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	h.now = h.now.Add(time.Minute)
	return h.askNow(method, target, body, headers...)
}

func (h *host) askNow(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:4711"
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		switch name {
		case "Host":
			r.Host = value
		case "From":
			r.RemoteAddr = value
		default:
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.srv.Handler().ServeHTTP(w, r)
	return w
}

// want checks a status and that the body holds text.
func (h *host) want(w *httptest.ResponseRecorder, status int, text string) {
	h.t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), text) {
		h.t.Errorf("%d %.300s\nwant %d %s", w.Code, w.Body, status, text)
	}
}

func TestPage(t *testing.T) {
	h := serve(t, nil)
	f := func(target, kind, policy, body string) {
		t.Helper()
		w := h.ask("GET", target, "")
		h.want(w, 200, body)
		head := w.Header()
		if head.Get("Content-Type") != kind || head.Get("Content-Security-Policy") != policy || head.Get("ETag") == "" {
			t.Errorf("%s: %v", target, head)
		}
		if again := h.ask("GET", target, "", "If-None-Match: "+head.Get("ETag")); again.Code != 304 || again.Body.Len() > 0 {
			t.Errorf("%s again: %d", target, again.Code)
		}
		if w := h.ask("HEAD", target, ""); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d, %d bytes", target, w.Code, w.Body.Len())
		}
	}
	html := "text/html; charset=utf-8"
	f("/", html, policyEngine, "index")
	f("/index.html", html, policyEngine, "index")
	f("/s/whatever", html, policyEngine, "open")
	f("/share.html", html, policyShare, "share")
	f("/trust", html, policyText, "trust")
	f("/worker.js", "text/javascript; charset=utf-8", policyWorker, "work()")
	f("/vanguard.wasm", "application/wasm", policyNone, "\x00asm")

	if w := h.ask("GET", "/vanguard.wasm", "", "Accept-Encoding: gzip, deflate, br;q=0.9"); w.Header().Get("Content-Encoding") != "br" || w.Body.String() != "brotli" {
		t.Errorf("br: %v", w.Header())
	}
	if w := h.ask("GET", "/", "", "Accept-Encoding: br;q=0, gzip"); w.Header().Get("Content-Encoding") != "gzip" || !bytes.Equal(w.Body.Bytes(), built["index.html.gz"].Data) {
		t.Errorf("gzip: %v", w.Header())
	}
	for _, target := range []string{"/.gitignore", "/index.html.gz", "/../index.html", "/%2e%2e/index.html", "/s/", "/s", "/s/a/b", "/static/", "/api", "/api/v1/", "/api/v1/shares/"} {
		if w := h.ask("GET", target, ""); w.Code == 200 {
			t.Errorf("GET %s: %d %s", target, w.Code, w.Body)
		}
	}
	h.want(h.ask("POST", "/", ""), 405, "")
	for _, target := range []string{"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//", "//etc/passwd", "/./trust", "/s/x/../../trust", "/api//v1/scan"} {
		w := h.ask("GET", target, "")
		if h.want(w, 404, `{"error":"there is nothing here"}`); w.Header().Get("Location") != "" {
			t.Errorf("GET %s leads to %s", target, w.Header().Get("Location"))
		}
	}
	h.want(serve(t, func(c *Config) { c.Page = nil }).ask("GET", "/", ""), 404, "only the API")
	if _, err := New(Config{Engine: engine(), Page: fstest.MapFS{"a.js.br": {Data: []byte("x")}}}); err == nil {
		t.Error("a file in brotli alone")
	}
}

// TestSiteHeaders: static files are served under the policies that this server sends.
func TestSiteHeaders(t *testing.T) {
	pack, err := os.ReadFile("../web/pack.mjs")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(pack), `none + "`, `"`+policyNone)
	for _, policy := range []string{policyNone, policyEngine, policyText, policyWorker} {
		if !strings.Contains(text, `"`+policy+`"`) {
			t.Errorf("web/pack.mjs lacks the policy %s", policy)
		}
	}
}

// TestHeaders: each answer, errors included, forbids what it can.
func TestHeaders(t *testing.T) {
	h := serve(t, func(c *Config) { c.TLS = true })
	for _, target := range []string{"/", "/healthz", "/nothing", "/api/v1/shares/none", "/metrics", "/s/x"} {
		head := h.ask("GET", target, "").Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp", "Strict-Transport-Security": "max-age=31536000",
		} {
			if head.Get(name) != want {
				t.Errorf("%s: %s: %q", target, name, head.Get(name))
			}
		}
		if p := head.Get("Content-Security-Policy"); !strings.HasPrefix(p, policyNone) || strings.Contains(p, "unsafe-inline") || strings.Contains(p, "'unsafe-eval'") {
			t.Errorf("%s: policy %q", target, p)
		}
		if head.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read by other sites", target)
		}
	}
}

// TestForeignPages: neither another site's page nor one whose name was made to point here gets through.
func TestForeignPages(t *testing.T) {
	h := serve(t, func(c *Config) { c.Hosts = []string{"localhost", "127.0.0.1", "::1"} })
	h.want(h.ask("GET", "/healthz", "", "Host: localhost:8765"), 200, "ok")
	h.want(h.ask("GET", "/healthz", "", "Host: [::1]:8765"), 200, "ok")
	h.want(h.ask("GET", "/healthz", "", "Host: LOCALHOST"), 200, "ok")
	h.want(h.ask("GET", "/healthz", "", "Host: rebound.example.com:8765"), 421, "name")
	h.want(h.ask("POST", "/api/v1/scan", "x", "Host: localhost", "Sec-Fetch-Site: cross-site"), 403, "another site")
	h.want(h.ask("POST", "/api/v1/scan", "x", "Host: localhost", "Origin: https://example.com"), 403, "another site")
	h.want(h.ask("POST", "/api/v1/scan", "x", "Host: localhost", "Sec-Fetch-Site: same-origin"), 200, "schema")
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../testdata/logs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestScan(t *testing.T) {
	h := serve(t, nil)
	log := read(t, "mixed.log")
	same, err := engine().With(vanguard.Options{Year: h.now.Year()})
	if err != nil {
		t.Fatal(err)
	}
	a := same.Analyzer()
	src := a.Source("mixed.log")
	io.WriteString(src, log)
	src.Close()
	for _, format := range render.Formats {
		var want bytes.Buffer
		opt := render.Options{Now: h.now.Add(time.Minute)}
		if format == "text" {
			opt.Top = render.TextTop
		}
		if err := render.Write(&want, format, a.Report(), opt); err != nil {
			t.Fatal(err)
		}
		w := h.ask("POST", "/api/v1/scan?name=mixed.log&output="+format, log)
		if w.Code != 200 || w.Body.String() != want.String() {
			t.Errorf("%s: %d, differs from the command line's", format, w.Code)
		}
		if kind := w.Header().Get("Content-Type"); kind != outputTypes[format] {
			t.Errorf("%s: %s", format, kind)
		}
		if w := h.ask("POST", "/api/v1/scan?name=mixed.log&output="+format, string(zipped(log))); w.Body.Len() != want.Len() {
			t.Errorf("%s of a packed log differs", format)
		}
	}
	f := func(query, body string, status int, text string, headers ...string) {
		t.Helper()
		h.want(h.ask("POST", "/api/v1/scan?"+query, body, headers...), status, text)
	}
	f("", "", 200, "cant-tell")
	f("output=poem", log, 400, "csv, html, json")
	f("colour=red", log, 400, "unknown parameter")
	f("top=many", log, 400, "top: ")
	f("model=perhaps", log, 400, "on or off")
	f("tz=Nowhere/Atoll", log, 400, "tz ")
	f("name=a&name=b", log, 400, "too often")
	f("allow=192.0.2.0/99", log, 400, "192.0.2.0/99")
	f("allow="+strings.Repeat("192.0.2.1&allow=", maxSetting)+"192.0.2.1", log, 400, "too often")
	f("since=2026-11-24&until=2026-11-23", log, 400, "not before")
	f("format=%24nonsense", log, 400, "")
	f("", "PK\x03\x04", 415, "zip archive")
	f("", log, 415, "plain, or packed", "Content-Encoding: br")
	f("", log, 415, "not a form", "Content-Type: multipart/form-data; boundary=x")
	f("", string(zipped(log)[:200]), 200, "cut off")
	h.want(serve(t, func(c *Config) { c.MaxBody = 100 }).ask("POST", "/api/v1/scan", log), 413, "100 bytes")
	h.want(serve(t, func(c *Config) { c.MaxText = 100 }).ask("POST", "/api/v1/scan", string(zipped(log))), 413, "unpacks to more")
	h.want(serve(t, func(c *Config) { c.Scan = false }).ask("POST", "/api/v1/scan", log), 404, "nothing")
	if w := h.ask("POST", "/api/v1/scan?output=html", log); !strings.HasSuffix(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Error("a report in HTML may run")
	}

	full := serve(t, func(c *Config) { c.Scans = 1 })
	for range placesPerTurn {
		full.srv.scans <- struct{}{}
	}
	h.want(full.ask("POST", "/api/v1/scan", log), 503, "still coming")
}

// TestModelSwitch: the classifier speaks unless the request says otherwise.
func TestModelSwitch(t *testing.T) {
	model, err := neural.Load(models.Weights)
	if err != nil {
		t.Fatal(err)
	}
	both, err := vanguard.NewEngine(vanguard.Options{Model: model})
	if err != nil {
		t.Fatal(err)
	}
	h := serve(t, func(c *Config) { c.Engine = both })
	log := read(t, "wordpress-apache.log") + `203.0.113.45 - - [23/Nov/2026:03:30:00 +0000] "GET /?p=1'+union+select+2,3--+- HTTP/1.1" 200 512 "-" "Mozilla/5.0"` + "\n"
	for query, witness := range map[string]bool{"": true, "?model=on": true, "?model=off": false} {
		var got vanguard.Report
		w := h.ask("POST", "/api/v1/scan"+query, log)
		if json.Unmarshal(w.Body.Bytes(), &got) != nil || (got.Engine.Model == model.Hash) != witness || strings.Contains(w.Body.String(), `"model:`) != witness {
			t.Errorf("%q: model %q, its signals in the report: %v; want %v", query, got.Engine.Model, !witness, witness)
		}
		if query == "?model=off" && w.Body.String() != h.alone(t, log) {
			t.Error("without the classifier the report is another than that of an engine which has none")
		}
	}
}

// alone is what an engine without a classifier says.
func (h *host) alone(t *testing.T, log string) string {
	t.Helper()
	same, err := engine().With(vanguard.Options{Year: h.now.Year()})
	if err != nil {
		t.Fatal(err)
	}
	a := same.Analyzer()
	src := a.Source("log")
	io.WriteString(src, log)
	src.Close()
	var b bytes.Buffer
	if err := render.Write(&b, "json", a.Report(), render.Options{Now: h.now}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSlowSenders: over real connections, whoever sends slowly keeps neither a core nor the places of others, and not for long.
func TestSlowSenders(t *testing.T) {
	h := serve(t, func(c *Config) { c.Scans, c.Now = 1, nil })
	h.srv.scanTime = 3 * time.Second
	ts := httptest.NewServer(h.srv.Handler())
	defer ts.Close()
	log := read(t, "nginx-sqli.log")
	from := func(ip string) *http.Client {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}, Timeout: 30 * time.Second}
	}
	slow := from("127.0.0.2")
	began := time.Now()
	answers := make(chan int)
	for range h.srv.places.most {
		go func() { // a byte now and then, for ever
			r, w := io.Pipe()
			go func() {
				var err error
				for i := 0; err == nil; i++ {
					_, err = io.WriteString(w, log[i%len(log):][:1])
					time.Sleep(20 * time.Millisecond)
				}
			}()
			resp, err := slow.Post(ts.URL+"/api/v1/scan", "text/plain", r)
			r.Close()
			if err != nil {
				answers <- 0
				return
			}
			resp.Body.Close()
			answers <- resp.StatusCode
		}()
	}
	for len(h.srv.scans) < h.srv.places.most {
		time.Sleep(5 * time.Millisecond)
	}
	status := func(c *http.Client) int {
		t.Helper()
		resp, err := c.Post(ts.URL+"/api/v1/scan", "text/plain", strings.NewReader(log))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if got := status(slow); got != 429 {
		t.Errorf("one more log of the slow client: %d, want 429", got)
	}
	if got := status(from("127.0.0.3")); got != 200 || time.Since(began) > h.srv.scanTime {
		t.Errorf("another client: %d after %v, want 200 while the others still send", got, time.Since(began))
	}
	for range h.srv.places.most {
		if got := <-answers; got != 408 && got != 0 {
			t.Errorf("a slow sender: %d, want 408", got)
		}
	}
	if took := time.Since(began); took > h.srv.scanTime+5*time.Second {
		t.Errorf("slow senders were cut off after %v", took)
	}
	if len(h.srv.scans) != 0 || len(h.srv.places.of) != 0 {
		t.Errorf("%d places and %d clients are left behind", len(h.srv.scans), len(h.srv.places.of))
	}
}

// TestSlowReader: whoever does not read its stream holds no turn either.
func TestSlowReader(t *testing.T) {
	h := serve(t, func(c *Config) { c.Scans, c.Now = 1, nil })
	ts := httptest.NewServer(h.srv.Handler())
	defer ts.Close()
	conn, err := net.Dial("tcp", ts.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	var sent atomic.Int64
	var done sync.WaitGroup
	done.Go(func() { // each attacker is a finding, each finding a line that nobody takes
		fmt.Fprintf(conn, "POST /api/v1/scan?output=ndjson HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
		for i := 0; ; i++ {
			text := fmt.Sprintf("10.%d.%d.9 - - [23/Nov/2026:03:10:11 +0000] \"GET /p%d?id=1%%27%%20UNION%%20SELECT%%20a,b%%20FROM%%20users-- HTTP/1.1\" 200 512 \"-\" \"x\"\n", i/250, i%250, i)
			if _, err := fmt.Fprintf(conn, "%x\r\n%s\r\n", len(text), text); err != nil {
				return
			}
			sent.Add(1)
		}
	})
	for before := int64(-1); before < sent.Load(); { // until the server does not take more, because its lines are not taken
		before = sent.Load()
		time.Sleep(500 * time.Millisecond)
	}
	began := time.Now()
	resp, err := ts.Client().Post(ts.URL+"/api/v1/scan", "text/plain", strings.NewReader(read(t, "nginx-sqli.log")))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != 200 || time.Since(began) > 3*time.Second {
		t.Errorf("%d after %v, want 200 while another's stream is not read", resp.StatusCode, time.Since(began))
	}
	conn.Close()
	done.Wait()
}

func TestShares(t *testing.T) {
	h := serve(t, nil)
	open := bytes.Repeat([]byte{7}, tokenSize)
	hash := sha256.Sum256(open)
	body := func(change string) string {
		m := map[string]any{"ciphertext": b64.EncodeToString(make([]byte, 40)), "iv": b64.EncodeToString(make([]byte, ivSize)), "open_hash": b64.EncodeToString(hash[:]), "expires": 3600}
		if change != "" {
			if err := json.Unmarshal([]byte(change), &m); err != nil {
				t.Fatal(err)
			}
		}
		b, _ := json.Marshal(m)
		return string(b)
	}
	put := func(change string) (got struct {
		ID          string `json:"id"`
		DeleteToken string `json:"delete_token"`
		ExpiresAt   string `json:"expires_at"`
	}) {
		t.Helper()
		w := h.ask("POST", "/api/v1/shares", body(change))
		if h.want(w, 201, "delete_token"); json.Unmarshal(w.Body.Bytes(), &got) != nil || len(got.ID) != 22 {
			t.Fatalf("%s", w.Body)
		}
		return got
	}
	token := func(b []byte) string { return fmt.Sprintf(`{"token":%q}`, b64.EncodeToString(b)) }

	keep := put("")
	h.want(h.ask("GET", "/api/v1/shares/"+keep.ID, ""), 200, `"bytes":40,"expires_at":"`+keep.ExpiresAt)
	h.want(h.ask("GET", "/s/"+keep.ID, ""), 200, "open")
	h.want(h.ask("POST", "/api/v1/shares/"+keep.ID+"/open", token(make([]byte, tokenSize))), 403, "wrong token")
	h.want(h.ask("POST", "/api/v1/shares/"+keep.ID+"/open", `{"token":"short"}`), 400, "32 bytes")
	for range 2 {
		h.want(h.ask("POST", "/api/v1/shares/"+keep.ID+"/open", token(open)), 200, b64.EncodeToString(make([]byte, 40)))
	}
	h.want(h.ask("DELETE", "/api/v1/shares/"+keep.ID, ""), 403, "wrong token")
	h.want(h.ask("DELETE", "/api/v1/shares/"+keep.ID, "", "Authorization: Bearer "+keep.DeleteToken), 204, "")
	h.want(h.ask("GET", "/api/v1/shares/"+keep.ID, ""), 404, "no such share")

	// What a link previewer does does not burn a share; opening it does.
	burn := put(`{"burn":true,"kdf":{"name":"PBKDF2-SHA-256","iterations":600000,"salt":"oKGio6SlpqeoqaqrrK2urw"}}`)
	h.want(h.ask("GET", "/s/"+burn.ID, ""), 200, "open")
	h.want(h.ask("HEAD", "/s/"+burn.ID, ""), 200, "")
	h.want(h.ask("GET", "/api/v1/shares/"+burn.ID, ""), 200, `"iterations":600000,"salt":"oKGio6SlpqeoqaqrrK2urw"`)
	h.want(h.ask("GET", "/api/v1/shares/"+burn.ID+"/open", ""), 405, "")
	h.want(h.ask("POST", "/api/v1/shares/"+burn.ID+"/open", token(open)), 200, `"burn":true`)
	h.want(h.ask("POST", "/api/v1/shares/"+burn.ID+"/open", token(open)), 404, "no such share")

	old := put(`{"expires":300}`)
	h.now = h.now.Add(5 * time.Minute)
	h.want(h.ask("GET", "/api/v1/shares/"+old.ID, ""), 404, "no such share")

	for change, why := range map[string]string{
		`{"ciphertext":"AAAA"}`:  "ciphertext",
		`{"ciphertext":"a b"}`:   "ciphertext",
		`{"iv":"AAAA"}`:          "iv",
		`{"open_hash":"AAAA"}`:   "open_hash",
		`{"expires":299}`:        "expires",
		`{"expires":2592001}`:    "expires",
		`{"expires":1e99}`:       "number",
		`{"key":"AAAA"}`:         "unknown field",
		`{"kdf":{"name":"md5"}}`: "kdf",
		`{"kdf":{"name":"PBKDF2-SHA-256","iterations":1,"salt":"oKGio6SlpqeoqaqrrK2urw"}}`:         "kdf",
		`{"kdf":{"name":"PBKDF2-SHA-256","iterations":99000000,"salt":"oKGio6SlpqeoqaqrrK2urw"}}`:  "kdf",
		`{"kdf":{"name":"PBKDF2-SHA-256","iterations":600000,"salt":"<script>alert(1)</script>"}}`: "kdf",
		`{"kdf":{"name":"PBKDF2-SHA-256","iterations":600000,"salt":"AAAA","key":"in the clear"}}`: "unknown field",
	} {
		h.want(h.ask("POST", "/api/v1/shares", body(change)), 400, why)
	}
	h.want(h.ask("POST", "/api/v1/shares", body(fmt.Sprintf(`{"ciphertext":%q}`, b64.EncodeToString(make([]byte, maxCiphertext))))), 201, "id")
	h.want(h.ask("POST", "/api/v1/shares", body(fmt.Sprintf(`{"ciphertext":%q}`, b64.EncodeToString(make([]byte, maxCiphertext+1))))), 413, "4 MiB")
	h.want(h.ask("POST", "/api/v1/shares", strings.Repeat("[", maxShareBody+1)), 400, "")
	h.want(h.ask("POST", "/api/v1/shares", body("")+" \n"), 201, "id")
	h.want(h.ask("POST", "/api/v1/shares", body("")+"{}"), 400, "something follows")
	h.want(h.ask("POST", "/api/v1/shares", body("")+" garbage"), 400, "")
	h.want(h.ask("POST", "/api/v1/shares", body("")+strings.Repeat(" ", maxShareBody)), 413, "too large")
	h.want(h.ask("POST", "/api/v1/shares", `{"ciphertext":"`+strings.Repeat("A", maxShareBody)), 413, "too large")
	small := serve(t, func(c *Config) {
		db, err := store.Open("", 39)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		c.Shares = db
	})
	h.want(small.ask("POST", "/api/v1/shares", body("")), 507, "no room")
	h.want(serve(t, func(c *Config) { c.Shares = nil }).ask("POST", "/api/v1/shares", body("")), 404, "nothing")
}

func TestLimits(t *testing.T) {
	h := serve(t, func(c *Config) { c.TrustProxy = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	tries := func(headers ...string) (n int) {
		for ; n < 100; n++ {
			if h.askNow("POST", "/api/v1/shares/none/open", "{}", headers...).Code == 429 {
				return n
			}
		}
		return n
	}
	f := func(want int, headers ...string) {
		t.Helper()
		if got := tries(headers...); got != want {
			t.Errorf("%v: %d requests before the limit, want %d", headers, got, want)
		}
	}
	f(20, "From: 192.0.2.1:1")
	f(0, "From: 192.0.2.1:2", "X-Forwarded-For: 192.0.2.99") // not a proxy: it may not speak for others
	f(20, "From: 192.0.2.2:1")
	f(20, "From: 127.0.0.1:1", "X-Forwarded-For: 192.0.2.99, 192.0.2.3")
	f(0, "From: 127.0.0.1:1", "X-Forwarded-For: 192.0.2.98, 192.0.2.3") // what the client itself wrote does not count
	f(20, "From: [2001:db8::1]:1")
	f(0, "From: [2001:db8::2]:1") // the same /64
	h.now = h.now.Add(time.Minute)
	f(20, "From: 192.0.2.1:1")

	l := newLimiter(perMinute(1, 1))
	for i := range 3 * maxClients {
		l.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), h.now)
	}
	if len(l.of) > maxClients {
		t.Errorf("%d clients remembered", len(l.of))
	}
}

func TestMetrics(t *testing.T) {
	h := serve(t, func(c *Config) { c.Metrics = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	h.ask("POST", "/api/v1/scan", read(t, "nginx-sqli.log"))
	w := h.ask("GET", "/metrics", "")
	for _, text := range []string{`vanguard_http_requests_total{code="200",route="POST /api/v1/scan"} 1`, "vanguard_scan_verdicts_total{verdict=", "vanguard_shares 0", "go_goroutines", "vanguard_http_request_seconds_count"} {
		h.want(w, 200, text)
	}
	h.want(h.ask("GET", "/metrics", "", "From: 192.0.2.7:1"), 200, "vanguard_scans")
	h.want(h.ask("GET", "/metrics", "", "From: 198.51.100.7:1"), 403, "--metrics-from")
	for _, passedOn := range []string{"X-Forwarded-For: 198.51.100.7", "Forwarded: for=198.51.100.7", "X-Real-IP: 198.51.100.7"} {
		h.want(h.ask("GET", "/metrics", "", passedOn), 403, "--metrics-from")
	}
	h.want(h.ask("GET", "/healthz", ""), 200, vanguard.Version)
}

// TestOpenAPI: the description lists the API's routes, and no others; and each status that a test here saw is described.
func TestOpenAPI(t *testing.T) {
	h := serve(t, nil)
	var doc struct {
		Paths map[string]map[string]yaml.Node
	}
	if err := yaml.Unmarshal(h.ask("GET", "/api/v1/openapi.yaml", "").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var described, served []string
	var parameters []string
	for path, operations := range doc.Paths {
		for method, op := range operations {
			if method == "parameters" {
				continue
			}
			described = append(described, strings.ToUpper(method)+" "+path)
			var o struct {
				Parameters []struct{ Name string }
			}
			if err := op.Decode(&o); err != nil {
				t.Error(err)
			}
			for _, p := range o.Parameters {
				parameters = append(parameters, p.Name)
			}
		}
	}
	pages := serve(t, func(c *Config) { c.Shares, c.Scan = nil, false }).srv.files.routes()
	for _, r := range h.srv.routes() {
		page := slices.ContainsFunc(pages, func(p route) bool { return p.pattern == r.pattern })
		if !page && r.pattern != "GET /s/{id}" {
			served = append(served, r.pattern)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described %q\nserved    %q", described, served)
	}
	known := append(slices.Collect(maps.Keys(scanSettings)), "name", "output")
	slices.Sort(known)
	slices.Sort(parameters)
	if !slices.Equal(known, parameters) {
		t.Errorf("parameters described %q\nunderstood %q", parameters, known)
	}
}
