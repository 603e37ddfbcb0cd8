package fastpath

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// watchAfter is how long a request may take before its client is watched. net/http watches
// from the start, which costs two system calls and a goroutine. Most scrapes end sooner.
const watchAfter = 50 * time.Millisecond

// Options say what is answered, and how long it may take.
type Options struct {
	Off          bool          // leave all connections to net/http, to see whether a fault is here
	Path         string        // the only target
	IdleTimeout  time.Duration // between two requests; 0: no limit
	WriteTimeout time.Duration // for an answer whose handler sets no deadline; 0: no limit
	ErrorLog     *log.Logger   // of panics; nil: nothing is logged

	// Context adds to the context of a connection's requests, which come one after the other; nil: nothing.
	Context func(context.Context) context.Context
}

// Server takes connections over from an http.Server.
type Server struct {
	o Options

	mu         sync.Mutex
	conns      map[*conn]struct{}
	closing    bool
	drained    chan struct{} // closed when closing and no connection is left
	handedBack chan net.Conn
	closed     chan struct{} // closed with closing: nothing is handed back any more
}

// New returns a Server. The http.Server must have its Handler as the outermost one and
// ConnContext as part of its own, and must also serve its Listener.
func New(o Options) *Server {
	if o.ErrorLog == nil {
		o.ErrorLog = log.New(io.Discard, "", 0)
	}
	return &Server{
		o: o, conns: map[*conn]struct{}{}, drained: make(chan struct{}),
		handedBack: make(chan net.Conn), closed: make(chan struct{}),
	}
}

// connState is the state of a connection that net/http serves.
type connState struct{ authorized bool }

type connStateKey struct{}

// ConnContext is for http.Server.ConnContext.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if _, ok := conn.(interface{ replayed() }); ok {
		return ctx // a connection is handed back once and for all
	}
	return context.WithValue(ctx, connStateKey{}, new(connState))
}

// MarkAuthorized records that the request of ctx was authorized. Later scrapes on its
// connection may be answered here.
func MarkAuthorized(ctx context.Context) {
	if state, ok := ctx.Value(connStateKey{}).(*connState); ok {
		state.authorized = true
	}
}

// Handler passes requests to next, and takes over their connections when it may. It must be
// the outermost handler.
func (s *Server) Handler(next http.Handler) http.Handler {
	if s.o.Off {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, ok := r.Context().Value(connStateKey{}).(*connState)
		if !ok || !state.authorized || !s.plain(r) {
			next.ServeHTTP(w, r)
			return
		}
		c := s.add(next, r)
		if c == nil {
			next.ServeHTTP(w, r)
			return
		}
		defer s.remove(c)
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		first, _ := buffered.Peek(buffered.Reader.Buffered()) // cannot fail
		c.run(conn, first)
	})
}

// add makes a conn for the connection of r, or returns nil when the server is closing.
func (s *Server) add(next http.Handler, r *http.Request) *conn {
	c := newConn(s, next, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil
	}
	s.conns[c] = struct{}{}
	return c
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.closing && len(s.conns) == 0 {
		close(s.drained)
	}
}

// Shutdown closes idle connections at once, and the others after their answer. It waits for
// that until ctx ends. Requests that were read are answered. No connection is accepted from
// net/http or handed back any more.
func (s *Server) Shutdown(ctx context.Context) error {
	s.closeEach(func(c *conn) {
		if !c.busy {
			c.stopReading()
		}
	})
	select {
	case <-s.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isClosing reports whether no further request is accepted.
func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Close closes the TCP connections directly: tls.Conn.Close could block sending
// close_notify.
func (s *Server) Close() error {
	var errs []error
	s.closeEach(func(c *conn) {
		if c.netConn == nil {
			return
		}
		conn := c.netConn
		if secure, ok := conn.(secureConn); ok {
			conn = secure.NetConn()
		}
		errs = append(errs, conn.Close())
	})
	return errors.Join(errs...)
}

// closeEach starts the shutdown, and calls do with each connection. s.mu is held meanwhile.
func (s *Server) closeEach(do func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.closing = true
		close(s.closed)
		if len(s.conns) == 0 {
			close(s.drained)
		}
	}
	for c := range s.conns {
		do(c)
	}
}
