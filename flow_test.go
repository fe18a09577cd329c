package vanguard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// mixedLog is a day in the life of a small server: three formats, normal use, noise, a brute force that ends in a log-in, and
// an injection. The same seed gives the same bytes.
func mixedLog(lines int) []byte {
	r := rand.New(rand.NewPCG(3, 10))
	var b bytes.Buffer
	paths := []string{"/", "/about", "/v1/users/%d", "/static/app.%d.js", "/search?q=select+from+a+list+%d", "/blog/2024/11/post-%d", "/favicon.ico"}
	for i := range lines {
		h, m, s := i/3600%24, i/60%60, i%60
		ip := fmt.Sprintf("198.51.100.%d", r.IntN(200)+1)
		switch k := r.IntN(100); {
		case k < 70:
			p := paths[r.IntN(len(paths))]
			if strings.Contains(p, "%d") {
				p = fmt.Sprintf(p, r.IntN(1000))
			}
			fmt.Fprintf(&b, "%s - - [23/Nov/2026:%02d:%02d:%02d +0000] \"GET %s HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n", ip, h, m, s, p, 500+r.IntN(9000))
		case k < 80:
			fmt.Fprintf(&b, "{\"time\":\"2026-11-23T%02d:%02d:%02dZ\",\"level\":\"info\",\"msg\":\"order stored\",\"ip\":%q,\"order\":%d}\n", h, m, s, ip, i)
		case k < 88:
			fmt.Fprintf(&b, "Nov 23 %02d:%02d:%02d web sshd[%d]: Failed password for invalid user admin from 203.0.113.9 port %d ssh2\n", h, m, s, 1000+i, 20000+r.IntN(9999))
		case k < 92:
			fmt.Fprintf(&b, "203.0.113.77 - - [23/Nov/2026:%02d:%02d:%02d +0000] \"GET /item?id=%d%%27%%20UNION%%20SELECT%%20user,pass%%20FROM%%20users--%%20 HTTP/1.1\" 500 170 \"-\" \"curl/8.5.0\"\n", h, m, s, i)
		case k < 94:
			fmt.Fprintf(&b, "203.0.113.50 - - [23/Nov/2026:%02d:%02d:%02d +0000] \"GET /.env HTTP/1.1\" 404 153 \"-\" \"-\"\n", h, m, s)
		case k < 97:
			fmt.Fprintf(&b, "2026-11-23 %02d:%02d:%02d ERROR payment failed\n    at charge (/srv/app/pay.js:17:3)\n    at run (/srv/app/run.js:9:1)\n", h, m, s)
		case k < 98:
			b.WriteString("a line that nobody knows how to read\n")
		case k < 99:
			b.WriteString("\n")
		default:
			fmt.Fprintf(&b, "\x1b[31mbroken \xff\xfe bytes %d\x00\r\n", i)
		}
	}
	b.WriteString("Nov 23 23:59:59 web sshd[999]: Accepted password for admin from 203.0.113.9 port 50000 ssh2\n")
	return b.Bytes()
}

