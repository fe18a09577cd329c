package vanguard

import (
	"fmt"
	"io"
	"sync"

	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/logformat"
	"github.com/helixvanguard/vanguard/rule"
	"github.com/helixvanguard/vanguard/witness"
)

const (
	bufferSize = 256 << 10 // bytes read before a block is cut
	inFlight   = 3         // blocks per worker that may wait
)

// A Source is one log: write its bytes in any pieces, then Close it.
type Source struct {
	a      *Analyzer
	name   string
	stream *logformat.Stream
	code   logformat.Transcoder
	buf    []byte // bytes that are read and not yet cut
	pipe   *pipe  // the workers, once there is enough to do for them
	lane   *Lane  // that it belongs to, where several logs are judged as one; else nil
	seen   int    // bytes written
	plain  bool   // the bytes are no UTF-16, so they may be read straight into buf
	closed bool
}

// Source starts a log with a name to show.
func (a *Analyzer) Source(name string) *Source { return a.SourceOf(name, a.engine.format.Year) }

// SourceOf is Source for a log of its own year: that of its dates which name none.
func (a *Analyzer) SourceOf(name string, year int) *Source {
	format := a.engine.format
	format.Year = year
	stream, err := logformat.NewStream(name, &format)
	if err != nil { // NewEngine checked the format already.
		panic("vanguard: " + err.Error())
	}
	return &Source{a: a, name: name, stream: stream}
}

// Write takes the next bytes of the log. It never fails: what cannot be read is counted.
func (s *Source) Write(p []byte) (int, error) {
	n := len(p)
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	for len(p) > 0 {
		k := min(len(p), max(bufferSize-len(s.buf), bufferSize/4))
		before := len(s.buf)
		s.buf = s.code.Append(s.buf, p[:k])
		s.plain = s.seen > 0 && len(s.buf)-before == k // the transcoder lets the bytes pass
		s.seen += k
		p = p[k:]
		if len(s.buf) >= bufferSize {
			s.drain(false)
		}
	}
	return n, nil
}

// ReadFrom reads r to its end: io.Copy(source, file) without a copy in between.
func (s *Source) ReadFrom(r io.Reader) (total int64, err error) {
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	for {
		if !s.plain || cap(s.buf)-len(s.buf) < bufferSize/8 {
			chunk := make([]byte, bufferSize/4)
			n, err := r.Read(chunk)
			total += int64(n)
			s.Write(chunk[:n])
			if err == io.EOF {
				return total, nil
			} else if err != nil {
				return total, err
			}
			continue
		}
		n, err := r.Read(s.buf[len(s.buf):cap(s.buf)])
		total += int64(n)
		s.buf = s.buf[:len(s.buf)+n]
		if len(s.buf) >= bufferSize {
			s.drain(false)
		}
		if err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
	}
}

// Flush judges what was written so far, a last line without its end included, so
// that Report shows it. More may be written afterwards.
func (s *Source) Flush() { s.drain(true) }

// Close ends the log.
func (s *Source) Close() error {
	if s.closed {
		return nil
	}
	s.buf = s.code.Flush(s.buf)
	s.drain(true)
	s.closed = true
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	st := s.stream.Stats()
	if st.Binary != "" {
		s.a.count.problem(s.name + ": " + st.Binary + " was not read")
	} else if st.Skipped > 0 {
		s.a.count.miss(fmt.Sprintf("%s: %s skipped", s.name, plural(int(st.Skipped), "byte")))
	}
	if st.Truncated > 0 {
		s.a.count.miss(fmt.Sprintf("%s: %s longer than %d bytes, judged by their front", s.name, plural(st.Truncated, "record"), logformat.MaxRecord))
	}
	return nil
}

// drain cuts blocks off the buffer and has them judged.
func (s *Source) drain(eof bool) {
	at := 0
	for {
		block, n := s.stream.Next(s.buf[at:], eof)
		if n == 0 {
			break
		}
		at += n
		if len(block.Bytes) > 0 {
			s.judge(block, eof)
		}
	}
	s.buf = s.buf[:copy(s.buf, s.buf[at:])]
	if eof && s.pipe != nil {
		s.pipe.stop()
		s.pipe = nil
	}
}

