// Package connlimit bounds the open connections of a listener. It knows which of them
// carried an authorized request, of which identity, and nothing else of requests.
package connlimit

import (
	"container/list"
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Limiter bounds the open connections of a listener. Past a bound, of one address or the
// total, another connection makes room:
//
//   - the oldest one without an authorized request, from the address that holds most of
//     these: a client during its handshake stays while others hold several;
//   - else the one of an identity that holds more than half of the bound, if it is idle.
//
// If there is none, the new connection is closed. Authentication alone keeps no connection:
// any CI job can mint a token that authenticates.
type Limiter struct {
	bounds Bounds
	open   prometheus.Gauge

	mu         sync.Mutex
	addresses  map[netip.Prefix]*address
	identities map[string]*list.List // of *connection, authorized, oldest first
	count      int
	waiting    int // connections without a first request
	inFlight   int // requests
	next       uint64
}

// address is what is known of one peer.
type address struct {
	open         int
	unauthorized *list.List // of *connection, oldest first
}

// Bounds are the most open connections at one time.
type Bounds struct{ Total, PerAddress int }

// New reports the open connections to open.
func New(b Bounds, open prometheus.Gauge) *Limiter {
	return &Limiter{
		bounds: b, open: open,
		addresses: map[netip.Prefix]*address{}, identities: map[string]*list.List{},
	}
}

// Listen makes ln obey the bounds.
func (l *Limiter) Listen(ln net.Listener) net.Listener { return &boundListener{ln, l} }

type boundListener struct {
	net.Listener
	limiter *Limiter
}

// Accept returns the next connection that fits the bounds.
func (b *boundListener) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := b.limiter.admit(conn); c != nil {
			return c, nil
		}
		_ = conn.Close()
	}
}

// Close closes the listener. Closed before is no error: drain closes it first, Shutdown again.
func (b *boundListener) Close() error {
	if err := b.Listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// admit takes conn in; nil if it does not fit.
func (l *Limiter) admit(conn net.Conn) *connection {
	from := peer(conn.RemoteAddr())
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.addresses[from]; a != nil && a.open >= l.bounds.PerAddress &&
		!l.evict(oldest(a), l.hoarder(l.bounds.PerAddress, from)) {
		return nil
	}
	if l.count >= l.bounds.Total && !l.evict(l.mostUnauthorized(), l.hoarder(l.bounds.Total, netip.Prefix{})) {
		return nil
	}
	a := l.addresses[from]
	if a == nil {
		a = &address{unauthorized: list.New()}
		l.addresses[from] = a
	}
	c := &connection{Conn: conn, limiter: l, from: from, number: l.next}
	l.next++
	c.place, c.in = a.unauthorized.PushBack(c), a.unauthorized
	a.open++
	l.count++
	l.waiting++
	l.open.Set(float64(l.count))
	return c
}

// evict closes the first of the candidates that there is; l.mu is held.
func (l *Limiter) evict(candidates ...*connection) bool {
	for _, c := range candidates {
		if c != nil {
			l.forget(c)
			_ = c.Conn.Close()
			return true
		}
	}
	return false
}

// mostUnauthorized is the oldest unauthorized connection of the address that holds most of
// them; of addresses that hold as many, the oldest of all. Nil if there is none; l.mu is held.
func (l *Limiter) mostUnauthorized() *connection {
	var best *connection
	most := 0
	for _, a := range l.addresses {
		c := oldest(a)
		if n := a.unauthorized.Len(); n > most || (n == most && n > 0 && c.number < best.number) {
			best, most = c, n
		}
	}
	return best
}

// oldest is the oldest unauthorized connection of a; nil if there is none.
func oldest(a *address) *connection {
	if e := a.unauthorized.Front(); e != nil {
		return e.Value.(*connection)
	}
	return nil
}

// hoarder is the oldest idle connection of the identity that holds most connections, more
// than half of bound; nil if there is none. Only those of from count if it is valid; l.mu
// is held.
func (l *Limiter) hoarder(bound int, from netip.Prefix) *connection {
	var best *connection
	most := max(bound/2, 1)
	for _, all := range l.identities {
		n := 0
		var idle *connection
		for e := all.Front(); e != nil; e = e.Next() {
			c := e.Value.(*connection)
			if from.IsValid() && c.from != from {
				continue
			}
			n++
			if idle == nil && !c.busy {
				idle = c
			}
		}
		if n > most && idle != nil {
			best, most = idle, n
		}
	}
	return best
}

// forget takes c off the books, once; l.mu is held.
func (l *Limiter) forget(c *connection) {
	if c.gone {
		return
	}
	c.gone = true
	c.begin()
	c.leave()
	a := l.addresses[c.from]
	if a.open--; a.open == 0 {
		delete(l.addresses, c.from)
	}
	l.count--
	l.open.Set(float64(l.count))
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
