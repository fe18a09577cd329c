// Package server is Vanguard over HTTP: the page, the API, shared reports, health and metrics.
//
// Whoever asks is hostile until shown otherwise: each route has a limit on time, on size and on how often
// one client may ask; each answer says which of its content a browser may run (nothing but the page's own).
package server

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/store"
)

// Config says what a Server serves. Engine and Log are needed; the rest may be left out.
type Config struct {
	Engine *vanguard.Engine
	Log    *slog.Logger
	Page   fs.FS     // the built page; nil = none
	Shares *store.DB // nil = no sharing
	Scan   bool      // serve POST /api/v1/scan

	Hosts      []string         // names it may be called by, without port; empty = any. Protects a server on a private address from foreign pages
	TrustProxy []netip.Prefix   // peers whose X-Forwarded-For is believed
	Metrics    []netip.Prefix   // clients that may read /metrics, besides this machine
	TLS        bool             // it is reached by HTTPS: tell browsers to stay there
	MaxBody    int64            // bytes of a posted log as sent; 0 = 256 MiB
	MaxText    int64            // bytes of a posted log once unpacked; 0 = 2 GiB
	Scans      int              // logs judged at the same time, of eight times as many that are taken in; 0 = one for each core
	Now        func() time.Time // the clock; nil = time.Now
}

const (
	headerTimeout = 10 * time.Second // for a request's head
	idleTimeout   = 2 * time.Minute  // between requests
	briefTimeout  = 30 * time.Second // for everything but a scan
	stallTimeout  = 30 * time.Second // a scan ends when its sender sends, or its reader takes, nothing for so long; see also scanTime
	maxHeader     = 32 << 10         // bytes of a request's head
	sweepEvery    = time.Minute      // between two looks for expired shares
)

// A Server answers requests. It is made by New.
type Server struct {
	cfg      Config
	files    *page
	metrics  *metrics
	scans    chan struct{} // a token for each log that is taken in
	turns    chan struct{} // a token for each of which a piece is judged
	places   crowd         // whose logs they are
	scanTime time.Duration
	limits   map[string]*limiter
	handler  http.Handler
}

// A route is one thing that can be asked for. The OpenAPI description lists those of the API; a test compares.
type route struct {
	pattern string // as http.ServeMux takes it
	limit   quota  // for one client
	slow    bool   // watches its time itself
	serve   http.HandlerFunc
}

// New makes a Server. The error is about the page's files.
func New(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = 256 << 20
	}
	if cfg.MaxText <= 0 {
		cfg.MaxText = 2 << 30
	}
	if cfg.Scans <= 0 {
		cfg.Scans = runtime.GOMAXPROCS(0)
	}
	places := cfg.Scans * placesPerTurn
	s := &Server{
		cfg: cfg, limits: map[string]*limiter{}, scanTime: scanTime,
		scans: make(chan struct{}, places), turns: make(chan struct{}, cfg.Scans), places: crowd{most: places / placeShare, of: map[netip.Prefix]int{}},
	}
	s.metrics = newMetrics(s)
	var err error
	if s.files, err = loadPage(cfg.Page); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		s.limits[r.pattern] = newLimiter(r.limit)
		mux.Handle(r.pattern, s.guard(r))
	}
	refuse := s.guard(route{pattern: "none", serve: s.refuse(mux)})
	s.handler = s.outer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern == "" || climbs(r.URL.Path) {
			refuse.ServeHTTP(w, r)
		} else {
			mux.ServeHTTP(w, r)
		}
	}))
	return s, nil
}

// climbs tells whether a path has steps such as ".." or "//": no page or program of ours writes one, and the router would redirect it.
func climbs(p string) bool {
	clean := path.Clean(p)
	return p != clean && (p != clean+"/" || clean == "/")
}

// routes are all that this server answers to.
func (s *Server) routes() []route {
	routes := []route{
		{pattern: "GET /healthz", serve: s.health},
		{pattern: "GET /metrics", serve: s.metrics.serve},
		{pattern: "GET /api/v1/openapi.yaml", serve: s.openapi},
	}
	if s.cfg.Scan {
		routes = append(routes, route{pattern: "POST /api/v1/scan", limit: perMinute(60, 20), slow: true, serve: s.scan})
	}
	if s.cfg.Shares != nil {
		routes = append(routes,
			route{pattern: "POST /api/v1/shares", limit: perMinute(1, 10), serve: s.putShare},
			route{pattern: "GET /api/v1/shares/{id}", limit: perMinute(60, 30), serve: s.shareInfo},
			route{pattern: "POST /api/v1/shares/{id}/open", limit: perMinute(20, 20), serve: s.openShare},
			route{pattern: "DELETE /api/v1/shares/{id}", limit: perMinute(60, 30), serve: s.deleteShare},
			route{pattern: "GET /s/{id}", serve: s.files.share},
		)
	}
	return append(routes, s.files.routes()...)
}

