package vanguard

import (
	"slices"
	"strings"
	"sync"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/logformat"
)

// lookAhead is how many judged blocks of one Lane may wait for the other Lanes.
const lookAhead = 1

// A Lane is one of several logs that are judged as one: its events and those of the other Lanes are taken in the order of their
// times, so that what one client did in the access log, the application's log and the cloud's is one story. A Lane is
// a sequence of Sources, such as the rotated pieces of a log, each written and closed before the next begins; its events keep
// their order among themselves, and one without a time stays behind the one before it.
//
// Each Lane is to be fed from a goroutine of its own: writing blocks while the Lane is ahead of the others. How fast each is
// fed, and in which order they were named, changes nothing in the report.
type Lane struct {
	m     *merge
	name  string
	queue []*batch      // judged, and not yet observed whole
	at    int           // of queue[0]: the event that is next
	key   int64         // time of that event, or of the last one before it that has a time
	room  chan struct{} // a token for each batch that is judged or waits
	shift int64         // nanoseconds to add to times that name no zone, see place
	done  bool
}

// A merge observes the events of its Lanes in the order of time.
type merge struct {
	a     *Analyzer
	mu    sync.Mutex
	lanes []*Lane       // by name
	begun bool          // the first event was taken
	work  chan struct{} // a token for each Lane that judges right now: as many as there are workers
	free  sync.Pool
}

// Together starts a Lane for each name, in the order of names, which must differ. With one Lane nothing is to be merged, and its
// Sources are those of Source.
func (a *Analyzer) Together(names ...string) []*Lane {
	if len(names) == 1 {
		return []*Lane{{m: &merge{a: a}, name: names[0]}}
	}
	m := &merge{a: a, work: make(chan struct{}, a.workers)}
	m.free.New = func() any { return &batch{} }
	for _, name := range names {
		m.lanes = append(m.lanes, &Lane{m: m, name: name, key: -1 << 63, room: make(chan struct{}, lookAhead+1)})
	}
	lanes := slices.Clone(m.lanes)
	slices.SortStableFunc(m.lanes, func(a, b *Lane) int { return strings.Compare(a.name, b.name) })
	return lanes
}

// Source starts the next log of the Lane. year is that of its dates which name none; 0 stands for the Engine's.
func (l *Lane) Source(name string, year int) *Source {
	if year == 0 {
		year = l.m.a.engine.format.Year
	}
	s := l.m.a.SourceOf(name, year)
	if l.room != nil {
		s.lane = l
	}
	return s
}

// Close ends the Lane: the others wait for it no longer.
func (l *Lane) Close() {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	l.done = true
	l.m.advance()
}

// judge judges a block and lets its events wait for their turn.
func (l *Lane) judge(block logformat.Block) {
	m := l.m
	l.room <- struct{}{} // given back when the batch was observed
	m.work <- struct{}{}
	b := m.free.Get().(*batch)
	b.block = block.Keep(b.bytes)
	b.bytes = b.block.Bytes
	w := m.a.engine.idle.take()
	b.judge(w)
	m.a.engine.idle.put(w)
	<-m.work

	m.mu.Lock()
	defer m.mu.Unlock()
	if b.n == 0 {
		l.release(b)
		return
	}
	l.move(b)
	l.queue = append(l.queue, b)
	if len(l.queue) == 1 {
		l.at = 0
		l.see(b.events[0])
	}
	m.advance()
}

// see makes ev the event that is next.
func (l *Lane) see(ev *event.Event) {
	if ev.Clock != event.NoClock {
		l.key = ev.Time
	}
}

func (l *Lane) release(b *batch) {
	l.m.free.Put(b)
	<-l.room
}

// advance observes events for as long as it is known which is next: until a Lane that is not done has none. The caller holds m.mu.
func (m *merge) advance() {
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	for {
		var first, second *Lane
		for _, l := range m.lanes {
			switch {
			case len(l.queue) == 0 && l.done:
			case len(l.queue) == 0:
				return
			case first == nil || l.key < first.key:
				first, second = l, first
			case second == nil || l.key < second.key:
				second = l
			}
		}
		if first == nil {
			return
		}
		if !m.begun {
			m.begun = true
			m.place()
			continue
		}
		first.observe(second)
	}
}

// observe takes l's events up to the first one that comes after the next of other, which may be nil.
func (l *Lane) observe(other *Lane) {
	for len(l.queue) > 0 {
		b := l.queue[0]
		from := 0
		if l.at > 0 {
			from = b.ends[l.at-1]
		}
		l.m.a.observe(b.events[l.at], b.signals[from:b.ends[l.at]])
		l.at++
		if l.at == b.n {
			l.queue = slices.Delete(l.queue, 0, 1)
			l.at = 0
			l.release(b)
			if len(l.queue) == 0 {
				return
			}
		}
		l.see(l.queue[0].events[l.at])
		if other != nil && (l.key > other.key || l.key == other.key && other.name < l.name) {
			return
		}
	}
}
