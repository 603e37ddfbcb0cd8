package proxy

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
)

// profileGate is a server of Profile before a runner.
type profileGate struct {
	*httptest.Server
	registry *prometheus.Registry
	log      *lockedBuffer
}

// newProfileGate starts a gate that serves profiles of the runner at addr.
func newProfileGate(t *testing.T, addr string, change ...func(*ProfileOptions)) *profileGate {
	t.Helper()
	g := &profileGate{registry: prometheus.NewRegistry(), log: new(lockedBuffer)}
	observer := NewObserver(g.registry)
	o := ProfileOptions{
		Upstream: profileUpstream(t, addr), MaxSeconds: 2, Timeout: 2 * time.Second, Observer: observer,
		Log: slog.New(slog.NewJSONHandler(g.log, nil)), Who: func(*http.Request) string { return "alice" },
	}
	for _, f := range change {
		f(&o)
	}
	g.Server = httptest.NewUnstartedServer(observer.Middleware(Target(Methods("GET", "POST")(NewProfile(o)))))
	g.Server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	g.Server.Config.WriteTimeout = 500 * time.Millisecond
	g.Server.Start()
	t.Cleanup(g.Server.Close)
	return g
}

// get asks for a path below /debug/pprof/. A body makes it a POST.
func (g *profileGate) get(ctx context.Context, path string, body ...string) response {
	method := http.MethodGet
	if len(body) > 0 {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, g.URL+"/debug/pprof/"+path, strings.NewReader(strings.Join(body, "")))
	if err != nil {
		return response{err: err}
	}
	return do(g.Client(), r)
}

func TestProfileQuery(t *testing.T) {
	raw := plain("application/octet-stream", "profile")
	r := serveRaw(t, always(raw))
	g := newProfileGate(t, r.addr(), func(o *ProfileOptions) { o.MaxSeconds = 20; o.Cmdline = true })
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
		before, _ := r.seen()
		got := g.get(t.Context(), ask)
		after, _ := r.seen()
		if want == "" {
			if got.status != http.StatusBadRequest || len(after) != len(before) {
				t.Errorf("%s: %d, %d requests to the runner; want 400, none", ask, got.status, len(after)-len(before))
			}
			continue
		}
		wire := "GET " + want + " HTTP/1.1\r\nHost: " + r.addr() + "\r\nUser-Agent: metrics-gate/test\r\nAccept-Encoding: identity\r\n\r\n"
		if got.status != 200 || got.body != "profile" || len(after) != len(before)+1 || after[len(after)-1] != wire {
			t.Errorf("%s: %d, runner got %q, want %q", ask, got.status, after[len(before):], wire)
		}
	}
}

func TestSymbolPost(t *testing.T) {
	r := serveRaw(t, always(plain("text/plain; charset=utf-8", "num_symbols: 1\n")))
	g := newProfileGate(t, r.addr())
	for body, want := range map[string]string{
		"":                             "\r\nContent-Length: 0\r\n\r\n",
		"0x1+0xFF":                     "\r\nContent-Length: 8\r\n\r\n0x1+0xff",
		"seconds=30":                   "refused",
		"0x1\n":                        "refused",
		"0x1+0x2&x":                    "refused",
		strings.Repeat("0x1+", 17_000): "too long",
	} {
		before, _ := r.seen()
		got := g.get(t.Context(), "symbol?seconds=86400", body)
		after, _ := r.seen()
		switch {
		case want == "refused":
			if got.status != 400 || len(after) != len(before) {
				t.Errorf("%.20q: %d", body, got.status)
			}
		case want == "too long":
			if got.status != 413 && got.err == nil {
				t.Errorf("%.20q: %d", body, got.status)
			}
		case got.status != 200 || len(after) != len(before)+1 || !strings.HasSuffix(after[len(after)-1], want) ||
			!strings.HasPrefix(after[len(after)-1], "POST /debug/pprof/symbol HTTP/1.1\r\n"):
			t.Errorf("%.20q: %d, runner got %q", body, got.status, after[len(before):])
		}
	}
}

