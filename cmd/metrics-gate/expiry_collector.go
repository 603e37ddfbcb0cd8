package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// expiryCollector tells when certificates and revocation lists end, as they are now.
type expiryCollector struct{ tls *tlsconf.Reloader }

func expiryDesc() *prometheus.Desc {
	return prometheus.NewDesc("metrics_gate_certificate_expiry_timestamp_seconds",
		"When the first certificate or revocation list of a role ends, in seconds since the epoch.", []string{"role"}, nil)
}

// Describe implements prometheus.Collector.
func (c expiryCollector) Describe(ch chan<- *prometheus.Desc) { ch <- expiryDesc() }

// Collect implements prometheus.Collector.
func (c expiryCollector) Collect(ch chan<- prometheus.Metric) {
	if c.tls == nil {
		return
	}
	first := map[string]time.Time{}
	for _, e := range c.tls.Expiry() {
		if t, ok := first[e.Role]; !ok || e.NotAfter.Before(t) {
			first[e.Role] = e.NotAfter
		}
	}
	for role, t := range first {
		ch <- prometheus.MustNewConstMetric(expiryDesc(), prometheus.GaugeValue, float64(t.Unix()), role)
	}
}
