package manifest

import (
	"cmp"
	"net"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// view is what the manifests are made from.
type view struct {
	options
	Way           way
	Secret        string // with Prometheus' credentials
	Scheme        string
	TLS           bool
	Port          string
	RunnerPort    string
	ServerName    string // empty: Prometheus verifies the name that it dials
	TokenURL      string
	TokenURLGuess bool
	Audience      string
	Rules         string
}

// newView collects it.
func newView(c *config.Config, o options) view {
	provider := issuer(c)
	v := view{
		options: o, Way: scraper(c), TLS: !c.TLS.InsecureHTTP, Scheme: "https", Port: port(c),
		TokenURL: o.TokenURL, TokenURLGuess: o.TokenURL == "", Audience: provider.Audience[0], Rules: Rules(c),
	}
	_, v.RunnerPort, _ = net.SplitHostPort(c.Upstream.URL.Address.String()) // it always has a port
	if !v.TLS {
		v.Scheme = "http"
	}
	if v.TokenURLGuess {
		v.TokenURL = strings.TrimSuffix(provider.URL, "/") + "/oauth2/token"
	}
	v.Secret = cmp.Or(o.Secret, map[way]string{
		byCertificate: "prometheus-client", byToken: "prometheus-metrics-gate-token", byOAuth2: "prometheus-oauth2",
	}[v.Way])
	return v
}

// texts are what all templates can name.
func (v view) texts() texts {
	return texts{
		"scheme": v.Scheme, "SCHEME": strings.ToUpper(v.Scheme), "port": v.Port, "runnerPort": v.RunnerPort,
		"authenticates": v.authenticates(), "prerequisites": v.prerequisites(), "rules": v.Rules,
		"namespace": quote(v.Namespace), "labels": v.labels(), "scrapeClass": v.scrapeClass(),
		"credentials": v.credentials(), "fileCredentials": v.fileCredentials(), "targets": list(v.Targets),
		"runnerNamespaces": list(v.RunnerNamespaces), "runnerPods": labels(v.RunnerPods),
		"keepRunnerPods": v.keepRunnerPods(), "prometheusPods": labels(v.PrometheusPods),
	}
}

// lists are what all templates can repeat lines for. There are two jobs everywhere, for the
// runner and for the gate itself: targets of one job with the same address would share their
// series of up.
func (v view) lists() lists {
	var namespaces []texts
	for _, n := range v.RunnerNamespaces {
		namespaces = append(namespaces, texts{"runnerNamespace": quote(n)})
	}
	return lists{
		"job": {
			{"job": "gitlab-runner", "path": "/metrics"},
			{"job": "metrics-gate", "path": "/gate/metrics"},
		},
		"runner namespace": namespaces,
	}
}

// pods prints a template for gates in pods, which Prometheus dials by address.
func pods(name string) func(*config.Config, options) (string, error) {
	return func(c *config.Config, o options) (string, error) {
		v := newView(c, o)
		v.ServerName = o.podServerName(c)
		return render(name, v.texts(), v.lists())
	}
}

// hosts prints a template for gates that Prometheus dials by name.
func hosts(name string) func(*config.Config, options) (string, error) {
	return func(c *config.Config, o options) (string, error) {
		v := newView(c, o)
		var err error
		if v.ServerName, err = o.hostServerName(client.Leaf(c.TLS.CertFile)); err != nil {
			return "", err
		}
		return render(name, v.texts(), v.lists())
	}
}
