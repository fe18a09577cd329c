package incident

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// A visitor is one request of one of many clients.
type visitor struct {
	n           int // which client
	path, query string
	status      int
	referer     string
}

// togetherOf judges what many clients do, gap apart, and returns threat and actor of the worst finding.
func togetherOf(gap time.Duration, all []visitor) (threat string, who event.Entity) {
	tr := New(Config{})
	for i, v := range all {
		var ev event.Event
		ev.Reset()
		ev.Kind, ev.Clock, ev.Time, ev.Status = event.KindWeb, event.ZonedClock, int64(time.Hour)+int64(gap)*int64(i), v.status
		ev.Client = netip.AddrFrom4([4]byte{198, 18, byte(v.n), 7})
		ev.Set(event.SourceIP, []byte(ev.Client.String()))
		ev.Set(event.Method, []byte("GET"))
		ev.Set(event.Path, []byte(v.path))
		ev.Set(event.Query, []byte(v.query))
		ev.Set(event.Referer, []byte(v.referer))
		ev.Text = []byte(v.path)
		tr.Observe(&ev, nil)
	}
	if rep := tr.Result().Incidents; len(rep) > 0 {
		return rep[0].Threat, rep[0].Actor
	}
	return "", event.Entity{}
}

func TestFleets(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	const n = 240
	make := func(f func(i int) visitor) (all []visitor) {
		for i := range n {
			all = append(all, f(i))
		}
		return all
	}
	page := func(format string, clients int, referer string, id func(i int) int) []visitor {
		return make(func(i int) visitor {
			return visitor{n: i % clients, path: fmt.Sprintf(format, id(i)), status: 200, referer: referer}
		})
	}
	inOrder := func(i int) int { return 500 + i }
	rush := func(clients int, query string, fails int) []visitor {
		return make(func(i int) visitor {
			v := visitor{n: i % clients, path: "/", query: query, status: 200}
			if query == "" {
				v.query = fmt.Sprintf("%08x", rng.Uint32())
			}
			if fails > 0 && i%fails == 0 {
				v.status = 503
			}
			return v
		})
	}
	const s = time.Second
	for _, c := range []struct {
		what string
		gap  time.Duration
		all  []visitor
		want string
	}{
		{"taking turns at a catalogue", s, page("/products/%d", 60, "", inOrder), "bot-scraping"},
		{"out of step by a little", s, page("/products/%d", 60, "", func(i int) int { return 500 + (i ^ 1) }), "bot-scraping"},
		{"among people who look at what they like", s, make(func(i int) visitor {
			if i%4 == 0 {
				return visitor{n: 100 + i%30, path: fmt.Sprintf("/products/%d", rng.IntN(9000)), status: 200}
			}
			return visitor{n: i % 60, path: fmt.Sprintf("/products/%d", 500+i), status: 200}
		}), "bot-scraping"},
		{"orders as they are made", s, page("/orders/%d", 60, "", inOrder), ""},
		{"jobs as they are made", s, page("/api/jobs/%d", 60, "", inOrder), ""},
		{"people who come from a list", s, page("/products/%d", 60, "https://shop.example.com/", inOrder), ""},
		{"people who look at what they like", s, page("/products/%d", 60, "", func(int) int { return rng.IntN(9000) }), ""},
		{"everybody at the newest article", s, page("/articles/%d", 60, "", func(i int) int { return 70 + i/12 }), ""},
		{"a catalogue read over a day", 6 * time.Minute, page("/products/%d", 60, "", inOrder), ""},
		{"a rush that breaks the server", s / 40, rush(60, "", 3), "dos-flood"},
		{"a busy page with numbers against caches", s / 40, rush(60, "", 0), ""},
		{"a busy page that fails", s / 40, rush(60, "page=1", 3), ""},
		{"a slow one", s, rush(60, "", 3), ""},
	} {
		got, who := togetherOf(c.gap, c.all)
		if got != c.want || got != "" && who.Type != event.EntityRoute {
			t.Errorf("%s: %q by %v, want %q", c.what, got, who, c.want)
		}
	}
}

// A rush of any size stays one: its counts do not run over.
func TestRushOfMany(t *testing.T) {
	var ws walkers
	for i := range 80_000 {
		if got := ws.push(7, uint64(i)<<8, 503, 1); got != (i+1 >= rushAsks) {
			t.Fatalf("request %d: %v", i+1, got)
		}
	}
}
