package server

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxClients bounds how many clients a limiter remembers.
const maxClients = 10_000

// A quota is how often one client may ask: burst at once, and then each request after another pause. The zero value is no limit.
type quota struct {
	every time.Duration
	burst int
}

func perMinute(n, burst int) quota { return quota{time.Minute / time.Duration(n), burst} }

// A limiter limits how often each client asks.
type limiter struct {
	quota quota
	mu    sync.Mutex
	of    map[netip.Prefix]*rate.Limiter
}

func newLimiter(q quota) *limiter {
	if q.burst == 0 {
		return nil
	}
	return &limiter{quota: q, of: map[netip.Prefix]*rate.Limiter{}}
}

// allow counts a request of a client and tells whether it may be answered.
func (l *limiter) allow(client netip.Addr, now time.Time) bool {
	if l == nil {
		return true
	}
	who := household(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	lim := l.of[who]
	if lim == nil {
		if len(l.of) >= maxClients {
			l.forget(now)
		}
		lim = rate.NewLimiter(rate.Every(l.quota.every), l.quota.burst)
		l.of[who] = lim
	}
	return lim.AllowN(now, 1)
}

// forget drops the clients that have their whole burst again, and all if that frees too little: a flood from very many
// addresses is no case for limits by address.
func (l *limiter) forget(now time.Time) {
	for who, lim := range l.of {
		if lim.TokensAt(now) >= float64(l.quota.burst) {
			delete(l.of, who)
		}
	}
	if len(l.of) > maxClients*9/10 {
		clear(l.of)
	}
}

// household is what counts as one client.
func household(client netip.Addr) netip.Prefix {
	bits := 32
	if client.Is6() {
		bits = 64 // who has one IPv6 address has them all
	}
	who, err := client.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // all that cannot be told apart are one
	}
	return who
}

// A crowd counts what each client does right now; none does more than most things at once.
type crowd struct {
	most int
	mu   sync.Mutex
	of   map[netip.Prefix]int
}

func (c *crowd) take(who netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[who] >= c.most {
		return false
	}
	c.of[who]++
	return true
}

func (c *crowd) leave(who netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[who]--; c.of[who] == 0 {
		delete(c.of, who)
	}
}

// client is who asks: the peer, or whom a trusted proxy says that it speaks for.
func (s *Server) client(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := ap.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap().WithZone("")
	}
	return addr
}

func (s *Server) trusted(addr netip.Addr) bool { return within(addr, s.cfg.TrustProxy) }

func within(addr netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
