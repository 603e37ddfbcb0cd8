package config

import (
	"maps"
	"slices"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// unknown reports a variable that nobody declared, with the nearest one that exists.
func unknown(name string, known map[string]bool) *cli.ConfigError {
	m := &cli.ConfigError{Thing: name, Wrong: "unknown variable"}
	best, nearest := "", len(name)/4
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		if d := cli.Distance(name, candidate); d <= nearest && (best == "" || d < nearest) {
			best, nearest = candidate, d
		}
	}
	if best != "" {
		m.Advice = "did you mean " + best + "?"
	} else {
		m.Advice = "metrics-gate help lists all variables"
	}
	return m
}
