package hostile_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// A client whose certificate is revoked gets no further 200 on its open connection.
func TestRevocationAppliesToOpenConnections(t *testing.T) {
	t.Parallel()
	none := testca.Must(testca.NewCA(testca.Options{CommonName: "other"}))
	for name, revoke := range map[string]func(*fixture){
		"list": func(w *fixture) {
			w.writeCRL(t, testca.CRLOptions{Number: 2, Revoked: []*x509.Certificate{w.scraper.Leaf()}})
		},
		"authority": func(w *fixture) { w.pki.Write(t, "ca.pem", none.CertPEM()) },
		"stale list": func(w *fixture) {
			w.writeCRL(t,
				testca.CRLOptions{Number: 2, ThisUpdate: time.Now().Add(-48 * time.Hour),
					NextUpdate: time.Now().Add(-time.Hour)})
		},
		"list of another": func(w *fixture) {
			w.pki.Write(t, "crl.pem", testca.CRLPEM(testca.Must(none.CRL(testca.CRLOptions{}))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCredentials(t)
			w.writeCRL(t, testca.CRLOptions{})
			w.recorder = harness.StartRecorder(t, harness.AnswerExposition(sample))
			w.gate = harness.StartGate(t, append(w.environ(), "TLS_CLIENT_CRL_FILE="+w.pki.File("crl.pem"))...)
			wire, withToken := w.dialAs(t, w.scraper), w.dialAs(t, w.scraper)
			expect(t, wire.RoundTrip(t, "GET", get("/metrics")), 200)
			revoke(w)
			w.reload(t, `"msg":"reloaded","what":"tls"`)
			expect(t, wire.RoundTrip(t, "GET", get("/metrics")), 401)
			expect(t, withToken.RoundTrip(t, "GET", get("/metrics", bearer(w.token))), 401) // even with a good token
			if state, err := w.handshake(w.scraperTLS); err == nil {
				t.Errorf("a new connection: %v", state)
			}
			if n := len(w.recorder.Requests()); n != 1 {
				t.Errorf("%d requests reached the runner", n)
			}
		})
	}
}

func (w *fixture) writeCRL(t *testing.T, o testca.CRLOptions) {
	t.Helper()
	w.pki.Write(t, "crl.pem", testca.CRLPEM(testca.Must(w.pki.CA.CRL(o))))
}

func TestExpiryAppliesToOpenConnections(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	brief := w.pki.Issue(t, "brief",
		testca.Options{DNSNames: []string{"prometheus.example"}, NotAfter: time.Now().Add(3 * time.Second)})
	wire := w.dialAs(t, brief)
	expect(t, wire.RoundTrip(t, "GET", get("/metrics")), 200)
	await401(t, wire, get("/metrics"))
}

func TestRemovedTokenIsRefusedOnOpenConnections(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	wire := w.dialAnonymous(t)
	expect(t, wire.RoundTrip(t, "GET", get("/metrics", bearer(w.token))), 200)
	w.pki.Write(t, "tokens", []byte("# all removed\n"))
	w.reload(t, `"msg":"reloaded","what":"tokens"`)
	expect(t, wire.RoundTrip(t, "GET", get("/metrics", bearer(w.token))), 401)
}

// The gate notices a change within 10 s without a signal.
func TestFileChangesAreNoticedWithoutASignal(t *testing.T) {
	t.Parallel()
	w := newFixture(t, harness.AnswerExposition(sample))
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	w.pki.Write(t, "tokens", []byte(line+"\n"))
	err = harness.Poll(10*time.Second+second, func() error {
		if status := w.ask(t, "anonymous", get("/metrics", bearer(secret))).Status; status != 200 {
			return fmt.Errorf("new token: status %d", status)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A bad file keeps the old state and is counted.
func TestBadFilesKeepTheOldState(t *testing.T) {
	t.Parallel()
	w := newCredentials(t)
	w.writeCRL(t, testca.CRLOptions{})
	w.recorder = harness.StartRecorder(t, harness.AnswerExposition(sample))
	w.gate = harness.StartGate(t, append(w.environ(), "TLS_CLIENT_CRL_FILE="+w.pki.File("crl.pem"))...)
	for _, name := range []string{"ca.pem", "server.pem", "server-key.pem", "crl.pem", "tokens"} {
		good, err := os.ReadFile(w.pki.File(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"", "\n", "garbage",
			"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", string(good[:len(good)/2])} {
			w.pki.Write(t, name, []byte(bad))
			w.reload(t, `"msg":"reload refused, the old state stays"`)
			expect(t, w.scrape(t), 200)
			expect(t, w.ask(t, "anonymous", get("/metrics", bearer(w.token))), 200)
			expect(t, w.ask(t, "anonymous", get("/metrics")), 401)
		}
		if err := os.Remove(w.pki.File(name)); err != nil {
			t.Fatal(err)
		}
		w.reload(t, `"msg":"reload refused, the old state stays"`)
		expect(t, w.scrape(t), 200)
		w.pki.Write(t, name, good)
	}
	f := w.gate.Metrics(t)
	if f[`metrics_gate_reloads_total{result="error",what="tls"}`] < 24 ||
		f[`metrics_gate_reloads_total{result="error",what="tokens"}`] < 6 {
		t.Error("errors are not counted")
	}
}

// failsToStart starts a gate with bad settings, checks its exit code and returns its output.
func failsToStart(t *testing.T, code int, environ ...string) string {
	t.Helper()
	g := harness.LaunchGate(t, environ...)
	if got := g.Exit(t, 20*second); got != code {
		t.Errorf("exit code %d, want %d: %s", got, code, g.Log())
	}
	return g.Log()
}

func TestBadSettingsDoNotStart(t *testing.T) {
	t.Parallel()
	w := newCredentials(t)
	base := slices.Clip(append(w.environ(), "UPSTREAM_URL=127.0.0.1:9"))
	for _, name := range []string{"READ_HEADER_TIMEOUT", "IDLE_TIMEOUT", "WRITE_TIMEOUT", "MAX_HEADER_BYTES",
		"MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_ADDRESS", "UPSTREAM_TIMEOUT",
		"UPSTREAM_MAX_BYTES", "UPSTREAM_MAX_LINE_BYTES", "MAX_IN_FLIGHT", "PPROF_MAX_SECONDS", "RATE_LIMIT",
		"RATE_BURST", "FAILURE_RATE_LIMIT", "FAILURE_BURST", "DRAIN_TIMEOUT"} {
		for _, value := range []string{"0", "-1", "x", "NaN", "1e999"} {
			said := failsToStart(t, 2, append(base, name+"="+value)...)
			if !strings.Contains(said, "METRICS_GATE_"+name) {
				t.Errorf("%s=%s: %s", name, value, said)
			}
		}
	}
	for name, test := range map[string]struct {
		environ []string
		said    string
	}{
		"unknown variable": {append(base, "METRIC_ALLOW=*"), "METRIC_ALLOW"},
		"no certificate":   {[]string{"TOKENS_FILE=" + w.pki.File("tokens"), "METRICS_ALLOW=*"}, "TLS_CERT_FILE"},
		"no method":        {append(w.pki.Environ(false), "METRICS_ALLOW=*"), "TLS_CLIENT_CA_FILE"},
		"nobody allowed":   {append(base, "METRICS_ALLOW="), "METRICS_ALLOW"},
		"certificates over plain http": {[]string{"INSECURE_HTTP=true", "TLS_CLIENT_CA_FILE=" + w.pki.File("ca.pem"),
			"METRICS_ALLOW=*"}, "INSECURE_HTTP"},
		"old protocol":       {append(base, "TLS_MIN_VERSION=1.1"), "TLS_MIN_VERSION"},
		"remote runner":      {append(base, "UPSTREAM_URL=http://10.0.0.1:9252"), "UPSTREAM_URL"},
		"runner by name":     {append(base, "UPSTREAM_URL=runner:9252"), "UPSTREAM_URL"},
		"runner over tls":    {append(base, "UPSTREAM_URL=https://127.0.0.1:9252"), "UPSTREAM_URL"},
		"runner with a path": {append(base, "UPSTREAM_URL=http://127.0.0.1:9252/metrics"), "UPSTREAM_URL"},
		"bad pattern":        {append(base, "METRICS_ALLOW=prometheus"), "METRICS_ALLOW"},
	} {
		if said := failsToStart(t, 2, test.environ...); !strings.Contains(said, test.said) {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// The gate does not start with a missing, empty, malformed or world-readable file, and
// shows none of its content.
func TestBadFilesDoNotStart(t *testing.T) {
	t.Parallel()
	w := newCredentials(t)
	w.writeCRL(t, testca.CRLOptions{})
	base := slices.Clip(append(w.environ(), "UPSTREAM_URL=127.0.0.1:9", "TLS_CLIENT_CRL_FILE="+w.pki.File("crl.pem")))
	for variable, name := range map[string]string{"TLS_CLIENT_CA_FILE": "ca.pem", "TLS_CERT_FILE": "server.pem",
		"TLS_KEY_FILE": "server-key.pem", "TLS_CLIENT_CRL_FILE": "crl.pem", "TOKENS_FILE": "tokens"} {
		for _, bad := range []string{"", "\n", "garbage " + secret, "prometheus " + w.token,
			"-----BEGIN PRIVATE KEY-----\n" + secret} {
			w.pki.Write(t, "bad", []byte(bad))
			said := failsToStart(t, 2, append(base, variable+"="+w.pki.File("bad"))...)
			if !strings.Contains(said, variable) || strings.Contains(said, secret) || strings.Contains(said, w.token) {
				t.Errorf("%s of %q: %s", variable, bad, said)
			}
		}
		for _, path := range []string{w.pki.File("missing"), w.pki.Dir, "/dev/null"} {
			failsToStart(t, 2, append(base, variable+"="+path)...)
		}
		if variable != "TOKENS_FILE" && variable != "TLS_KEY_FILE" {
			continue
		}
		for _, mode := range []os.FileMode{0o604, 0o644, 0o640} { // the last one is allowed
			if err := os.Chmod(w.pki.File(name), mode); err != nil {
				t.Fatal(err)
			}
			if mode == 0o640 {
				harness.StartGate(t, base...)
				continue
			}
			failsToStart(t, 2, base...)
		}
	}
}
