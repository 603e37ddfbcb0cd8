package config

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// validate checks what concerns more than one variable. It looks at values only:
// files are read when the gate is built.
func (c *Config) validate(found *cli.ConfigErrors, set map[string]string) {
	c.validateAddresses(found)
	c.validateLabel(found, set)
	c.validateTLS(found)
	c.validateAuth(found)
	for i := range c.OIDC {
		c.OIDC[i].validate(found, set)
	}
	c.validateIssuers(found)
	c.validateAllow(found)
}

func (c *Config) validateAddresses(found *cli.ConfigErrors) {
	if _, err := ListenAddress(c.Listen.Address); err != nil {
		found.Add(&cli.ConfigError{Thing: Prefix + "LISTEN_ADDRESS", Value: c.Listen.Address, Wrong: err.Error(), Advice: "write [host]:port, for example :9253 or 192.0.2.1:9253"})
	}
	if c.Process.AdminAddress != "off" {
		if _, _, err := net.SplitHostPort(c.Process.AdminAddress); err != nil {
			found.Add(&cli.ConfigError{Thing: Prefix + "ADMIN_ADDRESS", Value: c.Process.AdminAddress, Wrong: "not host:port", Advice: "write localhost:9254, :9254 (for kubelet probes) or off"})
		}
	}
	if _, err := upstream.ParseAddress(c.Upstream.URL, c.Upstream.AllowRemote); err != nil {
		if bare := errors.Unwrap(err); bare != nil { // without the value, which stands before
			err = bare
		}
		found.Add(&cli.ConfigError{Thing: Prefix + "UPSTREAM_URL", Value: RedactURL(c.Upstream.URL), Wrong: err.Error(), Advice: "write http://localhost:9252, or permit another host with " + Prefix + "UPSTREAM_ALLOW_REMOTE=true"})
	}
	if c.Upstream.MaxLineBytes > c.Upstream.MaxBytes && c.Upstream.MaxBytes > 0 {
		found.Add(&cli.ConfigError{Thing: Prefix + "UPSTREAM_MAX_LINE_BYTES", Value: strconv.FormatInt(c.Upstream.MaxLineBytes, 10), Wrong: "more than " + Prefix + "UPSTREAM_MAX_BYTES"})
	}
}

func (c *Config) validateLabel(found *cli.ConfigErrors, set map[string]string) {
	if name, ok := set[Prefix+"RUNNER_NAME"]; ok && strings.TrimSpace(name) == "" {
		found.Add(&cli.ConfigError{Thing: Prefix + "RUNNER_NAME", Wrong: "set but empty", Advice: "name the runner, or unset it for the host name; a Kubernetes fieldRef to a label that the pod lacks is empty"})
	}
	if c.Label.RunnerName != "" && c.Label.RunnerNameFile != "" {
		found.Add(&cli.ConfigError{Thing: Prefix + "RUNNER_NAME_FILE", Value: c.Label.RunnerNameFile, Wrong: "set beside " + Prefix + "RUNNER_NAME", Advice: "keep one of them"})
	}
	if !utf8.ValidString(c.Label.RunnerName) {
		found.Add(&cli.ConfigError{Thing: Prefix + "RUNNER_NAME", Value: c.Label.RunnerName, Wrong: "not UTF-8"})
	}
	sample := c.Label.RunnerName
	if sample == "" {
		sample = "runner"
	}
	if _, err := c.labels(sample); err != nil && utf8.ValidString(sample) {
		found.Add(&cli.ConfigError{Thing: Prefix + "LABEL_NAME, " + Prefix + "LABELS", Value: c.Label.Name + ", " + c.Label.Constant.String(), Wrong: err.Error()})
	}
}

