package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
)

// Exit codes of every command: 0 well, 1 failed while running, 2 configuration or usage error.
const (
	exitFailed = 1
	exitConfig = 2
)

// ExitCode ends a command whose output has said everything already.
type ExitCode int

// Error implements error.
func (c ExitCode) Error() string { return "exit code " + strconv.Itoa(int(c)) }

// Reported is the exit code of err for a command that has written err itself, as JSON.
func Reported(err error) error { return ExitCode(exitCode(err)) }

// Failure is an error while running that has advice. The exit code is 1.
type Failure struct {
	Err    error
	Advice string
}

// Error gives the fact without the advice.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns f.Err.
func (f *Failure) Unwrap() error { return f.Err }

// Report prints err, which may be nil, to standard error, as text or, with JSONErrors, as
// JSON lines like those of the log. It returns the exit code.
func (p *Process) Report(err error) int {
	if !p.JSONErrors {
		return Report(p.Stderr, err)
	}
	for _, e := range printed(err) {
		logError(slog.New(slog.NewJSONHandler(p.Stderr, nil)), e)
	}
	return exitCode(err)
}

// Report prints err, which may be nil, for a person: a line for each error in it, its list and
// advice below.
// It returns the exit code.
func Report(w io.Writer, err error) int {
	for _, e := range printed(err) {
		fmt.Fprintf(w, "metrics-gate: %s\n", Printable(oneLine(e.Error())))
		report := errorReport(e)
		for _, line := range slices.Concat(report.List, []string{report.Advice}) {
			if line != "" {
				fmt.Fprintf(w, "  %s\n", Printable(line))
			}
		}
	}
	return exitCode(err)
}

// logError writes an error with the fields of ErrorReport.
func logError(log *slog.Logger, err error) {
	r := errorReport(err)
	if r.Thing == "" {
		log.Error("command failed", "wrong", r.Wrong, given("advice", r.Advice))
		return
	}
	log.Error("configuration error", "thing", r.Thing, given("value", r.Value), "wrong", r.Wrong,
		given("list", strings.Join(r.List, "; ")), given("advice", r.Advice))
}

// given is a field, or none if it is empty.
func given(key, value string) slog.Attr {
	if value == "" {
		return slog.Attr{} // handlers leave it out
	}
	return slog.String(key, value)
}

// exitCode is the exit code for err, the highest of those that it joins.
func exitCode(err error) int {
	code := 0
	for _, e := range split(err) {
		one := exitFailed
		if given, ok := errors.AsType[ExitCode](e); ok {
			one = int(given)
		} else if _, ok := errors.AsType[*ConfigError](e); ok {
			one = exitConfig
		}
		code = max(code, one)
	}
	return code
}

// printed lists the errors of err that have something to print.
func printed(err error) []error {
	var list []error
	for _, e := range split(err) {
		if _, ok := errors.AsType[ExitCode](e); !ok {
			list = append(list, e)
		}
	}
	return list
}

// split takes a joined error apart; nil is no error.
func split(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, split(e)...)
	}
	return list
}

// oneLine keeps an error of a library from breaking the rule of one line a fact.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
