package cli

import (
	"flag"
	"slices"
	"strings"
	"time"
)

// parse reads flags before, between and behind the arguments, which it returns. What follows -- is
// an argument. It replaces flag.FlagSet.Parse, whose errors are text in Go's words. The error is a
// *ConfigError or flag.ErrHelp.
func (c Command) parse(set *flag.FlagSet, args []string) (rest []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			return append(rest, args...), nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		name, value, given := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		f := set.Lookup(name)
		switch {
		case f == nil && (name == "h" || name == "help"):
			return nil, flag.ErrHelp
		case f == nil:
			return nil, c.unknownFlag(set, name)
		case given && (value != "" || isSwitch(f)):
		case given:
			return nil, c.emptyValue(name)
		case isSwitch(f):
			value = "true"
		case len(args) == 0 || isFlag(set, args[0]):
			kind, _ := flag.UnquoteUsage(f)
			return nil, &ConfigError{
				Thing:  c.Name + " " + dashed(name),
				Wrong:  kind + " is missing",
				Advice: c.advice(),
			}
		case args[0] == "":
			return nil, c.emptyValue(name)
		default:
			value, args = args[0], args[1:]
		}
		if err := set.Set(name, value); err != nil {
			return nil, &ConfigError{Thing: c.Name + " " + dashed(name), Value: value, Wrong: expected(f, err),
				Advice: c.advice()}
		}
	}
	return rest, nil
}

// emptyValue reports a flag without what it is to have: most often a variable of a script is not set.
func (c Command) emptyValue(name string) error {
	return &ConfigError{Thing: c.Name + " " + dashed(name), Wrong: "its value is empty",
		Advice: "give a value, or leave the flag out; " + c.advice()}
}

// isSwitch tells whether f needs no value.
func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// isFlag tells whether arg is a declared flag or asks for help, and so is no value of the flag before it.
func isFlag(set *flag.FlagSet, arg string) bool {
	if slices.Contains([]string{"-h", "-help", "--h", "--help"}, arg) {
		return true
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
	return strings.HasPrefix(arg, "--") && set.Lookup(name) != nil
}

// unknownFlag reports a flag that is not declared, with the nearest one that is.
func (c Command) unknownFlag(set *flag.FlagSet, name string) error {
	wrong := &ConfigError{Thing: c.Name + " " + dashed(name), Wrong: "no such flag", Advice: c.advice()}
	nearest := min(3, len(name))
	set.VisitAll(func(f *flag.Flag) {
		if d := Distance(name, f.Name); d < nearest {
			nearest = d
			wrong.Advice = "did you mean " + dashed(f.Name) + "? " + c.advice()
		}
	})
	return wrong
}

// expected says what the value of f looks like; err is the last resort.
func expected(f *flag.Flag, err error) string {
	if getter, ok := f.Value.(flag.Getter); ok {
		switch getter.Get().(type) {
		case bool:
			return "not true or false"
		case int:
			return "not a whole number"
		case time.Duration:
			return "not a duration such as 10s or 2m"
		}
	}
	return err.Error()
}

// dashed is a flag as it is written: -o, --json.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
