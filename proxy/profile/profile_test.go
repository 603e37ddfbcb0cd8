package profile

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// profileGate is a server of Profile before a runner.
type profileGate struct {
	*httptest.Server
	registry *prometheus.Registry
	log      *proxytest.Buffer
}

// newProfileGate starts a gate that serves profiles of the runner at addr.
func newProfileGate(t *testing.T, addr string, change ...func(*Options)) *profileGate {
	t.Helper()
	g := &profileGate{registry: prometheus.NewRegistry(), log: new(proxytest.Buffer)}
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
	r, err := http.NewRequestWithContext(ctx, method, g.URL+"/debug/pprof/"+path, strings.NewReader(strings.Join(body, "")))
	if err != nil {
		return proxytest.Response{Err: err}
	}
	return proxytest.Do(g.Client(), r)
}

func TestProfileQuery(t *testing.T) {
	raw := proxytest.Plain("application/octet-stream", "profile")
	r := proxytest.ServeRaw(t, proxytest.Always(raw))
	g := newProfileGate(t, r.Addr(), func(o *Options) { o.MaxSeconds = 20; o.Cmdline = true })
	for ask, want := range map[string]string{ // "" means 400
		"":                                   "/debug/pprof/",
		"?debug=1":                           "/debug/pprof/",
		"heap":                               "/debug/pprof/heap",
		"heap?":                              "/debug/pprof/heap",
		"heap?debug=1":                       "/debug/pprof/heap?debug=1",
		"heap?gc=1&debug=0&x=y&%73econds=99": "/debug/pprof/heap?debug=0&gc=1",
		"heap?seconds=5":                     "/debug/pprof/heap?seconds=5",
		"allocs?seconds=86400":               "/debug/pprof/allocs?seconds=20",
		"heap?seconds=5&debug=1":             "",
		"goroutine?debug=2":                  "/debug/pprof/goroutine?debug=2",
		"goroutine?debug=3":                  "",
		"goroutine?debug=":                   "",
		"heap?gc=2":                          "",
		"heap?debug=1&debug=2":               "",
		"heap?debug=1;seconds=5":             "",
		"profile":                            "/debug/pprof/profile?seconds=20",
		"profile?seconds=3":                  "/debug/pprof/profile?seconds=3",
		"profile?seconds=2.1":                "/debug/pprof/profile?seconds=3",
		"profile?seconds=00.5":               "/debug/pprof/profile?seconds=1",
		"profile?seconds=20.0001":            "/debug/pprof/profile?seconds=20",
		"profile?seconds=99999999999999999999999": "/debug/pprof/profile?seconds=20",
		"profile?debug=1&gc=1":                    "/debug/pprof/profile?seconds=20",
		"profile?seconds=0":                       "",
		"profile?seconds=0.0":                     "",
		"profile?seconds=-1":                      "",
		"profile?seconds=x":                       "",
		"profile?seconds=":                        "",
		"profile?seconds":                         "",
		"profile?seconds=.":                       "",
		"profile?seconds=1e9":                     "",
		"profile?seconds=Inf":                     "",
		"profile?seconds=NaN":                     "",
		"profile?seconds=0x10":                    "",
		"profile?seconds=%31":                     "",
		"profile?seconds=1_0":                     "",
		"profile?seconds=1&seconds=86400":         "",
		"trace":                                   "/debug/pprof/trace?seconds=20",
		"trace?seconds=0.01":                      "/debug/pprof/trace?seconds=1",
		"symbol":                                  "/debug/pprof/symbol",
		"symbol?0x84b60f":                         "/debug/pprof/symbol?0x84b60f",
		"symbol?0X84B60F+0x01":                    "/debug/pprof/symbol?0x84b60f+0x1",
		"symbol?84b60f":                           "/debug/pprof/symbol?0x84b60f",
		"symbol?0x":                               "",
		"symbol?0x1+":                             "",
		"symbol?0x1%2b0x2":                        "",
		"symbol?0x1&seconds=5":                    "",
		"symbol?0x11111111111111111":              "",
		"symbol?0x1_1":                            "",
		"symbol?0x-1":                             "",
		"cmdline?seconds=5":                       "/debug/pprof/cmdline",
		"threadcreate":                            "/debug/pprof/threadcreate",
		"block":                                   "/debug/pprof/block",
		"mutex?debug=1":                           "/debug/pprof/mutex?debug=1",
	} {
		before, _ := r.Seen()
		got := g.get(t.Context(), ask)
		after, _ := r.Seen()
		if want == "" {
			if got.Status != http.StatusBadRequest || len(after) != len(before) {
				t.Errorf("%s: %d, %d requests to the runner; want 400, none", ask, got.Status, len(after)-len(before))
			}
			continue
		}
		wire := "GET " + want + " HTTP/1.1\r\nHost: " + r.Addr() + "\r\nUser-Agent: metrics-gate/test\r\nAccept-Encoding: identity\r\n\r\n"
		if got.Status != 200 || got.Body != "profile" || len(after) != len(before)+1 || after[len(after)-1] != wire {
			t.Errorf("%s: %d, runner got %q, want %q", ask, got.Status, after[len(before):], wire)
		}
	}
}

