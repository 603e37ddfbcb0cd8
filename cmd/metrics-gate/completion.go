package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// completion prints what a shell needs to complete commands, their flags and words.
func (p *process) completion(_ context.Context, args []string) error {
	shells := map[string]func(io.Writer) error{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	const advice = "write one of bash, zsh, fish"
	if len(args) != 1 {
		return &mistake{Thing: "completion", Wrong: "one shell is needed", Advice: advice}
	}
	write, known := shells[args[0]]
	if !known {
		return &mistake{Thing: "completion", Value: args[0], Wrong: "unknown shell", Advice: advice}
	}
	return write(p.stdout)
}

// words are what can follow a command: its flags and its alternatives.
func (c command) words() []string {
	var list []string
	for _, flag := range regexp.MustCompile(`(?:^|[ \[])(--?[a-z][a-z-]*)`).FindAllStringSubmatch(c.args, -1) {
		list = append(list, flag[1])
	}
	for _, alternatives := range regexp.MustCompile(`[a-z][a-z-]*(?:\|[a-z][a-z-]*)+`).FindAllString(c.args, -1) {
		list = append(list, strings.Split(alternatives, "|")...)
	}
	return list
}

func bashCompletion(w io.Writer) error {
	var names []string
	var cases strings.Builder
	for _, c := range commands() {
		names = append(names, c.name)
		if words := c.words(); len(words) > 0 {
			fmt.Fprintf(&cases, "    %s) words=%q ;;\n", c.name, strings.Join(words, " "))
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
		fmt.Fprintf(&names, "    '%s:%s'\n", c.name, strings.NewReplacer("'", "", ":", " ").Replace(c.about))
		if words := c.words(); len(words) > 0 {
			fmt.Fprintf(&cases, "    %s) compadd -- %s ;;\n", c.name, strings.Join(words, " "))
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
		about := strings.ReplaceAll(c.about, "'", "")
		if _, err := fmt.Fprintf(w, "complete -c metrics-gate -n __fish_use_subcommand -a %s -d '%s'\n", c.name, about); err != nil {
			return err
		}
		for _, word := range c.words() {
			option := "-a " + word
			if long, ok := strings.CutPrefix(word, "--"); ok {
				option = "-l " + long
			} else if short, ok := strings.CutPrefix(word, "-"); ok {
				option = "-s " + short
			}
			if _, err := fmt.Fprintf(w, "complete -c metrics-gate -n '__fish_seen_subcommand_from %s' %s\n", c.name, option); err != nil {
				return err
			}
		}
	}
	return nil
}
