package fastpath

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// ride is a connection that was taken over.
type ride struct {
	server   *Server
	next     http.Handler
	heads    heads
	conn     net.Conn
	buf      []byte
	n        int // buf[:n] has come and is not answered
	response response
	watch    watch
	busy     bool // a request is being answered; guarded by server.mu
}

func newRide(s *Server, next http.Handler, r *http.Request) *ride {
	t := &ride{server: s, next: next, busy: true, buf: make([]byte, headBytes)}
	// Nothing of a request outlives its answer, so one context serves them all: it ends
	// when the client leaves.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	t.heads.request = r.WithContext(ctx)
	t.watch = watch{ride: t, leave: cancel}
	t.response = response{ride: t, header: make(http.Header, 8)}
	return t
}

// run answers r, and then what comes on conn, until that closes or goes back to
// net/http.
func (t *ride) run(conn net.Conn, ahead []byte) {
	defer t.watch.leave()
	t.server.mu.Lock()
	t.conn = conn
	t.server.mu.Unlock()
	if len(ahead) > len(t.buf) {
		t.buf = make([]byte, len(ahead))
	}
	t.n = copy(t.buf, ahead)
	back := false
	defer func() {
		if !back {
			_ = conn.Close()
		}
	}()
	for r := t.heads.request; t.answer(r); {
		var size int
		for t.n == 0 {
			if !t.read() {
				return
			}
		}
		t.stand()
		if r, size = t.heads.of(t.server, t.buf[:t.n]); r == nil {
			back = true
			_ = conn.SetDeadline(time.Time{}) // an error shows at the next read
			t.server.giveBack(conn, t.buf[:t.n])
			return
		}
		t.n = copy(t.buf, t.buf[size:t.n])
	}
}

// read waits for the next bytes. Between two requests it lets Shutdown end the wait.
func (t *ride) read() bool {
	s := t.server
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return false
	}
	t.busy = false
	deadline := time.Time{}
	if s.o.IdleTimeout > 0 {
		deadline = time.Now().Add(s.o.IdleTimeout)
	}
	_ = t.conn.SetReadDeadline(deadline) // an error shows at the read
	s.mu.Unlock()
	n, err := t.conn.Read(t.buf)
	t.n = n
	return err == nil || n > 0
}

// stand marks the ride as busy: Shutdown waits for it.
func (t *ride) stand() {
	t.server.mu.Lock()
	t.busy = true
	t.server.mu.Unlock()
}

// stopReading ends a wait for the next request; server.mu is held.
func (t *ride) stopReading() {
	if t.conn != nil {
		_ = t.conn.SetReadDeadline(time.Unix(1, 0)) // an error means that it is closed
	}
}

// answer answers r, and reports whether the connection can carry more.
func (t *ride) answer(r *http.Request) (more bool) {
	t.watch.begin()
	t.response.begin()
	defer func() {
		if p := recover(); p != nil {
			more = false
			if p != http.ErrAbortHandler {
				t.server.o.ErrorLog.Printf("http: panic serving %v: %v\n%s", r.RemoteAddr, p, debug.Stack())
			}
		}
		more = t.watch.end() && more
	}()
	t.next.ServeHTTP(&t.response, r)
	return t.response.finish() == nil && !t.response.close
}
