// Package manifest is the command print: what belongs to the present configuration in
// Prometheus, Kubernetes and systemd.
package manifest

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
)

// printOptions is what a configuration does not say about its surroundings.
type printOptions struct {
	target    string // where Prometheus finds the gate, host:port
	files     client.Credentials
	namespace string // of Prometheus
	selector  string // label of the runner's pods, NAME=VALUE
	secret    string // with the scraper's credentials
	binary    string // path of metrics-gate
	settings  settings.Options
}

func (o *printOptions) flags(set *flag.FlagSet) {
	const folder = "/etc/prometheus/metrics-gate/"
	set.StringVar(&o.target, "target", "", "`host:port` at which Prometheus finds the gate (default: this host)")
	set.StringVar(&o.files.CA, "ca", folder+"ca.crt",
		"`file` at Prometheus with the CA of the gate's certificate")
	set.StringVar(&o.files.Cert, "cert", folder+"tls.crt", "`file` at Prometheus with its certificate")
	set.StringVar(&o.files.Key, "key", folder+"tls.key", "`file` at Prometheus with its key")
	set.StringVar(&o.files.TokenFile, "token-file", folder+"token", "`file` at Prometheus with its token")
	set.StringVar(&o.namespace, "namespace", "monitoring", "`namespace` of Prometheus")
	set.StringVar(&o.selector, "selector", "app.kubernetes.io/component=runner",
		"label of the runner's pods, `name=value`")
	set.StringVar(&o.secret, "secret", "metrics-gate-scraper", "`name` of the Secret with the scraper's credentials")
	set.StringVar(&o.binary, "binary", "/usr/bin/metrics-gate", "`path` of metrics-gate in the unit")
	o.settings.RegisterFlags(set)
}

// printers are the things that can be printed.
func printers() map[string]func(*config.Config, printOptions) string {
	return map[string]func(*config.Config, printOptions) string{
		"scrape-config": scrapeConfig,
		"podmonitor":    podMonitor,
		"networkpolicy": networkPolicy,
		"systemd":       systemdUnit,
		"alerts":        func(c *config.Config, _ printOptions) string { return Rules(c) },
	}
}

// Command declares print.
func Command() cli.Command {
	return cli.Command{
		Name: "print", Summary: "print what belongs to this configuration",
		Args:    cli.Args{Name: "KIND", Choices: slices.Sorted(maps.Keys(printers()))},
		Example: "metrics-gate print scrape-config --target runner-1.example:9253",
		Setup: func(set *flag.FlagSet) cli.RunFunc {
			o := &printOptions{}
			o.flags(set)
			return func(ctx context.Context, p *cli.Process, args []string) error { return o.run(ctx, p, args) }
		},
	}
}

// run writes what belongs to the present configuration, which must be a good one.
func (o printOptions) run(ctx context.Context, p *cli.Process, args []string) error {
	if name, value, ok := strings.Cut(o.selector, "="); !ok || name == "" || value == "" {
		return &cli.ConfigError{Thing: "print --selector", Value: o.selector, Wrong: "not NAME=VALUE"}
	}
	from, err := o.settings.Take(ctx, p.Environ)
	if err != nil {
		return err
	}
	c, err := config.Load(from.Environ)
	if err != nil {
		return err
	}
	if o.target == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "localhost"
		}
		o.target = host + ":" + port(c)
	}
	if err := from.Print(p.Stdout, "# "); err != nil {
		return err
	}
	_, err = io.WriteString(p.Stdout, printers()[args[0]](c, o))
	return err
}

// quoted is s as a YAML scalar: a JSON string is one.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(text)
}

// scraper says by which kind of credential METRICS_ALLOW lets a scraper in: a
// certificate if it names one, or else a token.
func scraper(c *config.Config) (certificate, bearer bool) {
	for _, rule := range c.Allow.Metrics.Rules() {
		kind, _, _ := strings.Cut(rule, ":")
		all, _ := c.MethodsOf(kind)
		if rule == "*" {
			all = c.Methods()
		}
		for _, m := range all {
			certificate, bearer = certificate || (!m.Bearer && c.Uses(m.Name)), bearer || m.Bearer
		}
	}
	return certificate, bearer && !certificate
}

// serverName is the name in the gate's certificate that scrapers can verify; empty if
// the certificate cannot be read here or names addresses alone.
func serverName(c *config.Config) string {
	if leaf := client.Leaf(c.TLS.CertFile); leaf != nil && len(leaf.DNSNames) > 0 {
		return leaf.DNSNames[0]
	}
	return ""
}

// fields writes lines of YAML, each at the same depth.
func fields(b *strings.Builder, depth int, lines ...string) {
	for _, line := range lines {
		b.WriteString(strings.Repeat(" ", depth) + line + "\n")
	}
}

// port is the port of the public listener.
func port(c *config.Config) string { return strconv.Itoa(int(c.Listen.Address.Port)) }
