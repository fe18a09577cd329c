package render

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/helixvanguard/vanguard"
)

//go:embed report.html
var htmlPage string

//go:embed report.css
var htmlStyle string

// page is parsed on first use: a scan that prints text does not pay for it. html/template
// escapes by context; the Content-Security-Policy allows this one style sheet and nothing else, no script at all.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{
		"visible":        func(s string) string { return visible(s) },
		"percent":        percent,
		"count":          count,
		"grouped":        grouped,
		"period":         period,
		"place":          place,
		"understood":     understood,
		"engine":         engine,
		"verdict":        verdictLook,
		"outcome":        outcomeLook,
		"references":     references,
		"pieces":         func(e vanguard.Evidence) []piece { return pieces(e.Text, e.Spans, 0) },
		"rich":           rich,
		"named":          named,
		"reasonsOnce":    reasonsOnce,
		"targetsByType":  targetsByType,
		"rows":           func(s string) []string { return strings.Split(s, "\n") },
		"join":           strings.Join,
		"add":            func(a, b int) int { return a + b },
		"hiddenFindings": hiddenFindings,
		"noise":          noise,
		"allowed":        func(a vanguard.Allowed) string { return allowed(&a) },
		"chainWho":       func(c vanguard.Chain) string { return chainWho(&c) },
		"chainStep":      func(r *vanguard.Report, c vanguard.Chain, s vanguard.Step) string { return chainStep(r, &c, &s) },
		"full":           func(p float64) float64 { return p * 100 },
	}).Parse(htmlPage))
})

func writeHTML(w io.Writer, r *vanguard.Report, more int) error {
	sum := sha256.Sum256([]byte(htmlStyle))
	return page().Execute(w, struct {
		*vanguard.Report
		More  int // findings that are not shown
		Chart chart
		Style template.CSS
		CSP   string
	}{r, more, newChart(r.Timeline), template.CSS(htmlStyle), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])})
}

// A chart is the timeline as two rows of bars over one time axis: all events upwards, suspect
// ones downwards, each row on its own scale. Units are those of the SVG's view box, chartWidth x (chartUp+chartGap+chartDown).
type chart struct {
	Bars                   []bar
	Start, End             string
	Seconds                int64
	MaxEvents, MaxSuspects int
	Suspects               int
}

type bar struct {
	X, Width         float64
	EventY, EventH   float64
	SuspectH         float64
	Start            string
	Events, Suspects int
}

const (
	chartWidth = 1000.0
	chartUp    = 90.0
	chartDown  = 50.0
	maxBars    = 120
	leastBar   = 2.5 // what is there is seen, however small
)

func newChart(bs []vanguard.Bucket) chart {
	bs = coarser(bs)
	if len(bs) == 0 {
		return chart{}
	}
	c := chart{Start: bs[0].Start, End: bs[len(bs)-1].Start, Seconds: bs[0].Seconds}
	for _, b := range bs {
		c.MaxEvents = max(c.MaxEvents, b.Events)
		c.MaxSuspects = max(c.MaxSuspects, b.Suspect)
		c.Suspects += b.Suspect
	}
	t0 := millis(bs[0].Start)
	length := float64(millis(bs[len(bs)-1].Start)-t0) + float64(c.Seconds*1000)
	for _, b := range bs {
		x := bar{Start: b.Start, Events: b.Events, Suspects: b.Suspect}
		x.X = float64(millis(b.Start)-t0) / max(length, 1) * chartWidth
		x.Width = max(float64(b.Seconds*1000)/max(length, 1)*chartWidth*0.86, 1.5)
		if b.Events > 0 {
			x.EventH = max(float64(b.Events)/float64(c.MaxEvents)*chartUp, leastBar)
		}
		if b.Suspect > 0 {
			x.SuspectH = max(float64(b.Suspect)/float64(c.MaxSuspects)*chartDown, leastBar)
		}
		x.EventY = chartUp - x.EventH
		c.Bars = append(c.Bars, x)
	}
	return c
}

// coarser merges neighbours until at most maxBars are left.
func coarser(bs []vanguard.Bucket) []vanguard.Bucket {
	for len(bs) > maxBars {
		var out []vanguard.Bucket
		for i, b := range bs {
			at := millis(b.Start)
			if n := len(out); n > 0 && at < millis(out[n-1].Start)+2*b.Seconds*1000 {
				out[n-1].Events += b.Events
				out[n-1].Suspect += b.Suspect
				continue
			}
			out = append(out, bs[i])
			out[len(out)-1].Seconds = 2 * b.Seconds
		}
		if len(out) == len(bs) { // too sparse to merge
			return out[:maxBars]
		}
		bs = out
	}
	return bs
}

// Each says how long a bar is: "1 minute".
func (c chart) Each() string {
	d := time.Duration(c.Seconds) * time.Second
	switch {
	case d < time.Minute || d%time.Minute != 0:
		return count(int(d/time.Second), "second")
	case d < time.Hour || d%time.Hour != 0:
		return count(int(d/time.Minute), "minute")
	case d < 48*time.Hour || d%(24*time.Hour) != 0:
		return count(int(d/time.Hour), "hour")
	}
	return count(int(d/(24*time.Hour)), "day")
}
