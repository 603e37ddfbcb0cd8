package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// Build tells which metrics-gate this is.
type Build struct{ Version, Revision, GoVersion string }

// ReadBuild prefers what the linker was told over what the Go toolchain recorded.
func ReadBuild(version, revision string) Build {
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
