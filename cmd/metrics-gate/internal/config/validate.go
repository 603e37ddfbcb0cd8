package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// validate checks what concerns more than one variable. It looks at values only:
// files are read when the gate is built.
func (c *Config) validate(found *cli.ConfigErrors, set map[string]string) {
	c.validateAddresses(found, set)
	c.validateLabel(found, set)
	c.validateTLS(found)
	c.validateAuth(found)
	c.validateIssuers(found, set)
	c.validateAllow(found)
}

func (c *Config) validateAddresses(found *cli.ConfigErrors, set map[string]string) {
	u := c.Upstream
	if u.URL.Address.String() != "" && !u.URL.IsLoopback() && !u.AllowRemote {
		found.Add(&cli.ConfigError{
			Thing: Prefix + "UPSTREAM_URL", Value: cli.HideSecrets(u.URL.String()),
			Wrong: "not localhost or a loopback address in digits",
			Advice: "write http://localhost:" + u.URL.port() + ", or permit another host with " + Prefix +
				"UPSTREAM_ALLOW_REMOTE=true",
		})
	}
	if u.MaxLineBytes > u.MaxBytes && u.MaxBytes > 0 {
		blamed := &cli.ConfigError{
			Thing: Prefix + "UPSTREAM_MAX_LINE_BYTES", Value: strconv.FormatInt(u.MaxLineBytes, 10),
			Wrong: fmt.Sprintf("more than %sUPSTREAM_MAX_BYTES, which is %d", Prefix, u.MaxBytes),
		}
		if set[blamed.Thing] == "" { // the default is not the mistake
			blamed = &cli.ConfigError{
				Thing: Prefix + "UPSTREAM_MAX_BYTES", Value: strconv.FormatInt(u.MaxBytes, 10),
				Wrong: fmt.Sprintf("less than %sUPSTREAM_MAX_LINE_BYTES, which is %d", Prefix, u.MaxLineBytes),
			}
		}
		found.Add(blamed)
	}
	admin := c.Process.AdminAddress
	if !admin.Off && c.Listen.Address.covers(admin.HostPort()) {
		found.Add(&cli.ConfigError{
			Thing: Prefix + "ADMIN_ADDRESS", Value: admin.String(),
			Wrong: "the same address as " + Prefix + "LISTEN_ADDRESS", Advice: "choose another port",
		})
	}
	err := c.CheckUpstream(c.Listen.Address)
	if err == nil && !admin.Off {
		err = c.CheckUpstream(admin.ListenAddress)
	}
	found.Join(err)
}

// CheckUpstream returns a *cli.ConfigError if a listener of the gate on own is its upstream.
func (c *Config) CheckUpstream(own ListenAddress) error {
	address := c.Upstream.URL.Address.String()
	host, _, err := net.SplitHostPort(address)
	if err != nil || !own.covers(address) || !isThisHost(host) {
		return nil
	}
	return &cli.ConfigError{
		Thing: Prefix + "UPSTREAM_URL", Value: cli.HideSecrets(c.Upstream.URL.String()),
		Wrong:  "the gate itself listens there",
		Advice: "write the listen_address of the runner's config.toml, or choose another port for the gate",
	}
}

func (c *Config) validateTLS(found *cli.ConfigErrors) {
	t := c.TLS
	switch {
	case found.Has(Prefix + "INSECURE_HTTP"): // nobody knows what is needed
	case t.InsecureHTTP && t.CertFile != "":
		found.Add(&cli.ConfigError{Thing: Prefix + "INSECURE_HTTP", Value: "true",
			Wrong: "set together with " + Prefix + "TLS_CERT_FILE", Advice: "keep one of them"})
	case !t.InsecureHTTP && t.CertFile == "":
		found.Add(&cli.ConfigError{Thing: Prefix + "TLS_CERT_FILE",
			Wrong:  "not set: there is no certificate to serve with",
			Advice: "set it and " + Prefix + "TLS_KEY_FILE, or " + Prefix + "INSECURE_HTTP=true inside a mesh"})
	case (t.CertFile == "") != (t.KeyFile == ""):
		found.Add(&cli.ConfigError{Thing: Prefix + "TLS_KEY_FILE", Value: t.KeyFile,
			Wrong: "goes together with " + Prefix + "TLS_CERT_FILE", Advice: "set both"})
	}
	if t.ClientCRLFile != "" && t.ClientCAFile == "" && len(c.Methods()) > 0 { // see validateAuth otherwise
		found.Add(&cli.ConfigError{Thing: Prefix + "TLS_CLIENT_CRL_FILE", Value: t.ClientCRLFile,
			Wrong: "set without " + Prefix + "TLS_CLIENT_CA_FILE"})
	}
}

