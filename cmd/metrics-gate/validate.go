package main

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// validate checks what concerns more than one variable. It looks at values only:
// files are read when the gate is built.
func (c *config) validate(found *mistakes, set map[string]string) {
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

func (c *config) validateAddresses(found *mistakes) {
	if _, err := listenAddress(c.Listen.Address); err != nil {
		found.add(&mistake{Thing: prefix + "LISTEN_ADDRESS", Value: c.Listen.Address, Wrong: err.Error(), Advice: "write [host]:port, for example :9253 or 192.0.2.1:9253"})
	}
	if c.Process.AdminAddress != "off" {
		if _, _, err := net.SplitHostPort(c.Process.AdminAddress); err != nil {
			found.add(&mistake{Thing: prefix + "ADMIN_ADDRESS", Value: c.Process.AdminAddress, Wrong: "not host:port", Advice: "write localhost:9254, :9254 (for kubelet probes) or off"})
		}
	}
	if _, err := upstream.ParseAddress(c.Upstream.URL, c.Upstream.AllowRemote); err != nil {
		if bare := errors.Unwrap(err); bare != nil { // without the value, which stands before
			err = bare
		}
		found.add(&mistake{Thing: prefix + "UPSTREAM_URL", Value: redactURL(c.Upstream.URL), Wrong: err.Error(), Advice: "write http://localhost:9252, or permit another host with " + prefix + "UPSTREAM_ALLOW_REMOTE=true"})
	}
	if c.Upstream.MaxLineBytes > c.Upstream.MaxBytes && c.Upstream.MaxBytes > 0 {
		found.add(&mistake{Thing: prefix + "UPSTREAM_MAX_LINE_BYTES", Value: strconv.FormatInt(c.Upstream.MaxLineBytes, 10), Wrong: "more than " + prefix + "UPSTREAM_MAX_BYTES"})
	}
}

// listenAddress completes a public address: a missing port is 9253, a service name is looked up.
func listenAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		if strings.Count(address, ":") == 1 || strings.Contains(address, "]:") {
			return "", err
		}
		host, port = strings.Trim(address, "[]"), "9253"
	}
	if port == "" {
		port = "9253"
	}
	if strings.ContainsAny(host, "/ ") {
		return "", &net.AddrError{Err: "not a host", Addr: host}
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return "", &net.AddrError{Err: "unknown port", Addr: port}
	}
	return net.JoinHostPort(host, strconv.Itoa(n)), nil
}

func (c *config) validateLabel(found *mistakes, set map[string]string) {
	if name, ok := set[prefix+"RUNNER_NAME"]; ok && strings.TrimSpace(name) == "" {
		found.add(&mistake{Thing: prefix + "RUNNER_NAME", Wrong: "set but empty", Advice: "name the runner, or unset it for the host name; a Kubernetes fieldRef to a label that the pod lacks is empty"})
	}
	if c.Label.RunnerName != "" && c.Label.RunnerNameFile != "" {
		found.add(&mistake{Thing: prefix + "RUNNER_NAME_FILE", Value: c.Label.RunnerNameFile, Wrong: "set beside " + prefix + "RUNNER_NAME", Advice: "keep one of them"})
	}
	if !utf8.ValidString(c.Label.RunnerName) {
		found.add(&mistake{Thing: prefix + "RUNNER_NAME", Value: c.Label.RunnerName, Wrong: "not UTF-8"})
	}
	sample := c.Label.RunnerName
	if sample == "" {
		sample = "runner"
	}
	if _, err := c.labels(sample); err != nil && utf8.ValidString(sample) {
		found.add(&mistake{Thing: prefix + "LABEL_NAME, " + prefix + "LABELS", Value: c.Label.Name + ", " + c.Label.Constant.String(), Wrong: err.Error()})
	}
}

