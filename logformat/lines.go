package logformat

import "bytes"

// firstLine returns rec up to its first line end.
func firstLine(rec []byte) []byte {
	i := bytes.IndexByte(rec, '\n')
	if i < 0 {
		return rec
	}
	if i > 0 && rec[i-1] == '\r' {
		i--
	}
	return rec[:i]
}
