package main

import (
	"strings"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
)

// setting is one variable as it takes effect.
type setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default bool   `json:"default"`
}

// routeRights says who may use some routes.
type routeRights struct {
	Routes   string   `json:"routes"`
	Variable string   `json:"variable"`
	Allow    []string `json:"allow"`
}

// effective is a variable as it takes effect, defaults that are found out included;
// false for one that is not in use.
func (c *config) effective(v variable) (setting, bool) {
	s := setting{Name: v.Name, Value: redactURL(v.String()), Default: v.isDefault()}
	if strings.HasPrefix(v.Name, prefix+"OIDC_") && !c.oidc() {
		return s, false
	}
	if s.Value != "" {
		return s, true
	}
	s.Default = true
	switch strings.TrimPrefix(v.Name, prefix) {
	case "RUNNER_NAME":
		if c.Label.RunnerNameFile != "" {
			return s, false
		}
		name, err := c.runnerName()
		s.Value = name
		return s, err == nil
	case "PPROF_ALLOW":
		s.Value = "none"
		return s, true
	}
	return s, false
}

// methods lists the ways to authenticate that are on.
func (c *config) methods() []string {
	var list []string
	if c.certificates() {
		list = append(list, auth.MethodCertificate)
	}
	if c.Allow.TokensFile != "" {
		list = append(list, auth.MethodToken)
	}
	if c.oidc() {
		list = append(list, auth.MethodOIDC)
	}
	if c.Kubernetes.Auth != "off" {
		list = append(list, auth.MethodKubernetes)
	}
	return list
}

// certificates tells whether a client can prove itself by a certificate.
func (c *config) certificates() bool { return c.TLS.ClientCAFile != "" && !c.TLS.InsecureHTTP }

// rights says who may use which routes.
func (c *config) rights() ([]routeRights, error) {
	metrics, err := auth.ParsePolicy(c.Allow.Metrics)
	if err != nil {
		return nil, err
	}
	pprof, err := auth.ParsePolicy(c.Allow.Pprof)
	if err != nil {
		return nil, err
	}
	return []routeRights{
		{"/metrics /gate/metrics", prefix + "METRICS_ALLOW", metrics.Rules()},
		{"/debug/pprof/", prefix + "PPROF_ALLOW", pprof.Rules()},
	}, nil
}

// isDefault tells whether v is what it is when nobody sets it.
func (v variable) isDefault() bool {
	if d, ok := v.Value.Interface().(time.Duration); ok {
		def, err := time.ParseDuration(v.Default)
		return err == nil && d == def
	}
	return v.String() == v.Default
}

// port is the port of the public listener.
func (c *config) port() string {
	address, err := listenAddress(c.Listen.Address)
	if err != nil {
		return "9253"
	}
	return address[strings.LastIndexByte(address, ':')+1:]
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
