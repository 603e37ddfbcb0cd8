package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// Help of every command works in every form, and shows what is declared.
func TestHelpOfEveryCommand(t *testing.T) {
	for _, c := range commands() {
		for _, args := range [][]string{{c.Name, "-h"}, {c.Name, "--help"}, {"help", c.Name}} {
			var out, errors bytes.Buffer
			code := run(t.Context(), args, nil, &out, &errors)
			if code != 0 || errors.Len() > 0 {
				t.Errorf("%v: status %d: %s", args, code, errors.String())
			}
			for _, want := range append([]string{"Usage: metrics-gate " + c.Synopsis() + "\n", c.Summary, c.Example},
				words(c)...) {
				if c.Name != "help" && !strings.Contains(out.String(), want) {
					t.Errorf("%v lacks %q:\n%s", args, want, out.String())
				}
			}
		}
	}
}

// The example of a command begins with the command, and what is declared is complete.
func TestDeclarationOfEveryCommand(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range commands() {
		if seen[c.Name] || c.Summary == "" || strings.Contains(c.Summary, "\n") ||
			!strings.HasPrefix(c.Example, "metrics-gate "+c.Name) {
			t.Errorf("%s: %q, example %q", c.Name, c.Summary, c.Example)
		}
		seen[c.Name] = true
		for _, f := range c.Flags() {
			if f.Usage == "" {
				t.Errorf("%s %s: no usage", c.Name, f.Dashed())
			}
		}
	}
}

func TestCompletionWords(t *testing.T) {
	for name, want := range map[string]string{
		"version": "", "token": "", "completion": "bash zsh fish",
		"check": "--as --env-file --json --path --pid --unit",
		"pprof": "--ca --cert --key -o --serve --server-name --token-file --url",
	} {
		c, err := find(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(words(c), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestMeant(t *testing.T) {
	for name, want := range map[string]string{
		"chekc": "did you mean check?", "docter": "did you mean doctor?",
		"frobnicate": "metrics-gate help lists the commands", "Serve": "did you mean serve?",
	} {
		if got := suggestion(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// Who gives serve a flag or a file reads how its settings reach it.
func TestServeTakesNoFlags(t *testing.T) {
	for _, args := range [][]string{{"--env-file", "gate.env"}, {"serve", "--env-file", "gate.env"}, {"-x"},
		{"serve", "gate.env"}} {
		var out, errors bytes.Buffer
		code := run(t.Context(), args, nil, &out, &errors)
		if code != 2 || !strings.Contains(errors.String(), "(set -a; . ./gate.env; exec metrics-gate)") {
			t.Errorf("%v: status %d: %s", args, code, errors.String())
		}
	}
}

// With LOG_FORMAT=json every command writes its errors as JSON; otherwise as text.
func TestErrorsOfEveryCommandAsJSON(t *testing.T) {
	for _, c := range append(commands(), cli.Command{Name: "frobnicate"}) {
		for _, format := range []string{"json", "text", ""} {
			var out, errors bytes.Buffer
			environ := []string{config.Prefix + "LOG_FORMAT=" + format}
			if code := run(t.Context(), []string{c.Name, "--frobnicate"}, environ, &out, &errors); code != 2 {
				t.Errorf("%s: status %d", c.Name, code)
			}
			if json.Valid(errors.Bytes()) != (format == "json") || errors.Len() == 0 {
				t.Errorf("%s with LOG_FORMAT=%s: %s", c.Name, format, errors.String())
			}
		}
	}
}

// An argument that is one too many may be a URL with a token.
func TestUnexpectedArgumentsHideSecrets(t *testing.T) {
	var out, errors bytes.Buffer
	code := run(t.Context(), []string{"pprof", "h/debug/pprof/heap", "https://h/?token=pa55"}, nil, &out, &errors)
	if code != 2 || strings.Contains(errors.String(), "pa55") {
		t.Errorf("%d %s", code, errors.String())
	}
}
