package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/models"
	"github.com/helixvanguard/vanguard/neural"
	"github.com/helixvanguard/vanguard/server"
	"github.com/helixvanguard/vanguard/store"
	"github.com/helixvanguard/vanguard/web"
)

// serveCmd is `vanguard serve`.
type serveCmd struct {
	Listen      string    `help:"Address to listen on; 127.0.0.1:8765 unless told otherwise." default:"127.0.0.1:8765" placeholder:"ADDR"`
	Host        []string  `help:"Name by which browsers reach this server, repeatable; without any, a server that listens on this machine only answers to its address and localhost, and another one to every name." placeholder:"NAME"`
	Data        string    `help:"File that keeps shared reports; shares.db in the user's state folder unless told otherwise." placeholder:"FILE"`
	Shares      bool      `help:"Keep shared reports, as ciphertext." default:"true" negatable:""`
	ShareSpace  byteCount `help:"Most bytes of shared reports." default:"1GiB" placeholder:"SIZE"`
	API         string    `name:"scan-api" help:"Judge logs that are posted to /api/v1/scan: on, off, or auto: only when listening on this machine." enum:"on,off,auto" default:"auto" placeholder:"WHEN"`
	MaxBody     byteCount `help:"Largest log that may be posted, as sent." default:"256MiB" placeholder:"SIZE"`
	MaxUnpacked byteCount `help:"Largest log that may be posted, unpacked." default:"2GiB" placeholder:"SIZE"`
	TLSCert     string    `help:"Certificate chain, PEM." placeholder:"FILE" and:"tls"`
	TLSKey      string    `help:"Its private key, PEM." placeholder:"FILE" and:"tls"`
	BehindTLS   bool      `help:"Browsers reach this server by HTTPS through a proxy."`
	TrustProxy  []string  `help:"Address or prefix of a proxy whose X-Forwarded-For is believed, besides this machine; repeatable." placeholder:"CIDR"`
	MetricsFrom []string  `help:"Address or prefix that may read /metrics, besides this machine; repeatable." placeholder:"CIDR"`
}

// Help is shown by `vanguard serve --help` below the usage.
func (*serveCmd) Help() string {
	return `The page judges logs in the browser; they do not come to this server. docs/serve.md tells how to run it for others:
TLS, reverse proxies, limits.`
}

// errNoPage says how to get a program with a page.
var errNoPage = errors.New(`this program was built without its page. Build one that has it, in a clone of the repository with Go and Node.js:

    make build && bin/vanguard serve`)

// Run is called by kong.
func (c *serveCmd) Run(k *kong.Context) error {
	var err error
	cfg := server.Config{
		Log: slog.New(slog.NewTextHandler(k.Stderr, nil)), MaxBody: int64(c.MaxBody), MaxText: int64(c.MaxUnpacked),
		TLS: c.TLSCert != "" || c.BehindTLS,
	}
	if cfg.TrustProxy, err = prefixes("--trust-proxy", append(c.TrustProxy, "127.0.0.0/8", "::1")); err != nil {
		return err
	}
	if cfg.Metrics, err = prefixes("--metrics-from", c.MetricsFrom); err != nil {
		return err
	}
	if cfg.Page, err = fs.Sub(web.Dist, "dist"); err != nil {
		return err
	}
	if _, err := fs.Stat(cfg.Page, "index.html"); err != nil {
		return errNoPage
	}
	model, err := neural.Load(models.Weights)
	if err != nil {
		return err
	}
	if cfg.Engine, err = vanguard.NewEngine(vanguard.Options{Model: model}); err != nil {
		return err
	}
	debug.SetGCPercent(gcServing)

	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", c.Listen, err)
	}
	defer listener.Close()
	address := listener.Addr().(*net.TCPAddr)
	local := address.IP.IsLoopback()
	for _, h := range c.Host {
		cfg.Hosts = append(cfg.Hosts, strings.ToLower(h))
	}
	if local || len(c.Host) > 0 {
		cfg.Hosts = append(cfg.Hosts, "localhost", "127.0.0.1", "::1", address.IP.String())
	}
	cfg.Scan = c.API == "on" || c.API == "auto" && local
	scheme := "http"
	if c.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
		scheme = "https"
	}
	if c.Shares {
		file := c.Data
		if file == "" {
			if file, err = stateFile("shares.db"); err != nil {
				return fmt.Errorf("%w; name a file with --data, or serve with --no-shares", err)
			}
		}
		db, err := store.Open(file, int64(c.ShareSpace))
		if err != nil {
			return fmt.Errorf("shared reports: %w; name another file with --data, or serve with --no-shares", err)
		}
		defer db.Close()
		cfg.Shares = db
	}
	srv, err := server.New(cfg)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	fmt.Fprintf(k.Stderr, "vanguard: serving on %s://%s/ (Ctrl-C ends)\n", scheme, address)
	return srv.Serve(ctx, listener)
}

// prefixes reads addresses and prefixes.
func prefixes(flag string, list []string) ([]netip.Prefix, error) {
	opt, err := (&vanguard.Settings{TrustProxy: list}).Options()
	if err != nil {
		return nil, usagef("%s: neither an address nor a prefix: %s", flag, strings.Join(list, " "))
	}
	return opt.Trust, nil
}

// stateFile is where a file of the user's state lies, as the XDG base directories have it.
func stateFile(name string) (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	dir = filepath.Join(dir, "vanguard")
	return filepath.Join(dir, name), os.MkdirAll(dir, 0o700)
}
