package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// linkPair is a connection that was used before, and its peer.
func linkPair(t testing.TB) (*link, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	l := newLink(direct(conn))
	l.used = true
	t.Cleanup(func() { l.close(); _ = peer.Close() })
	return l, peer.(*net.TCPConn)
}

// TestSendLooksFirst: nothing is sent to a peer that left or says something unasked.
func TestSendLooksFirst(t *testing.T) {
	for name, act := range map[string]func(*net.TCPConn) error{
		"says something": func(c *net.TCPConn) error { _, err := c.Write([]byte("x")); return err },
		"closes":         (*net.TCPConn).CloseWrite,
		"resets":         func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
	} {
		l, peer := linkPair(t)
		if err := act(peer); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // for the loopback
		l.out = []byte("request")
		if err := l.send(); err != errStale {
			t.Errorf("%s: %v", name, err)
		}
		l.close()
		if got, _ := io.ReadAll(peer); len(got) > 0 {
			t.Errorf("%s: peer got %q", name, got)
		}
	}
}

// TestSendAndAnswer takes answers that come at once, late, and in pieces, many times, so
// that one that is missed would show, and requests of all sizes.
func TestSendAndAnswer(t *testing.T) {
	l, peer := linkPair(t)
	_ = l.conn.SetDeadline(time.Now().Add(20 * time.Second))
	const rounds = 300
	sent := make(chan error, 1)
	size := func(n int) int { // of the requests; some are more than a socket takes
		if n%100 == 99 {
			return 16 << 20
		}
		return n + 1
	}
	go func() {
		buf := make([]byte, 16<<20)
		for n := range rounds {
			if _, err := io.ReadFull(peer, buf[:size(n)]); err != nil {
				sent <- err
				return
			}
			if n%10 == 1 {
				time.Sleep(time.Millisecond)
			}
			_, _ = peer.Write([]byte("ans"))
			if n%10 == 2 {
				time.Sleep(time.Millisecond)
			}
			_, _ = peer.Write([]byte("wer"))
		}
		sent <- nil
	}()
	large := bytes.Repeat([]byte("x"), 16<<20)
	got := make([]byte, 6)
	for n := range rounds {
		l.out = large[:size(n)]
		if err := l.send(); err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
		if _, err := io.ReadFull(l.in, got); err != nil || string(got) != "answer" {
			t.Fatalf("answer %d: %q, %v", n, got, err)
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// TestSendDeadline: the wait ends at the deadline, also at one that is set meanwhile.
func TestSendDeadline(t *testing.T) {
	for name, set := range map[string]func(net.Conn){
		"before":    func(c net.Conn) { _ = c.SetDeadline(time.Now().Add(20 * time.Millisecond)) },
		"past":      func(c net.Conn) { _ = c.SetDeadline(time.Unix(1, 0)) },
		"meanwhile": func(c net.Conn) { time.AfterFunc(20*time.Millisecond, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) },
	} {
		l, _ := linkPair(t)
		set(l.conn)
		l.out = []byte("request")
		err := l.send()
		if err == nil {
			_, err = l.in.Peek(1)
		}
		var failed *net.OpError
		if !errors.Is(err, os.ErrDeadlineExceeded) && err != errStale || reasonOf(err) != reasonTimeout && name != "past" {
			t.Errorf("%s: %v", name, err)
		}
		if errors.As(err, &failed) && failed.Op != "read" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeptConnectionOutlivesItsDeadline: the time of one exchange is not that of the next.
// A connection whose last deadline had passed was taken for closed.
func TestKeptConnectionOutlivesItsDeadline(t *testing.T) {
	r := serveRaw(t, always(plain(textType, smallBody)))
	u := newTestUpstream(t, r.addr())
	for range 3 {
		deadline := time.Now().Add(50 * time.Millisecond)
		a, err := u.do(&request{method: "GET", path: metricsPath, deadline: deadline}, new(interrupt))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, a)
		a.Close()
		time.Sleep(time.Until(deadline) + 10*time.Millisecond)
	}
	if _, conns := r.seen(); conns != 1 {
		t.Errorf("%d connections, want 1", conns)
	}
}

// TestInterruptKept cuts an exchange on a kept connection while it waits.
func TestInterruptKept(t *testing.T) {
	r := serveRaw(t, func(c net.Conn, _ string, n int) bool { return n > 1 || always(plain(textType, smallBody))(c, "", n) })
	u := newTestUpstream(t, r.addr())
	tell(t, u, "GET")
	var in interrupt
	time.AfterFunc(20*time.Millisecond, func() { in.cut(errLeft) })
	if _, err := u.do(&request{method: "GET", path: metricsPath, deadline: time.Now().Add(time.Minute)}, &in); err != errLeft {
		t.Error(err)
	}
	if _, conns := r.seen(); conns != 1 || len(u.idle) != 0 {
		t.Errorf("%d connections, %d kept", conns, len(u.idle))
	}
}

// TestExchangeAllocates: on a kept connection only the answer, and its head if it is not
// known.
func TestExchangeAllocates(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	done := make(chan struct{})
	go func() { // a runner that allocates nothing
		defer close(done)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		whole := []byte(headOf("Content-Type: "+textType, "Date: "+knownDate, "Transfer-Encoding: chunked") + strings.Repeat("4\r\na 1\n\r\n", 99) + "0\r\n\r\n")
		for buf := make([]byte, 4096); err == nil; {
			if _, err = c.Read(buf); err == nil {
				_, err = c.Write(whole)
			}
		}
	}()
	u := newTestUpstream(t, ln.Addr().String())
	ask := &request{method: "GET", path: metricsPath, deadline: time.Now().Add(time.Minute)}
	in, buf := new(interrupt), make([]byte, 4096)
	n := testing.AllocsPerRun(100, func() {
		a, err := u.do(ask, in)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = a.Read(buf)
		}
		a.Close()
	})
	want := 8.0 // the portable probe allocates
	if _, raw := direct(&net.TCPConn{}).(*net.TCPConn); !raw {
		want = 1
	}
	if n > want {
		t.Errorf("%v allocations, want %v", n, want)
	}
	u.Close()
	<-done
}
