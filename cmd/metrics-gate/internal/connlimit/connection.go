package connlimit

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/metrics-gate/metrics-gate/proxy/fastpath"
	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// connection is an accepted connection. The limiter's mutex guards its fields.
type connection struct {
	net.Conn
	limiter *Limiter
	from    netip.Prefix
	number  uint64 // in the order of acceptance

	in    *list.List // unauthorized of the address, or those of the identity
	place *list.Element
	owner string // identity of the last request if it was authorized

	begun   bool // a request has come
	busy    bool // a request is under way
	granted bool // and it was authorized
	gone    bool
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.limiter.mu.Lock()
	c.limiter.forget(c)
	c.limiter.mu.Unlock()
	return c.Conn.Close()
}

// begin notes that the first request has come, or never will; limiter.mu is held.
func (c *connection) begin() {
	if !c.begun {
		c.begun = true
		c.limiter.waiting--
	}
}

// leave takes c out of the list that it is in; limiter.mu is held.
func (c *connection) leave() {
	c.in.Remove(c.place)
	if all := c.limiter.identities[c.owner]; all == c.in && all.Len() == 0 {
		delete(c.limiter.identities, c.owner)
	}
}

// enter puts c into a list as its youngest; limiter.mu is held.
func (c *connection) enter(to *list.List) { c.in, c.place = to, to.PushBack(c) }

// authorize keeps c as one of identity's, and reports whether it was none before.
func (c *connection) authorize(identity string) (changed bool) {
	l := c.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	c.granted = true
	if c.owner == identity && c.in == l.identities[identity] {
		return false
	}
	if c.gone {
		return true
	}
	c.leave()
	all := l.identities[identity]
	if all == nil {
		all = list.New()
		l.identities[identity] = all
	}
	c.owner = identity
	c.enter(all)
	return true
}

// start notes a request.
func (c *connection) start() {
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	c.begin()
	c.busy, c.granted = true, false
	c.limiter.inFlight++
}

// end notes the end of a request. One that was not authorized puts c back among those that
// make room: what the connection was allowed before may have been revoked.
func (c *connection) end() {
	l := c.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	c.busy = false
	l.inFlight--
	if unauthorized := l.addresses[c.from]; !c.granted && !c.gone && c.in != unauthorized.unauthorized {
		c.leave()
		c.owner = ""
		c.enter(unauthorized.unauthorized)
	}
}

type connectionKey struct{}

// below is the connection that is conn or below it; nil if there is none.
func below(conn net.Conn) *connection {
	for conn != nil {
		if c, ok := conn.(*connection); ok {
			return c
		}
		layer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = layer.NetConn()
	}
	return nil
}

// ConnContext is http.Server.ConnContext: it remembers the connections under TLS.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	ctx = fastpath.ConnContext(rawconn.ConnContext(ctx, conn), conn)
	if c := below(conn); c != nil {
		return context.WithValue(ctx, connectionKey{}, c)
	}
	return ctx
}

// Renew makes conn, or the Limiter's connection below it, the last of the unauthorized ones of its
// address to make room for another, as if it were accepted now.
func Renew(conn net.Conn) {
	c := below(conn)
	if c == nil {
		return
	}
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	if unauthorized := c.limiter.addresses[c.from]; !c.gone && c.in == unauthorized.unauthorized {
		c.leave()
		c.enter(c.in)
	}
}

// of is the connection of r; nil if it is not a Limiter's.
func of(r *http.Request) *connection {
	c, _ := r.Context().Value(connectionKey{}).(*connection)
	return c
}

// TrackRequests tells the connection of a request when it begins and ends. It must be
// outside of MarkAuthorized.
func TrackRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := of(r); c != nil {
			c.start()
			defer c.end()
		}
		next.ServeHTTP(w, r)
	})
}

// MarkAuthorized is the stage behind authorization: it keeps the connection for the identity
// that key names. first gets the first request of an identity on a connection, and each one
// whose connection is not a Limiter's; nil: nobody.
func MarkAuthorized(key func(*http.Request) string, first func(*http.Request)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := of(r)
			if changed := c == nil || c.authorize(key(r)); changed && first != nil {
				first(r)
			}
			fastpath.MarkAuthorized(r.Context())
			next.ServeHTTP(w, r)
		})
	}
}
