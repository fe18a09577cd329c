// Command train makes the classifier: it reads labelled texts, adds rows that it generates, trains, calibrates,
// evaluates on sources that it never trained on, and writes a model folder.
//
//	go run ./train -corpora DIR -out models/witness-v3
//	go run ./train -corpora DIR -measure models/witness-v3/weights.bin    # the same tables without training, in a minute
//
// DIR holds training/{train,dev}.jsonl and web/*.jsonl; what each file must look like is in docs/model.md. The
// same files and seed give the same bytes.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard/neural"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func sum(b []byte) []byte { h := sha256.Sum256(b); return h[:] }

func run() error {
	var (
		corpora = flag.String("corpora", "", "folder with training/ and web/")
		out     = flag.String("out", "", "folder to write the weights to")
		measure = flag.String("measure", "", "file of weights to measure instead of training")
		name    = flag.String("name", "witness-v3", "name of the model")
		seed    = flag.Uint64("seed", 1, "seed of everything that chance decides")
		epochs  = flag.Int("epochs", 6, "times that the web head sees every row")
		logRows = flag.Int("rows", 17, "rows of the web head's table, as a power of two")
		rate    = flag.Float64("rate", 0.15, "learning rate")
		drop    = flag.Float64("drop", 0.5, "share of n-grams dropped")
		texts   = flag.Int("messages", 120000, "generated messages that tell something, and as many others")
		limit   = flag.Float64("limit", 0.65, "probability from which a text is called suspect")
		textLim = flag.Float64("message-limit", 0.7, "the same for messages")
		list    = flag.String("show", "", "sources, comma-separated, whose hardest samples to list")
		most    = flag.Int("most", 40, "how many of them")
		leftOut = flag.String("without", "", "source of messages to leave out of training and test on")
		made    = flag.Int("made", 160000, "generated rows of each label")
	)
	flag.Parse()
	if *corpora == "" {
		return fmt.Errorf("name the data with -corpora")
	}
	began := time.Now()
	step := func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%5.0fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	d, err := readData(*corpora, *seed, *made, step)
	if err != nil {
		return err
	}
	m, err := readMessageData(*corpora, d.words, *seed, *texts, *leftOut)
	if err != nil {
		return err
	}
	var model *neural.Model
	if *measure != "" {
		file, err := os.ReadFile(*measure)
		if err != nil {
			return err
		}
		if model, err = neural.Load(file); err != nil {
			return fmt.Errorf("%s: %w", *measure, err)
		}
	} else if model, err = learn(d, m, options{*name, *out, *seed, *epochs, *logRows, *drop, *rate, *limit, *textLim}, step); err != nil {
		return err
	}
	evaluate(os.Stdout, model, d)
	reliability(os.Stdout, model.Web, d.test)
	transfer(os.Stdout, model.Web, d.test)
	robustness(os.Stdout, model.Web, d.test)
	evaluateMessages(os.Stdout, model.Text, m.test)
	for _, source := range strings.Split(*list, ",") {
		for _, list := range [][]sample{d.test, d.calibration} {
			show(os.Stdout, model.Web, list, source, *most)
		}
		for _, list := range [][]sample{m.test, m.calibration} {
			show(os.Stdout, model.Text, list, source, *most)
		}
	}
	return nil
}

// options are what may be chosen about training.
type options struct {
	name, out        string
	seed             uint64
	epochs, logRows  int
	drop, rate       float64
	limit, textLimit float64
}

// learn trains both heads, and writes them to o.out if that names a folder.
func learn(d *data, m *messages, o options, step func(string, ...any)) (*neural.Model, error) {
	webSet := settings{name: neural.WebHead, seed: o.seed, epochs: o.epochs, logRows: o.logRows, drop: o.drop, rate: o.rate, classes: webClasses}
	web, err := fit(webSet, d.learn, d.calibration, o.limit, step)
	if err != nil {
		return nil, err
	}
	textSet := settings{name: neural.TextHead, seed: o.seed, epochs: 8, logRows: 16, rare: 64, drop: 0.3, rate: o.rate, classes: messageClasses, words: messageWords()}
	text, err := fit(textSet, m.learn, m.calibration, o.textLimit, step)
	if err != nil {
		return nil, err
	}
	file := neural.Encode(o.name, sum, web, text)
	model, err := neural.Load(file)
	if err != nil {
		return nil, err
	}
	step("trained; %d bytes", len(file))
	if o.out != "" {
		if err := os.MkdirAll(o.out, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(o.out, "weights.bin"), file, 0o644); err != nil {
			return nil, err
		}
	}
	return model, nil
}

