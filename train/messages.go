package main

import (
	_ "embed"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/witness"
)

// messageClasses is what the message head tells apart, besides messages that tell nothing.
var messageClasses = []string{"auth-failure", "access-denied", "lockout", "privilege", "rate-limit", "token", "injection-reported", "crash"}

//go:embed messages.txt
var plainGrammar string

//go:embed jargon.txt
var jargonGrammar string

var messageGrammar = plainGrammar + "\n" + jargonGrammar

// a messageSample is one message; attack stands for "tells something".
func messageSample(source, class, text string) sample {
	return sample{source: source, attack: class != "benign" && class != "none", class: class, text: text, pieces: []piece{{neural.Text, []byte(text)}}}
}

// readMessages reads the application messages of a training file. Those of attacks have a payload inside, which is for the web head.
func readMessages(path string) (samples []sample, err error) {
	err = eachLine(path, func(r row) {
		switch {
		case r.Class == "authentication" && (r.Kind == "app" || r.Source == "hard-attack"), r.Class == "benign" && r.Kind == "app":
			samples = append(samples, messageSample(r.Source, r.Class, r.Text))
		}
	})
	return samples, err
}

// readMessageCases takes the messages that the engine would show to the classifier out of cases of one line each.
func readMessageCases(path string) (samples []sample, err error) {
	var texts []string
	engine, err := vanguard.NewEngine(vanguard.Options{NoEmbedded: true, Workers: 1, OnEvent: func(ev *event.Event) {
		if m := witness.Message(ev); m != nil {
			texts = append(texts, string(m))
		}
	}})
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
	err = eachLine(path, func(c labelled) {
		texts = nil
		src := engine.Analyzer().Source("case")
		src.Write([]byte(strings.Join(c.Lines, "\n") + "\n"))
		src.Close()
		if len(texts) == 1 {
			class := "benign"
			if c.Label == "attack" {
				class = c.Threat
			}
			samples = append(samples, messageSample(name, class, texts[0]))
		}
	})
	return samples, err
}

// generateMessages makes messages of each class, and as many again that tell nothing.
func generateMessages(words []string, seed uint64, made int) (samples []sample) {
	r := random(seed ^ 0x10c)
	g := parseGrammar(messageGrammar, words)
	for i := range made {
		class := messageClasses[i%len(messageClasses)]
		samples = append(samples, messageSample("made/"+class, class, messageCase(&r, g.expand(&r, class, 0))))
		samples = append(samples, messageSample("made/none", "none", messageCase(&r, g.expand(&r, "none", 0))))
	}
	return samples
}

