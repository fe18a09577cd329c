package main

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/render"
)

// maxExplained bounds what explain reads; it is for one record.
const maxExplained = 1 << 20

// explainCmd is `vanguard explain`.
type explainCmd struct {
	Line        string `arg:"" optional:"" help:"The line, in quotes; read from standard input if left out or -."`
	Output      string `short:"o" help:"text or json." enum:"text,json" default:"text" placeholder:"FORMAT"`
	engineFlags `embed:""`
}

// Run is called by kong.
func (c *explainCmd) Run(k *kong.Context) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	line := []byte(c.Line)
	if c.Line == "" || c.Line == stdinName {
		if c.Line == "" && term.IsTerminal(int(os.Stdin.Fd())) {
			return usagef("no line to explain: give one in quotes, or pipe one in")
		}
		if line, err = io.ReadAll(io.LimitReader(os.Stdin, maxExplained)); err != nil {
			return err
		}
	}
	engine, err := vanguard.NewEngine(opt)
	if err != nil {
		return usageError{err}
	}
	explained := engine.Explain(line)
	if len(explained) == 0 {
		return errors.New("there is no line to explain")
	}
	look := render.Options{Now: time.Now()}
	look.Width, look.Color = terminal(k.Stdout)
	return render.Explain(k.Stdout, c.Output, explained, look)
}
