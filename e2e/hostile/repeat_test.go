package hostile_test

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// The fast path takes over a connection with repeated scrapes from net/http. These tests
// check on it what others check on a new connection: no earlier decision is reused.

// scrapes is the number of scrapes after which a connection is on the fast path.
const scrapes = 3

// repeated returns a connection that is on the fast path.
func (w *fixture) repeated(t *testing.T, pair *testca.Pair, lines ...string) *harness.Wire {
	t.Helper()
	wire := w.dialAs(t, pair)
	for range scrapes {
		expect(t, wire.RoundTrip(t, "GET", get("/metrics", lines...)), 200)
	}
	return wire
}

func TestRepeatedScrapesAreAuthenticatedAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		take func(*testing.T, *fixture)
		said string
	}{
		"revoked": {func(t *testing.T, w *fixture) {
			w.writeCRL(t, testca.CRLOptions{Number: 2, Revoked: []*x509.Certificate{w.scraper.Leaf()}})
		}, "tls"},
		"another authority": {func(t *testing.T, w *fixture) {
			none := testca.Must(testca.NewCA(testca.Options{CommonName: "other"}))
			w.pki.Write(t, "ca.pem", none.CertPEM())
		}, "tls"},
		"token": {func(t *testing.T, w *fixture) { w.pki.Write(t, "tokens", []byte("# all removed\n")) }, "tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCredentials(t)
			w.writeCRL(t, testca.CRLOptions{})
			w.recorder = harness.StartRecorder(t, harness.AnswerExposition(sample))
			w.gate = harness.StartGate(t, append(w.environ(), "TLS_CLIENT_CRL_FILE="+w.pki.File("crl.pem"))...)
			pair, lines := w.scraper, []string(nil)
			if name == "token" {
				pair, lines = nil, []string{bearer(w.token)}
			}
			wire := w.repeated(t, pair, lines...)
			c.take(t, w)
			w.reload(t, fmt.Sprintf(`"msg":"reloaded","what":%q`, c.said))
			expect(t, wire.RoundTrip(t, "GET", get("/metrics", lines...)), 401)
			if n := len(w.recorder.Requests()); n != scrapes {
				t.Errorf("%d requests reached the runner", n)
			}
		})
	}
}

func TestRepeatedScraperCertificateExpires(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	brief := w.pki.Issue(t, "brief",
		testca.Options{DNSNames: []string{"prometheus.example"}, NotAfter: time.Now().Add(3 * time.Second)})
	wire := w.repeated(t, brief)
	await401(t, wire, get("/metrics"))
}

// Each request is authenticated with its own credential.
func TestRepeatedScrapesUseTheirOwnCredential(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	good := bearer(w.token)
	for name, c := range map[string]struct {
		lines  []string
		status int
	}{
		"none": {nil, 401}, "another token": {[]string{bearer(w.spare)}, 403},
		"an unknown one": {[]string{bearer("mg_x")}, 401},
		"two":            {[]string{good, good}, 401}, "two, one bad": {[]string{good, bearer("mg_x")}, 401},
		"empty":          {[]string{"Authorization: "}, 401},
		"another scheme": {[]string{strings.Replace(good, "Bearer", "Basic", 1)}, 401}, "in the query": {nil, 401},
		"the same in another case": {[]string{strings.Replace(good, "Authorization", "aUTHORIZATION", 1)}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			wire := w.repeated(t, nil, good)
			target := "/metrics"
			if name == "in the query" {
				target += "?access_token=" + w.token
			}
			expect(t, wire.RoundTrip(t, "GET", get(target, c.lines...)), c.status)
		})
	}
}

func TestRepeatedConnectionsTakeOnlyLiteralTargets(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	exchanges := 0
	for status, targets := range map[int][]string{400: refusedTargets, 404: absentTargets} {
		for _, target := range targets {
			reply := w.repeated(t, w.ops).RoundTrip(t, "GET", get(target))
			exchanges += scrapes
			if reply.Status == 400 && reply.Close {
				continue // net/http's own refusal
			}
			if reply.Status != status {
				t.Errorf("%s: %d, want %d", target, reply.Status, status)
			}
		}
	}
	if n := len(w.recorder.Requests()); n != exchanges {
		t.Errorf("%d requests reached the runner, not %d", n, exchanges)
	}
}

func TestRepeatedConnectionsTakeNoBodies(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	hidden := get("/gate/metrics")
	for name, text := range map[string]string{
		"length":          get("/metrics", fmt.Sprint("Content-Length: ", len(hidden))) + hidden,
		"coding":          get("/metrics", "Transfer-Encoding: chunked") + "0\r\n\r\n" + hidden,
		"both":            get("/metrics", "Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n" + hidden,
		"folded length":   get("/metrics", "Accept: a,", " b", fmt.Sprint("Content-Length: ", len(hidden))) + hidden,
		"space and colon": get("/metrics", fmt.Sprint("Content-Length : ", len(hidden))) + hidden,
	} {
		t.Run(name, func(t *testing.T) {
			wire := w.repeated(t, w.scraper)
			reply := wire.RoundTrip(t, "GET", text)
			if reply.Status < 400 || !reply.Close {
				t.Errorf("status %d, close %t", reply.Status, reply.Close)
			}
			if err := wire.AwaitClose(5 * second); err != nil {
				t.Error(err)
			}
		})
	}
}

// READ_HEADER_TIMEOUT, not IDLE_TIMEOUT, bounds half a head on the fast path.
func TestRepeatedConnectionsTimeOut(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample), "READ_HEADER_TIMEOUT=1s", "IDLE_TIMEOUT=3s")
	half, idle := w.repeated(t, w.scraper), w.repeated(t, w.scraper)
	if err := half.Send("GET /met"); err != nil {
		t.Fatal(err)
	}
	if reply, err := half.Receive("GET"); err == nil && reply.Status != 400 { // net/http's answer to half a head
		t.Errorf("half a head: %d", reply.Status)
	}
	if err := half.AwaitClose(2 * second); err != nil {
		t.Errorf("half a head: %v", err)
	}
	if err := idle.AwaitClose(4 * second); err != nil {
		t.Errorf("idle: %v", err)
	}
}

// A broken exposition is 502 or aborted on the fast path too.
func TestRepeatedScrapesReportFaults(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("some_metric_of_the_runner{a=\"b\"} 1\n", 100000)
	bodies := []string{large, sample, "nonsense nonsense\n", sample, large + "nonsense nonsense\n"}
	n := 0
	w := newFixture(t, func(x *harness.Exchange) {
		harness.AnswerExposition(bodies[n%len(bodies)])(x)
		n++
	})
	wire := w.dialAs(t, w.scraper)
	for i := range 2 * len(bodies) {
		if err := wire.Send(get("/metrics")); err != nil {
			t.Fatal(err)
		}
		reply, err := wire.Receive("GET")
		switch i % len(bodies) {
		case 2:
			if err != nil || reply.Status != 502 {
				t.Errorf("scrape %d: %v, %v", i, reply, err)
			}
		case 4:
			if err == nil && reply.Err == nil {
				t.Errorf("scrape %d: a broken body ended as complete", i)
			}
			wire = w.dialAs(t, w.scraper)
		default:
			if err != nil || reply.Status != 200 || reply.Err != nil ||
				!strings.HasSuffix(reply.Body, `{runner_name="r1"} 1`+"\n") && i%len(bodies) > 0 {
				t.Errorf("scrape %d: %v", i, err)
			}
		}
	}
}
