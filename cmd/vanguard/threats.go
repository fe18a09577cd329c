package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/incident"
	"github.com/helixvanguard/vanguard/render"
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
	var look render.Options
	look.Width, look.Color = terminal(k.Stdout)
	return render.Threat(k.Stdout, t, look)
}
