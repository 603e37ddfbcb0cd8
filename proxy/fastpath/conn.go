package fastpath

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// conn is a connection that net/http has handed to the Server.
type conn struct {
	server   *Server
	next     http.Handler
	parser   headParser
	netConn  net.Conn
	buf      []byte
	n        int // buf[:n] was read and not answered yet
	response response
	watch    watch
	busy     bool // a request is being answered; guarded by server.mu
}

func newConn(s *Server, next http.Handler, r *http.Request) *conn {
	c := &conn{server: s, next: next, busy: true, buf: make([]byte, headBytes)}
	// No request outlives its answer, so one context serves them all. It ends when the
	// client leaves.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	if s.o.Context != nil {
		ctx = s.o.Context(ctx)
	}
	c.parser.request = r.WithContext(ctx)
	c.watch = watch{conn: c, cancel: cancel}
	c.response = response{conn: c, header: make(http.Header, 8)}
	return c
}

// run answers the first request, and then what comes on netConn, until that closes or goes
// back to net/http.
func (c *conn) run(netConn net.Conn, buffered []byte) {
	defer c.watch.cancel()
	c.server.mu.Lock()
	c.netConn = netConn
	c.server.mu.Unlock()
	if len(buffered) > len(c.buf) {
		c.buf = make([]byte, len(buffered))
	}
	c.n = copy(c.buf, buffered)
	back := false
	defer func() {
		if !back {
			_ = netConn.Close()
		}
	}()
	for r := c.parser.request; c.answer(r); {
		var size int
		for c.n == 0 {
			if !c.read() {
				return
			}
		}
		c.markBusy()
		if r, size = c.parser.parse(c.server, c.buf[:c.n]); r == nil {
			back = true
			_ = netConn.SetDeadline(time.Time{}) // an error shows at the next read
			c.server.handBack(netConn, c.buf[:c.n])
			return
		}
		c.n = copy(c.buf, c.buf[size:c.n])
	}
}

// read waits for the next bytes. Between two requests Shutdown may end the wait.
func (c *conn) read() bool {
	s := c.server
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return false
	}
	c.busy = false
	deadline := time.Time{}
	if s.o.IdleTimeout > 0 {
		deadline = time.Now().Add(s.o.IdleTimeout)
	}
	_ = c.netConn.SetReadDeadline(deadline)     // an error shows at the read
	_ = c.netConn.SetWriteDeadline(time.Time{}) // its timer would wake the process
	s.mu.Unlock()
	n, err := c.netConn.Read(c.buf)
	c.n = n
	return err == nil || n > 0
}

// markBusy makes Shutdown wait for the connection.
func (c *conn) markBusy() {
	c.server.mu.Lock()
	c.busy = true
	c.server.mu.Unlock()
}

// stopReading ends a wait for the next request. server.mu is held.
func (c *conn) stopReading() {
	if c.netConn != nil {
		_ = c.netConn.SetReadDeadline(time.Unix(1, 0)) // an error means that it is closed
	}
}

// answer answers r, and reports whether the connection can carry more requests.
func (c *conn) answer(r *http.Request) (more bool) {
	c.watch.begin()
	defer func() {
		if p := recover(); p != nil {
			more = false
			if p != http.ErrAbortHandler {
				c.server.o.ErrorLog.Printf("http: panic serving %v: %v\n%s", r.RemoteAddr, p, debug.Stack())
			}
		}
		more = c.watch.end() && more
	}()
	c.next.ServeHTTP(&c.response, r)
	more = c.response.finish() == nil && !c.response.close
	// Now, as nobody waits for it. So no handler may use the response after its return.
	c.response.reset()
	return more
}
