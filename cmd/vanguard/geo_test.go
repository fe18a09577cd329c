package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeMMDB writes a small file in MaxMind's format: IPv4, records of 24 bits, a record per prefix. Prefixes must not overlap.
func writeMMDB(file string, places map[string]map[string]any) error {
	type node struct{ to [2]int } // > 0 node, < 0 data -1-offset, 0 nothing
	nodes := []node{{}}
	var data bytes.Buffer
	var prefixes []string
	for p := range places {
		prefixes = append(prefixes, p)
	}
	slices.Sort(prefixes)
	for _, text := range prefixes {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return err
		}
		at := data.Len()
		putMMDB(&data, places[text])
		bits := binary.BigEndian.Uint32(p.Addr().AsSlice())
		n := 0
		for i := range p.Bits() {
			bit := bits >> (31 - i) & 1
			if i == p.Bits()-1 {
				nodes[n].to[bit] = -1 - at
			} else if nodes[n].to[bit] == 0 {
				nodes = append(nodes, node{})
				nodes[n].to[bit] = len(nodes) - 1
				n = len(nodes) - 1
			} else {
				n = nodes[n].to[bit]
			}
		}
	}
	var out bytes.Buffer
	for _, n := range nodes {
		for _, to := range n.to {
			v := to
			switch {
			case to == 0:
				v = len(nodes)
			case to < 0:
				v = len(nodes) + 16 + (-1 - to)
			}
			out.Write([]byte{byte(v >> 16), byte(v >> 8), byte(v)})
		}
	}
	out.Write(make([]byte, 16))
	out.Write(data.Bytes())
	out.WriteString("\xab\xcd\xefMaxMind.com")
	putMMDB(&out, map[string]any{"node_count": uint32(len(nodes)), "record_size": uint32(24), "ip_version": uint32(4), "database_type": "Test",
		"binary_format_major_version": uint32(2), "binary_format_minor_version": uint32(0), "build_epoch": uint32(1795402800), "description": map[string]any{}})
	return os.WriteFile(file, out.Bytes(), 0o666)
}

func putMMDB(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case string:
		if len(v) < 29 {
			b.WriteByte(2<<5 | byte(len(v)))
		} else { // up to 284 bytes
			b.Write([]byte{2<<5 | 29, byte(len(v) - 29)})
		}
		b.WriteString(v)
	case float64:
		b.WriteByte(3<<5 | 8)
		binary.Write(b, binary.BigEndian, math.Float64bits(v))
	case uint32:
		b.WriteByte(6<<5 | 4)
		binary.Write(b, binary.BigEndian, v)
	case bool:
		b.Write([]byte{map[bool]byte{false: 0, true: 1}[v], 14 - 7})
	case map[string]any:
		b.WriteByte(7<<5 | byte(len(v)))
		var keys []string
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			putMMDB(b, k)
			putMMDB(b, v[k])
		}
	}
}

func city(country, name string, lat, lon float64) map[string]any {
	return map[string]any{"country": map[string]any{"iso_code": country}, "city": map[string]any{"names": map[string]any{"en": name}}, "location": map[string]any{"latitude": lat, "longitude": lon}}
}

// writeGeo writes the files that the tests use.
func writeGeo(dir string) error {
	err := writeMMDB(filepath.Join(dir, "city.mmdb"), map[string]map[string]any{
		"192.0.2.0/24": city("NL", "Amsterdam", 52.37, 4.9), "198.51.100.0/24": city("BR", "Recife", -8.05, -34.9), "203.0.113.0/24": city("BE", "Antwerp", 51.22, 4.4),
	})
	if err != nil {
		return err
	}
	return writeMMDB(filepath.Join(dir, "asn.mmdb"), map[string]map[string]any{
		"198.51.100.0/24": {"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Example Hosting"},
		"203.0.113.0/25":  {"is_anonymous": true},
	})
}

func TestGeo(t *testing.T) {
	dir := t.TempDir()
	if err := writeGeo(dir); err != nil {
		t.Fatal(err)
	}
	geo, err := openGeo([]string{filepath.Join(dir, "city.mmdb"), filepath.Join(dir, "asn.mmdb")})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from memory
		p, ok := geo(netip.MustParseAddr("198.51.100.7"))
		if !ok || p.City != "Recife" || p.Country != "BR" || p.Network != "AS64500 Example Hosting" || !p.Located || p.Lat > -8 || p.Anonymous {
			t.Errorf("198.51.100.7 is at %+v, %v", p, ok)
		}
		if p, ok := geo(netip.MustParseAddr("203.0.113.7")); !ok || !p.Anonymous || p.City != "Antwerp" {
			t.Errorf("203.0.113.7 is at %+v, %v", p, ok)
		}
		if p, ok := geo(netip.MustParseAddr("10.0.0.1")); ok {
			t.Errorf("10.0.0.1 is at %+v", p)
		}
	}
	if _, err := openGeo([]string{"geo_test.go"}); err == nil || !strings.HasPrefix(err.Error(), "--geoip geo_test.go: ") {
		t.Errorf("a file that is none: %v", err)
	}
}
