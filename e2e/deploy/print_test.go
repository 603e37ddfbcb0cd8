package deploy

import (
	"log/slog"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/config"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// configured are configurations, by the way in which Prometheus authenticates. Their files
// are not on this machine.
var configured = map[string][]string{
	"mtls":   {"TLS_CLIENT_CA_FILE=/not/here/ca.crt", "METRICS_ALLOW=dns:prometheus.example"},
	"bearer": {"TOKENS_FILE=/not/here/tokens", "METRICS_ALLOW=token:prometheus"},
	"oauth2": {
		"OIDC_ISSUER_URL=https://issuer.example", "OIDC_AUDIENCE=gates", "METRICS_ALLOW=user:prometheus",
	},
	"account": {
		"OIDC_ISSUER_URL=https://kubernetes.default.svc", "OIDC_AUDIENCE=metrics-gate",
		"METRICS_ALLOW=user:system:serviceaccount:monitoring:prometheus-k8s",
	},
}

// printed is what print writes for a configuration.
func printed(t *testing.T, environ []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), harness.Binary(t), append([]string{"print"}, args...)...)
	for _, entry := range append(environ, "TLS_CERT_FILE=/not/here/tls.crt", "TLS_KEY_FILE=/not/here/tls.key") {
		cmd.Env = append(cmd.Env, harness.Prefix+entry)
	}
	r := finish(t, cmd)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("print %q: exit %d\n%s", args, r.code, r.stderr)
	}
	return r.stdout
}

// surroundings are flags of print with values that YAML could misread.
var surroundings = []string{
	"--namespace", "watch", "--runner-namespace", "ci,no", "--labels", "release=on,x.example/y=1",
	"--selector", "app=runner,tier=true", "--server-name", "gates.example", "--target", "192.0.2.1:9253,a.example:9253",
	"--prometheus-selector", "app=agent", "--token-url", "https://issuer.example/token",
}

// TestPrintedMonitors: each kind is decoded strictly, has the flags' names, and scrapes the runner
// and the gate in two jobs with the same credentials.
func TestPrintedMonitors(t *testing.T) {
	for way, environ := range configured {
		podMonitors(t, way, manifests(t, way, printed(t, environ, append(surroundings, "podmonitor")...)))
		serviceMonitors(t, way, manifests(t, way, printed(t, environ, append(surroundings, "servicemonitor")...)))
		scrapeConfigs(t, way, manifests(t, way, printed(t, environ, append(surroundings, "scrapeconfig")...)))
	}
}

func podMonitors(t *testing.T, way string, list []any) {
	t.Helper()
	var paths []string
	for _, m := range only[monitoringv1.PodMonitor](list) {
		e := m.Spec.PodMetricsEndpoints[0]
		paths = append(paths, e.Path)
		named(t, m, m.Spec.NamespaceSelector.MatchNames)
		presented(t, way, m.Spec.ScrapeClassName, e.TLSConfig, e.Authorization, e.OAuth2)
		if want := map[string]string{"app": "runner", "tier": "true"}; m.Spec.Selector.MatchLabels["tier"] != "true" {
			t.Errorf("%s selects %v, not %v", m.Name, m.Spec.Selector.MatchLabels, want)
		}
	}
	both(t, "podmonitor "+way, paths)
}

func serviceMonitors(t *testing.T, way string, list []any) {
	t.Helper()
	var paths, jobs, namespaces []string
	services := only[corev1.Service](list)
	for _, s := range services {
		namespaces = append(namespaces, s.Namespace)
	}
	for _, m := range only[monitoringv1.ServiceMonitor](list) {
		e := m.Spec.Endpoints[0]
		paths, jobs = append(paths, e.Path), append(jobs, *e.RelabelConfigs[0].Replacement)
		named(t, m, m.Spec.NamespaceSelector.MatchNames)
		var tls *monitoringv1.SafeTLSConfig
		if e.TLSConfig != nil {
			tls = &e.TLSConfig.SafeTLSConfig
		}
		presented(t, way, m.Spec.ScrapeClassName, tls, e.Authorization, e.OAuth2)
		if !selects(t, &m.Spec.Selector, services[0].Labels) || e.Port != services[0].Spec.Ports[0].Name {
			t.Errorf("%s does not select the Service", m.Name)
		}
	}
	both(t, "servicemonitor "+way, paths)
	if !slices.Equal(jobs, []string{"gitlab-runner", "metrics-gate"}) ||
		!slices.Equal(namespaces, []string{"ci", "no"}) {
		t.Errorf("%s: jobs %q, Services in %q", way, jobs, namespaces)
	}
}

func scrapeConfigs(t *testing.T, way string, list []any) {
	t.Helper()
	var paths, jobs []string
	for _, m := range only[monitoringv1alpha1.ScrapeConfig](list) {
		paths, jobs = append(paths, *m.Spec.MetricsPath), append(jobs, *m.Spec.JobName)
		named(t, m, []string{"ci", "no"})
		presented(t, way, m.Spec.ScrapeClassName, m.Spec.TLSConfig, m.Spec.Authorization, m.Spec.OAuth2)
		if got := m.Spec.StaticConfigs[0].Targets; len(got) != 2 || got[0] != "192.0.2.1:9253" {
			t.Errorf("%s: targets %q", way, got)
		}
	}
	both(t, "scrapeconfig "+way, paths)
	if !slices.Equal(jobs, []string{"gitlab-runner", "metrics-gate"}) {
		t.Errorf("%s: jobs %q", way, jobs)
	}
}

