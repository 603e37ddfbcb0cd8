package connlimit

import (
	"context"
	"time"
)

// firstRequestTime is enough for a handshake and a header that are under way. A connection
// that has sent nothing by then is no scrape but kept in reserve.
const firstRequestTime = time.Second

// WaitForRequests waits until every connection has sent its first request, for
// firstRequestTime at most. http.Server.Shutdown closes those that have not: a scrape during
// its TLS handshake would be lost by a restart.
func (l *Limiter) WaitForRequests(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstRequestTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for l.without() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// without counts the connections without a request.
func (l *Limiter) without() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting
}

// CloseSilent closes the connections on which no request has begun.
func (l *Limiter) CloseSilent() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.addresses {
		for e := a.unauthorized.Front(); e != nil; {
			c := e.Value.(*connection)
			e = e.Next()
			if !c.begun {
				l.evict(c)
			}
		}
	}
}

// InFlight counts the requests that are under way.
func (l *Limiter) InFlight() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight
}
