package docs

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func monitoringFile(name string) string {
	return filepath.Join(harness.Root(), "deploy", "monitoring", name)
}

func TestRulesPassPromtool(t *testing.T) {
	out := runTool(t, "promtool", "check", "rules", monitoringFile("rules.yaml"))
	if !strings.Contains(out, "SUCCESS") {
		t.Error(out)
	}
	runTool(t, "promtool", "test", "rules", monitoringFile("rules_test.yaml"))
}

// Every alert has a unit test in which it fires.
func TestEveryAlertIsTested(t *testing.T) {
	rules, tests := read(t, monitoringFile("rules.yaml")), read(t, monitoringFile("rules_test.yaml"))
	alerts := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	if len(alerts) < 10 {
		t.Fatalf("%d alerts", len(alerts))
	}
	for _, alert := range alerts {
		if !regexp.MustCompile(`alertname: ` + alert[1] + `\n\s+exp_alerts:`).MatchString(tests) {
			t.Errorf("%s has no test in which it fires", alert[1])
		}
	}
}

// The rules fire in a real Prometheus on the metrics of a real gate. The test removes
// their waiting times and shortens their ranges.
func TestRulesFire(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	p := newSetup(t, runner.Address, "RATE_LIMIT=1", "RATE_BURST=1", "FAILURE_RATE_LIMIT=1000", "FAILURE_BURST=1000")
	p.Issue(t, "server",
		testca.Options{DNSNames: []string{"localhost"}, IPs: []string{"127.0.0.1"},
			NotAfter: time.Now().Add(24 * time.Hour)})
	gate := harness.StartGate(t, p.environ...)
	rules := regexp.MustCompile(`\n    for: \w+`).ReplaceAllString(p.gate(t, 0, "print", "alerts"), "")
	rules = regexp.MustCompile(`\[(5m|10m|15m)\]`).ReplaceAllString(rules, "[20s]")
	prom := harness.StartPrometheus(t, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%[3]s]
scrape_configs:
- {job_name: runner, scheme: https, static_configs: [{targets: ["%[1]s"]}],
   tls_config: {ca_file: %[2]s/ca.pem, cert_file: %[2]s/prometheus.pem, key_file: %[2]s/prometheus-key.pem}}
- {job_name: gate, metrics_path: /metrics, static_configs: [{targets: ["%[4]s"]}]}
`, gate.Address, p.Dir, writeTemp(t, "rules.yml", rules), gate.Admin))

	fires := func(alert string) {
		t.Helper()
		prom.Eventually(t, fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing"}`, alert), "1")
	}
	fires("MetricsGateCertificateExpiresSoon")
	fires("MetricsGateCertificateExpiresNow")
	prom.Eventually(t, `runner_name:gitlab_runner_jobs:sum{runner_name="build-01"}`, "")

	p.Write(t, "tokens", []byte("nonsense\n"))
	gate.Signal(t, syscall.SIGHUP)
	fires("MetricsGateReloadRefused")

	stop := make(chan struct{})
	defer close(stop)
	go sendRefusedRequests(p, gate, stop)
	fires("MetricsGateAuthenticationRefused")
	fires("MetricsGateAuthorizationDenied")
	fires("MetricsGateRateLimited")

	runner.Close()
	fires("MetricsGateRunnerDown")
	gate.Signal(t, syscall.SIGTERM) // of a runner that is down, RunnerDown alone tells
	fires("MetricsGateRunnerAbsent")
}

// sendRefusedRequests sends requests without a credential, without the right and above
// the rate limit, until stop is closed.
func sendRefusedRequests(p *setup, gate *harness.Gate, stop chan struct{}) {
	pair, err := p.CA.Issue(testca.Options{DNSNames: []string{"prometheus.example"}, CommonName: "refused"})
	if err != nil {
		panic(err)
	}
	for {
		select {
		case <-stop:
			return
		case <-time.After(200 * time.Millisecond):
		}
		for _, ask := range []func() (*http.Response, error){
			func() (*http.Response, error) { return p.Client(nil).Get("https://" + gate.Address + "/metrics") },
			func() (*http.Response, error) {
				return p.Client(pair).Get("https://" + gate.Address + "/debug/pprof/heap")
			},
		} {
			if response, err := ask(); err == nil {
				_ = response.Body.Close()
			}
		}
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
