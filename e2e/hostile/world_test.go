// Package hostile_test attacks the built gate over raw bytes, from both sides: clients
// that do what no library would, and a runner that answers what no runner should. The
// tests are named after the requirements of the security page.
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

// world is a gate between a recording runner and clients of every kind.
type world struct {
	pki                  *harness.PKI
	scraper, ops, guest  *testca.Pair // may scrape; may profile too; may nothing
	token, spare, lines  string       // tokens "prometheus" (may scrape), "spare" (nothing), and their file
	recorder                 *harness.Recorder
	gate                 *harness.Gate
	plain, proven, asOps *tls.Config
}

// newWorld starts the gate before a runner that answers as told. Rates are so high that
// only tests about them meet them; environ has the last word.
func newWorld(t *testing.T, answer func(*harness.Exchange), environ ...string) *world {
	t.Helper()
	w := newFiles(t)
	w.recorder = harness.StartRecorder(t, answer)
	w.gate = harness.StartGate(t, append(w.environ(), environ...)...)
	return w
}

// newFiles makes keys and tokens, and starts nothing.
func newFiles(t *testing.T) *world {
	t.Helper()
	w := &world{pki: harness.NewPKI(t)}
	w.scraper = w.pki.Issue(t, "scraper", testca.Options{DNSNames: []string{"prometheus.example"}})
	w.ops = w.pki.Issue(t, "ops", testca.Options{DNSNames: []string{"ops.example"}})
	w.guest = w.pki.Issue(t, "guest", testca.Options{DNSNames: []string{"guest.example"}})
	w.token, w.spare = w.addToken(t, "prometheus"), w.addToken(t, "spare")
	w.pki.Write(t, "tokens", []byte(w.lines))
	w.plain, w.proven, w.asOps = w.config(nil), w.config(w.scraper), w.config(w.ops)
	return w
}

func (w *world) addToken(t *testing.T, name string) string {
	t.Helper()
	secret, line, err := auth.NewToken(name)
	if err != nil {
		t.Fatal(err)
	}
	w.lines += line + "\n"
	return secret
}

func (w *world) environ() []string {
	e := append(w.pki.Environ(true), "TOKENS_FILE="+w.pki.File("tokens"), "RUNNER_NAME=r1",
		"METRICS_ALLOW=dns:prometheus.example,dns:ops.example,token:prometheus", "PPROF_ALLOW=dns:ops.example",
		"RATE_LIMIT=100000", "RATE_BURST=100000", "FAILURE_RATE_LIMIT=100000", "FAILURE_BURST=100000")
	if w.recorder != nil {
		e = append(e, "UPSTREAM_URL="+w.recorder.Address)
	}
	return e
}

// config is a client's TLS. It shows pair, if there is one, also when the gate asks for
// those of other authorities.
func (w *world) config(pair *testca.Pair) *tls.Config {
	c := &tls.Config{RootCAs: w.pki.CA.Pool(), ServerName: "localhost"}
	if pair != nil {
		certificate := pair.TLS()
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
	}
	return c
}

// as connects with a certificate.
func (w *world) as(t *testing.T, pair *testca.Pair) *harness.Wire {
	t.Helper()
	return harness.MustDial(t, w.gate.Address, w.config(pair))
}

// stranger connects without one.
func (w *world) stranger(t *testing.T) *harness.Wire {
	t.Helper()
	return harness.MustDial(t, w.gate.Address, w.plain)
}

// call connects as one of "ops", "scraper", "guest" and "stranger".
func (w *world) call(who string) (*harness.Wire, error) {
	pair := map[string]*testca.Pair{"ops": w.ops, "scraper": w.scraper, "guest": w.guest}[who]
	return harness.Dial(w.gate.Address, "", w.config(pair))
}

// ask sends one request as someone, on a connection of its own.
func (w *world) ask(t *testing.T, who, text string) *harness.Reply {
	t.Helper()
	wire, err := w.call(who)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = wire.Close() }()
	method, _, _ := strings.Cut(text, " ")
	return wire.RoundTrip(t, method, text)
}

// crowd is work for several clients at a time.
type crowd []func() error

func (c *crowd) add(f func() error) { *c = append(*c, f) }

// run does all of it, at most 24 at a time, which is well below the bound of one address.
func (c crowd) run(t *testing.T) {
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

// scrape asks for /metrics on a connection of its own and returns the answer.
func (w *world) scrape(t *testing.T) *harness.Reply {
	t.Helper()
	wire := w.as(t, w.scraper)
	defer func() { _ = wire.Close() }()
	return wire.RoundTrip(t, "GET", get("/metrics"))
}

// reload asks for a reload and waits until the gate has logged its end n times.
func (w *world) reload(t *testing.T, said string) {
	t.Helper()
	before := strings.Count(w.gate.Log(), said)
	w.gate.Signal(t, syscall.SIGHUP)
	harness.Eventually(t, said, func() bool { return strings.Count(w.gate.Log(), said) > before })
}

// get is a request for target with more header lines.
func get(target string, lines ...string) string { return request("GET", target, lines...) }

func request(method, target string, lines ...string) string {
	all := append([]string{method + " " + target + " HTTP/1.1", "Host: gate.example"}, lines...)
	return strings.Join(all, "\r\n") + "\r\n\r\n"
}

func bearer(token string) string { return "Authorization: Bearer " + token }

// demand compares the status, and what every refusal has to look like.
func demand(t *testing.T, reply *harness.Reply, status int) {
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

// own is the only scrape that the gate ever sends, byte by byte.
func own(t *testing.T, w *world, accept string) string {
	t.Helper()
	return fmt.Sprintf("GET /metrics HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: %s\r\nAccept-Encoding: identity\r\n\r\n",
		w.recorder.Address, userAgent(t, w), accept)
}

// userAgent is what the gate calls itself; it must not be the client's.
func userAgent(t *testing.T, w *world) string {
	t.Helper()
	for _, r := range w.recorder.Requests() {
		for line := range strings.SplitSeq(r, "\r\n") {
			if agent, ok := strings.CutPrefix(line, "User-Agent: "); ok && strings.HasPrefix(agent, "metrics-gate/") {
				return agent
			}
		}
	}
	t.Fatalf("no request of metrics-gate's reached the runner: %q", w.recorder.Bytes())
	return ""
}

// second is the slack of a deadline that the contract states.
const second = time.Second
