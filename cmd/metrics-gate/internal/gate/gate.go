// Package gate is everything between a request's TLS connection and the runner: the
// walk of a request, authentication, reload, the log of refusals and the tuning of the
// runtime. It binds no address.
package gate

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/connlimit"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/profile"
	"github.com/metrics-gate/metrics-gate/proxy/scrape"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// maxFailureAddresses bounds the table of addresses that failed to authenticate.
const maxFailureAddresses = 16384

// Gate is everything between a request's TLS connection and the runner.
type Gate struct {
	Handler    http.Handler
	OwnMetrics http.Handler      // the gate's own metrics, labelled
	TLS        *tlsconf.Reloader // nil with plain HTTP
	Upstream   *upstream.Client
	Observer   *proxy.Observer
	RunnerName func() string // in effect
	reloader   *reloader
	handshakes *handshakes
	// What asks others about credentials, each nil if it is off.
	Issuers      []*auth.OIDC
	TokenReview  *auth.TokenReview
	AccessReview *auth.AccessReview

	memory memory
}

// New reads every file and ties the parts together.
func New(c *config.Config, log *slog.Logger, version string, registry *prometheus.Registry) (*Gate, error) {
	g := &Gate{reloader: newReloader(log, registry), Observer: proxy.NewObserver(registry)}
	var found cli.ConfigErrors
	labels, err := config.NewRunnerLabels(c)
	found.Join(err)
	found.Join(g.loadTLS(c, log))
	authStages, err := g.newAuthStages(c, log, registry)
	found.Join(err)
	if err := found.Err(); err != nil {
		return nil, err
	}
	g.RunnerName = labels.Name
	if c.Label.RunnerNameFile != "" || c.Label.RunnerName == "" { // else nothing can change it
		g.reloader.add("runner_name", labels.Reload, c.Label.RunnerNameFile)
	}
	g.Upstream = upstream.New(upstream.Options{Address: c.Upstream.URL.Address, UserAgent: "metrics-gate/" + version})
	metrics := scrape.New(scrape.Options{
		Upstream: g.Upstream, Labels: labels.Current.Load,
		Timeout: c.Upstream.Timeout,
		Limits: exposition.Limits{LineBytes: c.Upstream.MaxLineBytes, MessageBytes: c.Upstream.MaxMessageBytes,
			Bytes: c.Upstream.MaxBytes},
		Compression: bool(c.Upstream.Compression),
		Limiter:     proxy.NewExchangeLimiter(c.Upstream.MaxInFlight), Log: log, Observer: g.Observer,
		Key: identityKey, Who: identityName, Digest: tokenDigest,
	})
	identities := proxy.NewIdentityLimiter(proxy.IdentityLimiterOptions{
		Rate: c.Limit.Rate, Burst: c.Limit.Burst, Key: identityKey, Observer: g.Observer, Log: log, Who: identityName,
	})
	g.memory.parts = append(g.memory.parts, metrics.ReleaseIdle, identities.ReleaseIdle, g.Upstream.ReleaseIdle)
	access, firstUse := asIs, logFirstUse(log)
	if c.Process.AccessLog {
		access, firstUse = logAccess(log), nil
	}
	g.OwnMetrics = metrics.Compress(ownMetrics(registry, labels.Current.Load))
	g.Handler = g.walk(authStages, handlers{
		metrics: metrics,
		profile: profile.New(profile.Options{
			Upstream: g.Upstream, MaxSeconds: c.Upstream.MaxSeconds, Cmdline: c.Upstream.Cmdline,
			Limiter: profileSlots(c), Log: log, Observer: g.Observer, Key: identityKey, Who: identityName,
		}),
		own:        g.OwnMetrics,
		profiles:   profile.Names(c.Upstream.Cmdline),
		bodies:     proxy.Bodies(c.Listen.ReadHeaderTimeout),
		explain:    logUnrouted(log, c.Upstream.Cmdline),
		identities: identities,
		access:     access,
		firstUse:   firstUse,
	})
	return g, nil
}

// profileSlots limits profiles apart from scrapes: a profile can take half a minute, and
// scrapes must go on meanwhile.
func profileSlots(c *config.Config) *proxy.ExchangeLimiter {
	return proxy.NewExchangeLimiter(max(c.Upstream.MaxInFlight/2, 1))
}

// handlers are the ends of the walk.
type handlers struct {
	metrics, profile, own http.Handler
	profiles              []string
	identities            *proxy.IdentityLimiter
	bodies, explain       func(http.Handler) http.Handler
	access                func(http.Handler) http.Handler
	firstUse              func(*http.Request) // nil: nothing is done
}

