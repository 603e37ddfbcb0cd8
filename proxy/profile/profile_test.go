package profile

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

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
		wire := "GET " + want + " HTTP/1.1\r\nHost: " + r.Addr() + "" +
			"\r\nUser-Agent: metrics-gate/test\r\nAccept-Encoding: identity\r\n\r\n"
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
	if want := append(Names(false), "cmdline"); !slices.Equal(Names(true), want) ||
		slices.Contains(Names(false), "cmdline") {
		t.Errorf("profiles %q", Names(true))
	}
}

func TestProfileMethodsAreOurs(t *testing.T) {
	r := proxytest.ServeRaw(
		t,
		proxytest.Always("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n"),
	)
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
		"binary": {
			"application/octet-stream", `attachment; filename="heap-delta"`, `attachment; filename="heap-delta"`, 200,
		},
		"text":           {"text/plain; charset=utf-8", "", "", 200},
		"index":          {"text/html; charset=utf-8", "", "", 200},
		"odd file name":  {"application/octet-stream", `attachment; filename="../x"`, "", 200},
		"inline":         {"application/octet-stream", `inline`, "", 200},
		"script":         {"text/javascript", "", "", 502},
		"html, no utf-8": {"text/html", "", "", 502},
	} {
		r := proxytest.ServeRaw(
			t,
			proxytest.Always("HTTP/1.1 200 OK\r\nX-Secret: 1\r\nSet-Cookie: a=b\r\nContent-Disposition: "+c.disposition+
				"\r\nContent-Type: "+c.kind+"\r\nContent-Length: 2\r\n\r\nhi"),
		)
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
			_, _ = io.WriteString(
				c,
				"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 9\r\n\r\nhalf",
			)
		case strings.Contains(request, "block"):
			_, _ = io.WriteString(c, "HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nsecret")
		case strings.Contains(request, "mutex"):
			_, _ = c.Read(make([]byte, 1)) // until the gate closes
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
