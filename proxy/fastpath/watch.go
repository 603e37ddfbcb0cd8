package fastpath

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// watch looks, while a request takes long, whether its client is still there.
type watch struct {
	ride  *ride
	leave context.CancelFunc // tells handlers that the client left
	timer *time.Timer

	mu      sync.Mutex
	on      bool          // a request is being answered
	reading chan struct{} // closed when the read is over; nil: there was none
	gone    bool
}

// begin is called before a request.
func (w *watch) begin() {
	w.mu.Lock()
	w.on = true
	w.mu.Unlock()
	if w.timer == nil {
		w.timer = time.AfterFunc(watchAfter, w.look)
	} else {
		w.timer.Reset(watchAfter)
	}
}

// end is called after a request, and reports whether the client is still there. Until
// it returns nobody else may read.
func (w *watch) end() bool {
	w.timer.Stop() // look may have begun all the same
	w.mu.Lock()
	reading := w.reading
	w.on, w.reading = false, nil
	if reading != nil {
		_ = w.ride.conn.SetReadDeadline(time.Unix(1, 0)) // an error means that it is closed
	}
	w.mu.Unlock()
	if reading != nil {
		<-reading
	}
	return !w.gone
}

// look reads a byte: it belongs to the next request, and an error tells that there will
// be none. What was read before stays in the buffer, behind which the byte goes.
func (w *watch) look() {
	t := w.ride
	w.mu.Lock()
	if !w.on || w.reading != nil || t.n == len(t.buf) {
		w.mu.Unlock()
		return
	}
	done := make(chan struct{})
	w.reading = done
	_ = t.conn.SetReadDeadline(time.Time{}) // an error shows at the read
	w.mu.Unlock()
	defer close(done)
	n, err := t.conn.Read(t.buf[t.n : t.n+1])
	t.n += n
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.gone = true
		w.leave()
	}
}
