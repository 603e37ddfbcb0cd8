package proxy

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// leader is the member on whose goroutine a flight runs. The goroutine cannot look
// at the member's own client and time meanwhile; others do.
type leader struct {
	flight *flight
	member *member
	w      http.ResponseWriter

	mu   sync.Mutex
	done bool  // the goroutine looks again
	err  error // why the member left
}

// lead runs f for m, which began it. This costs less than a goroutine of its own.
//
// If m's client leaves, the flight goes on while it has members. If m's time is up
// then m gets its answer at once, and the connection is closed when the flight is over.
// The error tells that m is no member any more.
func (f *flight) lead(w http.ResponseWriter, r *http.Request, m *member) error {
	l := &leader{flight: f, member: m, w: w}
	stop := context.AfterFunc(r.Context(), l.gone)
	timer := time.AfterFunc(time.Until(m.deadline), l.late)
	f.run()
	timer.Stop()
	stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
	return l.err
}

// gone is called when the client left.
func (l *leader) gone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done && l.err == nil {
		l.err = errGone
		l.flight.leave(l.member, errLeft)
	}
}

// late is called at the member's deadline. It is the goroutine of the flight that
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
	Refuse(l.w, http.StatusGatewayTimeout)
	_ = l.member.writer.Flush() // a writer that cannot has no client that waits
}
