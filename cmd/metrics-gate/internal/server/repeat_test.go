package server_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// repeater scrapes a whole gate over one connection, and allocates next to nothing itself.
type repeater struct {
	conn    *tls.Conn
	request []byte
	buf     []byte
	size    int // of an answer, head and body
}

func newRepeater(t testing.TB) *repeater {
	t.Helper()
	body, err := os.ReadFile("../../../../proxy/scrape/testdata/runner.txt")
	if err != nil {
		t.Fatal(err)
	}
	head := "HTTP/1.1 200 OK\r\nContent-Type: " + gatetest.TextFormat +
		"\r\nDate: Sun, 22 Nov 2026 13:05:06 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
	whole := []byte(head + strconv.FormatInt(int64(len(body)), 16) + "\r\n" + string(body) + "\r\n0\r\n\r\n")
	f := gatetest.Start(t, gatetest.Exposes(""), config.Prefix+"UPSTREAM_URL="+serveWhole(t, whole),
		config.Prefix+"LOG_LEVEL=info",
		config.Prefix+"RATE_LIMIT=1000000", config.Prefix+"RATE_BURST=1000000")
	r := &repeater{buf: make([]byte, 1<<20)}
	r.request = []byte("GET /metrics HTTP/1.1\r\nHost: gate\r\nUser-Agent: Prometheus/3\r\nAccept: " +
		"text/plain;version=0.0.4\r\n" +
		"Accept-Encoding: identity\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n")
	pem, err := os.ReadFile(filepath.Join(f.Dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(f.Dir, "client.pem"), filepath.Join(f.Dir, "client-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: gatetest.Pool(pem), Certificates: []tls.Certificate{pair}}
	if r.conn, err = tls.Dial("tcp", f.Server.Addr().String(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.conn.Close() })
	for range 3 { // the last ones repeat
		r.size = r.first(t)
	}
	return r
}

// serveWhole answers whatever comes on a connection with whole.
func serveWhole(t testing.TB, whole []byte) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				for in := make([]byte, 4096); ; {
					if _, err := c.Read(in); err != nil {
						return
					}
					if _, err := c.Write(whole); err != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// first scrapes and measures the answer.
func (r *repeater) first(t testing.TB) int {
	t.Helper()
	if _, err := r.conn.Write(r.request); err != nil {
		t.Fatal(err)
	}
	counted := &counter{Reader: r.conn}
	response, err := http.ReadResponse(bufio.NewReader(counted), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	return counted.n
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// scrape reads as many bytes as an answer has.
func (r *repeater) scrape(t testing.TB) {
	if _, err := r.conn.Write(r.request); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r.conn, r.buf[:r.size]); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkRepeatedScrape is the whole way of a scrape, client and runner included.
func BenchmarkRepeatedScrape(b *testing.B) {
	r := newRepeater(b)
	b.SetBytes(int64(r.size))
	b.ReportAllocs()
	for b.Loop() {
		r.scrape(b)
	}
}
