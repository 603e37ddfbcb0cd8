package upstream

import (
	"context"
	"net"
	"sync"
	"time"
)

// Exchange ends an exchange from another goroutine, whatever the exchange waits for. The
// zero Exchange is ready for one exchange at a time.
type Exchange struct {
	mu         sync.Mutex
	conn       net.Conn           // nil: none yet
	cancelDial context.CancelFunc // nil: not dialling
	cause      error
}

// Cancel ends the exchange with cause. Only the first cause counts.
func (x *Exchange) Cancel(cause error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cause != nil {
		return
	}
	x.cause = cause
	if x.cancelDial != nil {
		x.cancelDial()
	}
	if x.conn != nil {
		_ = x.conn.SetDeadline(time.Unix(1, 0)) // fails only on a closed connection
	}
}

// bindDial makes Cancel call cancel. If the exchange was canceled before, it returns the
// cause.
func (x *Exchange) bindDial(cancel context.CancelFunc) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cancelDial = cancel
	return x.cause
}

// bind makes Cancel end the reads and writes of conn, and sets its deadline. If the
// exchange was canceled before, it returns the cause.
func (x *Exchange) bind(conn net.Conn, deadline time.Time) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cause != nil {
		return x.cause
	}
	x.cancelDial, x.conn = nil, conn
	return conn.SetDeadline(deadline)
}

// unbind lets go of the connection.
func (x *Exchange) unbind() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.conn, x.cancelDial = nil, nil
}

// Cause returns the cause given to Cancel, or err if the exchange was not canceled. It
// returns nil for nil.
func (x *Exchange) Cause(err error) error {
	if err == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cause != nil {
		return x.cause
	}
	return err
}
