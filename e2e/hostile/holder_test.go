package hostile_test

import (
	"fmt"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// hold opens connections from several addresses and sends the same request on each.
func (w *fixture) hold(t *testing.T, n int, text string, status int) []*harness.Wire {
	t.Helper()
	var all []*harness.Wire
	for i := range n {
		wire, err := harness.Dial(w.gate.Address, fmt.Sprintf("127.31.0.%d", 1+i%4), w.noCert)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = wire.Close() })
		expect(t, wire.RoundTrip(t, "GET", text), status)
		all = append(all, wire)
	}
	return all
}

// scrapeNew counts the scrapes on new connections that are not answered with 200.
func (w *fixture) scrapeNew(t *testing.T, n int) (lost int) {
	t.Helper()
	for range n {
		conn, err := dialTCP(w.gate.Address, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		if err := scrapeOver(conn, w); err != nil {
			t.Log(err)
			lost++
		}
		_ = conn.Close()
	}
	return lost
}

// A connection counts as authorized only while its identity is. One identity cannot occupy
// all connections.
func TestHoldersOfConnectionsDoNotShutOutTheScraper(t *testing.T) {
	t.Parallel()
	const limit, scrapes = 40, 20
	bounds := []string{fmt.Sprint("MAX_CONNECTIONS=", limit), fmt.Sprint("MAX_CONNECTIONS_PER_ADDRESS=", limit)}
	for name, test := range map[string]struct {
		environ []string
		hold    func(*testing.T, *fixture)
	}{
		"revoked and refused": {nil, func(t *testing.T, w *fixture) {
			held := w.hold(t, limit, get("/metrics", bearer(w.token)), 200)
			w.pki.Write(t, "tokens", []byte("# all removed\n"))
			w.reload(t, `"msg":"reloaded","what":"tokens"`)
			for _, wire := range held {
				if err := wire.Send(get("/metrics", bearer(w.token))); err != nil {
					continue // the gate may close it before
				}
				if reply, err := wire.Receive("GET"); err == nil {
					expect(t, reply, 401)
				}
			}
		}},
		"revoked and silent": {nil, func(t *testing.T, w *fixture) {
			w.hold(t, limit, get("/metrics", bearer(w.token)), 200)
			w.pki.Write(t, "tokens", []byte("# all removed\n"))
			w.reload(t, `"msg":"reloaded","what":"tokens"`)
		}},
		"not allowed": {nil, func(t *testing.T, w *fixture) {
			w.hold(t, limit, get("/metrics", bearer(w.spare)), 403)
		}},
		"no credential": {nil, func(t *testing.T, w *fixture) {
			w.hold(t, limit, get("/metrics"), 401)
		}},
		"too fast": {[]string{"RATE_LIMIT=0.01", fmt.Sprint("RATE_BURST=", limit)}, func(t *testing.T, w *fixture) {
			for _, wire := range w.hold(t, limit, get("/metrics", bearer(w.token)), 200) {
				expect(t, wire.RoundTrip(t, "GET", get("/metrics", bearer(w.token))), 429)
			}
		}},
		"one identity": {nil, func(t *testing.T, w *fixture) {
			w.hold(t, limit, get("/metrics", bearer(w.token)), 200)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newFixture(t, harness.AnswerExposition(sample), append(bounds, test.environ...)...)
			test.hold(t, w)
			if lost := w.scrapeNew(t, scrapes); lost > 0 {
				t.Errorf("%d of %d scrapes lost", lost, scrapes)
			}
		})
	}
}
