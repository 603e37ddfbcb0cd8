package scrape

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// watchAfter is how long a flight runs before the client and the deadline of its leader are
// watched. Most flights end sooner, and do not pay for it.
const watchAfter = 50 * time.Millisecond

// leader is the waiter on whose goroutine a flight runs. That goroutine cannot watch its own
// client and deadline meanwhile, so a timer does.
type leader struct {
	flight *flight
	waiter *waiter
	w      http.ResponseWriter
	r      *http.Request
	timer  *time.Timer // calls check

	mu           sync.Mutex
	done         bool        // the flight has returned
	stopWatching func() bool // stops watching the client; nil: not watching
	err          error       // why the waiter left
}

// runAsLeader runs f on the goroutine of wt, which started it. This costs less than a
// goroutine of its own.
//
// If the client of wt leaves, the flight goes on while it has other waiters. If the time of
// wt is up, wt gets its answer at once, and its connection is closed when the flight ends.
// An error means that wt is no waiter of the flight any more.
func (f *flight) runAsLeader(w http.ResponseWriter, r *http.Request, wt *waiter) error {
	l := wt.leader
	if l == nil {
		l = new(leader)
		l.timer = time.AfterFunc(time.Hour, l.check)
		wt.leader = l
	}
	l.mu.Lock()
	l.flight, l.waiter, l.w, l.r, l.done, l.err = f, wt, w, r, false, nil
	l.mu.Unlock()
	l.timer.Reset(min(watchAfter, time.Until(wt.deadline)))
	f.run()
	err, alone := l.finish()
	if !alone {
		wt.leader = nil // a callback may still come, and must not see the next flight
	}
	return err
}

// finish is called when the flight has returned. It returns why the waiter left, and whether
// no callback can come any more.
func (l *leader) finish() (err error, alone bool) {
	alone = l.timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopWatching != nil {
		alone = l.stopWatching() && alone
	}
	l.done, l.stopWatching = true, nil
	l.flight, l.waiter, l.w, l.r = nil, nil, nil, nil
	return l.err, alone
}

// check is the timer's callback. It starts watching the client, and comes again at the
// deadline.
func (l *leader) check() {
	l.mu.Lock()
	var left time.Duration
	if !l.done {
		left = time.Until(l.waiter.deadline)
	}
	if left > 0 {
		if l.stopWatching == nil {
			l.stopWatching = context.AfterFunc(l.r.Context(), l.onClientLeft)
		}
		l.timer.Reset(left)
	}
	l.mu.Unlock()
	if left <= 0 {
		l.onDeadline()
	}
}

// onClientLeft removes the leader from its flight.
func (l *leader) onClientLeft() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done && l.err == nil {
		l.err = errClientLeft
		l.flight.leave(l.waiter, upstream.ErrCanceled)
	}
}

// onDeadline removes the leader from its flight. If other waiters remain, it answers 504 from
// the timer's goroutine: nothing else writes to w before done.
func (l *leader) onDeadline() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done || l.err != nil {
		return
	}
	if l.flight.leave(l.waiter, errTimedOut) {
		l.err = errTimedOut
		return
	}
	l.err = errLeaderTimedOut
	l.waiter.extendWriteDeadline()
	l.w.Header().Set("Connection", "close")
	proxy.Refuse(l.w, http.StatusGatewayTimeout)
	_ = l.waiter.writer.Flush() // an error means that the client left
}
