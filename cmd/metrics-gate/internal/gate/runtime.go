package gate

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	startTime       = time.Second      // the start is over by then
	releaseInterval = 90 * time.Second // longer than anyone waits between two scrapes
)

// releaseIdle releases idle memory until ctx ends. What parts release goes to the operating
// system at once: the jobs on this host need it more.
func releaseIdle(ctx context.Context, parts []func()) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(startTime):
		debug.FreeOSMemory()
		releaseProgram()
	}
	tick := time.NewTicker(releaseInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, part := range parts {
				part()
			}
			debug.FreeOSMemory()
		}
	}
}

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
