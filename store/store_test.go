package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var now = time.Unix(1795402800, 0)

func share(id string, burn bool, expires time.Duration) *Share {
	return &Share{
		ID: id, Ciphertext: bytes.Repeat([]byte("secret"), 100), IV: []byte("twelve bytes"), Burn: burn, Expires: now.Add(expires),
		OpenHash: sha256.Sum256([]byte("open " + id)), DeleteHash: sha256.Sum256([]byte("delete " + id)),
	}
}

func TestShares(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "a b?c.db") // a name that a URL would read otherwise
	for _, name := range []string{"", file} {
		db, err := Open(name, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		f := func(what string, got, want error) {
			t.Helper()
			if !errors.Is(got, want) {
				t.Errorf("%q: %s: %v, want %v", name, what, got, want)
			}
		}
		take := func(id, token string, at time.Duration) error {
			_, err := db.Take(ctx, id, []byte(token), now.Add(at))
			return err
		}
		f("put", db.Put(ctx, share("keep", false, time.Hour)), nil)
		f("put", db.Put(ctx, share("burn", true, time.Hour)), nil)
		if db.Put(ctx, share("keep", false, time.Hour)) == nil {
			t.Error("one ID twice")
		}
		in, err := db.Info(ctx, "burn", now)
		if f("info", err, nil); in.Bytes != 600 || !in.Burn || !in.Expires.Equal(now.Add(time.Hour)) {
			t.Errorf("info %+v", in)
		}
		f("unknown", take("none", "open none", 0), ErrNotFound)
		f("wrong token", take("burn", "open keep", 0), ErrToken)
		f("take", take("keep", "open keep", 0), nil)
		f("take again", take("keep", "open keep", 0), nil)
		s, err := db.Take(ctx, "burn", []byte("open burn"), now)
		if f("burn", err, nil); s != nil && (len(s.Ciphertext) != 600 || string(s.IV) != "twelve bytes") {
			t.Errorf("share %+v", s)
		}
		f("burn again", take("burn", "open burn", 0), ErrNotFound)
		f("expired", take("keep", "open keep", time.Hour), ErrNotFound)
		_, err = db.Info(ctx, "keep", now.Add(time.Hour))
		f("expired info", err, ErrNotFound)
		f("wrong delete token", db.Delete(ctx, "keep", []byte("open keep"), now), ErrToken)
		f("delete", db.Delete(ctx, "keep", []byte("delete keep"), now), nil)
		f("delete again", db.Delete(ctx, "keep", []byte("delete keep"), now), ErrNotFound)

		f("put", db.Put(ctx, share("short", false, time.Minute)), nil)
		f("put", db.Put(ctx, share("long", false, time.Hour)), nil)
		if n, err := db.Sweep(ctx, now.Add(time.Minute)); n != 1 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
		if u, err := db.Usage(ctx); u != (Usage{1, 600}) || err != nil {
			t.Errorf("usage %+v, %v", u, err)
		}
		for range maxWrongTokens {
			f("guess", take("long", "guess", 0), ErrToken)
		}
		f("guessed too often", take("long", "open long", 0), ErrNotFound)
		db.Close()
	}
	db, err := Open(file, 1<<20) // once more
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if err := os.WriteFile(file+".txt", bytes.Repeat([]byte("no database"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if db, err := Open(file+".txt", 1); err == nil {
		db.Close()
		t.Error("opened a text file")
	}
}

func TestFull(t *testing.T) {
	db, err := Open("", 1500)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, want := range []error{nil, nil, ErrFull} {
		if err := db.Put(t.Context(), share(fmt.Sprint(i), false, time.Hour)); !errors.Is(err, want) {
			t.Errorf("share %d: %v, want %v", i, err, want)
		}
	}
}

// TestBurnOnce: of many who open at the same moment, one gets it.
func TestBurnOnce(t *testing.T) {
	db, err := Open(filepath.Join(t.TempDir(), "shares.db"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Put(t.Context(), share("once", true, time.Hour)); err != nil {
		t.Fatal(err)
	}
	var got atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := db.Take(t.Context(), "once", []byte("open once"), now); err == nil {
				got.Add(1)
			} else if !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("opened %d times", got.Load())
	}
}

// TestNothingLeft: what was burnt is in no file any more, the server still running.
func TestNothingLeft(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(filepath.Join(dir, "shares.db"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	holding := func() (n int) {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte("secretsecret")) {
				n++
			}
		}
		return n
	}
	s := share("burn", true, time.Hour)
	if err := db.Put(ctx, s); err != nil || holding() == 0 {
		t.Fatalf("put: %v, in %d files", err, holding())
	}
	if _, err := db.Take(ctx, "burn", []byte("open burn"), now); err != nil || holding() != 0 {
		t.Errorf("burnt: %v, still in %d files", err, holding())
	}
}

// TestFileMode: the database and its journal are their owner's alone.
func TestFileMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shares.db")
	db, err := Open(file, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Put(t.Context(), share("a", false, time.Hour)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(file + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %v", files, err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(name), mode)
		}
	}
}
