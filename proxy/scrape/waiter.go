package scrape

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Why a member does not get its answer, beside what befalls the exchange.
var (
	errLate    error = &upstream.Error{Reason: upstream.ReasonTimeout, Err: errors.New("the scraper's time is up")}
	errExcused error = &upstream.Error{Reason: upstream.ReasonTimeout, Err: errors.New("the scraper's time is up, others wait on")}
	errGone          = errors.New("client left")
	errBusy          = errors.New("too many exchanges")
	errSlow          = errors.New("client takes nothing")
)

// member is a request that waits for a flight.
type member struct {
	identity string
	encoding encoding
	leads    bool    // began the flight
	leader   *leader // kept for the next flight that it begins
	signal   chan struct{}
	deadline time.Time
	timer    *time.Timer // fires then, if armed
	armed    bool
	writer   *http.ResponseController
	latest   time.Time // no write goes on after this; zero: no bound

	// Guarded by the flight's mutex:
	next   int           // sequence number of the chunk it needs
	waited time.Duration // that others waited for it
	cut    bool
}

// begin makes m as new, to give up after left.
func (m *member) begin(now time.Time, left time.Duration) {
	m.deadline = now.Add(left)
	if m.signal == nil {
		m.signal = make(chan struct{}, 1)
	}
	select {
	case <-m.signal:
	default:
	}
	m.leads, m.next, m.waited, m.cut = false, 0, 0, false
}

// end lets go of the request.
func (m *member) end() {
	if m.armed {
		m.timer.Stop()
		m.armed = false
	}
	m.writer, m.identity = nil, ""
}

// late fires at m's deadline. Most members never wait, and need no timer.
func (m *member) late() <-chan time.Time {
	if !m.armed {
		m.armed = true
		if left := time.Until(m.deadline); m.timer == nil {
			m.timer = time.NewTimer(left)
		} else {
			m.timer.Reset(left)
		}
	}
	return m.timer.C
}

// wake makes m look at its track.
func (m *member) wake() {
	select {
	case m.signal <- struct{}{}:
	default:
	}
}

// wait waits to be woken.
func (m *member) wait(ctx context.Context) error {
	select {
	case <-m.signal:
		return nil
	case <-m.late():
		return errLate
	case <-ctx.Done():
		return errGone
	}
}

// extend gives the next write its time.
func (m *member) extend() {
	by := time.Now().Add(proxy.WriteStallTimeout)
	if !m.latest.IsZero() && m.latest.Before(by) {
		by = m.latest
	}
	_ = m.writer.SetWriteDeadline(by) // a writer that knows no deadlines has none
}

// expire ends a write that goes on, and all further ones.
func (m *member) expire() { _ = m.writer.SetWriteDeadline(time.Unix(1, 0)) }

// decided waits until it is known what m will get: phaseComplete with the size in
// bytes, or phaseStreaming. Otherwise there is an error.
func (f *flight) decided(ctx context.Context, m *member) (phase, int64, error) {
	for {
		f.mu.Lock()
		t := &f.tracks[m.encoding]
		p, size, err := t.phase, t.size, f.err
		f.mu.Unlock()
		if p != phaseOpen {
			return p, size, err
		}
		if err := m.wait(ctx); err != nil {
			return phaseOpen, 0, err
		}
	}
}

// take waits for the chunk that m needs, and gives it the time to write it. The end
// is io.EOF. What is taken must be given back by wrote.
func (f *flight) take(ctx context.Context, m *member) (*chunk, error) {
	for {
		if c, err := f.peek(m); c != nil || err != nil {
			return c, err
		}
		if err := m.wait(ctx); err != nil {
			return nil, err
		}
	}
}

func (f *flight) peek(m *member) (*chunk, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &f.tracks[m.encoding]
	switch {
	case m.cut:
		return nil, errSlow
	case t.phase == phaseFailed:
		return nil, f.err
	case m.next < t.end():
		c := t.chunks[m.next-t.base]
		c.refs++
		m.extend()
		return c, nil
	case t.ended:
		return nil, io.EOF
	}
	return nil, nil
}

// wrote notes that m is through with c.
func (f *flight) wrote(m *member, c *chunk) {
	f.mu.Lock()
	c.unref(f.metrics.supplies)
	m.next++
	if t := &f.tracks[m.encoding]; !m.cut {
		t.trim(f.metrics.supplies)
	}
	f.nudge()
	f.mu.Unlock()
}
