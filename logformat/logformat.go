// Package logformat turns a source's bytes into Events.
//
//	Transcoder (serial)               UTF-16 -> UTF-8, before buffering
//	Stream (serial, one per source)   bytes -> Blocks of whole records; finds the format
//	Block.Parse (pure, any goroutine) Block -> Events
//
// A record's Event depends on nothing but the record and the Block's format, so
// blocks may be parsed on all cores. Blocks are cut by content, not by how the bytes arrived, so that cutting
// the same bytes into other calls gives the same Events.
package logformat

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// Options say what a host knows about its logs.
type Options struct {
	Force string         // a format's name, or an nginx log_format or Apache LogFormat string; "" = detect
	Zone  *time.Location // zone of times that name none; nil = UTC
	Year  int            // year of dates that name none; 0 = 1970. A host gives the file's year.
	Trust []netip.Prefix // proxies whose X-Forwarded-For is believed, besides private and loopback addresses
}

// MaxRecord bounds one record in bytes: a longer line is cut there, counted, and the rest of it skipped.
const MaxRecord = 1 << 20

// MaxPending is the most that Stream.Next leaves unconsumed: with so much in its buffer it always goes on.
const MaxPending = MaxRecord + 1<<19

// A Block is a run of whole records of one source, and the format to read them by.
type Block struct {
	Source string
	Line   int    // 1-based number of the first line
	Bytes  []byte // borrowed from the caller of Stream.Next; what else a Block has is borrowed until the next call
	format *format
	recs   []cut // where the records stand, in a JSON document; nil where they are lines
	nodes  []node
}

// A cut is where a record stands in Block.Bytes, and its nodes in Block.nodes, if they are there.
type cut struct{ from, to, node, nodes int32 }

// Keep returns the block with its own copy of its bytes, in room or beyond: one that may be parsed after its Stream's next call.
func (b Block) Keep(room []byte) Block {
	b.Bytes, b.nodes = append(room[:0], b.Bytes...), nil
	return b
}

// A format is how to read a block. It never changes once a Block carries it.
type format struct {
	opt     *Options
	first   *shape // tried before all others: what this source is known to hold; nil = nothing known
	induced *shape // columns recognised by type, tried when no known shape fits; nil = none
	header  []byte // a line of column names, which is no record
	two     bool   // access log lines end with two quoted values, referer and agent; more are a client's forgery
	comment bool   // lines that start with '#' are directives (W3C, Zeek)
}

// Parse reads the block's records in order. next hands a filled Event over and
// returns the Event to fill next, reset; next(nil) only returns the first one.
// The last Event returned is left unfilled.
func (b Block) Parse(next func(*event.Event) *event.Event) {
	if len(b.Bytes) == 0 || b.format == nil {
		return
	}
	p := parsers.Get().(*parser)
	p.block, p.f, p.give = b, b.format, next
	p.ctx.opt = b.format.opt
	p.ctx.times = timeCache{}
	p.ctx.depth = 0
	ev := next(nil)
	if b.recs != nil {
		ev = p.elements(ev)
	} else {
		ev = p.lines(ev)
	}
	_ = ev // unfilled
	p.block, p.f, p.give = Block{}, nil, nil
	p.ctx.cur, p.ctx.opt, p.ctx.nodes = nil, nil, nil
	parsers.Put(p)
}

// A parser is the memory of one Parse call; kept because it is large.
type parser struct {
	ctx   ctx
	block Block
	f     *format
	give  func(*event.Event) *event.Event
	emit  func(*event.Event) *event.Event // method value of commit

	rec         []byte // the record at hand
	line, count int    // its first line and how many lines it has
}

var parsers = sync.Pool{New: func() any {
	p := &parser{}
	p.emit = p.commit
	return p
}}

// lines reads records that are cut at line ends.
func (p *parser) lines(ev *event.Event) *event.Event {
	b, line := p.block.Bytes, p.block.Line
	for len(b) > 0 {
		end, n, _ := recordEnd(b, true)
		rec := trimLine(b[:end])
		if len(rec) > 0 && rec[0] == 0 { // a hole that a crash or a truncation left in front of the line
			rec = bytes.TrimLeft(rec, "\x00")
		}
		if len(rec) > 0 && !isBlank(rec) && !(p.f.comment && rec[0] == '#') && (p.f.header == nil || !bytes.Equal(rec, p.f.header)) {
			ev = p.record(rec, line, n, ev)
		}
		b, line = b[end:], line+n
	}
	return ev
}

// elements reads the records of a JSON document.
func (p *parser) elements(ev *event.Event) *event.Event {
	b, line, at := p.block.Bytes, p.block.Line, 0
	for _, r := range p.block.recs {
		line += bytes.Count(b[at:r.from], newline)
		n := bytes.Count(b[r.from:r.to], newline)
		if p.ctx.nodes = nil; p.block.nodes != nil {
			p.ctx.nodes = p.block.nodes[r.node:r.nodes]
		}
		ev = p.record(trimLine(b[r.from:r.to]), line, n+1, ev)
		line, at = line+n, int(r.to)
	}
	return ev
}

func (p *parser) record(rec []byte, line, lines int, ev *event.Event) *event.Event {
	p.rec, p.line, p.count = rec, line, lines
	p.begin(ev)
	p.ctx.next, p.ctx.cur, p.ctx.single = p.emit, ev, lines == 1
	if p.ctx.read(p.f, rec) == nil {
		ev = p.ctx.cur
		ev.Why = "no known format"
	}
	ev = p.ctx.cur
	finish(&p.ctx, ev)
	return p.give(ev)
}

func (p *parser) begin(ev *event.Event) {
	ev.Source, ev.Line, ev.Lines, ev.Text = p.block.Source, p.line, p.count, p.rec
}

// commit is ctx.next.
func (p *parser) commit(ev *event.Event) *event.Event {
	ev.Understood = true
	if ev.Format == "" && p.ctx.shape != nil {
		ev.Format = p.ctx.shape.name
	}
	finish(&p.ctx, ev)
	ev = p.give(ev)
	p.begin(ev)
	p.ctx.cur = ev
	return ev
}

// read parses rec into c.cur by the shape that fits best, and returns it; nil if none does.
func (c *ctx) read(f *format, rec []byte) *shape {
	c.two = f.two
	if s := f.first; s != nil && c.try(s, rec) {
		return s
	}
	at := 0
	for at < len(rec)-1 && (rec[at] == ' ' || rec[at] == '\t') {
		at++ // pasted with an indent
	}
	for _, s := range byFirst[rec[at]] {
		if s != f.first && c.try(s, rec[at:]) {
			return s
		}
	}
	if f.induced != nil && c.try(f.induced, rec) {
		return f.induced
	}
	for _, s := range fallbacks {
		if c.try(s, rec) {
			return s
		}
	}
	return nil
}

// try parses rec by s into c.cur, and leaves c.cur as it was if s does not fit.
func (c *ctx) try(s *shape, rec []byte) bool {
	ev := c.cur
	c.shape = s
	if c.fits(s, rec, ev) {
		return true
	}
	source, line, lines, text := ev.Source, ev.Line, ev.Lines, ev.Text
	ev.Reset()
	ev.Source, ev.Line, ev.Lines, ev.Text = source, line, lines, text
	return false
}
