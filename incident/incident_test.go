package incident

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

func TestRoute(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if got := string(Route(nil, []byte(path))); got != want {
			t.Errorf("Route(%q) = %q, want %q", path, got, want)
		}
	}
	f("/", "/")
	f("", "")
	f("/v1/users/17", "/v1/users/{id}")
	f("/v1/users/17/orders/2024-11-23", "/v1/users/{id}/orders/{id}")
	f("/v1/users/", "/v1/users/")
	f("/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/o/{id}")
	f("/blob/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/blob/{id}")
	f("/feedface", "/feedface") // letters alone are a word
	f("/login.php", "/login.php")
	f("/a;jsessionid=1/b", "/a/b")
	f("/api/v2/items", "/api/v2/items")
	f("relative/7", "relative/{id}")
	f("/v1/users/:id/orders", "/v1/users/{id}/orders")
	f("/v1/users/{userId}", "/v1/users/{id}")
	f("/track/ord_8f3k20s91x", "/track/{id}")
}

func TestTableForgetsTheOldest(t *testing.T) {
	tab := newTable[int](3)
	put := func(k string, v int) { p, _ := tab.at([]byte(k)); *p = v }
	put("a", 1)
	put("b", 2)
	put("c", 3)
	tab.get([]byte("a")) // a is now newer than b
	put("d", 4)
	if tab.get([]byte("b")) != nil || tab.evicted != 1 || tab.len() != 3 {
		t.Fatalf("b should be gone and counted: evicted %d, len %d", tab.evicted, tab.len())
	}
	if p, fresh := tab.at([]byte("a")); fresh || *p != 1 {
		t.Errorf("a = %d, fresh %v", *p, fresh)
	}
	if p, fresh := tab.at([]byte("b")); !fresh || *p != 0 {
		t.Errorf("a key that comes back starts empty, got %d fresh %v", *p, fresh)
	}
	order := ""
	tab.each(func(k string, _ *int) { order += k })
	if order != "dab" {
		t.Errorf("order %q, want oldest first: dab", order)
	}
}

func TestTableIsFlat(t *testing.T) {
	tab := newTable[[4]int64](1000)
	key := make([]byte, 0, 16)
	for i := range 200_000 {
		key = fmt.Appendf(key[:0], "%d", i)
		tab.at(key)
	}
	if tab.len() != 1000 || len(tab.slabs) != 1000/slabSize+1 || tab.evicted != 199_000 {
		t.Fatalf("len %d, slabs %d, evicted %d", tab.len(), len(tab.slabs), tab.evicted)
	}
}

// What was touched last is there, whatever was forgotten in between.
func TestTableFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	tab, recent := newTable[int](100), []int{}
	for n := range 50_000 {
		k := r.IntN(300)
		v, fresh := tab.at(fmt.Append(nil, k))
		if here := slices.Contains(recent, k); here == fresh || !fresh && *v%1000 != k {
			t.Fatalf("%d: key %d: fresh %t, touched lately %t, value %d", n, k, fresh, here, *v)
		}
		*v = n*1000 + k
		recent = append(slices.DeleteFunc(recent, func(x int) bool { return x == k }), k)
		recent = recent[max(0, len(recent)-100):]
	}
}

// Any order of the same events gives the same timeline, and it stays bounded.
func TestTimelineOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var times []int64
	for range 2000 {
		times = append(times, (1_700_000_000+r.Int64N(400_000))*1e9)
	}
	build := func() string {
		var tl Timeline
		n := 0
		for _, x := range times {
			tl.add(x, x%7 == 0)
		}
		for _, b := range tl.Buckets {
			n += b.Events
		}
		if n != len(times) || len(tl.Buckets) > maxBuckets {
			t.Fatalf("%d events in %d buckets", n, len(tl.Buckets))
		}
		return fmt.Sprint(tl)
	}
	want := build()
	for range 5 {
		r.Shuffle(len(times), func(i, j int) { times[i], times[j] = times[j], times[i] })
		if got := build(); got != want {
			t.Fatalf("another order gives another timeline:\n%s\n%s", got, want)
		}
	}
}

func TestSite(t *testing.T) {
	var s site
	see := func(path string, status int, size int64) {
		ev := event.Event{Status: status, Bytes: size}
		ev.Set(event.Path, []byte(path))
		s.observe(&ev)
	}
	see("/a", 200, 512)
	see("/a", 200, 512)
	see("/b", 200, 512)
	if s.answersEverything(512) {
		t.Error("two paths are no fallback yet")
	}
	see("/c", 200, 512)
	if !s.answersEverything(512) || s.answersEverything(513) {
		t.Error("three paths with one size are a page that answers everything")
	}
	see("/missing", 404, 9)
	if s.Refused != 1 {
		t.Errorf("refused %d", s.Refused)
	}
}

func TestJudge(t *testing.T) {
	d := &event.Detector{}
	f := func(kind event.Kind, status int, result, code string, want event.Outcome) {
		t.Helper()
		var ev event.Event
		ev.Reset()
		ev.Kind, ev.Status = kind, status
		if result != "" {
			ev.Set(event.Result, []byte(result))
		}
		if code != "" {
			ev.Set(event.ErrorCode, []byte(code))
		}
		if got, _ := judge(&ev, d); got != want {
			t.Errorf("%v %d %q %q: %v, want %v", kind, status, result, code, got, want)
		}
	}
	for _, status := range []int{400, 401, 403, 404, 405, 410, 429, 444, 501} {
		f(event.KindWeb, status, "", "", event.Blocked)
	}
	// Nothing of this proves success, nor failure.
	for _, status := range []int{200, 201, 204, 301, 302, 304, 500, 502, 503, 0} {
		f(event.KindWeb, status, "", "", event.Unknown)
	}
	f(event.KindCloud, 0, "failure", "AccessDenied", event.Blocked)
	f(event.KindCloud, 0, "success", "", event.Succeeded)
	f(event.KindCloud, 0, "success", "Client.UnauthorizedOperation", event.Blocked)
	f(event.KindCloud, 0, "", "", event.Unknown)
	f(event.KindWAF, 200, "failure", "", event.Blocked)
	f(event.KindWAF, 200, "success", "", event.Unknown) // let through is not worked
	f(event.KindApp, 0, "failure", "", event.Blocked)
	f(event.KindApp, 0, "", "", event.Unknown)
	f(event.KindApp, 0, "success", "", event.Unknown)
}
