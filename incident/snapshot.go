package incident

import (
	"encoding/gob"
	"fmt"
	"io"

	"github.com/helixvanguard/vanguard/event"
)

// snapshotVersion names the layout; a snapshot of another version is refused rather than misread.
const snapshotVersion = 6

// snapshot is a Tracker's memory as it is written. Detectors and correlations go by name, since the rules may be
// compiled anew before it is read.
type snapshot struct {
	Version   int
	Events    int
	Last      int64
	Site      site
	Walkers   walkers
	Members   members
	Timeline  Timeline
	Allowed   map[string]int
	Examples  examples
	Callbacks []callback
	Lent      []savedLoan     // least recently touched first
	Visits    []savedVisit    // the same
	Incidents []savedIncident // least recently touched first
	Evicted   int
	Windows   map[string]savedCorrelation // by the correlation's By
}

type savedVisit struct {
	Key   []byte
	Visit visit
}

type savedLoan struct {
	Key  []byte
	Loan loan
}

type savedIncident struct {
	Key      []byte
	Incident Incident
	Hits     map[string]int // detector's By -> events
	Order    []string       // Hits in order
}

type savedCorrelation struct {
	Evicted int
	Keys    []savedWindow
}

type savedWindow struct {
	Key    []byte
	Window window
}

// Save writes, as gob since text from logs need not be UTF-8, everything that t remembers.
func (t *Tracker) Save(w io.Writer) error {
	s := snapshot{
		Version: snapshotVersion, Events: t.events, Last: t.last, Site: t.site, Walkers: *t.walkers, Members: *t.members, Timeline: t.timeline, Allowed: t.allowed,
		Examples: t.examples, Callbacks: t.callbacks, Evicted: t.incidents.evicted, Windows: map[string]savedCorrelation{},
	}
	t.incidents.each(func(key string, in *Incident) {
		si := savedIncident{Key: []byte(key), Incident: *in, Hits: map[string]int{}}
		si.Incident.Hits = nil
		for _, h := range in.Hits {
			si.Hits[h.Detector.By] = h.Events
			si.Order = append(si.Order, h.Detector.By)
		}
		s.Incidents = append(s.Incidents, si)
	})
	t.visits.each(func(key string, v *visit) { s.Visits = append(s.Visits, savedVisit{[]byte(key), *v}) })
	t.lent.each(func(key string, l *loan) { s.Lent = append(s.Lent, savedLoan{[]byte(key), *l}) })
	for _, ws := range t.all {
		sc := savedCorrelation{Evicted: ws.keys.evicted}
		ws.keys.each(func(key string, win *window) { sc.Keys = append(sc.Keys, savedWindow{[]byte(key), *win}) })
		s.Windows[ws.c.Detector.By] = sc
	}
	return gob.NewEncoder(w).Encode(&s)
}

// Load puts back what Save wrote, into a new Tracker. detectors are all that exist now; what belongs to one that is gone is dropped.
func (t *Tracker) Load(r io.Reader, detectors []*event.Detector) error {
	var s snapshot
	if err := gob.NewDecoder(r).Decode(&s); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if s.Version != snapshotVersion {
		return fmt.Errorf("snapshot: version %d, this program reads %d", s.Version, snapshotVersion)
	}
	by := make(map[string]*event.Detector, len(detectors)+len(walkDetectors)+len(takenPart))
	for _, d := range walkDetectors {
		by[d.By] = d
	}
	for _, d := range takenPart {
		by[d.By] = d
	}
	for _, d := range detectors {
		by[d.By] = d
	}
	t.events, t.last, t.site, t.timeline, t.examples, t.callbacks = s.Events, s.Last, s.Site, s.Timeline, s.Examples, s.Callbacks
	*t.walkers, *t.members = s.Walkers, s.Members
	if s.Allowed != nil {
		t.allowed = s.Allowed
	}
	for _, sv := range s.Visits {
		v, _ := t.visits.at(sv.Key)
		*v = sv.Visit
	}
	for _, sl := range s.Lent {
		l, _ := t.lent.at(sl.Key)
		*l = sl.Loan
	}
	for _, si := range s.Incidents {
		in, _ := t.incidents.at(si.Key)
		*in = si.Incident
		for _, name := range si.Order {
			if d := by[name]; d != nil {
				in.Hits = append(in.Hits, Hit{d, si.Hits[name]})
			}
		}
	}
	t.incidents.evicted = s.Evicted
	for _, ws := range t.all {
		sc := s.Windows[ws.c.Detector.By]
		for _, sw := range sc.Keys {
			win, _ := ws.keys.at(sw.Key)
			*win = sw.Window
		}
		ws.keys.evicted = sc.Evicted
	}
	return nil
}
