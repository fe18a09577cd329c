package rule

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard/decode"
	"github.com/helixvanguard/vanguard/event"
)

// jsonObject is an event.Object over decoded JSON, plain and slow.
type jsonObject struct{ v any }

func (o jsonObject) Lookup(dst [][]byte, path []string) ([][]byte, bool) {
	return lookup(dst, o.v, path)
}

func lookup(dst [][]byte, v any, path []string) ([][]byte, bool) {
	if list, ok := v.([]any); ok {
		exists := false
		for _, e := range list {
			var here bool
			dst, here = lookup(dst, e, path)
			exists = exists || here
		}
		return dst, exists
	}
	if len(path) == 0 {
		if s, ok := scalar(v); ok {
			dst = append(dst, []byte(s))
		}
		return dst, true
	}
	m, ok := v.(map[string]any)
	if !ok {
		return dst, false
	}
	exists := false
	for n := len(path); n > 0; n-- { // keys with dots
		if kid, ok := m[strings.Join(path[:n], ".")]; ok {
			var here bool
			dst, here = lookup(dst, kid, path[n:])
			exists = exists || here
		}
	}
	return dst, exists
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

// Keys is not known.
func (o jsonObject) Keys() uint64 { return ^uint64(0) }

func (o jsonObject) Walk(f func(path, value []byte) bool) { walk("", o.v, f) }

func walk(path string, v any, f func(path, value []byte) bool) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if !walk(path, e, f) {
				return false
			}
		}
	case map[string]any:
		var keys []string
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			if !walk(strings.TrimPrefix(path+"."+k, "."), v[k], f) {
				return false
			}
		}
	default:
		if s, ok := scalar(v); ok {
			return f([]byte(path), []byte(s))
		}
	}
	return true
}

// newEvent makes an Event of "name=value" pairs, separated by '|': ECS names set Fields; the others are shown below.
// The record's text is the values, so that spans can be checked, and what a client wrote is decoded as the flow does it.
func newEvent(spec string) *event.Event {
	ev := &event.Event{}
	ev.Reset()
	ev.Kind = event.KindWeb
	ev.Text = []byte(spec)
	at := 0
	for _, pair := range strings.Split(spec, "|") {
		name, val, ok := strings.Cut(pair, "=")
		v := ev.Text[at+len(name)+min(1, len(pair)-len(name)) : at+len(pair)]
		at += len(pair) + 1
		if !ok {
			continue
		}
		switch name {
		case "kind":
			for k := range event.NumKinds {
				if k.String() == val {
					ev.Kind = k
				}
			}
		case "status":
			ev.Status, _ = strconv.Atoi(val)
		case "bytes":
			ev.Bytes, _ = strconv.ParseInt(val, 10, 64)
		case "client":
			ev.Client = netip.MustParseAddr(val)
			ev.Set(event.SourceIP, v)
		case "time":
			t, err := time.Parse(time.RFC3339, val)
			if err != nil {
				panic(err)
			}
			ev.Time, ev.Clock = t.UnixNano(), event.ZonedClock
		case "json":
			var x any
			if err := json.Unmarshal(v, &x); err != nil {
				panic(err)
			}
			ev.Object = jsonObject{x}
		case "uri":
			path, query, has := strings.Cut(val, "?")
			ev.Set(event.Path, v[:len(path)])
			if has {
				ev.Set(event.Query, v[len(v)-len(query):])
			}
		default:
			f, ok := event.FieldNamed(name)
			if !ok {
				ev.Add(name, v, event.Client)
				continue
			}
			ev.Set(f, v)
		}
	}
	for f := range event.NumFields {
		if v := ev.Get(f); f.By() != event.Server && decode.Needed(v) {
			if out, changed := decode.Canonical(nil, v); changed {
				ev.SetDecoded(f, out)
			}
		}
	}
	return ev
}
