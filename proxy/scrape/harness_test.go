package scrape

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gate is a server of Metrics before the runner at addr.
type gate struct {
	*httptest.Server
	metrics  *Handler
	upstream *upstream.Client
	observer *proxy.Observer
	registry *prometheus.Registry
	log      *testwait.Buffer
}

// newGate starts a gate; change may alter its options.
func newGate(t testing.TB, addr string, change ...func(*Options)) *gate {
	t.Helper()
	labels, err := exposition.Compile(exposition.Label{Name: "runner_name", Value: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{registry: prometheus.NewRegistry(), log: new(testwait.Buffer)}
	g.observer = proxy.NewObserver(g.registry)
	g.upstream = newClient(t, addr)
	o := Options{
		Upstream: g.upstream, Labels: func() *exposition.Labels { return labels }, Timeout: 5 * time.Second,
		Limiter: proxy.NewExchangeLimiter(
			16,
		), Log: slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observer: g.observer, Compression: true,
		Key: func(r *http.Request) string { return r.Header.Get("Test-Identity") },
		Who: func(r *http.Request) string { return r.Header.Get("Test-Identity") },
	}
	for _, f := range change {
		f(&o)
	}
	g.metrics = New(o)
	filters := g.observer.Middleware(proxy.Target(proxy.Methods("GET", "HEAD")(g.metrics)))
	g.Server = httptest.NewUnstartedServer(proxy.SecurityHeaders(filters))
	g.Server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	g.Server.Start()
	t.Cleanup(g.Server.Close)
	return g
}

func newClient(t testing.TB, addr string) *upstream.Client {
	t.Helper()
	address, err := upstream.ParseAddress(addr, false)
	if err != nil {
		t.Fatal(err)
	}
	u := upstream.New(upstream.Options{Address: address, UserAgent: "metrics-gate/test"})
	t.Cleanup(u.Close)
	return u
}

// fetch asks the gate, with header lines "Name: value". Nothing is decoded.
func (g *gate) fetch(ctx context.Context, lines ...string) proxytest.Response {
	method := http.MethodGet
	if len(lines) > 0 && !strings.Contains(lines[0], ":") {
		method, lines = lines[0], lines[1:]
	}
	r, err := http.NewRequestWithContext(ctx, method, g.URL+"/metrics", nil)
	if err != nil {
		return proxytest.Response{Err: err}
	}
	r.Header.Set("Accept-Encoding", "identity")
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return proxytest.Do(g.Client(), r)
}

// value reads a metric, with labels as name and value in turn.
func (g *gate) value(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	return proxytest.Metric(t, g.registry, name, labels...)
}
