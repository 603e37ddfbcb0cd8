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
	maxIdle            = 4               // connections kept
	defaultHeaderBytes = 16 << 10        // of Options.HeaderBytes
	readBufferBytes    = 512 << 10       // read buffer of a connection
	dialTimeout        = 5 * time.Second // for Reachable, when its context has no deadline
)

// Options say where the runner is.
type Options struct {
	Address     Address
	UserAgent   string // sent with each request
	HeaderBytes int    // longest head of an answer; 0: 16 KiB, at most 512 KiB
	NoHeadCache bool   // parse every head, to see whether the cache causes a fault
}

// Client asks the runner. An exchange runs on the caller's goroutine, over one of a few
// kept connections. Several goroutines may use a Client.
type Client struct {
	address        string
	userAgent      string
	maxHeaderBytes int
	cacheHeads     bool
	get, head      *http.Request // what http.ReadResponse wants to know

	mu     sync.Mutex
	idle   []*runnerConn // last used last
	unused int           // how many of idle were not used since ReleaseIdle
	closed bool
}

// New returns a Client. It dials nothing yet.
func New(o Options) *Client {
	if o.HeaderBytes <= 0 {
		o.HeaderBytes = defaultHeaderBytes
	}
	return &Client{
		address: o.Address.dial, userAgent: o.UserAgent, maxHeaderBytes: min(o.HeaderBytes, readBufferBytes),
		cacheHeads: !o.NoHeadCache,
		get:        &http.Request{Method: http.MethodGet}, head: &http.Request{Method: http.MethodHead},
	}
}

// Close closes the idle connections. Those in use are closed when their exchange
// ends.
func (c *Client) Close() {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.unused, c.closed = nil, 0, true
	c.mu.Unlock()
	for _, conn := range idle {
		conn.close()
	}
}

// Reachable reports whether something accepts connections at the address. It
// sends nothing.
func (c *Client) Reachable(ctx context.Context) bool {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// Request is what the runner is asked. Nothing else is ever sent to it.
type Request struct {
	Method   string // GET, HEAD or POST
	Path     string // a constant
	Query    string // rebuilt, without "?"; empty: none
	Accept   string // empty: none
	Body     string // for POST
	Deadline time.Time
}

// appendRequest appends r as RFC 9112 section 3 has it.
func (c *Client) appendRequest(b []byte, r *Request) []byte {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, r.Path...)
	if r.Query != "" {
		b = append(b, '?')
		b = append(b, r.Query...)
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, c.address...)
	b = append(b, "\r\nUser-Agent: "...)
	b = append(b, c.userAgent...)
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

// Do performs an exchange up to the body of its answer, which the caller must close. The answer is
// valid until exchange is used again. Do dials once more if a kept connection turns out to be
// closed before any byte of an answer. ReasonOf classes the errors.
func (c *Client) Do(r *Request, exchange *Exchange) (*Response, error) {
	for fresh := false; ; {
		conn, err := c.connect(r.Deadline, exchange, fresh)
		if err != nil {
			return nil, exchange.Cause(err)
		}
		res, err := c.roundTrip(conn, r, exchange)
		if err == nil {
			return res, nil
		}
		exchange.unbind()
		conn.close()
		if err == errNotIdle {
			continue // nothing was sent on it
		}
		err = exchange.Cause(err)
		if fresh || !conn.used || conn.answered || ReasonOf(err) != ReasonReset {
			return nil, err
		}
		fresh = true
	}
}

// connect takes an idle connection, unless it must be fresh, or dials.
func (c *Client) connect(deadline time.Time, exchange *Exchange, fresh bool) (*runnerConn, error) {
	if !fresh {
		if conn := c.takeIdle(); conn != nil {
			err := exchange.bind(conn.conn, deadline)
			if err != nil {
				conn.close()
			}
			return conn, err
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	if err := exchange.bindDial(cancel); err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	if err := exchange.bind(conn, deadline); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return newRunnerConn(rawconn.Wrap(conn)), nil
}

// roundTrip sends r and reads the head of the answer.
func (c *Client) roundTrip(conn *runnerConn, r *Request, exchange *Exchange) (*Response, error) {
	conn.out = c.appendRequest(conn.out[:0], r)
	if err := conn.send(); err != nil {
		return nil, err
	}
	head, err := conn.readFinalHead(c.maxHeaderBytes)
	if err != nil {
		return nil, err
	}
	res := &exchange.response
	*res = Response{conn: conn, client: c, exchange: exchange}
	if r.Method == http.MethodGet && conn.heads.matches(head) {
		_, _ = conn.in.Discard(len(head)) // buffered
		res.ContentType, res.Disposition, res.cached = conn.heads.contentType, conn.heads.disposition, true
		res.setBody(conn.heads.length)
		return res, nil
	}
	return res, c.parse(res, head, r.Method)
}

// parse reads the head of an answer to method, which has passed checkHead, as net/http does.
func (c *Client) parse(res *Response, head []byte, method string) error {
	asked, heads := c.get, &res.conn.heads
	switch method {
	case http.MethodGet:
		if c.cacheHeads {
			heads.store(head)
		}
	case http.MethodHead:
		asked = c.head
	}
	parsed, err := http.ReadResponse(res.conn.in, asked)
	if err != nil {
		return &Error{Reason: ReasonProtocol, Err: err}
	}
	if err := res.validate(parsed); err != nil {
		return err
	}
	res.closes = parsed.Close
	switch method {
	case http.MethodGet:
		heads.commit(res, parsed)
	case http.MethodHead: // has no body, whatever its length says
		res.drained, parsed.ContentLength = true, 0
	}
	res.setBody(parsed.ContentLength)
	return nil
}

// ErrCanceled is the cause to give Cancel when nobody waits for the answer any more.
var ErrCanceled error = &Error{Reason: ReasonCanceled, Err: errors.New("nobody waits for the answer")}
