package rawconn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/testwait"
)

// rawPair is both ends of a connection, the first one raw.
func rawPair(t *testing.T) (net.Conn, *net.TCPConn) {
	t.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listener(plain)
	defer func() { _ = l.Close() }()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Close(), peer.Close() })
	return c, peer.(*net.TCPConn)
}

// waitForReader waits until a goroutine waits for the network.
func waitForReader(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	testwait.Eventually(t, "a reader waits", func() bool {
		return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(" [IO wait"))
	})
}

// TestRawMovesEverything sends more than sockets buffer, both ways at a time, so that
// both ends have to wait, and the usual way is taken as well.
func TestRawMovesEverything(t *testing.T) {
	c, peer := rawPair(t)
	data := bytes.Repeat([]byte("0123456789abcde\n"), 1<<20) // 16 MiB
	sent := make(chan error, 2)
	go func() {
		_, err := peer.Write(data)
		sent <- errors.Join(err, peer.CloseWrite())
	}()
	echo := make(chan []byte, 1)
	go func() {
		got := make([]byte, len(data))
		_, err := io.ReadFull(peer, got)
		sent <- err
		echo <- got
	}()
	got, err := io.ReadAll(struct{ io.Reader }{c})
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("read %d bytes of %d, %v", len(got), len(data), err)
	}
	if n, err := c.Write(got); n != len(data) || err != nil {
		t.Fatalf("wrote %d bytes of %d, %v", n, len(data), err)
	}
	if err := errors.Join(<-sent, <-sent); err != nil || !bytes.Equal(<-echo, data) {
		t.Errorf("came back changed, %v", err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d, %v at the end", n, err)
	}
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("%d, %v for nothing", n, err)
	}
}

func TestRawDeadlines(t *testing.T) {
	c, _ := rawPair(t)
	timedOut := func(what string, err error) {
		t.Helper()
		var e net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &e) || !e.Timeout() {
			t.Errorf("%s: %v", what, err)
		}
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	timedOut("read", err)
	_, err = c.Read(make([]byte, 1))
	timedOut("read, time long up", err)
	large := make([]byte, 64<<20) // takes its time
	_ = c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	n, err := c.Write(large)
	timedOut("write", err)
	if n == 0 || n == 64<<20 {
		t.Errorf("%d bytes written in time", n)
	}
	done := make(chan error)
	_ = c.SetReadDeadline(time.Time{})
	go func() {
		_, err := c.Read(make([]byte, 1))
		done <- err
	}()
	waitForReader(t)
	_ = c.SetReadDeadline(time.Unix(1, 0))
	timedOut("read that waits", <-done)
}

// TestRawErrors: they are those of package net, which net/http looks at.
func TestRawErrors(t *testing.T) {
	c, peer := rawPair(t)
	operation := func(what, op string, err, want error) {
		t.Helper()
		var e *net.OpError
		if !errors.As(err, &e) || e.Op != op || !errors.Is(err, want) || e.Addr.String() != peer.LocalAddr().String() {
			t.Errorf("%s: %v", what, err)
		}
	}
	_ = peer.SetLinger(0)
	_ = peer.Close()
	_, err := c.Read(make([]byte, 1))
	operation("read after reset", "read", err, syscall.ECONNRESET)
	_, err = c.Write([]byte("x"))
	operation("write after reset", "write", err, syscall.EPIPE)
	_ = c.Close()
	_, err = c.Read(make([]byte, 1))
	operation("read after close", "read", err, net.ErrClosed)
	_, err = c.Write([]byte("x"))
	operation("write after close", "write", err, net.ErrClosed)
}

func TestRawCloseWakesReader(t *testing.T) {
	c, _ := rawPair(t)
	done := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		done <- err
	}()
	waitForReader(t)
	_ = c.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestRawLeavesOthersAlone(t *testing.T) {
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	if Wrap(a) != a {
		t.Error("a pipe is no socket")
	}
}

func TestRawAllocates(t *testing.T) {
	c, peer := rawPair(t)
	buf := make([]byte, 16)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = c.Write(buf)
		_, _ = peer.Read(buf)
		_, _ = peer.Write(buf)
		_, _ = c.Read(buf)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
