package scrape

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// slowClient asks the gate over its own connection,
// and reads only when told to.
func slowClient(t *testing.T, g *gate, lines ...string) (net.Conn, *bufio.Reader) {
	t.Helper()
	d := net.Dialer{}
	c, err := d.DialContext(t.Context(), "tcp", g.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n%s\r\n", strings.Join(append(lines, ""), "\r\n"))
	return c, bufio.NewReader(c)
}

// chunked sends body in pieces, waiting for a token before each.
func chunked(body string, pieces int, token <-chan struct{}) func(net.Conn, string, int) bool {
	return func(c net.Conn, _ string, n int) bool {
		_, _ = fmt.Fprintf(
			c,
			"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n",
			proxytest.TextType,
		)
		size := len(body)/pieces + 1
		for i := 0; i < len(body); i += size {
			<-token
			piece := body[i:min(i+size, len(body))]
			if _, err := fmt.Fprintf(c, "%x\r\n%s\r\n", len(piece), piece); err != nil {
				return false
			}
		}
		_, err := io.WriteString(c, "0\r\n\r\n")
		return err == nil
	}
}

func TestLargeBodyStreams(t *testing.T) {
	body, want := proxytest.LargeBody(40_000) // 3 MB
	token := make(chan struct{})
	r := proxytest.ServeRaw(t, chunked(body, 2, token))
	g := newGate(t, r.Addr())
	answers := g.several(t.Context(), 4)
	gzipped := g.several(t.Context(), 2, "Accept-Encoding: gzip")
	zstd := g.several(t.Context(), 2, "Accept-Encoding: zstd")
	testwait.Eventually(t, "all wait", func() bool { return g.waiting() == 8 })
	token <- struct{}{}
	testwait.Eventually(t, "streaming", func() bool { return g.waiting() == 0 })
	late := make(chan proxytest.Response, 1)
	go func() { late <- g.fetch(t.Context()) }()
	testwait.Eventually(t, "a new exchange", func() bool { n, _ := r.Seen(); return len(n) >= 2 })
	close(token)
	for range 4 {
		if got := <-answers; got.Status != 200 || got.Err != nil || got.Body != want ||
			got.Header.Get("Content-Length") != "" {
			t.Errorf("answer %d, %d bytes of %d, %v", got.Status, len(got.Body), len(want), got.Err)
		}
	}
	for range 2 {
		if got := <-gzipped; got.Err != nil || decode(t, "gzip", got.Body) != want {
			t.Error("gzip differs")
		}
		if got := <-zstd; got.Err != nil || decode(t, "zstd", got.Body) != want {
			t.Error("zstd differs")
		}
	}
	if got := <-late; got.Body != want {
		t.Error("late comer's differs")
	}
	if n := g.metrics.buffers.chunks.Len(); n > keptChunks {
		t.Errorf("%d chunks kept", n)
	}
}

func TestFaultMidwayCutsAllOff(t *testing.T) {
	body, _ := proxytest.LargeBody(40_000)
	for name, end := range map[string]string{
		"dies":     "",
		"nonsense": "9\r\nnonsense\n\r\n0\r\n\r\n",
		"no end":   "4\r\na 1\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := proxytest.ServeRaw(t, func(c net.Conn, _ string, _ int) bool {
				_, _ = fmt.Fprintf(
					c,
					"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%s",
					proxytest.TextType,
					len(body),
					body,
					end,
				)
				return false
			})
			g := newGate(t, r.Addr())
			answers := []chan proxytest.Response{
				g.several(t.Context(), 3),
				g.several(t.Context(), 3, "Accept-Encoding: gzip"),
				g.several(t.Context(), 3, "Accept-Encoding: zstd"),
			}
			for _, list := range answers {
				for range 3 {
					// Whoever comes when the exchange is over begins another, which may fail before
					// its status is sent: an honest 502. A client that got no byte yet may see its
					// connection end instead of a status.
					if got := <-list; got.Err == nil && got.Status != http.StatusBadGateway {
						t.Errorf("looks complete: %d, %d bytes", got.Status, len(got.Body))
					}
				}
			}
			testwait.Eventually(t, "counted", func() bool {
				cut := g.value(t, "metrics_gate_requests_total", "route", "metrics", "code", "aborted")
				return cut > 0 && cut+g.value(t, "metrics_gate_requests_total", "route", "metrics", "code", "502") >= 9
			})
		})
	}
}

func TestTooLargeMidway(t *testing.T) {
	body, _ := proxytest.LargeBody(40_000)
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, body)))
	g := newGate(t, r.Addr(), func(o *Options) { o.Limits.Bytes = 2 << 20 })
	if got := g.fetch(t.Context()); got.Err == nil {
		t.Errorf("looks complete: %d, %d bytes", got.Status, len(got.Body))
	}
}

type nopWriter struct{}

func (nopWriter) Header() http.Header         { return nil }
func (nopWriter) Write(p []byte) (int, error) { return len(p), nil }
func (nopWriter) WriteHeader(int)             {}

// Members come, leave at random and share; nothing is mixed up, nothing is left
// behind.
func TestManyComeAndGo(t *testing.T) {
	body, want := proxytest.LargeBody(8_000) // a little more than is held
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, body)))
	g := newGate(t, r.Addr(), func(o *Options) { o.Limiter, o.Timeout = proxy.NewExchangeLimiter(2), time.Minute })
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			encoding := encoding(i % int(encodings)).String()
			for k := range 4 {
				ctx, cancel := context.WithCancel(t.Context())
				if (i+k)%3 == 0 {
					time.AfterFunc(time.Duration(i+k)*time.Millisecond, cancel)
				}
				got := g.fetch(ctx, "Accept-Encoding: "+encoding, fmt.Sprintf("Test-Identity: %d", i%4))
				if got.Err == nil && (got.Status != 200 || decode(t, encoding, got.Body) != want) {
					t.Errorf("%s: answer %d differs", encoding, got.Status)
				}
				if ctx.Err() == nil && got.Err != nil {
					t.Errorf("%s: %v", encoding, got.Err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	testwait.Eventually(t, "all slots free", func() bool {
		running, waiting := g.metrics.o.Limiter.Load()
		return running == 0 && waiting == 0
	})
}
