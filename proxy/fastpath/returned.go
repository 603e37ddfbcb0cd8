package fastpath

import (
	"crypto/tls"
	"net"
)

// returned is a connection that goes back to net/http, with what was read of it.
type returned struct {
	net.Conn
	ahead []byte
}

// Read implements net.Conn.
func (c *returned) Read(p []byte) (int, error) {
	if len(c.ahead) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.ahead)
	c.ahead = c.ahead[n:]
	return n, nil
}

// wasHere tells a returned connection from others.
func (c *returned) wasHere() {}

// NetConn returns the connection below.
func (c *returned) NetConn() net.Conn { return c.Conn }

// returnedTLS is returned with TLS. net/http asks it for the Request.TLS.
type returnedTLS struct {
	returned
	secure *tls.Conn
}

// CloseWrite lets net/http say that it is the end before it hangs up.
func (c *returnedTLS) CloseWrite() error { return c.secure.CloseWrite() }

// ConnectionState is what the handshake found out.
func (c *returnedTLS) ConnectionState() tls.ConnectionState { return c.secure.ConnectionState() }

// giveBack lets net/http go on with conn, which begins with ahead.
func (s *Server) giveBack(conn net.Conn, ahead []byte) {
	back := net.Conn(&returned{conn, ahead})
	if t, ok := conn.(*tls.Conn); ok {
		back = &returnedTLS{returned{conn, ahead}, t}
	}
	select {
	case s.returned <- back:
	case <-s.ended:
		_ = conn.Close() // as net/http does with a request that comes when it shuts down
	}
}

// Listener accepts the connections that go back to net/http.
func (s *Server) Listener() net.Listener { return listener{s} }

type listener struct{ *Server }

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.returned:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. What is given back comes to nobody when the http.Server
// ends, which closes its listeners.
func (l listener) Close() error {
	l.end(func(*ride) {})
	return nil
}

// Addr implements net.Listener.
func (l listener) Addr() net.Addr { return within{} }

// within is no address that anyone could connect to.
type within struct{}

func (within) Network() string { return "fastpath" }
func (within) String() string  { return "returned" }
