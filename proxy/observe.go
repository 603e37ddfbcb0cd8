package proxy

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Values of the metric label "limiter".
const (
	limiterFailures = iota
	limiterIdentity
	limiters
)

// codes are the values of the metric label "code", apart from "aborted" for an answer that
// was cut short, and "other".
func codes() []int {
	return []int{200, 400, 401, 403, 404, 405, 413, 417, 429, 500, 502, 503, 504, 505}
}

// Observer counts requests, exchanges, refusals and samples, and keeps the latest scrapes.
// Its label values come from fixed sets, and all series exist from the start. A nil Observer
// counts nothing.
type Observer struct {
	requests  [Routes][]prometheus.Counter // by index into codes; then aborted, other
	codes     []int
	durations [Routes]prometheus.Observer
	inFlight  prometheus.Gauge
	limited   [limiters]prometheus.Counter
	exchanges prometheus.Observer
	up        prometheus.Gauge
	faults    [upstream.Reasons]prometheus.Counter
	samples   prometheus.Counter
	conflicts prometheus.Counter
	history   history
}

// NewObserver registers the metrics of requests, upstream, limits and samples.
func NewObserver(registry prometheus.Registerer) *Observer {
	o := &Observer{codes: codes()}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		registry.MustRegister(g)
		return g
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		registry.MustRegister(c)
		return c
	}
	o.inFlight = gauge("metrics_gate_requests_in_flight", "Requests being answered now.")
	o.up = gauge("metrics_gate_upstream_up", "Whether the last scrape of the runner gave a valid exposition.")
	o.samples = counter("metrics_gate_samples_labelled_total", "Samples of the runner that were labelled.")
	o.conflicts = counter("metrics_gate_label_conflicts_total", "Labels that a sample of the runner already had.")
	exchanges := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "metrics_gate_upstream_duration_seconds",
		Help:    "Time that exchanges with the runner for its metrics took.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
	registry.MustRegister(exchanges)
	o.exchanges = exchanges
	o.vectors(registry)
	return o
}

// vectors registers what has labels, with every value there will be.
func (o *Observer) vectors(registry prometheus.Registerer) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "metrics_gate_requests_total", Help: "Requests answered.",
	}, []string{"route", "code"})
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "metrics_gate_request_duration_seconds", Help: "Time from a request's head to the end of its answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"route"})
	limited := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "metrics_gate_rate_limited_total", Help: "Requests refused because they came too fast.",
	}, []string{"limiter"})
	faults := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "metrics_gate_upstream_errors_total", Help: "Exchanges with the runner that failed.",
	}, []string{"reason"})
	registry.MustRegister(requests, durations, limited, faults)
	for r := range Routes {
		o.durations[r] = durations.WithLabelValues(r.String())
		for _, code := range o.codes {
			o.requests[r] = append(o.requests[r], requests.WithLabelValues(r.String(), strconv.Itoa(code)))
		}
		o.requests[r] = append(o.requests[r],
			requests.WithLabelValues(r.String(), "aborted"), requests.WithLabelValues(r.String(), "other"))
	}
	o.limited[limiterFailures] = limited.WithLabelValues("failures")
	o.limited[limiterIdentity] = limited.WithLabelValues("identity")
	for r := range upstream.Reasons {
		o.faults[r] = faults.WithLabelValues(r.String())
	}
}

// Middleware counts requests and their durations. A handler that panics, as
// http.ErrAbortHandler does to cut an answer short, is counted as "aborted".
func (o *Observer) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, at := time.Now(), RouteOf(r)
		seen, returned := NewStatusRecorder(w), false
		o.inFlight.Inc()
		defer func() {
			o.inFlight.Dec()
			o.durations[at].Observe(time.Since(start).Seconds())
			o.requests[at][o.index(seen.Status(), returned)].Inc()
		}()
		next.ServeHTTP(seen, r)
		returned = true
	})
}

// index returns the counter of an answer with status, whose handler returned or panicked.
func (o *Observer) index(status int, returned bool) int {
	if !returned {
		return len(o.codes)
	}
	if status == 0 {
		status = http.StatusOK // what the server answers for a handler that wrote nothing
	}
	if i := slices.Index(o.codes, status); i >= 0 {
		return i
	}
	return len(o.codes) + 1
}

func (o *Observer) addLimited(limiter int) {
	if o != nil {
		o.limited[limiter].Inc()
	}
}

// AddError counts a failed exchange.
func (o *Observer) AddError(r upstream.Reason) {
	if o != nil {
		o.faults[r].Inc()
	}
}

// AddExchange records the end of an exchange for metrics that took d. A canceled exchange does
// not change the state of the upstream. It returns how long the upstream was down if it is up
// again; else 0.
func (o *Observer) AddExchange(d time.Duration, samples, conflicts int64, err error) (down time.Duration) {
	if o == nil {
		return 0
	}
	o.exchanges.Observe(d.Seconds())
	o.samples.Add(float64(samples))
	o.conflicts.Add(float64(conflicts))
	if err != nil {
		o.AddError(upstream.ReasonOf(err))
		if upstream.ReasonOf(err) == upstream.ReasonCanceled {
			return 0
		}
	}
	return o.setUp(err)
}

// setUp records the result of an exchange: the upstream is up if err is nil. It returns how long it
// was down if it is up again.
func (o *Observer) setUp(err error) (down time.Duration) {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	state := &o.history.upstream
	if up := err == nil; up != state.Up || state.Since.IsZero() {
		now := time.Now()
		if up && !state.Since.IsZero() {
			down = now.Sub(state.Since)
		}
		state.Up, state.Since = up, now
	}
	state.Err = err
	value := 0.0
	if state.Up {
		value = 1
	}
	o.up.Set(value)
	return down
}
