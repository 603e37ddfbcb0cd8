package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// process is what a command has of the outside world.
type process struct {
	environ        []string
	signals        <-chan os.Signal // SIGHUP, SIGINT, SIGTERM
	stdout, stderr io.Writer
	build          build
}

// command is one of metrics-gate's commands.
type command struct {
	name, args, about string
	run               func(*process, context.Context, []string) error
}

// commands lists them in the order of the help.
func commands() []command {
	return []command{
		{"serve", "", "serve (also without any command)", (*process).serve},
		{"check", "[--as PATTERN --path P] [--json]", "validate the environment and its files, and explain decisions", (*process).check},
		{"doctor", "[--ca F] [--cert F --key F] [--token-file F] [--url U] [--json]", "look at the live surroundings and say what to do", (*process).doctor},
		{"print", "scrape-config|podmonitor|networkpolicy|systemd|alerts [--target T] [--namespace N] [--selector L=V] [--secret S] [--ca F] [--cert F] [--key F] [--token-file F] [--binary B]", "print what belongs to this configuration", (*process).print},
		{"pprof", "[--ca F] [--cert F --key F] [--token-file F] [-o F | --serve] URL", "fetch a profile through the gate", (*process).pprof},
		{"demo", "", "everything embedded: a runner, a CA, a certificate, a token, a gate", (*process).demo},
		{"token", "NAME", "print a new token once, and its line for the tokens file", (*process).token},
		{"healthcheck", "", "exit 0 when /readyz of the admin listener is 200", (*process).healthcheck},
		{"completion", "bash|zsh|fish", "print the completion of a shell", (*process).completion},
		{"version", "", "print the version", (*process).version},
		{"help", "[COMMAND]", "print this help, or the flags of a command", (*process).help},
	}
}

// dispatch runs the command that args name.
func (p *process) dispatch(ctx context.Context, args []string) error {
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
	for _, c := range commands() {
		if c.name == name {
			return c.run(p, ctx, args)
		}
	}
	return &mistake{Thing: "command", Value: name, Wrong: "unknown", Advice: meant(name)}
}

// parse reads the flags of a command into set and returns at most max arguments.
func (p *process) parse(set *flag.FlagSet, args []string, most int) ([]string, error) {
	set.SetOutput(io.Discard)
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil, p.usage(set)
	}
	if err != nil {
		return nil, &mistake{Thing: set.Name(), Wrong: strings.TrimPrefix(err.Error(), "flag "), Advice: "metrics-gate help explains the commands"}
	}
	if set.NArg() > most {
		return nil, &mistake{Thing: set.Name(), Value: set.Arg(most), Wrong: "unexpected argument", Advice: "metrics-gate help explains the commands"}
	}
	return set.Args(), nil
}

// usage prints the flags of a command, for -h, and ends it well.
func (p *process) usage(set *flag.FlagSet) error {
	fmt.Fprintf(p.stdout, "Usage of metrics-gate %s:\n", set.Name())
	set.SetOutput(p.stdout)
	set.PrintDefaults()
	return exitCode(0)
}

// none is parse for a command with neither flags nor arguments.
func (p *process) none(name string, args []string) error {
	_, err := p.parse(flag.NewFlagSet(name, flag.ContinueOnError), args, 0)
	return err
}
