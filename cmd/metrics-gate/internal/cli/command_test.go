package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// echo is a command that notes its flag and its argument.
func echo(args Args, got *[]string) Command {
	return Command{
		Name: "echo", Args: args, Summary: "note what it is given", Example: "metrics-gate echo",
		Setup: func(set *flag.FlagSet) RunFunc {
			word := set.String("word", "", "a `word`")
			set.Int("number", 0, "a `number`")
			set.Duration("wait", 0, "a `time`")
			set.Bool("loud", false, "shout")
			set.Func("only", "a `letter`", func(s string) error {
				if len(s) != 1 {
					return errors.New("not one letter")
				}
				return nil
			})
			return func(_ context.Context, _ *Process, args []string) error {
				*got = append([]string{*word}, args...)
				return nil
			}
		},
	}
}

func TestFlagsAndArguments(t *testing.T) {
	one := Args{Name: "NAME", Advice: "name it"}
	for _, test := range []struct {
		args   Args
		given  string
		want   []string
		refuse string // part of the error; empty if there is none
	}{
		{one, "a --word w", []string{"w", "a"}, ""},
		{one, "--word w a", []string{"w", "a"}, ""},
		{one, "--word=w -- --a", []string{"w", "--a"}, ""},
		{one, "-word w a", []string{"w", "a"}, ""},
		{one, "", nil, "echo: NAME is missing"},
		{one, "a b", nil, `echo "b": unexpected argument`},
		{one, "a --nope", nil, "echo --nope: no such flag"},
		{one, "a --loud=true --number -1 --wait 2s --only x", []string{"", "a"}, ""},
		{one, "a --word", nil, "echo --word: word is missing"},
		{one, "a --word --loud", nil, "echo --word: word is missing"},
		{one, "a --word --help", nil, "echo --word: word is missing"},
		{one, "a --word -h", nil, "echo --word: word is missing"},
		{one, "a --word -help", nil, "echo --word: word is missing"},
		{one, "a --word=-h", []string{"-h", "a"}, ""},
		{one, "a --word=", nil, "echo --word: its value is empty"},
		{one, "a --only=", nil, "echo --only: its value is empty"},
		{one, "a --loud=", nil, "echo --loud: not true or false"},
		{one, "a --word=--loud", []string{"--loud", "a"}, ""},
		{one, "a --word -", []string{"-", "a"}, ""},
		{one, "a -", nil, `echo "-": unexpected argument`},
		{one, "a --number abc", nil, `echo --number "abc": not a whole number`},
		{one, "a --wait=abc", nil, `echo --wait "abc": not a duration such as 10s or 2m`},
		{one, "a --loud=abc", nil, `echo --loud "abc": not true or false`},
		{one, "a --only abc", nil, `echo --only "abc": not one letter`},
		{one, "--number=mg_secret", nil, `echo --number "mg_…": not a whole number`},
		{Args{}, "a", nil, `echo "a": unexpected argument`},
		{Args{Name: "NAME", Optional: true}, "", []string{""}, ""},
		{Args{Name: "KIND", Choices: []string{"x", "y"}}, "y", []string{"", "y"}, ""},
		{Args{Name: "KIND", Choices: []string{"x", "y"}}, "z", nil, `echo "z": unknown kind`},
	} {
		var got []string
		err := echo(test.args, &got).execute(t.Context(), &Process{}, strings.Fields(test.given))
		if test.refuse == "" && (err != nil || !slices.Equal(got, test.want)) {
			t.Errorf("%s: %q %v, want %q", test.given, got, err, test.want)
		}
		var wrong *ConfigError
		if test.refuse != "" && (!errors.As(err, &wrong) || err.Error() != test.refuse || wrong.Advice == "") {
			t.Errorf("%s: %v, want %s with advice", test.given, err, test.refuse)
		}
	}
}

// An empty argument is no value: a script's variable is not set.
func TestEmptyArgumentIsNoValue(t *testing.T) {
	var got []string
	err := echo(Args{Name: "NAME"}, &got).execute(t.Context(), &Process{}, []string{"--word", "", "a"})
	if err == nil || !strings.Contains(err.Error(), "echo --word: its value is empty") {
		t.Errorf("%q %v", got, err)
	}
}

func TestUnknownFlagHasASuggestion(t *testing.T) {
	for given, want := range map[string]string{"--wrod": "did you mean --word?", "--numbre=1": "did you mean --number?",
		"--frobnicate": "metrics-gate help echo explains it"} {
		var got []string
		err := echo(Args{}, &got).execute(t.Context(), &Process{}, []string{given})
		if wrong, ok := errors.AsType[*ConfigError](err); !ok || !strings.HasPrefix(wrong.Advice, want) {
			t.Errorf("%s: %+v, want %s", given, wrong, want)
		}
	}
}

func TestHelpBehindAnArgument(t *testing.T) {
	var out bytes.Buffer
	var got []string
	err := echo(Args{Name: "NAME"}, &got).execute(t.Context(), &Process{Stdout: &out}, []string{"a", "-h"})
	if err != nil || got != nil || !strings.Contains(out.String(), "--word word      a word") {
		t.Errorf("%v %v\n%s", err, got, out.String())
	}
}

// A signal ends a command that heeds its context, one that does not, and not one that
// has taken the signals.
func TestSignals(t *testing.T) {
	for name, test := range map[string]struct {
		command RunFunc
		reloads bool
		signals []os.Signal
		want    error
	}{
		"heeds its context": {
			command: func(ctx context.Context, _ *Process, _ []string) error { <-ctx.Done(); return ctx.Err() },
			signals: []os.Signal{syscall.SIGTERM}, want: errInterrupted,
		},
		"ends well": {
			command: func(ctx context.Context, _ *Process, _ []string) error { <-ctx.Done(); return nil },
			signals: []os.Signal{syscall.SIGHUP},
		},
		"is blocked": {
			command: func(context.Context, *Process, []string) error { time.Sleep(time.Hour); return nil },
			signals: []os.Signal{syscall.SIGINT}, want: errInterrupted,
		},
		"takes the signals": {
			command: func(_ context.Context, p *Process, _ []string) error {
				signals := p.TakeSignals()
				for _, want := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM} {
					if got := <-signals; got != want {
						return errors.New(got.String())
					}
				}
				return nil
			},
			reloads: true, signals: []os.Signal{syscall.SIGHUP, syscall.SIGTERM},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal)
				p := &Process{Signals: signals}
				go func() {
					synctest.Wait()
					for _, sig := range test.signals {
						signals <- sig
					}
				}()
				c := Command{Name: "test", Reloads: test.reloads, Setup: NoFlags(test.command)}
				if err := p.Run(t.Context(), c, nil); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				time.Sleep(2 * time.Hour) // of the bubble: a command left behind returns
			})
		})
	}
}
