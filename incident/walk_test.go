package incident

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// A request is one line of a client's way: "GET /orders/17 200", or what an application wrote.
func walkOf(t *testing.T, gap time.Duration, agent, referer string, requests ...string) (threat string, out event.Outcome) {
	t.Helper()
	tr := New(Config{})
	for i, q := range requests {
		var ev event.Event
		ev.Reset()
		ev.Kind, ev.Clock, ev.Time = event.KindWeb, event.ZonedClock, int64(time.Hour)+int64(gap)*int64(i)
		ev.Client = netip.MustParseAddr("203.0.113.9")
		ev.Set(event.SourceIP, []byte("203.0.113.9"))
		var method, path string
		if _, err := fmt.Sscanf(q, "%s /%s %d", &method, &path, &ev.Status); err == nil {
			ev.Set(event.Method, []byte(method))
			path, query, _ := strings.Cut(path, "?")
			ev.Set(event.Path, []byte("/"+path))
			ev.Set(event.Query, []byte(query))
			ev.Set(event.UserAgent, []byte(agent))
			ev.Set(event.Referer, []byte(referer))
		} else {
			ev.Kind = event.KindApp
			ev.Set(event.Message, []byte(q))
		}
		ev.Text = []byte(q)
		tr.Observe(&ev, nil)
	}
	rep := tr.Result().Incidents
	if len(rep) == 0 {
		return "", event.Unknown
	}
	return rep[0].Threat, rep[0].Outcome()
}

func series(format string, n, from, by int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(format, from+i*by))
	}
	return all
}

