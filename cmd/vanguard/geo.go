package main

import (
	"fmt"
	"net/netip"
	"sync"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/helixvanguard/vanguard"
)

// geoRecord is what files in MaxMind's format say of an address, whoever made them: the City, Country, ASN and Anonymous-IP ones.
type geoRecord struct {
	Country struct {
		Code string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	City struct {
		Names struct {
			English string `maxminddb:"en"`
		} `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Lat *float64 `maxminddb:"latitude"`
		Lon *float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
	ASN       uint   `maxminddb:"autonomous_system_number"`
	Org       string `maxminddb:"autonomous_system_organization"`
	Anonymous bool   `maxminddb:"is_anonymous"`
	Traits    struct {
		Anonymous bool `maxminddb:"is_anonymous_proxy"`
	} `maxminddb:"traits"`
}

// maxPlaces bounds how many answers are remembered; looking one up anew costs a microsecond.
const maxPlaces = 1 << 14

// openGeo opens the files of --geoip. What several say of an address adds up.
func openGeo(files []string) (vanguard.Geo, error) {
	var readers []*maxminddb.Reader
	for _, f := range files {
		r, err := maxminddb.Open(f)
		if err != nil {
			return nil, fmt.Errorf("--geoip %s: %w", f, err)
		}
		readers = append(readers, r)
	}
	type answer struct {
		p  vanguard.Place
		ok bool
	}
	var mu sync.Mutex
	seen := map[netip.Addr]answer{}
	return func(a netip.Addr) (vanguard.Place, bool) {
		mu.Lock()
		defer mu.Unlock()
		if got, ok := seen[a]; ok {
			return got.p, got.ok
		}
		var p vanguard.Place
		found := false
		for _, r := range readers {
			var rec geoRecord
			res := r.Lookup(a)
			if !res.Found() || res.Decode(&rec) != nil {
				continue // a damaged record knows nothing
			}
			found = true
			addPlace(&p, &rec)
		}
		if len(seen) >= maxPlaces {
			clear(seen)
		}
		seen[a] = answer{p, found}
		return p, found
	}, nil
}

func addPlace(p *vanguard.Place, rec *geoRecord) {
	if rec.Country.Code != "" {
		p.Country = rec.Country.Code
	}
	if rec.City.Names.English != "" {
		p.City = rec.City.Names.English
	}
	if l := &rec.Location; l.Lat != nil && l.Lon != nil {
		p.Lat, p.Lon, p.Located = *l.Lat, *l.Lon, true
	}
	if rec.ASN != 0 {
		p.Network = fmt.Sprintf("AS%d", rec.ASN)
		if rec.Org != "" {
			p.Network += " " + rec.Org
		}
	}
	p.Anonymous = p.Anonymous || rec.Anonymous || rec.Traits.Anonymous
}
