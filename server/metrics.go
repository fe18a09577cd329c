package server

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// metrics are what /metrics shows, in Prometheus's text format. Nothing in them comes from a log, a share or an address.
type metrics struct {
	server *Server
	began  time.Time

	mu       sync.Mutex
	requests map[requestLabels]uint64
	seconds  map[string]*histogram // by route
	verdicts map[string]uint64
	bytes    uint64 // of posted logs, unpacked
	lines    uint64
}

type requestLabels struct{ code, route string }

// bounds are the upper ends of a histogram's buckets, in seconds.
var bounds = [...]float64{.001, .01, .1, 1, 10, 100}

type histogram struct {
	within [len(bounds)]uint64 // observations up to each bound
	count  uint64
	sum    float64
}

func newMetrics(s *Server) *metrics {
	return &metrics{server: s, began: s.cfg.Now(), requests: map[requestLabels]uint64{}, seconds: map[string]*histogram{}, verdicts: map[string]uint64{}}
}

// request counts one answered request. Routes are the server's own patterns, so they are few.
func (m *metrics) request(route string, code int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[requestLabels{strconv.Itoa(code), route}]++
	h := m.seconds[route]
	if h == nil {
		h = &histogram{}
		m.seconds[route] = h
	}
	h.count++
	h.sum += took.Seconds()
	for i, b := range bounds {
		if took.Seconds() <= b {
			h.within[i]++
		}
	}
}

// took counts bytes of a posted log.
func (m *metrics) took(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += uint64(bytes)
}

// judged counts a posted log.
func (m *metrics) judged(verdict string, lines int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.verdicts[verdict]++
	m.lines += uint64(lines)
}

// serve answers this machine, and whom the configuration names. What a proxy passes on does not come from this machine.
func (m *metrics) serve(w http.ResponseWriter, r *http.Request) {
	client := m.server.client(r)
	local := client.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" && r.Header.Get("X-Real-IP") == ""
	if !local && !within(client, m.server.cfg.Metrics) {
		fail(w, http.StatusForbidden, "metrics are for this machine; see --metrics-from")
		return
	}
	var b strings.Builder
	m.write(r.Context(), &b)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	io.WriteString(w, b.String())
}

func (m *metrics) write(ctx context.Context, b *strings.Builder) {
	family := func(name, kind, help string) { fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	single := func(name, kind, help string, v float64) {
		family(name, kind, help)
		fmt.Fprintf(b, "%s %s\n", name, number(v))
	}
	m.mu.Lock()
	family("vanguard_http_requests_total", "counter", "Requests answered.")
	for _, k := range slices.SortedFunc(maps.Keys(m.requests), func(x, y requestLabels) int { return strings.Compare(x.route+" "+x.code, y.route+" "+y.code) }) {
		fmt.Fprintf(b, "vanguard_http_requests_total{code=%q,route=%q} %d\n", k.code, k.route, m.requests[k])
	}
	family("vanguard_http_request_seconds", "histogram", "Time to answer.")
	for _, route := range slices.Sorted(maps.Keys(m.seconds)) {
		h := m.seconds[route]
		for i, bound := range bounds {
			fmt.Fprintf(b, "vanguard_http_request_seconds_bucket{route=%q,le=%q} %d\n", route, number(bound), h.within[i])
		}
		fmt.Fprintf(b, "vanguard_http_request_seconds_bucket{route=%q,le=\"+Inf\"} %d\n", route, h.count)
		fmt.Fprintf(b, "vanguard_http_request_seconds_sum{route=%q} %s\nvanguard_http_request_seconds_count{route=%q} %d\n", route, number(h.sum), route, h.count)
	}
	single("vanguard_scan_bytes_total", "counter", "Bytes of posted logs, unpacked.", float64(m.bytes))
	single("vanguard_scan_lines_total", "counter", "Lines of posted logs.", float64(m.lines))
	family("vanguard_scan_verdicts_total", "counter", "Posted logs by verdict.")
	for _, v := range slices.Sorted(maps.Keys(m.verdicts)) {
		fmt.Fprintf(b, "vanguard_scan_verdicts_total{verdict=%q} %d\n", v, m.verdicts[v])
	}
	m.mu.Unlock()
	single("vanguard_scans", "gauge", "Posted logs that are taken in and judged right now.", float64(len(m.server.scans)))
	if db := m.server.cfg.Shares; db != nil {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if u, err := db.Usage(ctx); err == nil {
			single("vanguard_shares", "gauge", "Shared reports that are kept.", float64(u.Shares))
			single("vanguard_share_bytes", "gauge", "Bytes of ciphertext that are kept.", float64(u.Bytes))
		}
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	single("go_goroutines", "gauge", "Number of goroutines that currently exist.", float64(runtime.NumGoroutine()))
	single("go_memstats_alloc_bytes", "gauge", "Bytes of heap in use.", float64(mem.Alloc))
	single("go_memstats_sys_bytes", "gauge", "Bytes taken from the system.", float64(mem.Sys))
	single("go_memstats_gc_cycles_total", "counter", "Collections of garbage.", float64(mem.NumGC))
	single("process_start_time_seconds", "gauge", "When the server started, in seconds since 1970.", float64(m.began.UnixMilli())/1000)
	if n, ok := resident(); ok {
		single("process_resident_memory_bytes", "gauge", "Resident memory.", n)
	}
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		single("process_open_fds", "gauge", "Open file descriptors.", float64(len(fds)))
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// resident is the process's resident memory in bytes, where the system tells (Linux).
func resident() (n float64, ok bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text)) // size, resident...: in pages
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()), err == nil
}
