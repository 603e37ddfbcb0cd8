package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Set by the linker: -X main.buildVersion=… -X main.buildRevision=…
var buildVersion, buildRevision string

// Build tells which metrics-gate this is.
type Build struct{ Version, Revision, GoVersion string }

// readBuild prefers what the linker was told over what the Go toolchain recorded.
func readBuild(version, revision string) Build {
	b := Build{Version: version, Revision: revision, GoVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version = cmp.Or(b.Version, info.Main.Version)
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Revision = cmp.Or(b.Revision, s.Value)
			}
		}
	}
	b.Version = cmp.Or(b.Version, "devel")
	b.Revision = cmp.Or(b.Revision, "unknown")
	return b
}

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
