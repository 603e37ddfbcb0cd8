package proxy

import (
	"context"
	"testing"
	"time"
)

func TestSlots(t *testing.T) {
	s := NewExchangeLimiter(4)
	for range 2 {
		if !s.TryAcquire("a") {
			t.Fatal("a has less than its share")
		}
	}
	if s.TryAcquire("a") {
		t.Fatal("a has more than its share")
	}
	first, second, third := s.Enqueue("a"), s.Enqueue("b"), s.Enqueue("c")
	if !granted(second) || !granted(third) || granted(first) {
		t.Fatal("those below their share wait, or those at it do not")
	}
	fourth, fifth := s.Enqueue("d"), s.Enqueue("a")
	s.Release("b")
	if !granted(fourth) || granted(first) {
		t.Error("the slot did not go past a, which has its share")
	}
	s.Release("a")
	if !granted(first) || granted(fifth) {
		t.Error("not in order of waiting")
	}
	s.Abandon(fifth)
	s.Abandon(first)
	for _, key := range []string{"a", "c", "d"} {
		s.Release(key)
	}
	if s.free != 4 || len(s.byKey) != 0 || len(s.queue) != 0 {
		t.Errorf("at the end: %+v", s)
	}
}

func granted(t *Waiter) bool {
	select {
	case <-t.Acquired():
		return true
	default:
		return false
	}
}

func TestOneSlotIsForEveryone(t *testing.T) {
	s := NewExchangeLimiter(0)
	if err := s.Acquire(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Acquire(ctx, "b"); err == nil {
		t.Error("two of one")
	}
	time.AfterFunc(10*time.Millisecond, func() { s.Release("a") })
	if err := s.Acquire(t.Context(), "b"); err != nil {
		t.Error(err)
	}
}
