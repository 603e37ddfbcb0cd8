package cli

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Flag is a flag of a command as it is documented.
type Flag struct {
	Name, Value string // Value names what follows; empty for a switch
	Usage       string
	Default     string // empty if there is none
}

// Dashed is the flag as it is written: -o, --json.
func (f Flag) Dashed() string { return dashed(f.Name) }

// Flags lists the flags of c by name.
func (c Command) Flags() []Flag {
	var list []Flag
	set, _ := c.flags()
	set.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		def := f.DefValue
		if slices.Contains([]string{"false", "0", "0s"}, def) { // none
			def = ""
		}
		list = append(list, Flag{Name: f.Name, Value: value, Usage: usage, Default: def})
	})
	return list
}

// Synopsis is the command with its arguments, on one line.
func (c Command) Synopsis() string {
	line := c.Name
	if len(c.Flags()) > 0 {
		line += " [flags]"
	}
	return strings.TrimSpace(line + " " + c.Args.String())
}

// Help writes everything that is declared about c.
func (c Command) Help(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Usage: metrics-gate %s\n\n%s\n", c.Synopsis(), c.Summary)
	if len(c.Args.Meanings) > 0 {
		fmt.Fprintf(w, "\n%s:\n", c.Args.Name)
	}
	for _, choice := range slices.Sorted(maps.Keys(c.Args.Meanings)) {
		fmt.Fprintf(w, "  %s\t%s\n", choice, c.Args.Meanings[choice])
	}
	list := c.Flags()
	if len(list) > 0 {
		fmt.Fprint(w, "\nFlags:\n")
	}
	for _, f := range list {
		usage := f.Usage
		if f.Default != "" {
			usage += fmt.Sprintf(" (default %s)", f.Default)
		}
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(f.Dashed()+" "+f.Value), usage)
	}
	fmt.Fprintf(w, "\nExample:\n  %s\n", c.Example)
	return w.Flush()
}
