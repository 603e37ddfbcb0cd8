package gate

import (
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// authStages are the stages that authenticate and authorize.
type authStages struct {
	authenticate, metrics, gateMetrics, pprof func(http.Handler) http.Handler
}

// newAuthStages builds the authenticators that are on and both allow lists.
func (g *Gate) newAuthStages(c *config.Config, log *slog.Logger, registry prometheus.Registerer) (*authStages, error) {
	failures := proxy.NewFailureLimiter(c.Limit.FailureRate, c.Limit.FailureBurst, maxFailureAddresses).Observe(
		g.Observer)
	g.memory.parts = append(g.memory.parts, failures.ReleaseIdle)
	admit := func(r *http.Request) bool { return !failures.Exhausted(r) }
	list, more, err := g.authenticators(c, outside{admit, log, registry})
	if err != nil {
		return nil, err
	}
	options := auth.Options{Log: log, Metrics: auth.NewMetrics(registry), Fail: failures.Fail,
		Refused: noteRefused, Challenge: c.HasBearer()}
	g.handshakes = newHandshakes(log, registry, options.Metrics, failures)
	g.memory.parts = append(g.memory.parts, g.handshakes.turns.pace.ReleaseIdle)
	d := &authStages{authenticate: auth.Authenticate(advised{auth.NewChain(list...), c}, options)}
	if g.TLS != nil {
		d.authenticate = withChains(g.TLS, d.authenticate)
	}
	options.AllowList = config.Prefix + "METRICS_ALLOW"
	d.metrics = auth.Authorize(c.Allow.Metrics, "metrics", options, more...)
	d.gateMetrics = auth.Authorize(c.Allow.Metrics, "gate_metrics", options, more...)
	options.AllowList = config.Prefix + "PPROF_ALLOW"
	d.pprof = auth.Authorize(c.Allow.Pprof, "pprof", options, more...)
	return d, nil
}

// outside is what authenticators get from outside of the configuration.
type outside struct {
	admit    func(*http.Request) bool
	log      *slog.Logger
	registry prometheus.Registerer
}

// authenticators builds those that are on, and what authorizes in addition to the allow lists. The
// error has every file that cannot be used.
func (g *Gate) authenticators(c *config.Config, o outside) (list []auth.Authenticator, more []auth.Authorizer,
	err error) {
	var found cli.ConfigErrors
	if c.Uses(auth.MethodToken) {
		tokens, err := auth.LoadTokens(c.Allow.TokensFile)
		found.Join(config.VariableErrors(config.Prefix, err))
		if err == nil {
			g.reloader.add("tokens", tokens.Reload, c.Allow.TokensFile)
			list = append(list, tokens)
		}
	}
	for _, i := range c.Issuers() {
		options := c.IssuerOptions(i)
		options.Admit, options.Log, options.Registerer = o.admit, o.log, o.registry
		issuer, err := auth.NewOIDC(options)
		found.Join(config.VariableErrors(i.Prefix, err))
		if err == nil {
			if options.CAFile != "" || options.JWKSFile != "" {
				g.reloader.add("jwks", issuer.Reload, options.CAFile, options.JWKSFile)
			}
			g.Issuers = append(g.Issuers, issuer)
			list = append(list, issuer)
		}
	}
	kubernetes := c.KubernetesOptions()
	kubernetes.Admit, kubernetes.Log = o.admit, o.log
	if c.Kubernetes.Auth {
		g.TokenReview, err = auth.NewTokenReview(kubernetes)
		found.Join(config.VariableErrors(config.Prefix, err))
		list = append(list, g.TokenReview)
	}
	if c.Kubernetes.Authz {
		g.AccessReview, err = auth.NewAccessReview(kubernetes)
		found.Join(config.VariableErrors(config.Prefix, err))
		if err == nil {
			more = append(more, g.AccessReview.Authorize)
		}
	}
	if c.Uses(auth.MethodCertificate) && g.TLS != nil {
		list = append(list, auth.NewCertificate(verifier(g.TLS)))
	}
	return list, more, found.Err()
}

// withChains gives authenticate the chains of a client certificate where crypto/tls has none:
// see tlsconf.Reloader.VerifiedChains. They stay with the connection.
func withChains(t *tlsconf.Reloader, authenticate func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		next = authenticate(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TLS != nil && len(r.TLS.VerifiedChains) == 0 && len(r.TLS.PeerCertificates) > 0 {
				r.TLS.VerifiedChains = t.VerifiedChains(r.TLS)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// verifier asks tlsconf about a certificate and answers with the errors of auth.
func verifier(t *tlsconf.Reloader) func([][]*x509.Certificate) error {
	return func(chains [][]*x509.Certificate) error { return certificateError(t.Verify(chains)) }
}

// certificateError wraps the error of auth that says why a certificate is refused. What is too
// weak, for another use, or without a usable revocation list is a bad credential, for
// which auth has no error of its own.
func certificateError(err error) error {
	switch {
	case errors.Is(err, tlsconf.ErrRevoked):
		return reasonError{err, auth.ErrRevoked}
	case errors.Is(err, tlsconf.ErrExpired):
		return reasonError{err, auth.ErrExpired}
	case errors.Is(err, tlsconf.ErrUntrusted):
		return reasonError{err, auth.ErrUnknown}
	}
	return err
}

// reasonError is an error with a reason of package auth, which its text says already.
type reasonError struct {
	error
	reason error
}

// Unwrap returns the error and its reason.
func (e reasonError) Unwrap() []error { return []error{e.error, e.reason} }

// advised adds to the refusal of a certificate or of a header what to change about it.
type advised struct {
	auth.Authenticator
	config *config.Config
}

// Authenticate implements auth.Authenticator.
func (a advised) Authenticate(r *http.Request) (auth.Identity, error) {
	id, err := a.Authenticator.Authenticate(r)
	if err == nil {
		return id, nil
	}
	refusal, refused := errors.AsType[*auth.Refusal](err)
	if refused && errors.Is(err, auth.ErrBadAuthorization) {
		do := "send Authorization: Bearer TOKEN"
		if !a.config.HasBearer() {
			do = "send a client certificate, and no Authorization header"
		}
		refusal.Details = append(refusal.Details, slog.String("advice", do+"; in a job of Prometheus write, in place "+
			"of basic_auth, "+a.config.PrometheusLines()))
	}
	if certificate := tlsconf.AsCertificateError(err); refused && certificate != nil && certificate.Advice != "" {
		refusal.Details = append(refusal.Details, slog.String("advice", certificate.Advice))
	}
	return id, err
}
