package scrape

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

func TestRequestIsMadeFromNothing(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	g := newGate(t, r.Addr())
	got := g.fetch(
		t.Context(),
		"Authorization: Bearer secret",
		"Cookie: a=b",
		"X-Forwarded-For: 1.2.3.4",
		"Connection: keep-alive, X-Evil",
		"X-Evil: 1",
		"User-Agent: evil",
		"Accept: text/plain;version=0.0.4;q=0.3, application/json",
		"X-Prometheus-Scrape-Timeout-Seconds: 3",
	)
	if got.Status != 200 || got.Body != proxytest.SmallWant {
		t.Fatalf("answer %d %.200q", got.Status, got.Body)
	}
	requests, _ := r.Seen()
	want := "GET /metrics HTTP/1.1\r\nHost: " + r.Addr() + "\r\nUser-Agent: metrics-gate/test\r\n" +
		"Accept: text/plain;version=0.0.4;q=0.3\r\nAccept-Encoding: identity\r\n\r\n"
	if len(requests) != 1 || requests[0] != want {
		t.Errorf("runner got %q\nwant %q", requests, want)
	}
}

func TestNothingOfTheRunnerPassesButType(t *testing.T) {
	r := proxytest.ServeRaw(
		t,
		proxytest.Always(
			"HTTP/1.1 200 OK\r\nContent-Type: "+proxytest.TextType+""+
				"\r\nSet-Cookie: a=b\r\nServer: evil\r\nX-Secret: 1\r\n"+
				"Content-Disposition: attachment\r\nTransfer-Encoding: chunked\r\n\r\n"+
				"2\r\nd \r\n2\r\n2\n\r\n0\r\nX-Trailer: 1\r\n\r\n",
		),
	)
	g := newGate(t, r.Addr())
	got := g.fetch(t.Context())
	if got.Status != 200 || got.Body != "d{runner_name=\"r1\"} 2\n" {
		t.Fatalf("answer %d %.200q %v", got.Status, got.Body, got.Err)
	}
	want := map[string]string{
		"Content-Type": proxytest.TextType, "Content-Length": "22", "X-Content-Type-Options": "nosniff",
		"Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding",
	}
	got.Header.Del("Date")
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), value)
		}
		got.Header.Del(name)
	}
	if len(got.Header) > 0 {
		t.Errorf("also passed: %v", got.Header)
	}
}

