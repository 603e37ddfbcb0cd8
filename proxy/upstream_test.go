package proxy

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

func TestIdleConnectionsAreBounded(t *testing.T) {
	r := serveRaw(t, always(plain(textType, smallBody)))
	u := dialer(t, r.addr())
	var answers []*answer
	for range 2 * idleLinks {
		a, err := u.do(&request{method: "GET", path: "/metrics", deadline: time.Now().Add(time.Second)}, new(interrupt))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	for _, a := range answers {
		if _, err := io.Copy(io.Discard, a); err != nil {
			t.Fatal(err)
		}
		a.Close()
		a.Close()
	}
	if len(u.idle) != idleLinks {
		t.Errorf("%d idle, want %d", len(u.idle), idleLinks)
	}
	u.idle[0].since = time.Now().Add(-idleTime)
	u.expire()
	u.expire()
	if len(u.idle) != idleLinks-1 {
		t.Errorf("%d idle after one expired", len(u.idle))
	}
	u.Close()
	if len(u.idle) != 0 {
		t.Error("idle after Close")
	}
}

func TestInterrupt(t *testing.T) {
	r := serveRaw(t, always(""))
	u := dialer(t, r.addr())
	ask := &request{method: "GET", path: "/metrics", deadline: time.Now().Add(time.Minute)}
	errOther := errors.New("another cause")
	var before interrupt
	before.cut(errLeft)
	before.cut(errOther)
	if _, err := u.do(ask, &before); err != errLeft {
		t.Errorf("cut before: %v", err)
	}
	var during interrupt
	time.AfterFunc(20*time.Millisecond, func() { during.cut(errLeft) })
	if _, err := u.do(ask, &during); err != errLeft {
		t.Errorf("cut while waiting: %v", err)
	}
	var dialling interrupt
	ctx, cancel := context.WithCancel(context.Background())
	if err := dialling.dialing(cancel); err != nil {
		t.Fatal(err)
	}
	dialling.cut(errOther)
	if ctx.Err() == nil || dialling.explain(ctx.Err()) != errOther || dialling.explain(nil) != nil {
		t.Error("dialling goes on")
	}
}

// dialer returns an Upstream of the runner at addr.
func dialer(t testing.TB, addr string) *Upstream {
	t.Helper()
	address, err := ParseAddress(addr, false)
	if err != nil {
		t.Fatal(err)
	}
	u := NewUpstream(UpstreamOptions{Address: address, UserAgent: "metrics-gate/test"})
	t.Cleanup(u.Close)
	return u
}
