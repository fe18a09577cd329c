package vanguard

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	f := func(s Settings, want string) {
		t.Helper()
		opt, err := s.Options()
		if err != nil {
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%+v: %v, want %s", s, err, want)
			}
			return
		}
		zone := "UTC"
		if opt.Zone != nil {
			zone = opt.Zone.String()
		}
		since := ""
		if !opt.Since.IsZero() {
			since = opt.Since.UTC().Format(time.RFC3339)
		}
		if got := fmt.Sprint(zone, opt.Trust, since); got != want {
			t.Errorf("%+v: %s, want %s", s, got, want)
		}
	}
	f(Settings{}, "UTC[]")
	f(Settings{TZ: "+02:00", Since: "2026-11-23"}, "+02:00[]2026-11-22T22:00:00Z")
	f(Settings{TZ: "+02:00", Since: "2026-11-23T03:10:00Z"}, "+02:00[]2026-11-23T03:10:00Z")
	f(Settings{Since: "2026-11-23 03:10", Until: "2026-11-23 03:11"}, "UTC[]2026-11-23T03:10:00Z")
	f(Settings{TrustProxy: []string{"192.0.2.7", "198.51.100.9/24", "2001:db8::1"}}, "UTC[192.0.2.7/32 198.51.100.0/24 2001:db8::1/128]")
	f(Settings{TZ: "Nowhere/Atoll"}, `tz "Nowhere/Atoll"`)
	f(Settings{TZ: "../../etc/passwd"}, `tz "../../etc/passwd"`)
	f(Settings{TrustProxy: []string{"proxy.example.com"}}, `trust-proxy "proxy.example.com"`)
	f(Settings{Since: "2h"}, `since "2h"`)
	f(Settings{Since: "2026-11-23", Until: "2026-11-23"}, "since 2026-11-23 is not before until")
}

func TestSeriesOf(t *testing.T) {
	f := func(want string, names ...string) {
		t.Helper()
		var got []string
		for _, s := range SeriesOf(names) {
			pieces := []string{}
			for _, i := range s.Pieces {
				pieces = append(pieces, names[i])
			}
			got = append(got, s.Name+": "+strings.Join(pieces, " "))
		}
		if g := strings.Join(got, "; "); g != want {
			t.Errorf("%q\n got %s\nwant %s", names, g, want)
		}
	}
	f("")
	f("/v/access.log: /v/access.log.2.gz /v/access.log.1 /v/access.log; /v/error.log: /v/error.log", "/v/error.log", "/v/access.log", "/v/access.log.1", "/v/access.log.2.gz")
	f("a/access.log: a/access.log; b/access.log: b/access.log", "b/access.log", "a/access.log")
	f("access.log: access.log access.log", "access.log", "access.log")
	f(`C:\logs\app.log: C:\logs\app.log.1 C:\logs\app.log`, `C:\logs\app.log`, `C:\logs\app.log.1`)
}

// TestReadMany: more logs than are read side by side are all read, and how they are ordered changes nothing.
func TestReadMany(t *testing.T) {
	var logs []Log
	for i := range 2*mergedAtOnce + 3 {
		logs = append(logs, Log{Name: fmt.Sprintf("host-%c%c.log", 'a'+i/26, 'a'+i%26)})
	}
	read := func(logs []Log) *Report {
		a, err := New(Options{Workers: 2, Year: 2026})
		if err != nil {
			t.Fatal(err)
		}
		a.Read(logs, func(i int, w *Source) {
			fmt.Fprintf(w, "203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] \"GET /%s HTTP/1.1\" 200 512 \"-\" \"-\"\n", logs[i].Name)
		})
		return a.Report()
	}
	r := read(logs)
	if r.Input.Lines != len(logs) {
		t.Errorf("%d lines of %d", r.Input.Lines, len(logs))
	}
	var back []Log
	for i := range logs {
		back = append(back, logs[len(logs)-1-i])
	}
	if again := read(back); again.Engine.Report != r.Engine.Report {
		t.Error("the order of the logs changes the report")
	}
}
