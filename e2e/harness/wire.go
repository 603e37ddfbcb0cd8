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

// Wire is a connection to the gate on which a test writes raw bytes.
type Wire struct {
	net.Conn
	in *bufio.Reader
}

// Reply is an answer of the gate. Err is set when its body is incomplete.
type Reply struct {
	Status int
	Header http.Header
	Body   string
	Close  bool // the answer has Connection: close
	Err    error
}

// Dial connects from the local address from ("" means any). With a config it does a TLS handshake.
func Dial(address, from string, config *tls.Config) (*Wire, error) {
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
	return ClientTLS(conn, config)
}

// ClientTLS does a TLS handshake on conn and closes conn on an error.
func ClientTLS(conn net.Conn, config *tls.Config) (*Wire, error) {
	secure := tls.Client(conn, config)
	_ = conn.SetDeadline(time.Now().Add(wireTimeout))
	if err := secure.Handshake(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return &Wire{Conn: secure, in: bufio.NewReader(secure)}, nil
}

// MustDial is Dial that fails the test on an error. The connection is closed when the test ends.
func MustDial(t testing.TB, address string, config *tls.Config) *Wire {
	t.Helper()
	w, err := Dial(address, "", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// Send writes text without any change.
func (w *Wire) Send(text string) error {
	_ = w.SetWriteDeadline(time.Now().Add(wireTimeout))
	_, err := io.WriteString(w, text)
	return err
}

// Receive reads one answer to a request with the method.
func (w *Wire) Receive(method string) (*Reply, error) {
	_ = w.SetReadDeadline(time.Now().Add(wireTimeout))
	response, err := http.ReadResponse(w.in, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	return &Reply{response.StatusCode, response.Header, string(body), response.Close, err}, nil
}

// RoundTrip sends text and reads one answer. No answer fails the test.
func (w *Wire) RoundTrip(t testing.TB, method, text string) *Reply {
	t.Helper()
	if err := w.Send(text); err != nil {
		t.Fatalf("%.80q: %v", text, err)
	}
	reply, err := w.Receive(method)
	if err != nil {
		t.Fatalf("%.80q: %v", text, err)
	}
	return reply
}

// AwaitClose waits until the gate closes or resets the connection. The error says that
// it did not, or what it sent.
func (w *Wire) AwaitClose(within time.Duration) error {
	_ = w.SetReadDeadline(time.Now().Add(within))
	rest, err := io.ReadAll(io.LimitReader(w.in, 1<<20))
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("the connection is still open")
	case len(rest) > 0:
		return errors.New("unexpected bytes: " + string(rest[:min(len(rest), 200)]))
	}
	return nil
}
