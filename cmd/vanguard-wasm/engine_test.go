//go:build !js

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/render"
)

// cases widens TestSameReports: go test ./cmd/vanguard-wasm -cases 'DIR/*.jsonl'
var cases = flag.String("cases", "", "also compare the reports on 200 labelled cases from these files, spread evenly")

// engine is the WebAssembly engine under Node, driven by testdata/drive.mjs.
type engine struct {
	t   *testing.T
	in  *json.Encoder
	out *bufio.Reader
}

func startEngine(t *testing.T) *engine {
	for _, file := range []string{"main_js.go", "engine.js", "warmup.log", "testdata/drive.mjs"} {
		if _, err := os.ReadFile(file); err != nil { // go test repeats a cached result unless a file that it saw read has changed
			t.Fatal(err)
		}
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed; it runs the engine")
	}
	wasm := filepath.Join(t.TempDir(), "vanguard.wasm")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", wasm, ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "testdata/drive.mjs", filepath.Join(strings.TrimSpace(string(root)), "lib/wasm/wasm_exec.js"), wasm)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	return &engine{t, json.NewEncoder(stdin), bufio.NewReader(stdout)}
}

// answer is what the engine says next.
type answer struct {
	Version, Rules string
	Global         bool
	Reports        map[string]string
	Partial, After string
	Text           string
	Error          string
	Thrown         bool
}

func (e *engine) next() (a answer) {
	e.t.Helper()
	line, err := e.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		e.t.Fatalf("the engine ended: %v", err)
	}
	return a
}

func (e *engine) ask(q map[string]any) answer {
	e.t.Helper()
	if err := e.in.Encode(q); err != nil {
		e.t.Fatal(err)
	}
	return e.next()
}

