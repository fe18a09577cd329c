package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/term"

	"github.com/helixvanguard/vanguard/render"
)

const (
	progressAfter = 700 * time.Millisecond // short work shows no bar
	progressEvery = 150 * time.Millisecond
	barWidth      = 24
)

// A progress shows on a terminal how far reading is, how fast, and how long it will take. A nil progress shows nothing.
type progress struct {
	s      *scanner
	total  int64 // stored bytes; 0 unknown
	mu     sync.Mutex
	log    string
	shown  bool
	quit   chan struct{}
	closed chan struct{}
}

func (s *scanner) startProgress(wanted bool) *progress {
	f, ok := s.stderr.(*os.File)
	if !wanted || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	p := &progress{s: s, quit: make(chan struct{}), closed: make(chan struct{})}
	for _, in := range s.inputs {
		if in.path == stdinName {
			p.total = 0
			break
		}
		p.total += in.size
	}
	go p.draw(f)
	return p
}

func (p *progress) name(log string) {
	if p != nil {
		p.mu.Lock()
		p.log = log
		p.mu.Unlock()
	}
}

func (p *progress) stop() {
	if p != nil {
		close(p.quit)
		<-p.closed
	}
}

func (p *progress) draw(f *os.File) {
	defer close(p.closed)
	start := time.Now()
	wait := time.NewTimer(progressAfter)
	defer wait.Stop()
	for {
		select {
		case <-p.quit:
			if p.shown {
				fmt.Fprint(f, "\r\x1b[K")
			}
			return
		case <-wait.C:
			p.mu.Lock()
			log := p.log
			p.mu.Unlock()
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				width = 80
			}
			fmt.Fprint(f, "\r"+progressLine(p.s.raw.Load(), p.total, time.Since(start), log, width-1)+"\x1b[K")
			p.shown = true
			wait.Reset(progressEvery)
		}
	}
}

// progressLine words one state of the bar, at most width columns wide.
func progressLine(done, total int64, took time.Duration, log string, width int) string {
	rate := float64(done) / max(took.Seconds(), 0.001)
	line := ""
	if total > 0 {
		share := min(float64(done)/float64(total), 1)
		full := int(share * barWidth)
		line = fmt.Sprintf("%s%s %3.0f%%  ", strings.Repeat("━", full), strings.Repeat("·", barWidth-full), share*100)
		if done > 0 {
			left := time.Duration(float64(total-done)/rate*1e9) * time.Nanosecond
			line += fmt.Sprintf("%s/s  %s left  ", bytesText(int64(rate)), left.Round(time.Second))
		}
	} else {
		line = fmt.Sprintf("%s read  %s/s  ", bytesText(done), bytesText(int64(rate)))
	}
	room := width - displaywidth.String(line)
	if room < 8 {
		return line
	}
	return line + displaywidth.TruncateString(render.Visible(log), room, "…")
}

func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f kB", float64(n)/1e3)
}
