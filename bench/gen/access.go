package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"
)

// A site is a shop with a blog, a JSON API and a search, its visitors, and those who attack it.
type site struct {
	r       *rand.Rand
	clients int
	agents  []string
	pages   []string
	assets  []string
	at      []string // current page of each of the most active clients
	line    []byte
	stamp   string // the current second, formatted
	second  int64
}

func newSite(r *rand.Rand, clients int) *site {
	s := &site{r: r, clients: clients, agents: userAgents(r), at: make([]string, 1<<16)}
	categories := []string{"shoes", "jackets", "bags", "outdoor", "kitchen", "garden", "toys", "books", "music", "sale"}
	for i := range 2500 {
		s.pages = append(s.pages, fmt.Sprintf("/shop/%s/%s-%s-%d", pick(r, categories), pick(r, words), pick(r, words), 1000+i))
	}
	for range 400 {
		s.pages = append(s.pages, fmt.Sprintf("/blog/2026/%02d/%s-%s-and-%s", 1+r.IntN(11), pick(r, words), pick(r, words), pick(r, words)))
	}
	s.pages = append(s.pages, "/", "/", "/about", "/contact", "/shop/", "/blog/", "/help/shipping", "/help/returns", "/account", "/cart", "/checkout")
	for i := range 600 {
		hash := fmt.Sprintf("%08x", r.Uint32())
		s.assets = append(s.assets,
			fmt.Sprintf("/assets/js/chunk-%d.%s.js", i, hash), fmt.Sprintf("/assets/css/%s.%s.css", pick(r, words), hash),
			fmt.Sprintf("/media/products/%d/%s_%dx%d.jpg", 1000+i, pick(r, words), 200<<r.IntN(3), 200<<r.IntN(3)),
			fmt.Sprintf("/media/products/%d/%s.webp", 1000+r.IntN(2500), pick(r, words)))
	}
	s.assets = append(s.assets, "/favicon.ico", "/assets/fonts/inter-var.woff2", "/assets/img/logo.svg", "/manifest.webmanifest", "/robots.txt")
	return s
}

const start = 1_795_392_000 // 23 November 2026, 00:00 UTC

