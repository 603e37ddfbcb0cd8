package docs

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/e2e/oidc/provider"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// The rules about the gate's surroundings fire: a stale revocation list, an unreachable
// issuer, tokens that cannot be verified, and a runner without a free slot.
func TestRulesFireOnOutages(t *testing.T) {
	issuer, err := provider.Start(provider.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Stop)
	runner := harness.StartRunner(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", harness.TextFormat)
		_, _ = io.WriteString(w, "gitlab_runner_concurrent 1\ngitlab_runner_jobs{state=\"running\"} 1\n")
	}))
	p := newSetup(t, runner.Address, "OIDC_ISSUER_URL="+issuer.Issuer(), "OIDC_AUDIENCE=metrics-gate",
		"OIDC_JWKS_MIN_INTERVAL=1s")
	p.Write(t, "issuer.pem", issuer.CA())
	p.Write(t, "crl.pem",
		testca.CRLPEM(testca.Must(p.CA.CRL(testca.CRLOptions{NextUpdate: time.Now().Add(time.Hour)}))))
	p.environ = append(p.environ, "OIDC_CA_FILE="+p.File("issuer.pem"), "TLS_CLIENT_CRL_FILE="+p.File("crl.pem"))
	gate := harness.StartGate(t, p.environ...)
	harness.Eventually(t, "keys", func() bool {
		_, keys, _ := issuer.Requests()
		return keys > 0
	})
	if _, err := issuer.Rotate("ES256"); err != nil {
		t.Fatal(err)
	}
	token, err := issuer.Token(t.Context(), "prometheus", "secret")
	if err != nil {
		t.Fatal(err)
	}
	issuer.Stop()
	p.Write(t, "unjudged", []byte(token))

	rules := regexp.MustCompile(`\n    for: \w+`).ReplaceAllString(p.gate(t, 0, "print", "alerts"), "")
	rules = strings.ReplaceAll(regexp.MustCompile(`\[(5m|10m|15m)\]`).ReplaceAllString(rules, "[20s]"), "> 10800",
		"> 3")
	prom := harness.StartPrometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%[3]s]
scrape_configs:
- {job_name: runner, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem, cert_file: %[2]s/prometheus.pem, key_file: %[2]s/prometheus-key.pem}}
- {job_name: unjudged, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem}, authorization: {credentials_file: %[2]s/unjudged}}
- {job_name: gate, metrics_path: /metrics, static_configs: [{targets: ["%[4]s"]}]}
`, gate.Address, p.Dir, writeTemp(t, "rules.yml", rules), gate.Admin))
	for _, alert := range []string{"MetricsGateRevocationListExpiresSoon", "MetricsGateIssuerUnreachable",
		"MetricsGateAuthenticationUnavailable", "MetricsGateRunnerFull"} {
		prom.Eventually(t, fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing"}`, alert), "1")
	}
}
