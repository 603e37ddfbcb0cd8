package scrape

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Options say how the runner's metrics are served.
type Options struct {
	Upstream    *upstream.Client
	Labels      func() *exposition.Labels  // asked for each exchange
	Timeout     time.Duration              // of an exchange, and of a request that waits for one; 0: 10 s
	Limits      exposition.Limits          // of the runner's answer
	Compression bool                       // whether answers may be compressed
	Limiter     *proxy.ExchangeLimiter     // exchanges at one time; nil: 16
	Log         *slog.Logger               // nil: nothing is logged
	Observer    *proxy.Observer            // nil: nothing is counted
	Key         func(*http.Request) string // tells identities apart, for Limiter; nil: all are one
	Who         func(*http.Request) string // the name for the log; nil: none
	Digest      func(*http.Request) string // tells tokens of one identity apart; nil: none
}

// Handler answers GET and HEAD with the runner's metrics, labelled. Requests that wait for
// the same format at the same time share one exchange.
type Handler struct {
	o       Options
	group   group
	buffers *buffers
	waiters sync.Pool // of *waiter
	accepts acceptCache
	formats formatCache
	version versionClock
	vary    []string // header value of every answer
}

// New returns a Handler. Method, body and target of its requests must be checked before.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Who == nil {
		o.Who = func(*http.Request) string { return "" }
	}
	if o.Digest == nil {
		o.Digest = func(*http.Request) string { return "" }
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Limiter == nil {
		o.Limiter = proxy.NewExchangeLimiter(defaultSlots)
	}
	if o.Key == nil {
		o.Key = func(*http.Request) string { return "" }
	}
	h := &Handler{o: o, buffers: newBuffers(), vary: []string{"Accept, Accept-Encoding"}}
	h.group.flights = make(map[flightKey]*flight)
	h.waiters.New = func() any { return new(waiter) }
	return h
}

// ReleaseIdle drops buffers that no scrape has needed since the last call. Call it less often
// than scrapes come.
func (h *Handler) ReleaseIdle() { h.buffers.releaseIdle() }

const (
	defaultTimeout = 10 * time.Second
	defaultSlots   = 16
)

// ServeHTTP implements http.Handler. It answers 200 when the answer is complete, or when it
// is large and valid so far. A large answer that turns out invalid is cut off visibly.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := proxy.Scrape{At: time.Now(), Who: h.o.Who(r), Digest: h.o.Digest(r), Remote: r.RemoteAddr,
		Doctor: strings.HasSuffix(r.UserAgent(), proxy.DoctorAgent)}
	wt := h.newWaiter(w, r, seen.At)
	seen.Identity = wt.identity
	key := flightKey{h.accepts.of(r.Header["Accept"]), r.Method == http.MethodHead}
	f, err := h.join(r.Context(), key, wt)
	sent := false
	if err == nil && wt.isLeader {
		err = f.runAsLeader(w, r, wt)
	}
	if err == nil {
		sent, err = h.writeAnswer(w, r, f, wt)
		if err == nil {
			seen.Code, seen.Samples = http.StatusOK, f.stats.Samples
			seen.Format, seen.Encoding = f.contentType[0], wt.encoding.String()
		}
		f.leave(wt, cancelCause(err))
		f.keep(wt)
	}
	seen.Duration, seen.Shared, seen.Bytes = time.Since(seen.At), !wt.isLeader, wt.bytes
	wt.clear()
	h.waiters.Put(wt)
	if err != nil {
		seen.Code, seen.Reason = h.fail(w, r, err, sent)
		seen.Err = err.Error()
	}
	h.o.Observer.AddScrape(seen)
	if seen.Code == 0 {
		panic(http.ErrAbortHandler) // a plain return would end the answer as if it were complete
	}
}

// newWaiter returns a waiter for r that belongs to no flight yet.
func (h *Handler) newWaiter(w http.ResponseWriter, r *http.Request, now time.Time) *waiter {
	wt := h.waiters.Get().(*waiter)
	wt.reset(now, timeout(r.Header["X-Prometheus-Scrape-Timeout-Seconds"], h.o.Timeout))
	wt.identity, wt.writer, wt.lastWrite = h.o.Key(r), *http.NewResponseController(w), writeDeadline(r, now)
	wt.encoding = encodingIdentity
	if h.o.Compression {
		wt.encoding = negotiate(r.Header["Accept-Encoding"])
	}
	return wt
}

// writeAnswer writes what f publishes for wt. After an error with the status sent, the answer
// must be cut off.
func (h *Handler) writeAnswer(w http.ResponseWriter, r *http.Request, f *flight, wt *waiter) (sent bool, err error) {
	p, size, err := f.awaitPhase(r.Context(), wt)
	if err != nil {
		return false, err
	}
	header := w.Header()
	header["Vary"], header["Content-Type"] = h.vary, f.contentType
	if f.key.head {
		w.WriteHeader(http.StatusOK)
		return true, nil
	}
	if wt.encoding != encodingIdentity {
		header.Set("Content-Encoding", wt.encoding.String())
	}
	if p == phaseComplete {
		header.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	cork := rawconn.CorkedFrom(r.Context())
	for {
		c, err := f.nextChunk(r.Context(), wt)
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return true, err
		}
		cork.Cork()
		n, err := w.Write(c.data)
		wt.bytes += int64(n)
		err = errors.Join(err, cork.Uncork())
		f.releaseChunk(wt, c)
		if err != nil {
			return true, err
		}
	}
}

// fail ends a request with the status for err. It returns the status, or 0 when the answer
// must be cut off, and the reason. An error of the exchange has been logged by the flight.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error, sent bool) (status int, why string) {
	level := slog.LevelDebug
	why, status = upstream.ReasonOf(err).String(), upstream.ReasonOf(err).Status()
	switch {
	case errors.Is(err, errClientLeft):
		why, status = proxy.RefusedLeft.String(), 0
	case errors.Is(err, errBusy):
		level, why, status = slog.LevelWarn, proxy.RefusedBusy.String(), http.StatusServiceUnavailable
	case errors.Is(err, errSlowReader), sent && errors.Is(err, os.ErrDeadlineExceeded):
		level, why, status = slog.LevelWarn, proxy.RefusedSlow.String(), 0
	case errors.Is(err, errTimedOut), errors.Is(err, errLeaderTimedOut):
		level = slog.LevelWarn
	}
	h.o.Log.LogAttrs(r.Context(), level, "scrape not answered", slog.String("remote", r.RemoteAddr),
		slog.String("subject", h.o.Who(r)), slog.String("route", proxy.RouteMetrics.String()),
		slog.String("reason", why), slog.String("err", err.Error()))
	switch {
	case sent:
		return 0, why
	case err == errLeaderTimedOut:
	case status == http.StatusServiceUnavailable:
		proxy.RefuseRetry(w, status, time.Second)
	case status != 0:
		proxy.Refuse(w, status)
	}
	return status, why
}
