package vanguard

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a hint recommends, the engine reads without being told, and nothing is left to recommend.
func TestLogHints(t *testing.T) {
	judge := func(lines ...string) *Report {
		a, err := New(Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		src := a.Source("access.log")
		src.Write([]byte(strings.Join(lines, "\n") + "\n"))
		src.Close()
		return a.Report()
	}
	plain := judge(`10.0.0.9 - - [23/Nov/2026:03:10:11 +0000] "GET /x HTTP/1.1" 200 157 "-" "curl/8"`)
	var names []string
	for _, h := range plain.LogHints {
		names = append(names, h.Platform)
	}
	if !slices.Equal(names, []string{"nginx", "Apache"}) {
		t.Fatalf("hints for a combined log: %v", names)
	}
	for _, h := range plain.LogHints {
		values := map[string]string{
			"$remote_addr": "10.0.0.9", "$remote_user": "-", "$time_local": "23/Nov/2026:03:10:11 +0000", "$request": "GET /x HTTP/1.1", "$status": "200", "$body_bytes_sent": "157",
			"$http_referer": "-", "$http_user_agent": "curl/8", "$request_time": "0.123", "$http_x_forwarded_for": "203.0.113.7",
			"%h": "10.0.0.9", "%l": "-", "%u": "-", "%t": "[23/Nov/2026:03:10:11 +0000]", `\"%r\"`: `"GET /x HTTP/1.1"`, "%>s": "200", "%B": "157",
			`\"%{Referer}i\"`: `"-"`, `\"%{User-Agent}i\"`: `"curl/8"`, "%D": "123456", `\"%{X-Forwarded-For}i\"`: `"203.0.113.7"`,
		}
		format := regexp.MustCompile(`(?s)'(.*)';\naccess_log|LogFormat "(.*)" vanguard`).FindStringSubmatch(h.Config)
		if format == nil {
			t.Fatalf("%s: no format in %q", h.Platform, h.Config)
		}
		line := regexp.MustCompile(`'\n\s+'`).ReplaceAllString(format[1]+format[2], "")
		line = regexp.MustCompile(`\$\w+|(?:\\")?%[>\w]?\w?(?:\{[\w-]+\}i)?(?:\\")?`).ReplaceAllStringFunc(line, func(v string) string {
			if values[v] == "" {
				t.Errorf("%s: no value for %s", h.Platform, v)
			}
			return values[v]
		})
		r := judge(line)
		if r.Input.Understood != 1 || r.Input.Formats[0].Name != "combined" || len(r.LogHints) != 0 {
			t.Errorf("%s: %s\nunderstood %d, formats %v, still not seen: %v", h.Platform, line, r.Input.Understood, r.Input.Formats, r.NotSeen)
		}
	}
	if r := judge(`{"time":"2026-11-23T03:10:11Z","msg":"started"}`); len(r.LogHints) != 0 {
		t.Errorf("hints for an application's log: %v", r.LogHints)
	}
}
