package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// ConfigError is an error in the configuration or in the use of a command. It prints as
// "thing value: what is wrong", with advice on a line of its own.
type ConfigError struct {
	Thing  string // the variable, file or argument
	Value  string // what it is now; empty if not set
	Wrong  string
	Advice string // what to write instead; may be empty
}

// Error gives the fact without the advice.
func (m *ConfigError) Error() string {
	if m.Value == "" {
		return m.Thing + ": " + m.Wrong
	}
	return fmt.Sprintf("%s %q: %s", m.Thing, m.Value, m.Wrong)
}

// ConfigErrors collects errors, one a thing: the first one found stands.
type ConfigErrors struct {
	things []string
	list   []error
}

// Add keeps m unless its thing has an error already.
func (l *ConfigErrors) Add(m *ConfigError) {
	if slices.Contains(l.things, m.Thing) {
		return
	}
	l.things = append(l.things, m.Thing)
	l.list = append(l.list, m)
}

// Join adds every error that err joins; nil adds nothing.
func (l *ConfigErrors) Join(err error) {
	switch e := err.(type) {
	case nil:
	case *ConfigError:
		l.Add(e)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			l.Join(one)
		}
	default:
		l.list = append(l.list, err)
	}
}

// Err joins the errors; nil if there are none.
func (l *ConfigErrors) Err() error { return errors.Join(l.list...) }

// Report prints err, which may be nil, for a person: a line for each error in it, advice below, and
// returns the exit code, 2 for configuration and usage, 1 for everything else.
func Report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	var code ExitCode
	if errors.As(err, &code) {
		return int(code)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		code := 0
		for _, e := range joined.Unwrap() {
			code = max(code, Report(w, e))
		}
		return code
	}
	fmt.Fprintf(w, "metrics-gate: %s\n", oneLine(err.Error()))
	var m *ConfigError
	if !errors.As(err, &m) {
		return 1
	}
	if m.Advice != "" {
		fmt.Fprintf(w, "  %s\n", m.Advice)
	}
	return 2
}

// oneLine keeps an error of a library from breaking the rule of one line a fact.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// Reason is err without the path, which the ConfigError already names.
func Reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