// write writes n lines of one day. Three of a hundred belong to an attack.
func (s *site) write(out *bufio.Writer, n int) error {
	attackers := make([]campaign, 240)
	for i := range attackers {
		attackers[i] = campaign{client: s.clients - 1 - i*7, kind: i % len(attacks)}
	}
	for i := range n {
		now := start + int64(i)*86400/int64(n)
		var err error
		if s.r.IntN(100) < 3 {
			// Campaigns come one after another, a few at a time, as they do.
			at := i*len(attackers)/n + s.r.IntN(4)
			err = s.attack(out, now, &attackers[at%len(attackers)])
		} else {
			err = s.visit(out, now, s.visitor())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeOnceEach writes one line of each client, in no order of address.
func (s *site) writeOnceEach(out *bufio.Writer) error {
	for i := range s.clients {
		if err := s.visit(out, start+int64(i)*86400/int64(s.clients), i); err != nil {
			return err
		}
	}
	return nil
}

// visitor picks a client: a few are busy, most come rarely.
func (s *site) visitor() int {
	f := s.r.Float64()
	return int(f * f * f * float64(s.clients-2000))
}

// address spreads clients over the public IPv4 space; each client has one of its own.
func address(client int) string {
	x := uint32(client) * 2654435761 // odd, so this is a permutation of all addresses
	a, b, c, d := x>>24, x>>16&255, x>>8&255, x&255
	switch { // Move what is not public to IPv6, where it stays distinct.
	case a == 0, a == 10, a == 127, a >= 224, a == 100 && b&0xc0 == 64, a == 169 && b == 254, a == 172 && b&0xf0 == 16, a == 192 && (b == 168 || b == 0), a == 198 && b&0xfe == 18:
		return fmt.Sprintf("2001:db8:%x:%x::%x", x>>16, x>>8&0xff, client&0xff)
	}
	return fmt.Sprintf("%d.%d.%d.%d", a, b, c, d)
}

func (s *site) put(out *bufio.Writer, now int64, client int, user, request string, status, size int, referer, agent string) error {
	if now != s.second {
		s.second, s.stamp = now, time.Unix(now, 0).UTC().Format("02/Jan/2006:15:04:05 +0000")
	}
	_, err := fmt.Fprintf(out, "%s - %s [%s] \"%s\" %d %d \"%s\" \"%s\"\n", address(client), user, s.stamp, request, status, size, referer, agent)
	return err
}

func (s *site) visit(out *bufio.Writer, now int64, client int) error {
	r := s.r
	slot := &s.at[client&(len(s.at)-1)]
	if *slot == "" {
		*slot = pick(r, s.pages)
	}
	agent := s.agents[int(uint32(client)*40503>>3)%len(s.agents)]
	version := "HTTP/1.1"
	if client&3 != 0 {
		version = "HTTP/2.0"
	}
	here := "https://www.example.com" + *slot
	user, method, target, status, size := "-", "GET", "", 200, 0
	switch k := r.IntN(100); {
	case k < 52: // what the page needs
		target, size = pick(r, s.assets), 800+r.IntN(180_000)
		if r.IntN(4) == 0 {
			target += fmt.Sprintf("?v=%d.%d.%d", 1+r.IntN(4), r.IntN(20), r.IntN(9))
		}
		if r.IntN(6) == 0 {
			status, size = 304, 0
		}
	case k < 74: // another page
		target, size = pick(r, s.pages), 9_000+r.IntN(60_000)
		if r.IntN(5) == 0 {
			target += fmt.Sprintf("?page=%d&sort=%s", 1+r.IntN(9), pick(r, []string{"price_asc", "price_desc", "newest", "rating"}))
		}
		if r.IntN(6) == 0 {
			here = pick(r, []string{"https://www.google.com/", "https://www.bing.com/", "https://duckduckgo.com/", "-", "https://news.example.org/item?id=" + fmt.Sprint(40_000_000+r.IntN(999_999))})
			target += fmt.Sprintf("?utm_source=%s&utm_medium=%s&utm_campaign=%s_%s", pick(r, []string{"newsletter", "google", "partner"}), pick(r, []string{"email", "cpc", "referral"}), pick(r, words), pick(r, words))
		}
		*slot, _, _ = strings.Cut(target, "?")
	case k < 80: // a search, as browsers encode it
		terms := pick(r, words) + " " + pick(r, words)
		if r.IntN(4) == 0 {
			terms = pick(r, searches)
		}
		target, size = "/search?q="+url.QueryEscape(terms), 4_000+r.IntN(30_000)
		if r.IntN(3) == 0 {
			target += fmt.Sprintf("&category=%s&price=%d-%d&in_stock=1", pick(r, words), r.IntN(50), 50+r.IntN(500))
		}
	case k < 93: // the page's own API
		target, size = pick(r, []string{"/api/v1/cart", "/api/v1/session", "/api/v1/recommendations?limit=12", "/api/v1/products/" + fmt.Sprint(1000+r.IntN(2500)), "/api/v1/stock?ids=" + fmt.Sprintf("%d,%d,%d", 1000+r.IntN(2500), 1000+r.IntN(2500), 1000+r.IntN(2500)), "/api/v1/suggest?q=" + pick(r, words)[:3], "/graphql"}), 120+r.IntN(6_000)
		if target == "/graphql" || r.IntN(5) == 0 {
			method = "POST"
		}
		if r.IntN(50) == 0 {
			status, size = 401, 112
		}
	case k < 95: // an old link, or a file that is not there
		target, status, size = pick(r, []string{"/old/", "/products/", "/img/"})+pick(r, words)+pick(r, []string{".html", ".png", ""}), 404, 1_234
	case k < 97:
		target, status, size = pick(r, s.pages)+"/", 301, 169
	case k < 98:
		method, target, status, size = "POST", pick(r, []string{"/login", "/cart/add", "/newsletter", "/checkout/address"}), 302, 0
	default: // files with names that people give them
		target, size = pick(r, []string{"/files/Annual%20Report%202026%20(final).pdf", "/media/uploads/Caf%C3%A9-M%C3%BCnchen.jpg", "/files/Insert%20vs%20Crop.png", "/wiki/%D0%9C%D0%BE%D1%81%D0%BA%D0%B2%D0%B0", "/media/" + pick(r, words) + "%20copy.jpg"}), 20_000+r.IntN(900_000)
	}
	return s.put(out, now, client, user, method+" "+target+" "+version, status, size, here, agent)
}

// userAgents makes about three hundred, as a day of a public site shows.
func userAgents(r *rand.Rand) (list []string) {
	for v := 110; v < 143; v++ {
		for _, os := range []string{"Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64", "Linux; Android 10; K"} {
			mobile := ""
			if strings.Contains(os, "Android") {
				mobile = " Mobile"
			}
			list = append(list, fmt.Sprintf("Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0%s Safari/537.36", os, v, mobile))
		}
		list = append(list,
			fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%d.0) Gecko/20100101 Firefox/%d.0", v-2, v-2),
			fmt.Sprintf("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", v-2, v-2),
			fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36 Edg/%d.0.%d.%d", v, v, 1000+r.IntN(2000), r.IntN(99)))
	}
	for major := 15; major < 19; major++ {
		for minor := range 7 {
			list = append(list,
				fmt.Sprintf("Mozilla/5.0 (iPhone; CPU iPhone OS %d_%d like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.%d Mobile/15E148 Safari/604.1", major, minor, major, minor),
				fmt.Sprintf("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.%d Safari/605.1.15", major, minor))
		}
	}
	return append(list,
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/142.0.0.0 Safari/537.36",
		"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
		"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
		"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
		"Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; like FeedFetcher-Google)",
		"UptimeRobot/2.0; http://www.uptimerobot.com/", "Dalvik/2.1.0 (Linux; U; Android 13; SM-G991B Build/TP1A.220624.014)", "okhttp/4.12.0", "ShopApp/5.4.1 (iPhone; iOS 18.1; Scale/3.00)")
}

var words = strings.Fields(`amber apple arrow autumn basket beach berry birch blue bottle brook candle canvas cedar chair cherry cloud clover coast copper coral
cotton crimson crystal dawn delta denim desert dune eagle early ember evening feather fern field forest fox frost garden ginger glass golden granite grape green
harbor hazel honey indigo island ivory jade jasmine juniper lake lantern lavender leather lemon light lilac linen maple marble meadow mint misty moon morning
mountain navy north oak ocean olive orange orchid paper peach pearl pebble pine plum poppy quartz quick quiet rain raven river robin rose ruby saffron sand scarlet
shadow silver sky slate snow spring spruce stone storm summer sun swift teal thunder timber topaz valley velvet violet walnut water willow winter wood wool`)

// searches are what people type that looks a little like something else.
var searches = []string{
	"select a gift from the list", "union jack t-shirt", "men's shoes", "rock & roll", "café crème", "größe 42", "C++ book", "50% off", "drop table lamp", "order by phone",
	"script font", "1=1 poster", "naïve art", "кроссовки", "スニーカー", "where to buy and how", "cat bed", "wget t-shirt", "alert bracelet (medical)", "size: 10.5 / EU 44",
}
