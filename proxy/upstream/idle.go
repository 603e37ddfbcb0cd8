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
	c.unused = min(c.unused, n)
	return conn
}

// keepIdle keeps conn for the next exchange, or closes it.
func (c *Client) keepIdle(conn *runnerConn) {
	conn.used, conn.answered = true, false
	_ = conn.conn.SetDeadline(time.Time{}) // its timer would wake the process; an error shows at the next use
	c.mu.Lock()
	if full := len(c.idle) >= maxIdle; full || c.closed {
		c.mu.Unlock()
		conn.close()
		return
	}
	defer c.mu.Unlock()
	c.idle = append(c.idle, conn)
}

// ReleaseIdle closes the connections that were not used since the last call. Each holds a
// read buffer of 512 KiB.
func (c *Client) ReleaseIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.idle[:c.unused] {
		conn.close()
	}
	c.idle = slices.Delete(c.idle, 0, c.unused)
	c.unused = len(c.idle)
}
