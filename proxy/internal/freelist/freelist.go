package freelist

import "sync"

// List is a free list of bounded length. Several goroutines may use it.
type List[T any] struct {
	mu   sync.Mutex
	free []*T // last used last
	idle int  // how many of free were not used since ReleaseIdle
	size int
}

// New returns a free list of at most size values.
func New[T any](size int) *List[T] {
	return &List[T]{size: size, free: make([]*T, 0, size)}
}

// Get takes a value from the list, or returns a new one.
func (l *List[T]) Get() *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free) - 1
	if n < 0 {
		return new(T)
	}
	t := l.free[n]
	l.free[n] = nil
	l.free = l.free[:n]
	l.idle = min(l.idle, n)
	return t
}

// Len returns how many values are in the list.
func (l *List[T]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.free)
}

// Put adds t to the list, unless that is full.
func (l *List[T]) Put(t *T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.free) < l.size {
		l.free = append(l.free, t)
	}
}

// ReleaseIdle drops the values that were not used since the last call.
func (l *List[T]) ReleaseIdle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := copy(l.free, l.free[l.idle:])
	clear(l.free[left:])
	l.free, l.idle = l.free[:left], left
}
