package upstream

import (
	"slices"
	"time"
)

// take takes the connection that was used last.
func (u *Client) take() *link {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := len(u.idle) - 1
	if n < 0 {
		return nil
	}
	l := u.idle[n]
	u.idle[n] = nil
	u.idle = u.idle[:n]
	return l
}

// keep keeps l for the next exchange, or closes it.
func (u *Client) keep(l *link) {
	l.used, l.answered = true, false
	u.mu.Lock()
	if full := len(u.idle) >= idleLinks; full || u.closed {
		u.mu.Unlock()
		l.close()
		return
	}
	defer u.mu.Unlock()
	l.since = time.Now()
	u.idle = append(u.idle, l)
	if !u.armed {
		u.arm(idleTime)
	}
}

// arm has expire called after d. One timer for all connections that stays as it is while
// they are used costs less than one for each.
func (u *Client) arm(d time.Duration) {
	u.armed = true
	if u.expiry == nil {
		u.expiry = time.AfterFunc(d, u.expire)
	} else {
		u.expiry.Reset(d)
	}
}

// expire closes what has been idle for idleTime. Those used last are last, so it looks again
// when the first of the others will be due.
func (u *Client) expire() {
	u.mu.Lock()
	defer u.mu.Unlock()
	due, left := 0, time.Duration(0)
	for ; due < len(u.idle); due++ {
		if left = idleTime - time.Since(u.idle[due].since); left > 0 {
			break
		}
		u.idle[due].close()
	}
	u.idle = slices.Delete(u.idle, 0, due)
	if u.armed = false; len(u.idle) > 0 {
		u.arm(left)
	}
}
