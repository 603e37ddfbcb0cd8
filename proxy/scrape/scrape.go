package scrape

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/rawconn"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// MetricsOptions say how the runner's metrics are served.
type Options struct {
	Upstream    *upstream.Client
	Labels      func() *exposition.Labels  // asked for each exchange
	Timeout     time.Duration              // of an exchange, and of a request that waits for one; 0: 10 s
	Limits      exposition.Limits          // of the runner's answer
	Compression bool                       // whether answers may be compressed
	Limiter     *proxy.ExchangeLimiter     // exchanges at one time; nil: 16
	Log         *slog.Logger               // nil: nothing is logged
	Observer    *proxy.Observer            // nil: nothing is counted
	Key         func(*http.Request) string // tells identities apart, for Slots; nil: all are one
	Who         func(*http.Request) string // the name for the log; nil: none
}

// Metrics answers GET and HEAD with the runner's metrics, labelled. Requests
// that wait for the same format at the same time share one exchange.
type Handler struct {
	o        Options
	group    group
	supplies *supplies
	members  sync.Pool // of *member
	accepts  accepts
	formats  formats
	fixed    http.Header // of every answer
}

// NewMetrics returns the handler. Method, body and target of its requests have
// been checked before.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Who == nil {
		o.Who = func(*http.Request) string { return "" }
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
	m := &Handler{o: o, supplies: newSupplies(), fixed: http.Header{"Vary": {"Accept, Accept-Encoding"}}}
	m.group.flights = make(map[flightKey]*flight)
	m.members.New = func() any { return new(member) }
	proxy.SetSecurityHeaders(m.fixed)
	return m
}

// Tidy lets go of buffers that no scrape has needed since it was called before. Call it
// less often than anyone scrapes.
func (m *Handler) ReleaseIdle() { m.supplies.tidy() }

const (
	defaultTimeout = 10 * time.Second
	defaultSlots   = 16
)

// ServeHTTP answers with 200 only what is known to be complete or, when it is
// large, what is cut off visibly if it turns out not to be.
func (m *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := proxy.Scrape{At: time.Now(), Who: m.o.Who(r)}
	mb := m.member(w, r, seen.At)
	key := flightKey{m.accepts.of(r.Header["Accept"]), r.Method == http.MethodHead}
	f, err := m.enter(r.Context(), key, mb)
	sent := false
	if err == nil && mb.leads {
		err = f.lead(w, r, mb)
	}
	if err == nil {
		sent, err = m.answer(w, r, f, mb)
		if err == nil {
			seen.Code, seen.Samples = http.StatusOK, f.stats.Samples
		}
		f.leave(mb, leaveCause(err))
	}
	seen.Duration, seen.Shared = time.Since(seen.At), !mb.leads
	mb.end()
	m.members.Put(mb)
	if err != nil {
		seen.Code = m.fail(w, r, err, sent)
	}
	m.o.Observer.AddScrape(seen)
	if seen.Code == 0 {
		panic(http.ErrAbortHandler) // a plain return would end the answer as if it were complete
	}
}

// member makes r a member of no flight yet.
func (m *Handler) member(w http.ResponseWriter, r *http.Request, now time.Time) *member {
	mb := m.members.Get().(*member)
	mb.begin(now, timeLeft(r.Header["X-Prometheus-Scrape-Timeout-Seconds"], m.o.Timeout))
	mb.identity, mb.writer, mb.latest = m.o.Key(r), http.NewResponseController(w), writeLimit(r, now)
	mb.encoding = encodingIdentity
	if m.o.Compression {
		mb.encoding = negotiate(r.Header["Accept-Encoding"])
	}
	return mb
}

// answer writes what f brings to mb. After an error with the status sent the
// answer must be cut off.
func (m *Handler) answer(w http.ResponseWriter, r *http.Request, f *flight, mb *member) (sent bool, err error) {
	p, size, err := f.decided(r.Context(), mb)
	if err != nil {
		return false, err
	}
	h := w.Header()
	for name, value := range m.fixed {
		h[name] = value
	}
	h["Content-Type"] = f.contentType
	if f.key.head {
		w.WriteHeader(http.StatusOK)
		return true, nil
	}
	if mb.encoding != encodingIdentity {
		h.Set("Content-Encoding", mb.encoding.String())
	}
	if p == phaseComplete {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	cork := rawconn.CorkedFrom(r.Context())
	for {
		c, err := f.take(r.Context(), mb)
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return true, err
		}
		cork.Cork()
		_, err = w.Write(c.data)
		err = errors.Join(err, cork.Uncork())
		f.wrote(mb, c)
		if err != nil {
			return true, err
		}
	}
}

// fail ends a request with the status for err and returns that, or 0 when the
// answer must be cut off. What befell the exchange has been logged by the flight.
func (m *Handler) fail(w http.ResponseWriter, r *http.Request, err error, sent bool) int {
	level, why, status := slog.LevelDebug, upstream.ReasonOf(err).String(), upstream.ReasonOf(err).Status()
	switch {
	case errors.Is(err, errGone):
		why, status = "left", 0
	case errors.Is(err, errBusy):
		level, why, status = slog.LevelWarn, "busy", http.StatusServiceUnavailable
	case errors.Is(err, errSlow), sent && errors.Is(err, os.ErrDeadlineExceeded):
		level, why, status = slog.LevelWarn, "slow", 0
	case errors.Is(err, errLate), errors.Is(err, errExcused):
		level = slog.LevelWarn
	}
	m.o.Log.LogAttrs(r.Context(), level, "scrape not answered", slog.String("remote", r.RemoteAddr),
		slog.String("subject", m.o.Who(r)), slog.String("route", proxy.RouteMetrics.String()),
		slog.String("reason", why), slog.String("err", err.Error()))
	switch {
	case sent:
		return 0
	case err == errExcused:
	case status == http.StatusServiceUnavailable:
		proxy.RefuseRetry(w, status, time.Second)
	case status != 0:
		proxy.Refuse(w, status)
	}
	return status
}
