package incident

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// Allow names what is known to be innocent. An entry is an address, a prefix, "account:NAME", "rule:NAME", "app:NAME" (an application
// that a model recognises) or "route:PATH" (a trailing * matches the rest); a bare word is an account or a rule.
type Allow struct {
	entries  []string // as hides and hidesRule name them
	prefixes []netip.Prefix
	accounts []string
	rules    []string
	routes   []string
	apps     []string
}

// maxPreviews bounds the allow entries of which it is followed what they hide. Each has a small world of its own.
const maxPreviews = 16

// Allowed is what one allow entry hid, and what would have been found without it.
type Allowed struct {
	Entry     string
	Events    int         // that were suspect
	Incidents []*Incident // what these events alone would have led to, worst first
}

// hide counts what entry hides, and follows what it would have led to: in a Tracker that sees nothing else. r is a correlation or
// a profile that is hidden itself; else it is the event's signals.
func (t *Tracker) hide(entry string, ev *event.Event, signals []event.Signal, r *raised) {
	t.allowed[entry]++
	s := t.shadows[entry]
	if s == nil {
		if len(t.shadows) >= maxPreviews {
			return
		}
		if t.shadows == nil {
			t.shadows = map[string]*Tracker{}
		}
		s = New(Config{Correlations: t.cfg.Correlations})
		t.shadows[entry] = s
	}
	if r == nil {
		s.Observe(ev, signals)
		return
	}
	s.events++
	if ev.Clock != event.NoClock {
		s.last = ev.Time
	}
	s.record(ev, r)
}

// preview tells of each entry what it hid, those that hid nothing included.
func (t *Tracker) preview() (all []Allowed) {
	entries := slices.Clone(t.cfg.Allow.entries)
	for e := range t.allowed {
		if !slices.Contains(entries, e) {
			entries = append(entries, e)
		}
	}
	slices.Sort(entries)
	for _, e := range slices.Compact(entries) {
		a := Allowed{Entry: e, Events: t.allowed[e]}
		if s := t.shadows[e]; s != nil {
			a.Incidents = s.Result().Incidents
		}
		all = append(all, a)
	}
	return all
}

// ParseAllow reads entries as a user writes them.
func ParseAllow(entries []string) (a Allow, err error) {
	defer func() { a.entries = a.named() }()
	for _, e := range entries {
		kind, val, ok := strings.Cut(e, ":")
		switch {
		case ok && kind == "account":
			a.accounts = append(a.accounts, val)
		case ok && kind == "rule":
			a.rules = append(a.rules, val)
		case ok && kind == "route":
			a.routes = append(a.routes, val)
		case ok && kind == "app":
			a.apps = append(a.apps, val)
		case ok && kind == "ip":
			p, err := parsePrefix(val)
			if err != nil {
				return a, fmt.Errorf("allow entry %q: %w", e, err)
			}
			a.prefixes = append(a.prefixes, p)
		case e == "":
			return a, fmt.Errorf("allow entry is empty: name an address, a prefix, account:NAME, rule:NAME, app:NAME or route:PATH")
		default:
			if p, err := parsePrefix(e); err == nil {
				a.prefixes = append(a.prefixes, p)
			} else if strings.Trim(e, "0123456789abcdefABCDEF.:/") == "" && strings.ContainsAny(e, ".:/") && !strings.HasPrefix(e, "/") {
				return a, fmt.Errorf("allow entry %q: %w; if it is an account, write account:%s", e, err, e)
			} else if strings.HasPrefix(e, "/") {
				a.routes = append(a.routes, e)
			} else {
				a.accounts = append(a.accounts, e)
				a.rules = append(a.rules, e)
			}
		}
	}
	return a, nil
}

// named lists the entries by the names under which what they hide is counted. A bare word may be an account or a rule: it is
// listed once it hides something.
func (a *Allow) named() (names []string) {
	for _, p := range a.prefixes {
		names = append(names, p.String())
	}
	add := func(kind string, values []string) {
		for _, v := range values {
			if kind != "rule:" && kind != "account:" || !slices.Contains(a.rules, v) || !slices.Contains(a.accounts, v) {
				names = append(names, kind+v)
			}
		}
	}
	add("account:", a.accounts)
	add("rule:", a.rules)
	add("route:", a.routes)
	add("app:", a.apps)
	return names
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
}

// hides returns the entry that makes ev innocent, or "".
func (a *Allow) hides(ev *event.Event, who event.Entity) string {
	if ev.Client.IsValid() {
		for _, p := range a.prefixes {
			if p.Contains(ev.Client.Unmap()) {
				return p.String()
			}
		}
	}
	if len(a.accounts) > 0 {
		user := string(ev.Get(event.User))
		for _, n := range a.accounts {
			// A name that a client merely tried proves nothing: only the server's word on who acted counts.
			if who.Type == event.EntityAccount && who.Value == n || user == n && string(ev.Get(event.Result)) != "failure" {
				return "account:" + n
			}
		}
	}
	if len(a.apps) > 0 {
		if app := string(ev.Get(event.App)); app != "" && slices.Contains(a.apps, app) {
			return "app:" + app
		}
	}
	if len(a.routes) > 0 {
		path := string(ev.Get(event.Path))
		for _, r := range a.routes {
			if rest, ok := strings.CutSuffix(r, "*"); ok && strings.HasPrefix(path, rest) || path == r {
				return "route:" + r
			}
		}
	}
	return ""
}

func (a *Allow) hidesRule(d *event.Detector) string {
	if len(a.rules) > 0 && slices.ContainsFunc(a.rules, func(r string) bool { return r == d.Name || "rule:"+r == d.By }) {
		return "rule:" + d.Name
	}
	return ""
}
