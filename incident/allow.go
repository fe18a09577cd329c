package incident

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// Allow names what is known to be innocent. An entry is an address, a prefix, "account:NAME", "rule:NAME" or "route:PATH" (a
// trailing * matches the rest); a bare word is an account or a rule.
type Allow struct {
	prefixes []netip.Prefix
	accounts []string
	rules    []string
	routes   []string
}

// ParseAllow reads entries as a user writes them.
func ParseAllow(entries []string) (Allow, error) {
	var a Allow
	for _, e := range entries {
		kind, val, ok := strings.Cut(e, ":")
		switch {
		case ok && kind == "account":
			a.accounts = append(a.accounts, val)
		case ok && kind == "rule":
			a.rules = append(a.rules, val)
		case ok && kind == "route":
			a.routes = append(a.routes, val)
		case ok && kind == "ip":
			p, err := parsePrefix(val)
			if err != nil {
				return a, fmt.Errorf("allow entry %q: %w", e, err)
			}
			a.prefixes = append(a.prefixes, p)
		case e == "":
			return a, fmt.Errorf("allow entry is empty: name an address, a prefix, account:NAME, rule:NAME or route:PATH")
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
