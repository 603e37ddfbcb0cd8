package scrape

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// held is a runner that answers when it is told to.
func held(t *testing.T, answer string) (r *proxytest.Runner, release func()) {
	gate := make(chan struct{})
	r = proxytest.ServeRaw(t, func(c net.Conn, _ string, _ int) bool {
		<-gate
		_, err := io.WriteString(c, answer)
		return err == nil
	})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	return r, release
}

// waiting returns how many requests wait for flights.
func (g *gate) waiting() int {
	g.metrics.group.mu.Lock()
	defer g.metrics.group.mu.Unlock()
	n := 0
	for _, f := range g.metrics.group.flights {
		f.mu.Lock()
		n += f.count
		f.mu.Unlock()
	}
	return n
}

// several fetches n times at once.
func (g *gate) several(ctx context.Context, n int, lines ...string) chan proxytest.Response {
	answers := make(chan proxytest.Response, n)
	for range n {
		go func() { answers <- g.fetch(ctx, lines...) }()
	}
	return answers
}

func TestScrapesAtOnceShareAnExchange(t *testing.T) {
	r, release := held(t, proxytest.Plain(proxytest.TextType, proxytest.SmallBody))
	g := newGate(t, r.Addr())
	identity := g.several(t.Context(), 10)
	gzipped := g.several(t.Context(), 5, "Accept-Encoding: gzip")
	zstd := g.several(t.Context(), 5, "Accept-Encoding: zstd")
	testwait.Eventually(t, "20 waiters", func() bool { return g.waiting() == 20 })
	release()
	for range 10 {
		if got := <-identity; got.Status != 200 || got.Body != proxytest.SmallWant ||
			got.Header.Get("Content-Encoding") != "" {
			t.Errorf("answer %d %.200q", got.Status, got.Body)
		}
	}
	for encoding, answers := range map[string]chan proxytest.Response{"gzip": gzipped, "zstd": zstd} {
		for range 5 {
			got := <-answers
			if got.Status != 200 || got.Header.Get("Content-Encoding") != encoding ||
				decode(t, encoding, got.Body) != proxytest.SmallWant {
				t.Errorf("%s: answer %d %v", encoding, got.Status, got.Header)
			}
		}
	}
	if requests, _ := r.Seen(); len(requests) != 1 {
		t.Errorf("%d exchanges, want 1", len(requests))
	}
	if n := g.value(t, "metrics_gate_samples_labelled_total"); n != 2 {
		t.Errorf("%v samples counted, want those of one exchange", n)
	}
	shared := 0
	for _, s := range g.observer.Recent() {
		if s.Shared {
			shared++
		}
	}
	if shared != 19 {
		t.Errorf("%d remembered as shared, want 19", shared)
	}
}

func TestFormatsAreNotShared(t *testing.T) {
	answer := make(chan struct{})
	release := sync.OnceFunc(func() { close(answer) })
	r := proxytest.ServeRaw(t, func(c net.Conn, request string, _ int) bool {
		<-answer
		if strings.HasPrefix(request, "HEAD") {
			return proxytest.Always("HTTP/1.1 200 OK\r\nContent-Type: "+proxytest.TextType+"\r\n\r\n")(c, "", 0)
		}
		if strings.Contains(request, "openmetrics") {
			const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
			return proxytest.Always(proxytest.Plain(openMetrics, "om 1\n# EOF\n"))(c, "", 0)
		}
		return proxytest.Always(proxytest.Plain(proxytest.TextType, "txt 1\n"))(c, "", 0)
	})
	t.Cleanup(release)
	g := newGate(t, r.Addr())
	text := g.several(t.Context(), 3, "Accept: text/plain;version=0.0.4")
	open := g.several(t.Context(), 3, "Accept: application/openmetrics-text;version=1.0.0")
	head := g.several(t.Context(), 3, "HEAD")
	testwait.Eventually(t, "nine wait", func() bool { return g.waiting() == 9 })
	release()
	for range 3 {
		if got := <-text; got.Body != "txt{runner_name=\"r1\"} 1\n" {
			t.Errorf("text: %.200q", got.Body)
		}
		if got := <-open; got.Body != "om{runner_name=\"r1\"} 1\n# EOF\n" {
			t.Errorf("openmetrics: %.200q", got.Body)
		}
		if got := <-head; got.Status != 200 || got.Body != "" || got.Header.Get("Content-Type") != proxytest.TextType {
			t.Errorf("head: %d %q %v", got.Status, got.Body, got.Header)
		}
	}
	if requests, _ := r.Seen(); len(requests) != 3 {
		t.Errorf("%d exchanges, want one a format", len(requests))
	}
}

func TestOneAfterTheOtherDoNotShare(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	g := newGate(t, r.Addr())
	g.fetch(t.Context())
	g.fetch(t.Context())
	if requests, _ := r.Seen(); len(requests) != 2 {
		t.Errorf("%d exchanges, want 2: nothing is kept", len(requests))
	}
}

func TestAllLeave(t *testing.T) {
	gone := make(chan struct{})
	r := proxytest.ServeRaw(t, func(c net.Conn, _ string, n int) bool {
		if n > 1 {
			return proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody))(c, "", n)
		}
		_, _ = c.Read(make([]byte, 1)) // until the gate closes
		close(gone)
		return false
	})
	g := newGate(t, r.Addr(), func(o *Options) { o.Timeout = time.Minute })
	ctx, leave := context.WithCancel(t.Context())
	answers := g.several(ctx, 2)
	testwait.Eventually(t, "two wait", func() bool { return g.waiting() == 2 })
	leave()
	select {
	case <-gone:
	case <-time.After(time.Second):
		t.Fatal("the exchange goes on")
	}
	<-answers
	<-answers
	if got := g.fetch(t.Context()); got.Status != 200 {
		t.Errorf("next: %d", got.Status)
	}
	testwait.Eventually(t, "it is counted as canceled", func() bool {
		return g.value(t, "metrics_gate_upstream_errors_total", "reason", "canceled") == 1
	})
	testwait.Eventually(t, "both are counted as aborted", func() bool {
		return g.value(t, "metrics_gate_requests_total", "route", "metrics", "code", "aborted") == 2
	})
}

func TestFaultReachesAll(t *testing.T) {
	r, release := held(
		t,
		"HTTP/1.1 200 OK\r\nContent-Type: "+proxytest.TextType+"\r\nContent-Length: 22\r\n\r\na 1\nnonsense nonsense\n",
	)
	g := newGate(t, r.Addr())
	answers := g.several(t.Context(), 4)
	testwait.Eventually(t, "four wait", func() bool { return g.waiting() == 4 })
	release()
	for range 4 {
		if got := <-answers; got.Status != http.StatusBadGateway {
			t.Errorf("answer %d, want 502", got.Status)
		}
	}
	if n := strings.Count(g.log.String(), `"level":"WARN"`); n != 1 {
		t.Errorf("%d warnings for one exchange", n)
	}
}

// A defect of ours that one answer of the runner brings out must not end the
// process.
func TestPanicIsOneBadAnswer(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	g := newGate(t, r.Addr(), func(o *Options) { o.Labels = nil })
	for range 3 {
		if got := g.fetch(t.Context()); got.Status != http.StatusBadGateway {
			t.Errorf("answer %d, want 502", got.Status)
		}
	}
}
