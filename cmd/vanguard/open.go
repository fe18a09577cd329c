package main

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	readBuffer = 256 << 10 // bytes asked of a file at once
	zstdWindow = 128 << 20 // memory that a zstd file may ask for; what zstd itself grants
	maxResync  = 1 << 12   // places of a damaged gzip file at which a new member is looked for
	sniffed    = 1 << 10   // bytes that decide whether a file of a folder is text

)

// A logReader is an opened log: its text, whatever it was packed in.
type logReader struct {
	io.Reader
	close  []func() error
	packed bool
	text   *meter // counts what came out
}

func (l *logReader) Close() error {
	var err error
	for _, c := range l.close {
		err = errors.Join(err, c())
	}
	return err
}

// meter counts the bytes that pass, and ends when ctx does.
type meter struct {
	io.Reader
	ctx   context.Context
	bytes atomic.Int64
	lines int64
	count bool // count lines as well
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.Reader.Read(p)
	m.bytes.Add(int64(n))
	if m.count {
		m.lines += int64(bytes.Count(p[:n], []byte{'\n'}))
	}
	return n, err
}

// place says where in the text reading stopped.
func (l *logReader) place() string {
	return fmt.Sprintf("after line %d, byte %d of the text", l.text.lines, l.text.bytes.Load())
}

// errSkip says that a log is nothing that can be read as text.
type errSkip struct{ why string }

func (e errSkip) Error() string { return e.why }

// openLog opens one log and unpacks what its first bytes say it is. raw counts the stored bytes as they are read.
func openLog(ctx context.Context, in input, raw *atomic.Int64, unpackLimit int64) (*logReader, error) {
	l := &logReader{}
	var stored io.Reader
	if in.path == stdinName {
		stored = newAsync(ctx, os.Stdin)
	} else {
		f, err := openFile(ctx, in.path)
		if err != nil {
			return nil, err
		}
		l.close = append(l.close, f.Close)
		stored = f
		if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
			stored = newAsync(ctx, f)
		}
	}
	in2 := bufio.NewReaderSize(&tally{stored, raw}, readBuffer)
	head, err := in2.Peek(sniffed)
	if errors.Is(err, context.Canceled) && len(head) > 0 { // interrupted: what is there counts
		l.text = &meter{Reader: bytes.NewReader(head), ctx: context.Background()}
		l.Reader = l.text
		return l, nil
	} else if err != nil && err != io.EOF {
		l.Close()
		return nil, plainError(in.path, err)
	}
	var text io.Reader = in2
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		l.packed, text = true, &gzipMembers{src: in2}
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), len(head) > 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		z, err := zstd.NewReader(in2, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("%s: %w", in.name(), err)
		}
		l.close = append(l.close, func() error { z.Close(); return nil })
		l.packed, text = true, z
	case len(head) > 3 && bytes.HasPrefix(head, []byte("BZh")) && head[3] >= '1' && head[3] <= '9':
		l.packed, text = true, bzip2.NewReader(in2)
	default:
		if why := notText(head, in.found); why != "" {
			l.Close()
			return nil, errSkip{why}
		}
	}
	if l.packed {
		text = &limited{text, unpackLimit}
	}
	l.text = &meter{Reader: text, ctx: ctx, count: l.packed}
	l.Reader = l.text
	return l, nil
}

// openFile is os.Open that ends when ctx does: a named pipe opens only once somebody writes to it.
func openFile(ctx context.Context, path string) (*os.File, error) {
	if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
		f, err := os.Open(path)
		if err != nil {
			return nil, plainError(path, err)
		}
		return f, nil
	}
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(path)
		done <- opened{f, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case o := <-done:
		if o.err != nil {
			return nil, plainError(path, o.err)
		}
		return o.f, nil
	}
}

// notText names a kind of file that holds no log lines, by its first bytes. A file that was only found
// in a folder is also passed over if it is binary; one that the user named is tried.
func notText(head []byte, found bool) string {
	for _, k := range [...]struct{ magic, why string }{
		{"\xfd7zXZ\x00", "is xz, which is not read here; use: xz -dc FILE | vanguard scan -"},
		{"PK\x03\x04", "is a zip archive; unpack it first"},
		{"7z\xbc\xaf\x27\x1c", "is a 7z archive; unpack it first"},
		{"LPKSHHRH", "is a systemd journal; use: journalctl -o json | vanguard scan -"},
		{"SQLite format 3\x00", "is a database"},
		{"\x7fELF", "is a program"},
		{"%PDF-", "is a PDF"},
		{"\x89PNG", "is a picture"},
		{"PAR1", "is Parquet; export it as JSON lines"},
	} {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return k.why
		}
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return "is a tar archive; use: tar -xOf FILE | vanguard scan -"
	}
	utf16 := bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
	if found && !utf16 && bytes.Count(head, []byte{0}) > len(head)/10 {
		return "is not text"
	}
	return ""
}