func (c *Config) validateTLS(found *cli.ConfigErrors) {
	t := c.TLS
	switch {
	case t.InsecureHTTP && t.CertFile != "":
		found.Add(&cli.ConfigError{Thing: Prefix + "INSECURE_HTTP", Value: "true", Wrong: "set beside " + Prefix + "TLS_CERT_FILE", Advice: "keep one of them"})
	case !t.InsecureHTTP && t.CertFile == "":
		found.Add(&cli.ConfigError{Thing: Prefix + "TLS_CERT_FILE", Wrong: "not set: there is no certificate to serve with", Advice: "set it and " + Prefix + "TLS_KEY_FILE, or " + Prefix + "INSECURE_HTTP=true inside a mesh"})
	case (t.CertFile == "") != (t.KeyFile == ""):
		found.Add(&cli.ConfigError{Thing: Prefix + "TLS_KEY_FILE", Value: t.KeyFile, Wrong: "goes together with " + Prefix + "TLS_CERT_FILE", Advice: "set both"})
	}
	if t.ClientCRLFile != "" && t.ClientCAFile == "" {
		found.Add(&cli.ConfigError{Thing: Prefix + "TLS_CLIENT_CRL_FILE", Value: t.ClientCRLFile, Wrong: "set without " + Prefix + "TLS_CLIENT_CA_FILE"})
	}
}

func (c *Config) validateAuth(found *cli.ConfigErrors) {
	certificates := c.TLS.ClientCAFile != ""
	if !certificates && !c.HasBearer() {
		found.Add(&cli.ConfigError{Thing: Prefix + "TLS_CLIENT_CA_FILE", Wrong: "not set, and no other way to authenticate is on",
			Advice: "set it, " + Prefix + "TOKENS_FILE, " + Prefix + "OIDC_ISSUER_URL or " + Prefix + "KUBERNETES_AUTH=tokenreview"})
	}
	if certificates && c.TLS.InsecureHTTP && !c.HasBearer() {
		found.Add(&cli.ConfigError{Thing: Prefix + "INSECURE_HTTP", Value: "true", Wrong: "no client certificate can be shown over plain HTTP, and nothing else authenticates", Advice: "serve TLS, or turn tokens on"})
	}
	if k := c.Kubernetes; k.APIURL != "" {
		if u, err := url.Parse(k.APIURL); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			found.Add(&cli.ConfigError{Thing: Prefix + "KUBERNETES_API_URL", Value: RedactURL(k.APIURL), Wrong: "not an https URL"})
		}
	}
}

func (c *Config) validateAllow(found *cli.ConfigErrors) {
	metrics, err := auth.ParsePolicy(c.Allow.Metrics)
	switch {
	case err != nil:
		found.Add(&cli.ConfigError{Thing: Prefix + "METRICS_ALLOW", Value: c.Allow.Metrics, Wrong: err.Error(), Advice: "metrics-gate help lists the patterns"})
	case metrics.Empty():
		found.Add(&cli.ConfigError{Thing: Prefix + "METRICS_ALLOW", Wrong: "not set: nobody may read /metrics", Advice: "write who may, for example " + Prefix + "METRICS_ALLOW=dns:prometheus.example.com"})
	}
	pprof, err := auth.ParsePolicy(c.Allow.Pprof)
	if err != nil {
		found.Add(&cli.ConfigError{Thing: Prefix + "PPROF_ALLOW", Value: c.Allow.Pprof, Wrong: err.Error(), Advice: "metrics-gate help lists the patterns"})
	}
	if !c.HasOIDC() && c.Kubernetes.Auth == "off" {
		return
	}
	const minted = "any CI job or pod can mint a token of such an issuer, so * would let all of them in"
	const rule = "name users or groups, for example user:system:serviceaccount:monitoring:prometheus-k8s"
	if metrics.Any() {
		found.Add(&cli.ConfigError{Thing: Prefix + "METRICS_ALLOW", Value: c.Allow.Metrics, Wrong: minted, Advice: rule})
	}
	if pprof.Any() {
		found.Add(&cli.ConfigError{Thing: Prefix + "PPROF_ALLOW", Value: c.Allow.Pprof, Wrong: minted, Advice: rule})
	}
}

// maxClockSkew is the most that an issuer's clock and the gate's may differ.
const maxClockSkew = 60 * time.Second
