package scrape

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// attention is how long a flight may run before anyone looks after the client of the
// member that leads it. Most flights are over sooner, and cost nothing for that.
const attention = 50 * time.Millisecond

// leader is the member on whose goroutine a flight runs. The goroutine cannot look
// at the member's own client and time meanwhile; others do.
type leader struct {
	flight *flight
	member *member
	w      http.ResponseWriter
	r      *http.Request
	timer  *time.Timer // calls look

	mu    sync.Mutex
	done  bool        // the goroutine looks again
	leave func() bool // ends the look at the client; nil: nobody looks
	err   error       // why the member left
}

// lead runs f for m, which began it. This costs less than a goroutine of its own.
//
// If m's client leaves, the flight goes on while it has members. If m's time is up
// then m gets its answer at once, and the connection is closed when the flight is over.
// The error tells that m is no member any more.
func (f *flight) lead(w http.ResponseWriter, r *http.Request, m *member) error {
	l := m.leader
	if l == nil {
		l = new(leader)
		l.timer = time.AfterFunc(time.Hour, l.look)
		m.leader = l
	}
	l.mu.Lock()
	l.flight, l.member, l.w, l.r, l.done, l.err = f, m, w, r, false, nil
	l.mu.Unlock()
	l.timer.Reset(min(attention, time.Until(m.deadline)))
	f.run()
	err, alone := l.end()
	if !alone {
		m.leader = nil // who is late must find what is done, not the next flight
	}
	return err
}

// end is called when the goroutine looks again. It returns why the member left, and
// whether nobody is about to look after it any more.
func (l *leader) end() (err error, alone bool) {
	alone = l.timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leave != nil {
		alone = l.leave() && alone
	}
	l.done, l.leave = true, nil
	l.flight, l.member, l.w, l.r = nil, nil, nil, nil
	return l.err, alone
}

// look is called when the flight takes long: first to look at the client from now on,
// and at the member's deadline.
func (l *leader) look() {
	l.mu.Lock()
	var left time.Duration
	if !l.done {
		left = time.Until(l.member.deadline)
	}
	if left > 0 {
		if l.leave == nil {
			l.leave = context.AfterFunc(l.r.Context(), l.gone)
		}
		l.timer.Reset(left)
	}
	l.mu.Unlock()
	if left <= 0 {
		l.late()
	}
}

// gone is called when the client left.
func (l *leader) gone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done && l.err == nil {
		l.err = errGone
		l.flight.leave(l.member, upstream.ErrCanceled)
	}
}

// late ends the membership at the member's deadline. It is the goroutine of the flight that
// answers, if that is over now, and otherwise this one: nothing else writes to w
// before done.
func (l *leader) late() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done || l.err != nil {
		return
	}
	if l.flight.leave(l.member, errLate) {
		l.err = errLate
		return
	}
	l.err = errExcused
	l.member.extend()
	l.w.Header().Set("Connection", "close")
	proxy.Refuse(l.w, http.StatusGatewayTimeout)
	_ = l.member.writer.Flush() // a writer that cannot has no client that waits
}
