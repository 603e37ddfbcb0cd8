package upstream

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

// After a restart of the runner the connections to the old one are not used.
func TestStaleConnectionsAreAllPassedOver(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	u := newClient(t, r.Addr())
	var answers []*Response
	ask := func() *Response {
		a, err := u.Do(&Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Second)}, new(Exchange))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(a); string(body) != proxytest.SmallBody {
			t.Fatalf("%q, %v", body, err)
		}
		return a
	}
	for range maxIdle {
		answers = append(answers, ask())
	}
	for _, a := range answers {
		a.Close()
	}
	r.CloseConns()
	for _, c := range u.idle { // the loopback may take its time
		if _, err := c.in.Peek(1); err != io.EOF {
			t.Fatal(err)
		}
	}
	ask().Close()
	if requests, conns := r.Seen(); len(requests) != maxIdle+1 || conns != maxIdle+1 || len(u.idle) != 1 {
		t.Errorf("%d requests on %d connections, %d kept", len(requests), conns, len(u.idle))
	}
}

// Connections that were not used since the last call are closed, the others kept.
func TestReleaseIdleKeepsWhatIsUsed(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	u := newClient(t, r.Addr())
	var answers []*Response
	for range 3 {
		a, err := u.Do(&Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Second)}, new(Exchange))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, a)
		answers = append(answers, a)
	}
	for _, a := range answers {
		a.Close()
	}
	old, young := u.idle[0], u.idle[2]
	u.ReleaseIdle()
	if len(u.idle) != 3 {
		t.Errorf("%d idle of 3 that were used", len(u.idle))
	}
	exchange(t, u, "GET")
	u.ReleaseIdle()
	if len(u.idle) != 1 || u.idle[0] != young {
		t.Errorf("%d idle, want the one that was used", len(u.idle))
	}
	if _, err := old.conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("released connection: %v", err)
	}
	u.ReleaseIdle()
	if len(u.idle) != 0 {
		t.Errorf("%d idle although none was used", len(u.idle))
	}
	if exchange(t, u, "GET"); len(u.idle) != 1 {
		t.Errorf("%d idle after another exchange", len(u.idle))
	}
}
