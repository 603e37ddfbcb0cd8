//go:build linux && !race

package proxy

import (
	"net"
	"syscall"
)

// opening begins an exchange on a kept connection, in one go under the poller: it looks
// whether the connection is silent, writes the request, and waits for the answer. So
// nothing is read in vain after the request, and nothing is missed: the poller reports
// what comes after the look, which found nothing.
type opening struct {
	move
	conn   *directConn // nil: another kind, which is used once
	out    []byte
	silent bool
	stray  [1]byte
}

func (o *opening) prepare(conn net.Conn) {
	if c, ok := conn.(*directConn); ok {
		o.conn, o.moved, o.attempt = c, &c.moved, o.step
	}
}

// send sends the request. On a connection that was used before, it looks whether the
// peer is silent first.
func (l *link) send() error {
	o := &l.opening
	if !l.used {
		_, err := l.conn.Write(l.out)
		return err
	}
	if o.conn == nil {
		return errStale
	}
	o.begin(o.stray[:])
	o.out, o.silent = l.out, false
	polled := o.conn.raw.Read(o.attempt)
	switch {
	case polled == nil && !o.silent:
		return errStale
	case polled == nil && o.err == 0 && o.n < len(o.out):
		_, err := l.conn.Write(o.out[o.n:])
		return err
	}
	op := "read"
	if o.err != 0 {
		op = "write"
	}
	return o.conn.end(&o.move, op, polled)
}

// step is called once, and then when there is something to read.
func (o *opening) step(fd uintptr) (done bool) {
	if o.silent {
		return true
	}
	if _, o.silent = o.call(syscall.SYS_READ, fd); !o.silent {
		return true
	}
	o.p = o.out
	o.n, _ = o.call(syscall.SYS_WRITE, fd)
	return o.n < len(o.out)
}
