package logformat

import (
	"bytes"
	"net/netip"

	"github.com/helixvanguard/vanguard/event"
)

// maxHops bounds how many addresses of an X-Forwarded-For header are walked; a client can send any number.
const maxHops = 32

// finish runs after a shape fitted: it resolves Client behind trusted proxies.
//
// The header is the client's word unless a proxy that we trust wrote it: it counts only when the peer is one (private,
// loopback, link-local, carrier-grade NAT, or named in Options.Trust), and of a list only the part that such proxies appended, read from the right.
func finish(c *ctx, ev *event.Event) {
	if ev.Kind != event.KindWeb {
		setTrace(ev)
	}
	if !ev.Client.IsValid() {
		if s := ev.Get(event.SourceIP); len(s) > 0 {
			_, _, ev.Client = splitAddr(s)
		}
	}
	header := ev.Get(event.ForwardedFor)
	if len(header) == 0 {
		return
	}
	if !ev.Client.IsValid() {
		// A unix socket or a record that names no peer: who wrote the header is not known. A lone address is all there is.
		if !ev.Has(event.SourceIP) {
			ev.Client = c.behind(header)
		}
		return
	}
	if !c.trusted(ev.Client) {
		return
	}
	if a := c.behind(header); a.IsValid() && a != ev.Client {
		ev.Peer, ev.Client = ev.Client, a
	}
}

// behind returns the rightmost address of a forwarding header that is not a trusted proxy's; the leftmost if all are.
func (c *ctx) behind(header []byte) (a netip.Addr) {
	for hops := 0; hops < maxHops && len(header) > 0; hops++ {
		at := bytes.LastIndexByte(header, ',')
		hop := header[at+1:]
		if header = header[:max(at, 0)]; at < 0 {
			header = nil
		}
		b := hopAddr(hop)
		if !b.IsValid() { // "unknown", garbage: nothing left of it can be believed
			return a
		}
		if a = b; !c.trusted(b) {
			return a
		}
	}
	return a
}

// hopAddr reads one element of X-Forwarded-For ("192.0.2.1", "192.0.2.1:80") or Forwarded ("for="[2001:db8::1]:80";proto=https").
func hopAddr(hop []byte) netip.Addr {
	hop = bytes.TrimSpace(hop)
	if i := indexFold(hop, "for="); i >= 0 && (i == 0 || hop[i-1] == ';' || hop[i-1] == ' ') {
		hop = hop[i+4:]
		if end := bytes.IndexByte(hop, ';'); end >= 0 {
			hop = hop[:end]
		}
	}
	hop = bytes.Trim(hop, "\" \t")
	_, _, a := splitAddr(hop)
	return a
}

// trusted tells whether a is a proxy whose word counts.
func (c *ctx) trusted(a netip.Addr) bool {
	if internal(a) {
		return true
	}
	if c.opt != nil {
		for _, p := range c.opt.Trust {
			if p.Contains(a) {
				return true
			}
		}
	}
	return false
}

// internal tells whether a cannot come from the internet: private, loopback, link-local or carrier-grade NAT (RFC 6598).
func internal(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		switch b[0] {
		case 10, 127:
			return true
		case 172:
			return b[1]&0xf0 == 16
		case 192:
			return b[1] == 168
		case 169:
			return b[1] == 254
		case 100:
			return b[1]&0xc0 == 64
		}
		return false
	}
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
}

// splitAddr splits "1.2.3.4:5", "[::1]:5", "::1", "host:5". addr is invalid if host is no address.
func splitAddr(s []byte) (host, port []byte, addr netip.Addr) {
	if a, n := scanIPv4(s); n > 0 { // Fast path
		if n == len(s) {
			return s, nil, a
		}
		if s[n] == ':' {
			if _, k := number(s[n+1:]); k == len(s)-n-1 {
				return s[:n], s[n+1:], a
			}
		}
	}
	host = s
	if len(s) > 2 && s[0] == '[' {
		end := bytes.IndexByte(s, ']')
		if end < 0 {
			return s, nil, addr
		}
		host = s[1:end]
		if end+1 < len(s) && s[end+1] == ':' {
			port = s[end+2:]
		}
	} else if at := bytes.IndexByte(s, ':'); at > 0 && bytes.IndexByte(s[at+1:], ':') < 0 {
		if _, k := number(s[at+1:]); k > 0 && k == len(s)-at-1 {
			host, port = s[:at], s[at+1:]
		}
	}
	addr, _ = parseAddr(host)
	return host, port, addr
}

