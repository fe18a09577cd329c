// Command vanguard answers "am I under attack, which attack, did it work, and what
// do I do now?" from server logs. A subcommand a file; this one dispatches.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"

	"github.com/alecthomas/kong"
)

// Exit codes. Those of a verdict are returned by scan; see --fail-on.
const (
	exitNormal     = 0 // nothing beyond background noise
	exitError      = 1
	exitUsage      = 2
	exitAttacked   = 10
	exitCompromise = 20
)

// exitCode is an error that says nothing but how to exit.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprint("exit ", int(c)) }

// usageError is a command line that cannot be meant.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

type cli struct {
	Scan    scanCmd    `cmd:"" help:"Judge logs: files, folders, globs, or - for standard input."`
	Serve   serveCmd   `cmd:"" help:"Serve the page and the API, on this machine unless told otherwise."`
	Open    openCmd    `cmd:"" help:"Open a shared report: fetch it, decrypt it here and show it."`
	Explain explainCmd `cmd:"" help:"Show step by step how one line is read, decoded and judged."`
	Rules   rulesCmd   `cmd:"" help:"Check, list or test rules."`
	Threats threatsCmd `cmd:"" help:"List the threat library, or show one threat."`
	Eval    evalCmd    `cmd:"" help:"Score the engine on labelled cases."`
	Version versionCmd `cmd:"" help:"Show the version."`
}

const description = `Am I under attack, which attack, did it work, and what do I do now? From server logs, on this machine.

  vanguard scan /var/log/nginx
  tail -n 500 access.log | vanguard scan

Exit status of scan: 0 nothing beyond background noise, 10 attacked, 20 compromise likely, 1 error, 2 usage.`

func main() {
	debug.SetGCPercent(gcScanning)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// The engine's knowledge lives as long as the process, so collecting while it is built only costs time, and a log of some hundred lines is judged
// before there is anything to collect. Afterwards a line allocates next to nothing and collections are rare: one more of them, before the heap grows
// past softLimit, costs less than the memory. The limit is soft: see roomy. GOMEMLIMIT overrides it.
const (
	gcScanning = 800      // percent that the heap may grow between collections
	gcServing  = 100      // the same, in a process that stays
	softLimit  = 48 << 20 // bytes, with one worker
	leastRoom  = 4 << 20  // bytes that may be allocated between two collections, however much is alive
	perWorker  = 40 << 20 // bytes more for each further one: its memory of values, and the blocks in flight
)

// run is main with its streams named; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	done := -1 // set when kong printed help and wants to exit
	parser, err := kong.New(&c, kong.Name("vanguard"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { done = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
	if err != nil {
		fmt.Fprintln(stderr, "vanguard:", err)
		return exitError
	}
	ctx, err := parser.Parse(args)
	if done >= 0 {
		return done
	}
	if err != nil {
		fmt.Fprintf(stderr, "vanguard: %v; see vanguard --help\n", err)
		return exitUsage
	}
	err = ctx.Run()
	var code exitCode
	var usage usageError
	switch {
	case err == nil:
		return exitNormal
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "vanguard: %v; see vanguard %s --help\n", err, commandName(ctx.Command()))
		return exitUsage
	}
	fmt.Fprintln(stderr, "vanguard:", err)
	return exitError
}

// roomy sets the memory limit, and raises it where so much is alive that the limit would have the collector run without end: after a collection
// there shall be leastRoom, and an eighth of what is alive.
func roomy(limit int64) {
	debug.SetMemoryLimit(limit)
	read := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	type sentinel struct{ _ [16]byte }
	var collected func(*sentinel)
	collected = func(s *sentinel) { // runs after each collection
		metrics.Read(read)
		live, beside := int64(read[0].Value.Uint64()), int64(read[1].Value.Uint64())
		for _, part := range read[2:] {
			beside -= int64(part.Value.Uint64())
		}
		if need := beside + live + max(leastRoom, live/8); need > limit {
			limit = need
			debug.SetMemoryLimit(limit)
		}
		runtime.SetFinalizer(s, collected)
	}
	runtime.SetFinalizer(new(sentinel), collected)
}

// commandName is kong's "rules test <dir>" without what follows the command.
func commandName(command string) string {
	name, _, _ := strings.Cut(command, " <")
	return name
}
