package manifest

import (
	"regexp"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// chart is what the values of the runner's Helm chart have of the configuration.
type chart struct {
	Settings []pair // of the gate's ConfigMap; their actions are Helm's
	Files    []file // of the gate's Secret
	Allow    string
	Linger   string
}

// file is a file of the gate's that goes into its Secret by helm --set-file.
type file struct{ Variable, Value, Name string }

// Path is where the gate reads the file.
func (f file) Path() string { return "/etc/metrics-gate/auth/" + f.Name }

// files are those that helm can carry: whom the gate trusts.
func files() map[string]file {
	found := map[string]file{}
	for _, f := range []file{
		{"TLS_CLIENT_CA_FILE", "clientCA", "client-ca.crt"}, {"TLS_CLIENT_CRL_FILE", "clientCRL", "client.crl"},
		{"TOKENS_FILE", "tokens", "tokens"},
		{"OIDC_CA_FILE", "oidcCA", "oidc-ca.crt"}, {"OIDC_JWKS_FILE", "oidcKeys", "jwks.json"},
	} {
		found[config.Prefix+f.Variable] = f
	}
	return found
}

// helmValues are values for GitLab's chart that put the gate into the runner's pod. The gate
// gets the present settings, with the paths and ports of the pod.
func helmValues(c *config.Config, o options) (string, error) {
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`).MatchString(o.Release) {
		return "", &cli.ConfigError{Thing: "print --release", Value: o.Release, Wrong: "not the name of a Helm release"}
	}
	if scraper(c) == byServiceAccount {
		return "", &cli.ConfigError{Thing: config.Prefix + "METRICS_ALLOW", Value: c.Allow.Metrics.String(),
			Wrong:  "the chart's values cannot give the gate a token for the Kubernetes API",
			Advice: "use deploy/k8s/examples/service-account"}
	}
	v := newView(c, o)
	v.ServerName = o.podServerName(c)
	v.Chart = chart{Allow: c.Allow.Metrics.String(), Linger: "59m"}
	if c.Process.Linger > 0 {
		v.Chart.Linger = c.Process.Linger.String()
	}
	if err := v.Chart.collect(c); err != nil {
		return "", err
	}
	return render("helm-values.yaml", v)
}

// collect sorts the variables that differ from their defaults.
func (h *chart) collect(c *config.Config) error {
	set := func(name, value string) { h.Settings = append(h.Settings, pair{name, value}) }
	carried := files()
	for _, v := range c.Variables() {
		value, name := v.String(), strings.TrimPrefix(v.Name, config.Prefix)
		if (value == "" || v.IsDefault()) && name != "UPSTREAM_URL" {
			continue
		}
		f, ok := carried[v.Name]
		switch {
		case name == "RUNNER_NAME" || name == "RUNNER_NAME_FILE" || name == "LINGER" || name == "ADMIN_ADDRESS":
			// The values have their own.
		case name == "LISTEN_ADDRESS":
			set(v.Name, ":"+port(c))
		case name == "TLS_CERT_FILE":
			set(v.Name, "/etc/metrics-gate/tls/tls.crt")
		case name == "TLS_KEY_FILE":
			set(v.Name, "/etc/metrics-gate/tls/tls.key")
		case name == "METRICS_ALLOW":
			set(v.Name, "{{ .Values.metricsGate.allow }}")
		case ok:
			h.Files = append(h.Files, f)
			set(v.Name, f.Path())
		case strings.HasSuffix(name, "_FILE"):
			return &cli.ConfigError{Thing: v.Name, Value: value,
				Wrong: "helm-values do not bring this file into the pod", Advice: "use a kustomization of deploy/k8s"}
		default:
			set(v.Name, strings.ReplaceAll(value, "{{", `{{ "{{" }}`))
		}
	}
	set(config.Prefix+"ADMIN_ADDRESS", ":9254")
	return nil
}
