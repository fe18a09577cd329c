// Package logformat turns a source's bytes into Events.
//
//	Stream (serial, one per source)   bytes -> Blocks of whole records; finds the format
//	Block.Parse (pure, any goroutine) Block -> Events
//
// A record's Event depends on nothing but the record and the Block's Format, so
// blocks may be parsed on all cores, and cutting the same bytes elsewhere gives the same Events.
package logformat

import (
	"net/netip"
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

// A Block is a run of whole records of one source, and the format to read them by.
type Block struct {
	Source string
	Line   int    // 1-based number of the first line
	Bytes  []byte // borrowed from the caller of Stream.Next
	format *format
}
type format struct{}

// A Stream cuts one source into Blocks.
type Stream struct{}

// NewStream starts a source. The error is about opt.Force.
func NewStream(source string, opt *Options) (*Stream, error) { return &Stream{}, nil }

// Next takes the front of buf, the bytes that were read and not yet consumed. It
// returns a Block of whole records and how many bytes of buf are done with (the Block's, and
// what was skipped). n == 0 asks for more bytes; with eof there are none to come, and n == 0 means that all is done.
func (s *Stream) Next(buf []byte, eof bool) (b Block, n int) { return Block{}, 0 }

// Parse reads the block's records in order. next hands a filled Event over and
// returns the Event to fill next, reset; next(nil) only returns the first one.
// The last Event returned is left unfilled.
func (b Block) Parse(next func(*event.Event) *event.Event) {}