func TestProfileRefusesOtherPaths(t *testing.T) {
	r := serveRaw(t, always(plain("text/plain; charset=utf-8", "secret")))
	g := newProfileGate(t, r.addr())
	for _, path := range []string{"cmdline", "nothing", "heap/", "Heap", "../x"} {
		if got := g.get(t.Context(), path); got.status != 404 && got.status != 400 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if requests, _ := r.seen(); len(requests) > 0 {
		t.Errorf("runner got %q", requests)
	}
	if want := append(Profiles(false), "cmdline"); !slices.Equal(Profiles(true), want) || slices.Contains(Profiles(false), "cmdline") {
		t.Errorf("profiles %q", Profiles(true))
	}
}

func TestProfileMethodsAreOurs(t *testing.T) {
	r := serveRaw(t, always("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n"))
	p := NewProfile(ProfileOptions{Upstream: newTestUpstream(t, r.addr())})
	for method, want := range map[string]string{"HEAD": "GET ", "DELETE": "GET ", "POST": "GET ", "GET /x": "GET "} {
		ask := httptest.NewRequest("GET", "/debug/pprof/heap", nil)
		ask.Method = method
		p.ServeHTTP(httptest.NewRecorder(), ask)
		requests, _ := r.seen()
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
		r := serveRaw(t, always("HTTP/1.1 200 OK\r\nX-Secret: 1\r\nSet-Cookie: a=b\r\nContent-Disposition: "+c.disposition+
			"\r\nContent-Type: "+c.kind+"\r\nContent-Length: 2\r\n\r\nhi"))
		g := newProfileGate(t, r.addr())
		got := g.get(t.Context(), "heap")
		if got.status != c.status || got.header.Get("Content-Disposition") != c.want ||
			got.header.Get("X-Secret") != "" || got.header.Get("Set-Cookie") != "" ||
			got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
		if c.status == 200 && (got.body != "hi" || got.header.Get("Content-Type") != c.kind) {
			t.Errorf("%s: %q %v", name, got.body, got.header)
		}
	}
}

func TestProfileFaults(t *testing.T) {
	r := serveRaw(t, func(c net.Conn, request string, _ int) bool {
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
	g := newProfileGate(t, r.addr(), func(o *ProfileOptions) { o.Timeout = 200 * time.Millisecond })
	if got := g.get(t.Context(), "heap"); got.err == nil {
		t.Errorf("truncated: looks complete, %d %q", got.status, got.body)
	}
	if got := g.get(t.Context(), "block"); got.status != 502 || got.body != "Bad Gateway\n" {
		t.Errorf("status 500: %d %q", got.status, got.body)
	}
	if got := g.get(t.Context(), "mutex"); got.status != 504 {
		t.Errorf("hangs: %d", got.status)
	}
	for _, reason := range []string{"truncated", "status", "timeout"} {
		if metric(t, g.registry, "metrics_gate_upstream_errors_total", "reason", reason) != 1 {
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
		if got.status != 200 || got.err != nil || !strings.HasPrefix(got.body, magic) {
			t.Errorf("%s: %d %.20q %v", path, got.status, got.body, got.err)
		}
	}
	// Each lasts longer than the server's WriteTimeout, and is not cut by it.
	if n := strings.Count(g.log.String(), `"msg":"profile used"`); n != 8 || !strings.Contains(g.log.String(), `"subject":"alice"`) {
		t.Errorf("%d lines of use; log: %s", n, g.log)
	}
}

func TestOneProfileAtATime(t *testing.T) {
	g := newProfileGate(t, livePprof(t))
	running := make(chan response, 1)
	go func() { running <- g.get(t.Context(), "profile?seconds=2") }()
	eventually(t, "profile runs", func() bool { return strings.Contains(g.log.String(), "profile used") })
	for _, path := range []string{"profile?seconds=1", "trace?seconds=1"} {
		got := g.get(t.Context(), path)
		if after := got.header.Get("Retry-After"); got.status != 503 || after != "2" && after != "1" {
			t.Errorf("%s beside another: %d, Retry-After %q", path, got.status, after)
		}
	}
	if got := g.get(t.Context(), "heap"); got.status != 200 {
		t.Errorf("heap beside a profile: %d", got.status)
	}
	if got := <-running; got.status != 200 || got.err != nil {
		t.Errorf("the profile: %d %v", got.status, got.err)
	}
	if got := g.get(t.Context(), "trace?seconds=1"); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

func TestProfileEndsWhenTheClientLeaves(t *testing.T) {
	g := newProfileGate(t, livePprof(t), func(o *ProfileOptions) { o.MaxSeconds = 60 })
	ctx, leave := context.WithCancel(t.Context())
	running := make(chan response, 1)
	go func() { running <- g.get(ctx, "profile?seconds=60") }()
	eventually(t, "profile runs", func() bool { return strings.Contains(g.log.String(), "profile used") })
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	leave()
	<-running
	eventually(t, "the place is free", func() bool { return g.get(t.Context(), "profile?seconds=1").status == 200 })
	if d := time.Since(start) - time.Second; d > time.Second {
		t.Errorf("took %v", d)
	}
	if metric(t, g.registry, "metrics_gate_requests_total", "route", "pprof", "code", "aborted") != 1 {
		t.Error("not counted as aborted")
	}
}

func TestProfilesWaitForASlot(t *testing.T) {
	slots := NewSlots(1)
	g := newProfileGate(t, livePprof(t), func(o *ProfileOptions) { o.Slots = slots; o.Timeout = 200 * time.Millisecond })
	if err := slots.Acquire(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if got := g.get(t.Context(), "heap"); got.status != 503 || got.header.Get("Retry-After") != "1" {
		t.Errorf("no slot: %d", got.status)
	}
	slots.Release("x")
	if got := g.get(t.Context(), "heap"); got.status != 200 {
		t.Errorf("slot: %d", got.status)
	}
}

func profileUpstream(t testing.TB, addr string) *Upstream {
	t.Helper()
	address, err := ParseAddress(addr, false)
	if err != nil {
		t.Fatal(err)
	}
	u := NewUpstream(UpstreamOptions{Address: address, UserAgent: "metrics-gate/test"})
	t.Cleanup(u.Close)
	return u
}
