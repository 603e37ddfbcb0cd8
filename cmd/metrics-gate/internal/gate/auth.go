package gate

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// doors are the stages that ask who a caller is, and whether they may.
type doors struct {
	authenticate, metrics, own, pprof func(http.Handler) http.Handler
}

// newDoors builds the authenticators that are on, and the two allow lists.
func (g *Gate) newDoors(c *config.Config, log *slog.Logger, registry prometheus.Registerer) (*doors, error) {
	strangers := proxy.NewFailureLimiter(c.Limit.FailureRate, c.Limit.FailureBurst, strangersTracked).Observe(g.Observer)
	g.tidy = append(g.tidy, strangers.ReleaseIdle)
	admit := func(r *http.Request) bool { return !strangers.Exhausted(r) }
	var list []auth.Authenticator
	if c.Allow.TokensFile != "" {
		tokens, err := auth.LoadTokens(c.Allow.TokensFile)
		if err != nil {
			return nil, &cli.ConfigError{Thing: config.Prefix + "TOKENS_FILE", Value: c.Allow.TokensFile, Wrong: err.Error()}
		}
		g.reloader.add("tokens", tokens.Reload)
		list = append(list, tokens)
	}
	for i := range c.OIDC {
		if c.OIDC[i].URL == "" {
			continue
		}
		issuer, err := newIssuer(&c.OIDC[i], admit, log, registry)
		if err != nil {
			return nil, err
		}
		g.reloader.add("jwks", issuer.Reload)
		g.issuers = append(g.issuers, issuer)
		list = append(list, issuer)
	}
	reviewers, more, err := Reviews(c, admit, log)
	if err != nil {
		return nil, err
	}
	list = append(list, reviewers...)
	if c.TLS.ClientCAFile != "" && g.TLS != nil {
		list = append(list, auth.NewCertificate(verifier(g.TLS)))
	}
	options := auth.Options{Log: log, Metrics: auth.NewMetrics(registry), Fail: strangers.Fail, Challenge: c.HasBearer()}
	metrics, err := auth.ParsePolicy(c.Allow.Metrics)
	if err != nil {
		return nil, err
	}
	pprof, err := auth.ParsePolicy(c.Allow.Pprof)
	if err != nil {
		return nil, err
	}
	d := &doors{authenticate: auth.Authenticate(auth.NewChain(list...), options)}
	options.AllowList = config.Prefix + "METRICS_ALLOW"
	d.metrics = auth.Authorize(metrics, "metrics", options, more...)
	d.own = auth.Authorize(metrics, "gate_metrics", options, more...)
	options.AllowList = config.Prefix + "PPROF_ALLOW"
	d.pprof = auth.Authorize(pprof, "pprof", options, more...)
	return d, nil
}

// newIssuer builds the authenticator for one issuer.
func newIssuer(c *config.Issuer, admit func(*http.Request) bool, log *slog.Logger, registry prometheus.Registerer) (*auth.OIDC, error) {
	issuer, err := auth.NewOIDC(auth.OIDCOptions{
		Issuer: c.URL, Audiences: c.Audience, Algorithms: c.SigningAlgs,
		UsernameClaim: c.UsernameClaim, GroupsClaim: c.GroupsClaim,
		UsernamePrefix: c.UsernamePrefix, GroupsPrefix: c.GroupsPrefix,
		MaxLifetime: c.MaxLifetime, ClockSkew: c.ClockSkew,
		JWKSMinInterval: c.MinInterval, JWKSMaxAge: c.MaxAge,
		CAFile: c.CAFile, DiscoveryTokenFile: c.DiscoveryToken, JWKSFile: c.JWKSFile,
		Admit: admit, Log: log, Registerer: registry,
	})
	if err != nil {
		return nil, blame(err, c.Prefix+"ISSUER_URL", c.URL, map[string]string{
			c.Prefix + "CA_FILE": c.CAFile, c.Prefix + "JWKS_FILE": c.JWKSFile, c.Prefix + "DISCOVERY_TOKEN_FILE": c.DiscoveryToken,
			c.Prefix + "SIGNING_ALGS": strings.Join(c.SigningAlgs, ","),
		})
	}
	return issuer, nil
}

// Reviews builds what asks the API server: the authenticator and the authorizer, each if it is on.
func Reviews(c *config.Config, admit func(*http.Request) bool, log *slog.Logger) ([]auth.Authenticator, []auth.Authorizer, error) {
	k := c.Kubernetes
	if k.Auth == "off" && k.Authz == "off" {
		return nil, nil, nil
	}
	options := auth.KubernetesOptions{
		URL: k.APIURL, CAFile: k.CAFile, TokenFile: k.TokenFile, Audiences: k.Audiences, Admit: admit, Log: log,
	}
	if options.URL == "" {
		if options.URL = c.InCluster; options.URL == "" {
			return nil, nil, &cli.ConfigError{Thing: config.Prefix + "KUBERNETES_API_URL", Wrong: "not set, and this is no pod", Advice: "write https://HOST:PORT of the API server"}
		}
	}
	files := map[string]string{
		config.Prefix + "KUBERNETES_CA_FILE":    cmp.Or(options.CAFile, auth.InClusterCAFile),
		config.Prefix + "KUBERNETES_TOKEN_FILE": cmp.Or(options.TokenFile, auth.InClusterTokenFile),
	}
	var authenticators []auth.Authenticator
	var authorizers []auth.Authorizer
	if k.Auth == "tokenreview" {
		review, err := auth.NewTokenReview(options)
		if err != nil {
			return nil, nil, blame(err, config.Prefix+"KUBERNETES_API_URL", options.URL, files)
		}
		authenticators = append(authenticators, review)
	}
	if k.Authz == "subjectaccessreview" {
		review, err := auth.NewAccessReview(options)
		if err != nil {
			return nil, nil, blame(err, config.Prefix+"KUBERNETES_API_URL", options.URL, files)
		}
		authorizers = append(authorizers, review.Authorize)
	}
	return authenticators, authorizers, nil
}

// blame names the variable whose value err speaks of; the fallback if it is none of them.
func blame(err error, fallback, value string, candidates map[string]string) error {
	for _, variable := range slices.Sorted(maps.Keys(candidates)) {
		if v := candidates[variable]; v != "" && strings.Contains(err.Error(), v) {
			return &cli.ConfigError{Thing: variable, Value: v, Wrong: err.Error()}
		}
	}
	return &cli.ConfigError{Thing: fallback, Value: value, Wrong: err.Error()}
}

// verifier asks tlsconf about a certificate and answers in the words of auth.
func verifier(t *tlsconf.Reloader) func([][]*x509.Certificate) error {
	return func(chains [][]*x509.Certificate) error {
		err := t.Verify(chains)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, tlsconf.ErrRevoked):
			return fmt.Errorf("%w: %w", auth.ErrRevoked, err)
		case errors.Is(err, tlsconf.ErrExpired):
			return fmt.Errorf("%w: %w", auth.ErrExpired, err)
		case errors.Is(err, tlsconf.ErrUntrusted):
			return fmt.Errorf("%w: %w", auth.ErrUnknown, err)
		}
		return err
	}
}
