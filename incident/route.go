package incident

// Route appends the route of a URL path to dst: the path with whatever looks
// like an identifier (number, UUID, long hexadecimal, date, mixed token) folded to
// "{id}", so that /v1/users/17 and /v1/users/18 are one route. Path parameters after ';' are dropped.
func Route(dst, path []byte) []byte {
	for n := 0; len(path) > 0 && n < maxSegments; n++ {
		if path[0] == '/' {
			dst = append(dst, '/')
			path = path[1:]
		}
		end := 0
		for end < len(path) && path[end] != '/' {
			end++
		}
		seg := path[:end]
		path = path[end:]
		for i, c := range seg {
			if c == ';' {
				seg = seg[:i]
				break
			}
		}
		if isID(seg) {
			dst = append(dst, "{id}"...)
		} else {
			dst = append(dst, seg[:min(len(seg), maxSegment)]...)
		}
	}
	return dst
}

const (
	maxSegments = 24 // deeper paths are cut: an attacker picks their depth
	maxSegment  = 80
)

// isID tells whether a path segment names one object rather than a kind.
func isID(s []byte) bool {
	if len(s) == 0 || len(s) > 128 {
		return len(s) > 128
	}
	if s[0] == ':' || s[0] == '{' {
		return true // a router's own name for it: ":id", "{id}"
	}
	sum := uint64(0) // four counts of at most 128
	for _, c := range s {
		sum += idCounts[c]
	}
	digits, hex, letters, other := int(sum&0xffff), int(sum>>16&0xffff), int(sum>>32&0xffff), sum>>48
	switch {
	case other > 0:
		return false
	case letters == 0:
		return digits > 0 // 17, 2024-11-23
	case digits+hex == digits+letters && digits > 0:
		return len(s) >= 8 // hexadecimal, UUID
	default:
		return digits >= 4 && digits*3 >= letters && len(s) >= 12 // ord_8f3k20s91x
	}
}

// idCounts has a one in each count that a byte belongs to: of digits, hexadecimal letters, letters, and of what stands in no identifier.
var idCounts = func() (t [256]uint64) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9':
			t[c] = 1
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			t[c] = 1<<16 | 1<<32
		case c >= 'g' && c <= 'z' || c >= 'G' && c <= 'Z' || c == '_':
			t[c] = 1 << 32
		case c == '-':
		default:
			t[c] = 1 << 48
		}
	}
	return t
}()
