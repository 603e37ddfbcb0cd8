package scrape

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

func TestTooManyExchanges(t *testing.T) {
	r, release := held(t, proxytest.Plain(proxytest.TextType, proxytest.SmallBody))
	g := newGate(t, r.Addr(), func(o *Options) { o.Limiter = proxy.NewExchangeLimiter(2) })
	text := g.several(t.Context(), 2, "Test-Identity: a", "Accept: text/plain;version=0.0.4")
	testwait.Eventually(t, "text", func() bool { return g.waiting() == 2 })

	// a has its half; its second format waits, and gives up in time.
	got := g.fetch(
		t.Context(),
		"Test-Identity: a",
		"Accept: text/plain;version=1.0.0",
		"X-Prometheus-Scrape-Timeout-Seconds: 0.2",
	)
	if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "1" ||
		got.Body != "Service Unavailable\n" {
		t.Errorf("a's second: %d %v", got.Status, got.Header)
	}
	if !strings.Contains(g.log.String(), `"reason":"busy"`) {
		t.Error("not logged")
	}

	// It waits again, and joins what b starts with a slot of its own.
	waiting := g.several(t.Context(), 1, "Test-Identity: a", "Accept: text/plain;version=1.0.0")
	testwait.Eventually(
		t,
		"a in the queue",
		func() bool { _, waiting := g.metrics.o.Limiter.Load(); return waiting == 1 },
	)
	other := g.several(t.Context(), 1, "Test-Identity: b", "Accept: text/plain;version=1.0.0")
	testwait.Eventually(t, "a joined b", func() bool { return g.waiting() == 4 })

	// Who leaves the queue leaves nothing behind.
	ctx, leave := context.WithCancel(t.Context())
	third := g.several(ctx, 1, "Test-Identity: c", "HEAD")
	time.AfterFunc(20*time.Millisecond, leave)
	if got := <-third; got.Err == nil {
		t.Errorf("left, and got %d", got.Status)
	}
	release()
	for _, answers := range []chan proxytest.Response{text, text, waiting, other} {
		if got := <-answers; got.Status != 200 {
			t.Errorf("answer %d", got.Status)
		}
	}
	if requests, _ := r.Seen(); len(requests) != 2 {
		t.Errorf("%d exchanges, want 2", len(requests))
	}
	if got := g.fetch(t.Context(), "Test-Identity: a"); got.Status != 200 {
		t.Errorf("afterwards: %d", got.Status)
	}
}

func TestSlotComesInTime(t *testing.T) {
	r, release := held(t, proxytest.Plain(proxytest.TextType, proxytest.SmallBody))
	g := newGate(t, r.Addr(), func(o *Options) { o.Limiter = proxy.NewExchangeLimiter(1) })
	first := g.several(t.Context(), 1)
	testwait.Eventually(t, "first", func() bool { return g.waiting() == 1 })
	second := g.several(t.Context(), 1, "Accept: text/plain;version=1.0.0")
	testwait.Eventually(t, "second", func() bool { _, waiting := g.metrics.o.Limiter.Load(); return waiting == 1 })
	release()
	if got := <-first; got.Status != 200 {
		t.Errorf("first: %d", got.Status)
	}
	if got := <-second; got.Status != 200 {
		t.Errorf("second: %d", got.Status)
	}
}