func TestSymbolPost(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain("text/plain; charset=utf-8", "num_symbols: 1\n")))
	g := newProfileGate(t, r.Addr())
	for body, want := range map[string]string{
		"":                             "\r\nContent-Length: 0\r\n\r\n",
		"0x1+0xFF":                     "\r\nContent-Length: 8\r\n\r\n0x1+0xff",
		"seconds=30":                   "refused",
		"0x1\n":                        "refused",
		"0x1+0x2&x":                    "refused",
		strings.Repeat("0x1+", 17_000): "too long",
	} {
		before, _ := r.Seen()
		got := g.get(t.Context(), "symbol?seconds=86400", body)
		after, _ := r.Seen()
		switch {
		case want == "refused":
			if got.Status != 400 || len(after) != len(before) {
				t.Errorf("%.20q: %d", body, got.Status)
			}
		case want == "too long":
			if got.Status != 413 && got.Err == nil {
				t.Errorf("%.20q: %d", body, got.Status)
			}
		case got.Status != 200 || len(after) != len(before)+1 || !strings.HasSuffix(after[len(after)-1], want) ||
			!strings.HasPrefix(after[len(after)-1], "POST /debug/pprof/symbol HTTP/1.1\r\n"):
			t.Errorf("%.20q: %d, runner got %q", body, got.Status, after[len(before):])
		}
	}
}

func TestProfileRefusesOtherPaths(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain("text/plain; charset=utf-8", "secret")))
	g := newProfileGate(t, r.Addr())
	for _, path := range []string{"cmdline", "nothing", "heap/", "Heap", "../x"} {
		if got := g.get(t.Context(), path); got.Status != 404 && got.Status != 400 {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
	if requests, _ := r.Seen(); len(requests) > 0 {
		t.Errorf("runner got %q", requests)
	}
	if want := append(Names(false), "cmdline"); !slices.Equal(Names(true), want) || slices.Contains(Names(false), "cmdline") {
		t.Errorf("profiles %q", Names(true))
	}
}

func TestProfileMethodsAreOurs(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n"))
	p := New(Options{Upstream: profileUpstream(t, r.Addr())})
	for method, want := range map[string]string{"HEAD": "GET ", "DELETE": "GET ", "POST": "GET ", "GET /x": "GET "} {
		ask := httptest.NewRequest("GET", "/debug/pprof/heap", nil)
		ask.Method = method
		p.ServeHTTP(httptest.NewRecorder(), ask)
		requests, _ := r.Seen()
		if last := requests[len(requests)-1]; !strings.HasPrefix(last, want+"/debug/pprof/heap HTTP/1.1") {
			t.Errorf("%s: runner got %q", method, last)
		}
	}
}

func TestProfileHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		kind, disposition, want string
		status                  int
	}{
		"binary":         {"application/octet-stream", `attachment; filename="heap-delta"`, `attachment; filename="heap-delta"`, 200},
		"text":           {"text/plain; charset=utf-8", "", "", 200},
		"index":          {"text/html; charset=utf-8", "", "", 200},
		"odd file name":  {"application/octet-stream", `attachment; filename="../x"`, "", 200},
		"inline":         {"application/octet-stream", `inline`, "", 200},
		"script":         {"text/javascript", "", "", 502},
		"html, no utf-8": {"text/html", "", "", 502},
	} {
		r := proxytest.ServeRaw(t, proxytest.Always("HTTP/1.1 200 OK\r\nX-Secret: 1\r\nSet-Cookie: a=b\r\nContent-Disposition: "+c.disposition+
			"\r\nContent-Type: "+c.kind+"\r\nContent-Length: 2\r\n\r\nhi"))
		g := newProfileGate(t, r.Addr())
		got := g.get(t.Context(), "heap")
		if got.Status != c.status || got.Header.Get("Content-Disposition") != c.want ||
			got.Header.Get("X-Secret") != "" || got.Header.Get("Set-Cookie") != "" ||
			got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, got.Status, got.Header)
		}
		if c.status == 200 && (got.Body != "hi" || got.Header.Get("Content-Type") != c.kind) {
			t.Errorf("%s: %q %v", name, got.Body, got.Header)
		}
	}
}

