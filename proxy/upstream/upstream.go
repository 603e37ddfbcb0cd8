package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// Bounds of the connections to the runner.
const (
	idleLinks    = 4                // connections kept
	idleTime     = 30 * time.Second // and how long; less than servers commonly keep theirs
	headerBytes  = 16 << 10         // default for UpstreamOptions.HeaderBytes
	linkBytes    = 512 << 10        // read buffer of a connection
	closeTimeout = 5 * time.Second  // for Reachable, when its context has no deadline
)

// UpstreamOptions say where the runner is.
type Options struct {
	Address     Address
	UserAgent   string // sent with each request
	HeaderBytes int    // longest head of an answer; 0: 16 KiB, at most 512 KiB
}

// Upstream asks the runner. An exchange runs on the goroutine that wants it,
// over one of a few persistent connections.
type Client struct {
	address   string
	userAgent string
	headBytes int
	get, head *http.Request // what http.ReadResponse wants to know

	mu     sync.Mutex
	idle   []*link     // last used last
	expiry *time.Timer // looks for what was idle for too long
	armed  bool        // it will
	closed bool
}

// NewUpstream dials nothing yet.
func New(o Options) *Client {
	if o.HeaderBytes <= 0 {
		o.HeaderBytes = headerBytes
	}
	return &Client{
		address: o.Address.dial, userAgent: o.UserAgent, headBytes: min(o.HeaderBytes, linkBytes),
		get: &http.Request{Method: http.MethodGet}, head: &http.Request{Method: http.MethodHead},
	}
}

// Close closes the idle connections. Those in use are closed when their exchange
// ends.
func (u *Client) Close() {
	u.mu.Lock()
	idle := u.idle
	u.idle, u.closed = nil, true
	if u.expiry != nil {
		u.expiry.Stop()
	}
	u.mu.Unlock()
	for _, l := range idle {
		l.close()
	}
}

// Reachable reports whether something accepts connections at the address. It
// sends nothing.
func (u *Client) Reachable(ctx context.Context) bool {
	conn, err := (&net.Dialer{Timeout: closeTimeout}).DialContext(ctx, "tcp", u.address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// request is what the runner is asked. There is no other way to put it.
type Request struct {
	Method   string // GET, HEAD or POST
	Path     string // a constant
	Query    string // rebuilt, without "?"; empty: none
	Accept   string // empty: none
	Body     string // for POST
	Deadline time.Time
}

// append writes r in the form of RFC 9112.
func (u *Client) append(b []byte, r *Request) []byte {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, r.Path...)
	if r.Query != "" {
		b = append(b, '?')
		b = append(b, r.Query...)
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, u.address...)
	b = append(b, "\r\nUser-Agent: "...)
	b = append(b, u.userAgent...)
	if r.Accept != "" {
		b = append(b, "\r\nAccept: "...)
		b = append(b, r.Accept...)
	}
	b = append(b, "\r\nAccept-Encoding: identity"...)
	if r.Method == http.MethodPost {
		b = append(b, "\r\nContent-Type: text/plain\r\nContent-Length: "...)
		b = strconv.AppendInt(b, int64(len(r.Body)), 10)
	}
	b = append(b, "\r\n\r\n"...)
	return append(b, r.Body...)
}

// do performs an exchange up to the body of its answer, which the caller must
// close. A kept connection that turns out to be closed is replaced once, by a new
// one, if nothing was answered on it. Errors are classed by reasonOf.
func (u *Client) Do(r *Request, in *Canceler) (*Response, error) {
	for fresh := false; ; {
		l, err := u.link(r.Deadline, in, fresh)
		if err != nil {
			return nil, in.Cause(err)
		}
		a, err := u.ask(l, r, in)
		if err == nil {
			return a, nil
		}
		in.release()
		l.close()
		if err == errStale {
			continue // nothing was sent on it
		}
		if fresh || !l.used || l.answered || ReasonOf(in.Cause(err)) != ReasonReset {
			return nil, in.Cause(err)
		}
		fresh = true
	}
}

// link takes a connection that was kept, unless it must be fresh, or dials.
func (u *Client) link(deadline time.Time, in *Canceler, fresh bool) (*link, error) {
	if !fresh {
		if l := u.take(); l != nil {
			err := in.hold(l.conn, deadline)
			if err != nil {
				l.close()
			}
			return l, err
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	if err := in.dialing(cancel); err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", u.address)
	if err != nil {
		return nil, err
	}
	if err := in.hold(conn, deadline); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return newLink(rawconn.Wrap(conn)), nil
}

// ask sends r and reads the head of the answer.
func (u *Client) ask(l *link, r *Request, in *Canceler) (*Response, error) {
	l.out = u.append(l.out[:0], r)
	if err := l.send(); err != nil {
		return nil, err
	}
	head, err := l.readHead(u.headBytes)
	if err != nil {
		return nil, err
	}
	a := &Response{link: l, upstream: u, in: in}
	if r.Method == http.MethodGet && l.known.covers(head) {
		_, _ = l.in.Discard(len(head)) // buffered
		a.recognize(&l.known)
		return a, nil
	}
	return a, u.parse(a, head, r.Method)
}

// parse reads the head of an answer to method as net/http does, more strictly.
func (u *Client) parse(a *Response, head []byte, method string) error {
	if err := checkHead(head); err != nil {
		return err
	}
	asked, known := u.get, &a.link.known
	switch method {
	case http.MethodGet:
		known.note(head)
	case http.MethodHead:
		asked = u.head
	}
	res, err := http.ReadResponse(a.link.in, asked)
	if err != nil {
		return &Error{Reason: ReasonProtocol, Err: err}
	}
	a.body, a.last, a.drained = res.Body, res.Close, asked == u.head
	if err := a.judge(res); err != nil {
		return err
	}
	if method == http.MethodGet {
		known.settle(a, res)
	}
	return nil
}

// errLeft is the cause of an exchange that nobody waits for any more.
var ErrCanceled error = &Error{Reason: ReasonCanceled, Err: errors.New("nobody waits for the answer")}
