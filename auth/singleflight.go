package auth

import (
	"context"
	"fmt"
	"sync"
)

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
func (f *singleFlight[V]) do(ctx context.Context, key [32]byte, admit func() error, call func() (V, error)) (V, error) {
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
