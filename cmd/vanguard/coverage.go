package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/render"
)

// A coverageRow says how much of one log the engine understands, in lines.
type coverageRow struct {
	Source  string         `json:"source"`
	Lines   int            `json:"lines"`
	Parsed  int            `json:"parsed"`            // a known format fitted
	Timed   int            `json:"timed"`             // with a time
	Sourced int            `json:"sourced"`           // with a source or actor: an address, an account, a key, a session, or the host or process that speaks
	Whole   int            `json:"whole"`             // parsed, with a time, and with a source or actor
	Client  int            `json:"client"`            // parsed, with a time, and with an address or account: somebody who could be an attacker
	Formats map[string]int `json:"formats,omitempty"` // lines by format
	Unread  []int          `json:"unread,omitempty"`  // the first lines that are not whole
}

const maxUnreadShown = 5

// actorFields say who acted; speakerFields who reports it, where nobody acted (a kernel's own line).
var (
	actorFields   = fieldSet(event.SourceIP, event.User, event.UserID, event.Principal, event.AccessKey, event.Session, event.Account)
	speakerFields = fieldSet(event.Hostname, event.Process, event.Provider)
)

func fieldSet(fields ...event.Field) (set uint64) {
	for _, f := range fields {
		set |= 1 << f
	}
	return set
}

func (r *coverageRow) add(ev *event.Event) {
	actor := ev.Client.IsValid() || ev.Fields()&actorFields != 0
	sourced := actor || ev.Fields()&speakerFields != 0
	timed := ev.Clock != event.NoClock
	count := func(to *int, if_ bool) {
		if if_ {
			*to += ev.Lines
		}
	}
	count(&r.Lines, true)
	count(&r.Parsed, ev.Understood)
	count(&r.Timed, timed)
	count(&r.Sourced, sourced)
	count(&r.Whole, ev.Understood && timed && sourced)
	count(&r.Client, ev.Understood && timed && actor)
	if ev.Understood {
		r.Formats[ev.Format] += ev.Lines
	}
	if !(ev.Understood && timed && sourced) && len(r.Unread) < maxUnreadShown {
		r.Unread = append(r.Unread, ev.Line)
	}
}

// coverage is `vanguard scan --coverage`: it reads every log and judges none.
func (s *scanner) coverage(opt vanguard.Options, output string, w io.Writer, progress bool) error {
	if output != "text" && output != "json" {
		return usagef("--coverage shows text or json, not %s", output)
	}
	rows := map[string]*coverageRow{}
	var order []*coverageRow
	opt.NoEmbedded, opt.Rules = true, nil
	opt.OnEvent = func(ev *event.Event) {
		r := rows[ev.Source]
		if r == nil {
			r = &coverageRow{Source: ev.Source, Formats: map[string]int{}}
			rows[ev.Source] = r
			order = append(order, r)
		}
		r.add(ev)
	}
	engine, err := vanguard.NewEngine(opt)
	if err != nil {
		return usageError{err}
	}
	s.run(engine.Analyzer(), progress)
	for _, p := range s.problems {
		fmt.Fprintln(s.stderr, "vanguard:", render.Visible(p.Error()))
	}
	place := map[string]int{} // as the logs were named: they are read side by side
	for i, in := range s.inputs {
		place[in.name()] = i
	}
	slices.SortStableFunc(order, func(a, b *coverageRow) int { return place[a.Source] - place[b.Source] })
	total := &coverageRow{Source: "total", Formats: map[string]int{}}
	for _, r := range order {
		total.Lines, total.Parsed, total.Timed = total.Lines+r.Lines, total.Parsed+r.Parsed, total.Timed+r.Timed
		total.Sourced, total.Whole, total.Client = total.Sourced+r.Sourced, total.Whole+r.Whole, total.Client+r.Client
		for f, n := range r.Formats {
			total.Formats[f] += n
		}
	}
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"sources": order, "total": total})
	}
	total.Formats = nil
	fmt.Fprintf(w, "%9s %8s %8s %8s %8s %8s  %s\n", "lines", "parsed", "time", "source", "whole", "client", "log: formats")
	for _, r := range append(order, total) {
		fmt.Fprintf(w, "%9d %8s %8s %8s %8s %8s  %s", r.Lines, share(r.Parsed, r.Lines), share(r.Timed, r.Lines), share(r.Sourced, r.Lines),
			share(r.Whole, r.Lines), share(r.Client, r.Lines), render.Visible(r.Source))
		if names := formatNames(r.Formats); names != "" {
			fmt.Fprintf(w, ": %s", names)
		}
		if len(r.Unread) > 0 {
			fmt.Fprintf(w, "; not whole: line %s", strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Unread), " ", ", "), "[]"))
			if r.Lines-r.Whole > len(r.Unread) {
				fmt.Fprint(w, ", ...")
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\nwhole: a known format, a time, and a source or actor. client: the same, and the source is an address or account.")
	if len(s.problems) > 0 {
		return exitCode(exitError)
	}
	return nil
}

func share(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", float64(n)*100/float64(of))
}

// formatNames lists formats, most lines first.
func formatNames(m map[string]int) string {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(m[b]-m[a], strings.Compare(a, b)) })
	const most = 6
	if len(names) > most {
		names = append(names[:most], "...")
	}
	return strings.Join(names, ", ")
}
