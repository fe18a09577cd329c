package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vanguard": main})
}

// TestScript runs the sessions of testdata/script, which read as documentation of the
// command. $LOGS is testdata/logs. Besides testscript's own commands they have
//
//	exits CODE vanguard ...     runs a command that must exit with CODE
//	gzip, zstd FILE             make FILE.gz, FILE.zst
//	unbase64 FROM TO            decodes a file
//	utf16 FROM TO               rewrites text as UTF-16 with a byte order mark
//	cut FILE N                  keeps the first N bytes of a file
//	damage FILE N               overwrites eight bytes at N
//	join TO FROM...             concatenates files
//	zeros FILE N                writes N zero bytes
//	modified FILE DATE          sets when a file was last changed
func TestScript(t *testing.T) {
	logs, err := filepath.Abs("../../testdata/logs")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LOGS", logs)
			e.Setenv("TZ", "UTC")
			return writeGeo(e.WorkDir)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": func(ts *testscript.TestScript, neg bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				got := 0
				var exit *exec.ExitError
				if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
					got = exit.ExitCode()
				} else if err != nil {
					ts.Fatalf("%v", err)
				}
				if got != want {
					ts.Fatalf("exit status %d, want %d", got, want)
				}
			},
			"gzip": func(ts *testscript.TestScript, neg bool, args []string) {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				z.Write([]byte(ts.ReadFile(args[0])))
				ts.Check(z.Close())
				ts.Check(os.WriteFile(ts.MkAbs(args[0]+".gz"), b.Bytes(), 0o666))
			},
			"zstd": func(ts *testscript.TestScript, neg bool, args []string) {
				var b bytes.Buffer
				z, err := zstd.NewWriter(&b)
				ts.Check(err)
				z.Write([]byte(ts.ReadFile(args[0])))
				ts.Check(z.Close())
				ts.Check(os.WriteFile(ts.MkAbs(args[0]+".zst"), b.Bytes(), 0o666))
			},
			"unbase64": func(ts *testscript.TestScript, neg bool, args []string) {
				raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace([]byte(ts.ReadFile(args[0])))))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), raw, 0o666))
			},
			"utf16": func(ts *testscript.TestScript, neg bool, args []string) {
				out := []byte{0xff, 0xfe}
				for _, u := range utf16.Encode([]rune(ts.ReadFile(args[0]))) {
					out = append(out, byte(u), byte(u>>8))
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o666))
			},
			"cut": func(ts *testscript.TestScript, neg bool, args []string) {
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				ts.Check(os.Truncate(ts.MkAbs(args[0]), int64(n)))
			},
			"damage": func(ts *testscript.TestScript, neg bool, args []string) {
				n, err := strconv.ParseInt(args[1], 10, 64)
				ts.Check(err)
				f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
				ts.Check(err)
				_, err = f.WriteAt([]byte("damaged!"), n)
				ts.Check(errors.Join(err, f.Close()))
			},
			"join": func(ts *testscript.TestScript, neg bool, args []string) {
				var out []byte
				for _, from := range args[1:] {
					out = append(out, ts.ReadFile(from)...)
				}
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), out, 0o666))
			},
			"zeros": func(ts *testscript.TestScript, neg bool, args []string) {
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), make([]byte, n), 0o666))
			},
			"modified": func(ts *testscript.TestScript, neg bool, args []string) {
				at, err := time.Parse(time.DateOnly, args[1])
				ts.Check(err)
				ts.Check(os.Chtimes(ts.MkAbs(args[0]), at, at))
			},
		},
	})
}

func TestTimeOrder(t *testing.T) {
	f := func(given []string, want ...string) {
		t.Helper()
		var in []input
		for _, g := range given {
			in = append(in, input{path: g})
		}
		inTimeOrder(in)
		var got []string
		for _, i := range in {
			got = append(got, i.path)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v\n got %v\nwant %v", given, got, want)
		}
	}
	f([]string{"access.log", "access.log.1", "access.log.10.gz", "access.log.2.gz"}, "access.log.10.gz", "access.log.2.gz", "access.log.1", "access.log")
	f([]string{"/v/access.log", "/v/access.log-20261122", "/v/access.log-20261101.gz", "/v/error.log", "/v/access.log.1"},
		"/v/access.log-20261101.gz", "/v/access.log-20261122", "/v/access.log.1", "/v/access.log", "/v/error.log")
	f([]string{"app-2026-11-02.log", "app-2026-11-01.2.log.gz", "app-2026-11-01.1.log.gz", "app.log"}, "app-2026-11-01.1.log.gz", "app-2026-11-01.2.log.gz", "app-2026-11-02.log", "app.log")
	f([]string{"b.log", "a.log"}, "b.log", "a.log")
	f([]string{"access.log.1764115200", "access.log.1764028800"}, "access.log.1764028800", "access.log.1764115200")
	f([]string{"111122223333_CloudTrail_us-east-1_20261123T0310Z_aB1c.json.gz", "111122223333_CloudTrail_us-east-1_20261123T0305Z_zZ9.json.gz"},
		"111122223333_CloudTrail_us-east-1_20261123T0305Z_zZ9.json.gz", "111122223333_CloudTrail_us-east-1_20261123T0310Z_aB1c.json.gz")
	f([]string{"one/access.log", "two/access.log.1", "one/access.log.1"}, "one/access.log.1", "one/access.log", "two/access.log.1")
}

