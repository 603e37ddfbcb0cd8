package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// chunked is a chunked body that contains another request.
const chunked = "Transfer-Encoding: chunked"

// Each of these closes the connection: the bytes after it are never read as a request.
var bodies = []struct{ name, lines, body string }{
	{"length", "Content-Length: 5", "hello"},
	{"chunks", chunked, "5\r\nhello\r\n0\r\n\r\n"},
	{"no chunks", chunked, "0\r\n\r\n"},
	{"both", "Content-Length: 5\r\n" + chunked, "0\r\n\r\n"},
	{"both, the other way", chunked + "\r\nContent-Length: 5", "0\r\n\r\n"},
	{"twice chunked", chunked + "\r\n" + chunked, "0\r\n\r\n"},
	{"chunked, identity", chunked + ", identity", "0\r\n\r\n"},
	{"identity", "Transfer-Encoding: identity", ""},
	{"gzip, chunked", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n"},
	{"xchunked", "Transfer-Encoding: xchunked", "0\r\n\r\n"},
	{"tab before", "Transfer-Encoding:\tchunked", "0\r\n\r\n"},
	{"vertical tab", "Transfer-Encoding: \x0bchunked", "0\r\n\r\n"},
	{"space before the colon", "Transfer-Encoding : chunked", "0\r\n\r\n"},
	{"folded", "Transfer-Encoding:\r\n chunked", "0\r\n\r\n"},
	{"quoted", `Transfer-Encoding: "chunked"`, "0\r\n\r\n"},
	{"two lengths", "Content-Length: 5\r\nContent-Length: 6", "hello"},
	{"list of lengths", "Content-Length: 5, 5", "hello"},
	{"plus", "Content-Length: +5", "hello"},
	{"minus", "Content-Length: -5", "hello"},
	{"hexadecimal", "Content-Length: 0x5", "hello"},
	{"not a number", "Content-Length: five", "hello"},
	{"overflow", "Content-Length: 18446744073709551621", "hello"},
	{"huge", "Content-Length: 9223372036854775807", "hello"},
	{"bare line feeds in chunks", chunked, "5\nhello\n0\n\n"},
	{"chunk extension", chunked, "0;a=b\r\n\r\n"},
	{"trailer", chunked + "\r\nTrailer: X", "0\r\nX: y\r\n\r\n"},
	{"expectation", "Content-Length: 5\r\nExpect: 100-continue", ""},
}

func TestBodiesAndTransferEncoding(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	var all batch
	for _, b := range bodies {
		for _, target := range []string{"/metrics", "/nowhere", "/%6d", "/debug/pprof/heap"} {
			for _, who := range []string{"ops", "guest", "anonymous"} {
				all.add(func() error {
					if err := w.refusesBody(who, request("GET", target, b.lines)+b.body); err != nil {
						return fmt.Errorf("%s to %s by %s: %w", b.name, target, who, err)
					}
					return nil
				})
			}
		}
	}
	all.run(t)
	if got := w.recorder.Bytes(); got != "" {
		t.Errorf("reached the runner: %q", got)
	}
}

// refusesBody sends a request with a body and a good request after it. The first is
// refused, the second is never answered.
func (w *fixture) refusesBody(who, text string) error {
	wire, err := w.connect(who)
	if err != nil {
		return err
	}
	defer func() { _ = wire.Close() }()
	if err := wire.Send(text + get("/metrics", bearer(w.token))); err != nil {
		return err
	}
	reply, err := wire.Receive("GET")
	if err != nil {
		return err
	}
	if reply.Status < 400 || reply.Status >= 500 && reply.Status != 501 || !reply.Close {
		return fmt.Errorf("status %d, close %v", reply.Status, reply.Close)
	}
	return wire.AwaitClose(10 * second)
}

// A body whose end is late or missing blocks no other request and leaks no resources.
func TestSlowUnauthenticatedBodyTimesOut(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "READ_HEADER_TIMEOUT=1s")
	before := w.gate.Resources(t)
	var all batch
	for _, who := range []string{"anonymous", "guest", "ops"} {
		for _, target := range []string{"/metrics", "/nowhere", "/%6d", "/debug/pprof/symbol"} {
			for _, lines := range []string{"Content-Length: 60000", chunked} {
				all.add(func() error {
					wire, err := w.connect(who)
					if err != nil {
						return err
					}
					defer func() { _ = wire.Close() }()
					if err := wire.Send(request("POST", target, lines) + "5\r\nh"); err != nil {
						return err
					}
					if reply, err := wire.Receive("POST"); err == nil && reply.Status < 400 {
						return fmt.Errorf("%s to %s by %s: status %d", lines, target, who, reply.Status)
					}
					return wire.AwaitClose(10 * second)
				})
			}
		}
	}
	all.run(t)
	w.gate.AwaitRelease(t, before)
}

func TestSymbolTakesASmallBodyOnly(t *testing.T) {
	t.Parallel()
	w := newFixture(t,
		harness.AnswerRaw("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok"))
	addresses := "0x1" + strings.Repeat("+0x1", 10)
	for _, test := range []struct {
		name, text string
		status     int
	}{
		{"addresses", request("POST", "/debug/pprof/symbol", "Content-Length: 43") + addresses, 200},
		{"none", request("POST", "/debug/pprof/symbol", "Content-Length: 0"), 200},
		{"words", request("POST", "/debug/pprof/symbol", "Content-Length: 5") + "hello", 400},
		{"smuggled", request("POST", "/debug/pprof/symbol", "Content-Length: 30") +
			"0x1\r\nGET /debug/jobs/list HTTP", 400},
		{"too large", request("POST", "/debug/pprof/symbol", "Content-Length: 65537"), 413},
		{"chunks", request("POST", "/debug/pprof/symbol", chunked) + "3\r\n0x1\r\n0\r\n\r\n", 400},
	} {
		demandNamed(t, test.name, w.dialAs(t, w.ops).RoundTrip(t, "POST", test.text), test.status)
	}
	for _, r := range w.recorder.Requests() {
		_, body, _ := strings.Cut(r, "\r\n\r\n")
		if !strings.HasPrefix(r, "POST /debug/pprof/symbol HTTP/1.1\r\nHost: "+w.recorder.Address+"\r\n") ||
			body != addresses && body != "" {
			t.Errorf("reached the runner: %q", r)
		}
	}
}

func demandNamed(t *testing.T, name string, reply *harness.Reply, status int) {
	t.Helper()
	t.Run(name, func(t *testing.T) { expect(t, reply, status) })
}
