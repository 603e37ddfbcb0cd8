package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// output runs a command line that must succeed in silence, and returns what it prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out, errors bytes.Buffer
	if code := run(t.Context(), args, nil, &out, &errors); code != 0 || errors.Len() > 0 {
		t.Errorf("%v: status %d: %s", args, code, errors.String())
	}
	return out.String()
}

// The completion of each shell knows every command, and all that can follow it.
func TestCompletionListsEverything(t *testing.T) {
	// How each shell's completion says that word may follow command.
	forms := map[string]func(command, word string) string{
		"bash": func(command, word string) string {
			return `(?m)^ +` + command + `\) words="([^"]* )?` + regexp.QuoteMeta(word) + `( [^"]*)?" ;;$`
		},
		"zsh": func(command, word string) string {
			return `(?m)^ +` + command + `\) compadd -- ([^;]* )?` + regexp.QuoteMeta(word) + `( [^;]*)? ;;$`
		},
		"fish": func(command, word string) string {
			option := "-a " + word
			if name, ok := strings.CutPrefix(word, "--"); ok {
				option = "-l " + name
			} else if name, ok := strings.CutPrefix(word, "-"); ok {
				option = "-s " + name
			}
			return `(?m)^complete -c metrics-gate -n '__fish_seen_subcommand_from ` + command + `' ` + option + `$`
		},
	}
	names := map[string]string{
		"bash": `words="([^"]* )?NAME( [^"]*)?"\n  else`, "zsh": `(?m)^    'NAME:[^']+'$`,
		"fish": `(?m)^complete -c metrics-gate -n __fish_use_subcommand -a NAME -d '[^']+'$`,
	}
	for shell, form := range forms {
		text := output(t, "completion", shell)
		for _, c := range commands() {
			if !regexp.MustCompile(strings.Replace(names[shell], "NAME", c.Name, 1)).MatchString(text) {
				t.Errorf("%s: no command %s", shell, c.Name)
			}
			following := slices.Clone(c.Args.Choices)
			for _, f := range c.Flags() {
				following = append(following, f.Dashed())
			}
			if c.Name == "help" {
				for _, other := range commands() {
					following = append(following, other.Name)
				}
			}
			for _, word := range following {
				if !regexp.MustCompile(form(c.Name, word)).MatchString(text) {
					t.Errorf("%s: no %s after %s", shell, word, c.Name)
				}
			}
		}
	}
}

// help COMMAND, COMMAND -h and COMMAND --help print the same, with and without an argument.
func TestHelpIsTheSameEverywhere(t *testing.T) {
	for _, c := range commands() {
		want := output(t, "help", c.Name)
		lines := [][]string{{c.Name, "-h"}, {c.Name, "-help"}, {c.Name, "--help"}}
		if c.Args.Name != "" {
			argument := "x"
			if len(c.Args.Choices) > 0 {
				argument = c.Args.Choices[0]
			}
			lines = append(lines, []string{c.Name, argument, "-h"}, []string{c.Name, "--help", argument})
		}
		for _, args := range lines {
			if got := output(t, args...); got != want {
				t.Errorf("%v:\n%s\nhelp %s:\n%s", args, got, c.Name, want)
			}
		}
		for _, f := range c.Flags() {
			if !strings.Contains(want, "  "+strings.TrimSpace(f.Dashed()+" "+f.Value)+" ") {
				t.Errorf("help %s lacks %s", c.Name, f.Dashed())
			}
		}
	}
	for _, alias := range []string{"-h", "-help", "--help"} {
		if output(t, alias) != output(t, "help") {
			t.Errorf("%s is not help", alias)
		}
	}
	for _, alias := range []string{"-version", "--version"} {
		if output(t, alias) != output(t, "version") {
			t.Errorf("%s is not version", alias)
		}
	}
}

// A command that takes an argument takes its flags before and behind it; one that takes
// none refuses an argument in both places.
func TestFlagsMayStandBehindArguments(t *testing.T) {
	for _, c := range commands() {
		argument := "x"
		if len(c.Args.Choices) > 0 {
			argument = c.Args.Choices[0]
		}
		for _, f := range c.Flags() {
			for _, args := range [][]string{{c.Name, argument, f.Dashed()}, {c.Name, f.Dashed(), argument}} {
				if f.Value != "" { // a flag without its value is seen as a flag, wherever it stands
					args = []string{c.Name, argument, f.Dashed()}
				} else if c.Args.Name != "" {
					continue // it would run
				}
				var out, errors bytes.Buffer
				code := run(t.Context(), args, nil, &out, &errors)
				want := "metrics-gate: " + c.Name + " " + f.Dashed() + ": " + f.Value + " is missing\n"
				if f.Value == "" {
					want = "metrics-gate: " + c.Name + " \"" + argument + "\": unexpected argument\n"
				}
				if code != 2 || out.Len() > 0 || !strings.HasPrefix(errors.String(), want) {
					t.Errorf("%v: status %d: %s%s", args, code, out.String(), errors.String())
				}
			}
		}
	}
}

// A usage error of any command is status 2, names the command, says where to read on, and
// prints nothing on standard output.
func TestUsageErrorsOfEveryCommand(t *testing.T) {
	for _, c := range commands() {
		lines := [][]string{{c.Name, "--no-such-flag"}, {c.Name, "one", "two"}, {c.Name, "-", "-"}}
		if len(c.Args.Choices) > 0 {
			lines = append(lines, []string{c.Name, "no-such-" + strings.ToLower(c.Args.Name)})
		}
		if c.Args.Name != "" && !c.Args.Optional {
			lines = append(lines, []string{c.Name})
		}
		for _, args := range lines {
			var out, errors bytes.Buffer
			code := run(t.Context(), args, nil, &out, &errors)
			text := strings.Split(errors.String(), "\n")
			if code != 2 || out.Len() > 0 || len(text) != 3 || !strings.HasPrefix(text[0], "metrics-gate: "+c.Name) ||
				!strings.HasPrefix(text[1], "  ") {
				t.Errorf("%v: status %d: %s%s", args, code, out.String(), errors.String())
			}
		}
	}
}

// Whoever mistypes a command is led to the one that was meant.
func TestEveryCommandIsSuggested(t *testing.T) {
	for _, c := range commands() {
		typo := c.Name[:len(c.Name)-1]
		if got := suggestion(typo); !strings.HasPrefix(got, "did you mean "+c.Name+"?") {
			t.Errorf("%s: %s", typo, got)
		}
	}
	var out bytes.Buffer
	err := dispatch(t.Context(), &cli.Process{Stdout: &out, Stderr: &out}, []string{"help", "sevre"})
	if code := cli.Report(&out, err); code != 2 || !strings.Contains(out.String(), "did you mean serve?") {
		t.Errorf("status %d: %s", code, out.String())
	}
}
