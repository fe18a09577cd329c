package logformat

import (
	"bytes"
)

// blockSize is how much a Block holds, if there is as much. Blocks are cut at places that depend on the
// bytes alone: nothing is cut before blockSize bytes are at hand or the input ends.
const blockSize = 1 << 17

// Stats counts what a Stream met besides records.
type Stats struct {
	Lines     int    // lines consumed
	Truncated int    // records that were longer than MaxRecord
	Skipped   int64  // bytes that belong to no record: the rest of too long records, runs of NUL, binary data
	Binary    string // what the source is, if it is no text: "gzip", "binary data"...; nothing of it was read
}

// A Stream cuts one source into Blocks.
type Stream struct {
	source string
	opt    *Options
	format *format
	forced *shape // by Options.Force

	line    int // number of the line that the unconsumed bytes start with
	need    int // bytes that must be at hand before another look is worth it
	started bool
	skip    bool // inside a line that was too long
	doc     *document
	nodes   []node // of the last Block that was cut off a document
	header  []byte // the first word of the header line that made the format, with the '\n' before it
	checked int    // blocks since the format was last found
	wait    int    // blocks to let pass before the format is looked for again

	stats   Stats
	sampler *sampler
}

// NewStream starts a source. The error is about opt.Force.
func NewStream(source string, opt *Options) (*Stream, error) {
	s := &Stream{source: source, line: 1, opt: &Options{}}
	if opt != nil {
		own := *opt
		s.opt = &own
	}
	if s.opt.Force != "" {
		forced, err := forcedShape(s.opt.Force)
		if err != nil {
			return nil, err
		}
		s.forced = forced
	}
	s.format = &format{opt: s.opt, first: s.forced}
	return s, nil
}

// Stats returns what was counted up to now.
func (s *Stream) Stats() Stats {
	st := s.stats
	st.Lines = s.line - 1
	return st
}

// Format names the format that the source is read by at this point; "" if none is known yet.
func (s *Stream) Format() string {
	switch f := s.format; {
	case f.first != nil:
		return f.first.name
	case f.induced != nil:
		return f.induced.name
	}
	return ""
}

// Next takes the front of buf, the bytes that were read and not yet consumed. It
// returns a Block of whole records and how many bytes of buf are done with (the Block's, and
// what was skipped: the Block may be empty). n == 0 asks for more bytes; with eof there are none to come, and n == 0 means that all is done.
//
// A live host that wants its records at once says eof at the end of a line, and may go on with more bytes
// afterwards. Of a buffer with MaxPending bytes it always takes some.
func (s *Stream) Next(buf []byte, eof bool) (b Block, n int) {
	if len(buf) == 0 || len(buf) < s.need && !eof {
		return Block{}, 0
	}
	if s.stats.Binary != "" {
		s.stats.Skipped += int64(len(buf))
		return Block{}, len(buf)
	}
	if s.skip {
		return Block{}, s.skipLine(buf)
	}
	if !s.started {
		if len(buf) < blockSize && !eof {
			s.need = blockSize
			return Block{}, 0
		}
		if n := s.start(buf); n > 0 {
			return Block{}, n
		}
	}
	if s.doc != nil {
		b, n = s.nextElements(buf, eof)
		if n > 0 || s.doc != nil {
			return b, n
		}
	}
	return s.nextLines(buf, eof)
}

// start looks at the first bytes of the source. n > 0 bytes are to be skipped.
func (s *Stream) start(buf []byte) (n int) {
	if bytes.HasPrefix(buf, []byte("\xef\xbb\xbf")) && s.line == 1 {
		return 3
	}
	if buf[0] == 0 { // a log that was truncated under its writer starts with a hole
		return s.skipHole(buf)
	}
	s.started = true
	if s.stats.Binary = binaryKind(buf); s.stats.Binary != "" {
		s.stats.Skipped += int64(len(buf))
		return len(buf)
	}
	if s.forced == nil || buf[0] == '{' || buf[0] == '[' {
		s.doc = openDocument(buf)
	}
	return 0
}

// skipHole skips the run of NULs that buf starts with.
func (s *Stream) skipHole(buf []byte) (n int) {
	for n < len(buf) && buf[n] == 0 {
		n++
	}
	s.stats.Skipped += int64(n)
	s.need = 0
	return n
}

// skipLine skips the rest of a line that was too long.
func (s *Stream) skipLine(buf []byte) (n int) {
	n = len(buf)
	if nl := bytes.IndexByte(buf, '\n'); nl >= 0 {
		n = nl + 1
		s.line++
		s.skip = false
	}
	s.stats.Skipped += int64(n)
	return n
}

// nextLines cuts records that are lines.
func (s *Stream) nextLines(buf []byte, eof bool) (Block, int) {
	if buf[0] == 0 {
		return Block{}, s.skipHole(buf)
	}
	if len(buf) < blockSize && !eof {
		s.need = blockSize
		return Block{}, 0
	}
	n := s.cutLines(buf, eof)
	if n == 0 {
		return Block{}, 0
	}
	if n > MaxRecord && bytes.IndexByte(buf[:MaxRecord+1], '\n') < 0 {
		s.stats.Truncated++
		s.skip = true
		n = MaxRecord
	}
	// A header governs what stands below it.
	if at := s.headerIn(buf[:n]); at > 0 {
		n = at
	} else if at == 0 {
		if next := s.nextHeader(buf[:n], s.readHeader(buf[:n])); next > 0 {
			n = next
		}
	}
	bytesOf := buf[:n]
	s.choose(bytesOf)
	b := Block{Source: s.source, Line: s.line, Bytes: bytesOf, format: s.format}
	s.line += bytes.Count(bytesOf, newline)
	if eof && n == len(buf) && bytesOf[n-1] != '\n' && !s.skip {
		s.line++
	}
	s.need = 0
	return b, n
}

// cutLines returns how many bytes of buf make a block of whole records; 0 asks for more. More than MaxRecord means a
// record that is too long.
func (s *Stream) cutLines(buf []byte, eof bool) int {
	if eof && len(buf) <= blockSize {
		return len(buf)
	}
	window := buf[:min(len(buf), blockSize)]
	// The last line that starts a record, and whose end is in sight.
	next := bytes.LastIndexByte(window, '\n') // end of the line that may continue
	for next > 0 {
		at := bytes.LastIndexByte(window[:next], '\n')
		if at < 0 {
			break
		}
		prev := window[bytes.LastIndexByte(window[:at], '\n')+1 : at]
		if line := window[at+1 : next]; len(trimLine(line)) > 0 && (!mayContinue[line[0]] || !continues(prev, line) && !stillTrace(line)) {
			return at + 1
		}
		next = at
	}
	// No line in the window surely starts a record: find the ends one by one.
	view := buf[:min(len(buf), MaxPending)]
	whole := eof && len(view) == len(buf)
	end, _, ok := recordEnd(view, whole)
	if !ok && end <= MaxRecord && len(buf) == len(view) {
		s.need = min(len(buf)+blockSize, MaxPending)
		return 0
	}
	for end < blockSize && end < len(view) {
		n, _, ok := recordEnd(view[end:], whole)
		if !ok || end+n > MaxRecord {
			break
		}
		end += n
	}
	return end
}
