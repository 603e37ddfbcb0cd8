package docs

import (
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

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
			config := "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\n" +
				strings.ReplaceAll(p.gate(t, 0, "print", "scrape-config", "--target", gate.Address,
					"--ca", p.File("ca.pem"), "--cert", p.File("prometheus.pem"), "--key", p.File("prometheus-key.pem"),
					"--token-file", p.File("token")),
					"scrape_timeout: 10s", "scrape_timeout: 500ms")
			runTool(t, "promtool", "check", "config", writeTemp(t, "prometheus.yml", config))
			prom := harness.StartPrometheus(t, config)
			prom.Eventually(t, `up{job="gitlab-runner"}`, "1")
			prom.Eventually(t, `up{job="metrics-gate"}`, "1")
			prom.Eventually(t, `gitlab_runner_concurrent{runner_name="build-01"}`, "4")
			prom.Eventually(t, `metrics_gate_upstream_up{job="metrics-gate"}`, "1")
		})
	}
}

// strict decodes YAML into v and refuses unknown fields.
func strict(t *testing.T, text string, v any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

func TestPrintedPodMonitorDecodes(t *testing.T) {
	p := newSetup(t, "127.0.0.1:9252")
	var m monitoring.PodMonitor
	strict(t, p.gate(t, 0, "print", "podmonitor"), &m)
	if m.Kind != "PodMonitor" || len(m.Spec.PodMetricsEndpoints) != 2 ||
		m.Spec.Selector.MatchLabels["app.kubernetes.io/component"] != "runner" {
		t.Fatalf("%+v", m)
	}
	for i, path := range []string{"/metrics", "/gate/metrics"} {
		e := m.Spec.PodMetricsEndpoints[i]
		if e.Path != path || e.Port == nil || *e.Port != "metrics-gate" || e.Scheme == nil || *e.Scheme != "https" ||
			e.Authorization != nil {
			t.Errorf("%+v", e)
		}
		if c := e.TLSConfig; c == nil || c.CA.Secret == nil || c.Cert.Secret == nil || c.KeySecret == nil ||
			c.ServerName == nil || *c.ServerName != "localhost" {
			t.Errorf("tls %+v", c)
		}
	}
	p.environ = append(p.environ, "METRICS_ALLOW=token:prometheus")
	m = monitoring.PodMonitor{}
	strict(t, p.gate(t, 0, "print", "podmonitor", "--secret", "mine"), &m)
	if e := m.Spec.PodMetricsEndpoints[0]; e.Authorization == nil || e.Authorization.Credentials.Name != "mine" ||
		e.TLSConfig.Cert.Secret != nil {
		t.Errorf("%+v", e)
	}
}

// The policy has one item with both selectors: pods in a namespace, not either of them.
func TestPrintedNetworkPolicyIsOneRule(t *testing.T) {
	var n networking.NetworkPolicy
	strict(t,
		newSetup(t, "127.0.0.1:9252", "LISTEN_ADDRESS=:9999").gate(t, 0, "print", "networkpolicy", "--selector",
			"app=runner"), &n)
	if len(n.Spec.Ingress) != 1 || len(n.Spec.Ingress[0].From) != 1 || len(n.Spec.Ingress[0].Ports) != 1 ||
		n.Spec.PodSelector.MatchLabels["app"] != "runner" {
		t.Fatalf("%+v", n.Spec)
	}
	from, port := n.Spec.Ingress[0].From[0], n.Spec.Ingress[0].Ports[0]
	if from.NamespaceSelector == nil || from.PodSelector == nil || len(from.PodSelector.MatchLabels) == 0 ||
		port.Port.IntValue() != 9999 {
		t.Errorf("%+v %+v", from, port)
	}
	if len(n.Spec.PolicyTypes) != 1 || n.Spec.PolicyTypes[0] != networking.PolicyTypeIngress {
		t.Errorf("%v", n.Spec.PolicyTypes)
	}
}

// systemd-analyze exits with 0 on unknown keys, so the test also checks that it prints nothing.
func TestPrintedUnitPassesSystemdAnalyze(t *testing.T) {
	p := newSetup(t, "127.0.0.1:9252", `RUNNER_NAME=build "one" 100%`, "LISTEN_ADDRESS=:443")
	text := p.gate(t, 0, "print", "systemd", "--binary", harness.Binary(t))
	unit := writeTemp(t, "metrics-gate.service", text)
	runTool(t, "systemd-analyze", "verify", unit)
	runTool(t, "systemd-analyze", "security", "--offline=true", "--threshold=16", unit)
	for _, want := range []string{`Environment="METRICS_GATE_RUNNER_NAME=build \"one\" 100%%"`,
		"AmbientCapabilities=CAP_NET_BIND_SERVICE", "Type=notify"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
