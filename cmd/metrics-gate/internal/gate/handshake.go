package gate

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/connlimit"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// handshakes counts, limits and logs TLS handshakes that fail. Where certificates are the
// only method, a failed authentication is a failed handshake.
type handshakes struct {
	log      *slog.Logger
	auth     *auth.Metrics
	failures *proxy.FailureLimiter
	turns    *turns
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
		log: log, auth: m, failures: failures, turns: newTurns(),
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
	conn    *tls.Conn
	hello   hello
	err     error
	expired bool // the gate's own certificate, which a client refuses in many words
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
		return &HandshakeError{conn, seen, err, g.TLS != nil && g.TLS.Valid(time.Now()) != nil}
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
	if err := h.turns.await(info.Conn, seen.deadline); err != nil {
		return err
	}
	seen.paced = false
	// It has waited for longest, and would be the first to make room for another.
	connlimit.Renew(info.Conn)
	return nil
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

// paceRate is how many handshakes a second an address without a failure left may begin.
// They are not refused: a scraper with a good certificate may share the address. They wait
// for their turn, before the gate signs anything. All that MAX_CONNECTIONS_PER_ADDRESS
// allows by default have it within READ_HEADER_TIMEOUT.
const paceRate = 50

// turns lets the handshakes of one address begin one after the other. Those that wait sleep until
// the one before them is through: a flood must not wake all of them for each one that may begin.
type turns struct {
	pace  *proxy.FailureLimiter
	mu    sync.Mutex
	lines map[netip.Addr]*line
}

// line is what waits of one address.
type line struct {
	first chan struct{} // full while one waits for pace; the others wait in the order they came
	count int           // guarded by turns.mu
}

func newTurns() *turns {
	return &turns{
		pace:  proxy.NewFailureLimiter(paceRate, 1, maxFailureAddresses),
		lines: map[netip.Addr]*line{},
	}
}

// await waits until the address of conn may begin a handshake, or until deadline: then the error is
// os.ErrDeadlineExceeded. A conn that was closed, to make room for another, gives up when its turn
// comes. A zero deadline is none.
func (t *turns) await(conn net.Conn, deadline time.Time) error {
	from := requestFrom(conn)
	line, leave := t.join(proxy.Peer(from))
	defer leave()
	var timeout <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case line.first <- struct{}{}:
		defer func() { <-line.first }()
	case <-timeout:
		return os.ErrDeadlineExceeded
	}
	for {
		if err := conn.SetReadDeadline(deadline); err != nil { // it is closed
			return err
		}
		wait, ok := t.pace.Fail(from)
		if ok {
			return nil
		}
		select {
		case <-time.After(wait):
		case <-timeout:
			return os.ErrDeadlineExceeded
		}
	}
}

// join returns the line of an address, and what to call at the end.
func (t *turns) join(address netip.Addr) (l *line, leave func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l = t.lines[address]
	if l == nil {
		l = &line{first: make(chan struct{}, 1)}
		t.lines[address] = l
	}
	l.count++
	return l, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if l.count--; l.count == 0 {
			delete(t.lines, address)
		}
	}
}
