// Package fastpath answers the scrapes that repeat on a connection, without net/http's
// server around each of them.
//
// net/http's server accepts every connection, and answers on it whatever a stranger
// sends. When a request of a connection has been welcomed, because its sender proved a
// right, the connection's next plain scrape takes it over: from then on its requests are read
// here and answered by the same handler, each from the beginning. What is not byte for
// byte a scrape in the plainest form gives the connection, with all that was read of
// it, back to net/http for good. So nothing is interpreted here that net/http
// would understand in another way, and nothing is decided here.
package fastpath

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// watchAfter is how long a request may take before anyone looks whether its client is
// still there. net/http looks at once, which costs two system calls and a goroutine;
// most scrapes are over sooner.
const watchAfter = 50 * time.Millisecond

// Options say what is answered here, and for how long what may take.
type Options struct {
	Path         string        // the only target
	IdleTimeout  time.Duration // between two requests; 0: no bound
	WriteTimeout time.Duration // for an answer whose handler sets no deadline; 0: no bound
	ErrorLog     *log.Logger   // of panics; nil: the standard logger
}

// Server takes connections over from an http.Server.
type Server struct {
	o Options

	mu       sync.Mutex
	rides    map[*ride]struct{}
	closing  bool
	empty    chan struct{} // closed when closing and no ride is left
	returned chan net.Conn
	ended    chan struct{} // closed with closing: nothing is returned any more
}

// New returns a Server. For it to work its Handler must be the http.Server's, its ConnContext
// part of the http.Server's, and the http.Server must also serve its Listener.
func New(o Options) *Server {
	if o.ErrorLog == nil {
		o.ErrorLog = log.Default()
	}
	return &Server{
		o: o, rides: map[*ride]struct{}{}, empty: make(chan struct{}),
		returned: make(chan net.Conn), ended: make(chan struct{}),
	}
}

// place is what is known of a connection that net/http serves.
type place struct{ welcome bool }

type placeKey struct{}

// ConnContext is for http.Server.ConnContext.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if _, ok := conn.(interface{ wasHere() }); ok {
		return ctx // once is enough: a connection must not go to and fro
	}
	return context.WithValue(ctx, placeKey{}, new(place))
}

// Welcome says that the sender of the request of ctx has proven a right: scrapes that
// follow on its connection may be answered here.
func Welcome(ctx context.Context) {
	if p, ok := ctx.Value(placeKey{}).(*place); ok {
		p.welcome = true
	}
}

// Handler passes requests on to next, and takes their connection over when it may.
// It must be the outermost handler.
func (s *Server) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := r.Context().Value(placeKey{}).(*place)
		if !ok || !p.welcome || !s.plain(r) {
			next.ServeHTTP(w, r)
			return
		}
		t := s.admit(next, r)
		if t == nil {
			next.ServeHTTP(w, r)
			return
		}
		defer s.forget(t)
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		n := buffered.Reader.Buffered()
		ahead, _ := buffered.Peek(n) // cannot fail: they are there
		t.run(conn, ahead)
	})
}

// admit makes a ride for the connection of r, unless the server is closing.
func (s *Server) admit(next http.Handler, r *http.Request) *ride {
	t := newRide(s, next, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil
	}
	s.rides[t] = struct{}{}
	return t
}

func (s *Server) forget(t *ride) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rides, t)
	if s.closing && len(s.rides) == 0 {
		close(s.empty)
	}
}

// Shutdown closes connections that are idle, the others after their answer, and waits
// for that, until ctx ends. Requests that have come are answered. Nothing is taken over
// or given back any more.
func (s *Server) Shutdown(ctx context.Context) error {
	s.end(func(t *ride) {
		if !t.busy {
			t.stopReading()
		}
	})
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ending reports whether no further request is welcome.
func (s *Server) ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Close closes all connections at once, below TLS, which might wait for a client to take its
// farewell.
func (s *Server) Close() error {
	var errs []error
	s.end(func(t *ride) {
		if t.conn == nil {
			return
		}
		conn := t.conn
		if secure, ok := conn.(*tls.Conn); ok {
			conn = secure.NetConn()
		}
		errs = append(errs, conn.Close())
	})
	return errors.Join(errs...)
}

// end lets nothing begin any more, and does what is to be done with each ride.
func (s *Server) end(do func(*ride)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.closing = true
		close(s.ended)
		if len(s.rides) == 0 {
			close(s.empty)
		}
	}
	for t := range s.rides {
		do(t)
	}
}
