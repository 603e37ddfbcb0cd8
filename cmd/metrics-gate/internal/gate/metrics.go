package gate

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// metrics are the gate's own that belong to no leaf.
type metrics struct {
	Registry    *prometheus.Registry
	Connections prometheus.Gauge
}

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
