package main

import (
	"context"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/check"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demo"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/doctor"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/manifest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/profile"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/server"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/winservice"
)

// commands lists them in the order of the help.
func commands() []cli.Command {
	return append([]cli.Command{
		server.Command(), check.Command(), doctor.Command(), manifest.Command(), profile.Command(), demo.Command(),
		tokenCommand(), healthcheckCommand(), completionCommand(), versionCommand(), helpCommand(),
	}, winservice.Commands()...)
}

// dispatch runs the command that args name; serve if they name none, or begin with a flag.
func dispatch(ctx context.Context, p *cli.Process, args []string) error {
	name := "serve"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	if strings.HasPrefix(name, "-") {
		name, args = "serve", append([]string{name}, args...)
	}
	c, err := find(name)
	if err != nil {
		return err
	}
	return p.Run(ctx, c, args)
}

// find looks a command up by its name.
func find(name string) (cli.Command, error) {
	for _, c := range commands() {
		if c.Name == name {
			return c, nil
		}
	}
	return cli.Command{}, &cli.ConfigError{Thing: "command", Value: name, Wrong: "unknown", Advice: suggestion(name)}
}

// suggestion is the advice for an unknown command: the nearest one that exists, if one is near.
func suggestion(name string) string {
	best, nearest := "", 3
	for _, c := range commands() {
		if d := cli.Distance(name, c.Name); d < nearest {
			best, nearest = c.Name, d
		}
	}
	if best == "" {
		return "metrics-gate help lists the commands"
	}
	return "did you mean " + best + "? metrics-gate help lists the commands"
}
