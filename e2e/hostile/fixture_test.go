// Package hostile_test attacks the built gate with raw bytes from both sides: clients
// that break the protocols, and a runner whose answers are invalid.
package hostile_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// fixture is a gate with a recording runner behind it and credentials for clients.
type fixture struct {
	pki                 *harness.PKI
	scraper, ops, guest *testca.Pair // may scrape; may profile too; may do nothing
	// tokens "prometheus" (may scrape) and "spare" (may do nothing); the tokens file
	token, spare, lines        string
	recorder                   *harness.Recorder
	gate                       *harness.Gate
	noCert, scraperTLS, opsTLS *tls.Config
}

// newFixture starts a gate and a runner that answers with answer. The rate limits are too
// high to matter, unless environ sets them.
func newFixture(t *testing.T, answer func(*harness.Exchange), environ ...string) *fixture {
	t.Helper()
	w := newCredentials(t)
	w.recorder = harness.StartRecorder(t, answer)
	w.gate = harness.StartGate(t, append(w.environ(), environ...)...)
	return w
}

// newCredentials makes keys and tokens without starting a process.
func newCredentials(t *testing.T) *fixture {
	t.Helper()
	w := &fixture{pki: harness.NewPKI(t)}
	w.scraper = w.pki.Issue(t, "scraper", testca.Options{DNSNames: []string{"prometheus.example"}})
	w.ops = w.pki.Issue(t, "ops", testca.Options{DNSNames: []string{"ops.example"}})
	w.guest = w.pki.Issue(t, "guest", testca.Options{DNSNames: []string{"guest.example"}})
	w.token, w.spare = w.addToken(t, "prometheus"), w.addToken(t, "spare")
	w.pki.Write(t, "tokens", []byte(w.lines))
	w.noCert, w.scraperTLS, w.opsTLS = w.config(nil), w.config(w.scraper), w.config(w.ops)
	return w
}

func (w *fixture) addToken(t *testing.T, name string) string {
	t.Helper()
	secret, line, err := auth.NewToken(name)
	if err != nil {
		t.Fatal(err)
	}
	w.lines += line + "\n"
	return secret
}

func (w *fixture) environ() []string {
	e := append(w.pki.Environ(true), "TOKENS_FILE="+w.pki.File("tokens"), "RUNNER_NAME=r1",
		"METRICS_ALLOW=dns:prometheus.example,dns:ops.example,token:prometheus", "PPROF_ALLOW=dns:ops.example",
		"RATE_LIMIT=100000", "RATE_BURST=100000", "FAILURE_RATE_LIMIT=100000", "FAILURE_BURST=100000")
	if w.recorder != nil {
		e = append(e, "UPSTREAM_URL="+w.recorder.Address)
	}
	return e
}

// config returns a client's TLS configuration. The client presents pair, unless it is nil,
// even if the gate names other CAs in its request.
func (w *fixture) config(pair *testca.Pair) *tls.Config {
	c := &tls.Config{RootCAs: w.pki.CA.Pool(), ServerName: "localhost"}
	if pair != nil {
		certificate := pair.TLS()
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &certificate, nil
		}
	}
	return c
}

// dialAs connects with a certificate.
func (w *fixture) dialAs(t *testing.T, pair *testca.Pair) *harness.Wire {
	t.Helper()
	return harness.MustDial(t, w.gate.Address, w.config(pair))
}

// dialAnonymous connects without a certificate.
func (w *fixture) dialAnonymous(t *testing.T) *harness.Wire {
	t.Helper()
	return harness.MustDial(t, w.gate.Address, w.noCert)
}

// connect connects as "ops", "scraper", "guest" or "anonymous".
func (w *fixture) connect(who string) (*harness.Wire, error) {
	pair := map[string]*testca.Pair{"ops": w.ops, "scraper": w.scraper, "guest": w.guest}[who]
	return harness.Dial(w.gate.Address, "", w.config(pair))
}