// named: the monitor is where its flags put it, and looks where they say.
func named(t *testing.T, m any, namespaces []string) {
	t.Helper()
	got := meta(m)
	if got.Namespace != "watch" || got.Labels["release"] != "on" || got.Labels["x.example/y"] != "1" ||
		!slices.Equal(namespaces, []string{"ci", "no"}) {
		t.Errorf("%s/%s, labels %v, looks in %q", got.Namespace, got.Name, got.Labels, namespaces)
	}
}

// presented: Prometheus presents what the configuration lets in, and verifies the gate.
func presented(t *testing.T, way string, class *string, tls *monitoringv1.SafeTLSConfig,
	bearer *monitoringv1.SafeAuthorization, oauth2 *monitoringv1.OAuth2) {
	t.Helper()
	if way == "account" {
		if class == nil || *class != "metrics-gate-bearer" || tls != nil || bearer != nil || oauth2 != nil {
			t.Errorf("%s: class %v, %+v %+v %+v", way, class, tls, bearer, oauth2)
		}
		return
	}
	credentialsMatch(t, "printed-"+way+".yaml", tls, bearer != nil, oauth2 != nil)
	if tls != nil && *tls.ServerName != "gates.example" {
		t.Errorf("%s: the name to verify is %s", way, *tls.ServerName)
	}
	if oauth2 != nil && (oauth2.EndpointParams["audience"] != "gates" ||
		oauth2.TokenURL != "https://issuer.example/token") {
		t.Errorf("%s: %+v", way, oauth2)
	}
}

// TestPrintedScrapeConfigs: Prometheus' own loader takes them, and discovery keeps the gate's port.
func TestPrintedScrapeConfigs(t *testing.T) {
	for way, environ := range configured {
		for _, kind := range []string{"kubernetes_sd", "scrape-config"} {
			text := printed(t, environ, "--server-name", "gates.example", kind)
			c, err := config.Load(text, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Errorf("%s %s: %v\n%s", kind, way, err, text)
				continue
			}
			var jobs, paths []string
			for _, s := range c.ScrapeConfigs {
				jobs, paths = append(jobs, s.JobName), append(paths, s.MetricsPath)
				name := strings.Replace(way, "account", "bearer", 1)
				checkScrape(t, strings.Replace(kind, "_sd", "-", 1)+"-"+name+".yml", s)
				if s.HTTPClientConfig.TLSConfig.ServerName != "gates.example" {
					t.Errorf("%s %s: %+v", kind, way, s.HTTPClientConfig.TLSConfig)
				}
			}
			both(t, kind+" "+way, paths)
			if !slices.Equal(jobs, []string{"gitlab-runner", "metrics-gate"}) {
				t.Errorf("%s %s: jobs %q", kind, way, jobs)
			}
		}
	}
}

// TestPrintedRules: prometheus-operator gets the rules that promtool tests.
func TestPrintedRules(t *testing.T) {
	text := printed(t, configured["mtls"], append(surroundings, "prometheusrule")...)
	r := one[monitoringv1.PrometheusRule](t, manifests(t, "rules", text))
	var want monitoringv1.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict([]byte(read(t, source("deploy/monitoring/rules.yaml"))), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r.Spec, want) || len(want.Groups) < 3 || r.Namespace != "watch" ||
		r.Labels["release"] != "on" {
		t.Errorf("%s/%s %v:\n%s", r.Namespace, r.Name, r.Labels, text)
	}
}

