// Package rules holds the detection rules as Sigma files.
package rules

import "embed"

// FS has the rule files in folders by field.
//
//go:embed */*.yaml
var FS embed.FS
