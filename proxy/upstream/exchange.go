package upstream

import (
	"context"
	"net"
	"sync"
	"time"
)

// Exchange is the state of one call of Do and its Response. The caller owns it, and may use it again
// when the Response is closed, unless Cancel was called. The zero Exchange is ready for use.
type Exchange struct {
	response Response // what Do returns

	mu         sync.Mutex
	conn       net.Conn           // nil: none yet
	cancelDial context.CancelFunc // nil: not dialling
	cause      error
}

// Cancel ends the exchange with cause, from any goroutine, whatever the exchange waits for. Only the
// first cause counts.
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
