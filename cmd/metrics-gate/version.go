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

// build tells which metrics-gate this is.
type build struct{ Version, Revision, GoVersion string }

// readBuild prefers what the linker was told over what the Go toolchain recorded.
func readBuild(version, revision string) build {
	b := build{Version: version, Revision: revision, GoVersion: runtime.Version()}
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

// version prints the build on one line.
func (p *process) version(_ context.Context, args []string) error {
	if err := p.none("version", args); err != nil {
		return err
	}
	b := p.build
	_, err := fmt.Fprintf(p.stdout, "metrics-gate %s (revision %s, %s %s/%s)\n", b.Version, b.Revision, b.GoVersion, runtime.GOOS, runtime.GOARCH)
	return err
}
