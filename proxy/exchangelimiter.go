package proxy

import (
	"context"
	"slices"
	"sync"
)

// ExchangeLimiter limits the upstream exchanges at one time, of all identities and of each.
// Waiters get slots in order, except that one whose identity has its share is passed over.
type ExchangeLimiter struct {
	mu    sync.Mutex
	free  int
	share int            // most slots of one key
	byKey map[string]int // slots by key
	queue []*Waiter
}

// Waiter is a caller in the queue for a slot.
type Waiter struct {
	key      string
	acquired chan struct{} // closed when the slot is held
}

// Acquired is closed when the waiter has its slot.
func (w *Waiter) Acquired() <-chan struct{} { return w.acquired }

// NewExchangeLimiter returns a limiter of total slots, at least one. One key may hold half of
// them, at least one.
func NewExchangeLimiter(total int) *ExchangeLimiter {
	total = max(total, 1)
	return &ExchangeLimiter{free: total, share: max(total/2, 1), byKey: make(map[string]int)}
}

// Acquire waits for a slot for key. Its error is that of ctx.
func (l *ExchangeLimiter) Acquire(ctx context.Context, key string) error {
	if l.TryAcquire(key) {
		return nil
	}
	w := l.Enqueue(key)
	select {
	case <-w.acquired:
		return nil
	case <-ctx.Done():
		l.Abandon(w)
		return ctx.Err()
	}
}

// Release gives back a slot of key, and hands it to the next waiter.
func (l *ExchangeLimiter) Release(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release(key)
}

// Load returns how many exchanges run, and how many callers wait.
func (l *ExchangeLimiter) Load() (running, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.byKey {
		running += n
	}
	return running, len(l.queue)
}

// TryAcquire takes a slot for key if there is one now. While a slot is free, every waiter in
// the queue is of an identity that has its share, so none is overtaken.
func (l *ExchangeLimiter) TryAcquire(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take(key)
}

// Enqueue joins the queue. The caller must wait for the slot, which it then releases, or
// call Abandon.
func (l *ExchangeLimiter) Enqueue(key string) *Waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &Waiter{key: key, acquired: make(chan struct{})}
	if l.take(key) {
		close(w.acquired)
	} else {
		l.queue = append(l.queue, w)
	}
	return w
}

// Abandon leaves the queue, or gives back a slot that w got meanwhile.
func (l *ExchangeLimiter) Abandon(w *Waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, w); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
		return
	}
	l.release(w.key)
}

func (l *ExchangeLimiter) take(key string) bool {
	if l.free == 0 || l.byKey[key] >= l.share {
		return false
	}
	l.free--
	l.byKey[key]++
	return true
}

func (l *ExchangeLimiter) release(key string) {
	l.free++
	if l.byKey[key]--; l.byKey[key] == 0 {
		delete(l.byKey, key)
	}
	for i, w := range l.queue {
		if l.take(w.key) {
			close(w.acquired)
			l.queue = slices.Delete(l.queue, i, i+1)
			return
		}
	}
}
