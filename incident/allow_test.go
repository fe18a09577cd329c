package incident

import (
	"net/netip"
	"testing"

	"github.com/helixvanguard/vanguard/event"
)

func TestAllow(t *testing.T) {
	f := func(entry, ip, user, result, path, want string) {
		t.Helper()
		a, err := ParseAllow([]string{entry})
		if err != nil {
			t.Fatal(err)
		}
		var ev event.Event
		ev.Reset()
		if ip != "" {
			ev.Client = netip.MustParseAddr(ip)
		}
		ev.Set(event.User, []byte(user))
		ev.Set(event.Result, []byte(result))
		ev.Set(event.Path, []byte(path))
		ev.Set(event.App, []byte("nextcloud"))
		if got := a.hides(&ev, actor(&ev)); got != want {
			t.Errorf("%s on %s %s %s %s: %q, want %q", entry, ip, user, result, path, got, want)
		}
	}
	f("192.0.2.1", "192.0.2.1", "", "", "/", "192.0.2.1/32")
	f("192.0.2.1", "192.0.2.2", "", "", "/", "")
	f("192.0.2.0/24", "192.0.2.77", "", "", "/", "192.0.2.0/24")
	f("2001:db8::/32", "2001:db8::1", "", "", "/", "2001:db8::/32")
	f("192.0.2.1", "::ffff:192.0.2.1", "", "", "/", "192.0.2.1/32")
	f("account:backup", "192.0.2.1", "backup", "success", "/", "account:backup")
	f("backup", "", "backup", "success", "/", "account:backup")
	f("account:backup", "192.0.2.1", "backup", "failure", "/", "") // the attacker only typed the name
	f("route:/health", "192.0.2.1", "", "", "/health", "route:/health")
	f("route:/health", "192.0.2.1", "", "", "/healthy", "")
	f("/static/*", "192.0.2.1", "", "", "/static/a.js", "route:/static/*")
	f("app:nextcloud", "192.0.2.1", "", "", "/", "app:nextcloud")
	f("app:wordpress", "192.0.2.1", "", "", "/", "")
	f("rule:sqli", "192.0.2.1", "", "", "/", "")

	for _, bad := range []string{"198.51.100.0/99", "300.1.1.1", "2001:db8::/200", "", "ip:nonsense"} {
		if _, err := ParseAllow([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	a, err := ParseAllow([]string{"rule:sqli_union_select", "noisy_rule"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"sqli_union_select": "rule:sqli_union_select", "noisy_rule": "rule:noisy_rule", "other": ""} {
		if got := a.hidesRule(&event.Detector{Name: name}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
