package check

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// print writes r for a person, the decision first and last.
func (r *checkReport) print(out io.Writer) error {
	if r.Decision != nil {
		if err := r.Decision.print(out); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range r.Configuration {
		origin := ""
		if s.Default {
			origin = "\t(default)"
		}
		fmt.Fprintf(w, "%s\t%s%s\n", strings.TrimPrefix(s.Name, config.Prefix), cli.Printable(s.Value), origin)
	}
	fmt.Fprintf(w, "\nauthentication\t%s\n", strings.Join(r.Authentication, ", "))
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
		fmt.Fprintf(w, "%s\tuntil %s\t%s\t%s\n", e.Role, e.NotAfter.Format(time.RFC3339), e.Left(),
			cli.Printable(e.Subject))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Warnings) > 0 {
		fmt.Fprintln(out)
	}
	for _, f := range r.Warnings {
		if err := f.Print(out); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "configuration: %s\n", cli.Printable(r.verdict()))
	if r.Decision != nil { // again, where it is seen
		_, err = fmt.Fprintf(out, "decision: %s\n", r.Decision)
	}
	return err
}

// verdict is what the last line says: the gate starts, and nothing that it authenticates with has
// expired.
func (r *checkReport) verdict() string {
	var expired []string
	for _, e := range r.Expiry {
		if e.Expired() {
			expired = append(expired, e.String())
		}
	}
	if len(expired) > 0 {
		return "loads, but has expired: " + strings.Join(expired, ", ")
	}
	return "ok"
}
