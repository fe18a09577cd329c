// Package unpack turns packed logs into text: gzip, zstd and bzip2, told by their first bytes. It reads
// hostile input: what comes out is limited, and so is the memory that it takes.
package unpack

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	zstdWindow = 128 << 20 // memory that a zstd file may ask for; what zstd itself grants
	maxResync  = 1 << 12   // places of a damaged gzip file at which a new member is looked for
	sniffed    = 1 << 10   // bytes that decide what a file is
)

// A ForeignError says that a file is of a kind that holds no log lines, and what to do about it.
type ForeignError string

func (e ForeignError) Error() string { return string(e) }

// Text is a log unpacked.
type Text struct {
	io.Reader
	Packed bool // it was packed
	Binary bool // it was not, and its first bytes are hardly text
	close  func()
}

// Close frees what unpacking holds. It leaves the underlying reader open.
func (t *Text) Close() error {
	if t.close != nil {
		t.close()
	}
	return nil
}

// New unpacks r as far as limit bytes of text, after which reading fails with ErrLimit. The error
// is a ForeignError, or comes from r.
func New(r *bufio.Reader, limit int64) (*Text, error) {
	head, err := r.Peek(sniffed)
	if err != nil && err != io.EOF {
		return nil, err
	}
	t := &Text{Reader: r}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		t.Packed, t.Reader = true, &gzipMembers{src: r}
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), len(head) > 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, err
		}
		t.Packed, t.Reader, t.close = true, z, z.Close
	case len(head) > 3 && bytes.HasPrefix(head, []byte("BZh")) && head[3] >= '1' && head[3] <= '9':
		t.Packed, t.Reader = true, bzip2.NewReader(r)
	default:
		if why := foreign(head); why != "" {
			return nil, ForeignError(why)
		}
		utf16 := bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
		t.Binary = !utf16 && bytes.Count(head, []byte{0}) > len(head)/10
	}
	if t.Packed {
		t.Reader = &limited{t.Reader, limit}
	}
	return t, nil
}

// foreign names a kind of file that holds no log lines, by its first bytes.
func foreign(head []byte) string {
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
	return ""
}

// limited fails with ErrLimit once more than n bytes came out of r.
type limited struct {
	io.Reader
	n int64
}

// ErrLimit says that a log unpacks to more than its reader allows.
var ErrLimit = errors.New("unpacks to more than --max-unpacked allows; the rest of it was left unread")

func (l *limited) Read(p []byte) (int, error) {
	if l.n <= 0 {
		var one [1]byte
		if n, err := l.Reader.Read(one[:]); n == 0 && err != nil {
			return 0, err
		}
		return 0, ErrLimit
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
