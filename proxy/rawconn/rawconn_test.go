package rawconn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// wraps are the raw way and the portable one, which must agree.
func wraps() map[string]func(net.Conn) net.Conn {
	return map[string]func(net.Conn) net.Conn{
		"raw":      Wrap,
		"portable": func(c net.Conn) net.Conn { return c },
	}
}

// connPair is a connection, the one below it, and their peer.
func connPair(t testing.TB, wrap func(net.Conn) net.Conn) (c, below net.Conn, peer *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	below, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = below.Close(); _ = accepted.Close() })
	return wrap(below), below, accepted.(*net.TCPConn)
}

// waitReadable waits until below has something to read, of which it takes a byte, or its
// end.
func waitReadable(t *testing.T, below net.Conn) {
	t.Helper()
	testwait.Eventually(t, "something to read", func() bool { return !idle(below) })
}

func TestNothingIsWrittenToPeerThatLeftOrSpoke(t *testing.T) {
	for kind, wrap := range wraps() {
		for name, act := range map[string]func(*net.TCPConn) error{
			"speaks": func(c *net.TCPConn) error { _, err := c.Write([]byte("xx")); return err },
			"closes": (*net.TCPConn).CloseWrite,
			"resets": func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
		} {
			c, below, peer := connPair(t, wrap)
			if err := act(peer); err != nil {
				t.Fatal(err)
			}
			waitReadable(t, below)
			if err := WriteIfIdle(c, []byte("request")); err != ErrNotIdle {
				t.Errorf("%s, peer %s: %v", kind, name, err)
			}
			_ = c.Close()
			if got, _ := io.ReadAll(peer); len(got) > 0 {
				t.Errorf("%s, peer %s: it got %q", kind, name, got)
			}
		}
	}
}

// TestWriteIfIdleMissesNoAnswer takes answers that come at once, late, and in pieces, many
// times, so that one that is missed would show, and requests of all sizes.
func TestWriteIfIdleMissesNoAnswer(t *testing.T) {
	for kind, wrap := range wraps() {
		t.Run(kind, func(t *testing.T) {
			c, _, peer := connPair(t, wrap)
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			const rounds = 200
			size := func(n int) int { // of the requests; some are more than a socket takes
				if n%100 == 99 {
					return 16 << 20
				}
				return n + 1
			}
			answered := make(chan error, 1)
			go func() { answered <- answerEach(peer, rounds, size) }()
			large, got := bytes.Repeat([]byte("x"), 16<<20), make([]byte, 6)
			for n := range rounds {
				if err := WriteIfIdle(c, large[:size(n)]); err != nil {
					t.Fatalf("request %d: %v", n, err)
				}
				if _, err := io.ReadFull(c, got); err != nil || string(got) != "answer" {
					t.Fatalf("answer %d: %q, %v", n, got, err)
				}
			}
			if err := <-answered; err != nil {
				t.Error(err)
			}
		})
	}
}

// answerEach reads requests of the given sizes, and answers each in two pieces, some late.
func answerEach(peer io.ReadWriter, rounds int, size func(n int) int) error {
	buf := make([]byte, 16<<20)
	for n := range rounds {
		if _, err := io.ReadFull(peer, buf[:size(n)]); err != nil {
			return err
		}
		if n%10 == 1 {
			time.Sleep(time.Millisecond) //permit:time.Sleep the test is about a peer that is slow
		}
		if _, err := peer.Write([]byte("ans")); err != nil {
			return err
		}
		if n%10 == 2 {
			time.Sleep(time.Millisecond) //permit:time.Sleep the second piece comes alone
		}
		if _, err := peer.Write([]byte("wer")); err != nil {
			return err
		}
	}
	return nil
}

func TestWriteIfIdleWaitsUntilTheDeadline(t *testing.T) {
	for kind, wrap := range wraps() {
		for name, set := range map[string]func(net.Conn){
			"before": func(c net.Conn) { _ = c.SetDeadline(time.Now().Add(20 * time.Millisecond)) },
			"past":   func(c net.Conn) { _ = c.SetDeadline(time.Unix(1, 0)) },
			"meanwhile": func(c net.Conn) {
				time.AfterFunc(20*time.Millisecond, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
			},
		} {
			c, _, _ := connPair(t, wrap)
			set(c)
			err := WriteIfIdle(c, []byte("request"))
			if err == nil {
				_, err = c.Read(make([]byte, 1))
			}
			var op *net.OpError
			if !errors.Is(err, os.ErrDeadlineExceeded) && (err != ErrNotIdle || name != "past") {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
			if errors.As(err, &op) && op.Op != "read" {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
		}
	}
}
