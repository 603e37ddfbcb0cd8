package cli

import (
	"bytes"
	"context"
	"flag"
	"testing"
	"time"
)

// Help prints everything that is declared: value names, defaults, no default of a switch.
func TestHelp(t *testing.T) {
	run := func(context.Context, *Process, []string) error { return nil }
	for want, c := range map[string]Command{
		`Usage: metrics-gate fetch [flags] URL

get a thing

Flags:
  --json           print JSON
  --most number    at most this number
  -o put           where to put it
  --wait duration  how long (default 5s)

Example:
  metrics-gate fetch x
`: {Name: "fetch", Args: Args{Name: "URL"}, Summary: "get a thing", Example: "metrics-gate fetch x",
			Setup: func(set *flag.FlagSet) RunFunc {
				set.Bool("json", false, "print JSON")
				set.Int("most", 0, "at most this `number`")
				set.String("o", "", "where to `put` it")
				set.Duration("wait", 5*time.Second, "how long")
				return run
			}},
		"Usage: metrics-gate kind a|b\n\nchoose\n\nExample:\n  metrics-gate kind a\n": {Name: "kind",
			Args: Args{Name: "KIND", Choices: []string{"a", "b"}}, Summary: "choose", Example: "metrics-gate kind a",
			Setup: NoFlags(run)},
	} {
		var out bytes.Buffer
		if err := c.Help(&out); err != nil || out.String() != want {
			t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
		}
	}
}

func TestSynopsis(t *testing.T) {
	none := NoFlags(nil)
	some := func(set *flag.FlagSet) RunFunc { set.Bool("x", false, "x"); return nil }
	for want, c := range map[string]Command{
		"a":             {Name: "a", Setup: none},
		"a [flags]":     {Name: "a", Setup: some},
		"a URL":         {Name: "a", Setup: none, Args: Args{Name: "URL"}},
		"a [URL]":       {Name: "a", Setup: none, Args: Args{Name: "URL", Optional: true}},
		"a [flags] b|c": {Name: "a", Setup: some, Args: Args{Name: "KIND", Choices: []string{"b", "c"}}},
		"a [b|c]": {Name: "a", Setup: none,
			Args: Args{Name: "KIND", Choices: []string{"b", "c"}, Optional: true}},
	} {
		if got := c.Synopsis(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