// judge runs one block through the flow: on the workers, or here where there is one
// core, or so little that starting workers costs more than it gains.
func (s *Source) judge(b logformat.Block, last bool) {
	a := s.a
	if s.lane != nil {
		s.lane.judge(b)
		return
	}
	if s.pipe == nil && a.workers > 1 && !last {
		s.pipe = newPipe(a)
	}
	if s.pipe != nil {
		s.pipe.submit(b)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.engine.idle.take()
	defer a.engine.idle.put(w)
	b.Parse(func(ev *event.Event) *event.Event {
		if ev != nil {
			w.signals = w.signals[:0]
			w.judge(ev, &w.signals)
			a.observe(ev, w.signals)
		}
		w.event.Reset()
		return &w.event
	})
}

// A worker is one goroutine's scratch memory for the pure part of the flow.
type worker struct {
	match   *rule.Matcher
	decode  decode.Memory
	witness *witness.Scorer // nil without a classifier
	scratch []byte          // for canonicalise
	dull    dullMemory
	repeats repeatMemory
	odd     uint64 // fields of the event that may need decoding
	signals []event.Signal
	event   event.Event
}

// idle keeps workers that nobody uses right now. A sync.Pool would lose them, and what they learnt, to the garbage collector.
type idle struct {
	set     *rule.Set
	witness *witness.Witness
	mu      sync.Mutex
	free    []*worker
}

func (i *idle) take() *worker {
	i.mu.Lock()
	defer i.mu.Unlock()
	if n := len(i.free); n > 0 {
		w := i.free[n-1]
		i.free = i.free[:n-1]
		return w
	}
	w := &worker{match: i.set.NewMatcher(), decode: decode.NewMemory(), dull: newDullMemory()}
	if i.witness != nil {
		w.witness = i.witness.NewScorer()
	}
	return w
}

func (i *idle) put(w *worker) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.free = append(i.free, w)
}

// judge decodes ev and appends what the rules and the classifier say of it.
func (w *worker) judge(ev *event.Event, dst *[]event.Signal) {
	look := w.dull.look(ev, w.match)
	key := w.repeats.key(ev, &look)
	if key != (repeatKey{}) && w.repeats.say(key, ev, w.match, dst) {
		return
	}
	w.odd = 0
	w.canonicalise(ev)
	from, fields := len(*dst), ev.Fields()
	*dst = w.match.Match(ev, *dst)
	dull := w.match.Quiet() &^ w.odd
	if w.witness != nil {
		*dst = w.witness.Judge(ev, *dst, from)
		dull &= w.witness.Quiet()
	}
	if look.unknown != 0 {
		w.dull.learn(&look, dull)
		if look.halves != [2]uint64{} && dull&dullFields[dullTarget] == dullFields[dullTarget] && w.match.Bare(ev.Get(event.Query)) {
			w.dull.learnHalves(&look)
		}
	}
	if key != (repeatKey{}) && (w.match.Tried() || len(ev.Decoded()) > 0) && w.match.Repeatable() {
		w.repeats.learn(key, ev, w.match, fields, (*dst)[from:])
	}
}

// A pipe judges blocks on several cores and observes them in the order in which they came: parallel equals serial.
type pipe struct {
	jobs    chan *batch // to the workers
	ordered chan *batch // to the observer, in order
	free    sync.Pool
	done    chan struct{} // closed when the observer has seen all
}

// A batch is a block with its judged events.
type batch struct {
	block   logformat.Block
	bytes   []byte // the block's own copy
	events  []*event.Event
	n       int
	ends    []int // ends[i] is where the signals of event i end
	signals []event.Signal
	done    chan struct{}
}

func newPipe(a *Analyzer) *pipe {
	p := &pipe{jobs: make(chan *batch, a.workers*inFlight), ordered: make(chan *batch, a.workers*inFlight), done: make(chan struct{})}
	p.free.New = func() any { return &batch{done: make(chan struct{}, 1)} }
	for range a.workers {
		go func() {
			w := a.engine.idle.take()
			defer a.engine.idle.put(w)
			for b := range p.jobs {
				b.judge(w)
				b.done <- struct{}{}
			}
		}()
	}
	go func() {
		defer close(p.done)
		for b := range p.ordered {
			<-b.done
			a.mu.Lock()
			from := 0
			for i, end := range b.ends {
				a.observe(b.events[i], b.signals[from:end])
				from = end
			}
			a.mu.Unlock()
			p.free.Put(b)
		}
	}()
	return p
}

// submit takes a copy of the block: copying costs a fiftieth of judging it, and leaves the Source one buffer for its whole life.
func (p *pipe) submit(block logformat.Block) {
	b := p.free.Get().(*batch)
	b.block = block.Keep(b.bytes)
	b.bytes = b.block.Bytes
	p.jobs <- b
	p.ordered <- b
}

// stop returns when everything was observed and the workers are gone.
func (p *pipe) stop() {
	close(p.jobs)
	close(p.ordered)
	<-p.done
}

// judge fills the batch from its block.
func (b *batch) judge(w *worker) {
	b.n, b.ends, b.signals = 0, b.ends[:0], b.signals[:0]
	b.block.Parse(func(ev *event.Event) *event.Event {
		if ev != nil {
			w.judge(ev, &b.signals)
			b.ends = append(b.ends, len(b.signals))
			b.n++
		}
		if b.n == len(b.events) {
			b.events = append(b.events, new(event.Event))
		}
		next := b.events[b.n]
		next.Reset()
		return next
	})
}
