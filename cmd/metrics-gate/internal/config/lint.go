package config

import (
	"os"
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
	for _, list := range []struct{ variable, value string }{
		{Prefix + "METRICS_ALLOW", c.Allow.Metrics}, {Prefix + "PPROF_ALLOW", c.Allow.Pprof},
	} {
		policy, err := auth.ParsePolicy(list.value)
		if err != nil {
			continue
		}
		for _, rule := range policy.Rules() {
			rules = append(rules, rule)
			if why, do := c.NeverMatches(rule, tokens); why != "" {
				found = append(found, cli.Warn(do, "%s %s can never match: %s", list.variable, rule, why))
			}
		}
	}
	return append(found, c.leadsNowhere(rules, tokens)...)
}

// NeverMatches says why no identity can have the pattern's name; empty if one can.
func (c *Config) NeverMatches(rule string, tokens []string) (why, do string) {
	kind, name, _ := strings.Cut(rule, ":")
	switch kind {
	case "dns", "uri", "email", "cn":
		if !c.HasCertificates() {
			return "client certificates are off", "set " + Prefix + "TLS_CLIENT_CA_FILE (and serve TLS), or remove the pattern"
		}
	case "token":
		if c.Allow.TokensFile == "" {
			return "static tokens are off", "set " + Prefix + "TOKENS_FILE, or remove the pattern"
		}
		if !slices.Contains(tokens, name) {
			return "no such token in " + c.Allow.TokensFile, "add the line that metrics-gate token " + name + " prints, or remove the pattern"
		}
	case "user", "group":
		if !c.HasOIDC() && c.Kubernetes.Auth == "off" {
			return "neither OIDC nor TokenReview is on", "set " + Prefix + "OIDC_ISSUER_URL or " + Prefix + "KUBERNETES_AUTH=tokenreview, or remove the pattern"
		}
		if want := c.missingPrefix(kind, name); want != "" {
			return "every issuer puts a prefix before its names", "write " + kind + ":" + want + name
		}
	}
	return "", ""
}

// missingPrefix is the prefix of the first issuer if no issuer's, and not the API
// server's lack of one, begins name.
func (c *Config) missingPrefix(kind, name string) string {
	if c.Kubernetes.Auth != "off" {
		return ""
	}
	first := ""
	for i := range c.OIDC {
		if c.OIDC[i].URL == "" {
			continue
		}
		put := c.OIDC[i].UsernamePrefix
		if kind == "group" {
			put = c.OIDC[i].GroupsPrefix
		}
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
			found = append(found, cli.Warn("add token:"+name+" to "+Prefix+"METRICS_ALLOW, or remove the line from the file", "token %s may do nothing: no pattern names it", name))
		}
	}
	named := func(kinds ...string) bool {
		return slices.ContainsFunc(rules, func(rule string) bool {
			kind, _, _ := strings.Cut(rule, ":")
			return slices.Contains(kinds, kind)
		})
	}
	if c.HasCertificates() && !named("dns", "uri", "email", "cn") {
		found = append(found, cli.Warn("add a dns:, uri:, email: or cn: pattern to "+Prefix+"METRICS_ALLOW, or unset "+Prefix+"TLS_CLIENT_CA_FILE", "client certificates are on, and no pattern names one"))
	}
	if (c.HasOIDC() || c.Kubernetes.Auth != "off") && !named("user", "group") {
		found = append(found, cli.Warn("add a user: or group: pattern to "+Prefix+"METRICS_ALLOW, or turn the issuer off", "tokens of an issuer are accepted, and no pattern names a user or a group"))
	}
	return found
}

// TokenNames are the names in a tokens file, which was found good before.
func TokenNames(path string) []string {
	if path == "" {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var names []string
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "#")
		if fields := strings.Fields(line); len(fields) == 2 {
			names = append(names, fields[0])
		}
	}
	return names
}
