// Package apps holds what success and normal look like per application, as Sigma files that assign.
package apps

import "embed"

// FS has the application models.
//
//go:embed *.yaml
var FS embed.FS
