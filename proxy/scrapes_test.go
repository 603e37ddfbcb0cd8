package proxy

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

func TestRecentTellsOfRequests(t *testing.T) {
	r := serveRaw(t, always(plain(textType, smallBody)))
	g := newGate(t, r.addr())
	g.fetch(t.Context(), "Test-Identity: alice")
	r.stop()
	g.upstream.Close()
	g.fetch(t.Context(), "Test-Identity: bob")
	eventually(t, "two scrapes", func() bool { return len(g.observer.Recent()) == 2 })
	list := g.observer.Recent()
	if s := list[1]; s.Who != "alice" || s.Code != 200 || s.Samples != 2 || s.Shared || s.Duration <= 0 || time.Since(s.At) > time.Minute {
		t.Errorf("first: %+v", s)
	}
	if s := list[0]; s.Who != "bob" || s.Code != 502 || s.Samples != 0 {
		t.Errorf("second: %+v", s)
	}
}

func TestReadErrorHasReason(t *testing.T) {
	for _, c := range []struct {
		err  error
		want reason
	}{
		{fmt.Errorf("x: %w", &exposition.SyntaxError{}), reasonSyntax}, {exposition.ErrTooLong, reasonTooLong},
		{exposition.ErrTooLarge, reasonTooLarge}, {exposition.ErrEmpty, reasonEmpty}, {exposition.ErrTruncated, reasonTruncated},
		{fmt.Errorf("x: %w", &fault{reason: reasonFormat, err: exposition.ErrEmpty}), reasonFormat}, {io.ErrUnexpectedEOF, reasonTruncated},
	} {
		if got := reasonOf(readError(c.err)); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
	if readError(io.EOF) != io.EOF {
		t.Error("the end is no error")
	}
}
