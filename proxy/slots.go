package proxy

import (
	"context"
	"slices"
	"sync"
)

// Slots bound the upstream exchanges at one time, for all and for each identity.
// Those who wait are served in their order, past those whose identity has its
// share already.
type ExchangeLimiter struct {
	mu    sync.Mutex
	free  int
	share int            // most slots of one key
	held  map[string]int // slots by key
	queue []*Waiter
}

// ticket is a place in the queue.
type Waiter struct {
	key      string
	Acquired chan struct{} // closed when the slot is held
}

// NewSlots returns total slots, at least one. One key may hold half of them, and
// at least one.
func NewExchangeLimiter(total int) *ExchangeLimiter {
	total = max(total, 1)
	return &ExchangeLimiter{free: total, share: max(total/2, 1), held: make(map[string]int)}
}

// Acquire waits for a slot for key. The error is that of ctx.
func (s *ExchangeLimiter) Acquire(ctx context.Context, key string) error {
	if s.TryAcquire(key) {
		return nil
	}
	t := s.Enqueue(key)
	select {
	case <-t.Acquired:
		return nil
	case <-ctx.Done():
		s.Abandon(t)
		return ctx.Err()
	}
}

// Release gives back a slot of key, to whom it is due.
func (s *ExchangeLimiter) Release(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(key)
}

// Load returns how many exchanges run, and how many callers wait.
func (s *ExchangeLimiter) Load() (running, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.held {
		running += n
	}
	return running, len(s.queue)
}

// try takes a slot if there is one for key now. It overtakes nobody: who waits
// could not have had it.
func (s *ExchangeLimiter) TryAcquire(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(key)
}

// wait joins the queue. The ticket must be granted or abandoned.
func (s *ExchangeLimiter) Enqueue(key string) *Waiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &Waiter{key: key, Acquired: make(chan struct{})}
	if s.take(key) {
		close(t.Acquired)
	} else {
		s.queue = append(s.queue, t)
	}
	return t
}

// abandon leaves the queue, or gives back what was granted meanwhile.
func (s *ExchangeLimiter) Abandon(t *Waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.queue, t); i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
		return
	}
	s.release(t.key)
}

func (s *ExchangeLimiter) take(key string) bool {
	if s.free == 0 || s.held[key] >= s.share {
		return false
	}
	s.free--
	s.held[key]++
	return true
}

func (s *ExchangeLimiter) release(key string) {
	s.free++
	if s.held[key]--; s.held[key] == 0 {
		delete(s.held, key)
	}
	for i, t := range s.queue {
		if s.take(t.key) {
			close(t.Acquired)
			s.queue = slices.Delete(s.queue, i, i+1)
			return
		}
	}
}