func TestParseAgo(t *testing.T) {
	f := func(in string, want time.Duration, ok bool) {
		t.Helper()
		if got, gotOK := parseAgo(in); got != want || gotOK != ok {
			t.Errorf("parseAgo(%q) = %v, %v", in, got, gotOK)
		}
	}
	f("90m", 90*time.Minute, true)
	f("1d12h", 36*time.Hour, true)
	f("2w", 14*24*time.Hour, true)
	f("45s", 45*time.Second, true)
	f("", 0, false)
	f("m", 0, false)
	f("12", 0, false)
	f("1h30", 0, false)
	f("2026-11-23", 0, false)
	f("99999999999999999999d", 0, false)
	f("999999999w", 0, false)
}

func TestByteCount(t *testing.T) {
	f := func(in string, want int64) {
		t.Helper()
		var b byteCount
		if err := b.UnmarshalText([]byte(in)); int64(b) != want || (err == nil) != (want > 0) {
			t.Errorf("%q = %d, %v, want %d", in, b, err, want)
		}
	}
	f("64GiB", 64<<30)
	f("500MB", 500e6)
	f("10 k", 10<<10)
	f("7", 7)
	f("", 0)
	f("-1", 0)
	f("1.5GB", 0)
	f("9999999TiB", 0)
	f("lots", 0)
}

func TestProgressLine(t *testing.T) {
	f := func(done, total int64, took time.Duration, log string, width int, want string) {
		t.Helper()
		if got := progressLine(done, total, took, log, width); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	f(25e6, 100e6, time.Second, "access.log", 100, "━━━━━━··················  25%  25 MB/s  3s left  access.log")
	f(25e6, 0, time.Second, "stdin", 100, "25 MB read  25 MB/s  stdin")
	f(25e6, 0, time.Second, "a\x1b[2Jvery-long-name.log", 40, `25 MB read  25 MB/s  a\x1b[2Jvery-long-…`)
}

// TestInterrupt: Ctrl-C while a pipe is still open prints what was found so far.
func TestInterrupt(t *testing.T) {
	log, err := os.ReadFile("../../testdata/logs/nginx-sqli.log")
	if err != nil {
		t.Fatal(err)
	}
	attack := log[bytes.Index(log, []byte("198.51.100.77 - - [23/Nov/2026:03:09:08")):]
	attack = attack[:bytes.IndexByte(attack, '\n')+1]
	t.Run("many lines", func(t *testing.T) { interrupt(t, log, 6, 100*time.Millisecond) })
	t.Run("one line", func(t *testing.T) { interrupt(t, attack, 1, 2*time.Second) })
}

// TestInterruptNamedPipe: Ctrl-C ends the wait for somebody to write.
func TestInterruptNamedPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := &exec.Cmd{Path: exe, Args: []string{"vanguard", "scan", pipe}, Stdout: &out, Stderr: os.Stderr}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	patience := time.After(30 * time.Second)
	for {
		select {
		case <-ended:
			if code := cmd.ProcessState.ExitCode(); code >= 0 && (code != exitError || !strings.Contains(out.String(), "interrupted: the rest was not read")) {
				t.Errorf("exit status %d, %s", code, out.String())
			}
			return
		case <-patience:
			cmd.Process.Kill()
			t.Fatal("still waiting")
		case <-time.After(2 * time.Second): // Only the first interrupt must do; it is repeated in case it came before the handler.
			cmd.Process.Signal(os.Interrupt)
		}
	}
}

func interrupt(t *testing.T, log []byte, copies int, wait time.Duration) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent an interrupt there")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := &exec.Cmd{Path: exe, Args: []string{"vanguard", "scan", "-"}, Stdout: &out, Stderr: os.Stderr}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// More than a pipe holds: once it is all written, the program is reading.
	for range copies {
		if _, err := in.Write(log); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(wait)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	in.Close()
	for _, want := range []string{"UNDER ATTACK", "198.51.100.77", "interrupted: the rest was not read"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
	if code := cmd.ProcessState.ExitCode(); code != exitAttacked {
		t.Errorf("exit status %d", code)
	}
}
