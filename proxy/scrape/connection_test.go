package scrape

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

func TestConnectionIsKept(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	g := newGate(t, r.Addr())
	for range 5 {
		if got := g.fetch(t.Context()); got.Body != proxytest.SmallWant {
			t.Fatalf("answer %d %.200q", got.Status, got.Body)
		}
	}
	if requests, conns := r.Seen(); len(requests) != 5 || conns != 1 {
		t.Errorf("%d requests on %d connections, want 5 on 1", len(requests), conns)
	}
}

func TestConnectionInDoubtIsNotKept(t *testing.T) {
	good := proxytest.Plain(proxytest.TextType, proxytest.SmallBody)
	for name, answer := range map[string]string{
		"connection close": strings.Replace(good, "\r\n", "\r\nConnection: close\r\n", 1),
		"leftover bytes":   good + "HTTP/1.1 200 OK\r\n",
		"second answer":    good + proxytest.Plain(proxytest.TextType, "evil 1\n"),
		"http/1.0":         strings.Replace(good, "HTTP/1.1", "HTTP/1.0", 1),
	} {
		t.Run(name, func(t *testing.T) {
			r := proxytest.ServeRaw(t, proxytest.Always(answer))
			g := newGate(t, r.Addr())
			for range 3 {
				if got := g.fetch(t.Context()); got.Status != 200 || got.Body != proxytest.SmallWant {
					t.Fatalf("answer %d %.200q", got.Status, got.Body)
				}
			}
			if _, conns := r.Seen(); conns != 3 {
				t.Errorf("%d connections, want 3", conns)
			}
		})
	}
}

func TestLateSecondAnswerIsNotTaken(t *testing.T) {
	late := make(chan struct{})
	r := proxytest.ServeRaw(t, func(c net.Conn, _ string, n int) bool {
		_, _ = io.WriteString(c, proxytest.Plain(proxytest.TextType, proxytest.SmallBody))
		if n == 1 {
			_, _ = io.WriteString(c, proxytest.Plain(proxytest.TextType, "evil 1\n"))
			close(late)
		}
		return true
	})
	g := newGate(t, r.Addr())
	g.fetch(t.Context())
	<-late
	if got := g.fetch(t.Context()); got.Body != proxytest.SmallWant {
		t.Errorf("answer %q", got.Body)
	}
}

func TestClosedConnectionIsReplaced(t *testing.T) {
	for name, after := range map[string]func(net.Conn){
		"closed while idle": func(c net.Conn) { c.Close() },
		"reset while idle":  func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r := proxytest.ServeRaw(t, func(c net.Conn, _ string, _ int) bool {
				_, _ = io.WriteString(c, proxytest.Plain(proxytest.TextType, proxytest.SmallBody))
				after(c)
				return false
			})
			g := newGate(t, r.Addr())
			for range 3 {
				if got := g.fetch(t.Context()); got.Status != 200 {
					t.Fatalf("answer %d; log: %s", got.Status, g.log)
				}
			}
		})
	}
}

// A connection that is closed when the next request arrives on it, and not
// before, cannot be told from a good one: it is tried again once.
func TestClosedOnUseIsTriedOnce(t *testing.T) {
	for _, closes := range []int{1, 2} {
		r := proxytest.ServeRaw(t, func(c net.Conn, _ string, n int) bool {
			if n > 1 && n <= 1+closes {
				return false
			}
			return proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody))(c, "", n)
		})
		g := newGate(t, r.Addr())
		g.fetch(t.Context())
		want := map[int]int{1: 200, 2: 502}[closes]
		if got := g.fetch(t.Context()); got.Status != want {
			t.Errorf("after %d closes: %d, want %d", closes, got.Status, want)
		}
		if requests, _ := r.Seen(); len(requests) != 3 {
			t.Errorf("%d requests, want 3", len(requests))
		}
	}
}
