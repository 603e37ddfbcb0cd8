package upstream

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

func TestIdleConnectionsAreBounded(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	u := newClient(t, r.Addr())
	var answers []*Response
	for range 2 * maxIdle {
		a, err := u.Do(&Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Second)}, new(Exchange))
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
	if len(u.idle) != maxIdle {
		t.Errorf("%d idle, want %d", len(u.idle), maxIdle)
	}
	u.Close()
	if len(u.idle) != 0 {
		t.Error("idle after Close")
	}
}

func TestCancel(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(""))
	u := newClient(t, r.Addr())
	ask := &Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Minute)}
	errOther := errors.New("another cause")
	var before Exchange
	before.Cancel(ErrCanceled)
	before.Cancel(errOther)
	if _, err := u.Do(ask, &before); err != ErrCanceled {
		t.Errorf("cut before: %v", err)
	}
	var during Exchange
	time.AfterFunc(20*time.Millisecond, func() { during.Cancel(ErrCanceled) })
	if _, err := u.Do(ask, &during); err != ErrCanceled {
		t.Errorf("cut while waiting: %v", err)
	}
	var dialling Exchange
	ctx, cancel := context.WithCancel(context.Background())
	if err := dialling.bindDial(cancel); err != nil {
		t.Fatal(err)
	}
	dialling.Cancel(errOther)
	if ctx.Err() == nil || dialling.Cause(ctx.Err()) != errOther || dialling.Cause(nil) != nil {
		t.Error("dialling goes on")
	}
}

// dialer returns an Upstream of the runner at addr.
func newClient(t testing.TB, addr string) *Client {
	t.Helper()
	address, err := ParseAddress(addr, false)
	if err != nil {
		t.Fatal(err)
	}
	u := New(Options{Address: address, UserAgent: "metrics-gate/test"})
	t.Cleanup(u.Close)
	return u
}
