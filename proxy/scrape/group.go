package scrape

import (
	"context"
	"sync"
	"time"
)

// group knows the flights that can be joined. Its mutex is taken before a
// flight's and before that of Slots.
type group struct {
	mu      sync.Mutex
	flights map[flightKey]*flight
	started chan struct{} // closed when a flight starts; nil: nobody waits for that
}

// remove makes f impossible to join.
func (g *group) remove(f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.flights[f.key] == f {
		delete(g.flights, f.key)
	}
}

// enter makes m a member of a running flight or, when it gets a slot for
// identity before its deadline, of a new one.
func (m *Handler) enter(ctx context.Context, key flightKey, mb *member) (*flight, error) {
	g := &m.group
	g.mu.Lock()
	if f := g.flights[key]; f != nil && f.join(mb) {
		g.mu.Unlock()
		return f, nil
	}
	if m.o.Limiter.TryAcquire(mb.identity) {
		f := m.start(key, mb)
		g.mu.Unlock()
		return f, nil
	}
	g.mu.Unlock()
	return m.queue(ctx, key, mb)
}

// queue waits for a slot, or for somebody else to start the same.
func (m *Handler) queue(ctx context.Context, key flightKey, mb *member) (*flight, error) {
	g, place := &m.group, m.o.Limiter.Enqueue(mb.identity)
	granted := place.Acquired
	for mine := false; ; {
		g.mu.Lock()
		if f := g.flights[key]; f != nil && f.join(mb) {
			g.mu.Unlock()
			m.o.Limiter.Abandon(place)
			return f, nil
		}
		if mine {
			f := m.start(key, mb)
			g.mu.Unlock()
			return f, nil
		}
		if g.started == nil {
			g.started = make(chan struct{})
		}
		started := g.started
		g.mu.Unlock()
		select {
		case <-granted:
			mine = true
		case <-started:
		case <-mb.late():
			m.o.Limiter.Abandon(place)
			return nil, errBusy
		case <-ctx.Done():
			m.o.Limiter.Abandon(place)
			return nil, errGone
		}
	}
}

// start makes a flight with mb, which holds a slot and must lead it. The group's
// mutex is held.
func (m *Handler) start(key flightKey, mb *member) *flight {
	g := &m.group
	f := &flight{metrics: m, key: key, identity: mb.identity, deadline: time.Now().Add(m.o.Timeout)}
	f.join(mb)
	mb.leads = true
	g.flights[key] = f
	if g.started != nil {
		close(g.started)
		g.started = nil
	}
	return f
}
