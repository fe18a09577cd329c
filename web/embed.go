// Package web holds the page as make web builds it: TypeScript bundled into few files, the
// engine as WebAssembly, and packed siblings (.gz, .br). It is empty in a program that was built without.
package web

import "embed"

// Dist has the files below dist/.
//
//go:embed all:dist
var Dist embed.FS
