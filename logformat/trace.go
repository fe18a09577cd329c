package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// Stack traces are the server's own words: file names, calls such as require('...') and eval, which a rule would take for an
// attack if it read them as something that a client may have written.

// stackMarks are how traces begin, each with what must follow for it to be one.
var stackMarks = []struct{ mark, frame []byte }{
	{[]byte("Stack trace:"), []byte("#0 ")},
	{[]byte("[stacktrace]"), []byte("#0 ")},
	{[]byte("\nTraceback (most recent call last)"), []byte("File \"")},
	{[]byte("\n    at "), nil},
	{[]byte("\n\tat "), nil},
	{[]byte(`\n    at `), nil},
	{[]byte(`\n\tat `), nil},
	{[]byte("\n#0 "), nil},
	{[]byte(`\n#0 `), nil},
}

// traceStart returns where a stack trace begins in a message, or -1.
func traceStart(msg []byte) int {
	first := -1
	for _, t := range stackMarks {
		at := bytes.Index(msg, t.mark)
		if at < 0 || first >= 0 && at > first {
			continue
		}
		rest := msg[at+len(t.mark):]
		if t.frame != nil && !bytes.Contains(rest[:min(len(rest), 64)], t.frame) {
			continue
		}
		first = at
	}
	return first
}

// setTrace takes the stack trace off the message and the error's message.
func setTrace(ev *event.Event) {
	for _, f := range []event.Field{event.Message, event.ErrorMessage, event.Reason} {
		v := ev.Get(f)
		if len(v) < 16 {
			continue
		}
		if at := traceStart(v); at > 0 {
			ev.Add("error.stack_trace", v[at:], event.Server)
			ev.Set(f, v[:at])
		}
	}
}
