package main

import (
	"context"
	"fmt"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// tokenCommand declares token.
func tokenCommand() cli.Command {
	return cli.Command{
		Name: "token", Summary: "print a new token once, and its line for the tokens file",
		Args:    cli.Args{Name: "NAME", Advice: "name who will use it: metrics-gate token prometheus"},
		Example: "metrics-gate token prometheus", Setup: cli.NoFlags(token),
	}
}

// token prints a new static token, which is kept nowhere, and its line for the tokens
// file, which holds only the digest. The line goes to standard output alone when it is
// not a terminal's: see the comments it prints.
func token(_ context.Context, p *cli.Process, args []string) error {
	secret, line, err := auth.NewToken(args[0])
	if err != nil {
		return &cli.ConfigError{Thing: "token", Value: args[0], Wrong: err.Error()}
	}
	_, err = fmt.Fprintf(p.Stdout, "# give this to the scraper, it is shown only once:\n%s\n# add this line to the "+
		"file that %sTOKENS_FILE names:\n%s\n", secret, config.Prefix, line)
	return err
}
