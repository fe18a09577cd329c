package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/render"
	"github.com/helixvanguard/vanguard/unpack"
)

const (
	scanBuffer   = 256 << 10
	progressStep = 4 << 20         // bytes of text between two progress lines of a stream
	scanWait     = 5 * time.Second // for a turn
	minRate      = 16 << 10        // bytes a second that a sender must manage
	maxSetting   = 100             // entries of a list such as allow
)

// scanSettings puts each parameter of a scan where it belongs.
var scanSettings = map[string]func(s *vanguard.Settings, values []string) error{
	"format":      func(s *vanguard.Settings, v []string) error { s.Format = v[0]; return nil },
	"tz":          func(s *vanguard.Settings, v []string) error { s.TZ = v[0]; return nil },
	"allow":       func(s *vanguard.Settings, v []string) error { s.Allow = v; return nil },
	"trust_proxy": func(s *vanguard.Settings, v []string) error { s.TrustProxy = v; return nil },
	"since":       func(s *vanguard.Settings, v []string) error { s.Since = v[0]; return nil },
	"until":       func(s *vanguard.Settings, v []string) error { s.Until = v[0]; return nil },
	"year":        func(s *vanguard.Settings, v []string) (err error) { s.Year, err = strconv.Atoi(v[0]); return err },
	"top":         func(s *vanguard.Settings, v []string) (err error) { s.Top, err = strconv.Atoi(v[0]); return err },
}

// stream is the output that tells findings as they come.
const stream = "ndjson"

// outputTypes are the formats of a report, and how they are announced.
var outputTypes = map[string]string{
	"json": "application/json", "jsonl": "application/x-ndjson", stream: "application/x-ndjson", "ocsf": "application/json",
	"text": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8",
}

// A scanRequest is what the query asks for.
type scanRequest struct {
	options vanguard.Options
	name    string
	output  string
}

