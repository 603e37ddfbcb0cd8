package gate

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/profile"
)

// DryRun is the walk for callers that are all id.
func DryRun(c *config.Config, id auth.Identity) http.Handler {
	passed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	observer := proxy.NewObserver(prometheus.NewRegistry())
	d := &authStages{
		authenticate: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r.WithContext(auth.NewContext(r.Context(), id)))
			})
		},
		metrics:     auth.Authorize(c.Allow.Metrics, "metrics", auth.Options{}),
		gateMetrics: auth.Authorize(c.Allow.Metrics, "gate_metrics", auth.Options{}),
		pprof:       auth.Authorize(c.Allow.Pprof, "pprof", auth.Options{}),
	}
	return (&Gate{Observer: observer}).walk(d, handlers{
		metrics: passed, profile: passed, own: passed, profiles: profile.Names(c.Upstream.Cmdline),
		bodies: asIs, explain: asIs, access: asIs,
		identities: proxy.NewIdentityLimiter(proxy.IdentityLimiterOptions{
			Rate: c.Limit.Rate, Burst: c.Limit.Burst, Key: identityKey, Who: identityName, Observer: observer,
			Log: slog.New(slog.DiscardHandler),
		}),
	})
}

// WithFiles adds to err, the mistakes of the configuration c, those of the files that c names. A
// command that cannot build a gate tells all of them at once.
func WithFiles(c *config.Config, err error) error {
	var found cli.ConfigErrors
	found.Join(err)
	_, err = c.RunnerName()
	found.Join(err)
	log, registry := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	g := &Gate{reloader: newReloader(log, registry)}
	if c.TLS.CertFile != "" && c.TLS.KeyFile != "" {
		found.Join(g.loadTLS(c, log))
	}
	known := *c
	if c.KubernetesOptions().URL == "" { // outside of a pod its files are missing too
		known.Kubernetes = config.Kubernetes{}
	}
	_, _, err = g.authenticators(&known, outside{log: log, registry: registry})
	found.Join(err)
	return found.Err()
}

// asIs is a stage that lets everything pass.
func asIs(next http.Handler) http.Handler { return next }
