package connlimit

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// fakeConn is a connection from an address.
type fakeConn struct {
	net.Conn
	from   string
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", c.from)
	if err != nil {
		panic(err)
	}
	return a
}

func (c *fakeConn) Close() error { c.closed = true; return nil }

func bounds(total, each int) (*Limiter, prometheus.Gauge) {
	open := prometheus.NewGauge(prometheus.GaugeOpts{Name: "open"})
	return New(Bounds{Total: total, PerAddress: each}, open), open
}

func TestConnectionsPerAddress(t *testing.T) {
	s, open := bounds(100, 2)
	one := &fakeConn{from: "192.0.2.1:1"}
	first := s.admit(one)
	if first == nil || s.admit(&fakeConn{from: "[::ffff:192.0.2.1]:2"}) == nil {
		t.Fatal("refused below the bound")
	}
	if s.admit(&fakeConn{from: "192.0.2.1:3"}) == nil || !one.closed {
		t.Error("the third connection of an address did not take the place of its first")
	}
	if s.admit(&fakeConn{from: "192.0.2.2:1"}) == nil {
		t.Error("another address was refused")
	}
	for range 2 { // a second Close must not count twice
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := testutil.ToFloat64(open); got != 3 {
		t.Errorf("%v open, want 3", got)
	}
}

func TestConnectionsOneNetworkIsOneAddress(t *testing.T) {
	s, _ := bounds(100, 1)
	s.admit(&fakeConn{from: "[2001:db8::1]:1"}).authorize("a")
	if s.admit(&fakeConn{from: "[2001:db8::2]:1"}) != nil {
		t.Error("two addresses of one /64 are not one")
	}
	if s.admit(&fakeConn{from: "[2001:db8:0:1::1]:1"}) == nil {
		t.Error("another /64 was refused")
	}
}

// The unauthorized make room for whoever comes; the authorized stay.
func TestUnauthorizedMakeRoom(t *testing.T) {
	s, _ := bounds(2, 2)
	scraper, other := &fakeConn{from: "192.0.2.1:1"}, &fakeConn{from: "192.0.2.2:1"}
	s.admit(scraper).authorize("a")
	s.admit(other)
	next := s.admit(&fakeConn{from: "192.0.2.3:1"})
	if next == nil || !other.closed || scraper.closed {
		t.Fatalf("next %v, unauthorized closed %v, authorized closed %v", next, other.closed, scraper.closed)
	}
	next.authorize("b")
	if s.admit(&fakeConn{from: "192.0.2.4:1"}) != nil {
		t.Error("one more than the bound, though nobody could make room")
	}
}

// A connection whose identity has lost its right makes room again.
func TestRefusalTakesThePlaceBack(t *testing.T) {
	s, open := bounds(1, 1)
	holder := &fakeConn{from: "192.0.2.1:1"}
	c := s.admit(holder)
	request(t, c, "a")
	if s.admit(&fakeConn{from: "192.0.2.2:1"}) != nil || holder.closed {
		t.Fatal("an authorized connection made room")
	}
	request(t, c, "")
	if s.admit(&fakeConn{from: "192.0.2.2:1"}) == nil || !holder.closed {
		t.Error("a connection that was refused kept its place")
	}
	if got := testutil.ToFloat64(open); got != 1 {
		t.Errorf("%v open, want 1", got)
	}
}

// An identity that holds more than half of the places makes room, with its oldest idle connection.
func TestIdentityHoldsAShare(t *testing.T) {
	s, _ := bounds(4, 4)
	var conns []*fakeConn
	for i := range 4 {
		conns = append(conns, &fakeConn{from: fmt.Sprintf("192.0.2.%d:1", i+1)})
		c := s.admit(conns[i])
		request(t, c, "a")
		if i == 0 {
			c.start() // a scrape is under way
		}
	}
	for i, want := range []string{"b", "c"} {
		c := s.admit(&fakeConn{from: fmt.Sprintf("198.51.100.%d:1", i)})
		if c == nil {
			t.Fatalf("%s is shut out by one identity", want)
		}
		request(t, c, want)
	}
	if conns[0].closed || !conns[1].closed || !conns[2].closed || conns[3].closed {
		t.Errorf("closed: %v %v %v %v", conns[0].closed, conns[1].closed, conns[2].closed, conns[3].closed)
	}
	if s.admit(&fakeConn{from: "198.51.100.9:1"}) != nil {
		t.Error("an identity with its share made room")
	}
}

// In a storm from 240 addresses, a client with one connection keeps it while others hold several.
func TestStormMakesRoomForItself(t *testing.T) {
	s, _ := bounds(256, 64)
	scraper := &fakeConn{from: "192.0.2.1:1"}
	c := s.admit(scraper)
	for i := range 10000 {
		s.admit(&fakeConn{from: fmt.Sprintf("198.51.100.%d:%d", i%240, i)})
	}
	if scraper.closed {
		t.Fatal("the storm took the place of the scraper during its handshake")
	}
	request(t, c, "a")
	if s.InFlight() != 0 || s.count != 256 {
		t.Errorf("%d in flight, %d open", s.InFlight(), s.count)
	}
}

func TestCloseSilent(t *testing.T) {
	s, open := bounds(9, 9)
	silent, used, busy := &fakeConn{from: "192.0.2.1:1"}, &fakeConn{from: "192.0.2.1:2"}, &fakeConn{from: "192.0.2.2:1"}
	s.admit(silent)
	request(t, s.admit(used), "")
	s.admit(busy).start()
	s.CloseSilent()
	if !silent.closed || used.closed || busy.closed || testutil.ToFloat64(open) != 2 || s.InFlight() != 1 {
		t.Errorf("closed: silent %v, used %v, busy %v", silent.closed, used.closed, busy.closed)
	}
}

func TestListenerClosesWhatDoesNotFit(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := bounds(10, 1)
	bound := s.Listen(ln)
	defer func() { _ = bound.Close() }()
	accepted := make(chan net.Conn, 2)
	go func() {
		for {
			c, err := bound.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	for i := range 2 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if i == 0 {
			first := <-accepted
			defer func() { _ = first.Close() }()
			first.(*connection).authorize("a")
			continue
		}
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("the second connection was not closed")
		} else if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Error("the second connection hangs")
		}
	}
}

// TestConnectionsSettle: a drain waits for first requests, for connections that end without
// one no longer, and for no one without end.
func TestConnectionsSettle(t *testing.T) {
	s, _ := bounds(9, 9)
	asks, leaves := s.admit(&fakeConn{from: "192.0.2.1:1"}), s.admit(&fakeConn{from: "192.0.2.1:2"})
	settled := make(chan struct{})
	go func() {
		s.WaitForRequests(t.Context())
		close(settled)
	}()
	if err := leaves.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-settled:
		t.Fatal("a connection without its first request was not waited for")
	case <-time.After(20 * time.Millisecond):
	}
	request := httptest.NewRequest("GET", "/metrics", nil)
	request = request.WithContext(ConnContext(request.Context(), asks))
	for range 2 { // the second request of a connection counts no more
		TrackRequests(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), request)
	}
	<-settled
	if s.waiting != 0 {
		t.Errorf("%d waiting", s.waiting)
	}
	s.admit(&fakeConn{from: "192.0.2.1:3"})
	s.WaitForRequests(t.Context()) // ends by itself
}
