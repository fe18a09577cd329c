package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	_ "time/tzdata" // --tz works where the system has no zone database

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/render"
)

// engineFlags are what every command that judges lines takes.
type engineFlags struct {
	Format     string   `help:"The lines' format: a name that --coverage shows, or an nginx log_format or Apache LogFormat string. Found by itself otherwise." placeholder:"FORMAT"`
	TZ         string   `name:"tz" help:"Zone of times that name none: Europe/Berlin, +02:00, Local; else as the run's other logs tell, or UTC." placeholder:"ZONE"`
	Allow      []string `help:"Known innocent, repeatable: an address, a prefix, account:NAME, rule:NAME, app:NAME, route:PATH. The report tells what it hid." placeholder:"WHO" sep:"none"`
	Rules      string   `help:"Folder of further Sigma rules." placeholder:"DIR"`
	TrustProxy []string `help:"Address or prefix of a proxy whose X-Forwarded-For is believed, besides private ones; repeatable." placeholder:"CIDR"`
	NoModel    bool     `name:"no-model" help:"Judge by the rules alone, without the classifier."`
	GeoIP      []string `name:"geoip" help:"File in MaxMind's format (City, Country, ASN, Anonymous-IP; repeatable): names countries and networks, and finds log-ins from places between which nobody can have travelled." placeholder:"FILE" sep:"none"`
	Workers    int      `help:"Cores to use; 0 = all." placeholder:"N"`
}

// options turns flags into the engine's options.
func (f *engineFlags) options() (opt vanguard.Options, err error) {
	settings := vanguard.Settings{Format: f.Format, TZ: f.TZ, Allow: f.Allow, TrustProxy: f.TrustProxy, Year: time.Now().Year()}
	if opt, err = settings.Options(); err != nil {
		return opt, usagef("--%v", err)
	}
	opt.Workers = f.Workers
	if len(f.GeoIP) > 0 {
		if opt.Geo, err = openGeo(f.GeoIP); err != nil {
			return opt, err
		}
	}
	if !f.NoModel {
		if opt.Model, err = neural.Load(models.Weights); err != nil {
			return opt, err
		}
	}
	if f.Rules != "" {
		info, err := os.Stat(f.Rules)
		switch {
		case err != nil:
			return opt, fmt.Errorf("--rules %w", plainError(f.Rules, err))
		case !info.IsDir():
			return opt, usagef("--rules %s: is a file; name the folder that holds it", f.Rules)
		}
		opt.Rules = os.DirFS(f.Rules)
	}
	return opt, nil
}

// scanCmd is `vanguard scan`.
type scanCmd struct {
	Logs []string `arg:"" optional:"" name:"log" help:"Files (plain, .gz, .zst, .bz2), folders, globs, or - for standard input, which is also read when it is a pipe and nothing is named."`

	Output      string    `short:"o" help:"text (unless told otherwise), json, jsonl, md, html, ocsf or csv." default:"text" placeholder:"FORMAT"`
	Since       string    `help:"Judge only what happened from then on: a time, or 2h, 7d before the end of the logs." placeholder:"TIME"`
	Until       string    `help:"Judge only what happened before then." placeholder:"TIME"`
	Top         int       `help:"Findings to show; 0 = all. Text shows 20 unless told otherwise." default:"-1" placeholder:"N"`
	FailOn      string    `help:"The mildest verdict that makes the exit status other than 0: probed, under-attack, compromise-likely, never." default:"under-attack" placeholder:"VERDICT"`
	Redact      bool      `help:"Hide passwords, keys and tokens in the report, and count them."`
	Without     []string  `help:"Judge as if this line were not there: 213, or access.log:213 of several logs; repeatable." placeholder:"LINE" sep:"none"`
	Coverage    bool      `help:"Show how much of each log is understood, instead of judging it."`
	NoProgress  bool      `help:"No progress bar."`
	MaxUnpacked byteCount `help:"Most bytes that one compressed log may unpack to; 64GiB unless told otherwise." default:"64GiB" placeholder:"SIZE"`
	CPUProfile  string    `name:"cpuprofile" hidden:"" placeholder:"FILE"`
	engineFlags `embed:""`
}

