package hostile_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// crowdAddress returns the i-th of 240 loopback addresses.
func crowdAddress(i int) string { return fmt.Sprintf("127.30.%d.%d", i%240/60, 1+i%60) }

// More unauthenticated connections than MAX_CONNECTIONS arrive between the connection of the
// scraper and its handshake. The gate must close connections of the addresses that hold most,
// not the scraper's, although it is the oldest.
func TestStormWithinAHandshakeSparesTheScraper(t *testing.T) {
	t.Parallel()
	const limit, anonymous, slack, rounds = 256, 3 * 256, 4, 10
	w := newFixture(t, harness.AnswerExposition(sample), "READ_HEADER_TIMEOUT=60s")
	expect(t, w.scrape(t), 200)
	before := w.gate.Resources(t)
	lost := 0
	for range rounds {
		conn, err := dialTCP(w.gate.Address, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		storm := openIdle(t, w.gate.Address, anonymous)
		harness.Eventually(t, "the gate has accepted the storm", func() bool {
			return storm.closed.Load() >= anonymous+1-limit-slack
		})
		if err := scrapeOver(conn, w); err != nil {
			t.Log(err)
			lost++
		}
		_ = conn.Close()
		storm.close()
		w.gate.AwaitRelease(t, before)
	}
	if lost > 0 {
		t.Errorf("%d of %d scrapes lost", lost, rounds)
	}
}

// 240 addresses connect as fast as they can for a few seconds. Each of 40 scrapes on a new
// connection is answered.
func TestStormOfConnectionsLosesNoScrape(t *testing.T) {
	t.Parallel()
	const scrapes = 40
	w := newFixture(t, harness.AnswerExposition(sample), "READ_HEADER_TIMEOUT=60s", "LOG_LEVEL=error")
	ctx, stop := context.WithCancel(t.Context())
	var storm sync.WaitGroup
	var connected atomic.Int64
	for i := range 24 {
		storm.Go(func() {
			for n := i; ctx.Err() == nil; n += 24 {
				conn, err := dialTCP(w.gate.Address, crowdAddress(n))
				if err != nil {
					continue
				}
				connected.Add(1)
				time.AfterFunc(200*time.Millisecond, func() { _ = conn.Close() })
			}
		})
	}
	harness.Eventually(t, "the storm is on", func() bool { return connected.Load() > 1000 })
	lost := w.scrapeNew(t, scrapes)
	stop()
	storm.Wait()
	t.Logf("%d connections of the storm", connected.Load())
	if lost > 0 {
		t.Errorf("%d of %d scrapes lost", lost, scrapes)
	}
}

// idleConns are connections without a handshake, from 240 addresses.
type idleConns struct {
	conns  []net.Conn
	closed atomic.Int64 // by the gate
}

// openIdle opens n connections.
func openIdle(t *testing.T, address string, n int) *idleConns {
	t.Helper()
	c := &idleConns{}
	for i := range n {
		conn, err := dialTCP(address, crowdAddress(i))
		if err != nil {
			t.Fatal(err)
		}
		c.conns = append(c.conns, conn)
		go func() {
			_, _ = conn.Read(make([]byte, 1))
			c.closed.Add(1)
		}()
	}
	return c
}

func (c *idleConns) close() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// scrapeOver does a handshake as the scraper on conn and scrapes.
func scrapeOver(conn net.Conn, w *fixture) error {
	wire, err := harness.ClientTLS(conn, w.scraperTLS)
	if err != nil {
		return err
	}
	if err := wire.Send(get("/metrics")); err != nil {
		return err
	}
	reply, err := wire.Receive("GET")
	if err == nil && reply.Status != 200 {
		err = fmt.Errorf("status %d", reply.Status)
	}
	return err
}
