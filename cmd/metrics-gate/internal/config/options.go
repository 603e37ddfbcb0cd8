package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// suffixes are the variables behind the settings of package auth, without their prefix.
func suffixes() map[auth.Option]string {
	return map[auth.Option]string{
		auth.OptionTokensFile:         "TOKENS_FILE",
		auth.OptionIssuer:             "ISSUER_URL",
		auth.OptionAudiences:          "AUDIENCE",
		auth.OptionUsernameClaim:      "USERNAME_CLAIM",
		auth.OptionGroupsClaim:        "GROUPS_CLAIM",
		auth.OptionUsernamePrefix:     "USERNAME_PREFIX",
		auth.OptionGroupsPrefix:       "GROUPS_PREFIX",
		auth.OptionRequiredClaims:     "REQUIRED_CLAIMS",
		auth.OptionAlgorithms:         "SIGNING_ALGS",
		auth.OptionMaxLifetime:        "MAX_TOKEN_LIFETIME",
		auth.OptionClockSkew:          "CLOCK_SKEW",
		auth.OptionJWKSMinInterval:    "JWKS_MIN_INTERVAL",
		auth.OptionJWKSMaxAge:         "JWKS_MAX_AGE",
		auth.OptionCAFile:             "CA_FILE",
		auth.OptionDiscoveryTokenFile: "DISCOVERY_TOKEN_FILE",
		auth.OptionJWKSFile:           "JWKS_FILE",
		auth.OptionAPIURL:             "KUBERNETES_API_URL",
		auth.OptionAPICAFile:          "KUBERNETES_CA_FILE",
		auth.OptionAPITokenFile:       "KUBERNETES_TOKEN_FILE",
		auth.OptionAPIAudiences:       "KUBERNETES_AUDIENCES",
	}
}

// VariableErrors turns an error of package auth into one that names variables with this
// prefix: a *cli.ConfigError for each *auth.OptionError. Any other error stays as it is.
func VariableErrors(prefix string, err error) error {
	options := auth.OptionErrors(err)
	if len(options) == 0 {
		return err
	}
	var found cli.ConfigErrors
	for _, o := range options {
		found.Add(&cli.ConfigError{
			Thing: prefix + cmp.Or(suffixes()[o.Option], string(o.Option)), Value: o.Value, Wrong: o.Err.Error(),
			Advice: o.Advice, Err: o.Err,
		})
	}
	return found.Err()
}

// options are what package auth needs to know of issuer c. shared tells that names come from
// elsewhere too.
func (c *Issuer) options(shared bool) auth.OIDCOptions {
	return auth.OIDCOptions{
		Issuer: c.URL, Audiences: c.Audience, Algorithms: c.SigningAlgs, RequiredClaims: c.RequiredClaims,
		UsernameClaim: c.UsernameClaim, GroupsClaim: c.GroupsClaim,
		UsernamePrefix: c.UsernamePrefix, GroupsPrefix: c.GroupsPrefix, SharedNames: shared,
		MaxLifetime: c.MaxLifetime, ClockSkew: c.ClockSkew,
		JWKSMinInterval: c.MinInterval, JWKSMaxAge: c.MaxAge,
		CAFile: c.CAFile, DiscoveryTokenFile: c.DiscoveryToken, JWKSFile: c.JWKSFile,
	}
}

// Issuers lists the issuers that are on.
func (c *Config) Issuers() []*Issuer {
	var list []*Issuer
	for i := range c.OIDC {
		if c.OIDC[i].URL != "" {
			list = append(list, &c.OIDC[i])
		}
	}
	return list
}

// IssuerOptions is what package auth needs to know of one of c's issuers.
func (c *Config) IssuerOptions(i *Issuer) auth.OIDCOptions {
	shared := len(c.Issuers()) > 1 || bool(c.Kubernetes.Auth) || bool(c.Kubernetes.Authz)
	return i.options(shared)
}

// KubernetesOptions is what package auth needs to know of the API server.
func (c *Config) KubernetesOptions() auth.KubernetesOptions {
	k := c.Kubernetes
	return auth.KubernetesOptions{
		URL: cmp.Or(k.APIURL, c.InCluster), CAFile: k.CAFile, TokenFile: k.TokenFile, Audiences: k.Audiences,
	}
}

// AsksAPIServer tells whether TokenReview or SubjectAccessReview is on.
func (c *Config) AsksAPIServer() bool { return bool(c.Kubernetes.Auth) || bool(c.Kubernetes.Authz) }

// validateUnnamed refuses variables of an issuer whose URL is not set.
func (c *Issuer) validateUnnamed(found *cli.ConfigErrors, set map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		rest, ours := strings.CutPrefix(name, c.Prefix)
		if ours && set[name] != "" && (rest == "" || rest[0] < '0' || rest[0] > '9') {
			found.Add(&cli.ConfigError{Thing: c.Prefix + "ISSUER_URL", Wrong: "not set, but " + name + " is",
				Advice: "name the issuer, or unset the other"})
			return
		}
	}
}
