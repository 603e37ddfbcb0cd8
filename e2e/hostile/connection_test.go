package hostile_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// dialTCP connects from an address without a TLS handshake.
func dialTCP(address, from string) (*net.TCPConn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * second}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// holders are ways to keep a connection open. The gate must close each connection soon.
func (w *fixture) holders() map[string]func(from string) (net.Conn, error) {
	raw := func(text string) func(string) (net.Conn, error) {
		return func(from string) (net.Conn, error) {
			conn, err := dialTCP(w.gate.Address, from)
			if err == nil {
				_, err = conn.Write([]byte(text))
			}
			return conn, err
		}
	}
	secure := func(text string, more time.Duration) func(string) (net.Conn, error) {
		return func(from string) (net.Conn, error) {
			wire, err := harness.Dial(w.gate.Address, from, w.noCert)
			if err != nil {
				return nil, err
			}
			err = wire.Send(text)
			for i := range 40 * min(1, more) {
				time.AfterFunc(i*more, func() { _, _ = wire.Write([]byte("x")) })
			}
			return wire, err
		}
	}
	return map[string]func(string) (net.Conn, error){
		"silent": raw(""), "one byte of a handshake": raw("\x16"),
		"half a handshake": raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		"huge record":      raw("\x16\x03\x01\xff\xff"), "plain http": raw(get("/metrics")),
		"silent after the handshake": secure("", 0), "half a line": secure("GET /met", 0),
		"half a header":         secure("GET /metrics HTTP/1.1\r\nHost: a\r\nX: ", 0),
		"drop by drop":          secure("GET /metrics HTTP/1.1\r\nHost: a\r\nX: ", 100*time.Millisecond),
		"idle after an answer":  secure(get("/metrics"), 0),
		"body that never comes": secure(request("POST", "/metrics", "Content-Length: 9"), 0),
	}
}

// The gate closes held connections at their deadlines and answers scrapes meanwhile.
func TestHeldConnectionsTimeOut(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "READ_HEADER_TIMEOUT=1s", "IDLE_TIMEOUT=2s")
	open := w.dialAs(t, w.scraper)
	expect(t, open.RoundTrip(t, "GET", get("/metrics")), 200)
	before := w.gate.Resources(t)
	var held sync.WaitGroup
	for name, hold := range w.holders() {
		for i := range 5 {
			held.Go(func() {
				conn, err := hold(fmt.Sprintf("127.0.%d.2", i+1))
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				defer func() { _ = conn.Close() }()
				_ = conn.SetReadDeadline(time.Now().Add(10 * second))
				for buf := make([]byte, 4096); err == nil; {
					_, err = conn.Read(buf)
				}
				if e, ok := err.(net.Error); ok && e.Timeout() {
					t.Errorf("%s: held for 10 s", name)
				}
			})
		}
	}
	done := make(chan struct{})
	go func() { held.Wait(); close(done) }()
	for running := true; running; {
		expect(t, open.RoundTrip(t, "GET", get("/metrics")), 200)
		expect(t, w.scrape(t), 200)
		select {
		case <-done:
			running = false
		case <-time.After(100 * time.Millisecond):
		}
	}
	w.gate.AwaitRelease(t, before)
}

// More unauthenticated connections than the limits allow, from many addresses or from the
// scraper's address, do not shut out the scraper.
func TestIdleConnectionsDoNotShutOutTheScraper(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "MAX_CONNECTIONS=100", "MAX_CONNECTIONS_PER_ADDRESS=20",
		"READ_HEADER_TIMEOUT=60s")
	open := w.dialAs(t, w.scraper)
	expect(t, open.RoundTrip(t, "GET", get("/metrics")), 200)
	before := w.gate.Resources(t)
	for name, from := range map[string]func(i int) string{
		"many addresses": func(i int) string { return fmt.Sprintf("127.1.%d.1", i%60) },
		"one address":    func(int) string { return "127.0.0.1" },
	} {
		t.Run(name, func(t *testing.T) {
			var held []net.Conn
			for i := range 300 {
				conn, err := dialTCP(w.gate.Address, from(i))
				if err != nil {
					t.Fatal(err)
				}
				held = append(held, conn)
				if i%50 == 49 {
					expect(t, w.scrape(t), 200)
					expect(t, open.RoundTrip(t, "GET", get("/metrics")), 200)
				}
			}
			if open := w.gate.Resources(t).Connections; open > 100 {
				t.Errorf("%.0f connections open, at most 100", open)
			}
			for _, conn := range held {
				_ = conn.Close()
			}
			w.gate.AwaitRelease(t, before)
		})
	}
}

