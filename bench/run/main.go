// Command run measures vanguard against its targets and its peers, and prints the
// table of README.md. It needs Linux, taskset, and for the peers rg, goaccess and fail2ban-regex.
//
//	go run ./run [-vanguard ../bin/vanguard] [-rounds 7] [-only scan,cores,cloudtrail,start,clients,peers]
//
// One-core speeds are bytes per second of processor time, so that other work on the machine
// disturbs them little; the two programs of a ratio alternate in the same run.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	accessLog  = "data/access.log"
	cloudTrail = "data/cloudtrail"
	events     = 300_000
	patterns   = "attack-regexes.txt"
)

var (
	vanguard = flag.String("vanguard", "../bin/vanguard", "the program")
	gen      = flag.String("gen", "data/gen", "the generator, built")
	coraza   = flag.String("coraza", "data/coraza", "the firewall's replay, built")
	rounds   = flag.Int("rounds", 7, "runs of each program; the median counts")
	only     = flag.String("only", "scan,cores,cloudtrail,start,clients,peers", "what to measure")
)

// A result is one run.
type result struct {
	wall, cpu time.Duration
	rss       int64 // peak, bytes
	out       string
}

// measure runs a command on the given cores ("0" or "0,1"). Exit codes other than 0 are verdicts.
func measure(cores string, stdin io.Reader, name string, args ...string) (result, error) {
	procs := 1 + strings.Count(cores, ",")
	cmd := exec.Command("taskset", append([]string{"-c", cores, name}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", procs), "LC_ALL=C.UTF-8")
	cmd.Stdin = stdin
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &limited{w: &out, n: 1 << 16}, &limited{w: &errs, n: 1 << 12}
	begin := time.Now()
	err := cmd.Run()
	r := result{wall: time.Since(begin), out: out.String()}
	state := cmd.ProcessState
	if state == nil {
		return r, err
	}
	r.cpu = state.UserTime() + state.SystemTime()
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		r.rss = usage.Maxrss << 10
	}
	if code := state.ExitCode(); code < 0 || code == 127 || (filepath.Base(name) == "vanguard" && (code == 1 || code == 2)) {
		return r, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, errs.String())
	}
	return r, nil
}

// limited keeps the first n bytes and swallows the rest.
type limited struct {
	w io.Writer
	n int
}

func (l *limited) Write(p []byte) (int, error) {
	k := min(l.n, len(p))
	l.n -= k
	if _, err := l.w.Write(p[:k]); err != nil {
		return 0, err
	}
	return len(p), nil
}

func median[T int64 | time.Duration](list []T) T {
	s := slices.Clone(list)
	slices.Sort(s)
	return s[len(s)/2]
}

// A series is several runs of one program.
type series struct {
	wall, cpu []time.Duration
	rss       []int64
	last      result
}

func (s *series) add(r result) {
	s.wall, s.cpu, s.rss, s.last = append(s.wall, r.wall), append(s.cpu, r.cpu), append(s.rss, r.rss), r
}

func (s *series) String() string {
	return fmt.Sprintf("cpu %.3f s, wall %.3f s, peak %.1f MiB", median(s.cpu).Seconds(), median(s.wall).Seconds(), float64(slices.Max(s.rss))/(1<<20))
}

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

