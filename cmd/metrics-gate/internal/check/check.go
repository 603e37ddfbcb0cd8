// Package check is the command check: it validates the configuration with its files,
// says what would be in effect, and explains decisions.
package check

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gate"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/settings"
)

// checkReport is what check found; its JSON is what --json prints.
type checkReport struct {
	OK             bool                 `json:"ok"`
	Settings       string               `json:"settings"` // whose they are
	Errors         []cli.ErrorReport    `json:"errors,omitempty"`
	Configuration  []config.Setting     `json:"configuration,omitempty"`
	Authentication []string             `json:"authentication,omitempty"`
	Authorization  []config.RouteRights `json:"authorization,omitempty"`
	Expiry         []expiry.Entry       `json:"expiry,omitempty"`
	Warnings       []cli.Finding        `json:"warnings,omitempty"`
	Decision       *decisionReport      `json:"decision,omitempty"`

	unfit error // why the files cannot serve, though they load; among Errors
}

// checkOptions are the flags of check.
type checkOptions struct {
	asked    question
	json     bool
	settings settings.Options
}

// Command declares check.
func Command() cli.Command {
	return cli.Command{
		Name: "check", Summary: "validate the settings and their files, and explain decisions",
		Example: "metrics-gate check --as dns:prometheus.example.com --path /metrics",
		Setup: func(set *flag.FlagSet) cli.RunFunc {
			var o checkOptions
			set.Func("as", "explain the decision about a caller of this `name`, such as dns:prometheus.example.com; "+
				"again for a further name or a group", o.asked.addName)
			set.StringVar(&o.asked.path, "path", "", "the `path` that the caller asks for (default /metrics)")
			set.BoolVar(&o.json, "json", false, "print JSON")
			o.settings.RegisterFlags(set)
			return o.run
		},
	}
}

// run reads the settings and every file as serve would, asks the issuers, and says what would
// be in effect. It binds no port of the gate. It exits 1 when serve would refuse to start or to
// take an issuer's tokens, when the server's certificate is not valid now, and when the decision
// asked about is a refusal.
func (o *checkOptions) run(ctx context.Context, p *cli.Process, _ []string) error {
	if err := o.asked.validate(); err != nil {
		return err
	}
	from, err := o.settings.Take(ctx, p.Environ)
	if err != nil {
		if !o.json {
			return err
		}
		return errors.Join(cli.WriteJSON(p.Stdout, &checkReport{Errors: cli.ErrorReports(err)}), cli.Reported(err))
	}
	report, err := inspect(ctx, from, p.Build.Version, o.asked)
	if err != nil {
		report = &checkReport{Errors: cli.ErrorReports(err)}
	}
	report.Settings = from.Whose
	if !o.json {
		if err := from.Print(p.Stdout, ""); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		if err := cli.WriteJSON(p.Stdout, report); err != nil {
			return err
		}
	case err == nil:
		if err := report.print(p.Stdout); err != nil {
			return err
		}
		p.Report(report.unfit)
	default:
		p.Report(err)
	}
	if err != nil || report.unfit != nil || report.Decision.refused() {
		return cli.ExitCode(1)
	}
	return nil
}

// inspect builds the gate without a listener and notes what it would do.
func inspect(ctx context.Context, from *settings.Settings, version string, q question) (*checkReport, error) {
	c, err := config.Load(from.Environ)
	if err != nil {
		return nil, from.OfAnotherUser(gate.WithFiles(c, err))
	}
	var warned cli.Warnings
	g, err := gate.New(c, slog.New(&warned), version, prometheus.NewRegistry())
	if err != nil {
		return nil, from.OfAnotherUser(err)
	}
	asked, err := surroundings(ctx, c, g)
	if err != nil {
		return nil, err
	}
	r := &checkReport{OK: true, Authentication: c.MethodNames(), Expiry: expiry.List(g.TLS, time.Now())}
	for _, v := range c.Variables() {
		if s, ok := c.Effective(v); ok {
			r.Configuration = append(r.Configuration, s)
		}
	}
	r.Authorization = c.Rights()
	r.Warnings = append(from.Findings, warned.List...)
	r.Warnings = append(r.Warnings, asked...)
	r.Warnings = append(r.Warnings, c.Lint()...)
	r.Warnings = append(r.Warnings, config.Misspelled(from.Environ)...)
	r.Warnings = append(
		r.Warnings,
		expiry.Findings(slices.DeleteFunc(slices.Clone(r.Expiry), expiry.Entry.ExpiredServer))...) // the error says it
	if r.unfit = unfit(c, g); r.unfit != nil {
		r.OK, r.Errors = false, cli.ErrorReports(r.unfit)
	}
	if q.given() {
		r.Decision = decide(c, q)
	}
	return r, nil
}

// unfit is nil, or says that the server's certificate is not valid now. A gate loads such a file
// when it starts, and not in the place of a valid one.
func unfit(c *config.Config, g *gate.Gate) error {
	if g.TLS == nil {
		return nil
	}
	if err := g.TLS.Valid(time.Now()); err != nil {
		return &cli.ConfigError{Thing: config.Prefix + "TLS_CERT_FILE", Value: c.TLS.CertFile, Wrong: err.Error(),
			Advice: expiry.AdviceServerFile}
	}
	return nil
}
