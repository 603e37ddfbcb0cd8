package rawconn

import (
	"context"
	"net"
	"sync"
)

const (
	corkBytes   = 72 << 10 // a write of 64 KiB with what HTTP and TLS add
	corkBuffers = 2        // kept for later answers
)

// Corked wraps a listener below TLS. TLS writes records of 16 KiB, each with a system call. A
// corked connection collects them, and writes them with one call. A handler gets its
// connection by ConnContext and CorkedFrom.
func Corked(l net.Listener) net.Listener {
	return &corkedListener{l, make(corkPool, corkBuffers)}
}

type corkedListener struct {
	net.Listener
	pool corkPool
}

// corkPool holds buffers that no connection uses.
type corkPool chan *[corkBytes]byte

func (p corkPool) get() *[corkBytes]byte {
	select {
	case b := <-p:
		return b
	default:
		return new([corkBytes]byte)
	}
}

func (p corkPool) put(b *[corkBytes]byte) {
	select {
	case p <- b:
	default:
	}
}

// Accept implements net.Listener.
func (l *corkedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &CorkedConn{Conn: c, pool: l.pool}, nil
}

// CorkedConn is a connection that collects what is written between Cork and Uncork.
type CorkedConn struct {
	net.Conn
	pool corkPool

	mu  sync.Mutex
	buf *[corkBytes]byte // nil: not corked
	n   int
}

// NetConn returns the connection below.
func (c *CorkedConn) NetConn() net.Conn { return c.Conn }

// Write implements net.Conn. While corked, its error may belong to an earlier Write.
func (c *CorkedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf == nil {
		return c.Conn.Write(p)
	}
	if len(p) > corkBytes-c.n {
		if err := c.flush(); err != nil {
			return 0, err
		}
		if len(p) > corkBytes {
			return c.Conn.Write(p)
		}
	}
	c.n += copy(c.buf[c.n:], p)
	return len(p), nil
}

// flush writes what was collected.
func (c *CorkedConn) flush() error {
	n := c.n
	c.n = 0
	if n == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.buf[:n])
	return err
}

// Cork starts to collect. A nil CorkedConn does nothing.
func (c *CorkedConn) Cork() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf == nil {
		c.buf = c.pool.get()
	}
}

// Uncork writes what was collected. A nil CorkedConn does nothing.
func (c *CorkedConn) Uncork() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf == nil {
		return nil
	}
	err := c.flush()
	c.pool.put(c.buf)
	c.buf = nil
	return err
}

type corkKey struct{}

// ConnContext is for http.Server.ConnContext. It stores the CorkedConn that is conn or below
// it.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	for conn != nil {
		if c, ok := conn.(*CorkedConn); ok {
			return context.WithValue(ctx, corkKey{}, c)
		}
		below, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = below.NetConn()
	}
	return ctx
}

// CorkedFrom returns the connection that ConnContext stored, or nil.
func CorkedFrom(ctx context.Context) *CorkedConn {
	c, _ := ctx.Value(corkKey{}).(*CorkedConn)
	return c
}