// fit trains a head, rounds it, and calibrates what was rounded.
func fit(set settings, learn, calibration []sample, limit float64, step func(string, ...any)) (*neural.Parameters, error) {
	examples := weigh(learn, set.classes)
	step("%s: %d samples to learn from", set.name, len(examples))
	p := train(set, examples, func(epoch int, loss float64) { step("epoch %d: loss %.4f", epoch+1, loss) }).parameters()
	h, err := neural.NewHead(p)
	if err != nil {
		return nil, err
	}
	slope, offset := calibrate(p, h, calibration, limit)
	step("probability = sigmoid(%.3f logit %+.3f)", slope, offset)
	return p, nil
}

// data is everything that a run works with.
type data struct {
	words       []string // of the harmless texts that were read
	learn       []sample // to train on
	calibration []sample // to fit probabilities on
	test        []sample // to measure on: never seen otherwise
}

func readData(dir string, seed uint64, made int, step func(string, ...any)) (*data, error) {
	d := &data{}
	var err error
	if d.learn, err = readRows(filepath.Join(dir, "training", "train.jsonl")); err != nil {
		return nil, err
	}
	dev, err := readRows(filepath.Join(dir, "training", "dev.jsonl"))
	if err != nil {
		return nil, err
	}
	for _, x := range dev {
		switch x.source {
		case "github-api", "prose-held":
			d.calibration = append(d.calibration, x)
		default:
			if x.source == "i18n" && hash(x.text)%2 == 0 {
				d.calibration = append(d.calibration, x)
				continue
			}
			x.source = "dev/" + x.source
			d.test = append(d.test, x)
		}
	}
	for _, name := range []string{"httpparams", "coreruleset", "gotestwaf", "nuclei_cves", "crowdsec_appsec"} {
		cases, err := readCases(filepath.Join(dir, "web", name+".jsonl"))
		if err != nil {
			return nil, err
		}
		d.test = append(d.test, cases...)
	}
	cases, err := readCases(filepath.Join(dir, "web", "grananqvist_payloads.jsonl"))
	if err != nil {
		return nil, err
	}
	cases, copies := without(cases, d.test)
	d.calibration = append(d.calibration, cases...)
	for _, name := range []string{"lab_node", "lab_php"} {
		if cases, err = readCases(filepath.Join(dir, "lab", name+".jsonl")); err != nil {
			return nil, err
		}
		d.calibration = append(d.calibration, distinct(cases)...)
	}
	if cases, err = readCases(filepath.Join(dir, "lab", "lab_benign.jsonl")); err != nil {
		return nil, err
	}
	d.test = append(d.test, distinct(cases)...)
	step("%d samples to test on, %d to calibrate on (%d copies dropped)", len(d.test), len(d.calibration), copies)
	r := random(seed ^ 0x77)
	d.words = vocabulary(d.learn, &r)
	d.learn = append(d.learn, generate(d.learn, d.words, seed, made)...)
	before := len(d.learn)
	d.learn, _ = without(d.learn, d.test, d.calibration)
	step("%d of %d rows to learn from; the others occur twice or among the tests", len(d.learn), before)
	return d, nil
}

// distinct makes a sample of each different piece in benign cases of many lines. The attacks are left out: which of their pieces
// is the guilty one, the cases do not say.
func distinct(cases []sample) (samples []sample) {
	seen := map[string]bool{}
	for _, c := range cases {
		if c.attack {
			continue
		}
		for _, p := range c.pieces {
			if k := p.kind.String() + string(p.text); !seen[k] {
				seen[k] = true
				samples = append(samples, sample{source: c.source, id: c.id, class: "benign", text: string(p.text), pieces: []piece{p}})
			}
		}
	}
	return samples
}

// weigh makes examples of samples: a source counts by the root of its size, so that the large and uniform ones do not drown the rest.
func weigh(samples []sample, classes []string) (list []example) {
	type group struct {
		source string
		attack bool
	}
	count := map[group]int{}
	for _, s := range samples {
		if len(s.pieces) > 0 {
			count[group{s.source, s.attack}]++
		}
	}
	weight := func(g group) float64 { return 1 / (1 + float64(count[g])/4000) }
	var total [2]float64
	for g, n := range count {
		total[label(g.attack)] += float64(n) * weight(g)
	}
	for _, s := range samples {
		if len(s.pieces) == 0 {
			continue
		}
		w := weight(group{s.source, s.attack}) * (total[0] + total[1]) / 2 / total[label(s.attack)]
		list = append(list, example{s.pieces, s.attack, classOf(classes, s.class), float32(w)})
	}
	return list
}

func label(attack bool) int {
	if attack {
		return 1
	}
	return 0
}
