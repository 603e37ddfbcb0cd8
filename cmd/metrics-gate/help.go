package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

const patternHelp = `Identity patterns (METRICS_ALLOW, PPROF_ALLOW: comma separated):
  dns:NAME uri:URI email:ADDR cn:NAME   the verified client certificate; in uri: a * is one path segment
  token:NAME                            a static token
  user:NAME group:NAME                  OIDC and Kubernetes
  *                                     any authenticated identity, alone
`

// helpCommand declares help.
func helpCommand() cli.Command {
	return cli.Command{
		Name: "help", Summary: "print this help, or what a command takes",
		Args:    cli.Args{Name: "COMMAND", Optional: true},
		Example: "metrics-gate help check", Setup: cli.NoFlags(help),
	}
}

// help prints one command, or all commands and every variable.
func help(_ context.Context, p *cli.Process, args []string) error {
	if len(args) > 0 {
		c, err := find(args[0])
		if err != nil {
			return err
		}
		return c.Help(p.Stdout)
	}
	fmt.Fprint(p.Stdout, "metrics-gate puts authentication, limits and a runner_name label before a GitLab Runner's "+
		"metrics.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(p.Stdout, "  %s\n      %s\n", c.Synopsis(), c.Summary)
	}
	w := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nVariables (prefix %s):\n", config.Prefix)
	for _, v := range config.Declared() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", strings.TrimPrefix(v.Name, config.Prefix), v.Default, v.Doc)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(p.Stdout, "\n"+patternHelp+
		"\nExit codes: 0 well, 1 failed while running, 2 configuration or usage error.\n")
	return err
}

// table writes the declaration as the README's Markdown table.
func table(w io.Writer) {
	fmt.Fprint(w, "| variable | default | meaning |\n|---|---|---|\n")
	for _, v := range config.Declared() {
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", strings.TrimPrefix(v.Name, config.Prefix), quoted(v.Default),
			strings.ReplaceAll(v.Doc, "|", `\|`))
	}
}

// reference writes the declaration as the Markdown table of docs/variables.md.
func reference(w io.Writer) {
	fmt.Fprint(w, "| variable | type | default | a change needs | meaning |\n|---|---|---|---|---|\n")
	needs := map[string]string{"": "restart", "reload": "reload", "use": "nothing"}
	for _, v := range config.Declared() {
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s |\n", strings.TrimPrefix(v.Name, config.Prefix), v.Type,
			quoted(v.Default), needs[v.Read], strings.ReplaceAll(v.Doc, "|", `\|`))
	}
}

// quoted is a default as code; nothing if there is none.
func quoted(value string) string {
	if value == "" {
		return ""
	}
	return "`" + value + "`"
}
