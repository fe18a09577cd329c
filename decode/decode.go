// Package decode undoes what attackers do to text so that rules and models see
// one canonical payload: what the application behind the log would have seen.
// It works on bytes and knows nothing of logs.
package decode

// Needed tells, in one quick pass, whether Canonical(src) could differ from src.
func Needed(src []byte) bool { return false }

// Canonical appends the canonical form of src to dst and returns it. changed is false, and nothing
// appended, if src is its own canonical form.
func Canonical(dst, src []byte) (out []byte, changed bool) { return dst, false }
