package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"net"

	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// runnerConn is a connection to the runner. One exchange uses it at a time.
type runnerConn struct {
	conn     net.Conn
	in       *bufio.Reader
	out      []byte // the request
	heads    headCache
	used     bool // has carried an exchange before this one
	answered bool // a byte of this exchange's answer came
}

func newRunnerConn(conn net.Conn) *runnerConn {
	return &runnerConn{conn: conn, in: bufio.NewReaderSize(conn, readBufferBytes)}
}

// errNotIdle is the error of a kept connection that the runner closed, or on which it sent
// bytes before the request. They would be taken for the beginning of the next answer.
var errNotIdle error = &Error{Reason: ReasonReset, Err: errors.New("connection is closed or not idle")}

// send sends the request. A connection that was used before must be idle.
func (c *runnerConn) send() error {
	if !c.used {
		_, err := c.conn.Write(c.out)
		return err
	}
	err := rawconn.WriteIfIdle(c.conn, c.out)
	if err == rawconn.ErrNotIdle {
		return errNotIdle
	}
	return err
}

func (c *runnerConn) close() {
	_ = c.conn.Close() // an error changes nothing
}

// readFinalHead reads past interim answers to the head of the final one, which stays
// buffered. All heads together may have limit bytes.
func (c *runnerConn) readFinalHead(limit int) ([]byte, error) {
	for {
		head, err := c.readHead(limit)
		if err != nil || c.heads.matches(head) {
			return head, err
		}
		if err := checkHead(head); err != nil {
			return nil, err
		}
		if !isInterim(head) {
			return head, nil
		}
		limit -= len(head)
		_, _ = c.in.Discard(len(head)) // buffered
	}
}

// readHead reads until the whole head of an answer is buffered, and returns it. A head of
// more than limit bytes is an error.
func (c *runnerConn) readHead(limit int) ([]byte, error) {
	for from := 0; ; {
		got, _ := c.in.Peek(c.in.Buffered())
		c.answered = c.answered || len(got) > 0
		if i := bytes.Index(got[from:], []byte("\r\n\r\n")); i >= 0 && from+i+4 <= limit {
			return got[:from+i+4], nil
		}
		if len(got) >= limit {
			return nil, Errorf(ReasonProtocol, "head of more than %d bytes", limit)
		}
		if err := checkPartialHead(got, from); err != nil {
			return nil, err
		}
		from = max(0, len(got)-3)
		if _, err := c.in.Peek(len(got) + 1); err != nil {
			return nil, headError(len(got), err)
		}
	}
}

// headError distinguishes a connection that was closed within a head, after got bytes, from
// one that was closed before it.
func headError(got int, err error) error {
	if got > 0 && ReasonOf(err) == ReasonReset {
		return Errorf(ReasonReset, "head breaks off after %d bytes", got)
	}
	return err
}

// httpVersion is what each answer begins with. A digit and a space follow it.
const httpVersion = "HTTP/1."

// checkPartialHead refuses the beginning of a head that no further byte can complete, so that
// nobody waits for that: it is not HTTP/1.x, or has a bare LF. Up to from it was checked.
func checkPartialHead(head []byte, from int) error {
	if !bytes.HasPrefix(head, []byte(httpVersion[:min(len(head), len(httpVersion))])) {
		return errVersion
	}
	for i := from; i < len(head); i++ {
		if head[i] == '\n' && (i == 0 || head[i-1] != '\r') {
			return errControl
		}
	}
	return nil
}

// isInterim reports whether head, which has passed checkHead, is an informational answer
// before the final one (RFC 9110 section 15.2). 101 is final: the connection changes its
// protocol.
func isInterim(head []byte) bool {
	const at = len(httpVersion + "1 ")
	status := head[at:min(len(head), at+len("100 "))]
	return len(status) == len("100 ") && status[0] == '1' && string(status[:3]) != "101" &&
		isDigit(status[1]) && isDigit(status[2]) && (status[3] == ' ' || status[3] == '\r')
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// checkHead refuses what is not HTTP/1.x, and what two parsers could read in two ways although
// net/http accepts it: bare CR or LF, NUL, and what checkFields refuses.
func checkHead(head []byte) error {
	end := bytes.Index(head, []byte("\r\n"))
	version := len(httpVersion + "1 ")
	if end < version || string(head[:len(httpVersion)]) != httpVersion || !isDigit(head[version-2]) ||
		head[version-1] != ' ' {
		return errVersion
	}
	if bytes.ContainsAny(head[:end], "\r\n\x00") {
		return errControl
	}
	return checkFields(head[end+2:])
}

// checkFields checks lines "name: value" up to an empty one. It also refuses folded lines
// (RFC 9112 section 5.2), spaces before a colon, and Content-Length together with
// Transfer-Encoding (section 6.3).
func checkFields(b []byte) error {
	var length, coding bool
	for len(b) > 2 {
		end := bytes.Index(b, []byte("\r\n"))
		line := b[:end]
		b = b[end+2:]
		if bytes.ContainsAny(line, "\r\n\x00") {
			return errControl
		}
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !ok || bytes.ContainsAny(name, " \t") || len(name) == 0 {
			return Errorf(ReasonProtocol, "malformed header line")
		}
		length = length || bytes.EqualFold(name, []byte("Content-Length"))
		coding = coding || bytes.EqualFold(name, []byte("Transfer-Encoding"))
	}
	if length && coding {
		return Errorf(ReasonProtocol, "both Content-Length and Transfer-Encoding")
	}
	return nil
}

var (
	errControl = Errorf(ReasonProtocol, "control characters in the head")
	errVersion = Errorf(ReasonProtocol, "not an answer in HTTP/1.x")
)
