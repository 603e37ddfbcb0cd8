package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

const patternHelp = `Identity patterns (METRICS_ALLOW, PPROF_ALLOW: comma separated):
  dns:NAME uri:URI email:ADDR cn:NAME   the verified client certificate; in uri: a * is one path segment
  token:NAME                            a static token
  user:NAME group:NAME                  OIDC and Kubernetes
  *                                     any authenticated identity, alone
`

// help prints the commands and every variable.
func (p *process) help(ctx context.Context, args []string) error {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "help" {
		return p.dispatch(ctx, []string{args[0], "-h"})
	}
	if err := p.none("help", args); err != nil {
		return err
	}
	fmt.Fprint(p.stdout, "metrics-gate puts authentication, limits and a runner_name label before a GitLab Runner's metrics.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(p.stdout, "  %s\n      %s\n", strings.TrimSpace(c.name+" "+c.args), c.about)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nVariables (prefix %s):\n", prefix)
	for _, v := range declared() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", strings.TrimPrefix(v.Name, prefix), v.Default, v.Doc)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(p.stdout, "\n"+patternHelp+"\nExit codes: 0 well, 1 failed while running, 2 configuration or usage error.\n")
	return err
}

// declared lists the variables of a configuration in which nothing is set.
func declared() []variable {
	c := &config{OIDC: issuers(nil)}
	return c.variables()
}

// table writes the declaration as the README's Markdown table.
func table(w io.Writer) {
	fmt.Fprint(w, "| variable | default | meaning |\n|---|---|---|\n")
	for _, v := range declared() {
		def := v.Default
		if def != "" {
			def = "`" + def + "`"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", strings.TrimPrefix(v.Name, prefix), def, strings.ReplaceAll(v.Doc, "|", `\|`))
	}
}