func run() error {
	info, err := os.Stat(accessLog)
	if err != nil {
		return fmt.Errorf("%w; run ./prepare.sh first", err)
	}
	size, lines := float64(info.Size())/1e6, 1_000_000.0
	scan := []string{"scan", "-o", "json", "--no-progress", "--workers", "1"}
	steps := map[string]func() error{
		"scan": func() error {
			var v, rg series
			for range *rounds {
				r, err := measure("0", nil, *vanguard, append(scan, accessLog)...)
				if err != nil {
					return err
				}
				v.add(r)
				if r, err = measure("0", nil, "rg", "-j1", "-c", "-i", "-f", patterns, accessLog); err != nil {
					return err
				}
				rg.add(r)
			}
			a, b := size/median(v.cpu).Seconds(), size/median(rg.cpu).Seconds()
			fmt.Printf("scan        vanguard %s: %.1f MB/s, %.3f M lines/s\n            rg       %s: %.1f MB/s, %s lines match\n            ratio    %.2f of rg (target 0.50)\n",
				&v, a, lines/1e6/median(v.cpu).Seconds(), &rg, b, strings.TrimSpace(rg.last.out), a/b)
			return nil
		},
		"cores": func() error {
			var one, two series
			for range *rounds {
				r, err := measure("0", nil, *vanguard, append(scan, accessLog)...)
				if err != nil {
					return err
				}
				one.add(r)
				if r, err = measure("0,1", nil, *vanguard, "scan", "-o", "json", "--no-progress", "--workers", "2", accessLog); err != nil {
					return err
				}
				two.add(r)
			}
			fmt.Printf("cores       one: %s; two: %s: %.2f times as fast (target 1.80; needs an idle machine)\n", &one, &two, median(one.wall).Seconds()/median(two.wall).Seconds())
			return nil
		},
		"cloudtrail": func() error {
			var s series
			for range *rounds {
				r, err := measure("0", nil, *vanguard, append(scan, cloudTrail)...)
				if err != nil {
					return err
				}
				s.add(r)
			}
			fmt.Printf("cloudtrail  %s: %.0f events/s (target 150000)\n", &s, events/median(s.cpu).Seconds())
			return nil
		},
		"start": func() error {
			data, err := head(accessLog, 500)
			if err != nil {
				return err
			}
			const path = "data/500.log"
			if err := os.WriteFile(path, data, 0o644); err != nil {
				return err
			}
			var s series
			for range max(30, *rounds) {
				r, err := measure("0", nil, *vanguard, "scan", "--no-progress", path)
				if err != nil {
					return err
				}
				s.add(r)
			}
			fmt.Printf("start       500 lines, process start to verdict: %s, fastest wall %.1f ms (target 60 ms)\n", &s, float64(slices.Min(s.wall).Microseconds())/1000)
			return nil
		},
		"clients": func() error {
			for _, n := range []int{100_000, 1_000_000, 10_000_000} {
				feed := exec.Command(*gen, "clients", "-n", fmt.Sprint(n))
				pipe, err := feed.StdoutPipe()
				if err != nil {
					return err
				}
				if err := feed.Start(); err != nil {
					return err
				}
				r, err := measure("0", pipe, *vanguard, append(scan, "-")...)
				if err != nil {
					return err
				}
				if err := feed.Wait(); err != nil {
					return err
				}
				fmt.Printf("clients     %8d distinct: peak %.1f MiB, cpu %.1f s, %.3f M lines/s\n", n, float64(r.rss)/(1<<20), r.cpu.Seconds(), float64(n)/1e6/r.cpu.Seconds())
			}
			return nil
		},
		"peers": func() error {
			var g series
			for range min(3, *rounds) {
				r, err := measure("0", nil, "goaccess", accessLog, "--log-format=COMBINED", "--no-progress", "-o", "data/goaccess.json")
				if err != nil {
					return err
				}
				g.add(r)
			}
			fmt.Printf("peers       goaccess (statistics only) %s: %.1f MB/s\n", &g, size/median(g.cpu).Seconds())
			const some = 100_000
			data, err := head(accessLog, some)
			if err != nil {
				return err
			}
			if err := os.WriteFile("data/some.log", data, 0o644); err != nil {
				return err
			}
			r, err := measure("0", nil, "fail2ban-regex", "data/some.log", "apache-badbots")
			if err != nil {
				return err
			}
			fmt.Printf("            fail2ban-regex, one filter, %d lines: cpu %.1f s: %.2f MB/s\n", some, r.cpu.Seconds(), float64(len(data))/1e6/r.cpu.Seconds())
			const few = 5_000
			if r, err = measure("0", nil, *coraza, accessLog, fmt.Sprint(few)); err != nil {
				return err
			}
			var n, bytes, flagged int
			var seconds float64
			if _, err := fmt.Sscanf(r.out, "lines=%d bytes=%d seconds=%g flagged=%d", &n, &bytes, &seconds, &flagged); err != nil {
				return fmt.Errorf("coraza said %q: %w", r.out, err)
			}
			fmt.Printf("            Coraza with CRS, %d requests: cpu %.1f s with its start: %.3f MB/s, peak %.0f MiB\n", n, r.cpu.Seconds(), float64(bytes)/1e6/r.cpu.Seconds(), float64(r.rss)/(1<<20))
			return nil
		},
	}
	for _, name := range strings.Split(*only, ",") {
		step, ok := steps[name]
		if !ok {
			return fmt.Errorf("-only %s: unknown", name)
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// head returns the first n lines of a file.
func head(path string, n int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, int64(n)*1000))
	if err != nil {
		return nil, err
	}
	at := 0
	for i, c := range data {
		if c == '\n' {
			if at++; at == n {
				return data[:i+1], nil
			}
		}
	}
	return data, nil
}