func (s *Server) scanRequest(q url.Values, accept string) (req scanRequest, err error) {
	req = scanRequest{name: "log", output: "json"}
	if strings.Contains(accept, "ndjson") {
		req.output = stream
	}
	settings := vanguard.Settings{Year: s.cfg.Now().Year()}
	for key, values := range q {
		set := scanSettings[key]
		switch {
		case len(values) > 1 && key != "allow" && key != "trust_proxy", len(values) > maxSetting:
			return req, fmt.Errorf("%s: given too often", key)
		case key == "name":
			req.name = values[0]
		case key == "output":
			if req.output = values[0]; outputTypes[req.output] == "" {
				return req, fmt.Errorf("output %q: one of %s", req.output, strings.Join(slices.Sorted(maps.Keys(outputTypes)), ", "))
			}
		case set == nil:
			return req, fmt.Errorf("unknown parameter %q; there are name, output, %s", key, strings.Join(slices.Sorted(maps.Keys(scanSettings)), ", "))
		default:
			if err := set(&settings, values); err != nil {
				return req, fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	req.options, err = settings.Options()
	req.options.Workers = 1 // further cores serve further requests
	return req, err
}

// scan judges the log that is the request's body.
func (s *Server) scan(w http.ResponseWriter, r *http.Request) {
	req, err := s.scanRequest(r.URL.Query(), r.Header.Get("Accept"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if c := r.Header.Get("Content-Encoding"); c != "" && c != "identity" && c != "gzip" && c != "zstd" && c != "bzip2" {
		fail(w, http.StatusUnsupportedMediaType, "send the log plain, or packed by gzip, zstd or bzip2")
		return
	}
	ctl := http.NewResponseController(w)
	turn := time.NewTimer(scanWait)
	defer turn.Stop()
	select {
	case s.scans <- struct{}{}:
		defer func() { <-s.scans }()
	case <-turn.C:
		w.Header().Set("Retry-After", "10")
		fail(w, http.StatusServiceUnavailable, "as many logs as this server judges at once are being judged")
		return
	case <-r.Context().Done():
		return
	}

	out := &updates{w: w, ctl: ctl}
	if req.output == stream {
		ctl.EnableFullDuplex() // HTTP/1 would read all of the log before the first answer
		w.Header().Set("Content-Type", outputTypes[stream])
		req.options.OnUpdate = out.update
	}
	engine, err := s.cfg.Engine.With(req.options)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	a := engine.Analyzer()
	src := a.Source(req.name)
	body := &meter{from: http.MaxBytesReader(w, r.Body, s.cfg.MaxBody), ctl: ctl, began: time.Now()}
	status, err := s.read(body, src, a, req.name, func(n int64) {
		if req.output == stream {
			out.line(map[string]any{"progress": map[string]int64{"bytes": n}})
		}
	})
	src.Close()
	if err == nil {
		err = out.err
	}
	if err != nil {
		if req.output == stream {
			out.line(map[string]string{"error": err.Error()})
		} else {
			fail(w, status, err.Error())
		}
		return
	}
	report := a.Report()
	s.metrics.lines.Add(float64(report.Input.Lines))
	s.metrics.verdicts.WithLabelValues(string(report.Verdict)).Inc()
	if req.output == stream {
		out.report(report)
		return
	}
	w.Header().Set("Content-Type", outputTypes[req.output])
	if req.output == "html" { // the report brings its own style, and nothing that runs
		w.Header().Set("Content-Security-Policy", policyNone+"; style-src 'unsafe-inline'; sandbox")
	}
	opt := render.Options{Now: s.cfg.Now()}
	if req.output == "text" {
		opt.Top = render.TextTop
	}
	ctl.SetWriteDeadline(time.Now().Add(stallTimeout))
	render.Write(w, req.output, report, opt)
}

// read hands the body to the engine, unpacked. What is wrong with a log's packing becomes a problem in the report, as on the
// command line; the error, with its status, is what makes a report impossible.
func (s *Server) read(body io.Reader, src *vanguard.Source, a *vanguard.Analyzer, name string, progress func(int64)) (status int, err error) {
	text, err := unpack.New(bufio.NewReaderSize(body, scanBuffer), s.cfg.MaxText)
	if err == nil {
		defer text.Close()
		var total, told int64
		buf := make([]byte, scanBuffer)
		for err == nil {
			var n int
			n, err = text.Read(buf)
			src.Write(buf[:n])
			s.metrics.bytes.Add(float64(n))
			if total += int64(n); total-told >= progressStep {
				told = total
				progress(total)
			}
		}
	}
	var foreign unpack.ForeignError
	var large *http.MaxBytesError
	switch {
	case err == io.EOF:
		return http.StatusOK, nil
	case errors.As(err, &foreign):
		return http.StatusUnsupportedMediaType, fmt.Errorf("the body %w", err)
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, fmt.Errorf("the log is larger than the %d bytes that this server takes", large.Limit)
	case errors.Is(err, unpack.ErrLimit):
		return http.StatusRequestEntityTooLarge, fmt.Errorf("the log unpacks to more than the %d bytes that this server takes", s.cfg.MaxText)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, errors.New("nothing came for too long")
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("unexpected end of the compressed file: it is cut off")
	}
	a.Problem(name + ": " + err.Error())
	return http.StatusOK, nil
}

// meter reads a body, whose sender has stallTimeout and then must have sent minRate on average: a turn is not held for long.
type meter struct {
	from  io.Reader
	ctl   *http.ResponseController
	began time.Time
	bytes int64
}

func (m *meter) Read(p []byte) (int, error) {
	m.ctl.SetReadDeadline(m.began.Add(stallTimeout + time.Duration(m.bytes/minRate)*time.Second))
	n, err := m.from.Read(p)
	m.bytes += int64(n)
	return n, err
}

// updates writes a stream: {"update": finding} when a finding begins or grows worse, {"progress": {"bytes": n}} now and then,
// and at the end {"report": report} or {"error": text}.
type updates struct {
	w   http.ResponseWriter
	ctl *http.ResponseController
	err error // the reader is gone, or too slow
}

func (u *updates) line(v any) {
	if b, err := json.Marshal(v); err == nil {
		u.send(b)
	}
}

func (u *updates) send(line []byte) {
	if u.err != nil {
		return
	}
	u.ctl.SetWriteDeadline(time.Now().Add(stallTimeout))
	if _, u.err = u.w.Write(append(line, '\n')); u.err == nil {
		u.err = u.ctl.Flush()
	}
}

func (u *updates) update(f vanguard.Finding) {
	if b, ok := compact("jsonl", &vanguard.Report{Findings: []vanguard.Finding{f}}); ok {
		finding, _, _ := bytes.Cut(b, []byte{'\n'})
		u.send(slices.Concat([]byte(`{"update":`), finding, []byte{'}'}))
	}
}

func (u *updates) report(r *vanguard.Report) {
	if b, ok := compact("json", r); ok {
		var line bytes.Buffer
		if json.Compact(&line, b) == nil {
			u.send(slices.Concat([]byte(`{"report":`), line.Bytes(), []byte{'}'}))
		}
	}
}

// compact renders a report: through the gate that makes a log's bytes harmless.
func compact(format string, r *vanguard.Report) ([]byte, bool) {
	var b bytes.Buffer
	err := render.Write(&b, format, r, render.Options{})
	return b.Bytes(), err == nil
}
