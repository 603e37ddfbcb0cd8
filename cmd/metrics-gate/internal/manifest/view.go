package manifest

import (
	"cmp"
	"net"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// view is what the templates see.
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
	Rules         string // with the depth of a PrometheusRule
	Chart         chart
}

// job is a scrape job. There is one for the runner and one for the gate itself.
type job struct {
	Name, Path string
	Own        bool // the gate's own metrics
	View       view
}

// Jobs are two jobs everywhere: targets of one job with the same address would share their
// series of up.
func (v view) Jobs() []job {
	return []job{{"gitlab-runner", "/metrics", false, v}, {"metrics-gate", "/gate/metrics", true, v}}
}

// newView collects what the templates see.
func newView(c *config.Config, o options) view {
	provider := issuer(c)
	v := view{
		options: o, Way: scraper(c), TLS: !c.TLS.InsecureHTTP, Scheme: "https", Port: port(c),
		TokenURL: o.TokenURL, TokenURLGuess: o.TokenURL == "", Audience: provider.Audience[0],
		Rules: indent(2, Rules(c)),
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

// pods prints a template for gates in pods, which Prometheus dials by address.
func pods(name string) func(*config.Config, options) (string, error) {
	return func(c *config.Config, o options) (string, error) {
		v := newView(c, o)
		v.ServerName = o.podServerName(c)
		return render(name, v)
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
		return render(name, v)
	}
}

// InHelm are the same things as values of Helm, where the user may change them.
func (v view) InHelm() view {
	v.ServerName, v.TokenURL = "{{ .Values.metricsGate.serverName }}", "{{ .Values.metricsGate.tokenURL }}"
	v.TokenURLGuess = false
	return v
}
