package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestReasonOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want reason
	}{
		{errLeft, reasonCanceled}, {&fault{reason: reasonTimeout, err: io.EOF}, reasonTimeout}, {errors.New("x"), reasonOther}, {io.ErrUnexpectedEOF, reasonTruncated},
		{io.EOF, reasonReset}, {&net.OpError{Err: syscall.ECONNREFUSED}, reasonRefused}, {&net.OpError{Err: syscall.EPIPE}, reasonReset},
		{fmt.Errorf("x: %w", &fault{reason: reasonFormat, err: io.EOF}), reasonFormat}, {&net.DNSError{IsTimeout: true}, reasonTimeout},
	} {
		if got := reasonOf(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
		if want := map[bool]int{true: 504, false: 502}[c.want == reasonTimeout]; c.want.status() != want {
			t.Errorf("%v: status %d", c.want, c.want.status())
		}
	}
	if !strings.Contains(errLeft.Error(), "nobody waits") {
		t.Error(errLeft)
	}
}