func TestRunnerFaults(t *testing.T) {
	head := func(lines ...string) string { return "HTTP/1.1 200 OK\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" }
	kind := "Content-Type: " + proxytest.TextType
	for name, c := range map[string]struct {
		answer string
		reason string
	}{
		"nothing at all":     {"", "reset"},
		"half a status line": {"HTTP/1.1 2", "reset"},
		"no http":            {"SSH-2.0-OpenSSH_9.9\r\n\r\n", "protocol"},
		"http/2 preface":     {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "protocol"},
		"404 right at start": {"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n", "status"},
		"500 with secrets":   {"HTTP/1.1 500 Oops\r\nX-Secret: 1\r\nContent-Length: 6\r\n\r\nsecret", "status"},
		"redirect": {
			"HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n", "status",
		},
		"204": {"HTTP/1.1 204 No Content\r\n\r\n", "status"},
		"206": {
			"HTTP/1.1 206 Partial Content\r\n" + kind + "\r\nContent-Length: 4\r\n\r\na 1\n", "status",
		},
		"101": {
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "status",
		},
		"gzip unasked":      {head(kind, "Content-Encoding: gzip", "Content-Length: 3") + "abc", "encoding"},
		"no content type":   {head("Content-Length: 4") + "a 1\n", "format"},
		"html":              {proxytest.Plain("text/html; charset=utf-8", "<html>"), "format"},
		"two content types": {head(kind, kind, "Content-Length: 4") + "a 1\n", "format"},
		"control in type":   {head("Content-Type: text/plain\x01", "Content-Length: 4") + "a 1\n", "protocol"},
		"two lengths":       {head(kind, "Content-Length: 4", "Content-Length: 5") + "a 1\n", "protocol"},
		"length and chunked": {
			head(kind, "Content-Length: 4", "Transfer-Encoding: chunked") + "4\r\na 1\n\r\n0\r\n\r\n", "protocol",
		},
		"length not a number": {head(kind, "Content-Length: +4") + "a 1\n", "protocol"},
		"unknown coding": {
			head(kind, "Transfer-Encoding: gzip, chunked") + "4\r\na 1\n\r\n0\r\n\r\n", "protocol",
		},
		"bare line feeds":    {"HTTP/1.1 200 OK\n" + kind + "\nContent-Length: 4\n\na 1\n\r\n\r\n", "protocol"},
		"folded header":      {head(kind+";\r\n charset=utf-8", "Content-Length: 4") + "a 1\n", "protocol"},
		"space before colon": {head(kind, "Content-Length : 4") + "a 1\n", "protocol"},
		"nul in head":        {head(kind, "X: a\x00b", "Content-Length: 4") + "a 1\n", "protocol"},
		"no end to the head": {
			"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 200), "protocol",
		},
		"endless header line": {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20), "protocol"},
		"no length":           {head(kind) + proxytest.SmallBody, "protocol"},
		"empty":               {proxytest.Plain(proxytest.TextType, ""), "empty"},
		"empty chunked":       {head(kind, "Transfer-Encoding: chunked") + "0\r\n\r\n", "empty"},
		"dies in the body":    {head(kind, "Content-Length: 100") + proxytest.SmallBody, "truncated"},
		"dies in a chunk": {
			head(kind, "Transfer-Encoding: chunked") + "40\r\n" + proxytest.SmallBody, "truncated",
		},
		"dies between chunks":  {head(kind, "Transfer-Encoding: chunked") + "4\r\na 1\n\r\n", "truncated"},
		"chunk size no number": {head(kind, "Transfer-Encoding: chunked") + "4\r\na 1\n\r\nzz\r\n", "protocol"},
		"last line incomplete": {proxytest.Plain(proxytest.TextType, "a 1\nb"), "truncated"},
		"not an exposition":    {proxytest.Plain(proxytest.TextType, "<html>\n"), "syntax"},
		"line without end": {
			proxytest.Plain(proxytest.TextType, "a{b=\""+strings.Repeat("x", 150<<10)+"\"} 1\n"), "too_long",
		},
		"body larger than told": {
			proxytest.Plain(proxytest.TextType, strings.Repeat("# "+strings.Repeat("x", 1000)+"\na 1\n", 320)),
			"too_large",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := proxytest.ServeRaw(t, func(conn net.Conn, _ string, n int) bool {
				if n == 1 {
					_, _ = io.WriteString(conn, c.answer)
					return strings.Contains(name, "lengths") // some leave the connection open
				}
				return proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody))(conn, "", n)
			})
			g := newGate(
				t,
				r.Addr(),
				func(o *Options) { o.Limits = exposition.Limits{LineBytes: 100 << 10, Bytes: 256 << 10} },
			)
			got := g.fetch(t.Context())
			if got.Status != http.StatusBadGateway || got.Body != "Bad Gateway\n" {
				t.Fatalf("answer %d %.100q, want 502", got.Status, got.Body)
			}
			for _, name := range []string{"X-Secret", "Location", "Link", "Upgrade", "Content-Encoding"} {
				if got.Header.Get(name) != "" {
					t.Errorf("%s passed", name)
				}
			}
			if g.value(t, "metrics_gate_upstream_errors_total", "reason", c.reason) != 1 {
				t.Errorf("reason is not %s; log: %s", c.reason, g.log)
			}
			if up := g.observer.Upstream(); up.Up || up.Since.IsZero() || up.Err == nil ||
				g.value(t, "metrics_gate_upstream_up") != 0 {
				t.Error("counts as up")
			}
			if strings.Contains(g.log.String(), "secret") {
				t.Error("the body is in the log")
			}
			if got := g.fetch(t.Context()); got.Status != 200 || got.Body != proxytest.SmallWant {
				t.Errorf("next answer %d %.200q", got.Status, got.Body)
			}
			if _, conns := r.Seen(); conns != 2 {
				t.Errorf("%d connections, want a new one after a fault", conns)
			}
			if !g.observer.Upstream().Up || g.value(t, "metrics_gate_upstream_up") != 1 {
				t.Error("does not count as up again")
			}
			g.fetch(t.Context())
			if n := strings.Count(g.log.String(), `"level":"INFO","msg":"the runner is back","down":"`); n != 1 {
				t.Errorf("%d lines that it is back; log: %s", n, g.log)
			}
		})
	}
}

func TestRunnerDownAndRefusing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	g := newGate(t, addr)
	if got := g.fetch(t.Context()); got.Status != http.StatusBadGateway {
		t.Errorf("answer %d, want 502", got.Status)
	}
	if g.value(t, "metrics_gate_upstream_errors_total", "reason", "refused") != 1 {
		t.Errorf("reason is not refused; log: %s", g.log)
	}
	if g.upstream.Reachable(t.Context()) {
		t.Error("reachable")
	}
}

func TestRunnerHangs(t *testing.T) {
	for name, begin := range map[string]string{
		"before the head": "",
		"in the head":     "HTTP/1.1 200 OK\r\nContent-",
		"in the body": "HTTP/1.1 200 OK\r\nContent-Type: " + proxytest.TextType +
			"\r\nContent-Length: 100\r\n\r\na 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := proxytest.ServeRaw(t, proxytest.Always(begin))
			g := newGate(t, r.Addr(), func(o *Options) { o.Timeout = 10 * time.Second })
			got := g.fetch(t.Context(), "X-Prometheus-Scrape-Timeout-Seconds: 0.4")
			if got.Status != http.StatusGatewayTimeout {
				t.Errorf("answer %d, want 504", got.Status)
			}
			testwait.Eventually(t, "exchange over", func() bool {
				return g.value(t, "metrics_gate_upstream_errors_total", "reason", "timeout") == 1
			})
			g2 := newGate(t, r.Addr(), func(o *Options) { o.Timeout = 300 * time.Millisecond })
			if got := g2.fetch(t.Context()); got.Status != http.StatusGatewayTimeout {
				t.Errorf("after UPSTREAM_TIMEOUT: %d, want 504", got.Status)
			}
		})
	}
}
