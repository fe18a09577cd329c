package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/helixvanguard/vanguard/neural"
)

// scored is what the model says of a sample.
type scored struct {
	*sample
	logit int32
	p     float64
	class uint8
}

// never is the logit of a sample without a piece that could carry an attack.
const never = math.MinInt32

func score(h *neural.Head, samples []sample) (list []scored) {
	var scratch neural.Scratch
	for i := range samples {
		s := scored{sample: &samples[i], logit: never}
		for _, p := range s.pieces {
			if sc := h.Score(&scratch, p.kind, p.text); sc.Logit > s.logit {
				s.logit, s.p, s.class = sc.Logit, float64(sc.P)/neural.Certain, sc.Class
			}
		}
		list = append(list, s)
	}
	return list
}

// calibrate fits the curve from logits to probabilities on samples of other sources than those trained on: a straight line
// through the logits, whose two numbers make the samples most likely. Attacks and benign samples count alike in sum.
func calibrate(p *neural.Parameters, h *neural.Head, samples []sample, limit float64) (slope, offset float64) {
	c, _ := fitLoss(score(h, samples), curve{slope: 1})
	for i := range p.Curve {
		p.Curve[i] = min(max(c.at(neural.CurveLogit(i)), 0.001), 0.999)
	}
	p.Limit = limit
	return c.slope, c.offset
}

// A curve leads from logits to probabilities.
type curve struct{ slope, offset, lapse float64 }

func (c curve) at(logit float64) float64 {
	return c.lapse + (1-2*c.lapse)/(1+exp(-c.slope*logit-c.offset))
}

// fitCurve finds the line through the logits that makes the samples most likely, and the likeliest share of labels that are
// anybody's guess if that may vary.
func fitCurve(all []scored, vary bool) func(logit int32) float64 {
	best, loss := fitLoss(all, curve{slope: 1})
	for lapse := 0.01; vary && lapse < 0.2; lapse *= 2 {
		if c, l := fitLoss(all, curve{best.slope, best.offset, lapse}); l < loss {
			best, loss = c, l
		}
	}
	return func(logit int32) float64 { return best.at(float64(logit) / (1 << neural.LogitBits)) }
}

// fitLoss finds slope and offset from those of c on, and returns the loss that they leave.
func fitLoss(all []scored, c curve) (curve, float64) {
	var z, y, w []float64
	var count [2]float64
	for _, s := range all {
		if s.logit != never {
			z = append(z, float64(s.logit)/(1<<neural.LogitBits))
			y = append(y, float64(label(s.attack)))
			count[label(s.attack)]++
		}
	}
	for _, v := range y {
		w = append(w, 0.5/count[int(v)])
	}
	loss := func(a, b float64) (sum float64) {
		for i := range z {
			v := a*z[i] + b
			if y[i] > 0 {
				v = -v
			}
			if c.lapse == 0 {
				sum += w[i] * (max(v, 0) + math.Log1p(exp(-math.Abs(v))))
			} else {
				sum -= w[i] * math.Log(c.lapse+(1-2*c.lapse)/(1+exp(v)))
			}
		}
		return sum
	}
	best := loss(c.slope, c.offset)
	for step := 0.5; step > 0.001; { // the nearest better neighbour, ever nearer
		moved := false
		for _, d := range [][2]float64{{step, 0}, {-step, 0}, {0, step}, {0, -step}} {
			if a, b := c.slope+d[0]*0.4, c.offset+d[1]; a > 0.05 {
				if l := loss(a, b); l < best {
					c.slope, c.offset, best, moved = a, b, l, true
				}
			}
		}
		if !moved {
			step /= 2
		}
	}
	return c, best
}

// show lists the benign samples of a source that look worst, and the attacks that look best.
func show(w io.Writer, h *neural.Head, test []sample, source string, most int) {
	all := score(h, test)
	for _, attack := range []bool{false, true} {
		list := slices.DeleteFunc(slices.Clone(all), func(s scored) bool { return s.source != source || s.attack != attack || s.logit == never })
		slices.SortStableFunc(list, func(a, b scored) int {
			if attack {
				return cmp.Compare(a.logit, b.logit)
			}
			return cmp.Compare(b.logit, a.logit)
		})
		if attack {
			for _, s := range all {
				if s.source == source && s.attack && s.logit == never {
					fmt.Fprintf(w, "passed over: %s %q\n", s.id, s.text[:min(len(s.text), 400)])
				}
			}
		}
		for _, s := range list[:min(len(list), most)] {
			worst := slices.MaxFunc(s.pieces, func(a, b piece) int {
				var x, y neural.Scratch
				return cmp.Compare(h.Score(&x, a.kind, a.text).Logit, h.Score(&y, b.kind, b.text).Logit)
			})
			fmt.Fprintf(w, "%v %6.2f %.3f %-16s %-9s %q\n", attack, float64(s.logit)/(1<<neural.LogitBits), s.p, h.Classes[s.class], worst.kind, worst.text[:min(len(worst.text), 150)])
		}
	}
}

// evaluate prints the tables of the model card.
func evaluate(w io.Writer, m *neural.Model, d *data) {
	all := score(m.Web, d.test)
	pooled := []int32{}
	bySource := map[string][]scored{}
	for _, s := range all {
		bySource[s.source] = append(bySource[s.source], s)
		if !s.attack && s.source != "coreruleset" {
			pooled = append(pooled, s.logit)
		}
	}
	slices.Sort(pooled)
	at := func(benign []int32, share float64) int32 { // flagged above
		return benign[max(len(benign)-1-int(share*float64(len(benign))), 0)]
	}
	one, tenth := at(pooled, 0.01), at(pooled, 0.001)
	fmt.Fprintf(w, "thresholds: 1 %% of pooled benign at logit %.2f, 0.1 %% at %.2f; shipped limit %.3f\n", float64(one)/4096, float64(tenth)/4096, float64(m.Web.Limit)/neural.Certain)
	fmt.Fprintf(w, "%-24s %8s %8s %8s %8s %8s %8s %8s %8s\n", "source", "attacks", "seen", "at 1%", "at 0.1%", "shipped", "class", "benign", "flagged")
	for _, name := range slices.Sorted(maps.Keys(bySource)) {
		var n, benign, flagged, seen, a, b, c, class, classed int
		for _, s := range bySource[name] {
			hit := s.p*neural.Certain >= float64(m.Web.Limit)
			if !s.attack {
				benign++
				if hit {
					flagged++
				}
				continue
			}
			n++
			if s.logit != never {
				seen++
			}
			if s.logit > one {
				a++
			}
			if s.logit > tenth {
				b++
			}
			if hit {
				c++
				if classOf(webClasses, s.sample.class) >= 0 {
					classed++
					if m.Web.Classes[s.class] == s.sample.class {
						class++
					}
				}
			}
		}
		fmt.Fprintf(w, "%-24s %8d %8s %8s %8s %8s %8s %8d %8s\n", name, n, percent(seen, n), percent(a, n), percent(b, n), percent(c, n), percent(class, classed), benign, percent(flagged, benign))
	}
}

func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(n)/float64(of))
}
