package docs

import (
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// A real Prometheus scrapes with the output of print scrape-config: by certificate, or by
// token when the allow list names only tokens.
func TestPrintedScrapeConfigScrapes(t *testing.T) {
	runner := harness.StartRunner(t, harness.Replay(t))
	for name, allow := range map[string]string{"certificate": "dns:prometheus.example", "token": "token:prometheus"} {
		t.Run(name, func(t *testing.T) {
			p := newSetup(t, runner.Address, "METRICS_ALLOW="+allow)
			gate := harness.StartGate(t, p.environ...)
			config := strings.ReplaceAll(p.gate(t, 0, "print", "scrape-config", "--target", gate.Address,
				"--ca", p.File("ca.pem"), "--cert", p.File("prometheus.pem"), "--key", p.File("prometheus-key.pem"),
				"--token-file", p.File("token")),
				"scrape_interval: 30s", "scrape_interval: 500ms")
			runTool(t, "promtool", "check", "config", writeTemp(t, "prometheus.yml", config))
			prom := harness.StartPrometheus(t, config)
			prom.Eventually(t, `up{job="gitlab-runner"}`, "1")
			prom.Eventually(t, `up{job="metrics-gate"}`, "1")
			prom.Eventually(t, `gitlab_runner_concurrent{runner_name="build-01"}`, "4")
			prom.Eventually(t, `metrics_gate_upstream_up{job="metrics-gate"}`, "1")
		})
	}
}
