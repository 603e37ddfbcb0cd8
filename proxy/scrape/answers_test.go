package scrape

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

// TestAnswersInFiles sends each answer of testdata/answers, and leaves the connection open:
// what is no answer is refused at once, not when the time is up.
func TestAnswersInFiles(t *testing.T) {
	want := map[string]struct {
		status int
		reason string
	}{
		"close-delimited-10": {http.StatusBadGateway, "protocol"},
		"close-delimited-11": {http.StatusBadGateway, "protocol"},
		"empty":              {http.StatusBadGateway, "empty"},
		"head-lf":            {http.StatusBadGateway, "protocol"},
		"http-2-status-line": {http.StatusBadGateway, "protocol"},
		"interim-100-twice":  {http.StatusOK, ""},
		"no-final-newline":   {http.StatusBadGateway, "truncated"},
		"ssh-banner":         {http.StatusBadGateway, "protocol"},
	}
	files, err := filepath.Glob("testdata/answers/*.http")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, want %d, %v", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".http")
		t.Run(name, func(t *testing.T) {
			answer, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := proxytest.ServeRaw(t, proxytest.Always(string(answer)))
			g := newGate(t, r.Addr(), func(o *Options) { o.Timeout = time.Minute })
			got := g.fetch(t.Context())
			if got.Status != want[name].status {
				t.Errorf("status %d, want %d; log: %s", got.Status, want[name].status, g.log)
			}
			if reason := want[name].reason; reason != "" &&
				g.value(t, "metrics_gate_upstream_errors_total", "reason", reason) != 1 {
				t.Errorf("reason is not %s; log: %s", reason, g.log)
			}
		})
	}
}

func TestInterimAnswersAreSkipped(t *testing.T) {
	for name, c := range map[string]struct {
		interim string
		status  int
	}{
		"100":              {"HTTP/1.1 100 Continue\r\n\r\n", http.StatusOK},
		"102 of HTTP/1.0":  {"HTTP/1.0 102 Processing\r\n\r\n", http.StatusOK},
		"103 with fields":  {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", http.StatusOK},
		"199 no phrase":    {"HTTP/1.1 199\r\n\r\n", http.StatusOK},
		"several":          {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), http.StatusOK},
		"without end":      {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000), http.StatusBadGateway},
		"101":              {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", http.StatusBadGateway},
		"control in field": {"HTTP/1.1 100 Continue\r\nX: a\x00b\r\n\r\n", http.StatusBadGateway},
		"four digits":      {"HTTP/1.1 1000 x\r\n\r\n", http.StatusBadGateway},
		"http/2":           {"HTTP/2.0 100 Continue\r\n\r\n", http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			r := proxytest.ServeRaw(t, func(conn net.Conn, _ string, _ int) bool {
				_, err := io.WriteString(conn, c.interim+proxytest.Plain(proxytest.TextType, proxytest.SmallBody))
				return err == nil
			})
			g := newGate(t, r.Addr(), func(o *Options) { o.Timeout = time.Minute })
			for range 2 { // also on a kept connection
				got := g.fetch(t.Context())
				if got.Status != c.status || c.status == http.StatusOK && got.Body != proxytest.SmallWant {
					t.Errorf("%d %q, want %d", got.Status, got.Body, c.status)
				}
			}
			if _, conns := r.Seen(); c.status == http.StatusOK && conns != 1 {
				t.Errorf("%d connections", conns)
			}
		})
	}
}
