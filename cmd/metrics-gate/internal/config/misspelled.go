package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Misspelled warns about the variables of environ whose prefix is nearly METRICS_GATE_, such as
// METRIC_GATE_LISTEN_ADDRESS: the gate does not read them.
func (c *Config) Misspelled(environ []string) []cli.Finding {
	var found []cli.Finding
	misspelled := c.misspelled(environ)
	for _, name := range slices.Sorted(maps.Keys(misspelled)) {
		found = append(found, cli.Warn("did you mean "+misspelled[name]+"?", "%s: no variable of the gate", name))
	}
	return found
}

// misspelled are these variables, each with the one that is meant.
func (c *Config) misspelled(environ []string) map[string]string {
	const prefixNear = 3
	known := map[string]bool{}
	for _, v := range c.Variables() {
		known[v.Name] = true
	}
	found := map[string]string{}
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, Prefix) || len(name) < len(Prefix) ||
			cli.Distance(strings.ToUpper(name[:len(Prefix)]), Prefix) > prefixNear {
			continue
		}
		if nearest := nearestName(strings.ToUpper(name), known); nearest != "" {
			found[name] = nearest
		}
	}
	return found
}
