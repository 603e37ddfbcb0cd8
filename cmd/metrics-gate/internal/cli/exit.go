package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ExitCode ends a command whose output has said everything already.
type ExitCode int

// Error implements error.
func (c ExitCode) Error() string { return "exit code " + strconv.Itoa(int(c)) }

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
