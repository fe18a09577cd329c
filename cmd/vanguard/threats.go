package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/incident"
)

// threatsCmd is `vanguard threats`.
type threatsCmd struct {
	Slug   string `arg:"" optional:"" help:"The threat to show, such as sql-injection; all are listed if left out."`
	Output string `short:"o" help:"text or json." enum:"text,json" default:"text" placeholder:"FORMAT"`
}

// Run is called by kong.
func (c *threatsCmd) Run(k *kong.Context) error {
	engine, err := vanguard.NewEngine(vanguard.Options{NoEmbedded: true})
	if err != nil {
		return err
	}
	all, err := engine.Threats()
	if err != nil {
		return err
	}
	slugs := slices.Sorted(maps.Keys(all))
	enc := json.NewEncoder(k.Stdout)
	enc.SetIndent("", "  ")
	if c.Slug == "" {
		if c.Output == "json" {
			list := make([]*incident.Threat, len(slugs))
			for i, s := range slugs {
				list[i] = all[s]
			}
			return enc.Encode(list)
		}
		for _, s := range slugs {
			fmt.Fprintf(k.Stdout, "%-28s %-13s %s\n", s, all[s].Severity, all[s].Title)
		}
		return nil
	}
	t := all[c.Slug]
	if t == nil {
		hint := ""
		for _, s := range slugs {
			if strings.Contains(s, c.Slug) || strings.Contains(strings.ToLower(all[s].Title), strings.ToLower(c.Slug)) {
				hint += " " + s
			}
		}
		if hint != "" {
			return fmt.Errorf("no threat %q; did you mean:%s", c.Slug, hint)
		}
		return fmt.Errorf("no threat %q; vanguard threats lists them", c.Slug)
	}
	if c.Output == "json" {
		return enc.Encode(t)
	}
	writeThreat(k.Stdout, t)
	return nil
}

func writeThreat(w io.Writer, t *incident.Threat) {
	fmt.Fprintf(w, "%s (%s, %s)\n", t.Title, t.Severity, t.Stage)
	var ids []string
	for _, a := range t.Attack {
		ids = append(ids, "ATT&CK "+a)
	}
	for _, o := range append(slices.Clone(t.OWASP), t.OAT...) {
		ids = append(ids, "OWASP "+o)
	}
	for _, n := range t.CWE {
		ids = append(ids, fmt.Sprint("CWE-", n))
	}
	for _, n := range t.CAPEC {
		ids = append(ids, fmt.Sprint("CAPEC-", n))
	}
	fmt.Fprintf(w, "%s\nseen on %s\n\n%s\n", strings.Join(ids, " · "), strings.Join(t.Platforms, ", "), t.What)
	list := func(title, bullet string, items []string) {
		if len(items) == 0 {
			return
		}
		fmt.Fprintf(w, "\n%s\n", title)
		for i, s := range items {
			b := bullet
			if b == "" {
				b = fmt.Sprint(i+1, ".")
			}
			fmt.Fprintf(w, "  %s %s\n", b, s)
		}
	}
	list("Did it work?", "-", t.Worked)
	list("Do now", "", t.DoNow)
	list("Then", "", t.Then)
	list("Innocent look-alikes", "-", t.LookAlikes)
	if t.Missing != "" {
		fmt.Fprintf(w, "\nWhat would settle it: %s\n", t.Missing)
	}
	if t.LogHint != "" {
		fmt.Fprintf(w, "Log it with:\n%s\n", t.LogHint)
	}
}
