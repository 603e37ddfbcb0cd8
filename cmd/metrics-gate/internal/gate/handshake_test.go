package gate

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/connlimit"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// An address without a failure left begins paceRate handshakes a second; others wait for nothing.
func TestHandshakesOfFailingAddressesArePaced(t *testing.T) {
	for name, test := range map[string]struct {
		failures int
		want     time.Duration
	}{
		"no failure": {0, 0},
		"exhausted":  {1, 9 * time.Second / paceRate},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures := proxy.NewFailureLimiter(1e-6, 1, 16)
				h := newHandshakes(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), auth.NewMetrics(nil),
					failures)
				client, server := net.Pipe()
				defer func() { _, _ = client.Close(), server.Close() }()
				for range test.failures {
					failures.Fail(requestFrom(server))
				}
				began := make(chan time.Time, 10)
				config := &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
					info.Conn = server
					for range 10 {
						if err := h.begin(info); err != nil {
							return nil, err
						}
						began <- time.Now()
					}
					return nil, io.EOF
				}}
				start := time.Now()
				go func() { _ = tls.Client(client, &tls.Config{ServerName: "gate"}).Handshake() }()
				_ = tls.Server(server, config).Handshake()
				var last time.Time
				for range 10 {
					last = <-began
				}
				if got := last.Sub(start).Round(time.Millisecond); got != test.want {
					t.Errorf("ten handshakes took %s, want %s", got, test.want)
				}
			})
		})
	}
}

// All connections that one address may have by default get their turn in time, though they do
// not know of each other.
func TestAllWaitingHandshakesGetTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandshakes(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), auth.NewMetrics(nil),
			proxy.NewFailureLimiter(1, 1, 16))
		client, server := net.Pipe()
		defer func() { _, _ = client.Close(), server.Close() }()
		start := time.Now()
		var waiting sync.WaitGroup
		for range 64 {
			waiting.Go(func() {
				if err := h.turns.await(server, start.Add(5*time.Second)); err != nil {
					t.Error(err)
				}
			})
		}
		waiting.Wait()
		if took := time.Since(start); took < 63*time.Second/paceRate {
			t.Errorf("64 handshakes began within %s", took)
		}
		if err := h.turns.await(server, start); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
	})
}

// Handshakes that wait on a connection which is closed, to make room for another, end at once when
// their turn comes, and take it from nobody: a flood leaves thousands of them.
func TestWaitingHandshakesOfClosedConnectionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandshakes(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), auth.NewMetrics(nil),
			proxy.NewFailureLimiter(1, 1, 16))
		client, closed := net.Pipe()
		other, open := net.Pipe()
		defer func() { _, _, _ = client.Close(), other.Close(), open.Close() }()
		_ = closed.Close()
		deadline := time.Now().Add(time.Hour)
		if err := h.turns.await(open, deadline); err != nil { // the first begins at once
			t.Fatal(err)
		}
		start := time.Now()
		var waiting sync.WaitGroup
		waiting.Go(func() { // it waits for the pace, and all others for it
			if err := h.turns.await(open, deadline); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 1000 {
			waiting.Go(func() {
				if err := h.turns.await(closed, deadline); !errors.Is(err, io.ErrClosedPipe) {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		if err := h.turns.await(open, deadline); err != nil {
			t.Error(err)
		}
		waiting.Wait()
		if took := time.Since(start); took != 2*time.Second/paceRate {
			t.Errorf("the turn came after %s", took)
		}
		if n := len(h.turns.lines); n != 0 {
			t.Errorf("%d lines are left", n)
		}
	})
}

// A handshake whose turn has come is not the next to make room: a flood from its address would close
// each one that has just begun.
func TestHandshakeWhoseTurnHasComeStays(t *testing.T) {
	failures := proxy.NewFailureLimiter(1e-6, 1, 16)
	h := newHandshakes(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), auth.NewMetrics(nil), failures)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limiter := connlimit.New(connlimit.Bounds{Total: 16, PerAddress: 2},
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "open"}))
	bounded := limiter.Listen(ln)
	defer func() { _ = bounded.Close() }()
	accept := func() net.Conn {
		t.Helper()
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		conn, err := bounded.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	old, young := accept(), accept()
	failures.Fail(requestFrom(old))
	client, server := net.Pipe()
	defer func() { _, _ = client.Close(), server.Close() }()
	config := &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		info.Conn = old
		return nil, errors.Join(h.begin(info), io.EOF) // the rest does not matter
	}}
	go func() { _ = tls.Client(client, &tls.Config{ServerName: "gate"}).Handshake() }()
	_ = tls.Server(server, config).Handshake()
	accept()
	if err := old.SetDeadline(time.Time{}); err != nil {
		t.Errorf("the one whose turn has come was closed: %v", err)
	}
	if err := young.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the other one stays: %v", err)
	}
}
