package scrape

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Why a waiter gets no answer, apart from errors of the exchange.
var (
	errTimedOut       = upstream.Errorf(upstream.ReasonTimeout, "the scraper's time is up")
	errLeaderTimedOut = upstream.Errorf(upstream.ReasonTimeout, "the scraper's time is up, others wait on")
	errClientLeft     = errors.New("client left")
	errBusy           = errors.New("too many exchanges")
	errSlowReader     = errors.New("client takes nothing")
)

// waiter is a request that waits for the answer of a flight. Waiters are reused.
type waiter struct {
	identity  string
	encoding  encoding
	isLeader  bool          // began the flight
	leader    *leader       // kept for the next flight that it begins
	flight    *flight       // empty, for the next one that it begins; nil: make one
	signal    chan struct{} // buffered by one: look at the variant again
	deadline  time.Time
	timer     *time.Timer // fires at deadline, if armed
	armed     bool
	writer    http.ResponseController
	lastWrite time.Time // no write continues after this; zero: no limit
	bytes     int64     // of the body, written

	// Guarded by the flight's mutex:
	next         int           // sequence number of the chunk it needs
	delayed      time.Duration // that others waited for it
	disconnected bool
}

// reset prepares wt for a request that gives up after left.
func (wt *waiter) reset(now time.Time, left time.Duration) {
	wt.deadline = now.Add(left)
	if wt.signal == nil {
		wt.signal = make(chan struct{}, 1)
	}
	select {
	case <-wt.signal:
	default:
	}
	wt.bytes = 0
	wt.isLeader, wt.next, wt.delayed, wt.disconnected = false, 0, 0, false
}

// clear drops what belongs to the request.
func (wt *waiter) clear() {
	if wt.armed {
		wt.timer.Stop()
		wt.armed = false
	}
	wt.writer, wt.identity = http.ResponseController{}, ""
}

// deadlineC fires at the deadline. Most waiters never wait, and need no timer.
func (wt *waiter) deadlineC() <-chan time.Time {
	if !wt.armed {
		wt.armed = true
		if left := time.Until(wt.deadline); wt.timer == nil {
			wt.timer = time.NewTimer(left)
		} else {
			wt.timer.Reset(left)
		}
	}
	return wt.timer.C
}

// wake makes wt look at its variant.
func (wt *waiter) wake() {
	select {
	case wt.signal <- struct{}{}:
	default:
	}
}

// wait waits until wt is woken, its time is up, or its client leaves.
func (wt *waiter) wait(ctx context.Context) error {
	select {
	case <-wt.signal:
		return nil
	case <-wt.deadlineC():
		return errTimedOut
	case <-ctx.Done():
		return errClientLeft
	}
}

// extendWriteDeadline allows the next write WriteStallTimeout.
func (wt *waiter) extendWriteDeadline() {
	by := time.Now().Add(proxy.WriteStallTimeout)
	if !wt.lastWrite.IsZero() && wt.lastWrite.Before(by) {
		by = wt.lastWrite
	}
	_ = wt.writer.SetWriteDeadline(by) // a writer without deadlines has no limit
}

// cancelWrites ends a write in progress, and all further ones.
func (wt *waiter) cancelWrites() { _ = wt.writer.SetWriteDeadline(time.Unix(1, 0)) }

// awaitPhase waits until the answer is decided: phaseComplete with its size in bytes, or
// phaseStreaming. Otherwise there is an error.
func (f *flight) awaitPhase(ctx context.Context, wt *waiter) (phase, int64, error) {
	for {
		f.mu.Lock()
		v := &f.variants[wt.encoding]
		p, size, err := v.phase, v.size, f.err
		f.mu.Unlock()
		if p != phaseOpen {
			return p, size, err
		}
		if err := wt.wait(ctx); err != nil {
			return phaseOpen, 0, err
		}
	}
}

// nextChunk waits for the chunk that wt writes next, and sets the deadline for writing it.
// The end is io.EOF. The chunk must be released by releaseChunk.
func (f *flight) nextChunk(ctx context.Context, wt *waiter) (*chunk, error) {
	for {
		if c, err := f.tryNextChunk(wt); c != nil || err != nil {
			return c, err
		}
		if err := wt.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// tryNextChunk is nextChunk without waiting: nil and no error means not yet.
func (f *flight) tryNextChunk(wt *waiter) (*chunk, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v := &f.variants[wt.encoding]
	switch {
	case wt.disconnected:
		return nil, errSlowReader
	case v.phase == phaseFailed:
		return nil, f.err
	case wt.next < v.end():
		c := v.chunks[wt.next-v.base]
		c.refs++
		wt.extendWriteDeadline()
		return c, nil
	case v.ended:
		return nil, io.EOF
	}
	return nil, nil
}

// releaseChunk moves wt on behind c, which it has written.
func (f *flight) releaseChunk(wt *waiter, c *chunk) {
	f.mu.Lock()
	c.unref(f.handler.buffers)
	wt.next++
	if v := &f.variants[wt.encoding]; !wt.disconnected {
		v.trim(f.handler.buffers)
	}
	f.signalRoom()
	f.mu.Unlock()
}

// Bounds of the part of a scraper's time that is kept for the way back.
const (
	minMargin = 50 * time.Millisecond
	maxMargin = 500 * time.Millisecond
)

// timeout is how long a scrape may take: most, or less if the scraper waits less according
// to the values of X-Prometheus-Scrape-Timeout-Seconds. A tenth of the scraper's time,
// within bounds, is kept for the way back, so that the scraper gets an answer. A value that
// is not a positive number is ignored.
func timeout(values []string, most time.Duration) time.Duration {
	if len(values) != 1 {
		return most
	}
	seconds, err := strconv.ParseFloat(values[0], 64)
	if err != nil || !(seconds > 0) || seconds > math.MaxInt64/float64(2*time.Second) {
		return most
	}
	whole := time.Duration(seconds * float64(time.Second))
	margin := min(max(whole/10, minMargin), maxMargin)
	return min(max(whole-margin, whole/2), most)
}

// writeDeadline is the end of the server's WriteTimeout for a request that began at begin.
// Zero means none. No deadline of a single write may be later.
func writeDeadline(r *http.Request, begin time.Time) time.Time {
	if s, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		return begin.Add(s.WriteTimeout)
	}
	return time.Time{}
}

// cancelCause is why an exchange ends whose last waiter got err.
func cancelCause(err error) error {
	if err == errTimedOut {
		return errTimedOut
	}
	return upstream.ErrCanceled
}
