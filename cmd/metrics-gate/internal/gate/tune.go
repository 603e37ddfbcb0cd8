package gate

import (
	"runtime"
	"runtime/debug"
)

// gcPercent is the garbage collector's percentage: a scrape leaves little behind, so a
// heap of 2 MiB in place of Go's least of 4 costs nothing that can be measured.
const gcPercent = 50

// TuneRuntime sets the runtime up for a sidecar, which takes from the jobs on its host. One
// processor carries thousands of scrapes a second, and with more of them each scrape
// wakes threads in vain: docs/performance.md has the figures. GOMAXPROCS and GOGC win
// when they are set.
func TuneRuntime(getenv func(string) string) {
	if getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
