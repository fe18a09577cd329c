package unpack

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gz(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

func zst(text string) string {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

// bz2 is "one line of a log\n" packed by bzip2, for which Go has no writer.
var bz2 = func() string {
	b, err := base64.StdEncoding.DecodeString(bz2Text)
	if err != nil {
		panic(err)
	}
	return string(b)
}()

func read(packed string, limit int64) (text string, t *Text, err error) {
	t, err = New(bufio.NewReader(strings.NewReader(packed)), limit)
	if err != nil {
		return "", nil, err
	}
	defer t.Close()
	b, err := io.ReadAll(t)
	return string(b), t, err
}

func TestNew(t *testing.T) {
	long := strings.Repeat("203.0.113.9 asked for much\n", 1000)
	f := func(name, packed, want string, isPacked bool) {
		t.Helper()
		if text, log, err := read(packed, 1<<20); text != want || err != nil || log.Packed != isPacked {
			t.Errorf("%s: %d bytes, want %d: %v", name, len(text), len(want), err)
		}
	}
	f("nothing", "", "", false)
	f("text", long, long, false)
	f("gzip", gz(long), long, true)
	f("two members", gz("a\n")+gz(long), "a\n"+long, true)
	f("padded", gz(long)+strings.Repeat("\x00", 5000), long, true)
	f("zstd", zst(long), long, true)
	f("two frames", zst("a\n")+zst(long), "a\n"+long, true)
	f("bzip2", bz2, "one line of a log\n", true)
	f("looks like bzip2", "BZhello", "BZhello", false)
	f("UTF-16", "\xff\xfea\x00\n\x00", "\xff\xfea\x00\n\x00", false)

	fails := func(name, packed, want string, is error) {
		t.Helper()
		text, _, err := read(packed, 1<<20)
		if text != want || err == nil || is != nil && !errors.Is(err, is) {
			t.Errorf("%s: %d bytes, want %d: %v, want %v", name, len(text), len(want), err, is)
		}
	}
	fails("cut off", gz(long)[:40], func() string { s, _, _ := read(gz(long)[:40], 1<<20); return s }(), io.ErrUnexpectedEOF)
	damaged := []byte(gz(long))
	damaged[len(damaged)-6] ^= 1 // its checksum
	fails("damaged, and more behind it", string(damaged)+gz("b\n"), long+"b\n", gzip.ErrChecksum)
	fails("something else behind it", gz(long)+"PK\x03\x04", long, errTrailing)

	for _, head := range []string{"PK\x03\x04", "\xfd7zXZ\x00", "7z\xbc\xaf\x27\x1c", "LPKSHHRH", "SQLite format 3\x00", "\x7fELF", "%PDF-1.7", "\x89PNG", "PAR1", strings.Repeat("\x00", 257) + "ustar"} {
		var foreign ForeignError
		if _, _, err := read(head+long, 1<<20); !errors.As(err, &foreign) || !strings.HasPrefix(err.Error(), "is ") {
			t.Errorf("%.8q: %v", head, err)
		}
	}
	if _, log, err := read("MZ"+strings.Repeat("\x00", 500)+"a", 1<<20); err != nil || !log.Binary {
		t.Errorf("a binary file: %v", err)
	}
	broken := errors.New("broken pipe")
	if _, err := New(bufio.NewReader(io.MultiReader(strings.NewReader("a"), errReader{broken})), 1); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// TestLimit: what unpacks to very much is read as far as its limit.
func TestLimit(t *testing.T) {
	bomb := strings.Repeat("a", 10<<20)
	for name, packed := range map[string]string{"gzip": gz(bomb), "zstd": zst(bomb)} {
		if text, _, err := read(packed, 1<<20); len(text) != 1<<20 || !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %d bytes: %v", name, len(text), err)
		}
		if text, _, err := read(packed, 10<<20); len(text) != 10<<20 || err != nil {
			t.Errorf("%s of just as much: %d bytes: %v", name, len(text), err)
		}
	}
}

func FuzzNew(f *testing.F) {
	for _, seed := range []string{gz("a\n") + gz("b\n"), zst("a\n"), bz2, "\x1f\x8b\x08\xff", "BZh9"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		if text, _, _ := read(string(packed), 1<<20); len(text) > 1<<20 && text != string(packed) {
			t.Errorf("%d bytes came out", len(text))
		}
	})
}

const bz2Text = "QlpoOTFBWSZTWR1x0HoAAAjRAAAQQAAjpaAAMQAwGph6pmgBBqadKXNPhdyRThQkB1x0HoA="
