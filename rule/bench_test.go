package rule

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

// synthetic writes n web rules of the shapes that real packs have.
func synthetic(n int) []byte {
	var b []byte
	for i := range n {
		b = fmt.Appendf(b, "title: Rule %d\nid: 00000000-0000-4000-8000-%012d\nname: synthetic_%d\nlogsource: {category: webserver}\ndetection:\n", i, i, i)
		switch i % 6 {
		case 0:
			b = fmt.Appendf(b, "  sel:\n    payload|contains: ['zq%dx union', 'attack%dword', '/x%dy.php?cmd']\n  condition: sel\n", i, i, i)
		case 1:
			b = fmt.Appendf(b, "  sel:\n    cs-uri-query|contains: '/plugin%dx/'\n    sc-status: [200, 500]\n  filter:\n    cs-referer|contains: example\n  condition: sel and not filter\n", i)
		case 2:
			b = fmt.Appendf(b, "  sel:\n    payload|re: '(?i)select%dz\\s+\\w+\\s+from'\n  condition: sel\n", i)
		case 3:
			b = fmt.Appendf(b, "  sel:\n    c-useragent|contains: ['scanner%dq', 'tool%dk/']\n  condition: sel\n", i, i)
		case 4:
			b = fmt.Appendf(b, "  sel:\n    cs-method: POST\n    cs-uri-stem|endswith: '/vuln%dw.cgi'\n  condition: sel\n", i)
		case 5:
			b = fmt.Appendf(b, "  a:\n    payload|contains|all: ['<tag%dv', 'onload']\n  b:\n    cs-uri-stem|startswith: '/hidden%dj/'\n  condition: 1 of them\n", i, i)
		}
		b = append(b, "level: high\n---\n"...)
	}
	return b
}

// nginxEvent is a harmless request of about 250 bytes as the nginx parser fills it in.
func nginxEvent(ev *event.Event) {
	const line = `198.51.100.23 - - [23/Nov/2026:03:10:11 +0000] "GET /products/garden/chairs?page=3&sort=price&view=grid HTTP/1.1" 200 18234 "https://www.example.com/products/garden" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"`
	fill(ev, []byte(line))
}

func fill(ev *event.Event, text []byte) {
	ev.Reset()
	ev.Text, ev.Kind, ev.Format = text, event.KindWeb, "nginx_combined"
	cut := func(from, to string) []byte {
		i := index(text, from) + len(from)
		j := i + index(text[i:], to)
		return text[i:j]
	}
	ev.Set(event.SourceIP, text[:13])
	ev.Client = netip.MustParseAddr("198.51.100.23")
	ev.Set(event.Method, cut(`"`, " "))

	p := index(text, " /") + 1
	q := p + index(text[p:], "?")
	ev.Set(event.Path, text[p:q])
	ev.Set(event.Query, text[q+1:q+1+index(text[q:], " ")-1])
	ev.Set(event.HTTPVersion, []byte("HTTP/1.1"))
	ev.Set(event.Referer, cut(`18234 "`, `"`))
	ev.Set(event.UserAgent, cut(`garden" "`, `"`))
	ev.Status, ev.Bytes = 200, 18234
}

func index(b []byte, s string) int {
	for i := range b {
		if i+len(s) <= len(b) && string(b[i:i+len(s)]) == s {
			return i
		}
	}
	return len(b) - len(s)
}

func BenchmarkBenignWeb(b *testing.B) {
	for _, n := range []int{300, 3000} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			rules, problems := Parse("x.yaml", synthetic(n))
			if len(problems) > 0 {
				b.Fatal(problems[0])
			}
			s, problems := Compile(rules, Options{})
			if len(problems) > 0 {
				b.Fatal(problems[0])
			}
			m := s.NewMatcher()
			var ev event.Event
			nginxEvent(&ev)
			var dst []event.Signal
			b.ReportAllocs()
			for b.Loop() {
				dst = m.Match(&ev, dst[:0])
			}
			if len(dst) > 0 {
				b.Fatal("a harmless line matched")
			}
		})
	}
}
