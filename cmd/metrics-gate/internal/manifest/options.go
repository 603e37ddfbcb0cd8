package manifest

import (
	"errors"
	"flag"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
)

// options are what a configuration does not say about its surroundings.
type options struct {
	Targets          words // where Prometheus finds gates on hosts, host:port
	ServerName       string
	Files            client.Credentials // paths at Prometheus
	ClientSecretFile string             // path at Prometheus
	ClientID         string
	TokenURL         string // of the OpenID Connect provider
	Namespace        string // of Prometheus
	PrometheusPods   pairs  // labels
	RunnerNamespaces words
	RunnerPods       pairs // labels
	Labels           pairs // of the printed monitors
	Secret           string
	Release          string // of the Helm chart
	Image            string
	Binary           string // path of metrics-gate

	settings settings.Options
}

// newOptions declares the flags of print.
func newOptions(set *flag.FlagSet) *options {
	const folder = "/etc/prometheus/metrics-gate/"
	o := &options{
		RunnerNamespaces: words{"gitlab-runner"},
		RunnerPods:       pairs{{"app.kubernetes.io/component", "runner"}},
		PrometheusPods:   pairs{{"app.kubernetes.io/name", "prometheus"}},
	}
	set.Var(
		&repeated{Value: &o.Targets},
		"target",
		"`host:port,…` at which Prometheus finds gates on hosts; without a port, the gate's (default: where "+
			"this gate listens)",
	)
	set.StringVar(&o.ServerName, "server-name", "", "`name` in the gate's certificate, which Prometheus verifies "+
		"(default: from TLS_CERT_FILE, if it is here and the target differs)")
	set.StringVar(&o.Files.CA, "ca", folder+"ca.crt", "`file` at Prometheus with the CA of the gate's certificate")
	set.StringVar(&o.Files.Cert, "cert", folder+"tls.crt", "`file` at Prometheus with its certificate")
	set.StringVar(&o.Files.Key, "key", folder+"tls.key", "`file` at Prometheus with its key")
	set.StringVar(&o.Files.TokenFile, "token-file", folder+"token", "`file` at Prometheus with its token")
	set.StringVar(&o.ClientSecretFile, "client-secret-file", folder+"client-secret",
		"`file` at Prometheus with its OAuth2 client secret")
	set.StringVar(&o.ClientID, "client-id", "prometheus", "`id` of Prometheus' OAuth2 client")
	set.StringVar(&o.TokenURL, "token-url", "", "`url` of the OpenID Connect provider's token endpoint")
	set.StringVar(&o.Namespace, "namespace", "monitoring", "`namespace` of Prometheus")
	set.Var(&repeated{Value: &o.PrometheusPods}, "prometheus-selector", "labels of Prometheus' pods, `name=value,…`")
	set.Var(&repeated{Value: &o.RunnerNamespaces}, "runner-namespace", "`namespace,…` of the runners")
	set.Var(&repeated{Value: &o.RunnerPods}, "selector", "labels of the runners' pods, `name=value,…`")
	set.Var(&repeated{Value: &o.Labels}, "labels", "labels of the printed monitors, by which a Prometheus selects "+
		"them, `name=value,…`")
	set.StringVar(&o.Secret, "secret", "", "`name` of the Secret with Prometheus' credentials (default: as in "+
		"deploy/k8s)")
	set.StringVar(&o.Release, "release", "prod", "`name` of the Helm release")
	set.StringVar(&o.Image, "image", "", "`image` of metrics-gate in Helm values (default: of this version)")
	set.StringVar(&o.Binary, "binary", "/usr/bin/metrics-gate", "`path` of metrics-gate in the unit")
	o.settings.RegisterFlags(set)
	return o
}

// repeated is a flag with a list that may be given several times: the first replaces the default.
type repeated struct {
	flag.Value
	given bool
}

// Set implements flag.Value.
func (r *repeated) Set(text string) error {
	if r.given {
		text = r.String() + "," + text
	}
	r.given = true
	return r.Value.Set(text)
}

// words is a flag with a list, separated by commas.
type words []string

// String implements flag.Value.
func (w *words) String() string { return strings.Join(*w, ",") }

// Set implements flag.Value.
func (w *words) Set(text string) error {
	*w = strings.Split(text, ",")
	for _, word := range *w {
		if word == "" {
			return errors.New("an element is empty")
		}
	}
	return nil
}

// pairs is a flag with labels, name=value,….
type pairs []pair

type pair struct{ Name, Value string }

// String implements flag.Value.
func (p *pairs) String() string {
	var list []string
	for _, x := range *p {
		list = append(list, x.Name+"="+x.Value)
	}
	return strings.Join(list, ",")
}

// Set implements flag.Value.
func (p *pairs) Set(text string) error {
	*p = nil
	for item := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(item, "=")
		if !ok || name == "" || value == "" {
			return errors.New("not NAME=VALUE")
		}
		*p = append(*p, pair{name, value})
	}
	return nil
}
