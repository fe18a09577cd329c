package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/helixvanguard/vanguard/unpack"
)

const (
	readBuffer = 256 << 10 // bytes asked of a file at once
	sniffed    = 1 << 10   // bytes that are waited for before anything is decided
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
	text, err := unpack.New(in2, unpackLimit)
	var foreign unpack.ForeignError
	switch {
	case errors.As(err, &foreign):
		l.Close()
		return nil, errSkip{string(foreign)}
	case err != nil:
		l.Close()
		return nil, fmt.Errorf("%s: %w", in.name(), err)
	case in.found && text.Binary: // one that the user named is tried
		l.Close()
		return nil, errSkip{"is not text"}
	}
	l.close = append(l.close, text.Close)
	l.packed = text.Packed
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
