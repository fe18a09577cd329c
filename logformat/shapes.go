package logformat

import (
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// A shape is one kind of record that this package reads. parse fills ev and tells whether rec has the shape; on
// false the caller resets ev. Values are pieces of rec wherever possible, so that spans can be shown.
type shape struct {
	name  string // as people see it: "nginx_combined", "cloudtrail", "sshd"
	parse func(c *ctx, rec []byte, ev *event.Event) bool
}

// ctx is what a parser may know besides the record.
type ctx struct {
	opt   *Options
	depth int // wrappers around this text so far (syslog, docker, JSON...); bounded by maxDepth
	// next commits a filled Event and returns an empty one, for a record that holds
	// several events (a CloudWatch envelope). The last one is committed by the caller.
	next func(*event.Event) *event.Event
}

// inner reads text that stood inside another record (a syslog message, a JSON "log" member) in any shape, and keeps
// what the wrapper already set where the text says nothing better.
func (c *ctx) inner(text []byte, ev *event.Event) bool { return false }

// Setters shared by all shapes (fields.go).

// setTarget splits a request target ("/a/b?x=1", "http://h/a", "*") into Host, Path and Query.
func setTarget(ev *event.Event, target []byte) {}

// setRequest splits "GET /a?b HTTP/1.1", also when the client sent garbage (all of it is Path then).
func setRequest(ev *event.Event, request []byte) {}

// setStatus, setBytes and setSeconds take the text of a number; "-" and "" leave the value unknown.
func setStatus(ev *event.Event, s []byte)                       {}
func setBytes(ev *event.Event, s []byte)                        {}
func setDuration(ev *event.Event, s []byte, unit time.Duration) {}

// setSource sets SourceIP (and SourcePort) from "1.2.3.4", "1.2.3.4:5", "[::1]:5" or "::1".
func setSource(ev *event.Event, s []byte) {}

// setTime reads a time in any common layout; ok is false if it is none.
func setTime(c *ctx, ev *event.Event, s []byte) (ok bool) { return false }

// finish runs after a shape fitted: it resolves Client behind trusted proxies.
func finish(c *ctx, ev *event.Event) {}
