package scrape

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

func TestLeaderLeaves(t *testing.T) {
	r, release := held(t, proxytest.Plain(proxytest.TextType, proxytest.SmallBody))
	g := newGate(t, r.Addr())
	ctx, leave := context.WithCancel(t.Context())
	leader := g.several(ctx, 1)
	testwait.Eventually(t, "leader waits", func() bool { return g.waiting() == 1 })
	late := g.several(t.Context(), 1, "X-Prometheus-Scrape-Timeout-Seconds: 0.3")
	others := g.several(t.Context(), 3)
	testwait.Eventually(t, "others wait", func() bool { return g.waiting() == 5 })
	leave()
	if got := <-leader; got.Err == nil {
		t.Error("the leader got an answer")
	}
	if got := <-late; got.Status != http.StatusGatewayTimeout {
		t.Errorf("who has less time: %d, want 504", got.Status)
	}
	testwait.Eventually(t, "three left", func() bool { return g.waiting() == 3 })
	release()
	for range 3 {
		if got := <-others; got.Status != 200 || got.Body != proxytest.SmallWant {
			t.Errorf("answer %d %.200q", got.Status, got.Body)
		}
	}
	if requests, _ := r.Seen(); len(requests) != 1 {
		t.Errorf("%d exchanges, want 1", len(requests))
	}
}

// The goroutine of the exchange is that of the request that began it. That one must not
// wait longer for it.
func TestLeaderHasLessTime(t *testing.T) {
	r, release := held(t, proxytest.Plain(proxytest.TextType, proxytest.SmallBody))
	g := newGate(t, r.Addr())
	leader := g.several(t.Context(), 1, "X-Prometheus-Scrape-Timeout-Seconds: 0.4")
	testwait.Eventually(t, "leader waits", func() bool { return g.waiting() == 1 })
	others := g.several(t.Context(), 2)
	testwait.Eventually(t, "others wait", func() bool { return g.waiting() == 3 })
	got := <-leader
	if got.Status != http.StatusGatewayTimeout || got.Body != "Gateway Timeout\n" {
		t.Errorf("leader: %d %q, want 504", got.Status, got.Body)
	}
	if g.waiting() != 2 {
		t.Errorf("%d wait, want 2", g.waiting())
	}
	release()
	for range 2 {
		if got := <-others; got.Status != 200 || got.Body != proxytest.SmallWant {
			t.Errorf("answer %d %.200q", got.Status, got.Body)
		}
	}
	testwait.Eventually(t, "counted", func() bool {
		return g.value(t, "metrics_gate_requests_total", "route", "metrics", "code", "504") == 1 &&
			len(g.observer.Recent()) == 3
	})
	if requests, _ := r.Seen(); len(requests) != 1 {
		t.Errorf("%d exchanges, want 1", len(requests))
	}
}

// What watches over a leader may be late itself; it must not touch the request
// that has its waiter by then.
func TestWatchersAfterTheEnd(t *testing.T) {
	f := &flight{handler: &Handler{buffers: newBuffers()}, room: make(chan struct{}, 1)}
	m := &waiter{signal: make(chan struct{}, 1)}
	f.join(m)
	l := &leader{flight: f, waiter: m, done: true}
	l.onDeadline()
	l.onClientLeft()
	if f.count != 1 || l.err != nil {
		t.Error("a late watcher made a waiter leave")
	}
	l.done = false
	l.onClientLeft()
	l.onDeadline()
	if f.count != 0 || l.err != errClientLeft {
		t.Errorf("%d waiters, %v", f.count, l.err)
	}
}

// A leader that somebody may still be about to look after is not used again.
func TestWatchedLeaderIsNotUsedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fired bool // the timer
		leave func() bool
		alone bool
	}{
		"nobody looked": {false, nil, true}, "in time": {false, func() bool { return true }, true},
		"client about to be gone": {false, func() bool { return false }, false}, "about to look": {true, nil, false},
	} {
		l := &leader{waiter: &waiter{}, stopWatching: c.leave, timer: time.AfterFunc(time.Hour, func() {})}
		if c.fired {
			l.timer.Stop()
		}
		if err, alone := l.finish(); err != nil || alone != c.alone {
			t.Errorf("%s: %t, %v", name, alone, err)
		}
		if l.onClientLeft(); l.err != nil || !l.done {
			t.Errorf("%s: a late watcher is heard", name)
		}
	}
}

// A flight is kept for the next one of its waiter, empty, if no other waiter joined it.
func TestUnsharedFlightIsKept(t *testing.T) {
	h := New(Options{})
	key := flightKey{accept: "a"}
	begin := func() (*flight, *waiter) {
		wt := &waiter{leader: new(leader), signal: make(chan struct{}, 1)}
		f, err := h.join(t.Context(), key, wt)
		if err != nil {
			t.Fatal(err)
		}
		h.o.Limiter.Release(wt.identity)
		return f, wt
	}
	for name, change := range map[string]func(*flight, *waiter){
		"joined": func(f *flight, _ *waiter) {
			other := &waiter{signal: make(chan struct{}, 1)}
			f.join(other)
			f.leave(other, nil)
		},
		"streams":        func(f *flight, _ *waiter) { f.streaming = true },
		"led by another": func(_ *flight, wt *waiter) { wt.isLeader = false },
	} {
		f, wt := begin()
		change(f, wt)
		f.leave(wt, nil)
		if f.keep(wt); wt.flight != nil {
			t.Errorf("%s: kept", name)
		}
	}
	f, wt := begin()
	f.answer, f.err = new(upstream.Response), errBusy
	f.leave(wt, nil)
	if f.keep(wt); wt.flight != f || !reflect.ValueOf(f).Elem().IsZero() {
		t.Errorf("kept %p of %p, with %v", wt.flight, f, f.answer)
	}
	again, err := h.join(t.Context(), key, wt)
	if err != nil || again != f || again.key != key || again.count != 1 || wt.flight != nil {
		t.Errorf("the next flight: %p instead of %p, %+v", again, f, again)
	}
}

// The leader of a streamed flight may leave while others still join: the race detector finds no fault.
func TestJoinWhileTheLeaderLeaves(t *testing.T) {
	for range 100 {
		f := &flight{handler: &Handler{buffers: newBuffers()}, streaming: true}
		wt := &waiter{isLeader: true, leader: new(leader)}
		f.join(wt)
		f.join(new(waiter))
		var joins sync.WaitGroup
		joins.Go(func() { f.join(new(waiter)) })
		f.leave(wt, nil)
		f.keep(wt)
		joins.Wait()
	}
}
