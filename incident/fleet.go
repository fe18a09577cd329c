package incident

import (
	"bytes"
	"math/bits"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// What no single client shows: many that take turns. A catalogue that is read in order of its numbers, each number by another
// address, and a page that is asked for around the cache by many at once until the server fails.

const (
	fleetSlots = 16 // routes that are followed at the same time, a power of two
	fleetSpan  = 15 * time.Minute
	fleetSteps = 80 // numbers in order within fleetSpan
	fleetAhead = 8  // numbers by which those who take turns may be ahead of each other
	fleetWhile = 20 // requests elsewhere on the route before a new beginning is looked for
	fleetSize  = 10 // clients, at least

	rushSpan = 10 * time.Second
	rushAsks = 150 // requests around the cache for one page within rushSpan
	rushFail = 5   // one in so many is answered 429 or 5xx
)

var (
	fleetSeen = &event.Detector{By: "profile:catalogue_fleet", Name: "catalogue_fleet", Title: "Many clients read a catalogue in order of its numbers",
		Why:    "Number after number of a catalogue was asked for in order, by many addresses that take turns: a program copies it and hides behind them.",
		Threat: "bot-scraping", Level: event.Low, Confidence: 0.55, Stage: "recon", Noise: true, Attack: []string{"T1593"}}
	rushSeen = &event.Detector{By: "profile:cache_bypass_fleet", Name: "cache_bypass_fleet", Title: "Many clients ask for one page around the cache, and the server fails",
		Why:    "Many addresses asked for one page within seconds, each time with another meaningless query, so that no cache can answer, and the server failed or refused.",
		Threat: "dos-flood", Level: event.Medium, Confidence: 0.7, Stage: "action", Attack: []string{"T1499.003"}}
)

// A fleet is the way of all clients together through the numbers of one route.
type fleet struct {
	Route   uint64
	Began   int64
	Last    int64
	At      int64 // the highest number so far
	Steps   uint16
	Misses  uint16 // requests for other numbers
	Clients uint64 // who took the steps, one bit each
}

// A rush is what all clients together ask for around the cache.
type rush struct {
	Path    uint32
	Began   int64
	Asks    uint16
	Failed  uint16
	Clients uint64
}

// turn follows one request for a numbered page that nothing led to, and tells whether a fleet reads the catalogue.
func (ws *walkers) turn(o *object, who uint64, path []byte, now int64) bool {
	f := &ws.Fleets[o.key>>24%fleetSlots]
	if f.Route != o.key || now-f.Began > int64(fleetSpan) || f.Began > now {
		if f.Route != o.key && f.Steps > fleetWhile && now-f.Last < int64(rushSpan) && f.Last <= now {
			return false // another walk is under way
		}
		*f = fleet{Route: o.key, Began: now, At: o.id}
	}
	f.Last = now
	switch by := o.id - f.At; {
	case by > 0 && by <= fleetAhead:
		f.At = o.id
		f.Steps = min(f.Steps+1, 1<<15)
		f.Clients |= 1 << (who >> 8 % 64)
	case by > -fleetAhead && by < 0:
	default:
		f.Misses = min(f.Misses+1, 1<<15)
		if f.Misses > f.Steps+fleetWhile {
			*f = fleet{Route: o.key, Began: now, Last: now, At: o.id}
		}
	}
	return f.Steps >= fleetSteps && f.Steps >= 2*f.Misses && bits.OnesCount64(f.Clients) >= fleetSize && catalogue(path)
}

// push follows one request around the cache, and tells whether a rush of many makes the server fail.
func (ws *walkers) push(path uint32, who uint64, status int, now int64) bool {
	r := &ws.Rush
	if r.Path != path || now-r.Began > int64(rushSpan) || r.Began > now {
		if r.Path != path && r.Asks > rushAsks/4 && now-r.Began <= int64(rushSpan) && r.Began <= now {
			return false
		}
		*r = rush{Path: path, Began: now}
	}
	r.Asks = min(r.Asks+1, 1<<15)
	r.Clients |= 1 << (who >> 8 % 64)
	if status == 429 || status >= 500 {
		r.Failed = min(r.Failed+1, 1<<15)
	}
	return r.Asks >= rushAsks && int(r.Failed)*rushFail >= int(r.Asks) && bits.OnesCount64(r.Clients) >= fleetSize
}

// catalogue tells whether the numbers of a path were given out long before: to goods and articles. Orders, jobs and messages are made
// one after the other, and each belongs to another client from the start.
func catalogue(path []byte) bool {
	for _, p := range catalogueParts {
		if bytes.Contains(path, p) {
			return true
		}
	}
	return false
}

var catalogueParts = [...][]byte{[]byte("product"), []byte("item"), []byte("listing"), []byte("article"), []byte("catalog"), []byte("offer"), []byte("/p/"), []byte("/post"), []byte("/ad/"), []byte("/ads/"), []byte("propert"),
	[]byte("vehicle"), []byte("book"), []byte("recipe"), []byte("hotel"), []byte("restaurant"), []byte("compan"), []byte("/event"), []byte("movie"), []byte("song"), []byte("photo"), []byte("profile"), []byte("topic"), []byte("/page"), []byte("/detail"), []byte("artikel"), []byte("produkt"), []byte("produit")}
