package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// handshakes accepts connections whose TLS handshake is complete: http.Server would log a
// failed one as a line of text, and would not count it. Handshakes run side by side, as many as
// the listener below has connections.
type handshakes struct {
	net.Listener
	config    *tls.Config
	timeout   time.Duration
	handshake func(context.Context, *tls.Conn) bool // whether it succeeded

	start    sync.Once
	accepted chan accepted
	stop     sync.Once
	closed   chan struct{}
}

// newHandshakes completes handshakes of ln under config. handshake must return when its
// context ends, which it does after timeout.
func newHandshakes(ln net.Listener, config *tls.Config, timeout time.Duration,
	handshake func(context.Context, *tls.Conn) bool) *handshakes {
	return &handshakes{
		Listener: ln, config: config, timeout: timeout, handshake: handshake,
		accepted: make(chan accepted), closed: make(chan struct{}),
	}
}

// Accept implements net.Listener. After Close it returns the connections whose handshakes
// were under way, so that a restart loses no scrape, and then net.ErrClosed.
func (h *handshakes) Accept() (net.Conn, error) {
	h.start.Do(func() { go h.run() })
	a, ok := <-h.accepted
	if !ok {
		return nil, net.ErrClosed
	}
	return a.conn, a.err
}

// Close closes the listener below.
func (h *handshakes) Close() error {
	h.stop.Do(func() { close(h.closed) })
	return h.Listener.Close()
}

// run begins a handshake on each connection, until the listener below is closed.
func (h *handshakes) run() {
	var running sync.WaitGroup
	for {
		conn, err := h.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			break
		}
		if err != nil {
			select {
			case h.accepted <- accepted{nil, err}:
			case <-h.closed:
			}
			continue
		}
		running.Go(func() { h.complete(conn) })
	}
	running.Wait()
	close(h.accepted)
}

// complete makes the handshake of conn, and hands it to Accept or closes it.
func (h *handshakes) complete(conn net.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), h.timeout)
	defer cancel()
	secure := tls.Server(conn, h.config)
	if h.handshake(ctx, secure) {
		select {
		case h.accepted <- accepted{secure, nil}:
			return
		case <-ctx.Done(): // nobody accepts any more
		}
	} else {
		drain(conn)
	}
	_ = conn.Close()
}

// Bounds of drain.
const (
	drainTime  = 500 * time.Millisecond
	drainBytes = 64 << 10
)

// drain reads what a client sends after its handshake failed, until the client closes. In TLS
// 1.3 a client sends its request before it knows of a refused certificate. A connection that
// is closed with this unread is reset, and the reset can overtake the alert that says why.
func drain(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.CopyN(io.Discard, conn, drainBytes)
}
