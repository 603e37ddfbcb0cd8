// Package prometheus_test scrapes a real gate with a real Prometheus.
package prometheus_test

import (
	"fmt"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// scrapeConfig has a job for each kind of credential: a good certificate and token, a
// certificate that is not allowed, a certificate of another CA, a wrong token, and none.
const scrapeConfig = `
global: {scrape_interval: 500ms, scrape_timeout: 500ms}
scrape_configs:
- {job_name: certificate, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem, cert_file: %[2]s/prometheus.pem, key_file: %[2]s/prometheus-key.pem}}
- {job_name: token, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem}, authorization: {credentials_file: %[2]s/token}}
- {job_name: other-certificate, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem, cert_file: %[2]s/other.pem, key_file: %[2]s/other-key.pem}}
- {job_name: foreign-certificate, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem, cert_file: %[3]s/prometheus.pem, key_file: %[3]s/prometheus-key.pem}}
- {job_name: wrong-token, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem}, authorization: {credentials: mg_wrong}}
- {job_name: nothing, scheme: https, static_configs: [{targets: ["%[1]s"]}], tls_config: {ca_file: %[2]s/ca.pem}}
`

func TestPrometheusScrapes(t *testing.T) {
	pki, foreign := harness.NewPKI(t), harness.NewPKI(t)
	pki.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	pki.Issue(t, "other", testca.Options{DNSNames: []string{"other.example"}})
	foreign.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	pki.Write(t, "token", []byte(secret))
	pki.Write(t, "tokens", []byte(line+"\n"))

	runner := harness.StartRunner(t, harness.Replay(t))
	gate := harness.StartGate(t, append(pki.Environ(true),
		"UPSTREAM_URL="+runner.Address, "RUNNER_NAME=build-01", "TOKENS_FILE="+pki.File("tokens"),
		"METRICS_ALLOW=dns:prometheus.example,token:prometheus", "FAILURE_RATE_LIMIT=1000", "FAILURE_BURST=1000")...)
	prom := harness.StartPrometheus(t, fmt.Sprintf(scrapeConfig, gate.Address, pki.Dir, foreign.Dir))

	for _, job := range []string{"certificate", "token"} {
		prom.Eventually(t, fmt.Sprintf(`up{job=%q}`, job), "1")
		prom.Eventually(t, fmt.Sprintf(`gitlab_runner_concurrent{job=%q,runner_name="build-01"}`, job), "4")
		jobs := prom.Eventually(t, fmt.Sprintf(`gitlab_runner_jobs{job=%q,runner_name="build-01"}`, job), "")
		names := map[string]bool{}
		for _, s := range jobs {
			names[s.Metric["exported_runner_name"]] = true
		}
		if !names["build-linux-01"] || !names[`quote" back\slash ünï`] || names[""] {
			t.Errorf("%s: exported_runner_name of gitlab_runner_jobs: %v", job, names)
		}
		prom.Eventually(t,
			fmt.Sprintf(`count({job=%q,runner_name!="build-01",__name__!~"up|scrape_.*"}) or vector(0)`, job), "0")
		prom.Eventually(t, fmt.Sprintf(`scrape_samples_scraped{job=%q}`, job), fmt.Sprint(samples(t)))
	}
	for _, job := range []string{"other-certificate", "foreign-certificate", "wrong-token", "nothing"} {
		prom.Eventually(t, fmt.Sprintf(`up{job=%q}`, job), "0")
		if got, err := prom.Query(fmt.Sprintf(`{job=%q,__name__=~"gitlab_.*"}`, job)); err != nil || len(got) > 0 {
			t.Errorf("%s: %d samples, %v", job, len(got), err)
		}
	}
	runner.Close()
	prom.Eventually(t, `up{job=~"certificate|token"}`, "0")
}

// samples counts the samples of the recorded body.
func samples(t *testing.T) (n int) {
	t.Helper()
	start := true
	comment := false
	for _, b := range harness.Fixture(t, "runner-19.3.txt") {
		if start {
			comment = b == '#'
		}
		start = b == '\n'
		if start && !comment {
			n++
		}
	}
	return n
}
