package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Command is one of metrics-gate's commands. Help, completion and the manual page are
// made from this declaration.
type Command struct {
	Name    string
	Args    Args
	Summary string // one line
	Example string // a command line that works
	Reloads bool   // SIGHUP asks the command to reload, and does not end it

	// Setup registers the flags and returns what runs once they are parsed.
	Setup func(*flag.FlagSet) RunFunc
}

// RunFunc carries a command out. Its context is canceled by SIGINT and SIGTERM.
type RunFunc func(ctx context.Context, p *Process, args []string) error

// Args declares the arguments of a command: none, or at most one.
type Args struct {
	Name     string            // in capitals; empty if the command takes none
	Optional bool              // the argument may be left out
	Choices  []string          // the words it may be; any if empty
	Meanings map[string]string // of the choices, for help; may be nil
	Advice   string            // for an argument that is missing or wrong; made from Choices if empty
}

// String is how the arguments are written in a synopsis.
func (a Args) String() string {
	name := a.Name
	if len(a.Choices) > 0 {
		name = strings.Join(a.Choices, "|")
	}
	if a.Optional && name != "" {
		return "[" + name + "]"
	}
	return name
}

// NoFlags is the Setup of a command that has none.
func NoFlags(run RunFunc) func(*flag.FlagSet) RunFunc {
	return func(*flag.FlagSet) RunFunc { return run }
}

// flags returns the declared flags of c and what runs.
func (c Command) flags() (*flag.FlagSet, RunFunc) {
	set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return set, c.Setup(set)
}

// execute parses args and runs c, or prints its help.
func (c Command) execute(ctx context.Context, p *Process, args []string) error {
	set, run := c.flags()
	rest, err := c.parse(set, args)
	if errors.Is(err, flag.ErrHelp) {
		return c.Help(p.Stdout)
	}
	if err != nil {
		return err
	}
	if err := c.checkArgs(rest); err != nil {
		return err
	}
	return run(ctx, p, rest)
}

// checkArgs compares the arguments with their declaration.
func (c Command) checkArgs(args []string) error {
	advice := c.Args.Advice
	if advice == "" && len(c.Args.Choices) > 0 {
		advice = "write one of " + strings.Join(c.Args.Choices, ", ")
	}
	most := 1
	if c.Args.Name == "" {
		most = 0
	}
	switch {
	case len(args) > most:
		return &ConfigError{Thing: c.Name, Value: HideURL(args[most]), Wrong: "unexpected argument", Advice: c.advice()}
	case len(args) < most && !c.Args.Optional:
		return &ConfigError{Thing: c.Name, Wrong: c.Args.Name + " is missing", Advice: advice}
	case len(args) == 1 && len(c.Args.Choices) > 0 && !slices.Contains(c.Args.Choices, args[0]):
		return &ConfigError{Thing: c.Name, Value: args[0], Wrong: "unknown " + strings.ToLower(c.Args.Name),
			Advice: advice}
	}
	return nil
}

// advice is for a flag or an argument that c does not take.
func (c Command) advice() string {
	if c.Args.Name == "" && c.Args.Advice != "" {
		return c.Args.Advice
	}
	return fmt.Sprintf("metrics-gate help %s explains it", c.Name)
}
