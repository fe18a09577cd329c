package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// The Content-Security-Policies. The pages carry the same in a meta tag, for hosts that send no headers; both hold.
// What a policy must forbid more, once the engine has arrived, the page adds itself: docs/threat-model.md.
const (
	policyNone = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
	policyBase = policyNone + "; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; require-trusted-types-for 'script'"

	// policyEngine is for pages that judge logs: they run WebAssembly in a worker. The one Trusted Types policy makes that worker.
	policyEngine = policyNone + "; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self'; img-src 'self' data:; connect-src 'self'; require-trusted-types-for 'script'; trusted-types vanguard"
	policyShare  = policyBase + "; trusted-types 'none'"
	policyText   = policyNone + "; style-src 'self'; img-src 'self' data:"

	// policyWorker is for a worker that is started from its own address: it may compile the engine, and load and connect to nothing.
	policyWorker = policyNone + "; script-src 'wasm-unsafe-eval'; connect-src 'none'"
)

// policies are those of the files that are more than data.
var policies = map[string]string{"index.html": policyEngine, "open.html": policyEngine, "share.html": policyShare, "worker.js": policyWorker}

var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
	".wasm": "application/wasm", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".txt": "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
}

// A page is the built page: a fixed set of files, so there is no path to climb and no folder to list.
type page struct {
	files map[string]*file
}

// A file is one of them, as it is and packed; of the engine there is only the packed form.
type file struct {
	kind, policy string
	plain        []byte // nil: unpack gzip
	packed       map[string][]byte
	hash         string
}

// loadPage takes the files of a built page; those of a page that was not built are none.
func loadPage(from fs.FS) (*page, error) {
	p := &page{files: map[string]*file{}}
	if from == nil {
		return p, nil
	}
	entries, err := fs.ReadDir(from, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		b, err := fs.ReadFile(from, e.Name())
		if err != nil {
			return nil, err
		}
		name, coding := e.Name(), ""
		for suffix, c := range map[string]string{".gz": "gzip", ".br": "br"} {
			if n, ok := strings.CutSuffix(name, suffix); ok {
				name, coding = n, c
			}
		}
		f := p.files[name]
		if f == nil {
			f = &file{kind: types[path.Ext(name)], policy: policies[name], packed: map[string][]byte{}}
			if f.kind == "" {
				f.kind = "application/octet-stream"
			}
			if f.policy == "" {
				f.policy = policyNone
				if path.Ext(name) == ".html" {
					f.policy = policyText
				}
			}
			p.files[name] = f
		}
		if coding != "" {
			f.packed[coding] = b
		} else {
			f.plain = b
		}
		sum := sha256.Sum256(append([]byte(f.hash), b...))
		f.hash = hex.EncodeToString(sum[:12])
	}
	for name, f := range p.files {
		if f.plain == nil && f.packed["gzip"] == nil {
			return nil, fmt.Errorf("%s: neither plain nor packed by gzip", name)
		}
	}
	return p, nil
}

func (p *page) empty() bool { return p.files["index.html"] == nil }

// routes are the files, and the names by which people know them.
func (p *page) routes() []route {
	if p.empty() {
		return nil
	}
	var routes []route
	for name, f := range p.files {
		routes = append(routes, route{pattern: "GET /" + name, serve: f.serve})
	}
	for pattern, name := range map[string]string{"GET /{$}": "index.html", "GET /trust": "trust.html"} {
		if f := p.files[name]; f != nil {
			routes = append(routes, route{pattern: pattern, serve: f.serve})
		}
	}
	return routes
}

// share serves the page that opens a share. It is the same for each ID, known or not: looking at it opens nothing.
func (p *page) share(w http.ResponseWriter, r *http.Request) {
	f := p.files["open.html"]
	if f == nil {
		fail(w, http.StatusNotFound, "this server has no page; open the link with: vanguard open")
		return
	}
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	f.serve(w, r)
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	coding, body := "", f.plain
	for _, c := range [...]string{"br", "gzip"} {
		if b := f.packed[c]; b != nil && accepts(r, c) {
			coding, body = c, b
			break
		}
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", f.policy)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache") // kept, and asked for anew each time
	etag := `"` + f.hash + "-" + coding + `"`
	h.Set("ETag", etag)
	if match := r.Header.Get("If-None-Match"); match == etag || match == "W/"+etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	if body == nil {
		z, err := gzip.NewReader(bytes.NewReader(f.packed["gzip"]))
		if err == nil && r.Method != http.MethodHead {
			io.Copy(w, z)
		}
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// accepts tells whether the client takes a coding.
func accepts(r *http.Request, coding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, param, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q := strings.TrimSpace(param)
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
