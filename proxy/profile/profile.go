package profile

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Defaults of the options.
const (
	defaultSeconds   = 30 // the longest profile
	defaultExchange  = 10 * time.Second
	defaultExchanges = 16
)

// Names returns the names of the profiles that are served, as they follow /debug/pprof/. The
// first is the index. The command line may contain secrets, so it is not one of them unless
// cmdline.
func Names(cmdline bool) []string {
	names := []string{"", "allocs", "block", "goroutine", "heap", "mutex", "profile", "symbol", "threadcreate", "trace"}
	if cmdline {
		names = append(names, "cmdline")
	}
	return names
}

// Options say how the runner's profiles are served.
type Options struct {
	Upstream   *upstream.Client
	MaxSeconds int                        // longer ones are lowered to it; 0: 30
	Timeout    time.Duration              // of an exchange, beyond the seconds asked for; 0: 10 s
	Cmdline    bool                       // whether the command line is served
	Limiter    *proxy.ExchangeLimiter     // exchanges at one time; nil: 16
	Log        *slog.Logger               // nil: nothing is logged
	Observer   *proxy.Observer            // nil: nothing is counted
	Key        func(*http.Request) string // tells identities apart, for Limiter; nil: all are one
	Who        func(*http.Request) string // the name for the log; nil: none
}

// Handler answers requests below /debug/pprof/ with the runner's profiles, streamed. One CPU
// profile or trace runs at a time.
type Handler struct {
	o     Options
	names []string

	mu    sync.Mutex
	until time.Time // end of the running CPU profile or trace; zero: none runs
}

// New returns a Handler. Method and target of its requests must be checked before.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Who == nil {
		o.Who = func(*http.Request) string { return "" }
	}
	if o.MaxSeconds <= 0 {
		o.MaxSeconds = defaultSeconds
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultExchange
	}
	if o.Limiter == nil {
		o.Limiter = proxy.NewExchangeLimiter(defaultExchanges)
	}
	if o.Key == nil {
		o.Key = func(*http.Request) string { return "" }
	}
	return &Handler{o: o, names: Names(o.Cmdline)}
}

// ServeHTTP implements http.Handler. It refuses a malformed request, and a profile while
// another one runs.
func (p *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, proxy.ProfilePath)
	if !ok || !slices.Contains(p.names, name) {
		proxy.Refuse(w, http.StatusNotFound)
		return
	}
	ask, seconds, err := p.request(r, name)
	if err != nil {
		proxy.Refuse(w, http.StatusBadRequest)
		return
	}
	whole := time.Duration(seconds)*time.Second + p.o.Timeout
	if name == "profile" || name == "trace" {
		if wait, ok := p.begin(time.Duration(seconds) * time.Second); !ok {
			p.refused(r, name, proxy.RefusedProfile.String())
			proxy.RefuseRetry(w, http.StatusServiceUnavailable, wait)
			return
		}
		defer p.end()
	}
	ctx, cancel := context.WithTimeout(r.Context(), whole)
	defer cancel()
	key := p.o.Key(r)
	if p.o.Limiter.Acquire(ctx, key) != nil {
		p.refused(r, name, proxy.RefusedBusy.String())
		proxy.RefuseRetry(w, http.StatusServiceUnavailable, time.Second)
		return
	}
	defer p.o.Limiter.Release(key)
	p.o.Log.LogAttrs(ctx, slog.LevelInfo, "profile used",
		slog.String("remote", r.RemoteAddr), slog.String("subject", p.o.Who(r)),
		slog.String("route", proxy.ProfilePath+name), slog.Int64("seconds", seconds))
	ask.Deadline = time.Now().Add(whole)
	p.stream(w, r, ask)
}

// request rebuilds the request from r. It also returns the seconds that the profile takes.
func (p *Handler) request(r *http.Request, name string) (*upstream.Request, int64, error) {
	ask := &upstream.Request{Method: http.MethodGet, Path: proxy.ProfilePath + name}
	if name == "symbol" {
		var err error
		if r.Method == http.MethodPost {
			ask.Method = http.MethodPost
			ask.Body, err = readAddresses(r)
		} else {
			ask.Query, err = parseAddresses(r.URL.RawQuery)
		}
		return ask, 0, err
	}
	q, err := parseProfileQuery(r.URL.RawQuery)
	if err == nil {
		err = q.limit(name, int64(p.o.MaxSeconds))
	}
	ask.Query = q.String()
	return ask, q.seconds, err
}

// readAddresses reads the body of a POST to symbol. proxy.Bodies limits its time.
func readAddresses(r *http.Request) (string, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, proxy.MaxBodyBytes+1))
	if err != nil || len(body) > proxy.MaxBodyBytes {
		return "", errQuery
	}
	return parseAddresses(string(body))
}

// begin marks a CPU profile or trace of d as running. If one runs already, it returns how long
// to wait.
func (p *Handler) begin(d time.Duration) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if !p.until.IsZero() {
		return p.until.Sub(now), false
	}
	p.until = now.Add(d)
	return 0, true
}

// end lets the next CPU profile or trace begin.
func (p *Handler) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = time.Time{}
}

// refused logs why a request gets no profile.
func (p *Handler) refused(r *http.Request, name, why string) {
	p.o.Log.LogAttrs(r.Context(), slog.LevelWarn, "profile refused", slog.String("remote", r.RemoteAddr),
		slog.String("subject", p.o.Who(r)), slog.String("route", proxy.ProfilePath+name), slog.String("reason", why))
}

// failed logs and counts a failed exchange.
func (p *Handler) failed(r *http.Request, ask *upstream.Request, err error) {
	level := slog.LevelWarn
	if errors.Is(err, upstream.ErrCanceled) {
		level = slog.LevelInfo
	}
	p.o.Observer.AddError(upstream.ReasonOf(err))
	attrs := []slog.Attr{
		slog.String("remote", r.RemoteAddr), slog.String("subject", p.o.Who(r)), slog.String("route", ask.Path),
		slog.String("reason", upstream.ReasonOf(err).String()), slog.String("err", err.Error()),
	}
	if upstream.ReasonOf(err) == upstream.ReasonStatus { // not a wrong address, as for metrics
		attrs = append(attrs, slog.String("advice", "the runner serves no such profile: ask for another"))
	}
	p.o.Log.LogAttrs(r.Context(), level, "profile failed", attrs...)
}