// TestPrintedNetworkPolicy: each runner's namespace has a policy of one item with both
// selectors: pods in a namespace, not either of them.
func TestPrintedNetworkPolicy(t *testing.T) {
	environ := append(configured["mtls"], "LISTEN_ADDRESS=:9999")
	list := manifests(t, "policy", printed(t, environ, append(surroundings, "networkpolicy")...))
	policies := only[networkingv1.NetworkPolicy](list)
	if len(policies) != 2 || policies[0].Namespace != "ci" || policies[1].Namespace != "no" {
		t.Fatalf("%d policies", len(policies))
	}
	for _, n := range policies {
		from, ports := n.Spec.Ingress[0].From, n.Spec.Ingress[0].Ports
		if len(n.Spec.Ingress) != 1 || len(from) != 1 || len(ports) != 1 || ports[0].Port.IntValue() != 9999 ||
			!selects(t, &n.Spec.PodSelector, map[string]string{"app": "runner", "tier": "true"}) ||
			from[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "watch" ||
			from[0].PodSelector.MatchLabels["app"] != "agent" || len(n.Spec.PolicyTypes) != 1 {
			t.Errorf("%+v", n.Spec)
		}
	}
}

// TestPrintedHelmValues: the chart takes them with settings of all kinds; the gate takes what
// comes out.
func TestPrintedHelmValues(t *testing.T) {
	dir := t.TempDir()
	for way, more := range map[string][]string{
		"mtls":   {"TLS_CLIENT_CRL_FILE=/not/here/crl"},
		"bearer": {"LABELS=a={{ .Values }},b=x y", `PPROF_ALLOW="group:CN=a,OU=b"`, "LISTEN_ADDRESS=127.0.0.1:9999"},
		"oauth2": {"OIDC_CA_FILE=/not/here/ca", "OIDC_REQUIRED_CLAIMS=a=true", "RATE_LIMIT=3"},
	} {
		values := filepath.Join(dir, way+".yaml")
		text := printed(
			t,
			append(configured[way], more...),
			"--release",
			"build",
			"--prometheus-selector",
			"app=true",
			"helm-values",
		)
		write(t, values, text, 0o600)
		write(t, filepath.Join(dir, "file"), "content\n", 0o600)
		i := install{release: "build", namespace: "gitlab-runner", files: []string{values}}
		for _, name := range []string{"clientCA", "clientCRL", "tokens", "oidcCA"} {
			if strings.Contains(text, "\n  "+name+": ") {
				i.setFiles = append(i.setFiles, "metricsGate."+name+"="+filepath.Join(dir, "file"))
			}
		}
		list := i.objects(t, "testdata/chart")
		c := newCluster(t, list, build(t, source("deploy/k8s/cert-manager")))
		c.resolve(t)
		g := gatedPod(t, one[appsv1.Deployment](t, list), list)
		g.checkFiles(t, c)
		environ := g.environ()
		if way != "mtls" { // a list for revocation is not made here
			checkEnviron(t, environ)
		}
		want := map[string]string{
			"mtls":   "/etc/metrics-gate/auth/client.crl",
			"bearer": "a={{ .Values }},b=x y",
			"oauth2": "3",
		}
		name := map[string]string{"mtls": "TLS_CLIENT_CRL_FILE", "bearer": "LABELS", "oauth2": "RATE_LIMIT"}[way]
		if got := environ[harness.Prefix+name]; got != want[way] {
			t.Errorf("%s: %s is %q, not %q", way, name, got, want[way])
		}
	}
}

// TestPrintedUnit: the printed unit is the packaged one, but for the socket and the settings.
func TestPrintedUnit(t *testing.T) {
	own, packaged := meaning(printed(t, configured["mtls"], "systemd")), directives(t, "metrics-gate.service")
	reasons := map[string]string{
		"Wants=gitlab-runner.service":                                      "network-online.target is added",
		"After=network.target gitlab-runner.service":                       "network-online.target is added",
		"Requires=metrics-gate.socket":                                     "LISTEN_ADDRESS is printed",
		"After=metrics-gate.socket":                                        "LISTEN_ADDRESS is printed",
		"Also=metrics-gate.socket":                                         "LISTEN_ADDRESS is printed",
		"EnvironmentFile=-/etc/metrics-gate/metrics-gate.env":              "the settings are printed",
		"Environment=METRICS_GATE_TLS_CERT_FILE=/etc/metrics-gate/tls.crt": "the settings are printed",
		"Environment=METRICS_GATE_TLS_KEY_FILE=/etc/metrics-gate/tls.key":  "the settings are printed",
		"IPAddressDeny=any":                                                "scrapers come to the service itself",
		"IPAddressAllow=localhost":                                         "scrapers come to the service itself",
	}
	for _, line := range packaged {
		if !slices.Contains(own, line) && reasons[line] == "" {
			t.Errorf("%q is not printed", line)
		}
	}
	for line := range reasons {
		if slices.Contains(own, line) || !slices.Contains(packaged, line) {
			t.Errorf("%q needs no reason", line)
		}
	}
	for _, line := range own {
		if !slices.Contains(packaged, line) && !strings.HasPrefix(line, "Environment="+harness.Prefix) &&
			!strings.Contains(line, "network-online.target") {
			t.Errorf("%q is not in the package", line)
		}
	}
}

// TestPrintedUnitVerifies: systemd knows every key. systemd-analyze exits with 0 on unknown
// ones, so it must say nothing.
func TestPrintedUnitVerifies(t *testing.T) {
	environ := append(configured["mtls"], `RUNNER_NAME=build "one" 100%`, "LISTEN_ADDRESS=:443")
	text := printed(t, environ, "--binary", harness.Binary(t), "systemd")
	unit := filepath.Join(t.TempDir(), "metrics-gate.service")
	write(t, unit, text, 0o644)
	if out := good(t, "systemd-analyze", "verify", "--man=no", unit); out != "" {
		t.Error(out)
	}
	good(t, "systemd-analyze", "security", "--offline=true", "--threshold=16", unit)
	for _, want := range []string{`Environment="METRICS_GATE_RUNNER_NAME=build \"one\" 100%%"`,
		"AmbientCapabilities=CAP_NET_BIND_SERVICE", "Type=notify"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