// messageWords are the words that the grammar of messages is written in.
func messageWords() []string {
	seen := map[string]bool{}
	for _, list := range parseGrammar(messageGrammar, nil).section {
		for _, line := range list {
			for _, w := range neural.Words([]byte(line)) {
				seen[w] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// messageCase writes a message as programs do: with capitals, or as names in one word, or with more around it.
func messageCase(r *random, text string) string {
	switch r.below(8) {
	case 0:
		text = strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
	case 1:
		text += fmt.Sprintf(" requestId=%s", pick(r, "0123456789abcdef", 12))
	case 2:
		text += fmt.Sprintf(" {\"user\":\"%s\",\"n\":%d}", pick(r, letters, 6), r.below(1000))
	}
	return text
}

// messages is the data of the message head.
type messages struct{ learn, calibration, test []sample }

// A source of the training file that is left out is tested on instead.
func readMessageData(dir string, words []string, seed uint64, made int, leftOut string) (*messages, error) {
	m := &messages{}
	var err error
	if m.learn, err = readMessages(filepath.Join(dir, "training", "train.jsonl")); err != nil {
		return nil, err
	}
	m.learn = slices.DeleteFunc(m.learn, func(s sample) bool {
		if s.source != leftOut {
			return false
		}
		s.source = "left out/" + s.source
		m.test = append(m.test, s)
		return true
	})
	dev, err := readMessages(filepath.Join(dir, "training", "dev.jsonl"))
	if err != nil {
		return nil, err
	}
	for _, x := range dev {
		if x.source == "loghub" {
			m.calibration = append(m.calibration, x)
			continue
		}
		x.source = "dev/" + x.source
		m.test = append(m.test, x)
	}
	for _, name := range []string{"fail2ban", "wazuh_ruleset", "ossec_hids"} {
		cases, err := readMessageCases(filepath.Join(dir, "web", name+".jsonl"))
		if err != nil {
			return nil, err
		}
		for _, c := range cases {
			// Of the attacks only those count that a message can tell: a refused path or a closed connection tells nothing by itself.
			if !c.attack || c.class == "brute-force" {
				m.test = append(m.test, c)
			}
		}
	}
	m.calibration = slices.DeleteFunc(m.calibration, func(s sample) bool { return doubtful(&s) || !s.attack && mishap.MatchString(s.text) })
	m.test, _ = without(m.test) // distinct ones: a log repeats itself
	m.learn = append(m.learn, generateMessages(words, seed, made)...)
	m.learn, _ = without(m.learn, m.test, m.calibration)
	return m, nil
}

// Words of messages that tell something: what went wrong, and with what; and phrases that leave no doubt.
var (
	wrong = regexp.MustCompile(`(?i)fail|invalid|illegal|incorrect|wrong|\bbad|unknown|denied|refus|reject|mismatch|not (?:allowed|permitted|found|known|match)|forbidden|unauthori[sz]ed|couldn't|could not|can't find|unable|error|locked|blocked|banned|too many|exceeded|attack|break-in|violation|doesn't|does not|no such|non-?existent`)
	about = regexp.MustCompile(`(?i)\b(?:auth|log-?[io]n|sign-?in|passw|credential|user|account|access|permission|sasl|pam|publickey|keyboard-interactive|break-in|token|privilege|sudo|root|relay)`)
	plain = regexp.MustCompile(`(?i)(?:auth\w*|log-?in|password) (?:has )?(?:fail|error|incorrect|mismatch|denied)|failed (?:\w+ )?(?:log-?in|password|auth)|(?:couldn't|failed to|unable to) auth|(?:invalid|illegal|unknown) user|user \S* ?(?:unknown|not (?:known|allowed|found))|no such user|(?:access|permission) denied|client denied|break-in attempt|too many auth|maximum auth`)
)

// mishap finds refusals and crashes among the lines that the source of the calibration calls harmless because nobody failed to log in.
var mishap = regexp.MustCompile(`(?i)not allowed|forbidden|assertion failed|exception\b|segfault|panic`)

// doubtful tells whether a label and the message's own words contradict each other: called telling without any such word, or harmless with
// a phrase that leaves no doubt. Sources that label lines by what one filter counts hold many of both.
func doubtful(s *sample) bool {
	if s.attack {
		return !wrong.MatchString(s.text) || !about.MatchString(s.text)
	}
	return plain.MatchString(s.text)
}

// evaluateMessages prints precision, recall and F1 of "tells something" on each source, and how often real messages of each class are told so.
func evaluateMessages(w io.Writer, h *neural.Head, test []sample) {
	fmt.Fprintf(w, "\nmessages, at the shipped limit %.2f, as labelled\n", float64(h.Limit)/neural.Certain)
	countMessages(w, h, test)
	fmt.Fprintf(w, "\nmessages, without those whose words contradict their label\n")
	clear := slices.DeleteFunc(slices.Clone(test), func(s sample) bool { return doubtful(&s) })
	countMessages(w, h, clear)
	reliability(w, h, clear)
	transfer(w, h, clear)
}

func countMessages(w io.Writer, h *neural.Head, test []sample) {
	type count struct{ right, missed, wrong, quiet int }
	bySource := map[string]*count{}
	for _, s := range score(h, test) {
		c := bySource[s.source]
		if c == nil {
			c = &count{}
			bySource[s.source] = c
		}
		switch hit := s.p*neural.Certain >= float64(h.Limit); {
		case s.attack && hit:
			c.right++
		case s.attack:
			c.missed++
		case hit:
			c.wrong++
		default:
			c.quiet++
		}
	}
	fmt.Fprintf(w, "%-24s %8s %8s %10s %8s %6s %8s\n", "source", "telling", "others", "precision", "recall", "F1", "flagged")
	for _, name := range slices.Sorted(maps.Keys(bySource)) {
		c := bySource[name]
		f1 := 0.0
		if c.right > 0 {
			f1 = 2 * float64(c.right) / float64(2*c.right+c.wrong+c.missed)
		}
		fmt.Fprintf(w, "%-24s %8d %8d %10s %8s %6.3f %8s\n", name, c.right+c.missed, c.wrong+c.quiet, percent(c.right, c.right+c.wrong), percent(c.right, c.right+c.missed), f1, percent(c.wrong, c.wrong+c.quiet))
	}
}
