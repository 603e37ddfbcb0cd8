package upstream

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

func TestReasonOf(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	_, refused := net.Dial("tcp", ln.Addr().String())
	for _, c := range []struct {
		err  error
		want Reason
	}{
		{ErrCanceled, ReasonCanceled}, {&Error{Reason: ReasonTimeout, Err: io.EOF}, ReasonTimeout},
		{errors.New("x"), ReasonOther}, {io.ErrUnexpectedEOF, ReasonTruncated},
		{io.EOF, ReasonReset}, {refused, ReasonRefused},
		{fmt.Errorf("x: %w", &Error{Reason: ReasonFormat, Err: io.EOF}), ReasonFormat},
		{&net.DNSError{IsTimeout: true}, ReasonTimeout},
	} {
		if got := ReasonOf(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
		if want := map[bool]int{true: 504, false: 502}[c.want == ReasonTimeout]; c.want.Status() != want {
			t.Errorf("%v: status %d", c.want, c.want.Status())
		}
	}
	if !strings.Contains(ErrCanceled.Error(), "nobody waits") {
		t.Error(ErrCanceled)
	}
}
