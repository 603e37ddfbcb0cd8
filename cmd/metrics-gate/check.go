package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// exitCode ends a command whose output has said everything already.
type exitCode int

// Error implements error.
func (c exitCode) Error() string { return "exit code " + strconv.Itoa(int(c)) }

// checkReport is what check found; its JSON is what --json prints.
type checkReport struct {
	OK             bool            `json:"ok"`
	Errors         []checkError    `json:"errors,omitempty"`
	Configuration  []setting       `json:"configuration,omitempty"`
	Authentication []string        `json:"authentication,omitempty"`
	Authorization  []routeRights   `json:"authorization,omitempty"`
	Expiry         []expiryReport  `json:"expiry,omitempty"`
	Warnings       []finding       `json:"warnings,omitempty"`
	Decision       *decisionReport `json:"decision,omitempty"`
}

// checkError is a mistake as JSON.
type checkError struct {
	Thing  string `json:"thing,omitempty"`
	Value  string `json:"value,omitempty"`
	Wrong  string `json:"wrong"`
	Advice string `json:"advice,omitempty"`
}

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

// expiryReport says when a certificate or revocation list ends.
type expiryReport struct {
	Role     string    `json:"role"`
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"not_after"`
	Days     int       `json:"days"` // whole days left; negative when it has ended
}

// checkOptions are the flags of check.
type checkOptions struct {
	asked question
	json  bool
}

// checkCommand declares check.
func checkCommand() Command {
	return Command{
		Name: "check", Summary: "validate the environment and its files, and explain decisions",
		Example: "metrics-gate check --as dns:prometheus.example.com --path /metrics",
		Setup: func(set *flag.FlagSet) RunFunc {
			var o checkOptions
			set.Func("as", "explain the decision about a caller of this `name`, such as dns:prometheus.example.com; again for a further name or a group", o.asked.addName)
			set.StringVar(&o.asked.path, "path", "", "the `path` that the caller asks for (default /metrics)")
			set.BoolVar(&o.json, "json", false, "print JSON")
			return o.run
		},
	}
}

// run reads the environment and every file as serve would, binds nothing, and says
// what would be in effect. It exits 1 when serve would refuse to start.
func (o *checkOptions) run(_ context.Context, p *Process, _ []string) error {
	if err := o.asked.validate(); err != nil {
		return err
	}
	report, err := inspect(p, o.asked)
	if err != nil {
		report = &checkReport{Errors: checkErrors(err)}
	}
	switch {
	case o.json:
		if err := writeJSON(p.Stdout, report); err != nil {
			return err
		}
	case err == nil:
		return report.print(p.Stdout)
	default:
		reportTo(p.Stderr, err)
	}
	if err != nil {
		return exitCode(1)
	}
	return nil
}

// inspect builds the gate without a listener and notes what it would do.
func inspect(p *Process, asked question) (*checkReport, error) {
	c, err := load(p.Environ)
	if err != nil {
		return nil, err
	}
	var heard warnings
	g, err := newGate(c, slog.New(&heard), p.Build.Version, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	r := &checkReport{OK: true, Authentication: c.methods(), Expiry: expiries(g.tls, time.Now())}
	for _, v := range c.variables() {
		if s, ok := c.effective(v); ok {
			r.Configuration = append(r.Configuration, s)
		}
	}
	if r.Authorization, err = c.rights(); err != nil {
		return nil, err
	}
	r.Warnings = append(heard.list, c.policyFindings()...)
	r.Warnings = append(r.Warnings, expiryFindings(r.Expiry)...)
	if asked.given() {
		r.Decision, err = decide(c, asked)
	}
	return r, err
}

// expiries lists what ends when; nil without TLS.
func expiries(t *tlsconf.Reloader, now time.Time) []expiryReport {
	if t == nil {
		return nil
	}
	var list []expiryReport
	for _, e := range t.Expiry() {
		list = append(list, expiryReport{e.Role, e.Subject, e.NotAfter.UTC(), wholeDays(e.NotAfter.Sub(now))})
	}
	return list
}

// wholeDays rounds down, so that what has ended is negative.
func wholeDays(left time.Duration) int {
	return int(math.Floor(left.Hours() / 24))
}

// checkErrors takes a joined error apart.
func checkErrors(err error) []checkError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []checkError
		for _, e := range joined.Unwrap() {
			list = append(list, checkErrors(e)...)
		}
		return list
	}
	var m *ConfigError
	if errors.As(err, &m) {
		return []checkError{{m.Thing, m.Value, m.Wrong, m.Advice}}
	}
	return []checkError{{Wrong: oneLine(err.Error())}}
}

// reportTo is report without its verdict.
func reportTo(w io.Writer, err error) { _ = report(w, err) }

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
