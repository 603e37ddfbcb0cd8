package rawconn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
)

// countingConn notes the sizes of writes.
type countingConn struct {
	net.Conn
	got  bytes.Buffer
	size []int
	err  error
}

func (c *countingConn) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	c.size = append(c.size, len(p))
	return c.got.Write(p)
}

func TestCork(t *testing.T) {
	below := &countingConn{}
	c := &CorkedConn{Conn: below, pool: make(corkPool, 1)}
	write := func(n int) {
		t.Helper()
		if got, err := c.Write(bytes.Repeat([]byte{byte(n)}, n)); got != n || err != nil {
			t.Fatalf("%d, %v", got, err)
		}
	}
	write(1)
	c.Cork()
	c.Cork()
	write(2)
	write(3)
	if err := c.Uncork(); err != nil {
		t.Fatal(err)
	}
	write(4)
	c.Cork()
	write(corkBytes - 1)
	write(2)
	write(corkBytes + 1)
	write(5)
	if err := errors.Join(c.Uncork(), c.Uncork()); err != nil {
		t.Fatal(err)
	}
	want := []int{1, 5, 4, corkBytes - 1, 2, corkBytes + 1, 5}
	if len(below.size) != len(want) {
		t.Fatalf("writes of %v, want %v", below.size, want)
	}
	for i := range want {
		if below.size[i] != want[i] {
			t.Errorf("writes of %v, want %v", below.size, want)
		}
	}
	if head := below.got.Bytes()[:10]; !bytes.Equal(head, []byte{1, 2, 2, 3, 3, 3, 4, 4, 4, 4}) {
		t.Errorf("order %v", head)
	}
	below.err = io.ErrClosedPipe
	c.Cork()
	write(1)
	if _, err := c.Write(make([]byte, corkBytes)); err != io.ErrClosedPipe {
		t.Errorf("full: %v", err)
	}
	write(1)
	if err := c.Uncork(); err != io.ErrClosedPipe {
		t.Errorf("uncork: %v", err)
	}
	if len(c.pool) != 1 {
		t.Errorf("%d buffers kept", len(c.pool))
	}
}

// wrapper is a connection around another, such as that of TLS.
type wrapper struct{ net.Conn }

func (w wrapper) NetConn() net.Conn { return w.Conn }

func TestConnContext(t *testing.T) {
	c := &CorkedConn{Conn: &countingConn{}}
	if got := CorkedFrom(ConnContext(t.Context(), wrapper{wrapper{c}})); got != c {
		t.Error("not found below others")
	}
	for _, other := range []net.Conn{nil, &countingConn{}, wrapper{nil}} {
		if ctx := ConnContext(t.Context(), other); ctx != t.Context() {
			t.Errorf("%T: found", other)
		}
	}
	none := CorkedFrom(context.Background())
	none.Cork()
	if err := none.Uncork(); none != nil || err != nil {
		t.Error("no cork does something")
	}
	if c.NetConn() != c.Conn {
		t.Error("NetConn")
	}
}

func TestCorkedListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	corked := Corked(l)
	d, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c, err := corked.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if CorkedFrom(ConnContext(t.Context(), c)) == nil {
		t.Error("accepted without a cork")
	}
	l.Close()
	if _, err := corked.Accept(); err == nil {
		t.Error("accepts after Close")
	}
}