// walk is the way of a request. Each stage decides one thing, the stage that ends a
// request logs it, and no stage looks back:
//
//	security headers → observe → access log → bodies bounded → failure limiter and authenticate → explained
//	→ identity limiter → literal target → route (404) → authorize → method and body → handler
func (g *Gate) walk(d *authStages, h handlers) http.Handler {
	r := chi.NewRouter()
	r.Use(proxy.SecurityHeaders, g.Observer.Middleware, h.access, h.bodies, d.authenticate, noteIdentity, h.explain,
		h.identities.Limit, proxy.Target, pathDecides)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) { proxy.Refuse(w, http.StatusNotFound) })

	read := proxy.Methods(http.MethodGet, http.MethodHead)
	keep := connlimit.MarkAuthorized(identityKey, h.firstUse)
	r.With(d.metrics, keep, read).Handle("/metrics", h.metrics)
	r.With(d.gateMetrics, keep, read).Handle("/gate/metrics", h.own)
	for _, name := range h.profiles {
		methods := proxy.Methods(http.MethodGet) // a HEAD would run the whole profile
		if name == "symbol" {
			methods = proxy.Methods(http.MethodGet, http.MethodPost)
		}
		r.With(d.pprof, keep, methods).Handle("/debug/pprof/"+name, h.profile)
	}
	return r
}

// ReusedContext adds to ctx what requests that come one after the other need in their context, once
// for all of them.
func ReusedContext(ctx context.Context) context.Context {
	return context.WithValue(auth.ReusedContext(ctx), chi.RouteCtxKey, chi.NewRouteContext())
}

// pathDecides lets the path alone choose the route, so that a known path with another
// method is refused after authorization, by proxy.Methods.
func pathDecides(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := chi.RouteContext(r.Context())
		route.Reset() // the request before has used it
		route.RouteMethod = http.MethodGet
		next.ServeHTTP(w, r)
	})
}

// Run keeps keys and files fresh, and memory small, until ctx ends. After each look at the files it
// calls upkeep: at least every five minutes, and each minute while a certificate or list is at its end.
func (g *Gate) Run(ctx context.Context, now <-chan chan struct{}, upkeep func(time.Time)) {
	var refreshing sync.WaitGroup
	for _, issuer := range g.Issuers {
		refreshing.Go(func() { issuer.Run(ctx) })
	}
	start := time.AfterFunc(startTime, releaseStart)
	defer start.Stop()
	g.reloader.run(ctx, now, func(now time.Time) (quiet bool) {
		quiet = g.memory.upkeep(now)
		upkeep(now)
		return quiet && !g.endsSoon(now)
	})
	refreshing.Wait()
	g.Upstream.Close()
}

// endsSoon reports whether a certificate or list ends before two long rests are over, or has ended within
// one: its end is logged within a minute.
func (g *Gate) endsSoon(now time.Time) bool {
	return g.TLS != nil && slices.ContainsFunc(g.TLS.Expiry(), func(e tlsconf.Expiry) bool {
		left := e.NotAfter.Sub(now)
		return -longRest < left && left < 2*longRest
	})
}

// loadTLS reads certificates, keys, CAs and revocation lists.
func (g *Gate) loadTLS(c *config.Config, log *slog.Logger) error {
	if c.TLS.InsecureHTTP {
		return nil
	}
	files := tlsconf.Files{
		Cert: c.TLS.CertFile, Key: c.TLS.KeyFile, ClientCA: c.TLS.ClientCAFile, ClientCRL: c.TLS.ClientCRLFile,
		MinVersion: uint16(c.TLS.MinVersion),
	}
	switch {
	case c.TLS.ClientCAFile == "":
		files.ClientAuth = tlsconf.None
	case c.HasBearer():
		files.ClientAuth = tlsconf.Optional
	default:
		files.ClientAuth = tlsconf.Required
	}
	var err error
	if g.TLS, err = tlsconf.New(files, log); err != nil {
		return fileErrors(err)
	}
	g.reloader.add("tls", g.TLS.Reload, files.Cert, files.Key, files.ClientCA, files.ClientCRL)
	return nil
}

// fileErrors names the variable behind each file that cannot be used.
func fileErrors(err error) error {
	files := tlsconf.FileErrors(err)
	if len(files) == 0 {
		return &cli.ConfigError{Thing: config.Prefix + "TLS_CERT_FILE", Wrong: err.Error()}
	}
	var found cli.ConfigErrors
	for _, file := range files {
		variable := map[string]string{
			tlsconf.RoleServer: "TLS_CERT_FILE", tlsconf.RoleKey: "TLS_KEY_FILE",
			tlsconf.RoleClientCA: "TLS_CLIENT_CA_FILE", tlsconf.RoleCRL: "TLS_CLIENT_CRL_FILE",
		}[file.Role]
		found.Add(&cli.ConfigError{Thing: config.Prefix + variable, Value: file.Path, Wrong: cli.Reason(file.Err),
			Advice: file.Advice, Err: file.Err})
	}
	return found.Err()
}

func identityKey(r *http.Request) string { return auth.KeyFromContext(r.Context()) }

func identityName(r *http.Request) string {
	id, _ := auth.FromContext(r.Context())
	return id.Subject
}

func tokenDigest(r *http.Request) string {
	id, _ := auth.FromContext(r.Context())
	return id.Digest
}
