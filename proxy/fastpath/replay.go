package fastpath

import (
	"crypto/tls"
	"net"
)

// replayConn is a connection that goes back to net/http. It reads what was buffered first.
type replayConn struct {
	net.Conn
	buffered []byte
}

// Read implements net.Conn.
func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.buffered) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.buffered)
	c.buffered = c.buffered[n:]
	return n, nil
}

// replayed distinguishes a replayConn from other connections.
func (c *replayConn) replayed() {}

// NetConn returns the connection below.
func (c *replayConn) NetConn() net.Conn { return c.Conn }

// replayTLSConn is a replayConn over TLS. net/http takes Request.TLS from it.
type replayTLSConn struct {
	replayConn
	secure secureConn
}

// secureConn is what net/http and Close use of a connection over TLS.
type secureConn interface {
	net.Conn
	NetConn() net.Conn
	CloseWrite() error
	ConnectionState() tls.ConnectionState
}

// CloseWrite lets net/http send close_notify before it closes the connection.
func (c *replayTLSConn) CloseWrite() error { return c.secure.CloseWrite() }

// ConnectionState returns the state of the handshake.
func (c *replayTLSConn) ConnectionState() tls.ConnectionState { return c.secure.ConnectionState() }

// handBack lets net/http go on with conn, which begins with what was buffered.
func (s *Server) handBack(conn net.Conn, buffered []byte) {
	back := net.Conn(&replayConn{conn, buffered})
	if secure, ok := conn.(secureConn); ok {
		back = &replayTLSConn{replayConn{conn, buffered}, secure}
	}
	select {
	case s.handedBack <- back:
	case <-s.closed:
		_ = conn.Close() // as net/http does with a request during its shutdown
	}
}

// Listener accepts the connections that go back to net/http.
func (s *Server) Listener() net.Listener { return listener{s} }

type listener struct{ *Server }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.handedBack:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The http.Server closes its listeners when it ends, and then
// nobody accepts what is handed back.
func (l listener) Close() error {
	l.closeEach(func(*conn) {})
	return nil
}

// Addr implements net.Listener.
func (l listener) Addr() net.Addr { return listenerAddr{} }

// listenerAddr is not an address that a client could dial.
type listenerAddr struct{}

func (listenerAddr) Network() string { return "fastpath" }
func (listenerAddr) String() string  { return "handed back" }
