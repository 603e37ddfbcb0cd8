// Package connlimit bounds the open connections of a listener. It knows which of them
// carried an authorized request, and nothing of who sent it.
package connlimit

import (
	"container/list"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/proxy/fastpath"
	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// Limiter bounds the open connections of a listener. Past a bound, of one address or
// the total, the oldest connection that has proven no right makes room; if all have,
// the new one is closed. So nobody is shut out by strangers, even of his own address. An
// identity alone is no right: any CI job can mint a token that proves one.
type Limiter struct {
	total, perAddress int
	open              prometheus.Gauge

	mu        sync.Mutex
	addresses map[netip.Prefix]int
	strangers *list.List // of *connection, oldest first: those that have proven nothing yet
	count     int
	waiting   int // connections whose first request has not come yet
}

// Bounds are the most open connections at one time.
type Bounds struct{ Total, PerAddress int }

// New reports the open connections to open.
func New(b Bounds, open prometheus.Gauge) *Limiter {
	return &Limiter{
		total: b.Total, perAddress: b.PerAddress, open: open,
		addresses: map[netip.Prefix]int{}, strangers: list.New(),
	}
}

// Listen makes ln obey the bounds.
func (s *Limiter) Listen(ln net.Listener) net.Listener { return &boundListener{ln, s} }

type boundListener struct {
	net.Listener
	connections *Limiter
}

// Accept returns the next connection that fits the bounds.
func (l *boundListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.connections.admit(conn); c != nil {
			return c, nil
		}
		_ = conn.Close()
	}
}

// Close closes the listener; closed before is no error, for drain closes it first and Shutdown again.
func (l *boundListener) Close() error {
	if err := l.Listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (s *Limiter) admit(conn net.Conn) *connection {
	address := peer(conn.RemoteAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.addresses[address] >= s.perAddress && !s.makeRoom(func(c *connection) bool { return c.address == address }) {
		return nil
	}
	if s.count >= s.total && !s.makeRoom(func(*connection) bool { return true }) {
		return nil
	}
	c := &connection{Conn: conn, set: s, address: address}
	c.place = s.strangers.PushBack(c)
	s.addresses[address]++
	s.count++
	s.waiting++
	s.open.Set(float64(s.count))
	return c
}

// makeRoom closes the oldest connection that has proven nothing and fits, if there is one;
// s.mu is held.
func (s *Limiter) makeRoom(fits func(*connection) bool) bool {
	for e := s.strangers.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*connection); fits(c) {
			s.forget(c)
			_ = c.Conn.Close()
			return true
		}
	}
	return false
}

// forget takes c off the books, once; s.mu is held.
func (s *Limiter) forget(c *connection) {
	if c.gone {
		return
	}
	c.gone = true
	s.begin(c)
	if c.place != nil {
		s.strangers.Remove(c.place)
		c.place = nil
	}
	if s.addresses[c.address]--; s.addresses[c.address] == 0 {
		delete(s.addresses, c.address)
	}
	s.count--
	s.open.Set(float64(s.count))
}

// begin notes that c's first request has come, or never will; s.mu is held.
func (s *Limiter) begin(c *connection) {
	if !c.begun {
		c.begun = true
		s.waiting--
	}
}

// settleTime is enough for a handshake and a header that are under way; who has sent
// nothing by then is no scrape but a connection kept in reserve.
const settleTime = time.Second

// WaitForRequests waits until every connection has sent its first request, for settleTime at most.
// http.Server.Shutdown hangs up on those that have not: a scrape amid its TLS handshake
// would be lost by a restart.
func (s *Limiter) WaitForRequests(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		s.mu.Lock()
		waiting := s.waiting
		s.mu.Unlock()
		if waiting == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// peer is what counts as one address: an IPv4 address or an IPv6 /64.
func peer(a net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	addr := ap.Addr().Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}

// connection is an accepted connection on the books.
type connection struct {
	net.Conn
	set     *Limiter
	address netip.Prefix
	place   *list.Element // in strangers, until a right is proven
	gone    bool
	begun   bool // a request has come
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.set.mu.Lock()
	c.set.forget(c)
	c.set.mu.Unlock()
	return c.Conn.Close()
}

// proven takes c out of those that make room for others.
func (c *connection) proven() {
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	if c.place != nil {
		c.set.strangers.Remove(c.place)
		c.place = nil
	}
}

type connectionKey struct{}

// ConnContext is http.Server.ConnContext: it remembers the connections under TLS.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	ctx = fastpath.ConnContext(rawconn.ConnContext(ctx, conn), conn)
	for conn != nil {
		if c, ok := conn.(*connection); ok {
			return context.WithValue(ctx, connectionKey{}, c)
		}
		below, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = below.NetConn()
	}
	return ctx
}

// MarkRequest marks the connection of a request: from here on Shutdown waits for it.
func MarkRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.set.mu.Lock()
			c.set.begin(c)
			c.set.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

// MarkAuthorized marks the connection of an authorized request.
func MarkAuthorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.proven()
		}
		fastpath.MarkAuthorized(r.Context())
		next.ServeHTTP(w, r)
	})
}
