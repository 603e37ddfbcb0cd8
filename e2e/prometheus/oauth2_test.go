package prometheus_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/e2e/oidc/provider"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// oauth2Config scrapes with tokens that Prometheus fetches, and with a token from a file.
const oauth2Config = `
global: {scrape_interval: 500ms, scrape_timeout: 500ms}
scrape_configs:
- job_name: oauth2
  scheme: https
  static_configs: [{targets: ["%[1]s"]}]
  tls_config: {ca_file: %[2]s/ca.pem}
  oauth2: {client_id: prometheus, client_secret: secret, token_url: "%[3]s", tls_config: {ca_file: %[2]s/issuer.pem}}
- job_name: oauth2-other
  scheme: https
  static_configs: [{targets: ["%[1]s"]}]
  tls_config: {ca_file: %[2]s/ca.pem}
  oauth2: {client_id: other, client_secret: secret, token_url: "%[3]s", tls_config: {ca_file: %[2]s/issuer.pem}}
- {job_name: file, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem}, authorization: {credentials_file: %[2]s/token}}
- {job_name: certificate, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem, cert_file: %[2]s/prometheus.pem, key_file: %[2]s/prometheus-key.pem}}
`

// The issuer is down when the gate starts, then starts, rotates its keys and stops. A
// client with a certificate is served throughout.
func TestPrometheusWithOAuth2(t *testing.T) {
	pki := harness.NewPKI(t)
	pki.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	issuer, err := provider.Start(provider.Options{Clients: map[string]provider.Client{
		"prometheus": {Secret: "secret", Groups: []string{"scrapers"}},
		"other":      {Secret: "secret", Groups: []string{"others"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Stop)
	pki.Write(t, "issuer.pem", issuer.CA())
	pki.Write(t, "token", []byte("not.a.token"))
	issuer.Stop()

	runner := harness.StartRunner(t, harness.Replay(t))
	gate := harness.StartGate(t, append(pki.Environ(true),
		"UPSTREAM_URL="+runner.Address, "RUNNER_NAME=build-01", "METRICS_ALLOW=dns:prometheus.example,group:scrapers",
		"OIDC_ISSUER_URL="+issuer.Issuer(), "OIDC_AUDIENCE=metrics-gate", "OIDC_CA_FILE="+pki.File("issuer.pem"),
		"OIDC_JWKS_MIN_INTERVAL=1s",
		"FAILURE_RATE_LIMIT=1000", "FAILURE_BURST=1000")...)
	prom := harness.StartPrometheus(t, fmt.Sprintf(oauth2Config, gate.Address, pki.Dir, issuer.TokenURL()))
	prom.Eventually(t, `up{job="certificate"}`, "1")
	prom.Eventually(t, `up{job=~"oauth2.*|file"}`, "0")

	if err := issuer.Restart(); err != nil {
		t.Fatal(err)
	}
	put := func(id string) {
		t.Helper()
		token, err := issuer.Token(context.Background(), id, "secret")
		if err != nil {
			t.Fatal(err)
		}
		pki.Write(t, "token", []byte(token))
	}
	put("prometheus")
	prom.Eventually(t, `up{job=~"oauth2|file"}`, "1")
	prom.Eventually(t, `gitlab_runner_concurrent{job="oauth2",runner_name="build-01"}`, "4")
	prom.Eventually(t, `up{job="oauth2-other"}`, "0")

	put("other") // a token that is not allowed
	prom.Eventually(t, `up{job="file"}`, "0")
	if _, err := issuer.Rotate("ES256"); err != nil {
		t.Fatal(err)
	}
	put("prometheus") // signed with a key that is new to the gate
	prom.Eventually(t, `up{job="file"}`, "1")

	issuer.Stop() // tokens under known keys are still accepted
	later := fmt.Sprintf(` and timestamp(up) > %d`, time.Now().Add(2*time.Second).Unix())
	prom.Eventually(t, `up{job="file"}`+later, "1")
	prom.Eventually(t, `up{job="certificate"}`+later, "1")
}

// A token under an unknown key of an unreachable issuer is 503. Other credentials are
// not affected.
func TestUnreachableIssuerIs503(t *testing.T) {
	pki := harness.NewPKI(t)
	issuer, err := provider.Start(provider.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Stop)
	pki.Write(t, "issuer.pem", issuer.CA())
	token, err := issuer.Token(context.Background(), "prometheus", "secret")
	if err != nil {
		t.Fatal(err)
	}
	issuer.Stop()
	runner := harness.StartRunner(t, harness.Replay(t))
	pair := pki.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	gate := harness.StartGate(t,
		append(pki.Environ(true), "UPSTREAM_URL="+runner.Address,
			"METRICS_ALLOW=dns:prometheus.example,user:prometheus",
			"OIDC_ISSUER_URL="+issuer.Issuer(), "OIDC_AUDIENCE=metrics-gate", "OIDC_CA_FILE="+pki.File("issuer.pem"),
			"OIDC_JWKS_MIN_INTERVAL=1s")...)
	ask := func(c *http.Client, token string) int {
		t.Helper()
		return harness.Status(t, c, "https://"+gate.Address+"/metrics", token)
	}
	client := pki.Client(nil)
	if got := ask(client, token); got != http.StatusServiceUnavailable {
		t.Errorf("issuer down: %d", got)
	}
	if got := ask(pki.Client(pair), ""); got != http.StatusOK {
		t.Errorf("certificate while the issuer is down: %d", got)
	}
	if err := issuer.Restart(); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "accepted after the issuer is back",
		func() bool { return ask(client, token) == http.StatusOK })
	// With the keys in a file the gate needs no issuer.
	jwks, err := fetchKeys(issuer)
	if err != nil {
		t.Fatal(err)
	}
	pki.Write(t, "jwks.json", jwks)
	issuer.Stop()
	offline := harness.StartGate(t,
		append(pki.Environ(false), "UPSTREAM_URL="+runner.Address, "METRICS_ALLOW=user:prometheus",
			"OIDC_ISSUER_URL="+issuer.Issuer(), "OIDC_AUDIENCE=metrics-gate",
			"OIDC_JWKS_FILE="+pki.File("jwks.json"))...)
	gate.Address = offline.Address
	if got := ask(client, token); got != http.StatusOK {
		t.Errorf("keys from a file: %d", got)
	}
	if log := gate.Log() + offline.Log(); containsToken(log, token) {
		t.Error("the token is in the log")
	}
}
