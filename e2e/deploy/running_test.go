package deploy

import (
	"fmt"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// running is a gate that runs with the settings of a rendered pod.
type running struct {
	gated
	*harness.Gate
}

// run starts the gate of a release with the certificate that cert-manager would issue.
func run(t *testing.T, pki *harness.PKI, list []any) running {
	t.Helper()
	g := gatedPod(t, one[appsv1.Deployment](t, list), list)
	pki.Issue(t, g.Name, testca.Options{DNSNames: one[certificate](t, list).Spec.DNSNames})
	environ := g.environ()
	for name, value := range map[string]string{
		"UPSTREAM_URL": harness.StartRunner(t, harness.Replay(t)).URL, "TLS_CLIENT_CA_FILE": pki.File("ca.pem"),
		"TLS_CERT_FILE": pki.File(g.Name + ".pem"), "TLS_KEY_FILE": pki.File(g.Name + "-key.pem"),
	} {
		environ[harness.Prefix+name] = value
	}
	delete(environ, harness.Prefix+"ADMIN_ADDRESS") // the harness chooses both ports
	var settings []string
	for name, value := range environ {
		if short, ok := strings.CutPrefix(name, harness.Prefix); ok {
			settings = append(settings, short+"="+value)
		}
	}
	return running{g, harness.StartGate(t, settings...)}
}

// scrapeJob is the job that prometheus-operator makes of a PodMonitor.
func scrapeJob(t *testing.T, m *monitoringv1.PodMonitor, pki *harness.PKI, gates []running) string {
	t.Helper()
	e := m.Spec.PodMetricsEndpoints[0]
	path := e.Path
	if path == "" {
		path = "/metrics"
	}
	var targets []string
	for _, g := range gates {
		if selects(t, &m.Spec.Selector, g.pod.Labels) {
			targets = append(targets, fmt.Sprintf("%q", g.Address))
		}
	}
	return fmt.Sprintf(`- job_name: %s/%s
  scheme: %s
  metrics_path: %s
  tls_config: {server_name: %s, ca_file: %[6]s/ca.pem, cert_file: %[6]s/client.pem, key_file: %[6]s/client-key.pem}
  static_configs: [{targets: [%[7]s]}]
`, m.Namespace, m.Name, *e.Scheme, path, *e.TLSConfig.ServerName, pki.Dir, strings.Join(targets, ", "))
}

// TestTwoReleasesAreScraped: the gates of two releases run with the settings that the values
// render, and a real Prometheus scrapes both as their monitors say, the runners and the gates.
func TestTwoReleasesAreScraped(t *testing.T) {
	pki := harness.NewPKI(t)
	for _, c := range only[certificate](build(t, source("deploy/k8s/cert-manager"))) {
		if c.Name == "prometheus-client" {
			pki.Issue(t, "client", testca.Options{URIs: c.Spec.URIs})
		}
	}
	var gates []running
	var monitors []*monitoringv1.PodMonitor
	for _, name := range []string{"build", "deploy"} {
		list := valuesFor(t, name, "mtls").objects(t, "testdata/chart")
		gates = append(gates, run(t, pki, list))
		monitors = append(monitors, only[monitoringv1.PodMonitor](list)...)
	}
	config := "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\nscrape_configs:\n"
	for _, m := range monitors {
		config += scrapeJob(t, m, pki, gates)
	}
	prometheus := harness.StartPrometheus(t, config)
	prometheus.Eventually(t, "sum(up)", "4")
	for i, name := range []string{"build", "deploy"} {
		instance := fmt.Sprintf("instance=%q", gates[i].Address)
		prometheus.Eventually(t, fmt.Sprintf(`gitlab_runner_version_info{%s,runner_name=%q}`, instance, name), "1")
		prometheus.Eventually(t, fmt.Sprintf(`metrics_gate_upstream_up{%s}`, instance), "1")
	}
}
