package upstream

import (
	"slices"
	"time"
)

// takeIdle takes the connection that was used last, or returns nil.
func (c *Client) takeIdle() *runnerConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.idle) - 1
	if n < 0 {
		return nil
	}
	conn := c.idle[n]
	c.idle[n] = nil
	c.idle = c.idle[:n]
	return conn
}

// keepIdle keeps conn for the next exchange, or closes it.
func (c *Client) keepIdle(conn *runnerConn) {
	conn.used, conn.answered = true, false
	c.mu.Lock()
	if full := len(c.idle) >= maxIdle; full || c.closed {
		c.mu.Unlock()
		conn.close()
		return
	}
	defer c.mu.Unlock()
	conn.idleSince = time.Now()
	c.idle = append(c.idle, conn)
	if !c.expiryPending {
		c.scheduleExpiry(maxIdleTime)
	}
}

// scheduleExpiry has expire called after d. All connections share one timer, which use
// does not touch.
func (c *Client) scheduleExpiry(d time.Duration) {
	c.expiryPending = true
	if c.expiry == nil {
		c.expiry = time.AfterFunc(d, c.expire)
	} else {
		c.expiry.Reset(d)
	}
}

// expire closes the connections that have been idle for maxIdleTime. They are in the order
// of their last use, so the first that is not due says when to look again.
func (c *Client) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	due, left := 0, time.Duration(0)
	for ; due < len(c.idle); due++ {
		if left = maxIdleTime - time.Since(c.idle[due].idleSince); left > 0 {
			break
		}
		c.idle[due].close()
	}
	c.idle = slices.Delete(c.idle, 0, due)
	if c.expiryPending = false; len(c.idle) > 0 {
		c.scheduleExpiry(left)
	}
}
