package upstream

import (
	"context"
	"net"
	"sync"
	"time"
)

// interrupt lets another goroutine end an exchange, whatever it waits for.
type Canceler struct {
	mu     sync.Mutex
	conn   net.Conn
	cancel context.CancelFunc // of dialling
	cause  error
}

// cut ends the exchange with cause. Only the first cause counts.
func (i *Canceler) Cancel(cause error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cause != nil {
		return
	}
	i.cause = cause
	if i.cancel != nil {
		i.cancel()
	}
	if i.conn != nil {
		_ = i.conn.SetDeadline(time.Unix(1, 0)) // fails only when closed already
	}
}

// dialing makes cut call cancel. The error is the cause, if it was cut before.
func (i *Canceler) dialing(cancel context.CancelFunc) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cancel = cancel
	return i.cause
}

// hold makes cut stop conn, which gets the deadline. The error is the cause, if
// it was cut before.
func (i *Canceler) hold(conn net.Conn, deadline time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cause != nil {
		return i.cause
	}
	i.cancel, i.conn = nil, conn
	return conn.SetDeadline(deadline)
}

// release ends the hold on the connection.
func (i *Canceler) release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.conn, i.cancel = nil, nil
}

// explain returns the cause of the cut, if there was one, in place of err.
func (i *Canceler) Cause(err error) error {
	if err == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cause != nil {
		return i.cause
	}
	return err
}
