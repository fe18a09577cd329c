package main

import (
	"fmt"
	"runtime"

	"github.com/alecthomas/kong"

	"github.com/helixvanguard/vanguard"
)

// versionCmd is `vanguard version`.
type versionCmd struct{}

// Run is called by kong.
func (*versionCmd) Run(k *kong.Context) error {
	engine, err := vanguard.NewEngine(vanguard.Options{})
	if err != nil {
		return err
	}
	fmt.Fprintf(k.Stdout, "vanguard %s\nrules %s\n%s %s/%s\n", vanguard.Version, engine.Rules().Hash(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
