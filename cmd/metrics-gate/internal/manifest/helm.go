package manifest

import (
	"cmp"
	"maps"
	"regexp"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// chart is what the values of the runner's Helm chart have of the configuration.
type chart struct {
	settings lines  // of the gate's ConfigMap; their actions are Helm's
	files    []file // of the gate's Secret
}

// file is a file of the gate's that goes into its Secret by helm --set-file.
type file struct{ variable, value, name string }

// files are those that helm can carry: whom the gate trusts.
func files() map[string]file {
	found := map[string]file{}
	for _, f := range []file{
		{"TLS_CLIENT_CA_FILE", "clientCA", "client-ca.crt"}, {"TLS_CLIENT_CRL_FILE", "clientCRL", "client.crl"},
		{"TOKENS_FILE", "tokens", "tokens"},
		{"OIDC_CA_FILE", "oidcCA", "oidc-ca.crt"}, {"OIDC_JWKS_FILE", "oidcKeys", "jwks.json"},
	} {
		found[config.Prefix+f.variable] = f
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
	var h chart
	if err := h.collect(c); err != nil {
		return "", err
	}
	t := v.texts()
	maps.Copy(t, h.texts(c, v))
	return render("helm-values.yaml", t, h.lists(v))
}

// texts are those of helm-values alone. What the user may change in the values is named there
// once, also for the credentials of the monitors.
func (h *chart) texts(c *config.Config, v view) texts {
	t := texts{
		"release": v.Release, "image": quote(v.Image), "serverName": quote(v.ServerName),
		"allow": quote(c.Allow.Metrics.String()), "tokenURL": quote(v.TokenURL), "secret": quote(v.Secret),
		"labelsOfChart": cmp.Or(v.labels(), "labels: {}"), "runnerPort": v.RunnerPort, "linger": quote("59m"),
		"settings": h.settings.String(), "setFiles": "", "fileValues": "",
	}
	if v.TokenURLGuess {
		t["tokenURL"] += " # a guess: see the provider's discovery"
	}
	if c.Process.Linger > 0 {
		t["linger"] = quote(c.Process.Linger.String())
	}
	for _, f := range h.files {
		t["setFiles"] += " \\\n#     --set-file metricsGate." + f.value + "=" + f.name
		t["fileValues"] += ` "` + f.value + `"`
	}
	v.ServerName, v.TokenURL = "{{ .Values.metricsGate.serverName }}", "{{ .Values.metricsGate.tokenURL }}"
	v.TokenURLGuess = false
	t["credentials"] = v.credentials()
	return t
}

// lists are those of helm-values. The chart itself has a monitor of the runner, for certificates.
func (h *chart) lists(v view) lists {
	byCert := v.Way == byCertificate
	l := lists{
		"tls": when(v.TLS), "oauth2": when(v.Way == byOAuth2), "certificate": when(byCert), "token": when(!byCert),
		"any file": when(len(h.files) > 0),
	}
	for _, f := range h.files {
		l["file"] = append(l["file"], texts{"file": f.name, "value": f.value})
	}
	if !byCert {
		l["monitor"] = []texts{{"suffix": "", "path": "/metrics", "comment": ""}}
	}
	l["monitor"] = append(l["monitor"], texts{"suffix": "-metrics-gate", "path": "/gate/metrics",
		"comment": " # the gate's own metrics, for the alerts"})
	return l
}

// collect sorts the variables that differ from their defaults.
func (h *chart) collect(c *config.Config) error {
	set := func(name, value string) { h.settings.add(name + ": " + quote(value)) }
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
			h.files = append(h.files, f)
			set(v.Name, "/etc/metrics-gate/auth/"+f.name)
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
