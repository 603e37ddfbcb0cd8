package doctor

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// fault is one thing that keeps metrics away from Prometheus, and doctor's words for it.
// These three stand in docs/troubleshooting.md.
type fault struct {
	symptom string // what an operator sees
	cause   string
	fix     string

	name   string
	inject func(*testing.T, *site)
	also   []string // further findings that are true
}

// faults returns all faults.
func faults() []fault {
	var all []fault
	for _, part := range [][]fault{certificateFaults(), credentialFaults(), runnerFaults(), networkFaults(),
		limitFaults(), jobFaults(), labelFaults()} {
		all = append(all, part...)
	}
	return all
}

const serverName = "set server_name in tls_config to a name of the gate's certificate"

func certificateFaults() []fault {
	return []fault{
		{"`certificate signed by unknown authority`", "Prometheus does not trust the CA of the gate's certificate",
			"set ca_file in tls_config to the CA that issued the gate's certificate", "wrong-ca",
			func(t *testing.T, s *site) { s.tls[0] = "ca_file: " + harness.NewPKI(t).File("ca.pem") }, nil},
		{"`certificate is valid for …, not …`", "the address that Prometheus dials is not in the gate's certificate",
			serverName, "wrong-name",
			func(_ *testing.T, s *site) { s.tls = append(s.tls, "server_name: other.example") }, nil},
		{"`doesn't contain any IP SANs`", "the address that Prometheus dials is not in the gate's certificate",
			serverName, "no-ip", func(t *testing.T, s *site) {
				s.Issue(t, "server", testca.Options{DNSNames: []string{"gate.example"}})
			}, nil},
		{"`tls: certificate required`", "Prometheus presents no client certificate, and the gate requires one",
			"set cert_file and key_file in tls_config", "no-certificate",
			func(_ *testing.T, s *site) { s.tls = s.tls[:1] }, nil},
		{"`tls: unknown certificate authority`",
			"the client certificate of Prometheus is not issued by a CA that the gate trusts",
			"let cert_file be a certificate of a CA in TLS_CLIENT_CA_FILE", "foreign-certificate",
			func(t *testing.T, s *site) {
				other := harness.NewPKI(t)
				other.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
				s.tls = []string{s.tls[0], "cert_file: " + other.File("prometheus.pem"),
					"key_file: " + other.File("prometheus-key.pem")}
			}, nil},
		{"`tls: expired certificate`", "the client certificate of Prometheus is expired", "renew cert_file",
			"expired-certificate", func(t *testing.T, s *site) {
				s.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"},
					NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour)})
			}, nil},
		{"`tls: protocol version not supported`", "Prometheus and the gate share no TLS version",
			"remove max_version from tls_config", "old-tls",
			func(_ *testing.T, s *site) { s.tls = append(s.tls, "max_version: TLS12") }, nil},
		{
			"`EOF` or `HTTP status 400`, and the target is `http://`",
			"Prometheus speaks plain HTTP, and the gate speaks TLS",
			"set scheme: https in the job",
			"plain-to-tls",
			func(_ *testing.T, s *site) { s.scheme = "http" },
			nil,
		},
		{"`server gave HTTP response to HTTPS client`, and the gate has INSECURE_HTTP",
			"Prometheus speaks TLS, and what listens there speaks plain HTTP",
			"set scheme: http in the job", "tls-to-plain",
			func(t *testing.T, s *site) {
				s.bearer(t)
				s.environ = append(s.environ[2:], "INSECURE_HTTP=true")
			}, nil},
	}
}

func credentialFaults() []fault {
	return []fault{
		{"`server returned HTTP status 401`",
			"the gate gets no credential of Prometheus that it accepts",
			"correct credentials_file or cert_file in the job",
			"wrong-token", func(t *testing.T, s *site) {
				s.bearer(t)
				s.Write(t, "token", []byte("mg_wrong"))
			}, nil},
		{"`tls: bad certificate`", "the gate refuses the client certificate of Prometheus: it is revoked",
			"read the reason in the gate's log; issue a certificate with the usage clientAuth", "revoked", revoke, nil},
		{"`server returned HTTP status 403`", "the gate authenticates Prometheus, and METRICS_ALLOW does not list it",
			"add the pattern that the gate's log names to METRICS_ALLOW", "not-allowed",
			func(_ *testing.T, s *site) { s.environ = append(s.environ, "METRICS_ALLOW=dns:other.example") }, nil},
		{"`server returned HTTP status 429`", "Prometheus asks more often than the gate's limits allow",
			"raise RATE_LIMIT and RATE_BURST", "too-often",
			func(_ *testing.T, s *site) { s.environ = append(s.environ, "RATE_LIMIT=0.01", "RATE_BURST=1") }, nil},
		{"`server returned HTTP status 503`", "the gate is too busy, or cannot ask the issuer or API server",
			"see that the issuer answers", "issuer-down", issuerDown, nil},
		{"`unable to read authorization credentials`", "Prometheus cannot read its token file",
			"let credentials_file name a file that Prometheus' user can read", "no-token-file",
			func(t *testing.T, s *site) {
				s.bearer(t)
				s.fields = []string{"authorization: {credentials_file: " + s.File("missing") + "}"}
			}, nil},
		{"the job is in the configuration, and has no target",
			"a job names this gate, and Prometheus creates no target for it: it cannot use a file of the job",
			"let it read every file that tls_config of the job names", "no-ca-file",
			func(_ *testing.T, s *site) { s.tls[0] = "ca_file: " + s.File("missing") }, nil},
	}
}

