package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/event"
)

// tailSize is how much of a log's end is read to find its last time.
const tailSize = 256 << 10

// span resolves --since and --until. Times relative to the end of the logs need that
// end: it is looked up first, and standard input is kept in a temporary file for that.
func (s *scanner) span(since, until string, opt vanguard.Options) (from, to time.Time, err error) {
	var end time.Time
	resolve := func(flag, text string) (time.Time, error) {
		if text == "" {
			return time.Time{}, nil
		}
		if ago, ok := parseAgo(text); ok {
			if end.IsZero() {
				if end, err = s.lastTime(opt); err != nil {
					return time.Time{}, fmt.Errorf("%s %s: %w", flag, text, err)
				}
			}
			return end.Add(-ago), nil
		}
		t, ok := vanguard.ParseTime(text, opt.Zone)
		if !ok {
			return t, usagef("%s %q: write a time such as 2026-11-23 or \"2026-11-23 03:10\", or 90m, 2h, 7d before the end of the logs", flag, text)
		}
		return t, nil
	}
	if from, err = resolve("--since", since); err != nil {
		return
	}
	if to, err = resolve("--until", until); err != nil {
		return
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, usagef("--since %s is not before --until %s", since, until)
	}
	return from, to, nil
}

var agoParts = regexp.MustCompile(`^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$`)

// parseAgo reads "90m", "1d12h", "2w".
func parseAgo(s string) (d time.Duration, ok bool) {
	m := agoParts.FindStringSubmatch(s)
	if m == nil || s == "" {
		return 0, false
	}
	for i, unit := range [...]time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.Atoi(m[i+1])
		if err != nil || n > int(100*365*24*time.Hour/unit) {
			return 0, false
		}
		d += time.Duration(n) * unit
	}
	return d, true
}

// lastTime finds the latest time in the logs. Of an uncompressed file it reads the end.
func (s *scanner) lastTime(opt vanguard.Options) (time.Time, error) {
	last, found := int64(0), false
	opt.Rules, opt.NoEmbedded, opt.Workers, opt.Allow = nil, true, 1, nil
	opt.OnEvent = func(ev *event.Event) {
		if ev.Clock != event.NoClock && (!found || ev.Time > last) {
			last, found = ev.Time, true
		}
	}
	for _, in := range s.inputs {
		if in.year > 0 {
			opt.Year = in.year
		}
		engine, err := vanguard.NewEngine(opt)
		if err != nil {
			return time.Time{}, usageError{err}
		}
		if in.path == stdinName {
			if err := s.spoolStdin(); err != nil {
				return time.Time{}, err
			}
			in.path = s.spool
		}
		before := found
		if tail, ok := tailOf(in.path); ok {
			src := engine.Analyzer().Source(in.name())
			src.Write(tail)
			src.Close()
			if found && !before {
				continue
			}
		}
		// Compressed, or its end says nothing without its beginning.
		src := engine.Analyzer().Source(in.name())
		if err := s.copy(src, in); errors.Is(err, s.ctx.Err()) && s.ctx.Err() != nil {
			return time.Time{}, err
		}
		src.Close()
	}
	s.raw.Store(0)
	if !found {
		return time.Time{}, errors.New("these logs hold no time to count back from; write an absolute one")
	}
	return time.Unix(0, last), nil
}

// tailOf returns the last whole lines of an uncompressed file that is longer than tailSize.
func tailOf(path string) (tail []byte, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() <= tailSize {
		return nil, false
	}
	buf := make([]byte, tailSize)
	if n, _ := f.ReadAt(buf[:4], 0); n == 4 && (buf[0] == 0x1f || buf[0] == 0x28 || buf[0]&0xf0 == 0x50 && buf[1] == 0x2a || string(buf[:3]) == "BZh") {
		return nil, false
	}
	n, err := f.ReadAt(buf, info.Size()-tailSize)
	if err != nil && err != io.EOF {
		return nil, false
	}
	if _, tail, ok = bytes.Cut(buf[:n], []byte{'\n'}); !ok {
		return nil, false
	}
	return tail, true
}

// spoolStdin keeps standard input in a temporary file, for logs that must be read twice.
func (s *scanner) spoolStdin() error {
	if s.spool != "" {
		return nil
	}
	f, err := os.CreateTemp("", "vanguard-*.log")
	if err != nil {
		return err
	}
	s.spool = f.Name()
	_, err = io.Copy(f, &meter{Reader: newAsync(s.ctx, os.Stdin), ctx: s.ctx})
	return errors.Join(err, f.Close())
}
