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
	progressStep = 4 << 20 // bytes of text between two progress lines of a stream
	maxSetting   = 100     // entries of a list such as allow

	// A log that is posted keeps a place from its first byte to its report, and a turn only while a piece of it is judged: who sends
	// slowly keeps nobody from being judged.
	placesPerTurn = 8                // logs that are taken in at once, for each that is judged
	placeShare    = 4                // of all places, one client gets one in so many
	placeWait     = 5 * time.Second  // for a place
	scanTime      = 10 * time.Minute // that all of a log may take to come
	minRate       = 64 << 10         // bytes a second that a sender must manage on average, after stallTimeout
)

// scanSettings puts each parameter of a scan where it belongs.
var scanSettings = map[string]func(s *vanguard.Settings, values []string) error{
	"format":      func(s *vanguard.Settings, v []string) error { s.Format = v[0]; return nil },
	"tz":          func(s *vanguard.Settings, v []string) error { s.TZ = v[0]; return nil },
	"allow":       func(s *vanguard.Settings, v []string) error { s.Allow = v; return nil },
	"trust_proxy": func(s *vanguard.Settings, v []string) error { s.TrustProxy = v; return nil },
	"since":       func(s *vanguard.Settings, v []string) error { s.Since = v[0]; return nil },
	"until":       func(s *vanguard.Settings, v []string) error { s.Until = v[0]; return nil },
	"model":       setModel,
	"year":        func(s *vanguard.Settings, v []string) (err error) { s.Year, err = strconv.Atoi(v[0]); return err },
	"top":         func(s *vanguard.Settings, v []string) (err error) { s.Top, err = strconv.Atoi(v[0]); return err },
}

// setModel reads the switch of the classifier.
func setModel(s *vanguard.Settings, v []string) error {
	if v[0] != "on" && v[0] != "off" {
		return fmt.Errorf("%q: on or off", v[0])
	}
	s.NoModel = v[0] == "off"
	return nil
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
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/") { // a form's seams would be judged as lines
		fail(w, http.StatusUnsupportedMediaType, "send the log itself as the body, not a form: curl --data-binary @access.log")
		return
	}
	leave, ok := s.place(w, r)
	if !ok {
		return
	}
	defer leave()

	ctl := http.NewResponseController(w)
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
	began := time.Now()
	body := &meter{from: http.MaxBytesReader(w, r.Body, s.cfg.MaxBody), ctl: ctl, began: began, end: began.Add(s.scanTime)}
	out.end = body.end
	status, err := s.read(body, a, req.name, func(text []byte) error {
		if len(text) > 0 {
			s.turn(func() { src.Write(text) })
		}
		s.metrics.took(len(text))
		if out.bytes += int64(len(text)); req.output == stream && out.bytes-out.told >= progressStep {
			out.told = out.bytes
			out.line(map[string]any{"progress": map[string]int64{"bytes": out.bytes}})
		}
		return out.flush(false)
	})
	var report *vanguard.Report
	s.turn(func() {
		if src.Close(); err == nil {
			report = a.Report()
		}
	})
	if err == nil {
		err = out.flush(true)
	}
	if err != nil {
		if req.output == stream {
			out.line(map[string]string{"error": err.Error()})
			out.flush(true)
		} else {
			fail(w, status, err.Error())
		}
		return
	}
	s.metrics.judged(string(report.Verdict), report.Input.Lines)
	if req.output == stream {
		out.report(report)
		out.flush(true)
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

// place waits for a place for the request's log, and says how to leave it; if there is none, it answers.
func (s *Server) place(w http.ResponseWriter, r *http.Request) (leave func(), ok bool) {
	who := household(s.client(r))
	wait := time.NewTimer(placeWait)
	defer wait.Stop()
	if !s.places.take(who) {
		w.Header().Set("Retry-After", "60")
		fail(w, http.StatusTooManyRequests, "as many of your logs as this server takes at once are still coming; wait for their reports")
		return nil, false
	}
	select {
	case s.scans <- struct{}{}:
		return func() { <-s.scans; s.places.leave(who) }, true
	case <-wait.C:
		w.Header().Set("Retry-After", "10")
		fail(w, http.StatusServiceUnavailable, "as many logs as this server takes at once are still coming")
	case <-r.Context().Done():
	}
	s.places.leave(who)
	return nil, false
}

// turn does work that keeps a core busy, and nothing that waits for a network.
func (s *Server) turn(work func()) {
	s.turns <- struct{}{}
	defer func() { <-s.turns }()
	work()
}

// read unpacks the body and hands it to judge, piece by piece. What is wrong with a log's packing becomes a problem in the report, as on
// the command line; the error, with its status, is what makes a report impossible.
func (s *Server) read(body io.Reader, a *vanguard.Analyzer, name string, judge func([]byte) error) (status int, err error) {
	text, err := unpack.New(bufio.NewReaderSize(body, scanBuffer), s.cfg.MaxText)
	if err == nil {
		defer text.Close()
		buf := make([]byte, scanBuffer)
		for err == nil {
			var n int
			n, err = text.Read(buf)
			if gone := judge(buf[:n]); gone != nil {
				return http.StatusRequestTimeout, gone
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
		return http.StatusRequestTimeout, errors.New("the log came too slowly: it has to be sent faster, or packed")
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("unexpected end of the compressed file: it is cut off")
	}
	a.Problem(name + ": " + err.Error())
	return http.StatusOK, nil
}

// meter reads a body, whose sender has stallTimeout, then must have sent minRate on average, and all of it by the end.
type meter struct {
	from  io.Reader
	ctl   *http.ResponseController
	began time.Time
	end   time.Time
	bytes int64
}

func (m *meter) Read(p []byte) (int, error) {
	by := m.began.Add(stallTimeout + time.Duration(m.bytes/minRate)*time.Second)
	if by.After(m.end) {
		by = m.end
	}
	m.ctl.SetReadDeadline(by)
	n, err := m.from.Read(p)
	m.bytes += int64(n)
	return n, err
}

// updates writes a stream: {"update": finding} when a finding begins or grows worse, {"progress": {"bytes": n}} now and then,
// and at the end {"report": report} or {"error": text}. Lines wait for flush: a slow reader must not keep a turn.
type updates struct {
	w           http.ResponseWriter
	ctl         *http.ResponseController
	end         time.Time // by when all but the last line must be taken
	lines       []byte
	bytes, told int64 // of text: judged, and at the last progress line
	err         error // the reader is gone, or too slow
}

func (u *updates) line(v any) {
	if b, err := json.Marshal(v); err == nil {
		u.send(b)
	}
}

func (u *updates) send(line []byte) { u.lines = append(append(u.lines, line...), '\n') }

// flush sends what waits. Until the log's end its reader has no more time than its sender.
func (u *updates) flush(last bool) error {
	if u.err != nil || len(u.lines) == 0 {
		return u.err
	}
	by := time.Now().Add(stallTimeout)
	if !last && by.After(u.end) {
		by = u.end
	}
	u.ctl.SetWriteDeadline(by)
	if _, u.err = u.w.Write(u.lines); u.err == nil {
		u.err = u.ctl.Flush()
	}
	u.lines = u.lines[:0]
	return u.err
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