// TestSameReports: on the same logs, cut anywhere, the engine in JavaScript says what the command line says, to the byte.
func TestSameReports(t *testing.T) {
	wasm := startEngine(t)
	model, err := neural.Load(models.Weights)
	if err != nil {
		t.Fatal(err)
	}
	native, err := vanguard.NewEngine(vanguard.Options{Model: model})
	if err != nil {
		t.Fatal(err)
	}
	if hello := wasm.next(); hello.Version != vanguard.Version || hello.Rules != native.Rules().Hash() || !hello.Global {
		t.Fatalf("engine says %+v", hello)
	}
	logs, err := filepath.Glob("../../testdata/logs/*")
	if err != nil || len(logs) < 10 {
		t.Fatalf("%d logs: %v", len(logs), err)
	}
	formats := []string{"json", "jsonl", "text", "md", "html", "csv"}
	compare := func(s vanguard.Settings, files []string, piece int) {
		t.Helper()
		s.Year = 2026
		opt, err := s.Options()
		if err != nil {
			t.Fatal(err)
		}
		engine, err := native.With(opt)
		if err != nil {
			t.Fatal(err)
		}
		a := engine.Analyzer()
		var named []map[string]string
		var logs []vanguard.Log
		for _, file := range files {
			logs = append(logs, vanguard.Log{Name: filepath.Base(file)})
			named = append(named, map[string]string{"name": filepath.Base(file), "file": file})
		}
		a.Read(logs, func(i int, w *vanguard.Source) {
			text, err := os.ReadFile(files[i])
			if err != nil {
				t.Error(err)
			}
			w.Write(text)
		})
		settings, _ := json.Marshal(s)
		got := wasm.ask(map[string]any{"settings": string(settings), "logs": named, "piece": piece, "formats": formats})
		if got.Error != "" {
			t.Fatalf("%v: %s", files, got.Error)
		}
		for _, format := range formats {
			var want bytes.Buffer
			opt := render.Options{Now: time.Now()}
			if format == "text" {
				opt.Top = render.TextTop
			}
			if err := render.Write(&want, format, a.Report(), opt); err != nil {
				t.Fatal(err)
			}
			if got.Reports[format] != want.String() {
				t.Errorf("%v as %s: the two engines differ", files, format)
			}
		}
		var partial vanguard.Report
		if err := json.Unmarshal([]byte(got.Partial), &partial); err != nil || partial.Schema == "" {
			t.Errorf("%v: partial report %q: %v", files, got.Partial, err)
		}
		if got.After == "" {
			t.Errorf("%v: a cancelled analysis still reports", files)
		}
	}
	for _, log := range logs {
		compare(vanguard.Settings{}, []string{log}, 997)
	}
	compare(vanguard.Settings{}, logs, 1<<20)
	compare(vanguard.Settings{}, logs, 40_000)
	compare(vanguard.Settings{Allow: []string{"203.0.113.0/24"}, TZ: "+02:00", Since: "2026-11-23", Top: 1, TrustProxy: []string{"198.51.100.7"}}, logs, 1<<16)

	for _, file := range sampleCases(t, 200) {
		compare(vanguard.Settings{}, []string{file}, 501)
	}

	// A packed log reads as its text; one that is damaged, or none, says so.
	zipped, broken, foreign := filepath.Join(t.TempDir(), "mixed.log"), filepath.Join(t.TempDir(), "mixed.log"), filepath.Join(t.TempDir(), "mixed.log")
	text, err := os.ReadFile("../../testdata/logs/mixed.log")
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(text[:len(text)/2])
	z.Close()
	z = gzip.NewWriter(&packed) // a second member, as when rotated logs are joined
	z.Write(text[len(text)/2:])
	z.Close()
	for file, content := range map[string][]byte{zipped: packed.Bytes(), broken: packed.Bytes()[:packed.Len()/2], foreign: append([]byte("PK\x03\x04"), packed.Bytes()...)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(file string) string {
		return wasm.ask(map[string]any{"settings": `{"year": 2026}`, "logs": []map[string]string{{"name": "mixed.log", "file": file}}, "piece": 700, "formats": []string{"json"}}).Reports["json"]
	}
	if got := read(zipped); got == "" || got != read("../../testdata/logs/mixed.log") {
		t.Error("a packed log is judged otherwise than its text")
	}
	if got := read(broken); !strings.Contains(got, "it is cut off") || strings.Contains(got, `"lines": 0,`) {
		t.Errorf("a cut-off log:\n%s", got)
	}
	if got := read(foreign); !strings.Contains(got, "mixed.log: is a zip archive") {
		t.Errorf("a zip archive:\n%s", got)
	}

	var explained []vanguard.Explanation
	if got := wasm.ask(map[string]any{"explain": "GET /../../etc/passwd", "format": "json"}); json.Unmarshal([]byte(got.Text), &explained) != nil || len(explained) != 1 {
		t.Errorf("explain: %+v", got)
	}
	for settings, want := range map[string]string{
		`{"colour": "red"}`:           "unknown field",
		`{"since": "yesterday"}`:      `since "yesterday"`,
		`{"allow": ["192.0.2.0/99"]}`: "192.0.2.0/99",
		`{`:                           "settings",
	} {
		got := wasm.ask(map[string]any{"settings": settings, "logs": []string{}, "formats": []string{}})
		if !got.Thrown || !strings.Contains(got.Error, want) {
			t.Errorf("settings %s: %+v, want an error with %q", settings, got, want)
		}
	}
	if got := wasm.ask(map[string]any{"logs": []string{}, "formats": []string{"poem"}}); !strings.Contains(got.Error, "poem") {
		t.Errorf("unknown format: %+v", got)
	}
}

// sampleCases writes up to n of the cases that the flag names to files of their own, as many from each file of cases.
func sampleCases(t *testing.T, n int) (logs []string) {
	if *cases == "" {
		return nil
	}
	files, err := filepath.Glob(*cases)
	if err != nil || len(files) == 0 {
		t.Fatalf("-cases %s: no files: %v", *cases, err)
	}
	dir := t.TempDir()
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all := bytes.Split(bytes.TrimSpace(text), []byte{'\n'})
		want := n*(i+1)/len(files) - len(logs) // what small files lack, the next ones make up
		want = min(want, len(all))
		for k := range want {
			var c struct{ Lines []string }
			if err := json.Unmarshal(all[k*len(all)/want], &c); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			log := filepath.Join(dir, fmt.Sprintf("case-%d.log", len(logs)))
			if err := os.WriteFile(log, []byte(strings.Join(c.Lines, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			logs = append(logs, log)
		}
	}
	t.Logf("%d cases from %d files", len(logs), len(files))
	return logs
}
