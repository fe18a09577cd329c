package vanguard

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Settings are the Options that people write down: as flags, in a query, in the page's
// messages. The JSON names are those of the flags.
type Settings struct {
	Format     string   `json:"format,omitempty"`     // as Options.Format
	TZ         string   `json:"tz,omitempty"`         // zone of times that name none: Europe/Berlin, +02:00; empty = UTC
	Allow      []string `json:"allow,omitempty"`      // as Options.Allow
	TrustProxy []string `json:"trustProxy,omitempty"` // addresses and prefixes of proxies to believe
	Since      string   `json:"since,omitempty"`      // a time, see ParseTime
	Until      string   `json:"until,omitempty"`
	Year       int      `json:"year,omitempty"`    // year of dates that name none
	Top        int      `json:"top,omitempty"`     // findings in the report; 0 = all
	NoModel    bool     `json:"noModel,omitempty"` // as Options.NoModel
	Without    []Line   `json:"without,omitempty"`
}

// Options reads the settings. An error begins with the name of the setting at fault.
func (s *Settings) Options() (opt Options, err error) {
	opt = Options{Format: s.Format, Allow: s.Allow, Year: s.Year, Top: s.Top, NoModel: s.NoModel, Without: s.Without}
	if opt.Zone, err = zoneNamed(s.TZ); err != nil {
		return opt, err
	}
	for _, text := range s.TrustProxy {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return opt, fmt.Errorf("trust-proxy %q: neither an address nor a prefix such as 192.0.2.0/24", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		opt.Trust = append(opt.Trust, p.Masked())
	}
	for _, t := range [...]struct {
		name, text string
		to         *time.Time
	}{{"since", s.Since, &opt.Since}, {"until", s.Until, &opt.Until}} {
		if t.text == "" {
			continue
		}
		var ok bool
		if *t.to, ok = ParseTime(t.text, opt.Zone); !ok {
			return opt, fmt.Errorf("%s %q: write a time such as 2026-11-23 or \"2026-11-23 03:10\"", t.name, t.text)
		}
	}
	if !opt.Since.IsZero() && !opt.Until.IsZero() && !opt.Since.Before(opt.Until) {
		return opt, fmt.Errorf("since %s is not before until %s", s.Since, s.Until)
	}
	return opt, nil
}

// ParseTime reads "2026-11-23", "2026-11-23 03:10", "2026-11-23T03:10:00" or RFC 3339. A time
// without a zone is of zone; nil is UTC.
func ParseTime(s string, zone *time.Location) (time.Time, bool) {
	if zone == nil {
		zone = time.UTC
	}
	s = strings.Replace(s, "T", " ", 1)
	for _, layout := range [...]string{"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// zoneNamed reads the name of a zone; nil is UTC. Names are known where the host has a zone database.
func zoneNamed(s string) (*time.Location, error) {
	if s == "" {
		return nil, nil
	}
	if t, err := time.Parse("Z07:00", s); err == nil {
		_, offset := t.Zone()
		return time.FixedZone(s, offset), nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil {
		return nil, fmt.Errorf("tz %q: unknown zone; write a name such as Europe/Berlin, or +02:00", s)
	}
	return loc, nil
}