// revoke puts the certificate of Prometheus on a revocation list.
func revoke(t *testing.T, s *site) {
	pair := s.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	list, err := s.CA.CRL(testca.CRLOptions{Revoked: []*x509.Certificate{pair.Leaf()}})
	if err != nil {
		t.Fatal(err)
	}
	s.Write(t, "crl.pem", list)
	s.environ = append(s.environ, "TLS_CLIENT_CRL_FILE="+s.File("crl.pem"))
}

// issuerDown gives Prometheus a JWT of an issuer that does not answer.
func issuerDown(t *testing.T, s *site) {
	issuer := "https://" + harness.FreeAddress(t)
	now := time.Now().Unix()
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	s.bearer(t)
	s.Write(t, "token", []byte(part(`{"alg":"RS256","kid":"1"}`)+"."+part(fmt.Sprintf(
		`{"iss":%q,"aud":"gate","sub":"prometheus","iat":%d,"exp":%d}`, issuer, now, now+3600))+"."+
		part(strings.Repeat("s", 256))))
	s.environ = append(s.environ, "OIDC_ISSUER_URL="+issuer, "OIDC_AUDIENCE=gate", "OIDC_CA_FILE="+s.File("ca.pem"),
		"METRICS_ALLOW=user:prometheus,token:prometheus")
}

func runnerFaults() []fault {
	const noExposition = "the gate gets no valid exposition from the runner"
	const reason = "read the reason in the gate's log or metrics_gate_upstream_errors_total"
	return []fault{
		{"`server returned HTTP status 502`, the runner is down", noExposition, "start the runner", "runner-down",
			func(t *testing.T, s *site) { s.upstream = harness.FreeAddress(t) }, nil},
		{"`server returned HTTP status 502`, the runner answers something else", noExposition, reason, "not-a-runner",
			func(_ *testing.T, s *site) { s.runner = http.NotFoundHandler() }, nil},
		{"`server returned HTTP status 504`", "the runner does not answer in time",
			"relieve the runner, or raise scrape_timeout and UPSTREAM_TIMEOUT", "slow-runner",
			func(_ *testing.T, s *site) {
				s.runner = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			}, nil},
		{"gaps; `scrape_duration_seconds` is near the timeout",
			"the scrape takes more than half of scrape_timeout", "relieve the runner, or raise scrape_timeout", "tight",
			func(t *testing.T, s *site) {
				s.runner = delayed(harness.Replay(t), 1200*time.Millisecond)
				s.fields = append(s.fields, "scrape_interval: 2s", "scrape_timeout: 2s")
			}, nil},
	}
}

// delayed answers after a while, as a busy runner does.
func delayed(h http.Handler, after time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(after):
			h.ServeHTTP(w, r)
		}
	})
}

func networkFaults() []fault {
	return []fault{
		{"`connection refused`", "nothing listens at the target's address",
			"start the gate, set LISTEN_ADDRESS to an address that Prometheus reaches",
			"stopped", func(_ *testing.T, s *site) { s.stopped = true }, nil},
		{"`context deadline exceeded`", "no answer comes within scrape_timeout: packets are dropped",
			"open the gate's port for Prometheus in the firewall or NetworkPolicy", "dropped", dropPackets, nil},
		{"`no such host`", "Prometheus cannot resolve the target's host name", "correct the name in the job",
			"unknown-name", func(_ *testing.T, s *site) {
				s.target = net.JoinHostPort("gate.invalid", s.port)
				s.labels = "runner_name: unknown-name"
			}, []string{"is also a target label"}},
	}
}
