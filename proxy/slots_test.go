package proxy

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSlots(t *testing.T) {
	s := NewSlots(4)
	for range 2 {
		if !s.try("a") {
			t.Fatal("a has less than its share")
		}
	}
	if s.try("a") {
		t.Fatal("a has more than its share")
	}
	first, second, third := s.wait("a"), s.wait("b"), s.wait("c")
	if !granted(second) || !granted(third) || granted(first) {
		t.Fatal("those below their share wait, or those at it do not")
	}
	fourth, fifth := s.wait("d"), s.wait("a")
	s.Release("b")
	if !granted(fourth) || granted(first) {
		t.Error("the slot did not go past a, which has its share")
	}
	s.Release("a")
	if !granted(first) || granted(fifth) {
		t.Error("not in order of waiting")
	}
	s.abandon(fifth)
	s.abandon(first)
	for _, key := range []string{"a", "c", "d"} {
		s.Release(key)
	}
	if s.free != 4 || len(s.held) != 0 || len(s.queue) != 0 {
		t.Errorf("at the end: %+v", s)
	}
}

func granted(t *ticket) bool {
	select {
	case <-t.granted:
		return true
	default:
		return false
	}
}

func TestOneSlotIsForEveryone(t *testing.T) {
	s := NewSlots(0)
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

func TestTooManyExchanges(t *testing.T) {
	r, release := held(t, plain(textType, smallBody))
	g := newGate(t, r.addr(), func(o *MetricsOptions) { o.Slots = NewSlots(2) })
	text := g.several(t.Context(), 2, "Test-Identity: a", "Accept: text/plain;version=0.0.4")
	eventually(t, "text", func() bool { return g.waiting() == 2 })

	// a has its half; its second format waits, and gives up in time.
	got := g.fetch(t.Context(), "Test-Identity: a", "Accept: text/plain;version=1.0.0", "X-Prometheus-Scrape-Timeout-Seconds: 0.2")
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" || got.body != "Service Unavailable\n" {
		t.Errorf("a's second: %d %v", got.status, got.header)
	}
	if !strings.Contains(g.log.String(), `"reason":"busy"`) {
		t.Error("not logged")
	}

	// It waits again, and joins what b starts with a slot of its own.
	waiting := g.several(t.Context(), 1, "Test-Identity: a", "Accept: text/plain;version=1.0.0")
	eventually(t, "a in the queue", func() bool {
		s := g.metrics.o.Slots
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.queue) == 1
	})
	other := g.several(t.Context(), 1, "Test-Identity: b", "Accept: text/plain;version=1.0.0")
	eventually(t, "a joined b", func() bool { return g.waiting() == 4 })

	// Who leaves the queue leaves nothing behind.
	ctx, leave := context.WithCancel(t.Context())
	third := g.several(ctx, 1, "Test-Identity: c", "HEAD")
	time.AfterFunc(20*time.Millisecond, leave)
	if got := <-third; got.err == nil {
		t.Errorf("left, and got %d", got.status)
	}
	release()
	for _, answers := range []chan response{text, text, waiting, other} {
		if got := <-answers; got.status != 200 {
			t.Errorf("answer %d", got.status)
		}
	}
	if requests, _ := r.seen(); len(requests) != 2 {
		t.Errorf("%d exchanges, want 2", len(requests))
	}
	if got := g.fetch(t.Context(), "Test-Identity: a"); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

func TestSlotComesInTime(t *testing.T) {
	r, release := held(t, plain(textType, smallBody))
	g := newGate(t, r.addr(), func(o *MetricsOptions) { o.Slots = NewSlots(1) })
	first := g.several(t.Context(), 1)
	eventually(t, "first", func() bool { return g.waiting() == 1 })
	second := g.several(t.Context(), 1, "Accept: text/plain;version=1.0.0")
	eventually(t, "second", func() bool { s := g.metrics.o.Slots; s.mu.Lock(); defer s.mu.Unlock(); return len(s.queue) == 1 })
	release()
	if got := <-first; got.status != 200 {
		t.Errorf("first: %d", got.status)
	}
	if got := <-second; got.status != 200 {
		t.Errorf("second: %d", got.status)
	}
}
