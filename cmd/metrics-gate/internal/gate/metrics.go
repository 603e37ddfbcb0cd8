package gate

import (
	"bytes"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/exposition"
)

// metrics are the gate's own that belong to no leaf.
type metrics struct {
	Registry    *prometheus.Registry
	Connections prometheus.Gauge
}

// NewMetrics registers them, and those of the runtime and the process, in a registry of their own.
func NewMetrics(b cli.Build) *metrics {
	m := &metrics{
		Registry: prometheus.NewRegistry(),
		Connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "metrics_gate_connections", Help: "Open connections of the public listener.",
		}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "metrics_gate_build_info",
		Help:        "A constant 1, labelled with the version, the revision and the Go version.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": b.GoVersion},
	})
	info.Set(1)
	m.Registry.MustRegister(m.Connections, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// ownMetrics serves the gate's own metrics with the labels of the runner's: the samples of
// twenty gates must be told apart by the runner's name, not by an address.
func ownMetrics(gatherer prometheus.Gatherer, labels func() *exposition.Labels) http.Handler {
	unlabelled := promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{DisableCompression: true})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &bufferedAnswer{ResponseWriter: w, status: http.StatusOK}
		unlabelled.ServeHTTP(answer, r)
		format, err := exposition.FormatOf(w.Header().Get("Content-Type"))
		if err != nil || answer.status != http.StatusOK {
			proxy.Refuse(w, http.StatusInternalServerError)
			return
		}
		reader := exposition.NewReader(&answer.body, format, labels(), exposition.Limits{})
		if _, err := io.Copy(w, reader); err != nil {
			panic(http.ErrAbortHandler) // an exposition that breaks off must not look complete
		}
	})
}

// bufferedAnswer keeps an answer back, but for its header.
type bufferedAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (a *bufferedAnswer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *bufferedAnswer) Write(p []byte) (int, error) { return a.body.Write(p) }
