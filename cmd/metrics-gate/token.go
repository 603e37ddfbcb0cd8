package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/metrics-gate/metrics-gate/auth"
)

// token prints a new static token, which is kept nowhere, and its line for the tokens
// file, which holds only the digest. The line goes to standard output alone when it is
// not a terminal's: see the comments it prints.
func (p *process) token(_ context.Context, args []string) error {
	args, err := p.parse(flag.NewFlagSet("token", flag.ContinueOnError), args, 1)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return &mistake{Thing: "token", Wrong: "NAME is missing", Advice: "name who will use it: metrics-gate token prometheus"}
	}
	secret, line, err := auth.NewToken(args[0])
	if err != nil {
		return &mistake{Thing: "token", Value: args[0], Wrong: err.Error()}
	}
	_, err = fmt.Fprintf(p.stdout, "# give this to the scraper, it is shown only once:\n%s\n# add this line to the file that %sTOKENS_FILE names:\n%s\n", secret, prefix, line)
	return err
}
