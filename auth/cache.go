package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// cache keeps at most a fixed number of values, each until its own time. Keys are digests,
// so it holds no secret and no two keys collide. It is safe for concurrent use.
type cache[V any] struct {
	now func() time.Time
	mu  sync.Mutex
	lru *simplelru.LRU[[32]byte, cached[V]]
}

type cached[V any] struct {
	value V
	from  time.Time // a clock that is set back before it ends the entry too
	until time.Time
}

// wallClock is the time by the wall clock alone. The monotonic clock stands still while a
// machine is suspended, and keys and verdicts must age then too.
func wallClock() time.Time { return time.Now().Round(0) }

// newCache returns a cache of size entries (at least one); nil now is wallClock.
func newCache[V any](size int, now func() time.Time) *cache[V] {
	if now == nil {
		now = wallClock
	}
	lru, err := simplelru.NewLRU[[32]byte, cached[V]](max(size, 1), nil)
	if err != nil {
		panic(err) // a size below 1, which max rules out
	}
	return &cache[V]{now: now, lru: lru}
}

// get returns the value of key unless it has expired.
func (c *cache[V]) get(key [32]byte) (V, bool) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.lru.Get(key)
	if ok && (now.Before(entry.from) || !now.Before(entry.until)) {
		c.lru.Remove(key)
		ok = false
	}
	if !ok {
		var none V
		return none, false
	}
	return entry.value, true
}

// put stores v under key until the given time. A time in the past stores nothing.
func (c *cache[V]) put(key [32]byte, v V, until time.Time) {
	now := c.now()
	if !now.Before(until) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Add(key, cached[V]{v, now, until})
}

// verdicts caches a yes longer than a no, and in different caches: a flood of refused
// credentials evicts no good one.
type verdicts[V any] struct {
	now     func() time.Time
	allowed *cache[V]
	denied  *cache[error]
}

func newVerdicts[V any](now func() time.Time) *verdicts[V] {
	return &verdicts[V]{
		now:     now,
		allowed: newCache[V](reviewEntries, now),
		denied:  newCache[error](reviewEntries, now),
	}
}

// get returns the cached verdict: a value, or the error of a no.
func (v *verdicts[V]) get(key [32]byte) (value V, err error, ok bool) {
	if value, ok := v.allowed.get(key); ok {
		return value, nil, true
	}
	err, ok = v.denied.get(key)
	return value, err, ok
}

// put caches a verdict, but not ErrUnavailable. A yes lasts no longer than until, unless that
// is zero.
func (v *verdicts[V]) put(key [32]byte, value V, until time.Time, err error) {
	now := v.now()
	switch {
	case errors.Is(err, ErrUnavailable):
	case err != nil:
		v.denied.put(key, err, now.Add(reviewDenied))
	default:
		if limit := now.Add(reviewAllowed); until.IsZero() || until.After(limit) {
			until = limit
		}
		v.allowed.put(key, value, until)
	}
}

// singleFlight lets callers that want the same answer at the same time share one call. A
// caller that leaves does not cancel it for the others. Unlike x/sync/singleflight it asks
// for admission before a call, and only of the caller that starts it.
type singleFlight[V any] struct {
	mu      sync.Mutex
	pending map[[32]byte]*sharedCall[V]
}

type sharedCall[V any] struct {
	done chan struct{} // closed when value and err are set
	v    V
	err  error
}

// do returns the answer of the call that is under way for key, or starts call unless admit
// refuses. When ctx ends first the error wraps ErrUnavailable.
func (f *singleFlight[V]) do(
	ctx context.Context,
	key [32]byte,
	admit func() error,
	call func() (V, error),
) (V, error) {
	var none V
	f.mu.Lock()
	shared, ok := f.pending[key]
	if !ok {
		if err := admit(); err != nil {
			f.mu.Unlock()
			return none, err
		}
		shared = &sharedCall[V]{done: make(chan struct{})}
		if f.pending == nil {
			f.pending = map[[32]byte]*sharedCall[V]{}
		}
		f.pending[key] = shared
		go f.run(key, shared, call)
	}
	f.mu.Unlock()
	select {
	case <-shared.done:
		return shared.v, shared.err
	case <-ctx.Done():
		return none, fmt.Errorf("%w: request ended before the answer came: %w", ErrUnavailable, ctx.Err())
	}
}

func (f *singleFlight[V]) run(key [32]byte, shared *sharedCall[V], call func() (V, error)) {
	shared.v, shared.err = call()
	f.mu.Lock()
	delete(f.pending, key)
	f.mu.Unlock()
	close(shared.done)
}
