package incident

import (
	"bytes"
	"encoding/json"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/threats"
)

// knownThreats are the threats that the product speaks of; rules, fixes and links use these slugs.
const knownThreats = `
	account-takeover api-abuse bfla bola bot-scraping brute-force carding
	cloud-console-login cloud-cost-abuse cloud-credential-theft cloud-defense-evasion cloud-exfiltration
	cloud-persistence cloud-privilege-escalation cloud-recon
	command-injection cross-site-scripting data-exfiltration destructive-calls dos-flood graphql-abuse
	known-cve-exploit ldap-injection leaked-key log-injection log4shell low-and-slow mass-assignment
	nosql-injection open-redirect path-traversal protocol-abuse rate-flood recon-scanning
	sensitive-file-probe sql-injection ssh-brute-force ssrf template-injection token-abuse
	unauthorized-burst user-enumeration webshell
	wordpress-brute-force wordpress-plugin-exploit wordpress-xmlrpc xxe`

func TestThreatPages(t *testing.T) {
	all, err := LoadThreats(threats.FS)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(knownThreats)
	for _, slug := range known {
		if all[slug] == nil {
			t.Errorf("threats/%s.md is not there", slug)
		}
	}
	if len(all) != len(known) {
		t.Errorf("%d pages, want the %d known threats", len(all), len(known))
	}
	shapes := map[string]*regexp.Regexp{
		"attack":   regexp.MustCompile(`^T1\d{3}(\.\d{3})?$`),
		"owasp":    regexp.MustCompile(`^(A(0[1-9]|10):2021|API([1-9]|10):2023|LLM(0[1-9]|10):2025)$`),
		"oat":      regexp.MustCompile(`^OAT-0(0[1-9]|1\d|2[01])$`),
		"platform": regexp.MustCompile(`^(nginx|Apache|Node\.js|AWS|WordPress|Linux)$`),
	}
	for slug, th := range all {
		fits := func(kind string, ids []string, least int) {
			if len(ids) < least {
				t.Errorf("%s: %d %s ids, want at least %d", slug, len(ids), kind, least)
			}
			seen := map[string]bool{}
			for _, id := range ids {
				if !shapes[kind].MatchString(id) || seen[id] {
					t.Errorf("%s: bad or repeated %s %q", slug, kind, id)
				}
				seen[id] = true
			}
		}
		fits("attack", th.Attack, 1)
		fits("owasp", th.OWASP, 1)
		fits("oat", th.OAT, 0)
		fits("platform", th.Platforms, 1)
		for _, n := range th.CWE {
			if n < 1 || n > 1500 {
				t.Errorf("%s: bad CWE %d", slug, n)
			}
		}
		for _, n := range th.CAPEC {
			if n < 1 || n > 720 {
				t.Errorf("%s: bad CAPEC %d", slug, n)
			}
		}
		if len(th.CWE) == 0 || len(th.CAPEC)+len(th.OAT) == 0 {
			t.Errorf("%s: want a CWE, and a CAPEC or OAT", slug)
		}
		if len(th.What) < 150 {
			t.Errorf("%s: %q is no paragraph", slug, th.What)
		}
		if len(th.Worked) < 2 || len(th.LookAlikes) < 2 || len(th.Then) < 2 || len(th.Then) > 4 {
			t.Errorf("%s: want at least two signs and look-alikes, and two to four next steps", slug)
		}
		now, _ := th.Advice(event.Blocked)
		if len(now) == 0 {
			t.Errorf("%s: nothing to do now about an attack that failed", slug)
		}
		for _, item := range append(slices.Clone(th.DoNow), th.Then...) {
			if (strings.HasPrefix(item, "If it worked") || strings.HasPrefix(item, "If it failed") || strings.HasPrefix(item, "Unless")) && !strings.HasPrefix(item, ifWorked) && !strings.HasPrefix(item, unlessFailed) {
				t.Errorf("%s: %q begins with a condition that Advice does not know", slug, item)
			}
		}
		if o := th.OneLine; o != strings.TrimRight(o, ".") || strings.ToLower(o[:1]) != o[:1] || len(o) > 110 {
			t.Errorf("%s: one_line stands inside a sentence: %q", slug, o)
		}
		if th.LogHint == "" {
			t.Errorf("%s: no log_hint", slug)
		}
		for _, s := range append(append(append([]string{th.What, th.LogHint, th.Missing}, th.Worked...), th.DoNow...), append(th.Then, th.LookAlikes...)...) {
			if strings.Count(s, "`")%2 != 0 || strings.ContainsAny(s, "\t—–") {
				t.Errorf("%s: unbalanced code, tab or dash in %q", slug, s)
			}
		}
	}
}

