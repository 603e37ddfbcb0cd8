// Package settings finds the METRICS_GATE_* variables of the gate that a command looks at: its
// own environment, a process, a systemd unit, or files.
package settings

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// Settings are the variables of a gate.
type Settings struct {
	Whose    string        // such as "the environment" or "unit metrics-gate.service"
	Environ  []string      // "NAME=value" each
	Findings []cli.Finding // what an operator should know of them
	Stopped  string        // the unit that does not run, while systemd listens for it; empty if that is not so
	RootOnly bool          // the gate does not run, and only root can read its credentials

	user *identity // of the gate; nil: the caller's
}

// Options are the flags that name whose settings a command takes.
type Options struct {
	unit  string
	pid   int
	files []string

	Port string // picks among several gates that run here, or none of them; empty: they are an error
}

// RegisterFlags declares the flags.
func (o *Options) RegisterFlags(set *flag.FlagSet) {
	set.StringVar(
		&o.unit,
		"unit",
		"",
		"take the settings of this systemd unit, by `name`, as a start would read them",
	)
	set.IntVar(&o.pid, "pid", 0, "take the settings of the running gate with this process `id`")
	set.Func("env-file", "take the settings of this `file`, in the syntax of systemd's EnvironmentFile; again for a "+
		"further file", func(path string) error {
		o.files = append(o.files, path)
		return nil
	})
}

// Given tells whether a flag names whose settings to take.
func (o *Options) Given() bool { return o.named() > 0 }

// named counts the kinds of flags that are given.
func (o *Options) named() (n int) {
	for _, given := range []bool{o.unit != "", o.pid != 0, len(o.files) > 0} {
		if given {
			n++
		}
	}
	return n
}

// Find returns the settings that the flags name. Without a flag these are the variables of
// environ; if it has none, those of the one gate that runs here; if none runs, those of the unit
// metrics-gate.service. Sources are never mixed. Every error is a *cli.ConfigError.
func (o *Options) Find(ctx context.Context, environ []string) (*Settings, error) {
	return o.find(ctx, thisMachine(), environ)
}

// Take is Find for a command that does all its work as the gate's user.
func (o *Options) Take(ctx context.Context, environ []string) (*Settings, error) {
	s, err := o.Find(ctx, environ)
	if err != nil {
		return nil, err
	}
	return s, s.Become()
}

func (o *Options) find(ctx context.Context, m machine, environ []string) (*Settings, error) {
	switch {
	case o.named() > 1:
		return nil, &cli.ConfigError{Thing: "--unit, --pid, --env-file", Wrong: "settings of more than one gate",
			Advice: "give one of them; --env-file alone may be given again"}
	case o.unit != "":
		return m.ofUnit(ctx, o.unit)
	case o.pid != 0:
		return m.ofProcess(m.process(ctx, o.pid))
	case len(o.files) > 0:
		return ofFiles(o.files)
	case config.HasVariables(environ):
		return &Settings{Whose: "the environment", Environ: environ}, nil
	}
	return m.ofThisGate(ctx, environ, o.Port)
}

// ofThisGate looks for the gate of this machine; of several, for the one that listens on port, if
// one does.
func (m machine) ofThisGate(ctx context.Context, environ []string, port string) (*Settings, error) {
	gates, others := m.ownGates(ctx, m.gates())
	at := m.at(gates, port)
	if len(at) == 1 {
		gates = at
	}
	switch {
	case len(gates) > 1 && port != "" && len(at) == 0:
		return &Settings{Whose: "the environment", Environ: environ}, nil
	case len(gates) > 1:
		return nil, m.ambiguous(gates)
	case len(gates) == 1:
		return m.ofProcess(gates[0])
	case m.hasSystemd():
		if u, err := m.unit(ctx, "metrics-gate.service"); err == nil {
			return u.settings()
		}
	}
	if len(others) > 0 && port == "" {
		return nil, m.unnamed(others)
	}
	return &Settings{Whose: "the environment", Environ: environ}, nil
}

// ofFiles reads environment files. A later one is stronger.
func ofFiles(paths []string) (*Settings, error) {
	s := &Settings{Whose: "files " + strings.Join(paths, ", ")}
	if len(paths) == 1 {
		s.Whose = "file " + paths[0]
	}
	for _, path := range paths {
		list, err := ReadFile(path)
		if err != nil {
			return nil, err
		}
		s.Environ = append(s.Environ, list...)
	}
	if !config.HasVariables(s.Environ) {
		return nil, &cli.ConfigError{Thing: "environment file", Value: strings.Join(paths, ", "),
			Wrong:  "no " + config.Prefix + " variable in it",
			Advice: "name the file with the gate's settings, such as /etc/metrics-gate/metrics-gate.env"}
	}
	return s, nil
}

// Print writes whose the settings are on a line of its own, after prefix.
func (s *Settings) Print(w io.Writer, prefix string) error {
	_, err := fmt.Fprintf(w, "%ssettings of %s\n", prefix, cli.Printable(s.Whose))
	return err
}

// rewriteFiles passes the path of each variable that names a file through f.
func (s *Settings) rewriteFiles(f func(path string) string) {
	for i, entry := range s.Environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, config.Prefix) && strings.HasSuffix(name, "_FILE") && value != "" {
			s.Environ[i] = name + "=" + f(value)
		}
	}
}

// inFolder makes the relative paths of files those of a process whose working directory is folder.
func (s *Settings) inFolder(folder string) {
	s.rewriteFiles(func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(folder, path)
	})
}
