package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/server"
	"github.com/helixvanguard/vanguard/store"
)

// TestShareExample works the example of docs/share.md: what is written there is what this program does.
func TestShareExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/share.md")
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string, col int) []byte {
		t.Helper()
		m := regexp.MustCompile(`(?m)^    ` + name + ` +([0-9a-f]{24,})(?: +([0-9a-f]{24,}))?`).FindSubmatch(doc)
		if m == nil {
			t.Fatalf("docs/share.md has no value %s", name)
		}
		b, err := hex.DecodeString(string(m[col]))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for col, k := range map[int]*shareKDF{1: nil, 2: {"PBKDF2-SHA-256", 600000, base64.RawURLEncoding.EncodeToString(value("salt", 1))}} {
		content, open, err := shareKeys(value("K", 1), "correct horse", k)
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256(open)
		gcm, err := shareCipher(content)
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string][]byte{
			"content": content, "open": open, "open_hash": hash[:],
			`"hello"`: gcm.Seal(nil, value("iv", 1), []byte("hello"), []byte(shareLabel)),
		} {
			if want := value(name, col); !bytes.Equal(got, want) {
				t.Errorf("column %d: %s is %x, docs/share.md has %x", col, name, got, want)
			}
		}
	}
	// The same letters in other code points are the same password.
	k := &shareKDF{"PBKDF2-SHA-256", 1, ""}
	composed, _, _ := shareKeys(value("K", 1), "caf\u00e9", k)
	decomposed, _, _ := shareKeys(value("K", 1), "cafe\u0301", k)
	if !bytes.Equal(composed, decomposed) {
		t.Error("a password depends on how its letters are composed")
	}
}

// keep shares a report as a browser does, and returns its link.
func keep(t *testing.T, base string, plain any, password string, burn bool) string {
	t.Helper()
	text, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(text)
	z.Close()
	key, iv := bytes.Repeat([]byte{42}, 32), bytes.Repeat([]byte{43}, 12)
	ask := map[string]any{"expires": 3600, "burn": burn, "iv": base64.RawURLEncoding.EncodeToString(iv)}
	var k *shareKDF
	if password != "" {
		k = &shareKDF{"PBKDF2-SHA-256", 100_000, "oKGio6SlpqeoqaqrrK2urw"}
		ask["kdf"] = k
	}
	content, open, err := shareKeys(key, password, k)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(open)
	gcm, err := shareCipher(content)
	if err != nil {
		t.Fatal(err)
	}
	ask["open_hash"] = base64.RawURLEncoding.EncodeToString(hash[:])
	ask["ciphertext"] = base64.RawURLEncoding.EncodeToString(gcm.Seal(nil, iv, packed.Bytes(), []byte(shareLabel)))
	body, _ := json.Marshal(ask)
	req := httptest.NewRequest("POST", "/api/v1/shares", bytes.NewReader(body))
	w := httptest.NewRecorder()
	shareHost.Handler().ServeHTTP(w, req)
	var got struct{ ID string }
	if w.Code != 201 || json.Unmarshal(w.Body.Bytes(), &got) != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return base + "/s/" + got.ID + "#" + base64.RawURLEncoding.EncodeToString(key)
}

var shareHost *server.Server

func TestOpen(t *testing.T) {
	db, err := store.Open("", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	engine, err := vanguard.NewEngine(vanguard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if shareHost, err = server.New(server.Config{Engine: engine, Log: slog.New(slog.DiscardHandler), Shares: db}); err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(shareHost.Handler())
	defer ts.Close()
	a := engine.Analyzer()
	src := a.Source("access.log")
	line := `203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "GET /p?id=1%20UNION%20SELECT%201,2 HTTP/1.1" 200 512 "-" "evil` + "\x1b[31m" + `"`
	fmt.Fprintln(src, line)
	src.Close()
	content := shared{Schema: "vanguard.share/1", Report: a.Report(), Logs: []sharedLog{{Name: "../../etc/ä cc\x1b.log", Text: line}}}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("correct horse\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(code int, out, errs string, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if got := run(append([]string{"open"}, args...), &stdout, &stderr); got != code || !strings.Contains(stdout.String(), out) || !strings.Contains(stderr.String(), errs) {
			t.Errorf("open %q: exit %d\n%s%s\nwant %d, %q, %q", args, got, stdout.String(), stderr.String(), code, out, errs)
		}
		if strings.Contains(stdout.String()+stderr.String(), "\x1b[31m") {
			t.Errorf("open %q: an escape reached the terminal", args)
		}
		return stdout.String()
	}
	link := keep(t, ts.URL, content, "", false)
	f(0, "SQL injection", "--save-logs", link)
	var again vanguard.Report
	if err := json.Unmarshal([]byte(f(0, "", "", "-o", "json", link)), &again); err != nil || again.Engine != content.Report.Engine {
		t.Errorf("the report came back as another: %v", err)
	}
	f(2, "", "--output", "-o", "poem", link)
	dir := filepath.Join(t.TempDir(), "logs")
	f(0, "", "", "--save-logs", dir, link)
	names, _ := filepath.Glob(dir + "/*")
	if len(names) != 1 || filepath.Base(names[0]) != "01-cc_.log" && filepath.Base(names[0]) != "01-_cc_.log" {
		t.Errorf("logs %q", names)
	}
	f(1, "", "exists", "--save-logs", dir, link)

	burn := keep(t, ts.URL, content, "correct horse", true)
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("battery staple"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(1, "", "nothing was burnt", "--password-file", wrong, burn)
	f(0, "SQL injection", "was deleted from the server", "--password-file", password, burn)
	f(1, "", "no such share", "--password-file", password, burn)

	f(1, "", "key does not fit", link[:len(link)-3]+"abc")
	f(2, "", "not whole", link[:len(link)-3])
	f(2, "", "has no key", strings.Split(link, "#")[0])
	f(2, "", "no address", "access.log")
	f(2, "", "not /s/ID", ts.URL+"/x#"+strings.Split(link, "#")[1])
	f(1, "", "does not know", keep(t, ts.URL, map[string]any{"schema": "vanguard.share/9", "report": content.Report}, "", false))
}

// TestOpenHostileServer: whatever the link's server answers, nothing of it acts on the terminal.
func TestOpenHostileServer(t *testing.T) {
	evil := "\x1b[31m\x1b]0;title\x07\u202e"
	for name, answer := range map[string]string{
		"418 I'm a teapot": "HTTP/1.1 418 " + evil + "\r\nContent-Length: 0\r\n\r\n",
		"answers 500":      "HTTP/1.1 500 x\r\n\r\n{\"error\": " + strconv.Quote(evil) + "}",
		"does not answer":  "HTTP/1.1 200 OK\r\n\r\n" + evil,
		"answers 302":      "HTTP/1.1 302 " + evil + "\r\nLocation: http://192.0.2.1/\r\n\r\n",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				http.ReadRequest(bufio.NewReader(c))
				io.WriteString(c, answer)
				c.Close()
			}
		}()
		var stdout, stderr bytes.Buffer
		code := run([]string{"open", "http://" + l.Addr().String() + "/s/x#" + strings.Repeat("A", 43)}, &stdout, &stderr)
		l.Close()
		said := stdout.String() + stderr.String()
		if code != 1 || !strings.Contains(said, name) || strings.ContainsAny(said, "\x1b\x07\u202e") {
			t.Errorf("%s: exit %d: %q", name, code, said)
		}
	}
}
