package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/helixvanguard/vanguard"
)

// confidenceBins is into how many equal parts the confidences 0 to 1 are cut.
const (
	confidenceBins = 10
	certain        = 10000
)

// A calibration counts how often findings of each confidence are right: those of the first finding of every flagged case.
// [0] is of harmless cases, [1] of attacks; all is of cases flagged or not.
type calibration struct {
	sure  [2][confidenceBins]int // confidences in parts of certain, summed: whole numbers add up alike in any order
	cases [2][confidenceBins]int
	right [confidenceBins]int // attacks whose threat the finding names
	named [confidenceBins]int // attacks whose threat the label names
	all   [2]int
}

func (c *calibration) add(k *labelled, r *vanguard.Report) {
	attack := 0
	if k.Label == "attack" {
		attack = 1
	}
	c.all[attack]++
	if !flagged(r.Verdict) || len(r.Findings) == 0 {
		return
	}
	f := &r.Findings[0]
	bin := min(int(f.Confidence*confidenceBins), confidenceBins-1)
	c.sure[attack][bin] += int(math.Round(f.Confidence * certain))
	c.cases[attack][bin]++
	if attack == 1 && k.Threat != "" {
		c.named[bin]++
		if isRightThreat(k, f) {
			c.right[bin]++
		}
	}
}

func (c *calibration) merge(o *calibration) {
	for i := range c.all {
		c.all[i] += o.all[i]
		for b := range confidenceBins {
			c.sure[i][b] += o.sure[i][b]
			c.cases[i][b] += o.cases[i][b]
		}
	}
	for b := range confidenceBins {
		c.right[b] += o.right[b]
		c.named[b] += o.named[b]
	}
}

// A reliabilityRow is what came of the findings of one range of confidence.
type reliabilityRow struct {
	From    float64 `json:"from"`
	Attacks int     `json:"attacks"`
	Benign  int     `json:"benign"`
	Mean    float64 `json:"mean_confidence"`
	True    float64 `json:"attack_share"`          // of the cases as they come
	Even    float64 `json:"attack_share_balanced"` // as if as many harmless cases as attacks had been judged
	Right   float64 `json:"right_threat_share"`    // of the cases whose threat is known, harmless ones counted as wrong
}

// A reliability is a calibration ready to be shown. The errors are the expected calibration errors: the mean distance of
// confidence and truth over the flagged cases.
type reliability struct {
	Rows      []reliabilityRow `json:"rows"`
	Flagged   int              `json:"flagged"`
	Error     float64          `json:"error"`
	Balanced  float64          `json:"error_balanced"`
	OfThreats float64          `json:"error_of_threats"`
	Anew      float64          `json:"error_calibrated_anew,omitempty"`
}

func (c *calibration) reliability() *reliability {
	r := &reliability{}
	weight := 1.0 // of a harmless case in the balanced share
	if c.all[0] > 0 && c.all[1] > 0 {
		weight = float64(c.all[1]) / float64(c.all[0])
	}
	var cases, even, known, gap, evenGap, threatGap float64
	for b := range confidenceBins {
		benign, attacks := float64(c.cases[0][b]), float64(c.cases[1][b])
		n := benign + attacks
		if n == 0 {
			continue
		}
		calm, sure := float64(c.sure[0][b])/certain, float64(c.sure[1][b])/certain
		row := reliabilityRow{From: float64(b) / confidenceBins, Attacks: c.cases[1][b], Benign: c.cases[0][b]}
		row.Mean, row.True, row.Even = (calm+sure)/n, attacks/n, attacks/(weight*benign+attacks)
		cases += n
		gap += math.Abs(calm + sure - attacks)
		even += weight*benign + attacks
		evenGap += math.Abs(weight*calm + sure - attacks)
		if n := benign + float64(c.named[b]); n > 0 {
			row.Right = float64(c.right[b]) / n
			known += n
			threatGap += n * math.Abs(row.Mean-row.Right)
		}
		r.Flagged += c.cases[0][b] + c.cases[1][b]
		r.Rows = append(r.Rows, row)
	}
	if r.Flagged > 0 {
		r.Error, r.Balanced, r.OfThreats = gap/cases, evenGap/even, threatGap/max(known, 1)
	}
	return r
}

func (s *scores) sureOf(source string) *calibration {
	if s.sure[source] == nil {
		s.sure[source] = &calibration{}
	}
	return s.sure[source]
}

// reliability is nil unless it was asked for.
func (s *scores) reliability() *reliability {
	if !s.opt.Calibration {
		return nil
	}
	var all calibration
	for _, c := range s.sure {
		all.merge(c)
	}
	r := all.reliability()
	r.Anew = s.anew(&all)
	return r
}

// anew is what is left of the error of an attack or none if, for each source, every range of confidence is taken for the share of
// attacks that it has among the other sources. 0 for a single source.
func (s *scores) anew(all *calibration) float64 {
	if len(s.sure) < 2 {
		return 0
	}
	var gap [confidenceBins]float64 // by what is said now
	flagged := 0
	for _, c := range s.sure {
		for b := range confidenceBins {
			own := c.cases[0][b] + c.cases[1][b]
			attacks, n := all.cases[1][b]-c.cases[1][b], all.cases[0][b]+all.cases[1][b]-own
			said := float64(attacks+1) / float64(n+2) // Laplace's rule of succession, for ranges that the others hardly have
			gap[min(int(said*confidenceBins), confidenceBins-1)] += said*float64(own) - float64(c.cases[1][b])
			flagged += own
		}
	}
	sum := 0.0
	for _, g := range gap {
		sum += math.Abs(g)
	}
	return sum / float64(max(flagged, 1))
}

func (r *reliability) writeText(b *strings.Builder) {
	fmt.Fprintf(b, "\nConfidence of the first finding against the truth, %d flagged cases:\n\n", r.Flagged)
	fmt.Fprintf(b, "%10s %8s %8s %8s %8s %10s %8s\n", "confidence", "attacks", "benign", "mean", "attack", "balanced", "threat")
	for _, row := range r.Rows {
		fmt.Fprintf(b, "%3.1f - %3.1f  %8d %8d %8.3f %8.3f %10.3f %8.3f\n", row.From, row.From+1.0/confidenceBins, row.Attacks, row.Benign, row.Mean, row.True, row.Even, row.Right)
	}
	fmt.Fprintf(b, "expected calibration error: %.4f as they come, %.4f if as many harmless cases as attacks were judged, %.4f of naming the threat\n",
		r.Error, r.Balanced, r.OfThreats)
	if r.Anew > 0 {
		fmt.Fprintf(b, "of which calibrating each source anew by the others would leave %.4f\n", r.Anew)
	}
}
