package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/witness"
)

// webClasses are the threats that the web head tells apart; "" stands for attacks that belong to none of them.
var webClasses = []string{
	"sql-injection", "cross-site-scripting", "path-traversal", "command-injection", "log4shell",
	"template-injection", "xxe", "ssrf", "nosql-injection", "ldap-injection",
}

// A sample is one labelled text, cut as the engine cuts events.
type sample struct {
	source string
	id     string
	attack bool
	class  string // threat, or what a message tells
	text   string // as the source has it
	pieces []piece
}

// row is a line of the training files.
type row struct {
	Source string `json:"source"`
	Class  string `json:"class"`
	Kind   string `json:"kind"`
	Text   string `json:"text"`
}

// labelled is a line of the cases files, as `vanguard eval` reads them.
type labelled struct {
	ID     string   `json:"id"`
	Source string   `json:"source"`
	Label  string   `json:"label"`
	Threat string   `json:"threat"`
	Log    string   `json:"log"`
	Weak   bool     `json:"weak"`
	Lines  []string `json:"lines"`
}

// eachLine decodes the JSON lines of a file.
func eachLine[T any](path string, f func(v T)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewScanner(file)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	for n := 1; in.Scan(); n++ {
		var v T
		if err := json.Unmarshal(in.Bytes(), &v); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		f(v)
	}
	return in.Err()
}

// hash is a number for a text that is the same everywhere.
func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

var form = regexp.MustCompile(`^[\w.\[\]%-]{1,40}=[^ "'<>]*(&[\w.\[\]%-]{1,60}=[^ "'<>]*)*$`)

// cut makes the pieces of a bare payload. Where it does not say by its look where it stood, it stands in one of several places, as chance has it.
func cut(source, text string) (pieces []piece) {
	var ev event.Event
	ev.Reset()
	value := func(kind neural.Kind) {
		raw := []byte(text)
		pieces = append(pieces, parts(kind, raw)...)
	}
	chance := hash(text) % 20
	switch {
	case source == "ua" || strings.HasPrefix(text, "Mozilla/"):
		ev.Set(event.UserAgent, []byte(text))
	case strings.HasPrefix(text, "/") && (strings.Contains(text, "?") || chance < 8) && !strings.ContainsAny(text, " \n"):
		path, query, _ := strings.Cut(text, "?")
		ev.Set(event.Path, []byte(path))
		ev.Set(event.Query, []byte(query))
	case len(text) > 1 && (text[0] == '{' || text[0] == '[') && text[1] != '{' && text[1] != '%' && strings.Contains(text, `"`):
		ev.Set(event.Body, []byte(text))
	case form.MatchString(text):
		ev.Set(event.Query, []byte(text))
	case chance < 12:
		value(neural.Param)
	case chance < 15:
		value(neural.Leaf)
	case chance < 18:
		value(neural.Body)
	case chance < 19:
		value(neural.Referer)
	default:
		value(neural.Text)
	}
	return append(pieces, cutEvent(&ev)...)
}

func cutEvent(ev *event.Event) (pieces []piece) {
	for _, seg := range witness.Cut(nil, ev) {
		pieces = append(pieces, parts(seg.Kind, seg.Raw)...)
	}
	return pieces
}

func parts(kind neural.Kind, raw []byte) (pieces []piece) {
	text := witness.Canonical(nil, raw)
	for _, p := range witness.Parts(nil, text) {
		pieces = append(pieces, piece{kind, text[p[0]:p[1]]})
	}
	return pieces
}

// readRows reads a training file. Rows whose label names no payload are passed over.
func readRows(path string) (samples []sample, err error) {
	err = eachLine(path, func(r row) {
		if r.Kind != "payload" || r.Class == "authentication" || r.Class == "recon-scanning" {
			return
		}
		samples = append(samples, sample{
			source: r.Source, attack: r.Class != "benign", class: r.Class, text: r.Text, pieces: cut(r.Source, r.Text),
		})
	})
	return samples, err
}

// readCases reads a cases file as the engine does: format, fields, true pieces.
func readCases(path string) (samples []sample, err error) {
	var events []piece
	engine, err := vanguard.NewEngine(vanguard.Options{NoEmbedded: true, Workers: 1, OnEvent: func(ev *event.Event) { events = append(events, cutEvent(ev)...) }})
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
	logs := map[string]*vanguard.Source{}
	err = eachLine(path, func(c labelled) {
		if c.Weak {
			return
		}
		events = nil
		src := logs[c.Log]
		if src == nil { // a log of its own for each kind: its format is found out once
			src = engine.Analyzer().Source(c.Log)
			logs[c.Log] = src
		}
		src.Write([]byte(strings.Join(c.Lines, "\n") + "\n"))
		src.Flush()
		samples = append(samples, sample{source: name, id: c.ID, attack: c.Label == "attack", class: c.Threat, text: strings.Join(c.Lines, "\n"), pieces: events})
	})
	return samples, err
}

// key is the same for texts that differ only in encoding, case, digits and spaces: payload lists copy each other.
func key(text []byte) uint64 {
	out, changed := decode.Canonical(nil, text)
	if !changed {
		out = bytes.ToLower(text)
	}
	h := fnv.New64a()
	last := byte(' ')
	for _, c := range out {
		switch {
		case '0' <= c && c <= '9':
			c = '0'
		case c <= ' ':
			c = ' '
		}
		if (c == '0' || c == ' ') && c == last {
			continue
		}
		h.Write([]byte{c})
		last = c
	}
	return h.Sum64()
}

// keys are those of a sample's pieces, or of its text where it has none.
func (s *sample) keys() (all []uint64) {
	for _, p := range s.pieces {
		if len(p.text) >= 6 {
			all = append(all, key(p.text))
		}
	}
	return append(all, key([]byte(s.text)))
}

// without drops from samples what occurs in others, and what occurs twice.
func without(samples []sample, others ...[]sample) (kept []sample, dropped int) {
	seen := map[uint64]bool{}
	for _, list := range others {
		for i := range list {
			for _, k := range list[i].keys() {
				seen[k] = true
			}
		}
	}
	for _, s := range samples {
		all := s.keys()
		if slices.ContainsFunc(all, func(k uint64) bool { return seen[k] }) {
			dropped++
			continue
		}
		seen[all[len(all)-1]] = true
		kept = append(kept, s)
	}
	return kept, dropped
}

// classOf is the class of a threat, -1 if it has none.
func classOf(classes []string, threat string) int { return slices.Index(classes, threat) }

// body cuts a request body.
func body(text string) []piece {
	var ev event.Event
	ev.Reset()
	ev.Set(event.Body, []byte(text))
	return cutEvent(&ev)
}
