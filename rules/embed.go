// Package rules holds the detection rules as Sigma files.
package rules

import "embed"

//go:generate go run ../cmd/rulepack

// FS has the rule files in folders by field.
//
//go:embed */*.yaml
var FS embed.FS

// Packed is the same rules in the form that starts fast; see rule.Load.
//
//go:embed rules.gen
var Packed string
