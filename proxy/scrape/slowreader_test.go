package scrape

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

func TestSlowReaderIsCutOffForOthers(t *testing.T) {
	body, want := proxytest.LargeBody(200_000) // 15 MB: more than sockets buffer
	token := make(chan struct{})
	r := proxytest.ServeRaw(t, chunked(body, 2, token))
	g := newGate(t, r.Addr(), func(o *Options) { o.Timeout = 20 * time.Second })
	_, slow := slowClient(t, g)
	_, gzip := slowClient(t, g, "Accept-Encoding: gzip") // slow too, but small
	testwait.Eventually(t, "slow ones wait", func() bool { n, _ := r.Seen(); return len(n) == 1 })
	fast := g.several(t.Context(), 2)
	_ = gzip
	testwait.Eventually(t, "all wait", func() bool { return g.waiting() == 4 })
	close(token)
	for range 2 {
		if got := <-fast; got.Err != nil || got.Body != want {
			t.Errorf("fast reader: %d, %d bytes of %d, %v", got.Status, len(got.Body), len(want), got.Err)
		}
	}
	res, err := http.ReadResponse(slow, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("slow reader got all %d bytes", n)
	}
	res.Body.Close()
}

func TestReaderThatTakesNothingIsCutOff(t *testing.T) {
	body, _ := proxytest.LargeBody(200_000)
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, body)))
	g := newGate(t, r.Addr(), func(o *Options) { o.Timeout = time.Minute })
	slowClient(t, g)
	testwait.Eventually(t, "asked", func() bool { n, _ := r.Seen(); return len(n) == 1 })
	testwait.Eventually(t, "the answer is cut", func() bool { // after proxy.WriteStallTimeout
		return g.value(t, "metrics_gate_requests_total", "route", "metrics", "code", "aborted") == 1
	})
	testwait.Eventually(t, "exchange over", func() bool {
		return g.value(t, "metrics_gate_upstream_errors_total", "reason", "canceled") == 1
	})
}

// A trickling reader, which moves on a little before it would be cut, pays for all the
// time that others wait.
func TestSlowReaderBudgetIsUsedUp(t *testing.T) {
	h := &Handler{buffers: newBuffers()}
	f := &flight{handler: h, room: make(chan struct{}, 1)}
	join := func(next int) *waiter {
		wt := &waiter{next: next, signal: make(chan struct{}, 1), writer: *http.NewResponseController(nopWriter{})}
		wt.timer = time.NewTimer(time.Hour)
		f.join(wt)
		return wt
	}
	slow, quick := join(0), join(1)
	v := &f.variants[encodingIdentity]
	v.phase, v.chunks = phaseStreaming, []*chunk{{refs: 1}}
	for i := range 4 {
		f.mu.Lock()
		slow.delayed = time.Duration(i) * slowReaderBudget / 3
		time.AfterFunc(10*time.Millisecond, f.signalRoom)
		f.awaitRoom(v)
		f.mu.Unlock()
	}
	if !slow.disconnected || quick.disconnected || len(v.waiters) != 1 || f.count != 1 {
		t.Errorf("slow cut %v, quick cut %v", slow.disconnected, quick.disconnected)
	}
	if _, err := f.tryNextChunk(slow); err != errSlowReader {
		t.Errorf("slow gets %v", err)
	}
	f.leave(slow, upstream.ErrCanceled)
	if f.canceled {
		t.Error("the flight ended with a waiter that was cut off before")
	}
	f.leave(quick, upstream.ErrCanceled)
	if !f.canceled || f.join(quick) {
		t.Error("the flight goes on without waiters")
	}
}

func TestNobodyIsDisconnectedWhileAllAreSlow(t *testing.T) {
	f := &flight{handler: &Handler{buffers: newBuffers()}, room: make(chan struct{}, 1)}
	wt := &waiter{signal: make(chan struct{}, 1)}
	f.join(wt)
	v := &f.variants[encodingIdentity]
	v.phase, v.chunks = phaseStreaming, []*chunk{{refs: 1}}
	f.signalRoom()
	f.mu.Lock()
	f.awaitRoom(v)
	f.mu.Unlock()
	if wt.disconnected || wt.delayed != 0 {
		t.Error("alone, and made to pay")
	}
}
