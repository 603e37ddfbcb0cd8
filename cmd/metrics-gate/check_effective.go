package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
)

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

// print writes r for a person.
func (r *checkReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range r.Configuration {
		origin := ""
		if s.Default {
			origin = "\t(default)"
		}
		fmt.Fprintf(w, "%s\t%s%s\n", strings.TrimPrefix(s.Name, prefix), printable(s.Value), origin)
	}
	fmt.Fprintf(w, "\nwho is known by\t%s\n", strings.Join(r.Authentication, ", "))
	for _, rights := range r.Authorization {
		allowed := "nobody"
		if len(rights.Allow) > 0 {
			allowed = strings.Join(rights.Allow, "\n\t")
		}
		fmt.Fprintf(w, "%s\t%s\n", rights.Routes, allowed)
	}
	if len(r.Expiry) > 0 {
		fmt.Fprintln(w)
	}
	for _, e := range r.Expiry {
		fmt.Fprintf(w, "%s\tuntil %s\t%s\t%s\n", e.Role, e.NotAfter.Format(time.RFC3339), e.Left(), printable(e.Subject))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Warnings) > 0 || r.Decision != nil {
		fmt.Fprintln(out)
	}
	for _, f := range r.Warnings {
		if err := f.print(out); err != nil {
			return err
		}
	}
	if r.Decision != nil {
		return r.Decision.print(out)
	}
	_, err := fmt.Fprintln(out, "configuration: ok")
	return err
}

// Left says how long something still lasts.
func (e expiryReport) Left() string {
	switch {
	case e.Days < 0:
		return "over"
	case e.Days == 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", e.Days)
}

// isDefault tells whether v is what it is when nobody sets it.
func (v variable) isDefault() bool {
	if d, ok := v.Value.Interface().(time.Duration); ok {
		def, err := time.ParseDuration(v.Default)
		return err == nil && d == def
	}
	return v.String() == v.Default
}
