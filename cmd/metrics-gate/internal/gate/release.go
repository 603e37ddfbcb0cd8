package gate

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	startTime = time.Second      // the start is over by then
	tidyTime  = 90 * time.Second // longer than anyone waits between two scrapes
)

// tidy gives memory back until ctx ends: what the parts let go of goes to the operating
// system at once, for what a burst has left should not be kept from the jobs beside.
func tidy(ctx context.Context, parts []func()) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(startTime):
		debug.FreeOSMemory()
		releasePages()
	}
	tick := time.NewTicker(tidyTime)
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
