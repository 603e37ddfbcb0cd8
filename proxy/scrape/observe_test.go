package scrape

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/testwait"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

func TestRecentTellsOfRequests(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	g := newGate(t, r.Addr())
	g.fetch(t.Context(), "Test-Identity: alice")
	r.Stop()
	g.upstream.Close()
	g.fetch(t.Context(), "Test-Identity: bob")
	testwait.Eventually(t, "two scrapes", func() bool { return len(g.observer.Recent()) == 2 })
	list := g.observer.Recent()
	if s := list[1]; s.Who != "alice" || s.Identity != "alice" || s.Code != 200 || s.Samples != 2 || s.Shared ||
		s.Duration <= 0 || s.At.IsZero() || s.Reason != "" || s.Err != "" {
		t.Errorf("first: %+v", s)
	}
	if s := list[0]; s.Who != "bob" || s.Code != 502 || s.Samples != 0 || s.Reason != "refused" ||
		!strings.Contains(s.Err, r.Addr()) || s.Bytes != 0 || s.Format != "" || s.Encoding != "" {
		t.Errorf("second: %+v", s)
	}
	for _, s := range list {
		if host, _, err := net.SplitHostPort(s.Remote); err != nil || host != "127.0.0.1" {
			t.Errorf("remote %q", s.Remote)
		}
	}
}

// A visit by doctor is in the history, but is no scraper's.
func TestDoctorIsNoScraper(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	g := newGate(t, r.Addr())
	g.fetch(t.Context(), "User-Agent: metrics-gate/1.2.3"+proxy.DoctorAgent)
	g.fetch(t.Context(), "User-Agent: Prometheus/3.0.0")
	testwait.Eventually(t, "two scrapes", func() bool { return len(g.observer.Recent()) == 2 })
	if list := g.observer.Scrapers(); len(list) != 1 || list[0].Scrapes != 1 {
		t.Errorf("%+v", list)
	}
}

// A scrape tells what was sent, as it was sent.
func TestRecentTellsOfAnswers(t *testing.T) {
	r := proxytest.ServeRaw(t, proxytest.Always(proxytest.Plain(proxytest.TextType, proxytest.SmallBody)))
	g := newGate(t, r.Addr())
	for i, encoding := range []string{"identity", "gzip", "zstd"} {
		answer := g.fetch(t.Context(), "Accept-Encoding: "+encoding)
		testwait.Eventually(t, "a scrape", func() bool { return len(g.observer.Recent()) == i+1 })
		s := g.observer.Recent()[0]
		if s.Encoding != encoding || s.Format != proxytest.TextType ||
			s.Bytes != int64(len(answer.Body)) || s.Bytes == 0 {
			t.Errorf("%s: %+v, and %d bytes came", encoding, s, len(answer.Body))
		}
	}
}

func TestReadErrorHasReason(t *testing.T) {
	for _, c := range []struct {
		err  error
		want upstream.Reason
	}{
		{fmt.Errorf("x: %w", &exposition.SyntaxError{}), upstream.ReasonSyntax},
		{exposition.ErrTooLong, upstream.ReasonTooLong},
		{exposition.ErrTooLarge, upstream.ReasonTooLarge}, {exposition.ErrEmpty, upstream.ReasonEmpty},
		{exposition.ErrTruncated, upstream.ReasonTruncated},
		{upstream.Errorf(upstream.ReasonFormat, "x: %w", exposition.ErrEmpty), upstream.ReasonFormat},
		{io.ErrUnexpectedEOF, upstream.ReasonTruncated},
	} {
		if got := upstream.ReasonOf(readError(c.err)); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
	if readError(io.EOF) != io.EOF {
		t.Error("the end is no error")
	}
}