// tally counts stored bytes, for the progress bar.
type tally struct {
	io.Reader
	n *atomic.Int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.n.Add(int64(n))
	return n, err
}

// limited fails with errBomb once more than n bytes came out of r.
type limited struct {
	io.Reader
	n int64
}

var errBomb = errors.New("unpacks to more than --max-unpacked allows; the rest of it was left unread")

func (l *limited) Read(p []byte) (int, error) {
	if l.n <= 0 {
		var one [1]byte
		if n, err := l.Reader.Read(one[:]); n == 0 && err != nil {
			return 0, err
		}
		return 0, errBomb
	}
	n, err := l.Reader.Read(p[:min(int64(len(p)), l.n)])
	l.n -= int64(n)
	return n, err
}

// gzipMembers reads all members of a gzip file. One that is damaged costs what it still held: reading goes on
// with the next member that follows, and damage tells of it at the end.
type gzipMembers struct {
	src    *bufio.Reader
	z      *gzip.Reader
	damage error // the first
	tries  int
	whole  int // members that were read to their end
}

func (g *gzipMembers) Read(p []byte) (int, error) {
	for {
		if g.z == nil {
			if err := g.next(); err != nil {
				return 0, g.end(err)
			}
		}
		n, err := g.z.Read(p)
		switch {
		case err == nil:
			return n, nil
		case err == io.EOF:
			g.z = nil
			g.whole++
			if err := g.skipPadding(); err != nil {
				return n, g.end(err)
			}
		default:
			if errors.Is(err, context.Canceled) {
				return n, err
			}
			if g.damage == nil {
				g.damage = err
			}
			g.z = nil
			if err := g.resync(); err != nil {
				return n, g.end(err)
			}
		}
		if n > 0 {
			return n, nil
		}
	}
}

// end is how the file ends: well, or with the damage that was met on the way.
func (g *gzipMembers) end(err error) error {
	if g.damage != nil && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return g.damage
	}
	return err
}

// next starts the member at which src stands.
func (g *gzipMembers) next() error {
	z, err := gzip.NewReader(g.src)
	for err != nil {
		if errors.Is(err, context.Canceled) {
			return err
		}
		if g.damage == nil && err != io.EOF {
			if g.damage = err; g.whole > 0 {
				g.damage = errTrailing
			}
		}
		if err := g.resync(); err != nil {
			return err
		}
		z, err = gzip.NewReader(g.src)
	}
	z.Multistream(false)
	g.z = z
	return nil
}

var errTrailing = errors.New("what follows the compressed text is no gzip data")

// skipPadding passes over the zeros with which tapes and block devices fill a file up. io.EOF says that nothing else follows.
func (g *gzipMembers) skipPadding() error {
	for {
		b, err := g.src.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			return g.src.UnreadByte()
		}
	}
}

// resync moves src to the next bytes that can begin a member.
func (g *gzipMembers) resync() error {
	for {
		head, err := g.src.Peek(4) // ID1 ID2 CM FLG, RFC 1952
		if len(head) < 4 {
			return err
		}
		if head[0] == 0x1f && head[1] == 0x8b && head[2] == 8 && head[3]&0xe0 == 0 {
			if g.tries++; g.tries > maxResync {
				return io.EOF
			}
			return nil
		}
		head, _ = g.src.Peek(g.src.Buffered())
		skip := bytes.IndexByte(head[1:], 0x1f) + 1
		if skip == 0 {
			skip = len(head)
		}
		g.src.Discard(skip)
	}
}

// async reads r in a goroutine of its own, so that an interrupt is noticed while a pipe or terminal has nothing to say.
type async struct {
	ctx  context.Context
	next chan []byte
	free chan []byte
	err  error // valid once next is closed
	cur  []byte
	held []byte
}

func newAsync(ctx context.Context, r io.Reader) *async {
	a := &async{ctx: ctx, next: make(chan []byte, 1), free: make(chan []byte, 2)}
	for range cap(a.free) {
		a.free <- make([]byte, readBuffer)
	}
	go func() {
		defer close(a.next)
		for buf := range a.free {
			n, err := r.Read(buf)
			if n > 0 {
				a.next <- buf[:n]
			} else if err == nil {
				a.free <- buf
			}
			if err != nil {
				a.err = err
				return
			}
		}
	}()
	return a
}

func (a *async) Read(p []byte) (int, error) {
	for len(a.cur) == 0 {
		if a.held != nil {
			a.free <- a.held[:cap(a.held)]
			a.held = nil
		}
		select {
		case <-a.ctx.Done():
			return 0, a.ctx.Err()
		case b, ok := <-a.next:
			if !ok {
				return 0, a.err
			}
			a.cur, a.held = b, b
		}
	}
	n := copy(p, a.cur)
	a.cur = a.cur[n:]
	return n, nil
}
