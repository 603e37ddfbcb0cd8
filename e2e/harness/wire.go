package harness

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// wireTimeout bounds each wait for the gate on a Wire.
const wireTimeout = 10 * time.Second

// Wire is a connection to the gate on which a test writes what it likes.
type Wire struct {
	net.Conn
	in *bufio.Reader
}

// Reply is an answer of the gate's. Err is what ended its body, if that was not its end.
type Reply struct {
	Status int
	Header http.Header
	Body   string
	Close  bool // the gate says that the connection ends
	Err    error
}

// Call connects from the address from ("" is any) and shakes hands when there is a config.
func Call(address, from string, config *tls.Config) (*Wire, error) {
	dialer := net.Dialer{Timeout: wireTimeout}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if config == nil {
		return &Wire{Conn: conn, in: bufio.NewReader(conn)}, nil
	}
	return Secure(conn, config)
}

// Secure shakes hands on conn, which is closed on an error.
func Secure(conn net.Conn, config *tls.Config) (*Wire, error) {
	secure := tls.Client(conn, config)
	_ = conn.SetDeadline(time.Now().Add(wireTimeout))
	if err := secure.Handshake(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return &Wire{Conn: secure, in: bufio.NewReader(secure)}, nil
}

// MustCall is Call for a test, which it ends on an error. The connection ends with the test.
func MustCall(t testing.TB, address string, config *tls.Config) *Wire {
	t.Helper()
	w, err := Call(address, "", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// Say writes text as it stands.
func (w *Wire) Say(text string) error {
	_ = w.SetWriteDeadline(time.Now().Add(wireTimeout))
	_, err := io.WriteString(w, text)
	return err
}

// Hear reads one answer to a request with the method.
func (w *Wire) Hear(method string) (*Reply, error) {
	_ = w.SetReadDeadline(time.Now().Add(wireTimeout))
	response, err := http.ReadResponse(w.in, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	return &Reply{response.StatusCode, response.Header, string(body), response.Close, err}, nil
}

// Ask says text and reads one answer, which must come.
func (w *Wire) Ask(t testing.TB, method, text string) *Reply {
	t.Helper()
	if err := w.Say(text); err != nil {
		t.Fatalf("%.80q: %v", text, err)
	}
	reply, err := w.Hear(method)
	if err != nil {
		t.Fatalf("%.80q: %v", text, err)
	}
	return reply
}

// Ended waits for the gate to close or reset the connection and reports whether it did.
// The error is what came instead.
func (w *Wire) Ended(within time.Duration) error {
	_ = w.SetReadDeadline(time.Now().Add(within))
	rest, err := io.ReadAll(io.LimitReader(w.in, 1<<20))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("the connection is still open")
	case len(rest) > 0:
		return errors.New("more came: " + string(rest[:min(len(rest), 200)]))
	}
	return nil
}
