package vanguard

import (
	"fmt"
	"hash/maphash"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// Logs of one run may be written in different zones, and some name none: nginx says +0200, the application says nothing and means
// the same. Where the same requests stand in both, they line up once the second is moved by whole quarters of an hour, and by no
// other number of them. That is looked for in the fronts of the logs, before anything is observed; a zone that was asked for is
// left alone, and so is whatever is not plain.

const (
	frontBytes  = 192 << 10 // of each log's front, for the same result however the log is fed
	frontEvents = 2000      // of it, at most
	quarter     = int64(15 * time.Minute)
	maxQuarters = 56                     // 14 hours
	sameMoment  = int64(3 * time.Second) // between what two logs say of one request
	commonKey   = 8                      // requests of one client for one path, from which on they tell nothing
	zoneVotes   = 6                      // requests that must line up
	zoneKinds   = 3                      // different ones among them
	zoneLead    = 3                      // times as many as for any other number of quarters
)

// moment is one request of a log's front.
type moment struct {
	key  uint64
	time int64
}

// front returns the requests at the front of a Lane that are known again in another log: by their number, or by client and path.
// local tells whether its times name no zone.
func (l *Lane) front(seed maphash.Seed) (ms []moment, local bool) {
	if len(l.queue) == 0 {
		return nil, false
	}
	b := l.queue[0]
	bytes, zoned, named := 0, 0, 0
	for _, ev := range b.events[:min(b.n, frontEvents)] {
		if bytes += len(ev.Text); bytes > frontBytes {
			break
		}
		switch ev.Clock {
		case event.LocalClock:
			named++
		case event.ZonedClock:
			zoned++
		default:
			continue
		}
		if path := ev.Get(event.Path); ev.Client.IsValid() && len(path) > 0 {
			a := ev.Client.As16()
			ms = append(ms, moment{maphash.Bytes(seed, a[:]) + maphash.Bytes(seed, path), ev.Time})
		}
	}
	return ms, named > 9*zoned
}

// place moves the Lanes whose times name no zone to where their requests stand in those that do. The caller holds m.mu and a.mu.
func (m *merge) place() {
	if m.a.engine.format.Zone != nil {
		return
	}
	seed := maphash.MakeSeed()
	known := map[uint64][]int64{}
	fronts := make([][]moment, len(m.lanes))
	for i, l := range m.lanes {
		ms, local := l.front(seed)
		if local {
			fronts[i] = ms
			continue
		}
		for _, v := range ms {
			known[v.key] = append(known[v.key], v.time)
		}
	}
	if len(known) == 0 {
		return
	}
	for i, l := range m.lanes {
		q, n, ok := lineUp(fronts[i], known)
		if !ok || q == 0 {
			continue
		}
		l.shift = int64(q) * quarter
		for _, b := range l.queue {
			l.move(b)
		}
		l.see(l.queue[0].events[l.at])
		m.a.count.problem(fmt.Sprintf("%s: its times name no zone; %d requests that stand in another log as well say that it is %s", l.name, n, zoneName(-q)))
	}
}

// lineUp finds by how many quarters of an hour ms must be moved to stand where known has the same requests, and how many say so.
func lineUp(ms []moment, known map[uint64][]int64) (quarters, n int, ok bool) {
	var votes [2*maxQuarters + 1]int
	var kinds [2*maxQuarters + 1]map[uint64]bool
	asked := map[uint64]int{}
	for _, v := range ms {
		asked[v.key]++
	}
	for _, v := range ms {
		times := known[v.key]
		if len(times) > commonKey || asked[v.key] > commonKey {
			continue
		}
		var voted [2]uint64
		for _, t := range times {
			by := t - v.time
			q := (by + quarter/2) / quarter
			if by < -quarter/2 {
				q = (by - quarter/2) / quarter
			}
			if off := by - q*quarter; q < -maxQuarters || q > maxQuarters || off < -sameMoment || off > sameMoment {
				continue
			}
			i := q + maxQuarters
			if voted[i/64]>>(i%64)&1 != 0 {
				continue
			}
			voted[i/64] |= 1 << (i % 64)
			votes[i]++
			if kinds[i] == nil {
				kinds[i] = map[uint64]bool{}
			}
			kinds[i][v.key] = true
		}
	}
	best, second := 0, 0
	for i := range votes {
		if votes[i] > votes[best] {
			best = i
		}
	}
	for i := range votes {
		if i != best {
			second = max(second, votes[i])
		}
	}
	ok = votes[best] >= zoneVotes && len(kinds[best]) >= zoneKinds && votes[best] >= zoneLead*second
	return best - maxQuarters, votes[best], ok
}

// move sets the times of a batch right.
func (l *Lane) move(b *batch) {
	if l.shift == 0 {
		return
	}
	for _, ev := range b.events[:b.n] {
		if ev.Clock == event.LocalClock {
			ev.Time += l.shift
			ev.Clock = event.ZonedClock
		}
	}
}

// zoneName writes an offset from UTC: "UTC+02:00".
func zoneName(quarters int) string {
	sign := '+'
	if quarters < 0 {
		sign, quarters = '-', -quarters
	}
	return fmt.Sprintf("UTC%c%02d:%02d", sign, quarters/4, quarters%4*15)
}
