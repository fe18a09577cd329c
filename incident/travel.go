package incident

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// A Place is where an address is said to be, by a file that the host was given.
type Place struct {
	Country   string  // ISO code: "NL"
	City      string  //
	Network   string  // who runs the network: "AS64500 Example Hosting"
	Lat, Lon  float64 // degrees
	Located   bool    // Lat and Lon are known
	Anonymous bool    // a known exit of a VPN or of Tor
}

const (
	maxTravellers = 4096 // accounts whose last log-in is remembered
	farthest      = 1000 // kilometres per hour: nobody travels faster
	nearby        = 500  // kilometres by which such files are wrong
	travelSpan    = int64(12 * time.Hour)
	earth         = 6371 // kilometres
)

// travelled is raised when an account logs in from two places between which nobody can have travelled.
var travelled = &event.Detector{By: "profile:impossible_travel", Name: "impossible_travel", Title: "One account logs in from two distant places",
	Why:    "The account logged in from two places between which nobody can have travelled in that time.",
	Threat: "account-takeover", Level: event.High, Confidence: 0.7, Stage: "foothold", Attack: []string{"T1078"}, Outcome: event.LikelySucceeded}

// A visit is an account's last log-in.
type visit struct {
	At       int64
	Lat, Lon float64
	Where    string
	Client   string
	Line     Evidence
}

// travel follows where accounts log in from. The account's name counts only since the server let it in.
func (t *Tracker) travel(ev *event.Event) bool {
	if t.cfg.Geo == nil || ev.Clock == event.NoClock || !ev.Client.IsValid() || string(ev.Get(event.Result)) != "success" || string(ev.Get(event.Action)) != "login" && string(ev.Get(event.Category)) != "authentication" {
		return false
	}
	user := ev.Get(event.User)
	if ev.Kind == event.KindCloud && len(ev.Get(event.Principal)) > 0 {
		user = ev.Get(event.Principal)
	}
	if len(user) == 0 || len(user) > 256 {
		return false
	}
	p, ok := t.cfg.Geo(ev.Client.Unmap())
	if !ok || !p.Located || p.Anonymous {
		return false // An account behind a VPN is anywhere.
	}
	v, fresh := t.visits.at(user)
	last := *v
	now := visit{At: ev.Time, Lat: p.Lat, Lon: p.Lon, Where: p.where(), Client: ev.Client.String()}
	s := event.Signal{Detector: travelled, Field: event.User}
	now.Line = t.evidence(ev, &s, event.Unknown, "")
	*v = now
	if fresh || last.Client == now.Client {
		return false
	}
	gone := ev.Time - last.At
	if gone < 0 {
		gone = -gone
	}
	km := distance(last.Lat, last.Lon, p.Lat, p.Lon)
	if gone > travelSpan || km < nearby || km/max(float64(gone)/float64(time.Hour), 1.0/60) < farthest {
		return false
	}
	who := actor(ev)
	r := raised{Signal: s, actor: who, events: 2, lasting: true, evidence: []Evidence{last.Line}}
	entry := t.cfg.Allow.hides(ev, who)
	if entry == "" {
		entry = t.cfg.Allow.hidesRule(travelled)
	}
	if entry != "" {
		t.hide(entry, ev, nil, &r)
		return false
	}
	r.because = fmt.Sprintf("%s logged in from %s (%s), and %s later from %s (%s), %s km away", printable(user), last.Where, last.Client,
		time.Duration(gone).Round(time.Minute), now.Where, now.Client, comma(int64(km)))
	t.record(ev, &r)
	return true
}

// where words a place: "Amsterdam, NL".
func (p *Place) where() string {
	switch {
	case p.City != "" && p.Country != "":
		return p.City + ", " + p.Country
	case p.Country != "":
		return p.Country
	}
	return "an unnamed place"
}

// distance is in kilometres, along the sphere (haversine).
func distance(lat1, lon1, lat2, lon2 float64) float64 {
	rad := func(d float64) float64 { return d * math.Pi / 180 }
	sin := func(x float64) float64 { s := math.Sin(x / 2); return s * s }
	h := sin(rad(lat2-lat1)) + math.Cos(rad(lat1))*math.Cos(rad(lat2))*sin(rad(lon2-lon1))
	return 2 * earth * math.Asin(math.Sqrt(min(h, 1)))
}

// A Geo looks an address up.
type Geo func(netip.Addr) (Place, bool)