// Handler is the Server as a handler, for tests and for programs that bring their own listener.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on l until ctx ends, and then lets running requests finish. TLS comes by l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		s.sweep(ctx)
	}()
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), briefTimeout)
	defer cancel()
	err := srv.Shutdown(last)
	<-swept
	return err
}

// sweep deletes expired shares until ctx ends.
func (s *Server) sweep(ctx context.Context) {
	if s.cfg.Shares == nil {
		return
	}
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if _, err := s.cfg.Shares.Sweep(ctx, s.cfg.Now()); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("expired shares were not deleted", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// outer is what every answer goes through, also those of the router itself.
func (s *Server) outer(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection() // foreign pages cannot make a browser post here
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fail(w, http.StatusForbidden, "this request comes from another site's page")
	}))
	inner := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policyNone)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		if s.cfg.TLS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !s.calledRight(r.Host) {
			fail(w, http.StatusMisdirectedRequest, "this server does not answer to the name that it was called by; see --host")
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// calledRight tells whether the Host header names this server. A page of another site can make its own name resolve
// to a private address (DNS rebinding); it cannot change the name that the browser sends.
func (s *Server) calledRight(host string) bool {
	if len(s.cfg.Hosts) == 0 {
		return true
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return slices.Contains(s.cfg.Hosts, strings.ToLower(strings.Trim(host, "[]")))
}

// guard counts and limits the requests of a route.
func (s *Server) guard(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		began := s.cfg.Now()
		c := &counted{ResponseWriter: w}
		defer func() { s.metrics.request(r.pattern, c.status(), s.cfg.Now().Sub(began)) }()
		if l := s.limits[r.pattern]; l != nil && !l.allow(s.client(req), began) {
			c.Header().Set("Retry-After", "60")
			fail(c, http.StatusTooManyRequests, "too many requests from your address; wait a minute")
			return
		}
		if !r.slow {
			deadline := time.Now().Add(briefTimeout)
			ctl := http.NewResponseController(w)
			ctl.SetReadDeadline(deadline) // a writer without deadlines, as in tests, has none to set
			ctl.SetWriteDeadline(deadline)
		}
		r.serve(c, req)
	})
}

// counted remembers the status that was sent.
type counted struct {
	http.ResponseWriter
	code int
}

func (c *counted) WriteHeader(code int) {
	if c.code == 0 {
		c.code = code
	}
	c.ResponseWriter.WriteHeader(code)
}

func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counted) status() int {
	if c.code == 0 {
		return http.StatusOK
	}
	return c.code
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Shares != nil {
		if _, err := s.cfg.Shares.Usage(r.Context()); err != nil {
			s.cfg.Log.Error("the store does not answer", "error", err)
			fail(w, http.StatusServiceUnavailable, "the store of shared reports does not answer")
			return
		}
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok", "version": vanguard.Version, "rules": s.cfg.Engine.Rules().Hash()})
}

//go:embed openapi.yaml
var openapi []byte

func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	w.Write(openapi)
}

// refuse answers what no route takes: as the router does, but like all other errors.
func (s *Server) refuse(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		only := &statusOnly{header: w.Header(), code: http.StatusNotFound}
		if !climbs(r.URL.Path) {
			mux.ServeHTTP(only, r)
		}
		text := "there is nothing here"
		switch {
		case only.code == http.StatusMethodNotAllowed:
			text = "this address takes " + w.Header().Get("Allow")
		case r.URL.Path == "/" && s.files.empty():
			text = "this server has no page, only the API: /api/v1/openapi.yaml"
		}
		fail(w, only.code, text)
	}
}

// statusOnly keeps the head of an answer and drops its text.
type statusOnly struct {
	header http.Header
	code   int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) WriteHeader(code int)        { s.code = code }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }

// answer sends v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// fail sends an error.
func fail(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

// ask reads a JSON request of at most limit bytes into v, and answers what is wrong with it.
func ask(w http.ResponseWriter, r *http.Request, limit int64, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			if err = more; err == nil {
				err = errors.New("something follows the JSON object")
			}
		}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		fail(w, http.StatusRequestEntityTooLarge, "the request is too large")
	case err != nil:
		fail(w, http.StatusBadRequest, err.Error())
	}
	return err == nil
}
