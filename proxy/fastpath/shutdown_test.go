package fastpath

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// count is how many connections are taken over.
func (s *Server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// held serves scrapes of which the third waits for release.
func held(t *testing.T) (g *gate, c *client, release chan struct{}) {
	t.Helper()
	release, began := make(chan struct{}), make(chan struct{})
	n := 0
	g = start(t, true, func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 3 {
			close(began)
			<-release
		}
		text(w, r)
	})
	c = g.dial(t).takenOver()
	c.send(scrapeHead)
	<-began
	return g, c, release
}

func TestShutdownClosesIdleConnections(t *testing.T) {
	g := start(t, true, text)
	a, b := g.dial(t).takenOver(), g.dial(t).takenOver()
	testwait.Eventually(t, "two are idle", func() bool { return g.count() == 2 })
	if err := g.Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	if !a.closed() || !b.closed() || g.count() != 0 {
		t.Error("still open")
	}
	if err := g.Shutdown(soon(t)); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestShutdownWaitsForAnswers(t *testing.T) {
	g, c, release := held(t)
	done := make(chan error)
	go func() { done <- g.Shutdown(soon(t)) }()
	testwait.Eventually(t, "the server is ending", g.isClosing)
	select {
	case err := <-done:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(2 * watchAfter):
	}
	close(release)
	if got := c.receive(); got.body != "a 1\n" || !got.Close {
		t.Errorf("%q, close %t", got.body, got.Close)
	}
	if err := <-done; err != nil || !c.closed() {
		t.Errorf("%v, or open still", err)
	}
}

func TestShutdownGivesUp(t *testing.T) {
	g, _, release := held(t)
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := g.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestCloseCuts(t *testing.T) {
	g, c, release := held(t)
	defer close(release)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := http.ReadResponse(c.in, nil); err == nil {
		t.Error("answered all the same")
	}
}

// Connections come, ask, change and go, while others do and the server ends.
func TestManyAtOnce(t *testing.T) {
	g := start(t, false, text)
	done := make(chan struct{})
	for i := range 16 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 20 {
				c := g.dial(t)
				for k := range 4 {
					c.ask(scrapeHead)
					if i%4 == 0 && k == 2 {
						c.ask("GET /x HTTP/1.1\r\nHost: gate\r\n\r\n")
					}
				}
				_ = c.Close()
			}
		}()
	}
	for range 16 {
		<-done
	}
	testwait.Eventually(t, "connections are left", func() bool { return g.count() == 0 })
	if err := g.Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
}
