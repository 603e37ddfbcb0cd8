package gate

import (
	"context"
	"crypto/tls"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// paceRate is how many handshakes a second an address without a failure left may begin.
// They are not refused: a scraper with a good certificate may share the address. They wait
// for their turn, before the gate signs anything. All that MAX_CONNECTIONS_PER_ADDRESS
// allows by default have it within READ_HEADER_TIMEOUT.
const paceRate = 50

// handshakes counts, limits and logs TLS handshakes that fail. Where certificates are the
// only method, a failed authentication is a failed handshake.
type handshakes struct {
	log      *slog.Logger
	auth     *auth.Metrics
	failures *proxy.FailureLimiter
	pace     *proxy.FailureLimiter // handshakes of addresses without a failure left
	waiting  [256]atomic.Int32     // how many wait for pace, by a hash of their address
	seed     maphash.Seed
	failed   [handshakeReasons]prometheus.Counter
}

// newHandshakes registers metrics_gate_handshake_failures_total; every reason starts at zero.
func newHandshakes(log *slog.Logger, registry prometheus.Registerer, m *auth.Metrics,
	failures *proxy.FailureLimiter) *handshakes {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "metrics_gate_handshake_failures_total",
		Help: "TLS handshakes that failed, by reason. A connection that ends before its first byte is none.",
	}, []string{"reason"})
	registry.MustRegister(total)
	h := &handshakes{
		log: log, auth: m, failures: failures, pace: proxy.NewFailureLimiter(paceRate, 1, maxFailureAddresses),
		seed: maphash.MakeSeed(),
	}
	for reason := range handshakeReasons {
		h.failed[reason] = total.WithLabelValues(reason.String())
	}
	return h
}

// hello is what is known of a handshake's ClientHello.
type hello struct {
	deadline time.Time // of the handshake; zero: none
	came     bool
	alpn     bool // it names application protocols
	paced    bool // it waits for its turn
}

type helloKey struct{}

// HandshakeError says why a TLS handshake failed.
type HandshakeError struct {
	conn  *tls.Conn
	hello hello
	err   error
}

// Error is the cause.
func (e *HandshakeError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.err }

// Handshake completes the handshake of conn, which is a server under TLSConfig, within timeout.
// It returns nil or what ReportHandshake takes.
func (g *Gate) Handshake(conn *tls.Conn, timeout time.Duration) *HandshakeError {
	seen := hello{deadline: time.Now().Add(timeout)}
	_ = conn.SetDeadline(seen.deadline) // an error shows in the handshake
	// A context that can end would cost a timer more.
	ctx := context.WithValue(context.Background(), helloKey{}, &seen)
	if err := conn.HandshakeContext(ctx); err != nil {
		return &HandshakeError{conn, seen, err}
	}
	_ = conn.SetDeadline(time.Time{}) // an error shows at the next read
	return nil
}

// TLSConfig is the public listener's; nil with plain HTTP. A handshake under it is made by
// Handshake.
func (g *Gate) TLSConfig() *tls.Config {
	if g.TLS == nil {
		return nil
	}
	config := g.TLS.Config()
	snapshot := config.GetConfigForClient
	config.GetConfigForClient = func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		if err := g.handshakes.begin(info); err != nil {
			return nil, err
		}
		return snapshot(info)
	}
	return config
}

// begin notes the hello of a client. It returns when the handshake may go on, or
// os.ErrDeadlineExceeded.
func (h *handshakes) begin(info *tls.ClientHelloInfo) error {
	seen, ok := info.Context().Value(helloKey{}).(*hello)
	if !ok {
		seen = new(hello)
	}
	seen.came, seen.alpn = true, len(info.SupportedProtos) > 0
	from := requestFrom(info.Conn)
	if !h.failures.Exhausted(from) {
		return nil
	}
	seen.paced = true
	if err := h.awaitTurn(info.Conn, seen.deadline); err != nil {
		return err
	}
	seen.paced = false
	return nil
}

// maxTurnWait is how long a connection that was closed, to make room, can go on waiting for its turn:
// a flood makes thousands of them.
const maxTurnWait = 100 * time.Millisecond

// awaitTurn waits until the address of conn may begin a handshake. Many that wait look seldom,
// each at a time of its own: a flood must not wake all of them for each one that may begin.
// It ends early if conn was closed to make room for another.
func (h *handshakes) awaitTurn(conn net.Conn, deadline time.Time) error {
	from := requestFrom(conn)
	host, _, _ := net.SplitHostPort(from.RemoteAddr)
	waiting := &h.waiting[maphash.String(h.seed, host)%uint64(len(h.waiting))]
	waiting.Add(1)
	defer waiting.Add(-1)
	for {
		wait, ok := h.pace.Fail(from)
		if ok {
			return nil
		}
		wait = min(wait*(1+time.Duration(rand.Int32N(waiting.Load()))), maxTurnWait)
		if left := time.Until(deadline); !deadline.IsZero() && left < wait {
			<-time.After(left)
			if err := conn.SetReadDeadline(deadline); err != nil {
				return err
			}
			return os.ErrDeadlineExceeded
		}
		<-time.After(wait)
		if err := conn.SetReadDeadline(deadline); err != nil { // it is closed
			return err
		}
	}
}

// requestFrom is for the limiters, which read the address of a request's peer.
func requestFrom(conn net.Conn) *http.Request {
	return &http.Request{RemoteAddr: conn.RemoteAddr().String()}
}

// ReportHandshake counts a failed handshake, and logs it. It takes a failure from the client's
// address, once the client has sent a hello: from there on a handshake costs signatures.
func (g *Gate) ReportHandshake(e *HandshakeError) { g.handshakes.report(e) }

func (h *handshakes) report(e *HandshakeError) {
	if e.hello.came {
		_, _ = h.failures.Fail(requestFrom(e.conn)) // a handshake has no answer that could say how long to wait
	}
	reason, attrs := e.judge()
	if reason == handshakeNone {
		return
	}
	h.failed[reason].Inc()
	switch reason {
	case handshakeCertificate:
		h.auth.CountRefusal(auth.MethodCertificate, certificateError(tlsconf.AsCertificateError(e.err)))
	case handshakeNoCertificate:
		h.auth.CountRefusal(auth.MethodNone, auth.ErrNoCredential)
	case handshakeThrottled:
		h.auth.CountRefusal(auth.MethodNone, auth.ErrThrottled)
	}
	h.log.LogAttrs(context.Background(), slog.LevelWarn, "handshake failed", append([]slog.Attr{
		slog.String("remote", e.conn.RemoteAddr().String()), slog.String("reason", reason.String()),
	}, attrs...)...)
}