func TestProfileFaults(t *testing.T) {
	r := proxytest.ServeRaw(t, func(c net.Conn, request string, _ int) bool {
		switch {
		case strings.Contains(request, "heap"):
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 9\r\n\r\nhalf")
		case strings.Contains(request, "block"):
			_, _ = io.WriteString(c, "HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nsecret")
		case strings.Contains(request, "mutex"):
			time.Sleep(time.Second)
		}
		return false
	})
	g := newProfileGate(t, r.Addr(), func(o *Options) { o.Timeout = 200 * time.Millisecond })
	if got := g.get(t.Context(), "heap"); got.Err == nil {
		t.Errorf("truncated: looks complete, %d %q", got.Status, got.Body)
	}
	if got := g.get(t.Context(), "block"); got.Status != 502 || got.Body != "Bad Gateway\n" {
		t.Errorf("status 500: %d %q", got.Status, got.Body)
	}
	if got := g.get(t.Context(), "mutex"); got.Status != 504 {
		t.Errorf("hangs: %d", got.Status)
	}
	for _, reason := range []string{"truncated", "status", "timeout"} {
		if proxytest.Metric(t, g.registry, "metrics_gate_upstream_errors_total", "reason", reason) != 1 {
			t.Errorf("%s is not counted", reason)
		}
	}
}

// livePprof is a runner with the real handlers of net/http/pprof.
func livePprof(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestLiveProfiles(t *testing.T) {
	g := newProfileGate(t, livePprof(t))
	for path, magic := range map[string]string{
		"": "<html>", "heap": "\x1f\x8b", "heap?debug=1": "heap profile:", "goroutine?debug=2": "goroutine ", "symbol": "num_symbols: 1",
		"profile?seconds=1": "\x1f\x8b", "trace?seconds=1": "go 1.", "heap?seconds=1": "\x1f\x8b",
	} {
		got := g.get(t.Context(), path)
		if got.Status != 200 || got.Err != nil || !strings.HasPrefix(got.Body, magic) {
			t.Errorf("%s: %d %.20q %v", path, got.Status, got.Body, got.Err)
		}
	}
	// Each lasts longer than the server's WriteTimeout, and is not cut by it.
	if n := strings.Count(g.log.String(), `"msg":"profile used"`); n != 8 || !strings.Contains(g.log.String(), `"subject":"alice"`) {
		t.Errorf("%d lines of use; log: %s", n, g.log)
	}
}

func TestOneProfileAtATime(t *testing.T) {
	g := newProfileGate(t, livePprof(t))
	running := make(chan proxytest.Response, 1)
	go func() { running <- g.get(t.Context(), "profile?seconds=2") }()
	proxytest.Eventually(t, "profile runs", func() bool { return strings.Contains(g.log.String(), "profile used") })
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
	g := newProfileGate(t, livePprof(t), func(o *Options) { o.MaxSeconds = 60 })
	ctx, leave := context.WithCancel(t.Context())
	running := make(chan proxytest.Response, 1)
	go func() { running <- g.get(ctx, "profile?seconds=60") }()
	proxytest.Eventually(t, "profile runs", func() bool { return strings.Contains(g.log.String(), "profile used") })
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	leave()
	<-running
	proxytest.Eventually(t, "the place is free", func() bool { return g.get(t.Context(), "profile?seconds=1").Status == 200 })
	if d := time.Since(start) - time.Second; d > time.Second {
		t.Errorf("took %v", d)
	}
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