// parseAddr reads an address, alone in s. IPv4 inside IPv6 becomes IPv4, so that one client has one name.
func parseAddr(s []byte) (netip.Addr, bool) {
	if a, n := scanIPv4(s); n > 0 && n == len(s) {
		return a, true
	}
	if len(s) < 2 || len(s) > 64 || bytes.IndexByte(s, ':') < 0 {
		return netip.Addr{}, false
	}
	return parseIPv6(s)
}

// scanIPv4 reads the dotted address that s starts with; n is its length, or 0. netip.ParseAddr takes a string and three times as long.
func scanIPv4(s []byte) (a netip.Addr, n int) {
	var sum uint32
	i := 0
	for dots := 0; ; dots++ {
		if i >= len(s) || s[i]-'0' > 9 {
			return a, 0
		}
		part := uint32(s[i] - '0')
		if i++; i < len(s) && s[i]-'0' <= 9 {
			part = part*10 + uint32(s[i]-'0')
			if i++; i < len(s) && s[i]-'0' <= 9 {
				part = part*10 + uint32(s[i]-'0')
				if i++; i < len(s) && s[i]-'0' <= 9 {
					return a, 0
				}
			}
		}
		if part > 255 {
			return a, 0
		}
		if sum = sum<<8 | part; dots == 3 {
			break
		}
		if i >= len(s) || s[i] != '.' {
			return a, 0
		}
		i++
	}
	if i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]) {
		return a, 0
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), i
}

// parseIPv6 reads an address in colon form. Written here because netip.ParseAddr needs a string that escapes.
func parseIPv6(s []byte) (netip.Addr, bool) {
	if i := bytes.IndexByte(s, '%'); i >= 0 {
		s = s[:i]
	}
	var out [16]byte
	at, gap := 0, -1
	if len(s) >= 2 && s[0] == ':' && s[1] == ':' {
		gap = 0
		s = s[2:]
	}
	for at < 16 && len(s) > 0 {
		v, n := uint32(0), 0
		for n < len(s) && n < 5 {
			d := hexValue[s[n]]
			if d > 15 {
				break
			}
			v = v<<4 | uint32(d)
			n++
		}
		if n == 0 || n > 4 {
			return netip.Addr{}, false
		}
		if n < len(s) && s[n] == '.' { // an IPv4 tail
			a, k := scanIPv4(s)
			if k != len(s) || at > 12 {
				return netip.Addr{}, false
			}
			b := a.As4()
			copy(out[at:], b[:])
			at += 4
			s = nil
			break
		}
		out[at], out[at+1] = byte(v>>8), byte(v)
		at += 2
		s = s[n:]
		if len(s) == 0 {
			break
		}
		if s[0] != ':' || len(s) == 1 {
			return netip.Addr{}, false
		}
		s = s[1:]
		if s[0] == ':' {
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap = at
			s = s[1:]
		}
	}
	if len(s) > 0 {
		return netip.Addr{}, false
	}
	if at < 16 {
		if gap < 0 {
			return netip.Addr{}, false
		}
		move := at - gap
		copy(out[16-move:], out[gap:at])
		clear(out[gap : 16-move])
	} else if gap >= 0 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16(out).Unmap(), true
}

// hexValue is the value of a hexadecimal digit, else 255.
var hexValue = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range 10 {
		t['0'+i] = byte(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = byte(10+i), byte(10+i)
	}
	return t
}()

// indexFold is bytes.Index for a lower-case ASCII needle, whatever the case in s.
func indexFold(s []byte, needle string) int {
	for i := 0; i+len(needle) <= len(s); i++ {
		k := 0
		for k < len(needle) && lower(s[i+k]) == needle[k] {
			k++
		}
		if k == len(needle) {
			return i
		}
	}
	return -1
}

func lower(b byte) byte {
	if b-'A' < 26 {
		b += 'a' - 'A'
	}
	return b
}
