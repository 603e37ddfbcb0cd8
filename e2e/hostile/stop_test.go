package hostile_test

import (
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// stop sends SIGTERM and waits until the listener is closed: two signals in a row would be one.
func (w *fixture) stop(t *testing.T) {
	t.Helper()
	w.gate.Signal(t, syscall.SIGTERM)
	harness.Eventually(t, "the listener is closed", func() bool {
		conn, err := dialTCP(w.gate.Address, "127.0.0.1")
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
}

// After SIGTERM the gate waits only for requests. A connection without one does not delay its
// end until DRAIN_TIMEOUT, and closing it is no failure.
func TestStopIgnoresConnectionsWithoutARequest(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T, *fixture){
		"none": func(*testing.T, *fixture) {},
		"silent": func(t *testing.T, w *fixture) {
			conn, err := dialTCP(w.gate.Address, "127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
		},
		"silent after the handshake": func(t *testing.T, w *fixture) { w.dialAs(t, w.scraper) },
		"idle after an answer": func(t *testing.T, w *fixture) {
			expect(t, w.dialAs(t, w.scraper).RoundTrip(t, "GET", get("/metrics")), 200)
		},
		"idle on the fast path": func(t *testing.T, w *fixture) { w.repeated(t, w.scraper) },
	} {
		for signals, again := range map[string]bool{"SIGTERM": false, "SIGTERM twice": true} {
			t.Run(name+", "+signals, func(t *testing.T) {
				w := newFixture(t, harness.AnswerExposition(sample), "DRAIN_TIMEOUT=3s", "READ_HEADER_TIMEOUT=60s")
				open(t, w)
				w.stop(t)
				if again {
					_ = w.gate.Process.Process.Signal(syscall.SIGTERM) // the gate may have exited
				}
				if code := w.gate.Exit(t, 20*second); code != 0 {
					t.Errorf("exit code %d", code)
				}
			})
		}
	}
}

// A request in flight is finished after SIGTERM. A second SIGTERM cuts it, and the gate exits
// with 1.
func TestStopFinishesRequestsInFlight(t *testing.T) {
	t.Parallel()
	for name, twice := range map[string]bool{"finished": false, "cut": true} {
		t.Run(name, func(t *testing.T) {
			arrived, release := make(chan struct{}), make(chan struct{})
			w := newFixture(t, func(x *harness.Exchange) {
				close(arrived)
				select {
				case <-release:
					harness.AnswerExposition(sample)(x)
				case <-x.Closed:
				}
			}, "DRAIN_TIMEOUT=60s", "UPSTREAM_TIMEOUT=60s")
			wire := w.dialAs(t, w.scraper)
			if err := wire.Send(get("/metrics")); err != nil {
				t.Fatal(err)
			}
			<-arrived
			w.stop(t)
			if twice {
				w.gate.Signal(t, syscall.SIGTERM)
				if code := w.gate.Exit(t, 20*second); code != 1 {
					t.Errorf("exit code %d, want 1", code)
				}
				return
			}
			close(release)
			reply, err := wire.Receive("GET")
			if err != nil || reply.Status != 200 || reply.Body != labelled {
				t.Errorf("%v, %v", reply, err)
			}
			if code := w.gate.Exit(t, 20*second); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}
