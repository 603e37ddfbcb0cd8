package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
)

// link is a connection to the runner.
type link struct {
	conn     net.Conn
	in       *bufio.Reader
	out      []byte // the request
	known    knownHead
	since    time.Time // it is idle
	used     bool      // has carried an exchange before this one
	answered bool      // a byte of this exchange's answer came
}

func newLink(conn net.Conn) *link {
	return &link{conn: conn, in: bufio.NewReaderSize(conn, linkBytes)}
}

// errStale is the error of a kept connection that was closed by the runner, or has a byte
// that nobody asked for. It would be taken for the beginning of the next answer.
var errStale error = &Error{Reason: ReasonReset, Err: errors.New("connection is closed or not silent")}

// send sends the request. A connection that was used before must be idle.
func (l *link) send() error {
	if !l.used {
		_, err := l.conn.Write(l.out)
		return err
	}
	err := rawconn.WriteIfIdle(l.conn, l.out)
	if err == rawconn.ErrNotIdle {
		return errStale
	}
	return err
}

func (l *link) close() {
	_ = l.conn.Close() // nothing was promised to the peer
}

// readHead reads on until the whole head of an answer is buffered, and returns it. It
// refuses one that is longer than limit.
func (l *link) readHead(limit int) ([]byte, error) {
	for from := 0; ; {
		got, _ := l.in.Peek(l.in.Buffered())
		l.answered = l.answered || len(got) > 0
		if i := bytes.Index(got[from:], []byte("\r\n\r\n")); i >= 0 && from+i+4 <= limit {
			return got[:from+i+4], nil
		}
		if len(got) >= limit {
			return nil, Errorf(ReasonProtocol, "head of more than %d bytes", limit)
		}
		from = max(0, len(got)-3)
		if _, err := l.in.Peek(len(got) + 1); err != nil {
			return nil, headError(len(got), err)
		}
	}
}

// headError tells a connection that was closed within a head from one that was
// closed before.
func headError(got int, err error) error {
	if got > 0 && ReasonOf(err) == ReasonReset {
		return Errorf(ReasonReset, "head breaks off after %d bytes", got)
	}
	return err
}

// checkHead refuses what readers could take in two ways and net/http is lenient
// with: bare CR and LF, NUL, and what checkFields refuses.
func checkHead(head []byte) error {
	end := bytes.Index(head, []byte("\r\n"))
	if bytes.ContainsAny(head[:end], "\r\n\x00") {
		return errControl
	}
	return checkFields(head[end+2:])
}

// checkFields does the same for lines "name: value" up to an empty one: folded lines
// (RFC 9112 section 5.2), spaces before a colon, and Content-Length beside
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

var errControl error = &Error{Reason: ReasonProtocol, Err: errors.New("control characters in the head")}
