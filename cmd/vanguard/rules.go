package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/render"
	"github.com/helixvanguard/vanguard/rule"
)

// rulesCmd is `vanguard rules`.
type rulesCmd struct {
	Check rulesCheckCmd `cmd:"" help:"Show what is wrong with rules, and which cannot run here and why."`
	List  rulesListCmd  `cmd:"" help:"List rules."`
	Test  rulesTestCmd  `cmd:"" help:"Run the samples that stand beside the rules of a folder: those of x.yaml in x.log."`
}

// ruleDir is a folder of rules, or the embedded ones.
type ruleDir struct {
	Dir string `arg:"" optional:"" help:"Folder of Sigma rules; the rules that vanguard brings along if left out." placeholder:"DIR"`
}

// engine compiles the folder's rules together with the embedded ones, on which they may build and which they may
// replace. mine tells theirs apart.
func (d *ruleDir) engine() (e *vanguard.Engine, mine func(*rule.Rule) bool, err error) {
	if d.Dir == "" {
		e, err = vanguard.NewEngine(vanguard.Options{Workers: 1})
		return e, func(*rule.Rule) bool { return true }, err
	}
	info, err := os.Stat(d.Dir)
	switch {
	case err != nil:
		return nil, nil, plainError(d.Dir, err)
	case !info.IsDir():
		return nil, nil, usagef("%s: is a file; name the folder that holds it", d.Dir)
	}
	key := func(r *rule.Rule) string {
		return fmt.Sprint(r.File, ":", r.Line, ":", r.ID, ":", r.Name, ":", r.Title)
	}
	own := map[string]bool{}
	rules, _, err := rule.Load(os.DirFS(d.Dir), "")
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rules {
		own[key(r)] = true
	}
	e, err = vanguard.NewEngine(vanguard.Options{Rules: os.DirFS(d.Dir), Workers: 1})
	return e, func(r *rule.Rule) bool { return own[key(r)] }, err
}

type rulesCheckCmd struct {
	ruleDir `embed:""`
	Output  string `short:"o" help:"text or json." enum:"text,json" default:"text" placeholder:"FORMAT"`
}

// checked is what `rules check -o json` shows.
type checked struct {
	Run       int            `json:"run"`
	Broken    int            `json:"broken"`
	CannotRun int            `json:"cannot_run"`
	Warnings  int            `json:"warnings"`
	Problems  []rule.Problem `json:"problems"`
}

// Run is called by kong. Broken rules make the exit status 1.
func (c *rulesCheckCmd) Run(k *kong.Context) error {
	e, mine, err := c.engine()
	if err != nil {
		return err
	}
	sum := checked{Problems: []rule.Problem{}}
	for _, r := range e.Rules().Rules() {
		if mine(r) {
			sum.Run++
		}
	}
	for _, p := range e.Problems() {
		p.File = filepath.Join(c.Dir, p.File)
		sum.Problems = append(sum.Problems, p)
		switch p.Kind {
		case rule.Broken:
			sum.Broken++
		case rule.CannotRun:
			sum.CannotRun++
		default:
			sum.Warnings++
		}
	}
	if c.Output == "json" {
		enc := json.NewEncoder(k.Stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(sum); err != nil {
			return err
		}
	} else {
		for _, p := range sum.Problems {
			fmt.Fprintln(k.Stdout, render.Visible(p.Error()))
		}
		fmt.Fprintf(k.Stdout, "%d rules run; problems: %d broken, %d cannot run here, %d warnings\n", sum.Run, sum.Broken, sum.CannotRun, sum.Warnings)
	}
	if sum.Broken > 0 {
		return exitCode(exitError)
	}
	return nil
}

type rulesListCmd struct {
	ruleDir `embed:""`
	Output  string `short:"o" help:"text or json." enum:"text,json" default:"text" placeholder:"FORMAT"`
}

// listed is one rule of `rules list -o json`.
type listed struct {
	Name       string   `json:"name,omitempty"`
	ID         string   `json:"id,omitempty"`
	Title      string   `json:"title"`
	Type       string   `json:"type"`
	Level      string   `json:"level"`
	Status     string   `json:"status,omitempty"`
	Logsource  string   `json:"logsource"`
	Threat     string   `json:"threat,omitempty"`
	Confidence float64  `json:"confidence,omitempty"`
	Attack     []string `json:"attack,omitempty"`
	CVE        []string `json:"cve,omitempty"`
	File       string   `json:"file"`
	Line       int      `json:"line"`
}

// Run is called by kong.
func (c *rulesListCmd) Run(k *kong.Context) error {
	e, mine, err := c.engine()
	if err != nil {
		return err
	}
	all := []listed{}
	for _, r := range e.Rules().Rules() {
		if !mine(r) {
			continue
		}
		l := listed{Name: r.Name, ID: r.ID, Title: r.Title, Type: r.Type.String(), Level: r.Level.String(), Status: r.Status,
			Logsource: r.Logsource.String(), File: filepath.Join(c.Dir, r.File), Line: r.Line}
		if d := r.Detector; d != nil {
			l.Threat, l.Confidence, l.Attack, l.CVE = d.Threat, d.Confidence, d.Attack, d.CVE
		}
		all = append(all, l)
	}
	if c.Output == "json" {
		enc := json.NewEncoder(k.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	for _, l := range all {
		name := l.Name
		if name == "" {
			name = l.ID
		}
		fmt.Fprintf(k.Stdout, "%-40s %-13s %-11s %-32s %s\n", render.Visible(name), l.Level, l.Type, render.Visible(strings.TrimSpace(l.Threat+" "+strings.Join(l.Attack, ","))), render.Visible(l.Title))
	}
	fmt.Fprintf(k.Stdout, "%d rules\n", len(all))
	return nil
}
