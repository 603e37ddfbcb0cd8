package profile

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// profileGate is a server of Profile before a runner.
type profileGate struct {
	*httptest.Server
	registry *prometheus.Registry
	log      *testwait.Buffer
}

// newProfileGate starts a gate that serves profiles of the runner at addr.
func newProfileGate(t *testing.T, addr string, change ...func(*Options)) *profileGate {
	t.Helper()
	g := &profileGate{registry: prometheus.NewRegistry(), log: new(testwait.Buffer)}
	observer := proxy.NewObserver(g.registry)
	o := Options{
		Upstream: profileUpstream(t, addr), MaxSeconds: 2, Timeout: 2 * time.Second, Observer: observer,
		Log: slog.New(slog.NewJSONHandler(g.log, nil)), Who: func(*http.Request) string { return "alice" },
	}
	for _, f := range change {
		f(&o)
	}
	filters := observer.Middleware(proxy.Target(proxy.Methods("GET", "POST")(New(o))))
	g.Server = httptest.NewUnstartedServer(proxy.SecurityHeaders(filters))
	g.Server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	g.Server.Config.WriteTimeout = 500 * time.Millisecond
	g.Server.Start()
	t.Cleanup(g.Server.Close)
	return g
}

// get asks for a path below /debug/pprof/. A body makes it a POST.
func (g *profileGate) get(ctx context.Context, path string, body ...string) proxytest.Response {
	method := http.MethodGet
	if len(body) > 0 {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(
		ctx,
		method,
		g.URL+"/debug/pprof/"+path,
		strings.NewReader(strings.Join(body, "")),
	)
	if err != nil {
		return proxytest.Response{Err: err}
	}
	return proxytest.Do(g.Client(), r)
}

func profileUpstream(t testing.TB, addr string) *upstream.Client {
	t.Helper()
	address, err := upstream.ParseAddress(addr, false)
	if err != nil {
		t.Fatal(err)
	}
	u := upstream.New(upstream.Options{Address: address, UserAgent: "metrics-gate/test"})
	t.Cleanup(u.Close)
	return u
}
