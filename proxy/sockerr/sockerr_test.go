package sockerr

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestKindOn(t *testing.T) {
	for _, test := range []struct {
		system string
		number syscall.Errno
		want   Kind
	}{
		{"linux", syscall.ECONNREFUSED, Refused}, {"linux", syscall.ECONNRESET, Closed},
		{"linux", syscall.EPIPE, Closed}, {"linux", syscall.EADDRINUSE, InUse}, {"linux", syscall.EACCES, Forbidden},
		{"linux", syscall.ENOENT, Other}, {"linux", 10061, Other},
		{"windows", 10061, Refused}, {"windows", 10054, Closed}, {"windows", 10053, Closed}, {"windows", 10048, InUse},
		{"windows", 10013, Forbidden}, {"windows", 2, Other}, {"windows", syscall.ECONNREFUSED, Other},
	} {
		err := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", test.number)}
		if got := kindOn(test.system, err); got != test.want {
			t.Errorf("%s %d: %d, want %d", test.system, test.number, got, test.want)
		}
	}
	for _, err := range []error{nil, io.EOF, errors.New("connection refused")} {
		if got := KindOf(err); got != Other {
			t.Errorf("%v: %d", err, got)
		}
	}
}

// The numbers are those that this system returns.
func TestKindOf(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := net.Listen("tcp", ln.Addr().String()); KindOf(err) != InUse {
		t.Errorf("listen twice: %v", err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); KindOf(err) != Refused {
		t.Errorf("dial: %v", err)
	}
}
