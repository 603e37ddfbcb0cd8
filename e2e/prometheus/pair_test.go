package prometheus_test

import (
	"flag"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/e2e/oidc/provider"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// pairFor is the length of the test below: go test ./prometheus -run Pair -args -pair 10m
var pairFor = flag.Duration("pair", 40*time.Second, "length of TestRotationsUnderAnHAPair")

// pairConfig scrapes every second with a certificate, a token from a file and OAuth2.
const pairConfig = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: certificate
  scheme: https
  static_configs: [{targets: ["%[1]s"]}]
  tls_config: {ca_file: %[2]s/ca.pem, cert_file: %[2]s/prometheus.pem, key_file: %[2]s/prometheus-key.pem}
- job_name: token
  scheme: https
  static_configs: [{targets: ["%[1]s"]}]
  tls_config: {ca_file: %[2]s/ca.pem}
  authorization: {credentials_file: %[2]s/token}
- job_name: oauth2
  scheme: https
  static_configs: [{targets: ["%[1]s"]}]
  tls_config: {ca_file: %[2]s/ca.pem}
  oauth2: {client_id: prometheus, client_secret: secret, token_url: "%[3]s", tls_config: {ca_file: %[2]s/issuer.pem}}
`

// An HA pair of Prometheus scrapes every second while certificate, key, CA, revocation list,
// tokens and the issuer's keys rotate, and the runner restarts. Every failed scrape must
// overlap a restart of the runner.
func TestRotationsUnderAnHAPair(t *testing.T) {
	p := newPair(t)
	servers := []*harness.Prometheus{p.startPrometheus(t), p.startPrometheus(t)}
	for _, s := range servers {
		s.Eventually(t, `count(up == 1)`, "3")
	}
	begin := time.Now()
	rotations := 0
	for turn := 0; time.Since(begin) < *pairFor; turn++ {
		p.rotate(t, turn)
		rotations++
		p.afterScrapes(t, servers)
	}
	total, explained := 0, 0
	for i, s := range servers {
		samples, err := s.Range("up", begin)
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range samples {
			total++
			if sample.Value == "1" {
				continue
			}
			if p.runnerWasDown(sample.Time) {
				explained++
				continue
			}
			t.Errorf("server %d lost a scrape of %s at %s", i, sample.Metric["job"],
				sample.Time.Format(time.RFC3339Nano))
		}
	}
	t.Logf("%d rotations, %d scrapes, %d failed while the runner restarted", rotations, total, explained)
	// Six targets once a second: a stopped Prometheus must not pass for a gate without faults.
	if want := 6 * int(pairFor.Seconds()) * 8 / 10; total < want {
		t.Errorf("%d scrapes, want %d or more", total, want)
	}
	if rotations < 7 {
		t.Errorf("%d rotations", rotations)
	}
}

// pair is a gate with every kind of credential and a runner that can restart.
type pair struct {
	*harness.PKI
	issuer *provider.Provider
	runner *harness.Runner
	gate   *harness.Gate
	lines  []string // of the tokens file
	minted int      // tokens
	list   int64    // number of the revocation list
	downs  [][2]time.Time
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{PKI: harness.NewPKI(t)}
	issuer, err := provider.Start(provider.Options{Lifetime: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Stop)
	p.issuer = issuer
	p.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	p.Write(t, "issuer.pem", issuer.CA())
	p.Write(t, "token", []byte(p.addToken(t)))
	p.writeList(t)
	listener, err := net.Listen("tcp", harness.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	p.runner = harness.StartRunnerOn(t, listener, harness.Replay(t))
	p.gate = harness.StartGate(t, append(p.Environ(true), "UPSTREAM_URL="+p.runner.Address,
		"TLS_CLIENT_CRL_FILE="+p.File("crl.pem"), "TOKENS_FILE="+p.File("tokens"),
		"METRICS_ALLOW=dns:prometheus.example,token:prometheus-0,token:prometheus-1,group:scrapers",
		"OIDC_ISSUER_URL="+issuer.Issuer(), "OIDC_AUDIENCE=metrics-gate", "OIDC_CA_FILE="+p.File("issuer.pem"),
		"OIDC_JWKS_MIN_INTERVAL=1s", "RATE_LIMIT=100", "RATE_BURST=100", "LOG_LEVEL=info")...)
	return p
}

func (p *pair) startPrometheus(t *testing.T) *harness.Prometheus {
	t.Helper()
	return harness.StartPrometheus(t, fmt.Sprintf(pairConfig, p.gate.Address, p.Dir, p.issuer.TokenURL()))
}

// addToken adds a token to the tokens file and returns its secret.
func (p *pair) addToken(t *testing.T) string {
	t.Helper()
	secret, line, err := auth.NewToken(fmt.Sprint("prometheus-", p.minted%2)) // a name occurs once in the file
	if err != nil {
		t.Fatal(err)
	}
	p.minted++
	p.lines = append(p.lines, line)
	p.Write(t, "tokens", []byte(strings.Join(p.lines, "\n")+"\n"))
	return secret
}

// writeList writes the next revocation list.
func (p *pair) writeList(t *testing.T) {
	t.Helper()
	p.list++
	p.Write(t, "crl.pem", testca.CRLPEM(testca.Must(p.CA.CRL(testca.CRLOptions{Number: p.list}))))
}

// rotate does one of seven changes.
func (p *pair) rotate(t *testing.T, turn int) {
	t.Helper()
	switch turn % 7 {
	case 0:
		p.reload(t, func() {
			p.Issue(t, "server", testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"}})
		})
	case 1:
		other := testca.Must(testca.NewCA(testca.Options{CommonName: "next"}))
		list := testca.CRLPEM(testca.Must(other.CRL(testca.CRLOptions{})))
		p.reload(t, func() {
			p.writeList(t)
			current := testca.CRLPEM(testca.Must(p.CA.CRL(testca.CRLOptions{Number: p.list})))
			p.Write(t, "crl.pem", append(current, list...))
			p.Write(t, "ca.pem", append(p.CA.CertPEM(), other.CertPEM()...))
		})
	case 2:
		p.reload(t, func() { p.writeList(t); p.Write(t, "ca.pem", p.CA.CertPEM()) })
	case 3:
		var secret string
		p.reload(t, func() { secret = p.addToken(t) })
		p.Write(t, "token", []byte(secret)) // Prometheus reads it at the next scrape
	case 4:
		p.reload(t, func() {
			p.lines = p.lines[len(p.lines)-1:]
			p.Write(t, "tokens", []byte(p.lines[0]+"\n"))
		})
	case 5:
		if _, err := p.issuer.Rotate("ES256"); err != nil {
			t.Fatal(err)
		}
	case 6:
		p.restartRunner(t)
	}
}

// reload changes files, sends SIGHUP and waits until the gate has loaded them.
func (p *pair) reload(t *testing.T, change func()) {
	t.Helper()
	before := strings.Count(p.gate.Log(), `"msg":"reloaded"`)
	change()
	p.gate.Signal(t, syscall.SIGHUP)
	harness.Eventually(t, "reloaded", func() bool { return strings.Count(p.gate.Log(), `"msg":"reloaded"`) > before })
}

// restartRunner closes the runner, waits until a scrape has failed, and starts it again.
func (p *pair) restartRunner(t *testing.T) {
	t.Helper()
	from := time.Now()
	p.runner.Close()
	harness.Eventually(t, "a scrape fails", func() bool { return p.gate.Metrics(t)["metrics_gate_upstream_up"] == 0 })
	var listener net.Listener
	err := harness.Poll(10*time.Second, func() (err error) {
		listener, err = net.Listen("tcp", p.runner.Address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.runner = harness.StartRunnerOn(t, listener, harness.Replay(t))
	p.downs = append(p.downs, [2]time.Time{from, time.Now()})
}

// runnerWasDown reports whether a scrape that started at begin overlaps a restart.
func (p *pair) runnerWasDown(begin time.Time) bool {
	for _, d := range p.downs {
		if begin.Add(time.Second).After(d[0]) && begin.Before(d[1]) {
			return true
		}
	}
	return false
}

// afterScrapes waits until every target has been scraped twice since now.
func (p *pair) afterScrapes(t *testing.T, servers []*harness.Prometheus) {
	t.Helper()
	now := time.Now()
	for _, s := range servers {
		s.Eventually(t, fmt.Sprintf(`count(timestamp(up) > %d)`, now.Add(2*time.Second).Unix()), "3")
	}
}
