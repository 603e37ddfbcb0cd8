package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// completionCommand declares completion.
func completionCommand() cli.Command {
	return cli.Command{
		Name: "completion", Summary: "print the completion of a shell",
		Args:    cli.Args{Name: "SHELL", Choices: []string{"bash", "zsh", "fish"}},
		Example: "metrics-gate completion bash", Setup: cli.NoFlags(completion),
	}
}

// completion prints what a shell needs to complete commands, their flags and words.
func completion(_ context.Context, p *cli.Process, args []string) error {
	switch args[0] {
	case "bash":
		return bashCompletion(p.Stdout)
	case "zsh":
		return zshCompletion(p.Stdout)
	}
	return fishCompletion(p.Stdout)
}

// words are what can follow a command: its flags and the choices for its argument.
func words(c cli.Command) []string {
	var list []string
	for _, f := range c.Flags() {
		list = append(list, f.Dashed())
	}
	if c.Name == "help" {
		for _, other := range commands() {
			list = append(list, other.Name)
		}
	}
	return append(list, c.Args.Choices...)
}

func bashCompletion(w io.Writer) error {
	var names []string
	var cases strings.Builder
	for _, c := range commands() {
		names = append(names, c.Name)
		if words := words(c); len(words) > 0 {
			fmt.Fprintf(&cases, "    %s) words=%q ;;\n", c.Name, strings.Join(words, " "))
		}
	}
	_, err := fmt.Fprintf(w, `# bash completion for metrics-gate
_metrics_gate() {
  local words=
  local current=${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=%q
  else
    case ${COMP_WORDS[1]} in
%s    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _metrics_gate metrics-gate
`, strings.Join(names, " "), cases.String())
	return err
}

func zshCompletion(w io.Writer) error {
	var names, cases strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&names, "    '%s:%s'\n", c.Name, strings.NewReplacer("'", "", ":", " ").Replace(c.Summary))
		if words := words(c); len(words) > 0 {
			fmt.Fprintf(&cases, "    %s) compadd -- %s ;;\n", c.Name, strings.Join(words, " "))
		}
	}
	_, err := fmt.Fprintf(w, `#compdef metrics-gate
_metrics_gate() {
  local -a names
  names=(
%s  )
  if (( CURRENT == 2 )); then
    _describe command names
    return
  fi
  case $words[2] in
%s    *) _files ;;
  esac
}
compdef _metrics_gate metrics-gate
`, names.String(), cases.String())
	return err
}

func fishCompletion(w io.Writer) error {
	for _, c := range commands() {
		about := strings.ReplaceAll(c.Summary, "'", "")
		if _, err := fmt.Fprintf(w, "complete -c metrics-gate -n __fish_use_subcommand -a %s -d '%s'\n", c.Name,
			about); err != nil {
			return err
		}
		for _, word := range words(c) {
			option := "-a " + word
			if long, ok := strings.CutPrefix(word, "--"); ok {
				option = "-l " + long
			} else if short, ok := strings.CutPrefix(word, "-"); ok {
				option = "-s " + short
			}
			if _, err := fmt.Fprintf(w, "complete -c metrics-gate -n '__fish_seen_subcommand_from %s' %s\n", c.Name,
				option); err != nil {
				return err
			}
		}
	}
	return nil
}
