package scrape

import (
	"context"
	"sync"
	"time"
)

// group holds the flights that can be joined. Its mutex is locked before a flight's, and
// before the limiter's.
type group struct {
	mu      sync.Mutex
	flights map[flightKey]*flight
	started chan struct{} // closed when a flight starts; nil: nobody waits for that
}

// remove takes f out of the group, so that nobody can join it.
func (g *group) remove(f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.flights[f.key] == f {
		delete(g.flights, f.key)
	}
}

// join adds wt to a running flight, or to a new one if its identity gets a slot before its
// deadline.
func (h *Handler) join(ctx context.Context, key flightKey, wt *waiter) (*flight, error) {
	g := &h.group
	g.mu.Lock()
	if f := g.flights[key]; f != nil && f.join(wt) {
		g.mu.Unlock()
		return f, nil
	}
	if h.o.Limiter.TryAcquire(wt.identity) {
		f := h.startFlight(key, wt)
		g.mu.Unlock()
		return f, nil
	}
	g.mu.Unlock()
	return h.waitForSlot(ctx, key, wt)
}

// waitForSlot waits for a slot, or for another request to start a flight with the same key.
func (h *Handler) waitForSlot(ctx context.Context, key flightKey, wt *waiter) (*flight, error) {
	g, queued := &h.group, h.o.Limiter.Enqueue(wt.identity)
	acquired := queued.Acquired()
	for holdsSlot := false; ; {
		g.mu.Lock()
		if f := g.flights[key]; f != nil && f.join(wt) {
			g.mu.Unlock()
			h.o.Limiter.Abandon(queued)
			return f, nil
		}
		if holdsSlot {
			f := h.startFlight(key, wt)
			g.mu.Unlock()
			return f, nil
		}
		if g.started == nil {
			g.started = make(chan struct{})
		}
		started := g.started
		g.mu.Unlock()
		select {
		case <-acquired:
			holdsSlot = true
		case <-started:
		case <-wt.deadlineC():
			h.o.Limiter.Abandon(queued)
			return nil, errBusy
		case <-ctx.Done():
			h.o.Limiter.Abandon(queued)
			return nil, errClientLeft
		}
	}
}

// startFlight makes a flight with wt, which holds a slot and must run it as its leader. The
// group's mutex is held.
func (h *Handler) startFlight(key flightKey, wt *waiter) *flight {
	g := &h.group
	f := wt.flight
	if f == nil {
		f = new(flight)
	}
	wt.flight = nil
	f.handler, f.key, f.identity, f.deadline = h, key, wt.identity, time.Now().Add(h.o.Timeout)
	f.join(wt)
	wt.isLeader = true
	g.flights[key] = f
	if g.started != nil {
		close(g.started)
		g.started = nil
	}
	return f
}