// ask sends one request as who on a new connection.
func (w *fixture) ask(t *testing.T, who, text string) *harness.Reply {
	t.Helper()
	wire, err := w.connect(who)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = wire.Close() }()
	method, _, _ := strings.Cut(text, " ")
	return wire.RoundTrip(t, method, text)
}

// batch is a list of jobs for concurrent clients.
type batch []func() error

func (c *batch) add(f func() error) { *c = append(*c, f) }

// run runs all jobs, at most 24 at a time: well below the connection limit of one address.
func (c batch) run(t *testing.T) {
	t.Helper()
	var workers sync.WaitGroup
	work := make(chan func() error)
	for range 24 {
		workers.Go(func() {
			for f := range work {
				if err := f(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, f := range c {
		work <- f
	}
	close(work)
	workers.Wait()
}

// scrape asks for /metrics on a new connection and returns the answer.
func (w *fixture) scrape(t *testing.T) *harness.Reply {
	t.Helper()
	wire := w.dialAs(t, w.scraper)
	defer func() { _ = wire.Close() }()
	return wire.RoundTrip(t, "GET", get("/metrics"))
}

// reload sends SIGHUP and waits until the gate logs said once more.
func (w *fixture) reload(t *testing.T, said string) {
	t.Helper()
	before := strings.Count(w.gate.Log(), said)
	w.gate.Signal(t, syscall.SIGHUP)
	harness.Eventually(t, said, func() bool { return strings.Count(w.gate.Log(), said) > before })
}

// await401 repeats a request on one connection until it is 401. Until then it must be 200.
func await401(t *testing.T, wire *harness.Wire, text string) {
	t.Helper()
	harness.Eventually(t, "401", func() bool {
		reply := wire.RoundTrip(t, "GET", text)
		if reply.Status != 401 {
			expect(t, reply, 200)
		}
		return reply.Status == 401
	})
}

// get returns a request for target with additional header lines.
func get(target string, lines ...string) string { return request("GET", target, lines...) }

func request(method, target string, lines ...string) string {
	all := append([]string{method + " " + target + " HTTP/1.1", "Host: gate.example"}, lines...)
	return strings.Join(all, "\r\n") + "\r\n\r\n"
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// expect checks the status, the security headers and, for a refusal, the body.
func expect(t *testing.T, reply *harness.Reply, status int) {
	t.Helper()
	if reply.Status != status {
		t.Errorf("status %d, want %d: %.100q", reply.Status, status, reply.Body)
		return
	}
	if reply.Header.Get("X-Content-Type-Options") != "nosniff" || reply.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d lacks nosniff or no-store: %v", status, reply.Header)
	}
	if text := http.StatusText(status) + "\n"; status >= 400 && reply.Body != text && reply.Body != "" {
		t.Errorf("%d has body %q, want %q", status, reply.Body, text)
	}
}

const sample = "# TYPE up gauge\nup 1\n"

const labelled = "# TYPE up gauge\nup{runner_name=\"r1\"} 1\n"

// gateRequest returns the only scrape that the gate ever sends, byte by byte.
func gateRequest(t *testing.T, w *fixture, accept string) string {
	t.Helper()
	return fmt.Sprintf("GET /metrics HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: %s\r\nAccept-Encoding: "+
		"identity\r\n\r\n",
		w.recorder.Address, userAgent(t, w), accept)
}

// userAgent returns the User-Agent of the gate's requests. It must not be the client's.
func userAgent(t *testing.T, w *fixture) string {
	t.Helper()
	for _, r := range w.recorder.Requests() {
		for line := range strings.SplitSeq(r, "\r\n") {
			if agent, ok := strings.CutPrefix(line, "User-Agent: "); ok && strings.HasPrefix(agent, "metrics-gate/") {
				return agent
			}
		}
	}
	t.Fatalf("no request of the gate reached the runner: %q", w.recorder.Bytes())
	return ""
}

// second is the tolerance on a deadline of the contract.
const second = time.Second