func (c *Config) validateAuth(found *cli.ConfigErrors) {
	if len(c.Methods()) > 0 ||
		slices.ContainsFunc(methods(), func(m Method) bool { return found.Has(m.variable()) }) {
		return
	}
	if c.TLS.ClientCAFile != "" {
		found.Add(&cli.ConfigError{
			Thing: Prefix + "INSECURE_HTTP", Value: "true",
			Wrong:  "no client certificate can be shown over plain HTTP, and nothing else authenticates",
			Advice: "serve TLS, or turn tokens on",
		})
		return
	}
	first, others := methods()[0], methods()[1:]
	found.Add(&cli.ConfigError{
		Thing: first.Setting, Wrong: "not set, and no other way to authenticate is on",
		Advice: "set it, or " + settings(others),
	})
}

// validateIssuers checks what package auth would refuse, and what is set of an issuer without a URL.
func (c *Config) validateIssuers(found *cli.ConfigErrors, set map[string]string) {
	seen := map[string]string{}
	for i := range c.OIDC {
		issuer := &c.OIDC[i]
		if issuer.URL == "" {
			issuer.validateUnnamed(found, set)
			continue
		}
		found.Join(VariableErrors(issuer.Prefix, c.IssuerOptions(issuer).Validate()))
		if first, twice := seen[issuer.URL]; twice { // which rule holds would be chance
			found.Add(&cli.ConfigError{Thing: issuer.Prefix + "ISSUER_URL", Value: issuer.URL,
				Wrong: "the same issuer as " + first + "ISSUER_URL"})
		}
		seen[issuer.URL] = issuer.Prefix
	}
	if !c.AsksAPIServer() {
		return
	}
	options := c.KubernetesOptions()
	if options.URL == "" {
		found.Add(&cli.ConfigError{Thing: Prefix + "KUBERNETES_API_URL", Wrong: "not set, and this is no pod",
			Advice: "write https://HOST:PORT of the API server"})
		return
	}
	found.Join(VariableErrors(Prefix, options.Validate()))
}

func (c *Config) validateAllow(found *cli.ConfigErrors) {
	if c.Allow.Metrics.Empty() {
		found.Add(&cli.ConfigError{
			Thing: Prefix + "METRICS_ALLOW", Wrong: "not set: nobody may read /metrics",
			Advice: "write who may, for example " + Prefix + "METRICS_ALLOW=dns:prometheus.example.com",
		})
	}
	if !c.minted() {
		return
	}
	for _, list := range c.allowLists() {
		if list.policy.Any() {
			found.Add(&cli.ConfigError{
				Thing: list.variable, Value: list.policy.String(),
				Wrong:  "any CI job or pod can mint a token of such an issuer, so * would let all of them in",
				Advice: "name users or groups, for example user:system:serviceaccount:monitoring:prometheus-k8s",
			})
		}
	}
}

// allowList is an allow list with its variable and the routes that it guards.
type allowList struct {
	variable, routes string
	policy           auth.Policy
}

// allowLists lists both.
func (c *Config) allowLists() []allowList {
	return []allowList{
		{Prefix + "METRICS_ALLOW", "/metrics /gate/metrics", c.Allow.Metrics},
		{Prefix + "PPROF_ALLOW", "/debug/pprof/", c.Allow.Pprof},
	}
}
