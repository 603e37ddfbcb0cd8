package gate

import (
	"context"
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
