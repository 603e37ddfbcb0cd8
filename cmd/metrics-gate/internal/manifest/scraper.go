package manifest

import (
	"cmp"
	"crypto/x509"
	"net"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// way is how Prometheus authenticates.
type way string

const (
	byCertificate    way = "certificate"
	byToken          way = "token"           // a static one
	byOAuth2         way = "oauth2"          // a token of the OpenID Connect provider
	byServiceAccount way = "service account" // a token that the kubelet renews
)

// scraper chooses a way in that METRICS_ALLOW names: certificates before tokens, static
// tokens before others.
func scraper(c *config.Config) way {
	kinds := map[string]bool{}
	account := false
	for _, rule := range c.Allow.Metrics.Rules() {
		kind, name, _ := strings.Cut(rule, ":")
		on := c.Methods()
		if rule != "*" {
			_, on = c.MethodsOf(kind)
		}
		for _, m := range on {
			kinds[m.Name] = true
		}
		account = account || strings.Contains(name, "system:serviceaccount")
	}
	switch {
	case kinds[auth.MethodCertificate]:
		return byCertificate
	case kinds[auth.MethodToken]:
		return byToken
	case account || !kinds[auth.MethodOIDC]:
		return byServiceAccount
	}
	return byOAuth2
}

// issuer is the OpenID Connect provider of byOAuth2, with an audience.
func issuer(c *config.Config) config.Issuer {
	for i := range c.OIDC {
		if c.OIDC[i].URL != "" {
			return c.OIDC[i]
		}
	}
	return config.Issuer{Audience: []string{"metrics-gate"}}
}

// podServerName is the DNS name in the certificates of gates in pods, which Prometheus dials
// by address.
func (o options) podServerName(c *config.Config) string {
	return cmp.Or(o.ServerName, dnsName(client.Leaf(c.TLS.CertFile)), "metrics-gate.gitlab-runner.internal")
}

// hostServerName is empty if every target's own name is in the gate's certificate, or if
// the certificate, which may be nil, is not here to tell. The certificate of one gate cannot tell
// the name of several.
func (o options) hostServerName(leaf *x509.Certificate) (string, error) {
	if o.ServerName != "" || leaf == nil {
		return o.ServerName, nil
	}
	for _, target := range o.Targets {
		host, _, err := net.SplitHostPort(target)
		if err != nil {
			host = target
		}
		switch {
		case leaf.VerifyHostname(host) == nil:
		case len(o.Targets) > 1:
			return "", &cli.ConfigError{Thing: "print --target", Value: target,
				Wrong:  "not a name of the certificate of this gate",
				Advice: "give --server-name with a name that the certificates of all gates have"}
		default:
			return dnsName(leaf), nil
		}
	}
	return "", nil
}

// dnsName is a name that the certificate is good for; empty if it has none.
func dnsName(leaf *x509.Certificate) string {
	if leaf == nil || len(leaf.DNSNames) == 0 {
		return ""
	}
	return strings.Replace(leaf.DNSNames[0], "*", "metrics-gate", 1)
}
