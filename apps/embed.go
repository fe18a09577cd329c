// Package apps holds what success and normal look like per application, as Sigma files that assign.
package apps

import "embed"

//go:generate go run ../cmd/rulepack

// FS has the application models.
//
//go:embed *.yaml
var FS embed.FS

// Packed is the same models in the form that starts fast; see rule.Load.
//
//go:embed rules.gen
var Packed string
