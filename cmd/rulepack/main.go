// Command rulepack writes rules.gen, the form of a folder's rule files that the engine reads at start-up: see
// rule.Pack. It runs as "go generate ./rules ./apps".
package main

import (
	"fmt"
	"os"

	"github.com/helixvanguard/vanguard/rule"
)

func main() {
	packed, problems, err := rule.Pack(os.DirFS("."))
	if err == nil {
		err = os.WriteFile("rules.gen", []byte(packed), 0o644)
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p.Error())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
