package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Set by the linker: -X main.buildVersion=… -X main.buildRevision=…
var buildVersion, buildRevision string

// versionCommand declares version.
func versionCommand() cli.Command {
	return cli.Command{
		Name: "version", Summary: "print the version",
		Example: "metrics-gate version", Setup: cli.NoFlags(version),
	}
}

// version prints the build on one line.
func version(_ context.Context, p *cli.Process, _ []string) error {
	b := p.Build
	_, err := fmt.Fprintf(p.Stdout, "metrics-gate %s (revision %s, %s %s/%s)\n", b.Version, b.Revision, b.GoVersion,
		runtime.GOOS, runtime.GOARCH)
	return err
}
