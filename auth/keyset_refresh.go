package auth

import (
	"context"
	"math/rand/v2"
	"time"
)

// Bounds of the background refresh. A key that its issuer withdraws is trusted for at most
// maxRefresh longer, while the issuer answers.
const (
	maxRefresh = 15 * time.Minute
	maxRetry   = time.Minute
)

// run refreshes the keys until ctx ends, so that no request has to wait for the issuer and an
// outage is logged long before the keys are too old.
func (k *keySet) run(ctx context.Context) {
	if k.source == nil {
		<-ctx.Done()
		return
	}
	for failures := 0; ctx.Err() == nil; {
		if k.refresh(ctx) == nil {
			failures = 0
		} else {
			failures++
		}
		pause := k.pause(failures)
		// Many gates must not ask at the same time. Earlier than minInterval nothing is asked.
		timer := time.NewTimer(max(pause-rand.N(pause/10+1), k.minInterval))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// pause returns how long to wait after so many failures in a row.
func (k *keySet) pause(failures int) time.Duration {
	refresh := max(min(k.maxAge/4, maxRefresh), k.minInterval)
	if failures == 0 {
		return refresh
	}
	retry := k.minInterval << min(failures-1, 10)
	return min(retry, max(maxRetry, k.minInterval), refresh)
}
