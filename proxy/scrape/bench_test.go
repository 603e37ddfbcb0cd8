package scrape

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// benchScrape scrapes over one kept connection, with a client and a runner that do
// as little as possible. It reports the CPU time of all three.
func benchScrape(b *testing.B, body, encoding string) {
	whole := []byte(proxytest.Plain(proxytest.TextType, body))
	r := proxytest.ServeRaw(b, func(c net.Conn, _ string, _ int) bool { _, err := c.Write(whole); return err == nil })
	g := newGate(b, r.Addr(), func(o *Options) { o.Log = nil })
	secure := httptest.NewUnstartedServer(g.Config.Handler)
	secure.Listener = rawconn.Corked(secure.Listener)
	secure.Config.ConnContext = rawconn.ConnContext

	secure.TLS = &tls.Config{DynamicRecordSizingDisabled: true, SessionTicketsDisabled: true}
	secure.StartTLS()
	defer secure.Close()
	c, err := tls.Dial(
		"tcp",
		secure.Listener.Addr().String(),
		secure.Client().Transport.(*http.Transport).TLSClientConfig,
	)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 64<<10)
	request := fmt.Sprintf(
		"GET /metrics HTTP/1.1\r\nHost: x\r\nUser-Agent: Prometheus/3\r\n"+
			"Accept: text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\n"+
			"Accept-Encoding: %s\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n",
		encoding,
	)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		_, _ = io.WriteString(c, request)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); err != nil || n == 0 || res.StatusCode != 200 {
			b.Fatal(res.Status, n, err)
		}
	}
	b.ReportMetric((cpu(b)-before)/float64(b.N), "cpu-µs/op")
}

func BenchmarkScrapeSmall(b *testing.B) {
	body := readRunner(b)
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		b.Run(encoding, func(b *testing.B) { benchScrape(b, body, encoding) })
	}
}

func BenchmarkScrapeLarge(b *testing.B) {
	body := strings.Repeat(readRunner(b), 240) // 12.6 MB
	for _, encoding := range []string{"identity", "gzip", "zstd"} {
		b.Run(encoding, func(b *testing.B) { benchScrape(b, body, encoding) })
	}
}

// readRunner returns what a runner answers.
func readRunner(b testing.TB) string {
	b.Helper()
	body, err := os.ReadFile("testdata/runner.txt")
	if err != nil {
		b.Fatal(err)
	}
	return string(body)
}
