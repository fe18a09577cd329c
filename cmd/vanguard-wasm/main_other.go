//go:build !js

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "vanguard-wasm: this program runs in JavaScript; build it with: make web")
	os.Exit(2)
}
