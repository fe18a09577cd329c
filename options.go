package vanguard

import (
	"io/fs"
	"net/netip"
	"time"

	"github.com/helixvanguard/vanguard/event"
	"github.com/helixvanguard/vanguard/incident"
	"github.com/helixvanguard/vanguard/neural"
)

// Options configure an Engine. The zero value is what most people want.
type Options struct {
	Rules      fs.FS // the user's own Sigma rules: every *.yml and *.yaml in it, added to the embedded ones; one of the same name or id replaces
	NoEmbedded bool  // judge by Rules alone

	Model   *neural.Model // the classifier, as a second witness beside the rules; nil = none. See package models
	NoModel bool          // judge by the rules alone, whatever Model is; for Engine.With

	Format  string         // force a format: its name, or an nginx log_format or Apache LogFormat string
	Zone    *time.Location // zone of times that name none; nil = UTC
	Year    int            // year of dates that name none
	Trust   []netip.Prefix // proxies whose X-Forwarded-For is believed, besides private addresses
	Allow   []string       // known innocents: addresses, prefixes, account:NAME, rule:NAME, app:NAME, route:PATH
	Geo     Geo            // where addresses are, for impossible journeys and for names of networks; nil = not known
	Since   time.Time      // judge only events from then on; events without a time always count
	Until   time.Time      // judge only events before then
	Top     int            // findings in the report; 0 = all
	Workers int            // cores to use; 0 = all, 1 = everything in the calling goroutine
	Without []Line         // lines to judge as if they were not there: what would the verdict be without them?

	OnEvent  func(*event.Event) // sees every event in order, borrowed; for tools that count
	OnUpdate func(Finding)      // told as findings begin and grow worse, for live use
}

// A Line names a record of a log by its source and the number of its first line. With a Text it means only that one of the
// records on the line (CloudTrail writes many on one) whose text begins so.
type Line struct {
	Source string `json:"source,omitempty"`
	Line   int    `json:"line"`
	Text   string `json:"text,omitempty"`
}

// A Geo tells where an address is and whose network it belongs to, from a file that the host was given. It is pure: the same address gives
// the same Place. ok is false if nothing is known.
type Geo func(netip.Addr) (p Place, ok bool)

// Place is where an address is said to be.
type Place = incident.Place

// Version is the engine's version.
const Version = "0.1.0"
