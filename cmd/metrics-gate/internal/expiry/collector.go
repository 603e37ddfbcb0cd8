package expiry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/tlsconf"
)

// Collector tells when certificates and revocation lists end, as they are now.
type Collector struct{ TLS *tlsconf.Reloader }

func expiryDesc() *prometheus.Desc {
	return prometheus.NewDesc("metrics_gate_certificate_expiry_timestamp_seconds",
		"When the first certificate or revocation list of a role ends, in seconds since the epoch.", []string{"role"},
		nil)
}

// Describe implements prometheus.Collector.
func (c Collector) Describe(ch chan<- *prometheus.Desc) { ch <- expiryDesc() }

// Collect implements prometheus.Collector.
func (c Collector) Collect(ch chan<- prometheus.Metric) {
	if c.TLS == nil {
		return
	}
	first := map[string]time.Time{}
	for _, e := range c.TLS.Expiry() {
		if t, ok := first[e.Role]; !ok || e.NotAfter.Before(t) {
			first[e.Role] = e.NotAfter
		}
	}
	for role, t := range first {
		ch <- prometheus.MustNewConstMetric(expiryDesc(), prometheus.GaugeValue, float64(t.Unix()), role)
	}
}