func TestWalks(t *testing.T) {
	f := func(want string, worked bool, gap time.Duration, requests []string) {
		t.Helper()
		got, out := walkOf(t, gap, "curl/8.5.0", "", requests...)
		if got != want || worked != (out >= event.LikelySucceeded) {
			t.Errorf("%s...: %q %v, want %q, worked %v", requests[0], got, out, want, worked)
		}
	}
	const s = time.Second
	f("bola", true, s, series("GET /api/rechnungen/%d 200", 30, 1000, 1))
	f("bola", true, s, series("GET /api/factures/%d 200", 30, 1000, 1))
	f("bola", true, s, series("GET /api/pedidos/%d 200", 30, 1000, 1))
	f("", false, s, series("GET /api/seiten/%d 200", 15, 1000, 1))
	f("bola", true, 3*s, series("GET /api/orders/%d 200", 20, 1000, 1))
	f("bola", true, 3*s, series("GET /api/v1/users/%d/invoices 200", 20, 1000, -1))
	f("bola", false, 3*s, series("GET /api/orders/%d 403", 20, 1000, 1))
	f("bola", false, 3*s, series("GET /customers/%d/statement 404", 20, 9000, 37)) // not in order, all refused
	f("bola", true, s, series("PATCH /api/orders/%d 200", 30, 9000, 37))           // not in order, but changed faster than by hand
	f("bola", true, 3*s, series("Order %d retrieved by user 7 ip=203.0.113.9", 20, 1000, 1))
	f("bola", true, 3*s, series("GET /account/statement.php?id=%d 200", 20, 1000, 1))
	f("bola", true, 3*s, series("GET /index.php?view=full&invoiceId=%d 200", 20, 1000, 1))
	f("bola", true, 3*s, series("user 7 opened invoice %d", 20, 1000, 1))
	f("bola", true, 3*s, series("invoice #%d viewed, user=7", 20, 1000, 1))
	f("bola", false, 3*s, series("GET /api/documents/3f2504e0-4f89-11d3-9a0c-0305e82c%d 403", 20, 1000, 7))
	// What looks like it.
	f("", false, 3*s, series("GET /api/documents/3f2504e0-4f89-11d3-9a0c-0305e82c%d 200", 20, 1000, 1))
	f("", false, 3*s, series("GET /blog/?page=%d 200", 20, 1, 1))
	f("", false, 3*s, series("GET /blog/post.php?id=%d 200", 20, 100, 1))
	f("", false, 3*s, series("GET /report?year=%d 200", 20, 1990, 1))
	f("", false, 3*s, series("page %d shown to bob", 20, 10, 1))
	f("", false, 3*s, series("GET /api/orders/%d 200", 8, 1000, 1))
	f("", false, 3*s, series("GET /api/orders/%d 200", 40, 1000, 37))     // own orders, spread over everybody's
	f("", false, 3*s, series("GET /api/admin/users/%d 200", 40, 1000, 1)) // a clerk
	f("", false, 3*s, series("GET /api/orders/%d 401", 40, 1000, 37))     // an expired session
	f("", false, 30*s, series("GET /articles/%d 200", 40, 1000, 1))       // open to all
	f("", false, 20*60*s, series("GET /api/orders/%d 200", 20, 1000, 1))  // day by day
	f("", false, 3*s, series("User %d deleted by user 7", 20, 1000, 1))   // an administrator tidies up
	f("destructive-calls", true, 3*s, series("DELETE /api/orders/%d 204", 24, 1000, 1))
	f("destructive-calls", false, 3*s, series("DELETE /api/orders/%d 403", 24, 1000, 1))
	f("", false, 3*s, series("DELETE /api/admin/users/%d 204", 20, 1000, 1)) // a clerk tidies up
	f("", false, 3*s, series("DELETE /api/cart/items/%d 204", 20, 1000, 1))
	f("", false, s, series("GET /remote.php/dav/files/a/%d 200", 90, 10, 3)) // synchronised files
	f("", false, s, series("GET /photos/%d/thumbnail 200", 90, 10, 3))
	ids := func(good int) (all []string) { // names that cannot be counted, one in good of them given out
		for i := range 90 {
			status := 403
			if i%good == 0 {
				status = 200
			}
			all = append(all, fmt.Sprintf("GET /documents/%08x-77aa-4b3c-9d2e-%012x/download %d", i*2654435761%4294967291, i*40503*9973, status))
		}
		return all
	}
	f("bola", false, s, ids(5))
	var till, others []string // a till shows each order that it takes; who takes none has no reason to
	for i := range 40 {
		till = append(till, "POST /api/orders 201", fmt.Sprintf("GET /api/orders/%d 200", 900+i))
		others = append(others, "POST /api/events 201", fmt.Sprintf("GET /api/orders/%d 200", 900+i))
	}
	f("", false, s, till)
	f("bola", true, s, others)
	f("bola", false, s, series("POST /api/orders/%d/cancel 403", 20, 900, 2))
	f("", false, s, series("POST /api/orders/%d/pay 200", 40, 900, 1))
	f("rate-flood", false, s/16, series("GET /api/search?q=chair%d 200", 1100, 1, 0))
	f("", false, s/4, series("GET /api/search?q=chair%d 200", 1100, 1, 0))
	f("", false, s, ids(2))
	f("bot-scraping", true, s, series("GET /catalog/item-%d.html 200", 40, 10, 3))
	f("", false, s, series("GET /backup/data/0184f5da9c49e3a8fb9d696baecb36b4c5a5fe59af165924e886c252b1ab%04d 200", 90, 1000, 7))
	f("", false, 5*s, series("GET /catalog/item-%d.html 200", 40, 10, 3))
	f("dos-flood", true, s/20, series("GET /?%d 200", 60, 883100, 37))
	f("", false, s/20, series("GET /?page=%d 200", 20, 883100, 37))
	if got, _ := walkOf(t, s, "Mozilla/5.0", "https://shop.example/catalog", series("GET /catalog/item-%d.html 200", 40, 10, 3)...); got != "" {
		t.Errorf("a person who clicks: %q", got)
	}
}

func BenchmarkWalk(b *testing.B) {
	var ws walkers
	var ev event.Event
	ev.Reset()
	ev.Kind, ev.Status = event.KindWeb, 200
	ev.Client = netip.MustParseAddr("203.0.113.9")
	ev.Set(event.Method, []byte("GET"))
	ev.Set(event.Path, []byte("/shop/category/garden-chairs"))
	b.ReportAllocs()
	for i := range b.N {
		ws.step(&ev, int64(i), &site{})
	}
}

// One request that three logs tell of counts once.
func TestAgain(t *testing.T) {
	var win window
	tell := func(kind event.Kind, format, path string, at time.Duration) bool {
		var ev event.Event
		ev.Reset()
		ev.Kind, ev.Format = kind, format
		ev.Set(event.Path, []byte(path))
		return win.again(&ev, int64(at))
	}
	const s = time.Second
	for i, want := range []bool{
		tell(event.KindWeb, "combined", "/users/17", 10*s),
		tell(event.KindApp, "pino", "/users/:id", 10*s),
		tell(event.KindWeb, "pino", "/users/17", 10*s+s/2),
		tell(event.KindWeb, "combined", "/users/18", 10*s+s/2), // the next one
		tell(event.KindWeb, "pino", "/orders/18", 10*s+s/2),
		tell(event.KindWeb, "combined", "/orders/18", 12*s),
	} {
		if want != [...]bool{false, true, true, false, false, false}[i] {
			t.Errorf("%d: again %v", i, want)
		}
	}
}
