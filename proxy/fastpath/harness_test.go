package fastpath

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

const scrapeHead = "GET /metrics HTTP/1.1\r\nHost: gate\r\nUser-Agent: Prometheus/3\r\n" +
	"Accept: text/plain\r\nAccept-Encoding: gzip\r\n\r\n"

// gate is an http.Server with a Server in it.
type gate struct {
	*Server
	http *httptest.Server
	log  testwait.Buffer
}

// start serves h, which authorizes everyone. By tells who wrote the answer.
func start(t testing.TB, secure bool, h http.HandlerFunc, change ...func(*Options)) *gate {
	t.Helper()
	g := &gate{}
	o := Options{Path: "/metrics", ErrorLog: log.New(&g.log, "", 0)}
	for _, c := range change {
		c(&o)
	}
	g.Server = New(o)
	g.http = httptest.NewUnstartedServer(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("By", "net/http")
		if _, ok := w.(*response); ok {
			w.Header().Set("By", "fastpath")
		}
		MarkAuthorized(r.Context())
		h(w, r)
	})))
	g.http.Config.ConnContext = ConnContext
	g.http.Config.ErrorLog = o.ErrorLog
	if secure {
		g.http.StartTLS()
	} else {
		g.http.Start()
	}
	go func() { _ = g.http.Config.Serve(g.Listener()) }()
	t.Cleanup(func() {
		_ = g.Close()
		g.http.Close()
	})
	return g
}

// client is a connection to a gate.
type client struct {
	testing.TB
	net.Conn
	in *bufio.Reader
}

func (g *gate) dial(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("tcp", g.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if g.http.TLS != nil {
		config := g.http.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		config.ServerName = "example.com" // as httptest's certificate has it
		conn = tls.Client(conn, config)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) send(request string) {
	c.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		c.Fatal(err)
	}
}

// answer is an answer, read whole.
type answer struct {
	*http.Response
	body string
	err  error // of the body
}

func (c *client) receive() answer {
	c.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	return answer{res, string(body), err}
}

func (c *client) ask(request string) answer {
	c.Helper()
	c.send(request)
	return c.receive()
}

// by asks and reports who answered.
func (c *client) by(request string) string {
	c.Helper()
	return c.ask(request).Header.Get("By")
}

// takenOver makes the connection one that was taken over.
func (c *client) takenOver() *client {
	c.Helper()
	if first, second := c.by(scrapeHead), c.by(scrapeHead); first != "net/http" || second != "fastpath" {
		c.Fatalf("answered by %s and %s", first, second)
	}
	return c
}

// closed reports whether the connection ends here.
func (c *client) closed() bool {
	n, err := c.in.Read(make([]byte, 1))
	return n == 0 && err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// text answers with a small body of known length.
func text(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", "4")
	_, _ = io.WriteString(w, "a 1\n")
}

// watching waits until the client of the only connection is watched. The channel is closed
// when that ends.
func (g *gate) watching(t testing.TB) (ended <-chan struct{}) {
	t.Helper()
	testwait.Eventually(t, "the client is watched", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		for c := range g.conns {
			c.watch.mu.Lock()
			ended = c.watch.reading
			c.watch.mu.Unlock()
		}
		return ended != nil
	})
	return ended
}

// soon is a context that ends before a test does.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}
