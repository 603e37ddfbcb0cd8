package upstream

import (
	"context"
	"net"
	"sync"
	"time"
)

// Canceler ends an exchange from another goroutine, whatever the exchange waits for. The
// zero Canceler is ready for one exchange at a time.
type Canceler struct {
	mu         sync.Mutex
	conn       net.Conn           // nil: none yet
	cancelDial context.CancelFunc // nil: not dialling
	cause      error
}

// Cancel ends the exchange with cause. Only the first cause counts.
func (c *Canceler) Cancel(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return
	}
	c.cause = cause
	if c.cancelDial != nil {
		c.cancelDial()
	}
	if c.conn != nil {
		_ = c.conn.SetDeadline(time.Unix(1, 0)) // fails only on a closed connection
	}
}

// bindDial makes Cancel call cancel. If the exchange was canceled before, it returns the
// cause.
func (c *Canceler) bindDial(cancel context.CancelFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancelDial = cancel
	return c.cause
}

// bind makes Cancel end the reads and writes of conn, and sets its deadline. If the
// exchange was canceled before, it returns the cause.
func (c *Canceler) bind(conn net.Conn, deadline time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return c.cause
	}
	c.cancelDial, c.conn = nil, conn
	return conn.SetDeadline(deadline)
}

// unbind lets go of the connection.
func (c *Canceler) unbind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.cancelDial = nil, nil
}

// Cause returns the cause given to Cancel, or err if the exchange was not canceled. It
// returns nil for nil.
func (c *Canceler) Cause(err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return c.cause
	}
	return err
}
