package profile

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// livePprof is a runner with the real handlers of net/http/pprof. It calls each of began when
// a CPU profile begins.
func livePprof(t *testing.T, began ...func()) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) {
		for _, f := range began {
			f()
		}
		pprof.Profile(w, r)
	})
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestLiveProfiles(t *testing.T) {
	g := newProfileGate(t, livePprof(t))
	for path, magic := range map[string]string{
		"": "<html>", "heap": "\x1f\x8b", "heap?debug=1": "heap profile:", "goroutine?debug=2": "goroutine ",
		"symbol":            "num_symbols: 1",
		"profile?seconds=1": "\x1f\x8b", "trace?seconds=1": "go 1.", "heap?seconds=1": "\x1f\x8b",
	} {
		got := g.get(t.Context(), path)
		if got.Status != 200 || got.Err != nil || !strings.HasPrefix(got.Body, magic) {
			t.Errorf("%s: %d %.20q %v", path, got.Status, got.Body, got.Err)
		}
	}
	// Each lasts longer than the server's WriteTimeout, and is not cut by it.
	if n := strings.Count(g.log.String(), `"msg":"profile used"`); n != 8 ||
		!strings.Contains(g.log.String(), `"subject":"alice"`) {
		t.Errorf("%d lines of use; log: %s", n, g.log)
	}
}

func TestOneProfileAtATime(t *testing.T) {
	g := newProfileGate(t, livePprof(t))
	running := make(chan proxytest.Response, 1)
	go func() { running <- g.get(t.Context(), "profile?seconds=2") }()
	testwait.Eventually(t, "profile runs", func() bool { return strings.Contains(g.log.String(), "profile used") })
	for _, path := range []string{"profile?seconds=1", "trace?seconds=1"} {
		got := g.get(t.Context(), path)
		if after := got.Header.Get("Retry-After"); got.Status != 503 || after != "2" && after != "1" {
			t.Errorf("%s beside another: %d, Retry-After %q", path, got.Status, after)
		}
	}
	if got := g.get(t.Context(), "heap"); got.Status != 200 {
		t.Errorf("heap beside a profile: %d", got.Status)
	}
	if got := <-running; got.Status != 200 || got.Err != nil {
		t.Errorf("the profile: %d %v", got.Status, got.Err)
	}
	if got := g.get(t.Context(), "trace?seconds=1"); got.Status != 200 {
		t.Errorf("afterwards: %d", got.Status)
	}
}

func TestProfileEndsWhenTheClientLeaves(t *testing.T) {
	began := make(chan struct{})
	addr := livePprof(t, sync.OnceFunc(func() { close(began) }))
	g := newProfileGate(t, addr, func(o *Options) { o.MaxSeconds = 600 })
	ctx, leave := context.WithCancel(t.Context())
	running := make(chan proxytest.Response, 1)
	go func() { running <- g.get(ctx, "profile?seconds=600") }()
	<-began
	leave()
	<-running
	testwait.Eventually(t, "another profile can run", func() bool {
		return g.get(t.Context(), "profile?seconds=1").Status == 200
	})
	if proxytest.Metric(t, g.registry, "metrics_gate_requests_total", "route", "pprof", "code", "aborted") != 1 {
		t.Error("not counted as aborted")
	}
}

func TestProfilesWaitForASlot(t *testing.T) {
	slots := proxy.NewExchangeLimiter(1)
	g := newProfileGate(t, livePprof(t), func(o *Options) { o.Limiter = slots; o.Timeout = 200 * time.Millisecond })
	if err := slots.Acquire(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if got := g.get(t.Context(), "heap"); got.Status != 503 || got.Header.Get("Retry-After") != "1" {
		t.Errorf("no slot: %d", got.Status)
	}
	slots.Release("x")
	if got := g.get(t.Context(), "heap"); got.Status != 200 {
		t.Errorf("slot: %d", got.Status)
	}
}
