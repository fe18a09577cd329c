// Package models holds the trained classifiers: weights, and beside them what they can and cannot do. See docs/model.md.
package models

import _ "embed"

// Weights is the current model, as neural.Load reads it. A program that does not name it does not carry it.
//
//go:embed witness-v3/weights.bin
var Weights []byte
