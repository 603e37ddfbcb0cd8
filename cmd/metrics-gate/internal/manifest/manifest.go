// Package manifest is the command print: what belongs to the present configuration in
// Prometheus, Kubernetes and systemd. The files of deploy/k8s that hold such things are
// printed by it.
package manifest

import (
	"context"
	"flag"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// printer makes the text of one kind.
type printer struct {
	meaning string
	print   func(*config.Config, options) (string, error)
	targets bool // it names where Prometheus finds the gates
}

// printers are the kinds that can be printed.
func printers() map[string]printer {
	return map[string]printer{
		"scrape-config": {"jobs for prometheus.yml: gates on hosts", hosts("scrape-config.yml"), true},
		"kubernetes_sd": {"jobs for prometheus.yml: gates in pods", pods("kubernetes_sd.yml"), false},
		"podmonitor":    {"PodMonitors of prometheus-operator", pods("podmonitor.yaml"), false},
		"servicemonitor": {
			"ServiceMonitors of prometheus-operator, and their Service",
			pods("servicemonitor.yaml"),
			false,
		},
		"scrapeconfig": {"ScrapeConfigs of prometheus-operator: gates on hosts", hosts("scrapeconfig.yaml"), true},
		"networkpolicy": {
			"the NetworkPolicy that lets only Prometheus reach the gate",
			pods("networkpolicy.yaml"),
			false,
		},
		"helm-values":    {"values for GitLab's chart, with this configuration's settings", helmValues, false},
		"systemd":        {"a unit with this configuration's settings", systemdUnit, false},
		"prometheusrule": {"the rules, for prometheus-operator", pods("prometheusrule.yaml"), false},
		"alerts":         {"recording and alerting rules for Prometheus", alerts, false},
	}
}

// meanings are those of all kinds.
func meanings() map[string]string {
	found := map[string]string{}
	for kind, p := range printers() {
		found[kind] = p.meaning
	}
	return found
}

// Command declares print.
func Command() cli.Command {
	return cli.Command{
		Name: "print", Summary: "print what belongs to this configuration",
		Args:    cli.Args{Name: "KIND", Choices: slices.Sorted(maps.Keys(printers())), Meanings: meanings()},
		Example: "metrics-gate print scrape-config --target runner-1.example:9253",
		Setup: func(set *flag.FlagSet) cli.RunFunc {
			o := newOptions(set)
			return func(ctx context.Context, p *cli.Process, args []string) error { return o.run(ctx, p, set, args[0]) }
		},
	}
}

// run writes what belongs to the present configuration, which must be a good one. No file
// that the configuration names needs to be here.
func (o options) run(ctx context.Context, p *cli.Process, set *flag.FlagSet, kind string) error {
	from, err := o.settings.Take(ctx, p.Environ)
	if err != nil {
		return err
	}
	if !config.HasVariables(from.Environ) {
		return &cli.ConfigError{Thing: "print " + kind, Wrong: "no settings here to print from",
			Advice: "give --env-file FILE or --unit NAME, or set the gate's " + config.Prefix + " variables"}
	}
	c, err := config.Load(from.Environ)
	if err != nil {
		return err
	}
	if err := o.checkSecrets(c); err != nil {
		return err
	}
	var comment string
	if p := printers()[kind]; p.targets {
		if comment, err = o.checkTargets(c); err != nil {
			return err
		}
	}
	if o.Image == "" {
		o.Image = "ghcr.io/metrics-gate/metrics-gate:" + strings.TrimPrefix(p.Build.Version, "v")
	}
	text, err := printers()[kind].print(c, o)
	if err != nil {
		return err
	}
	if err := from.Print(p.Stdout, "# "); err != nil {
		return err
	}
	_, err = io.WriteString(p.Stdout, comment+o.warnings(kind, c, set)+text)
	return err
}

// port is the port of the public listener.
func port(c *config.Config) string { return strconv.Itoa(int(c.Listen.Address.Port)) }

// checkSecrets refuses a token in the place of a file's name: what is printed has no secrets in it.
func (o options) checkSecrets(c *config.Config) error {
	paths := map[string]string{
		"print --token-file": o.Files.TokenFile, "print --client-secret-file": o.ClientSecretFile,
	}
	for _, v := range c.Variables() {
		if v.Read != "" {
			paths[v.Name] = v.String()
		}
	}
	for _, thing := range slices.Sorted(maps.Keys(paths)) {
		// A relative path may be absolute by now: --pid adds the folder of the process.
		base := filepath.Base(paths[thing])
		if shown := cli.HideToken(base); shown != base && (base == paths[thing] || len(base) > 40) {
			return &cli.ConfigError{Thing: thing, Value: shown, Wrong: "a token, and not the name of a file",
				Advice: "write the token into a file, and give its name"}
		}
	}
	return nil
}