// Help is shown by `vanguard scan --help` below the usage.
func (*scanCmd) Help() string {
	return `Times are 2026-11-23, "2026-11-23 03:10", 03:10:00 added or not, or RFC 3339; without a zone they are of
--tz. 90m, 2h, 7d count back from the last time that the logs hold, not from now.
Lines without a time are always judged.

Rotated files are read oldest first: access.log-20261120.gz, access.log.2.gz, access.log.1, access.log.
Several logs are read side by side and judged as one, in the order of their times: what one client did in
nginx, in the application and in the cloud is one story, whatever the order in which the logs are named.

Exit status: 0 nothing beyond background noise, 10 under attack, 20 compromise likely,
1 a log could not be read (and nothing worse), 2 usage. --fail-on probed makes probed 10 as well;
--fail-on compromise-likely makes under attack 0. An interrupt (Ctrl-C) prints what was found so far.`
}

// failLevels orders what --fail-on takes.
var failLevels = map[string]int{"probed": 1, "under-attack": 2, "compromise-likely": 3, "never": 4}

// Run is called by kong.
func (c *scanCmd) Run(k *kong.Context) error {
	if !strings.Contains(" "+strings.Join(render.Formats, " ")+" ", " "+c.Output+" ") {
		return usagef("--output %q: one of %s", c.Output, strings.Join(render.Formats, ", "))
	}
	if failLevels[c.FailOn] == 0 {
		return usagef("--fail-on %q: one of probed, under-attack, compromise-likely, never", c.FailOn)
	}
	if len(c.Logs) == 0 {
		if term.IsTerminal(int(os.Stdin.Fd())) {
			return usagef("nothing to read: name a log, or pipe one in")
		}
		c.Logs = []string{stdinName}
	}
	opt, err := c.options()
	if err != nil {
		return err
	}
	if c.CPUProfile != "" {
		f, err := os.Create(c.CPUProfile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once

	s := &scanner{ctx: ctx, limit: int64(c.MaxUnpacked), stderr: k.Stderr}
	s.inputs, s.problems = expand(c.Logs)
	defer s.cleanup()
	if len(s.inputs) == 0 {
		return errors.Join(s.problems...)
	}
	if opt.Since, opt.Until, err = s.span(c.Since, c.Until, opt); err != nil {
		return err
	}
	if opt.Without, err = c.without(s.inputs); err != nil {
		return err
	}
	if c.Coverage {
		return s.coverage(opt, c.Output, k.Stdout, !c.NoProgress)
	}

	engine, err := vanguard.NewEngine(opt)
	if err != nil {
		return usageError{err}
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		workers := opt.Workers
		if workers <= 0 {
			workers = runtime.GOMAXPROCS(0)
		}
		roomy(softLimit + int64(workers-1)*perWorker)
	}
	if opt.Rules != nil {
		if n := len(engine.Problems()); n > 0 {
			fmt.Fprintf(k.Stderr, "vanguard: %s: %d problems with these rules; see: vanguard rules check %s\n", c.Rules, n, c.Rules)
		}
	}
	a := engine.Analyzer()
	s.run(a, !c.NoProgress)
	for _, p := range s.problems {
		a.Problem(p.Error())
	}
	report := a.Report()
	shown := report
	if c.Redact {
		shown = render.Redact(report)
	}
	if err := render.Write(k.Stdout, c.Output, shown, c.look(k.Stdout)); err != nil {
		return err
	}
	unread := report.Input.Lines == 0 && len(report.Input.Problems) > 0 && opt.Since.IsZero() && opt.Until.IsZero() // such as a binary file
	if code := c.exit(report.Verdict, len(s.problems) > 0 || unread || ctx.Err() != nil); code != exitNormal {
		return exitCode(code)
	}
	return nil
}

// without reads --without. A bare number is a line of the only log.
func (c *scanCmd) without(inputs []input) (lines []vanguard.Line, err error) {
	for _, text := range c.Without {
		at := strings.LastIndexByte(text, ':')
		n, err := strconv.Atoi(text[at+1:])
		if err != nil || n < 1 {
			return nil, usagef("--without %q: write a line's number, or access.log:213", text)
		}
		switch {
		case at >= 0:
			lines = append(lines, vanguard.Line{Source: text[:at], Line: n})
		case len(inputs) == 1:
			lines = append(lines, vanguard.Line{Source: inputs[0].name(), Line: n})
		default:
			return nil, usagef("--without %q: there are %d logs; name one: access.log:%d", text, len(inputs), n)
		}
	}
	return lines, nil
}

// exit is the exit status of a verdict.
func (c *scanCmd) exit(v vanguard.Verdict, failed bool) int {
	level, code := 0, exitNormal
	switch v {
	case vanguard.Probed:
		level, code = 1, exitAttacked
	case vanguard.UnderAttack:
		level, code = 2, exitAttacked
	case vanguard.CompromiseLikely:
		level, code = 3, exitCompromise
	}
	if level > 0 && level >= failLevels[c.FailOn] {
		return code
	}
	if failed {
		return exitError
	}
	return exitNormal
}

// look finds out how the reader's side looks.
func (c *scanCmd) look(w io.Writer) render.Options {
	opt := render.Options{Now: time.Now(), Top: c.Top}
	if c.Top < 0 {
		opt.Top = 0
		if c.Output == "text" {
			opt.Top = render.TextTop
		}
	}
	opt.Width, opt.Color = terminal(w)
	return opt
}

// terminal tells how wide w is, if it is a terminal, and whether it wants colours.
func terminal(w io.Writer) (width int, color bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, _ = term.GetSize(int(f.Fd()))
	return width, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// A scanner feeds logs to an Analyzer.
type scanner struct {
	ctx      context.Context
	inputs   []input
	problems []error // places that could not be read, or not whole
	limit    int64
	spool    string // a temporary copy of standard input
	raw      atomic.Int64
	stderr   io.Writer
}

// run reads every log into a: the pieces of one log one after the other, several logs side by side, merged by the times of their
// lines. Whatever cannot be read becomes a problem.
func (s *scanner) run(a *vanguard.Analyzer, progress bool) {
	bar := s.startProgress(progress)
	defer bar.stop()
	failed := make([]error, len(s.inputs)) // in the order of the inputs, whichever was read first
	logs := make([]vanguard.Log, len(s.inputs))
	for i, in := range s.inputs {
		logs[i] = vanguard.Log{Name: in.name(), Year: in.year}
	}
	a.Read(logs, func(i int, w *vanguard.Source) {
		if s.ctx.Err() == nil {
			bar.name(logs[i].Name)
			failed[i] = s.copy(w, s.inputs[i])
		}
	})
	for k, err := range failed {
		var skip errSkip
		switch {
		case err == nil || s.ctx.Err() != nil:
		case s.inputs[k].found && errors.As(err, &skip): // a folder of logs may hold other things as well
			a.Aside(err.Error())
		default:
			s.problems = append(s.problems, err)
		}
	}
	if s.ctx.Err() != nil {
		a.Problem("interrupted: the rest was not read")
	}
}

// copy reads one log into w.
func (s *scanner) copy(w io.Writer, in input) error {
	path := in
	if in.path == stdinName && s.spool != "" {
		path.path = s.spool
	}
	l, err := openLog(s.ctx, path, &s.raw, s.limit)
	var skip errSkip
	if errors.As(err, &skip) {
		return fmt.Errorf("%s: %w", in.name(), err)
	} else if err != nil {
		return err
	}
	defer l.Close()
	if _, err := io.Copy(w, l); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("unexpected end of the compressed file: it is cut off")
		}
		return fmt.Errorf("%s: %w (%s)", in.name(), err, l.place())
	}
	return nil
}

func (s *scanner) cleanup() {
	if s.spool != "" {
		os.Remove(s.spool)
	}
}

// byteCount is a flag such as 64GiB, 500MB, 1048576.
type byteCount int64

// UnmarshalText parses the flag.
func (b *byteCount) UnmarshalText(text []byte) error {
	s := strings.ToLower(strings.TrimSpace(string(text)))
	unit := int64(1)
	for _, u := range [...]struct {
		suffix string
		size   int64
	}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
		{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", 1 << 40}, {"b", 1}} {
		if n, ok := strings.CutSuffix(s, u.suffix); ok {
			s, unit = strings.TrimSpace(n), u.size
			break
		}
	}
	var n int64
	if _, err := fmt.Sscanf(s+";", "%d;", &n); err != nil || n <= 0 || n > 1<<62/unit {
		return fmt.Errorf("%q is no size; write 500MB or 64GiB", text)
	}
	*b = byteCount(n * unit)
	return nil
}
