package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// fetchTimeout bounds one fetch of an issuer's keys, discovery included.
const fetchTimeout = 3 * time.Second

// keySource fetches an issuer's keys. The ring says when that was.
type keySource interface {
	fetch(ctx context.Context) (*keyring, error)
}

// keySet keeps the keys of one issuer: fetched within a minimum interval at most once, the
// last good ones kept on an error, and too old ones not used. go-oidc's own key set asks the
// issuer for every bad token, drops the keys at an empty answer and never ages them.
type keySet struct {
	issuer      string
	minInterval time.Duration
	maxAge      time.Duration
	now         func() time.Time
	log         *slog.Logger
	source      keySource // nil: the keys come from a file, by install

	ring  atomic.Pointer[keyring] // the last good one; nil until there is one
	calls singleFlight[struct{}]

	mu    sync.Mutex
	tried time.Time // when the last fetch began
	last  error     // how it ended
}

// verify returns the key of the issuer that has signed t. If no key verifies it, the issuer
// is asked again, within the bounds of minInterval: it can have a new key, also under a kid
// that is known already.
func (k *keySet) verify(ctx context.Context, t *jwt) (*publicKey, error) {
	ring := k.current()
	key, err := ring.verify(t)
	if err == nil || k.source == nil {
		return key, err
	}
	if failed := k.refresh(ctx); failed != nil {
		if errors.Is(err, errNoKey) {
			err = fmt.Errorf("issuer's keys: %w: %w", ErrUnavailable, failed)
		}
		return nil, err
	}
	if fresh := k.current(); fresh != ring {
		return fresh.verify(t)
	}
	return nil, err
}

// current returns the ring, or nil if its keys are too old, or fetched in the future because
// the clock was set back.
func (k *keySet) current() *keyring {
	ring := k.ring.Load()
	if ring == nil || ring.file {
		return ring
	}
	if age := k.now().Sub(ring.at); age >= k.maxAge || age < -maxClockSkew {
		return nil
	}
	return ring
}

// errAskedRecently is the error of mayFetch.
var errAskedRecently = errors.New("the issuer was asked recently")

// refresh fetches the issuer's keys, unless that was tried within the last minInterval: then
// it returns the outcome of that time. Calls at the same time are coalesced. The fetch goes on
// when ctx ends.
func (k *keySet) refresh(ctx context.Context) error {
	_, err := k.calls.do(ctx, [32]byte{}, k.mayFetch, k.fetch)
	if err == errAskedRecently {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.last
	}
	return err
}

// mayFetch begins a fetch unless the last one began within minInterval.
func (k *keySet) mayFetch() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if since := now.Sub(k.tried); !k.tried.IsZero() && since >= 0 && since < k.minInterval {
		return errAskedRecently
	}
	k.tried = now
	return nil
}

func (k *keySet) fetch() (struct{}, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	ring, err := k.source.fetch(ctx)
	if err == nil {
		k.install(ring)
	}
	k.report(err)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = err
	return struct{}{}, err
}

// install replaces the keys and warns of those that cannot be used, once for each change.
func (k *keySet) install(ring *keyring) {
	old := k.ring.Swap(ring)
	for _, fault := range ring.unused {
		if old == nil || !slices.Contains(old.unused, fault) {
			k.log.Warn("a key of the issuer cannot be used",
				"issuer", k.issuer, "kid", clip(fault.KeyID), "err", fault.Reason)
		}
	}
}

// report logs a failure, and the first success after one. It is called at most once in
// minInterval.
func (k *keySet) report(err error) {
	k.mu.Lock()
	before := k.last
	k.mu.Unlock()
	switch {
	case err != nil && k.current() == nil:
		k.log.Error("issuer's keys cannot be fetched; its tokens are refused", "issuer", k.issuer, "err", err)
	case err != nil:
		k.log.Warn("issuer's keys cannot be refreshed; the last ones are kept", "issuer", k.issuer, "err", err)
	case before != nil:
		k.log.Info("issuer's keys are refreshed again", "issuer", k.issuer)
	}
}

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
