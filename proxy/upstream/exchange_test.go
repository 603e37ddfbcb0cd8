package upstream

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
)

// A kept connection whose last deadline has passed is not taken for closed.
func TestKeptConnectionOutlivesItsDeadline(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	u := newClient(t, r.Addr())
	for range 3 {
		deadline := time.Now().Add(time.Minute)
		a, err := u.Do(&Request{Method: "GET", Path: "/metrics", Deadline: deadline}, new(Exchange))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, a)
		a.Close()
		_ = u.idle[0].conn.SetDeadline(time.Unix(1, 0)) // as if the deadline had passed
	}
	if _, conns := r.Seen(); conns != 1 {
		t.Errorf("%d connections, want 1", conns)
	}
}

func TestCancelOnKeptConnection(t *testing.T) {
	r := proxytest.ServeRaw(t, func(c net.Conn, _ string, n int) bool {
		return n > 1 || proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody))(c, "", n)
	})
	u := newClient(t, r.Addr())
	exchange(t, u, "GET")
	var in Exchange
	time.AfterFunc(20*time.Millisecond, func() { in.Cancel(ErrCanceled) })
	ask := Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Minute)}
	if _, err := u.Do(&ask, &in); err != ErrCanceled {
		t.Error(err)
	}
	if _, conns := r.Seen(); conns != 1 || len(u.idle) != 0 {
		t.Errorf("%d connections, %d kept", conns, len(u.idle))
	}
}

// An Exchange that is used again has nothing of the answer before.
func TestExchangeStartsAfresh(t *testing.T) {
	r := proxytest.ServeRaw(t, func(c net.Conn, request string, _ int) bool {
		head := []string{"Content-Type: " + proxytest.TextType, "Content-Length: 4"}
		if strings.HasPrefix(request, "GET /last ") {
			head = append(head, "Connection: close")
		}
		_, err := io.WriteString(c, headOf(head...)+"a 1\n")
		return err == nil
	})
	u := newClient(t, r.Addr())
	var in Exchange
	for i, c := range []struct {
		path       string
		read, kept bool
	}{{"/last", true, false}, {"/metrics", true, true}, {"/metrics", false, false}} {
		a, err := u.Do(&Request{Method: "GET", Path: c.path, Deadline: time.Now().Add(time.Minute)}, &in)
		if err != nil {
			t.Fatal(err)
		}
		if c.read {
			_, _ = io.ReadAll(a)
		}
		a.Close()
		if kept := len(u.idle) == 1; kept != c.kept {
			t.Errorf("answer %d: kept %t", i, kept)
		}
	}
}

// TestExchangeAllocates: on a kept connection with a known head, nothing.
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
		whole := []byte(
			headOf(
				"Content-Type: "+proxytest.TextType,
				"Date: "+knownDate,
				"Transfer-Encoding: chunked",
			) + strings.Repeat(
				"4\r\na 1\n\r\n",
				99,
			) + "0\r\n\r\n",
		)
		for buf := make([]byte, 4096); err == nil; {
			if _, err = c.Read(buf); err == nil {
				_, err = c.Write(whole)
			}
		}
	}()
	u := newClient(t, ln.Addr().String())
	ask := &Request{Method: "GET", Path: "/metrics", Deadline: time.Now().Add(time.Minute)}
	in, buf := new(Exchange), make([]byte, 4096)
	n := testing.AllocsPerRun(100, func() {
		a, err := u.Do(ask, in)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = a.Read(buf)
		}
		a.Close()
	})
	conn, want := u.takeIdle(), 0.0
	if _, portable := conn.conn.(*net.TCPConn); portable {
		want = 3 // by the probe
	}
	conn.close()
	if n > want {
		t.Errorf("%v allocations, want %v", n, want)
	}
	u.Close()
	<-done
}
