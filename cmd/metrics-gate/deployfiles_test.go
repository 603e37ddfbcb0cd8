package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/manifest"
)

// gates are the configurations of deploy/k8s, by the way in which Prometheus authenticates.
// The files that they name are not here.
func gates() map[string][]string {
	base := []string{
		"METRICS_GATE_TLS_CERT_FILE=/etc/metrics-gate/tls/tls.crt",
		"METRICS_GATE_TLS_KEY_FILE=/etc/metrics-gate/tls/tls.key",
	}
	more := func(environ ...string) []string { return slices.Concat(base, environ) }
	return map[string][]string{
		"mtls": more("METRICS_GATE_TLS_CLIENT_CA_FILE=/etc/metrics-gate/auth/client-ca.crt",
			"METRICS_GATE_METRICS_ALLOW=uri:spiffe://cluster.local/ns/monitoring/sa/prometheus-k8s"),
		"bearer": more("METRICS_GATE_TOKENS_FILE=/etc/metrics-gate/auth/tokens",
			"METRICS_GATE_METRICS_ALLOW=token:prometheus"),
		"oauth2": more("METRICS_GATE_OIDC_ISSUER_URL=https://idp.example.com",
			"METRICS_GATE_OIDC_AUDIENCE=metrics-gate", "METRICS_GATE_METRICS_ALLOW=user:prometheus"),
		"account": more("METRICS_GATE_OIDC_ISSUER_URL=https://kubernetes.default.svc",
			"METRICS_GATE_OIDC_AUDIENCE=metrics-gate",
			"METRICS_GATE_METRICS_ALLOW=user:system:serviceaccount:monitoring:prometheus-k8s"),
	}
}

// printed is what print writes for a configuration, below the line that says whose it is.
func printed(t *testing.T, environ []string, args ...string) string {
	t.Helper()
	var b bytes.Buffer
	p := &cli.Process{Environ: environ, Stdout: &b, Stderr: &b}
	if err := p.Run(t.Context(), manifest.Command(), args); err != nil {
		t.Fatalf("print %q: %v", args, err)
	}
	whose, text, _ := strings.Cut(b.String(), "\n")
	if whose != "# settings of the environment" {
		t.Fatalf("print %q begins with %q", args, whose)
	}
	return text
}

// Most files of deploy/k8s are what print writes: -update writes them.
func TestDeployFilesArePrinted(t *testing.T) {
	const folder = "../../deploy/k8s/"
	hosts := []string{"--target", "runner1.example.com:9253,runner2.example.com:9253"}
	named := slices.Concat(hosts, []string{"--server-name", "metrics-gate.gitlab-runner.internal"})
	for way, values := range map[string]string{"mtls": "", "bearer": "-bearer", "oauth2": "-oauth2"} {
		for path, args := range map[string][]string{
			"scrape-configs/static-" + way + ".yml":               slices.Concat(hosts, []string{"scrape-config"}),
			"scrape-configs/kubernetes-" + way + ".yml":           {"kubernetes_sd"},
			"prometheus-operator/podmonitor-" + way + ".yaml":     {"podmonitor"},
			"prometheus-operator/servicemonitor-" + way + ".yaml": {"servicemonitor"},
			"prometheus-operator/scrapeconfig-" + way + ".yaml":   slices.Concat(named, []string{"scrapeconfig"}),
			"helm/values" + values + ".yaml":                      {"helm-values", "--image", siteImage(t)},
		} {
			generated(t, folder+path, printed(t, gates()[way], args...))
		}
	}
	generated(t, folder+"prometheus-operator/prometheusrule.yaml", printed(t, gates()["mtls"], "prometheusrule"))
	generated(t, folder+"components/network-policy/networkpolicy.yaml", printed(t, gates()["mtls"], "networkpolicy"))
	generated(t, folder+"prometheus-operator/podmonitor-scrapeclass-bearer.yaml",
		printed(t, gates()["account"], "podmonitor", "--labels", "metrics-gate.github.io/tls=scrape-class"))
}

// siteImage is the image of deploy/k8s.
func siteImage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/k8s/site/site.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^  image: (\S+)$`).FindSubmatch(text)
	if m == nil {
		t.Fatal("site.yaml names no image")
	}
	return string(m[1])
}
