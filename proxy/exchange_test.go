package proxy

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestKeptConnectionOutlivesItsDeadline: the time of one exchange is not that of the next.
// A connection whose last deadline had passed was taken for closed.
func TestKeptConnectionOutlivesItsDeadline(t *testing.T) {
	r := serveRaw(t, always(plain(textType, smallBody)))
	u := dialer(t, r.addr())
	for range 3 {
		deadline := time.Now().Add(50 * time.Millisecond)
		a, err := u.do(&request{method: "GET", path: "/metrics", deadline: deadline}, new(interrupt))
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
	u := dialer(t, r.addr())
	tell(t, u, "GET")
	var in interrupt
	time.AfterFunc(20*time.Millisecond, func() { in.cut(errLeft) })
	if _, err := u.do(&request{method: "GET", path: "/metrics", deadline: time.Now().Add(time.Minute)}, &in); err != errLeft {
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
	u := dialer(t, ln.Addr().String())
	ask := &request{method: "GET", path: "/metrics", deadline: time.Now().Add(time.Minute)}
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
