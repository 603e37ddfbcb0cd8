// Package proxytest has what tests of proxy and its packages share: a stand-in for the runner
// that speaks raw bytes, its bodies, and readers of answers, logs and metrics.
package proxytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TextType is the content type of SmallBody, a text exposition, and SmallWant is what a gate
// makes of that with the label runner_name="r1".
const (
	TextType  = "text/plain; version=0.0.4; charset=utf-8"
	SmallBody = "# TYPE a counter\na{b=\"c\"} 1\nd 2\n"
	SmallWant = "# TYPE a counter\na{b=\"c\",runner_name=\"r1\"} 1\nd{runner_name=\"r1\"} 2\n"
)

// LargeBody returns a text exposition of n samples, and the same with runner_name="r1".
func LargeBody(n int) (body, labelled string) {
	var in, out strings.Builder
	for i := range n {
		fmt.Fprintf(&in, "gitlab_runner_jobs{shard=\"%d\",state=\"running\",stage=\"prepare_script\"} %d\n", i, i)
		fmt.Fprintf(&out, "gitlab_runner_jobs{shard=\"%d\",state=\"running\",stage=\"prepare_script\","+
			"runner_name=\"r1\"} %d\n", i, i)
	}
	return in.String(), out.String()
}

// Runner is a stand-in for a runner that speaks raw bytes.
type Runner struct {
	listener net.Listener
	wait     sync.WaitGroup

	mu       sync.Mutex
	conns    []net.Conn
	requests []string
}

// ServeRaw starts a Runner. It calls serve with a connection, a request with its body, and how
// many requests came so far. serve writes the answer. When it returns false the connection is
// closed.
func ServeRaw(t testing.TB, serve func(c net.Conn, request string, n int) bool) *Runner {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{listener: l}
	r.wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, c)
			r.mu.Unlock()
			r.wait.Go(func() { r.talk(c, serve) })
		}
	})
	t.Cleanup(func() {
		r.Stop()
		r.CloseConns()
		r.wait.Wait()
	})
	return r
}

func (r *Runner) talk(c net.Conn, serve func(net.Conn, string, int) bool) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		var request strings.Builder
		length := 0
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			request.WriteString(line)
			if v, ok := strings.CutPrefix(line, "Content-Length: "); ok {
				length, _ = strconv.Atoi(strings.TrimSpace(v))
			}
			if line == "\r\n" {
				break
			}
		}
		if _, err := io.CopyN(&request, in, int64(length)); err != nil {
			return
		}
		r.mu.Lock()
		r.requests = append(r.requests, request.String())
		n := len(r.requests)
		r.mu.Unlock()
		if !serve(c, request.String(), n) {
			return
		}
	}
}

// Stop closes the listener. Connections stay.
func (r *Runner) Stop() { _ = r.listener.Close() }

// CloseConns closes all connections, at the runner's side.
func (r *Runner) CloseConns() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
}

// Addr returns host:port.
func (r *Runner) Addr() string { return r.listener.Addr().String() }

// Seen returns the requests so far and the number of connections.
func (r *Runner) Seen() ([]string, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.requests...), len(r.conns)
}

// Plain returns an answer with a Content-Length.
func Plain(kind, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body)
}

// Always is for ServeRaw. It answers each request with the same bytes.
func Always(answer string) func(net.Conn, string, int) bool {
	return func(c net.Conn, _ string, _ int) bool {
		_, err := io.WriteString(c, answer)
		return err == nil
	}
}

// Response is a whole answer.
type Response struct {
	Status int
	Header http.Header
	Body   string
	Err    error // while reading the body, or of the exchange
}

// Do sends r, and reads the whole answer. Nothing is decoded.
func Do(client *http.Client, r *http.Request) Response {
	res, err := client.Do(r)
	if err != nil {
		return Response{Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return Response{res.StatusCode, res.Header, string(body), err}
}

// Metric returns the value of a counter or gauge. Its labels are names and values in turn.
func Metric(t testing.TB, registry prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	metrics:
		for _, m := range f.GetMetric() {
			have := map[string]string{}
			for _, l := range m.GetLabel() {
				have[l.GetName()] = l.GetValue()
			}
			for i := 0; i < len(labels); i += 2 {
				if have[labels[i]] != labels[i+1] {
					continue metrics
				}
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s %v", name, labels)
	return 0
}
