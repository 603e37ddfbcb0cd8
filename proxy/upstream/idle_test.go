package upstream

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

// TestStaleConnectionsAreAllPassedOver: the runner was restarted.
func TestStaleConnectionsAreAllPassedOver(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	u := dialer(t, r.Addr())
	var answers []*Response
	ask := func() *Response {
		a, err := u.Do(&Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Second)}, new(Canceler))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(a); string(body) != proxytest.SmallBody {
			t.Fatalf("%q, %v", body, err)
		}
		return a
	}
	for range idleLinks {
		answers = append(answers, ask())
	}
	for _, a := range answers {
		a.Close()
	}
	r.CloseConns()
	time.Sleep(10 * time.Millisecond) // for the loopback
	ask().Close()
	if requests, conns := r.Seen(); len(requests) != idleLinks+1 || conns != idleLinks+1 || len(u.idle) != 1 {
		t.Errorf("%d requests on %d connections, %d kept", len(requests), conns, len(u.idle))
	}
}

// TestIdleConnectionsExpire looks without waiting for idleTime.
func TestIdleConnectionsExpire(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	u := dialer(t, r.Addr())
	var answers []*Response
	for range 3 {
		a, err := u.Do(&Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Second)}, new(Canceler))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, a)
		answers = append(answers, a)
	}
	for _, a := range answers {
		a.Close()
	}
	u.expire()
	if len(u.idle) != 3 || !u.armed {
		t.Errorf("%d idle, armed %t before the time", len(u.idle), u.armed)
	}
	old, young := u.idle[1], u.idle[2]
	u.idle[0].since, old.since = old.since.Add(-2*idleTime), old.since.Add(-idleTime)
	u.expire()
	if len(u.idle) != 1 || u.idle[0] != young || !u.armed {
		t.Errorf("%d idle, armed %t after two expired", len(u.idle), u.armed)
	}
	if _, err := old.conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("expired connection: %v", err)
	}
	young.since = young.since.Add(-idleTime)
	u.expire()
	if len(u.idle) != 0 || u.armed {
		t.Errorf("%d idle, armed %t after all expired", len(u.idle), u.armed)
	}
	if tell(t, u, "GET"); len(u.idle) != 1 || !u.armed {
		t.Errorf("%d idle, armed %t after another", len(u.idle), u.armed)
	}
}
