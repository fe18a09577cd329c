package vanguard

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestZoneOfAnotherLog: an application that writes no zone is read as it was meant where the web server has the same requests, and as
// UTC where nothing, or too little, says otherwise.
func TestZoneOfAnotherLog(t *testing.T) {
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	zone := func(minutes int) *time.Location { return time.FixedZone("", minutes*60) }
	paths := []string{"/login", "/orders/17", "/cart", "/search", "/account", "/help"}
	// every is the gap between requests; monitor asks for one page every quarter of an hour, and nobody else comes.
	logs := func(n int, web, app *time.Location, monitor bool) (access, own string) {
		var a, o strings.Builder
		for i := range n {
			at, client, path := start.Add(time.Duration(i)*37*time.Second), fmt.Sprintf("203.0.113.%d", 1+i*7%200), paths[i%len(paths)]
			if monitor {
				at, client, path = start.Add(time.Duration(i)*15*time.Minute), "203.0.113.1", "/health"
			}
			fmt.Fprintf(&a, "%s - - [%s] \"GET %s HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"\n", client, at.In(web).Format("02/Jan/2006:15:04:05 -0700"), path)
			fmt.Fprintf(&o, "{\"time\":\"%s\",\"level\":\"info\",\"remote_ip\":\"%s\",\"method\":\"GET\",\"path\":\"%s\",\"status\":200,\"msg\":\"request\"}\n", at.In(app).Format("2006-01-02 15:04:05.000"), client, path)
		}
		return a.String(), o.String()
	}
	for _, c := range []struct {
		name     string
		n        int
		web, app int // minutes ahead of UTC
		monitor  bool
		opt      Options
		want     string // in the report; "" for nothing
	}{
		{"two hours ahead", 40, 120, 120, false, Options{}, "UTC+02:00"},
		{"behind", 40, 0, -210, false, Options{}, "UTC-03:30"},
		{"the same clock", 40, 120, 0, false, Options{}, ""},
		{"too few", 4, 120, 120, false, Options{}, ""},
		{"a monitor lines up everywhere", 40, 120, 120, true, Options{}, ""},
		{"a zone was asked for", 40, 120, 120, false, Options{Zone: time.UTC}, ""},
		{"no whole quarter", 40, 120, 127, false, Options{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			access, own := logs(c.n, zone(c.web), zone(c.app), c.monitor)
			a, err := New(c.opt)
			if err != nil {
				t.Fatal(err)
			}
			texts := []string{access, own}
			a.Read([]Log{{Name: "access.log"}, {Name: "app.log"}}, func(i int, w *Source) { w.Write([]byte(texts[i])) })
			r := a.Report()
			said := strings.Join(r.Input.Problems, "\n")
			if c.want == "" && strings.Contains(said, "zone") || !strings.Contains(said, c.want) {
				t.Errorf("it says %q", said)
			}
			if c.want != "" && r.Input.FirstSeen != "2026-11-23T08:00:00Z" {
				t.Errorf("it begins at %s", r.Input.FirstSeen)
			}
		})
	}
}
