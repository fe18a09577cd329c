package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what /metrics shows. Nothing in them comes from a log, a share or an address.
type metrics struct {
	server   *Server
	handler  http.Handler
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	bytes    prometheus.Counter
	lines    prometheus.Counter
	verdicts *prometheus.CounterVec
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		server:   s,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vanguard_http_requests_total", Help: "Requests answered."}, []string{"route", "code"}),
		seconds:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "vanguard_http_request_seconds", Help: "Time to answer.", Buckets: []float64{.001, .01, .1, 1, 10, 100}}, []string{"route"}),
		bytes:    prometheus.NewCounter(prometheus.CounterOpts{Name: "vanguard_scan_bytes_total", Help: "Bytes of posted logs, unpacked."}),
		lines:    prometheus.NewCounter(prometheus.CounterOpts{Name: "vanguard_scan_lines_total", Help: "Lines of posted logs."}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "vanguard_scan_verdicts_total", Help: "Posted logs by verdict."}, []string{"verdict"}),
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(m.requests, m.seconds, m.bytes, m.lines, m.verdicts, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "vanguard_scans", Help: "Posted logs that are taken in and judged right now."}, func() float64 { return float64(len(s.scans)) }))
	if s.cfg.Shares != nil {
		reg.MustRegister(shares{s})
	}
	m.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return m
}

// request counts one answered request.
func (m *metrics) request(route string, code int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// serve answers this machine, and whom the configuration names. What a proxy passes on does not come from this machine.
func (m *metrics) serve(w http.ResponseWriter, r *http.Request) {
	client := m.server.client(r)
	local := client.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" && r.Header.Get("X-Real-IP") == ""
	if !local && !within(client, m.server.cfg.Metrics) {
		fail(w, http.StatusForbidden, "metrics are for this machine; see --metrics-from")
		return
	}
	m.handler.ServeHTTP(w, r)
}

var (
	sharesDesc     = prometheus.NewDesc("vanguard_shares", "Shared reports that are kept.", nil, nil)
	shareBytesDesc = prometheus.NewDesc("vanguard_share_bytes", "Bytes of ciphertext that are kept.", nil, nil)
)

// shares measures the store when it is asked.
type shares struct{ s *Server }

func (c shares) Describe(ch chan<- *prometheus.Desc) {
	ch <- sharesDesc
	ch <- shareBytesDesc
}

func (c shares) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	u, err := c.s.cfg.Shares.Usage(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(sharesDesc, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(sharesDesc, prometheus.GaugeValue, float64(u.Shares))
	ch <- prometheus.MustNewConstMetric(shareBytesDesc, prometheus.GaugeValue, float64(u.Bytes))
}
