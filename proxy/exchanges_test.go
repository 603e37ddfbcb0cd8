package proxy

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

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
	eventually(t, "a in the queue", func() bool { _, waiting := g.metrics.o.Slots.Load(); return waiting == 1 })
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
	eventually(t, "second", func() bool { _, waiting := g.metrics.o.Slots.Load(); return waiting == 1 })
	release()
	if got := <-first; got.status != 200 {
		t.Errorf("first: %d", got.status)
	}
	if got := <-second; got.status != 200 {
		t.Errorf("second: %d", got.status)
	}
}
