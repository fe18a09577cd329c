package main

import (
	"fmt"
	"io"
	"math"
	"net/url"
	"strings"

	"github.com/helixvanguard/vanguard/neural"
)

// reliability prints how often texts of each probability are attacks, attacks and harmless texts counting alike in sum as in the
// calibration, and the expected calibration error: the mean distance of the two.
func reliability(w io.Writer, h *neural.Head, test []sample) {
	const bins = 10
	var sure, hit, mass [bins]float64
	var total [2]float64
	all := score(h, test)
	use := func(s scored) bool { return s.logit != never && s.source != "coreruleset" }
	for _, s := range all {
		if use(s) {
			total[label(s.attack)]++
		}
	}
	for _, s := range all {
		if !use(s) {
			continue
		}
		b := min(int(s.p*bins), bins-1)
		weight := 0.5 / total[label(s.attack)]
		mass[b] += weight
		sure[b] += weight * s.p
		hit[b] += weight * float64(label(s.attack))
	}
	ece := 0.0
	fmt.Fprintf(w, "\nreliability of %q on %.0f attacks and %.0f harmless texts of other sources\n%12s %8s %8s %8s\n", h.Name, total[1], total[0], "probability", "share", "mean", "attacks")
	for b := range bins {
		if mass[b] > 0 {
			ece += math.Abs(sure[b] - hit[b])
			fmt.Fprintf(w, "%5.1f - %4.1f %8.4f %8.3f %8.3f\n", float64(b)/bins, float64(b+1)/bins, mass[b], sure[b]/mass[b], hit[b]/mass[b])
		}
	}
	fmt.Fprintf(w, "expected calibration error %.4f\n", ece)
}

// transfer prints what is left of the expected calibration error if the curve is fitted anew, for each source on the others: a line
// through the logits, without and with a share of texts whose label is not to be had from their words, the same for both labels.
func transfer(w io.Writer, h *neural.Head, test []sample) {
	bySource := map[string][]scored{}
	for _, s := range score(h, test) {
		if s.logit != never && s.source != "coreruleset" {
			bySource[s.source] = append(bySource[s.source], s)
		}
	}
	fmt.Fprintf(w, "\ncalibrated anew, each source by the others\n")
	for _, c := range []struct {
		name  string
		lapse bool
	}{{"two numbers", false}, {"and a share of doubtful labels", true}} {
		var all []scored
		for source, own := range bySource {
			var others []scored
			for name, list := range bySource {
				if name != source {
					others = append(others, list...)
				}
			}
			curve := fitCurve(others, c.lapse)
			for _, s := range own {
				s.p = curve(s.logit)
				all = append(all, s)
			}
		}
		fmt.Fprintf(w, "%-32s expected calibration error %.4f\n", c.name, calibrationError(all))
	}
}

// calibrationError is what reliability prints last.
func calibrationError(all []scored) float64 {
	const bins = 10
	var gap [bins]float64
	var total [2]float64
	for _, s := range all {
		total[label(s.attack)]++
	}
	for _, s := range all {
		gap[min(int(s.p*bins), bins-1)] += 0.5 / total[label(s.attack)] * (s.p - float64(label(s.attack)))
	}
	sum := 0.0
	for _, g := range gap {
		sum += math.Abs(g)
	}
	return sum
}

// disguises are families of changes that leave an attack working, or nearly.
var disguises = []struct {
	name string
	f    func(r *random, text string) string
}{
	{"mixed case", func(r *random, s string) string {
		b := []byte(s)
		for i := range b {
			if 'a' <= b[i] && b[i] <= 'z' && r.below(2) == 0 {
				b[i] &^= 0x20
			}
		}
		return string(b)
	}},
	{"other blanks", func(r *random, s string) string {
		return strings.ReplaceAll(s, " ", []string{"%09", "%0a", "   ", "%0b"}[r.below(4)])
	}},
	{"comments", func(r *random, s string) string { return strings.ReplaceAll(s, " ", "/**/") }},
	{"percent", func(r *random, s string) string { return url.QueryEscape(s) }},
	{"percent, three times", func(r *random, s string) string { return url.QueryEscape(url.QueryEscape(url.QueryEscape(s))) }},
	{"unicode escapes", func(r *random, s string) string {
		var b strings.Builder
		for _, c := range s {
			fmt.Fprintf(&b, "\\u%04x", c&0xffff)
		}
		return b.String()
	}},
	{"html references", func(r *random, s string) string {
		var b strings.Builder
		for _, c := range s {
			fmt.Fprintf(&b, "&#x%x;", c)
		}
		return b.String()
	}},
	{"other numbers", func(r *random, s string) string {
		return strings.Map(func(c rune) rune {
			if '0' <= c && c <= '9' {
				return rune('0' + r.below(10))
			}
			return c
		}, s)
	}},
	{"harmless words before", func(r *random, s string) string { return "thanks for the quick answer, see you " + s }},
	{"harmless words behind", func(r *random, s string) string { return s + " thanks for the quick answer see you" }},
	{"padded to 4 KB before", func(r *random, s string) string { return strings.Repeat("a long letter ", 290) + s }},
	{"padded to 4 KB behind", func(r *random, s string) string { return s + strings.Repeat(" a long letter", 290) }},
	{"cut by a tenth", func(r *random, s string) string { return s[:len(s)-len(s)/10] }},
	{"among parameters", func(r *random, s string) string { return "page one, item two, " + s + ", size three" }},
}

// robustness prints what each family of disguises costs, at the shipped limit, of the attacks that are found undisguised.
func robustness(w io.Writer, h *neural.Head, test []sample) {
	var found []piece
	for _, s := range test {
		if !s.attack || s.source == "coreruleset" || s.source == "nuclei_cves" || hash(s.text)%4 != 0 && s.source == "httpparams" {
			continue
		}
		for _, p := range s.pieces {
			var scratch neural.Scratch
			if int(h.Score(&scratch, p.kind, p.text).P) >= h.Limit {
				found = append(found, p)
				break
			}
		}
	}
	fmt.Fprintf(w, "\nrobustness: %d attacks, found undisguised\n", len(found))
	r := random(5)
	var scratch neural.Scratch
	for _, d := range disguises {
		lost := 0
		for _, p := range found {
			best := int32(0)
			for _, q := range parts(p.kind, []byte(d.f(&r, string(p.text)))) {
				best = max(best, h.Score(&scratch, q.kind, q.text).P)
			}
			if int(best) < h.Limit {
				lost++
			}
		}
		fmt.Fprintf(w, "%-26s loses %6s\n", d.name, percent(lost, len(found)))
	}
}
