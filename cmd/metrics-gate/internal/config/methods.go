package config

import (
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
)

// Method is a way to authenticate, with the setting that turns it on.
type Method struct {
	auth.MethodInfo
	Setting string // VARIABLE or VARIABLE=VALUE
	on      func(*Config) bool
}

// variable is the name of the variable that turns m on.
func (m Method) variable() string {
	name, _, _ := strings.Cut(m.Setting, "=")
	return name
}

// methods lists all ways to authenticate, in the order in which they are named to people.
func methods() []Method {
	settings := map[string]Method{
		auth.MethodCertificate: {Setting: Prefix + "TLS_CLIENT_CA_FILE", on: func(c *Config) bool {
			return c.TLS.ClientCAFile != "" && !c.TLS.InsecureHTTP
		}},
		auth.MethodToken: {Setting: Prefix + "TOKENS_FILE",
			on: func(c *Config) bool { return c.Allow.TokensFile != "" }},
		auth.MethodOIDC: {Setting: Prefix + "OIDC_ISSUER_URL", on: func(c *Config) bool {
			return slices.ContainsFunc(c.OIDC, func(i Issuer) bool { return i.URL != "" })
		}},
		auth.MethodKubernetes: {Setting: Prefix + "KUBERNETES_AUTH=tokenreview", on: func(c *Config) bool {
			return bool(c.Kubernetes.Auth)
		}},
	}
	var list []Method
	for _, info := range auth.Methods() {
		m := settings[info.Name]
		m.MethodInfo = info
		list = append(list, m)
	}
	return list
}

// Methods lists the ways to authenticate that are on.
func (c *Config) Methods() []Method {
	return slices.DeleteFunc(methods(), func(m Method) bool { return !m.on(c) })
}

// MethodNames lists the names of the ways to authenticate that are on.
func (c *Config) MethodNames() []string {
	var names []string
	for _, m := range c.Methods() {
		names = append(names, m.Name)
	}
	return names
}

// Uses tells whether a way to authenticate, an auth.Method constant, is on.
func (c *Config) Uses(method string) bool { return slices.Contains(c.MethodNames(), method) }

// HasBearer tells whether any kind of bearer token is on.
func (c *Config) HasBearer() bool {
	return slices.ContainsFunc(c.Methods(), func(m Method) bool { return m.Bearer })
}

// PrometheusLines are the lines of a job of Prometheus, one for each kind of credential that is
// accepted, with "or" between them.
func (c *Config) PrometheusLines() string {
	var all []string
	if c.Uses(auth.MethodCertificate) {
		all = append(all, "tls_config: {ca_file: ca.crt, cert_file: tls.crt, key_file: tls.key}")
	}
	if c.HasBearer() {
		all = append(all, "authorization: {credentials_file: token}")
	}
	return strings.Join(all, " or ")
}

// minted tells whether CI jobs or pods can obtain a credential for themselves.
func (c *Config) minted() bool {
	return slices.ContainsFunc(c.Methods(), func(m Method) bool { return m.Minted })
}

// MethodsOf lists the methods whose identities a pattern of this kind can match, and which
// of them are on.
func (c *Config) MethodsOf(kind string) (all, on []Method) {
	for _, m := range methods() {
		if !slices.Contains(m.Kinds, kind) {
			continue
		}
		all = append(all, m)
		if m.on(c) {
			on = append(on, m)
		}
	}
	return all, on
}

// settings joins how each method is turned on.
func settings(list []Method) string {
	var all []string
	for _, m := range list {
		all = append(all, m.Setting)
	}
	return strings.Join(all, " or ")
}

// titles joins the methods' titles.
func titles(list []Method) string {
	var all []string
	for _, m := range list {
		all = append(all, m.Title)
	}
	return strings.Join(all, ", ")
}
