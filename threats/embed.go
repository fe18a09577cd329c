// Package threats is the threat library: what each threat is, how to tell whether
// it worked, and what to do. A page is a Markdown file named after the threat;
// package incident reads them (LoadThreats).
package threats

import "embed"

//go:embed *.md
var FS embed.FS
