package server

import (
	"crypto/tls"
	"io"
	"net"
	"time"
)

// secureListener accepts connections whose handshake is for handshake to make, which reports
// whether it succeeded. http.Server would log a failed one as a line of text, and would not
// count it.
type secureListener struct {
	net.Listener
	config    *tls.Config
	handshake func(*tls.Conn) bool
}

// Accept implements net.Listener.
func (l *secureListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &secureConn{tls.Server(conn, l.config), l.handshake}, nil
}

// secureConn is a TLS connection that is no *tls.Conn for http.Server, which asks it for its
// ConnectionState before it reads, on the connection's own goroutine.
type secureConn struct {
	*tls.Conn
	handshake func(*tls.Conn) bool
}

// ConnectionState completes the handshake, or closes the connection.
func (c *secureConn) ConnectionState() tls.ConnectionState {
	if state := c.Conn.ConnectionState(); state.HandshakeComplete {
		return state
	}
	if !c.handshake(c.Conn) {
		drain(c.NetConn())
		_ = c.NetConn().Close()
	}
	return c.Conn.ConnectionState()
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
