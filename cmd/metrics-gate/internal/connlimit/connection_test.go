package connlimit

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// request runs a request on c, which is authorized for identity unless that is empty. It
// reports whether it was the first of the identity.
func request(t *testing.T, c *connection, identity string) (first bool) {
	t.Helper()
	var h http.Handler = http.NotFoundHandler()
	if identity != "" {
		h = MarkAuthorized(func(*http.Request) string { return identity }, func(*http.Request) { first = true })(h)
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	TrackRequests(h).ServeHTTP(httptest.NewRecorder(), r.WithContext(ConnContext(r.Context(), c)))
	return first
}

// The first request of an identity on a connection is told from its others.
func TestFirstRequestOfIdentity(t *testing.T) {
	s, _ := bounds(2, 2)
	c, other := s.admit(&fakeConn{from: "192.0.2.1:1"}), s.admit(&fakeConn{from: "192.0.2.1:2"})
	for i, step := range []struct {
		conn     *connection
		identity string
		first    bool
	}{
		{c, "", false}, {c, "a", true}, {c, "a", false}, {other, "a", true}, {c, "b", true}, {c, "a", true},
		{c, "", false}, {c, "a", true}, {c, "a", false}, {other, "a", false},
	} {
		if first := request(t, step.conn, step.identity); first != step.first {
			t.Errorf("request %d, of %q: first %v", i, step.identity, first)
		}
	}
}

// A connection that is renewed makes room after those that came later.
func TestRenewedConnectionsMakeRoomLast(t *testing.T) {
	s, _ := bounds(100, 2)
	one, two := &fakeConn{from: "192.0.2.1:1"}, &fakeConn{from: "192.0.2.1:2"}
	first := s.admit(one)
	second := s.admit(two)
	Renew(rawLayer{first})
	if s.admit(&fakeConn{from: "192.0.2.1:3"}); one.closed || !two.closed {
		t.Errorf("closed: renewed %v, other %v", one.closed, two.closed)
	}
	Renew(second) // it is gone
	Renew(one)    // and this is none of a Limiter
	if s.count != 2 {
		t.Errorf("%d open", s.count)
	}
}

// rawLayer is a connection above another.
type rawLayer struct{ net.Conn }

func (l rawLayer) NetConn() net.Conn { return l.Conn }
