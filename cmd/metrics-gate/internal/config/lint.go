package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// Lint warns about patterns that can never match and about ways to
// authenticate that lead nowhere. The configuration is valid otherwise.
func (c *Config) Lint() []cli.Finding {
	var found []cli.Finding
	tokens := TokenNames(c.Allow.TokensFile)
	var rules []string
	for _, list := range c.allowLists() {
		for _, rule := range list.policy.Rules() {
			rules = append(rules, rule)
			if why, do := c.NeverMatches(rule, tokens); why != "" {
				found = append(found, cli.Warn(do+", or remove the pattern", "%s %s can never match: %s", list.variable,
					rule, why))
			}
		}
	}
	return append(found, c.leadsNowhere(rules, tokens)...)
}

// NeverMatches says why no identity can have the pattern's name; empty if one can.
func (c *Config) NeverMatches(rule string, tokens []string) (why, do string) {
	kind, name, _ := strings.Cut(rule, ":")
	all, on := c.MethodsOf(kind)
	switch {
	case len(all) > 0 && len(on) == 0:
		return titles(all) + ": not in use", "set " + settings(all)
	case kind == auth.KindToken && !slices.Contains(tokens, name):
		return "no such token in " + c.Allow.TokensFile, "add the line that metrics-gate token " + name + " prints"
	case kind == auth.KindUser || kind == auth.KindGroup:
		if want := c.missingPrefix(kind, name); want != "" {
			return "every issuer puts a prefix before its names", "write " + kind + ":" + want + name
		}
	}
	return "", ""
}

// missingPrefix is the prefix of the first issuer if no issuer's, and not the API
// server's lack of one, begins name.
func (c *Config) missingPrefix(kind, name string) string {
	if c.Uses(auth.MethodKubernetes) {
		return ""
	}
	first := ""
	for _, issuer := range c.Issuers() {
		put := issuer.UsernamePrefix
		if kind == auth.KindGroup {
			put = issuer.GroupsPrefix
		}
		put = strings.TrimPrefix(put, auth.NoPrefix)
		if strings.HasPrefix(name, put) {
			return ""
		}
		if first == "" {
			first = put
		}
	}
	return first
}

// leadsNowhere warns about callers that are known and may do nothing.
func (c *Config) leadsNowhere(rules, tokens []string) []cli.Finding {
	if slices.Contains(rules, "*") {
		return nil
	}
	var found []cli.Finding
	for _, name := range tokens {
		if !slices.Contains(rules, "token:"+name) {
			found = append(found, cli.Warn("add token:"+name+" to "+Prefix+
				"METRICS_ALLOW, or remove the line from the file", "token %s may do nothing: no pattern names it",
				name))
		}
	}
	for _, m := range c.Methods() {
		named := slices.ContainsFunc(rules, func(rule string) bool {
			kind, _, _ := strings.Cut(rule, ":")
			return slices.Contains(m.Kinds, kind)
		})
		if !named && m.Name != auth.MethodToken { // tokens are looked at one by one
			do := "add a " + strings.Join(m.Kinds, ":, ") + ": pattern to " + Prefix + "METRICS_ALLOW, or unset " +
				m.Setting
			found = append(found, cli.Warn(do, "%s: in use, and no pattern names one", m.Title))
		}
	}
	return found
}

// TokenNames are the names in a tokens file, which was found good before.
func TokenNames(path string) []string {
	if path == "" {
		return nil
	}
	tokens, err := auth.LoadTokens(path)
	if err != nil {
		return nil
	}
	return tokens.Names()
}

// Misspelled warns about each variable of environ whose name begins almost as Prefix does and that
// is near a variable of the gate: METRIC_GATE_LISTEN_ADDRESS. Load names them together with other mistakes
// only: by themselves they may be meant for another program.
func Misspelled(environ []string) []cli.Finding {
	var found []cli.Finding
	for _, m := range misspelled(environ) {
		found = append(found, cli.Warn(m.Advice, "%s", m))
	}
	return found
}

// misspelled lists them as mistakes.
func misspelled(environ []string) []*cli.ConfigError {
	known := map[string]bool{}
	for _, v := range Declared() {
		known[v.Name] = true
	}
	meant := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		rest, ok := cutMisspelledPrefix(name)
		if !ok || len(gateVariables([]string{Prefix + rest + "=" + value})) == 0 {
			continue
		}
		if nearest := nearestName(Prefix+rest, known); nearest != "" {
			meant[name] = nearest
		}
	}
	var found []*cli.ConfigError
	for _, name := range slices.Sorted(maps.Keys(meant)) {
		found = append(found, &cli.ConfigError{Thing: name, Wrong: "not read: variables begin with " + Prefix,
			Advice: "did you mean " + meant[name] + "?"})
	}
	return found
}

// cutMisspelledPrefix returns what stands after a beginning of name that is at most two letters,
// case aside, from Prefix; false if none is, or for Prefix itself.
func cutMisspelledPrefix(name string) (rest string, ok bool) {
	const most = 2
	if strings.HasPrefix(name, Prefix) {
		return "", false
	}
	name = strings.ToUpper(name)
	nearest := most + 1
	for end := len(Prefix) - most; end <= min(len(Prefix)+most, len(name)); end++ {
		if d := cli.Distance(name[:end], Prefix); d < nearest {
			rest, nearest = name[end:], d
		}
	}
	return rest, nearest <= most
}
