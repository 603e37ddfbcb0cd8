package fastpath

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// watch watches the client of a request that takes long.
type watch struct {
	conn   *conn
	cancel context.CancelFunc // tells the handler that the client left
	timer  *time.Timer

	mu      sync.Mutex
	on      bool          // a request is being answered
	reading chan struct{} // closed when the read ends; nil: none
	gone    bool
}

// begin is called before a request.
func (w *watch) begin() {
	w.mu.Lock()
	w.on = true
	w.mu.Unlock()
	if w.timer == nil {
		w.timer = time.AfterFunc(watchAfter, w.check)
	} else {
		w.timer.Reset(watchAfter)
	}
}

// end is called after a request, and reports whether the client is still there. Nobody else
// may read before it returns.
func (w *watch) end() bool {
	w.timer.Stop() // check may run already
	w.mu.Lock()
	reading := w.reading
	w.on, w.reading = false, nil
	if reading != nil {
		_ = w.conn.netConn.SetReadDeadline(time.Unix(1, 0)) // an error means that it is closed
	}
	w.mu.Unlock()
	if reading != nil {
		<-reading
	}
	return !w.gone
}

// check reads one byte. An error means that the client left. The byte belongs to the next
// request, and is appended to the buffer.
func (w *watch) check() {
	c := w.conn
	w.mu.Lock()
	if !w.on || w.reading != nil || c.n == len(c.buf) {
		w.mu.Unlock()
		return
	}
	done := make(chan struct{})
	w.reading = done
	_ = c.netConn.SetReadDeadline(time.Time{}) // an error shows at the read
	w.mu.Unlock()
	defer close(done)
	n, err := c.netConn.Read(c.buf[c.n : c.n+1])
	c.n += n
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.gone = true
		w.cancel()
	}
}