func (c *config) validateTLS(found *mistakes) {
	t := c.TLS
	switch {
	case t.InsecureHTTP && t.CertFile != "":
		found.add(&mistake{Thing: prefix + "INSECURE_HTTP", Value: "true", Wrong: "set beside " + prefix + "TLS_CERT_FILE", Advice: "keep one of them"})
	case !t.InsecureHTTP && t.CertFile == "":
		found.add(&mistake{Thing: prefix + "TLS_CERT_FILE", Wrong: "not set: there is no certificate to serve with", Advice: "set it and " + prefix + "TLS_KEY_FILE, or " + prefix + "INSECURE_HTTP=true inside a mesh"})
	case (t.CertFile == "") != (t.KeyFile == ""):
		found.add(&mistake{Thing: prefix + "TLS_KEY_FILE", Value: t.KeyFile, Wrong: "goes together with " + prefix + "TLS_CERT_FILE", Advice: "set both"})
	}
	if t.ClientCRLFile != "" && t.ClientCAFile == "" {
		found.add(&mistake{Thing: prefix + "TLS_CLIENT_CRL_FILE", Value: t.ClientCRLFile, Wrong: "set without " + prefix + "TLS_CLIENT_CA_FILE"})
	}
}

func (c *config) validateAuth(found *mistakes) {
	certificates := c.TLS.ClientCAFile != ""
	if !certificates && !c.bearer() {
		found.add(&mistake{Thing: prefix + "TLS_CLIENT_CA_FILE", Wrong: "not set, and no other way to authenticate is on",
			Advice: "set it, " + prefix + "TOKENS_FILE, " + prefix + "OIDC_ISSUER_URL or " + prefix + "KUBERNETES_AUTH=tokenreview"})
	}
	if certificates && c.TLS.InsecureHTTP && !c.bearer() {
		found.add(&mistake{Thing: prefix + "INSECURE_HTTP", Value: "true", Wrong: "no client certificate can be shown over plain HTTP, and nothing else authenticates", Advice: "serve TLS, or turn tokens on"})
	}
	if k := c.Kubernetes; k.APIURL != "" {
		if u, err := url.Parse(k.APIURL); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			found.add(&mistake{Thing: prefix + "KUBERNETES_API_URL", Value: redactURL(k.APIURL), Wrong: "not an https URL"})
		}
	}
}

// bearer tells whether any kind of bearer token is on.
func (c *config) bearer() bool {
	return c.Allow.TokensFile != "" || c.oidc() || c.Kubernetes.Auth != "off"
}

// oidc tells whether an issuer is configured.
func (c *config) oidc() bool {
	for i := range c.OIDC {
		if c.OIDC[i].URL != "" {
			return true
		}
	}
	return false
}

func (c *config) validateAllow(found *mistakes) {
	metrics, err := auth.ParsePolicy(c.Allow.Metrics)
	switch {
	case err != nil:
		found.add(&mistake{Thing: prefix + "METRICS_ALLOW", Value: c.Allow.Metrics, Wrong: err.Error(), Advice: "metrics-gate help lists the patterns"})
	case metrics.Empty():
		found.add(&mistake{Thing: prefix + "METRICS_ALLOW", Wrong: "not set: nobody may read /metrics", Advice: "write who may, for example " + prefix + "METRICS_ALLOW=dns:prometheus.example.com"})
	}
	pprof, err := auth.ParsePolicy(c.Allow.Pprof)
	if err != nil {
		found.add(&mistake{Thing: prefix + "PPROF_ALLOW", Value: c.Allow.Pprof, Wrong: err.Error(), Advice: "metrics-gate help lists the patterns"})
	}
	if !c.oidc() && c.Kubernetes.Auth == "off" {
		return
	}
	const minted = "any CI job or pod can mint a token of such an issuer, so * would let all of them in"
	const rule = "name users or groups, for example user:system:serviceaccount:monitoring:prometheus-k8s"
	if metrics.Any() {
		found.add(&mistake{Thing: prefix + "METRICS_ALLOW", Value: c.Allow.Metrics, Wrong: minted, Advice: rule})
	}
	if pprof.Any() {
		found.add(&mistake{Thing: prefix + "PPROF_ALLOW", Value: c.Allow.Pprof, Wrong: minted, Advice: rule})
	}
}

// redactURL hides what stands before the @ of a URL: it may be a password.
func redactURL(raw string) string {
	if i := strings.LastIndex(raw, "@"); i >= 0 {
		return "…" + raw[i:]
	}
	return raw
}

// maxClockSkew is the most that an issuer's clock and the gate's may differ.
const maxClockSkew = 60 * time.Second
