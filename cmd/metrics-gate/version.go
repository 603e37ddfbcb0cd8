package main

import (
	"context"
	"fmt"
	"runtime"
)

// Set by the linker: -X main.buildVersion=… -X main.buildRevision=…
var buildVersion, buildRevision string

// versionCommand declares version.
func versionCommand() Command {
	return Command{
		Name: "version", Summary: "print the version",
		Example: "metrics-gate version", Setup: NoFlags(version),
	}
}

// version prints the build on one line.
func version(_ context.Context, p *Process, _ []string) error {
	b := p.Build
	_, err := fmt.Fprintf(p.Stdout, "metrics-gate %s (revision %s, %s %s/%s)\n", b.Version, b.Revision, b.GoVersion, runtime.GOOS, runtime.GOARCH)
	return err
}