// Half-closed and reset connections leak no resources.
func TestHalfClosesAndResetsAreReleased(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(strings.Repeat("some_metric{a=\"b\"} 1\n", 50000)))
	expect(t, w.scrape(t), 200)
	before := w.gate.Resources(t)
	var all batch
	for i := range 120 {
		all.add(func() error {
			conn, err := dialTCP(w.gate.Address, fmt.Sprintf("127.2.%d.1", i%20))
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			wire, err := harness.ClientTLS(conn, w.scraperTLS)
			if err != nil {
				return err
			}
			if err := wire.Send(get("/metrics")); err != nil {
				return err
			}
			switch i % 4 {
			case 0:
				return conn.CloseWrite()
			case 1:
				return conn.SetLinger(0)
			case 2:
				_, _ = conn.Read(make([]byte, 100))
				return conn.SetLinger(0)
			}
			_, err = wire.Receive("GET")
			return err
		})
	}
	all.run(t)
	expect(t, w.scrape(t), 200)
	w.gate.AwaitRelease(t, before)
}

// Readers that read nothing or little are disconnected. Others that share their upstream
// exchange are not.
func TestSlowReadersAreDisconnected(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(strings.Repeat("some_metric_of_the_runner{a=\"b\"} 1\n", 300000)))
	expect(t, w.scrape(t), 200)
	before := w.gate.Resources(t)
	done := make(chan struct{})
	var slow sync.WaitGroup
	for i := range 8 {
		slow.Go(func() { w.readSlowly(t, fmt.Sprintf("127.3.0.%d", i+1), i%2 == 0, done) })
	}
	harness.Eventually(t, "all read", func() bool { return w.gate.Resources(t).Connections >= before.Connections+8 })
	gone := func() bool { return w.gate.Resources(t).Connections <= before.Connections }
	for end := time.Now().Add(25 * second); !gone() && time.Now().Before(end); {
		if reply := w.scrape(t); reply.Status != 200 || reply.Err != nil {
			t.Errorf("%d %v", reply.Status, reply.Err)
		}
	}
	if !gone() {
		t.Error("slow readers are still connected")
	}
	close(done)
	slow.Wait()
	w.gate.AwaitRelease(t, before)
}

// readSlowly asks for a large answer and reads nothing or little of it until done.
func (w *fixture) readSlowly(t *testing.T, from string, nothing bool, done <-chan struct{}) {
	conn, err := dialTCP(w.gate.Address, from)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadBuffer(4096)
	wire, err := harness.ClientTLS(conn, w.opsTLS)
	if err != nil {
		t.Error(err)
		return
	}
	_ = wire.Send(get("/metrics", "Accept-Encoding: identity"))
	for {
		select {
		case <-done:
			return
		case <-time.After(100 * time.Millisecond):
		}
		if nothing {
			continue
		}
		if _, err := conn.Read(make([]byte, 512)); err != nil {
			return
		}
	}
}

// The admin listener bounds its connections, as it may be reachable from the network.
func TestAdminListenerBoundsConnections(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	before := w.gate.Resources(t)
	var held []net.Conn
	for i := range 600 {
		conn, err := dialTCP(w.gate.Admin, fmt.Sprintf("127.4.%d.1", i%100))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if err := harness.WaitHTTP("http://"+w.gate.Admin+path, 10*second); err != nil {
			t.Error(err)
		}
	}
	if now := w.gate.Resources(t).Descriptors; now > before.Descriptors+200 {
		t.Errorf("%.0f descriptors, before %.0f", now, before.Descriptors)
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	w.gate.AwaitRelease(t, before)
}
