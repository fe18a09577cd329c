package logformat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

// accessLog is n lines of about 250 bytes as nginx writes them.
func accessLog(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "203.0.113.%d - - [23/Nov/2026:03:%02d:%02d +0000] \"GET /assets/js/app.%08x.js?v=%d&lang=en HTTP/1.1\" 200 %d \"https://shop.example.com/products/list?page=%d\" \"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\"\n",
			i%250, i/600%60, i/10%60, i*2654435761%(1<<32), i%50, i*37%90000, i%40)
	}
	return b.String()
}

// parseAll runs text through a Stream, reusing one Event, and returns how many there were.
func parseAll(s *Stream, buf []byte, ev *event.Event) (n int) {
	for {
		b, k := s.Next(buf, true)
		if k == 0 {
			return n
		}
		b.Parse(func(e *event.Event) *event.Event {
			if e != nil {
				n++
			}
			ev.Reset()
			return ev
		})
		buf = buf[k:]
	}
}

func benchLines(b *testing.B, text string, opt *Options) {
	buf := []byte(text)
	var ev event.Event
	n := 0
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		s, _ := NewStream("x", opt)
		n = parseAll(s, buf, &ev)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/record")
	b.ReportMetric(float64(len(buf))/float64(n), "bytes/record")
}

func BenchmarkCombined(b *testing.B) { benchLines(b, accessLog(20000), nil) }
func BenchmarkCustom(b *testing.B) {
	benchLines(b, accessLog(20000), &Options{Force: `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`})
}
func BenchmarkW3C(b *testing.B) {
	benchLines(b, "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n"+
		strings.Repeat("2026-11-23 03:10:11 10.0.0.5 GET /products/list.aspx id=1&page=3 443 - 192.0.2.9 Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/131.0.0.0 https://example.com/ 200 0 0 15\n", 10000), nil)
}

// BenchmarkDocumentScan measures cutting alone: the serial part of reading CloudTrail.
func BenchmarkDocumentScan(b *testing.B) {
	buf := []byte(records(20000, false))
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		s, _ := NewStream("x", nil)
		for rest := buf; ; {
			_, n := s.Next(rest, true)
			if n == 0 {
				break
			}
			rest = rest[n:]
		}
	}
}

// TestNoAllocation pins that a benign line costs no memory in steady state.
func TestNoAllocation(t *testing.T) {
	for name, text := range map[string]string{
		"combined": accessLog(400),
		"w3c":      "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n" + strings.Repeat("2026-11-23 03:10:11 192.0.2.10 POST /b 500\n", 400),
		"error":    strings.Repeat("2026/11/23 03:10:11 [error] 12#13: *14 open() \"/x\" failed (2: No such file), client: 192.0.2.1, server: a, request: \"GET /x HTTP/1.1\"\n", 400),
	} {
		s, _ := NewStream("x", nil)
		b, _ := s.Next([]byte(text), true)
		var ev event.Event
		next := func(*event.Event) *event.Event { ev.Reset(); return &ev }
		if n := testing.AllocsPerRun(20, func() { b.Parse(next) }); n > 1 { // a collection may empty the pool of parsers
			t.Errorf("%s: %v allocations for 400 records", name, n)
		}
	}
}
