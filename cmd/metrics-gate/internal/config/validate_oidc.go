package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// validate checks one issuer; one that is not named must have no other variable set.
func (c *Issuer) validate(found *cli.ConfigErrors, set map[string]string) {
	if c.URL == "" {
		for _, name := range slices.Sorted(maps.Keys(set)) {
			value := set[name]
			rest, ours := strings.CutPrefix(name, c.Prefix)
			if ours && value != "" && (rest == "" || rest[0] < '0' || rest[0] > '9') {
				found.Add(&cli.ConfigError{Thing: c.Prefix + "ISSUER_URL", Wrong: "not set, but " + name + " is", Advice: "name the issuer, or unset the other"})
				return
			}
		}
		return
	}
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		found.Add(&cli.ConfigError{Thing: c.Prefix + "ISSUER_URL", Value: RedactURL(c.URL), Wrong: "not an https URL without user, query and fragment"})
	}
	if len(c.Audience) == 0 {
		found.Add(&cli.ConfigError{Thing: c.Prefix + "AUDIENCE", Wrong: "not set: without it a token meant for another service would pass", Advice: "write the audience that the scraper's tokens bear, for example metrics-gate"})
	}
	for _, audience := range c.Audience {
		if strings.TrimSpace(audience) == "" {
			found.Add(&cli.ConfigError{Thing: c.Prefix + "AUDIENCE", Value: strings.Join(c.Audience, ","), Wrong: "an audience is empty"})
		}
	}
	if c.ClockSkew > maxClockSkew {
		found.Add(&cli.ConfigError{Thing: c.Prefix + "CLOCK_SKEW", Value: c.ClockSkew.String(), Wrong: "more than 60s"})
	}
	if c.MinInterval > c.MaxAge && c.MaxAge > 0 {
		found.Add(&cli.ConfigError{Thing: c.Prefix + "JWKS_MIN_INTERVAL", Value: c.MinInterval.String(), Wrong: "longer than " + c.Prefix + "JWKS_MAX_AGE"})
	}
}

// validateIssuers refuses the same issuer twice: which rule holds would be chance.
func (c *Config) validateIssuers(found *cli.ConfigErrors) {
	seen := map[string]string{}
	for i := range c.OIDC {
		issuer := &c.OIDC[i]
		if first, twice := seen[issuer.URL]; twice && issuer.URL != "" {
			found.Add(&cli.ConfigError{Thing: issuer.Prefix + "ISSUER_URL", Value: issuer.URL, Wrong: "the same issuer as " + first + "ISSUER_URL"})
		}
		seen[issuer.URL] = issuer.Prefix
	}
}
