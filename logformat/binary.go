package logformat

import (
	"bytes"
	"unicode/utf8"
)

// magics are files that people name by mistake, with what to do instead where there is something.
var magics = []struct{ head, name string }{
	{"\x1f\x8b", "gzip data"},
	{"\x28\xb5\x2f\xfd", "zstandard data"},
	{"BZh", "bzip2 data"},
	{"\xfd7zXZ\x00", "xz data"},
	{"PK\x03\x04", "a zip archive"},
	{"\x7fELF", "an executable"},
	{"MZ\x90\x00", "an executable"},
	{"\x89PNG", "an image"},
	{"%PDF-", "a PDF document"},
	{"SQLite format 3\x00", "an SQLite database"},
	{"LPKSHHRH", "a systemd journal: export it with journalctl -o json"},
	{"ElfFile\x00", "a Windows event log: export it as text or JSON"},
	{"PAR1", "a Parquet file: export it as text or JSON"},
	{"\xd4\xc3\xb2\xa1", "a packet capture"},
	{"\xa1\xb2\xc3\xd4", "a packet capture"},
	{"\x0a\x0d\x0d\x0a", "a packet capture"},
}

// binaryKind tells what the source is if it is no text, else "".
func binaryKind(buf []byte) string {
	for _, m := range magics {
		if len(buf) >= len(m.head) && string(buf[:len(m.head)]) == m.head {
			return m.name
		}
	}
	head := buf[:min(len(buf), 4096)]
	nul, odd := 0, 0
	for i := 0; i < len(head); i++ {
		switch b := head[i]; {
		case b == 0:
			nul++
		case b < 0x20 && b != '\n' && b != '\r' && b != '\t' && b != 0x1b && b != '\f' && b != 0x1e:
			odd++
		case b >= 0x80:
			if _, n := utf8.DecodeRune(head[i:]); n > 1 {
				i += n - 1
			} else if len(head)-i >= utf8.UTFMax {
				odd++
			}
		}
	}
	if len(head) >= 64 && (nul*10 > len(head) || (nul+odd)*4 > len(head)) {
		return "binary data"
	}
	return ""
}

// A Transcoder makes UTF-8 of a source's bytes: UTF-16 with or without a byte order mark becomes
// UTF-8, everything else passes unchanged. The zero value is ready; one per source.
type Transcoder struct {
	mode byte // 0 not known yet, then 'p'ass, 'l'ittle or 'b'ig endian
	held [4]byte
	n    int // bytes in held
}

// Append appends what src becomes to dst. Up to three bytes are held back for the next call.
func (t *Transcoder) Append(dst, src []byte) []byte {
	if t.mode == 'p' { // Fast path
		return append(dst, src...)
	}
	for t.mode == 0 {
		if t.n < len(t.held) {
			if len(src) == 0 {
				return dst
			}
			t.held[t.n] = src[0]
			t.n++
			src = src[1:]
			continue
		}
		t.mode = guess(t.held[:])
		if t.mode == 'p' {
			t.n = 0
			return append(append(dst, t.held[:]...), src...)
		}
	}
	for _, b := range src {
		if t.n == len(t.held) {
			dst = t.drain(dst)
		}
		t.held[t.n] = b
		t.n++
	}
	return t.drain(dst)
}

// Flush appends what is held back, when the source has ended.
func (t *Transcoder) Flush(dst []byte) []byte {
	if t.mode == 0 {
		if t.n >= 2 && guess(append(t.held[:t.n:t.n], t.held[:t.n]...)) != 'p' {
			t.mode = guess(append(t.held[:t.n:t.n], t.held[:t.n]...))
			dst = t.drain(dst)
		} else {
			dst = append(dst, t.held[:t.n]...)
		}
	} else if t.n > 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	t.n = 0
	return dst
}

// guess tells the encoding by the first four bytes.
func guess(b []byte) byte {
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}), b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0:
		return 'l'
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}), b[0] == 0 && b[1] != 0 && b[2] == 0 && b[3] != 0:
		return 'b'
	}
	return 'p'
}

// drain decodes the whole characters in held.
func (t *Transcoder) drain(dst []byte) []byte {
	for t.n >= 2 {
		r, n := t.unit(0), 2
		if r&0xfc00 == 0xd800 { // high surrogate
			if t.n < 4 {
				return dst
			}
			if low := t.unit(2); low&0xfc00 == 0xdc00 {
				r, n = (r-0xd800)<<10|(low-0xdc00)+0x10000, 4
			} else {
				r = utf8.RuneError
			}
		}
		if r != 0xfeff {
			dst = utf8.AppendRune(dst, r)
		}
		copy(t.held[:], t.held[n:t.n])
		t.n -= n
	}
	return dst
}

func (t *Transcoder) unit(i int) rune {
	a, b := rune(t.held[i]), rune(t.held[i+1])
	if t.mode == 'l' {
		return b<<8 | a
	}
	return a<<8 | b
}
