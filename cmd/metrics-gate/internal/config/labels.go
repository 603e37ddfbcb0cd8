package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// pairs are constant labels in their order.
type pairs []pair

type pair struct{ Name, Value string }

// UnmarshalText parses NAME=VALUE,NAME="VALUE". A value in double quotes can hold commas; in it
// \" stands for a quote and \\ for a backslash. The error joins those of all labels.
func (p *pairs) UnmarshalText(text []byte) error {
	*p = nil
	if strings.TrimSpace(string(text)) == "" {
		return nil
	}
	var errs []error
	for _, item := range splitPairs(string(text)) {
		one, err := parsePair(item)
		if err != nil {
			errs = append(errs, fmt.Errorf("label %q: %w", item, err))
		}
		*p = append(*p, one)
	}
	return errors.Join(errs...)
}

// String is the inverse of UnmarshalText.
func (p pairs) String() string {
	items := make([]string, len(p))
	for i, x := range p {
		items[i] = x.Name + "=" + x.Value
		if one, err := parsePair(items[i]); err != nil || one != x || strings.Contains(x.Value, ",") {
			items[i] = x.Name + "=" + strconv.Quote(x.Value)
		}
	}
	return strings.Join(items, ",")
}

// labels are the labels as they are injected.
func (p pairs) labels(conflict exposition.Conflict) []exposition.Label {
	var list []exposition.Label
	for _, x := range p {
		list = append(list, exposition.Label{Name: x.Name, Value: x.Value, Conflict: conflict})
	}
	return list
}

// splitPairs splits at the commas that are not in double quotes.
func splitPairs(list string) []string {
	var items []string
	quoted, start := false, 0
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			items = append(items, strings.TrimSpace(list[start:i]))
			start = i + 1
		}
	}
	return append(items, strings.TrimSpace(list[start:]))
}

// parsePair reads one label. Its error says what to write.
func parsePair(item string) (one pair, err error) {
	name, value, ok := strings.Cut(item, "=")
	one = pair{strings.TrimSpace(name), strings.TrimSpace(value)}
	switch {
	case item == "":
		return one, errors.New("nothing before or after a comma; remove the comma")
	case strings.ContainsAny(name, `"'`):
		return one, errors.New(`quotes around it; write the value alone in double quotes, as in env="prod"`)
	case !ok || one.Name == "":
		return one, errors.New(`not NAME=VALUE; write it as in env=prod or env="prod"`)
	case strings.HasPrefix(one.Value, `"`):
		if one.Value, err = strconv.Unquote(one.Value); err != nil {
			return one, errors.New(`the value is not one text in double quotes; write \" for a quote in it`)
		}
		return one, nil
	case strings.Contains(one.Value, `"`), strings.HasPrefix(one.Value, "'"):
		return one, errors.New(`quotes in the value; write it in double quotes, and \" for a quote in it`)
	}
	return one, checkSeparators(one.Value)
}

// checkSeparators finds a further label in a value, behind what is no comma.
func checkSeparators(value string) error {
	const separators = "; \t\n"
	for i, c := range value {
		if !strings.ContainsRune(separators, c) {
			continue
		}
		next, _, ok := strings.Cut(strings.TrimLeft(value[i:], separators), "=")
		if _, err := exposition.Compile(exposition.Label{Name: next}); ok && err == nil {
			return fmt.Errorf("%q between two labels; write a comma there, or the value in double quotes", c)
		}
	}
	return nil
}

// labels compiles the injected labels for one runner name.
func (c *Config) labels(runnerName string) (*exposition.Labels, error) {
	conflict := c.Label.Conflict.Conflict
	injected := exposition.Label{Name: c.Label.Name, Value: runnerName, Conflict: conflict}
	return exposition.Compile(append([]exposition.Label{injected}, c.Label.Constant.labels(conflict)...)...)
}

func (c *Config) validateLabel(found *cli.ConfigErrors, set map[string]string) {
	l := c.Label
	required := func(name, advice string) {
		if value, ok := set[Prefix+name]; ok && strings.TrimSpace(value) == "" {
			found.Add(&cli.ConfigError{Thing: Prefix + name, Wrong: "set but empty", Advice: advice})
		}
	}
	required("RUNNER_NAME", "name the runner, or unset it for the host name; a Kubernetes fieldRef to a label that "+
		"the pod lacks is empty")
	required("LABEL_NAME", "name the label, or unset it for runner_name")
	if l.RunnerName != "" && l.RunnerNameFile != "" {
		found.Add(&cli.ConfigError{
			Thing: Prefix + "RUNNER_NAME_FILE", Value: l.RunnerNameFile,
			Wrong: "set together with " + Prefix + "RUNNER_NAME", Advice: "keep one of them",
		})
	}
	c.compileLabels(found)
}

// compileLabels blames each variable for its own labels.
func (c *Config) compileLabels(found *cli.ConfigErrors) {
	l := c.Label
	blame := func(name, value string, err error) {
		if err != nil {
			found.Add(&cli.ConfigError{Thing: Prefix + name, Value: value, Wrong: err.Error()})
		}
	}
	_, nameErr := exposition.Compile(exposition.Label{Name: l.Name})
	blame("LABEL_NAME", l.Name, errors.Unwrap(nameErr)) // without the name
	_, runnerErr := exposition.Compile(exposition.Label{Name: "runner_name", Value: l.RunnerName})
	blame("RUNNER_NAME", l.RunnerName, runnerErr)
	_, constantErr := exposition.Compile(l.Constant.labels(exposition.Exported)...)
	if slices.ContainsFunc(l.Constant, func(p pair) bool { return p.Name == l.Name }) {
		constantErr = fmt.Errorf("label %q: %sLABEL_NAME is the same", l.Name, Prefix)
	}
	blame("LABELS", l.Constant.String(), constantErr)
	if nameErr == nil && runnerErr == nil && constantErr == nil {
		_, err := c.labels(l.RunnerName) // too long together
		blame("LABELS", l.Constant.String(), err)
	}
}
