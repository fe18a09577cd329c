package rule

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/helixvanguard/vanguard/event"
)

// A Sample is a log, and what the rules of its file must make of it. Samples stand beside the rules: those
// of rules/web/x.yaml in rules/web/x.log. Their syntax is in docs/rules.md.
type Sample struct {
	Line     int      // 1-based, of Lines[0]
	Ignore   bool     // it must raise none of Rules; if there are none, no rule of the file, but for those that only feed correlations
	Rules    []string // rules that it must raise, or must not
	Threat   string   // the threat of a finding that it must lead to, if the sample states one
	Together bool     // Lines are one log; else each of them alone is one
	Outcome  string   // that finding's outcome, if the sample states one
	Actor    string   // that finding's actor, if the sample states one
	Platform []string // who wrote such a log, where its format does not tell: "Apache"
	Lines    []string
}

// Logs are the logs that a Sample holds, and the line of its file where each begins.
func (s *Sample) Logs(f func(line int, log []string)) {
	if s.Together {
		f(s.Line, s.Lines)
		return
	}
	for i := range s.Lines {
		f(s.Line+i, s.Lines[i:i+1])
	}
}

// ParseSamples reads a sample file.
func ParseSamples(file string, src []byte) (samples []Sample, problems []Problem) {
	broken := func(line int, msg, hint string) {
		problems = append(problems, Problem{File: file, Line: line, Msg: msg, Hint: hint})
	}
	if len(src) > maxFile {
		broken(0, fmt.Sprintf("file has %d bytes, more than the limit of %d", len(src), maxFile), "")
		return nil, problems
	}
	var cur *Sample
	var at int // line of the header of cur
	flush := func() {
		if cur != nil && len(cur.Lines) == 0 {
			broken(at, "no lines follow the header", "")
		} else if cur != nil {
			samples = append(samples, *cur)
		}
		cur = nil
	}
	lines := bytes.Split(src, []byte("\n"))
	for i, raw := range lines {
		line := strings.TrimSuffix(string(raw), "\r")
		if head, ok := strings.CutPrefix(line, "#:"); ok {
			flush()
			s, msg, hint := parseHeader(head)
			if msg != "" {
				broken(i+1, msg, hint)
			}
			cur, at = &s, i+1
			continue
		}
		if strings.TrimSpace(line) == "" && (cur == nil || !cur.Together || len(cur.Lines) == 0 || i == len(lines)-1) {
			continue // an empty line is part of a log only inside one
		}
		if cur == nil {
			if !strings.HasPrefix(line, "#") {
				broken(i+1, "a line before the first header", "start with \"#: match NAME\" or \"#: ignore\"")
			}
			continue
		}
		if len(cur.Lines) == 0 {
			cur.Line = i + 1
		}
		cur.Lines = append(cur.Lines, line)
	}
	flush()
	for i := range samples {
		for s := &samples[i]; s.Together && strings.TrimSpace(s.Lines[len(s.Lines)-1]) == ""; {
			s.Lines = s.Lines[:len(s.Lines)-1]
		}
	}
	return samples, problems
}

func parseHeader(head string) (s Sample, msg, hint string) {
	words := strings.Fields(head)
	if len(words) == 0 || words[0] != "match" && words[0] != "ignore" {
		w := ""
		if len(words) > 0 {
			w = words[0]
		}
		return s, fmt.Sprintf("unknown header %q", w), "write \"#: match NAME\" or \"#: ignore\""
	}
	s.Ignore = words[0] == "ignore"
	for _, w := range words[1:] {
		key, val, has := strings.Cut(w, "=")
		switch {
		case w == "together":
			s.Together = true
		case has && key == "outcome":
			if _, ok := event.OutcomeNamed(val); !ok {
				return s, fmt.Sprintf("unknown outcome %q", val), didYouMean(val, []string{"unknown", "blocked", "likely-succeeded", "succeeded"})
			}
			s.Outcome = val
		case has && key == "actor":
			s.Actor = val
		case has && key == "threat":
			s.Threat = val
		case has && key == "platform":
			s.Platform = strings.Split(val, ",")
		case has:
			return s, fmt.Sprintf("unknown key %q", key), didYouMean(key, []string{"outcome", "actor", "threat", "platform"})
		default:
			for _, n := range strings.Split(w, ",") {
				if n != "" {
					s.Rules = append(s.Rules, n)
				}
			}
		}
	}
	switch {
	case !s.Ignore && len(s.Rules) == 0 && s.Threat == "":
		return s, "\"match\" names neither rule nor threat", "write \"#: match NAME\" or \"#: match threat=SLUG\""
	case s.Ignore && (s.Threat != "" || s.Outcome != "" || s.Actor != ""):
		return s, "\"ignore\" wants no finding, so it has no threat, outcome or actor", ""
	}
	return s, "", ""
}
