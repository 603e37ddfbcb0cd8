package config

import (
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
)

// Setting is one variable as it takes effect.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default bool   `json:"default"`
}

// RouteRights says who may use some routes.
type RouteRights struct {
	Routes   string   `json:"routes"`
	Variable string   `json:"variable"`
	Allow    []string `json:"allow"`
}

// Effective is a variable as it takes effect, defaults that are found out included;
// false for one that is not in use.
func (c *Config) Effective(v Variable) (Setting, bool) {
	s := Setting{Name: v.Name, Value: RedactURL(v.String()), Default: v.IsDefault()}
	if strings.HasPrefix(v.Name, Prefix+"OIDC_") && !c.HasOIDC() {
		return s, false
	}
	if s.Value != "" {
		return s, true
	}
	s.Default = true
	switch strings.TrimPrefix(v.Name, Prefix) {
	case "RUNNER_NAME":
		if c.Label.RunnerNameFile != "" {
			return s, false
		}
		name, err := c.RunnerName()
		s.Value = name
		return s, err == nil
	case "PPROF_ALLOW":
		s.Value = "none"
		return s, true
	}
	return s, false
}

// Methods lists the ways to authenticate that are on.
func (c *Config) Methods() []string {
	var list []string
	if c.HasCertificates() {
		list = append(list, auth.MethodCertificate)
	}
	if c.Allow.TokensFile != "" {
		list = append(list, auth.MethodToken)
	}
	if c.HasOIDC() {
		list = append(list, auth.MethodOIDC)
	}
	if c.Kubernetes.Auth != "off" {
		list = append(list, auth.MethodKubernetes)
	}
	return list
}

// HasCertificates tells whether a client can prove itself by a certificate.
func (c *Config) HasCertificates() bool { return c.TLS.ClientCAFile != "" && !c.TLS.InsecureHTTP }

// Rights says who may use which routes.
func (c *Config) Rights() ([]RouteRights, error) {
	metrics, err := auth.ParsePolicy(c.Allow.Metrics)
	if err != nil {
		return nil, err
	}
	pprof, err := auth.ParsePolicy(c.Allow.Pprof)
	if err != nil {
		return nil, err
	}
	return []RouteRights{
		{"/metrics /gate/metrics", Prefix + "METRICS_ALLOW", metrics.Rules()},
		{"/debug/pprof/", Prefix + "PPROF_ALLOW", pprof.Rules()},
	}, nil
}

// IsDefault tells whether v is what it is when nobody sets it.
func (v Variable) IsDefault() bool {
	if d, ok := v.Value.Interface().(time.Duration); ok {
		def, err := time.ParseDuration(v.Default)
		return err == nil && d == def
	}
	return v.String() == v.Default
}

// Port is the port of the public listener.
func (c *Config) Port() string {
	address, err := ListenAddress(c.Listen.Address)
	if err != nil {
		return "9253"
	}
	return address[strings.LastIndexByte(address, ':')+1:]
}

// HasBearer tells whether any kind of bearer token is on.
func (c *Config) HasBearer() bool {
	return c.Allow.TokensFile != "" || c.HasOIDC() || c.Kubernetes.Auth != "off"
}

// HasOIDC tells whether an issuer is configured.
func (c *Config) HasOIDC() bool {
	for i := range c.OIDC {
		if c.OIDC[i].URL != "" {
			return true
		}
	}
	return false
}
