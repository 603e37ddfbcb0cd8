package rawconn

import (
	"errors"
	"net"
)

// Listener wraps a listener of TCP connections, which it accepts as Wrap returns them. It must
// be the innermost listener.
func Listener(l net.Listener) net.Listener { return rawListener{l} }

type rawListener struct{ net.Listener }

// Accept implements net.Listener.
func (l rawListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Wrap(c), nil
}

// ErrNotIdle is the error of WriteIfIdle on a connection that the peer closed, or on which
// it sent bytes. Nothing was written.
var ErrNotIdle = errors.New("connection is closed or not idle")

// WriteIfIdle writes p to conn if the peer has neither closed it nor sent anything.
// Otherwise the error is ErrNotIdle. A byte that comes before the request would be taken
// for the beginning of its answer. WriteIfIdle may wait until the answer begins or the read
// deadline passes, so the next call must be a read.
func WriteIfIdle(conn net.Conn, p []byte) error {
	if c, ok := conn.(interface{ writeIfIdle(p []byte) error }); ok {
		return c.writeIfIdle(p)
	}
	if !idle(conn) {
		return ErrNotIdle
	}
	_, err := conn.Write(p)
	return err
}
