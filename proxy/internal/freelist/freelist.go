package freelist

import "sync"

// spares is a free list of bounded length. Unlike a sync.Pool it neither grows
// with a burst nor loses everything to the garbage collector between two scrapes;
// what has not been needed for long goes with tidy. Used by several goroutines.
type List[T any] struct {
	mu   sync.Mutex
	free []*T // used last, last
	idle int  // how many of free nobody has needed since tidy
	size int
}

// newSpares returns a free list of at most size.
func New[T any](size int) *List[T] {
	return &List[T]{size: size, free: make([]*T, 0, size)}
}

// get takes a spare, or returns a new T.
func (s *List[T]) Get() *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free) - 1
	if n < 0 {
		return new(T)
	}
	t := s.free[n]
	s.free[n] = nil
	s.free = s.free[:n]
	s.idle = min(s.idle, n)
	return t
}

// held is how many spares there are.
func (s *List[T]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.free)
}

// put keeps t, or leaves it to the garbage collector.
func (s *List[T]) Put(t *T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) < s.size {
		s.free = append(s.free, t)
	}
}

// tidy leaves to the garbage collector what lay idle since the last call.
func (s *List[T]) ReleaseIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := copy(s.free, s.free[s.idle:])
	clear(s.free[left:])
	s.free, s.idle = s.free[:left], left
}
