package proxy

import "time"

// take takes the connection that was used last.
func (u *Upstream) take() *link {
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
func (u *Upstream) keep(l *link) {
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
func (u *Upstream) arm(d time.Duration) {
	u.armed = true
	if u.expiry == nil {
		u.expiry = time.AfterFunc(d, u.expire)
	} else {
		u.expiry.Reset(d)
	}
}

// expire closes what has been idle for idleTime.
func (u *Upstream) expire() {
	for l := u.overdue(); l != nil; l = u.overdue() {
		u.drop(l)
	}
}

// overdue returns a connection whose time is up. When there is none, it sees to it that
// somebody looks again if need be.
func (u *Upstream) overdue() *link {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.idle) == 0 {
		u.armed = false
		return nil
	}
	if left := idleTime - time.Since(u.idle[0].since); left > 0 {
		u.arm(left)
		return nil
	}
	return u.idle[0]
}

// drop closes l if it is still idle.
func (u *Upstream) drop(l *link) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, other := range u.idle {
		if other == l {
			u.idle = append(u.idle[:i], u.idle[i+1:]...)
			l.close()
			return
		}
	}
}