// The pages are read at every start of a command that must answer within 60 ms.
func TestThreatPagesLoadFast(t *testing.T) {
	best := time.Hour
	for range 20 {
		start := time.Now()
		if _, err := LoadThreats(threats.FS); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	limit := 3 * time.Millisecond
	if runtime.GOARCH == "wasm" {
		limit *= 10
	}
	if best > limit {
		t.Errorf("loading took %v, want at most %v", best, limit)
	}
}

const goodPage = `---
slug: x
title: X
severity: low
stage: recon
attack: [T1190]
owasp: []
cwe: [1]
capec: [ 2, 3 ]
oat: []
platforms: [nginx]
one_line: 'it''s: odd'
missing: "a \"b\""
log_hint: |
  one
    two
---

## What it is

First
second.

## Did it work?

- a
  b
- c

## Do now

1. one

## Then

1. two
2. three

## Innocent look-alikes

- d
`

func load(page string) (*Threat, error) {
	all, err := LoadThreats(fstest.MapFS{"x.md": {Data: []byte(page)}, "README.txt": {}})
	return all["x"], err
}

func TestThreatPage(t *testing.T) {
	for _, page := range []string{goodPage, strings.ReplaceAll(goodPage, "\n", "\r\n")} {
		th, err := load(page)
		if err != nil {
			t.Fatal(err)
		}
		f := func(have, want string) {
			t.Helper()
			if have != want {
				t.Errorf("have %q, want %q", have, want)
			}
		}
		f(th.OneLine, "it's: odd")
		f(th.Missing, `a "b"`)
		f(th.LogHint, "one\n  two")
		f(th.What, "First second.")
		f(strings.Join(th.Worked, "|"), "a b|c")
		f(strings.Join(th.Then, "|"), "two|three")
		f(th.Severity.String(), "low")
		if b, err := json.Marshal(th); err != nil || !bytes.Contains(b, []byte(`"title":"X"`)) || !bytes.HasSuffix(b, []byte(`,"severity":"low"}`)) {
			t.Errorf("JSON: %s, %v", b, err)
		}
		if len(th.CAPEC) != 2 || th.CAPEC[1] != 3 || len(th.OWASP) != 0 {
			t.Errorf("lists: %v %v", th.CAPEC, th.OWASP)
		}
	}
}

func TestThreatAdvice(t *testing.T) {
	th := &Threat{DoNow: []string{"If it worked: end it.", "Unless it failed: look.", "Always."}, Then: []string{"Later."}}
	f := func(out event.Outcome, want string) {
		t.Helper()
		now, then := th.Advice(out)
		if have := strings.Join(append(now, then...), "|"); have != want {
			t.Errorf("%v: have %q, want %q", out, have, want)
		}
	}
	f(event.Succeeded, "End it.|Look.|Always.|Later.")
	f(event.LikelySucceeded, "End it.|Look.|Always.|Later.")
	f(event.Unknown, "If it worked: end it.|Look.|Always.|Later.")
	f(event.Blocked, "Always.|Later.")
}

func TestThreatPageErrors(t *testing.T) {
	f := func(old, new, want string) {
		t.Helper()
		page := strings.Replace(goodPage, old, new, 1)
		if page == goodPage {
			t.Fatalf("%q is not in the page", old)
		}
		if _, err := load(page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q for %q: error %v, want %q", new, old, err, want)
		}
	}
	f("---\n", "", "threats/x.md:1: a page starts")
	f("slug: x", "slug: y", `slug is "y"`)
	f("severity: low", "severity: bad", `threats/x.md:4: unknown severity "bad"`)
	f("stage: recon", "stage: late", `threats/x.md:5: unknown stage "late"`)
	f("[T1190]", "T1190", "want a list")
	f("cwe: [1]", "cwe: [one]", `want a number, have "one"`)
	f("title: X", "title: X: Y", "needs quotes")
	f("title: X", "tittle: X", `unknown key "tittle"`)
	f("title: X\n", "", `lacks "title"`)
	f(`"a \"b\""`, `"a`, "bad double-quoted")
	f(`'it''s: odd'`, `'it`, "quote does not end")
	f("## Then", "## After", `unexpected heading "After"`)
	f("2. three", "3. three", `starts with "2. "`)
	f("- a\n", "", "before the first item")
	f("- d\n", "", "nothing under")
	f("\n## Innocent look-alikes\n\n- d\n", "", "ends before the heading")
	f("## What it is", "Hello", "before the first heading")
}
