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
	const line = `198.51.100.23 - - [23/Nov/2026:03:10:11 +0000] "GET /products/garden/chairs?page=00003&sort=price&view=grid HTTP/1.1" 200 18234 "https://www.example.com/products/garden" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"`
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
	for _, c := range []struct {
		n     int
		fresh bool
	}{{300, false}, {3000, false}, {300, true}, {3000, true}} {
		n, fresh := c.n, c.fresh
		b.Run(fmt.Sprintf("rules=%d/fresh=%t", n, fresh), func(b *testing.B) {
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
			query := ev.Get(event.Query)
			var dst []event.Signal
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if fresh {
					i++ // a page that did not come for a long time
					n := i
					for k := 4; k >= 0; k-- {
						query[5+k] = byte('0' + n%10)
						n /= 10
					}
				}
				dst = m.Match(&ev, dst[:0])
			}
			if len(dst) > 0 {
				b.Fatal("a harmless line matched")
			}
		})
	}
}

// Lines of ordinary traffic, and what a control plane records all day.
var ordinary = []struct{ name, spec string }{
	{"nginx", "client=198.51.100.23|http.request.method=GET|uri=/products/garden/chairs?page=00003&sort=price&view=grid|http.version=HTTP/1.1|status=200|bytes=18234|http.request.referrer=https://www.example.com/products/garden|user_agent.original=Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"},
	{"static", "client=198.51.100.23|http.request.method=GET|uri=/assets/js/vendor.4f3a91c2.min.js|http.version=HTTP/2.0|status=304|bytes=0|http.request.referrer=https://www.example.com/|user_agent.original=Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"},
	{"encoded", "client=198.51.100.23|http.request.method=GET|uri=/search?q=red%20chairs%20%26%20tables&lang=en|http.version=HTTP/1.1|status=200|bytes=9123|http.request.referrer=-|user_agent.original=Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
	{"cloudtrail", `kind=cloud|client=198.51.100.23|event.provider=s3.amazonaws.com|event.action=GetObject|cloud.region=eu-central-1|principal.type=AssumedRole|cloud.account.id=111122223333|user_agent.original=aws-sdk-go-v2/1.30 os/linux lang/go|json={"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/app/i-1"},"requestParameters":{"bucketName":"example-data","key":"a/b.csv"},"readOnly":true}`},
	{"auth", "kind=auth|process.name=sshd|message=Accepted publickey for deploy from 198.51.100.7 port 50122 ssh2|user.name=deploy|client=198.51.100.7|event.action=login|event.outcome=success|event.category=authentication"},
	{"attack", "client=198.51.100.23|http.request.method=GET|uri=/item.php?id=1%27%20UNION%20SELECT%201,version(),3--%20-|http.version=HTTP/1.1|status=200|bytes=812|http.request.referrer=-|user_agent.original=sqlmap/1.8"},
}

func BenchmarkEmbedded(b *testing.B) {
	all := loadAll(b)
	s, _ := Compile(all, Options{})
	for _, l := range ordinary {
		b.Run(l.name, func(b *testing.B) {
			m := s.NewMatcher()
			parsed := newEvent(l.spec)
			var ev event.Event
			var dst []event.Signal
			b.ReportAllocs()
			for b.Loop() {
				ev = *parsed // models may set fields
				dst = m.Match(&ev, dst[:0])
			}
			b.ReportMetric(float64(len(dst)), "signals")
			b.ReportMetric(float64(len(s.tried)), "rules")
		})
	}
}

// BenchmarkScanner is the pass over an agent and a target, with as many literals as real packs have.
func BenchmarkScanner(b *testing.B) {
	var lits []string
	for i := range 2000 {
		lits = append(lits, fmt.Sprintf("zq%dx", i*7919), fmt.Sprintf("/plugin%d/", i))
	}
	s := newScanner(lits, nil)
	text := []byte("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 /products/garden/chairs?page=00003&sort=price")
	b.SetBytes(int64(len(text)))
	var hits []hit
	for b.Loop() {
		hits = s.scan(text, hits[:0])
	}
}

// BenchmarkAlternatives is one expression with many words on harmless text: the standard library, and an automaton.
func BenchmarkAlternatives(b *testing.B) {
	src := `(?i)(?:;|\|\|?|&&|\n)\s*(?:`
	for i := range 150 {
		src += fmt.Sprintf("%c%cword%d|", 'a'+i%26, 'a'+i/7%26, i)
	}
	re, err := newRegex(src+`whoami)\b`, "", nil)
	if err != nil {
		b.Fatal(err)
	}
	text := []byte("page=3; sort=price; view=grid; session=4f3a91c2b7; theme=dark; lang=en; consent=all; cart=12")
	b.Run("standard", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			re.find(text)
		}
	})
	b.Run("automaton", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		a := newAutomaton(re.machine())
		for b.Loop() {
			a.find(text)
		}
	})
}