// reportOf is everything that a reader could see of one analysis.
func reportOf(t *testing.T, opt Options, write func(src *Source)) string {
	t.Helper()
	if opt.Year == 0 {
		opt.Year = 2026
	}
	a, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	src := a.Source("mixed.log")
	write(src)
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(a.Report(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func sameReport(t *testing.T, what, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			t.Fatalf("%s: line %d of the report differs:\nwant %s\ngot  %s", what, i, w[i], strings.Join(g[min(i, len(g)-1):min(i+1, len(g))], ""))
		}
	}
	t.Fatalf("%s: the report has %d lines more", what, len(g)-len(w))
}

func TestChunkedEqualsWhole(t *testing.T) {
	log := mixedLog(3000)
	want := reportOf(t, Options{Workers: 1}, func(s *Source) { s.Write(log) })
	if !strings.Contains(want, `"sql-injection"`) || !strings.Contains(want, `"ssh-brute-force"`) {
		t.Fatalf("the log's attacks were not found:\n%.2000s", want)
	}
	r := rand.New(rand.NewPCG(7, 7))
	for _, size := range []int{1, 7, 300, 5000, 100_000} {
		got := reportOf(t, Options{Workers: 1}, func(s *Source) {
			for rest := log; len(rest) > 0; {
				n := min(1+r.IntN(size), len(rest))
				s.Write(rest[:n])
				rest = rest[n:]
			}
		})
		sameReport(t, fmt.Sprintf("pieces of up to %d bytes", size), want, got)
	}
	got := reportOf(t, Options{Workers: 1}, func(s *Source) { io.Copy(s, iotestReader{bytes.NewReader(log)}) })
	sameReport(t, "ReadFrom", want, got)
}

// iotestReader returns a third of what is asked for.
type iotestReader struct{ r io.Reader }

func (r iotestReader) Read(p []byte) (int, error) { return r.r.Read(p[:(len(p)+2)/3]) }

func TestParallelEqualsSerial(t *testing.T) {
	log := mixedLog(20_000)
	want := reportOf(t, Options{Workers: 1}, func(s *Source) { s.Write(log) })
	for _, n := range []int{2, 3, 8} {
		got := reportOf(t, Options{Workers: n}, func(s *Source) { s.Write(log) })
		sameReport(t, fmt.Sprint(n, " workers"), want, got)
	}
}

// What was told while it went on is what a replay tells: the last update of every finding agrees with the report.
func TestLiveEqualsReplay(t *testing.T) {
	log := mixedLog(2000)
	updates := func(feed func(s *Source)) []string {
		var got []string
		reportOf(t, Options{Workers: 1, OnUpdate: func(f Finding) { got = append(got, f.Threat+" "+f.Actor.Value+" "+f.Outcome+" "+f.Severity) }}, feed)
		return got
	}
	replay := updates(func(s *Source) { s.Write(log) })
	live := updates(func(s *Source) {
		for _, line := range bytes.SplitAfter(log, []byte("\n")) {
			s.Write(line)
			s.Flush()
		}
	})
	// Flushing after every line ends multi-line records early, which never changes what is told of the attacks here.
	if fmt.Sprint(replay) != fmt.Sprint(live) || len(replay) == 0 {
		t.Errorf("replay told\n%q\nlive told\n%q", replay, live)
	}
}

func TestAnalyzerIsFreshEachTime(t *testing.T) {
	e, err := NewEngine(Options{Workers: 1, Year: 2026})
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for i := range 3 {
		a := e.Analyzer()
		s := a.Source("x")
		s.Write(mixedLog(500))
		s.Close()
		r := a.Report()
		if i == 0 {
			first = r.Engine.Report
		} else if r.Engine.Report != first {
			t.Fatalf("run %d gives report %s, the first gave %s", i, r.Engine.Report, first)
		}
	}
}

// A benign line allocates nothing once the memory is warm.
func TestBenignLineAllocatesNothing(t *testing.T) {
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	a := e.Analyzer()
	var block bytes.Buffer
	for i := range 500 {
		fmt.Fprintf(&block, "198.51.100.%d - - [23/Nov/2026:10:00:%02d +0000] \"GET /shop/item-%d?ref=mail%%20shot&x=1 HTTP/1.1\" 200 %d \"https://www.example.com/shop\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\"\n", i%250, i%60, i%50, 1000+i)
	}
	s := a.Source("access.log")
	run := func() { s.Write(block.Bytes()); s.Flush() }
	run()
	if n := testing.AllocsPerRun(20, run); n/500 > 0.05 {
		t.Errorf("%.2f allocations per benign line", n/500)
	}
}

func TestSinceUntil(t *testing.T) {
	log := "2026-11-23T10:00:00Z INFO started\n2026-11-23T11:00:00Z INFO working\n2026-11-23T12:00:00Z INFO stopped\n"
	var seen []string
	opt := Options{Workers: 1, OnEvent: func(ev *event.Event) { seen = append(seen, string(ev.Text[11:13])) }}
	opt.Since = mustTime("2026-11-23T10:30:00Z")
	opt.Until = mustTime("2026-11-23T12:00:00Z")
	out := reportOf(t, opt, func(s *Source) { s.Write([]byte(log)) })
	if fmt.Sprint(seen) != "[11]" || !strings.Contains(out, "2 lines lie outside") {
		t.Errorf("judged %v\n%s", seen, out)
	}
}

func mustTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}
