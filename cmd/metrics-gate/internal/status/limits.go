package status

import (
	"fmt"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// limitStatus is how near a limit is.
type limitStatus struct {
	What     string  `json:"what"`
	Variable string  `json:"variable"`
	Now      float64 `json:"now"`
	Most     float64 `json:"most"`
	Unit     string  `json:"unit,omitempty"` // of Now and Most: unitSeconds; empty: a number
	Share    float64 `json:"share"`          // of the limit: 1 is reached
}

// unitSeconds is the unit of a time.
const unitSeconds = "seconds"

// String says how much of the limit is in use, for a person.
func (l limitStatus) String() string {
	if l.Unit == unitSeconds {
		duration := func(seconds float64) string {
			return cli.HumanDuration(time.Duration(seconds * float64(time.Second)))
		}
		return duration(l.Now) + " of " + duration(l.Most)
	}
	return fmt.Sprintf("%.3g of %.3g", l.Now, l.Most)
}

// Near tells whether the limit wants attention.
func (l limitStatus) Near() bool { return l.Share >= 0.8 }

// Percent is Share for a person.
func (l limitStatus) Percent() string { return fmt.Sprintf("%.0f %%", 100*l.Share) }

// limits says how near each limit is.
func (s *status) limits(families []*dto.MetricFamily, scrapes []proxy.Scrape) []limitStatus {
	c := s.Config
	gauge := func(name string) (v float64) {
		each(families, name, func(m *dto.Metric) { v += value(m) })
		return v
	}
	of := func(what, variable string, now, most float64) limitStatus {
		return limitStatus{What: what, Variable: config.Prefix + variable, Now: now, Most: most, Share: now / most}
	}
	rate, who := fastest(scrapes)
	fast := of("scrapes a second of one caller", "RATE_LIMIT", rate, c.Limit.Rate)
	if who != "" {
		fast.What += " (" + who + ")"
	}
	var slowest time.Duration
	for _, scrape := range scrapes {
		slowest = max(slowest, scrape.Duration)
	}
	slow := of("slowest of the last scrapes", "UPSTREAM_TIMEOUT", slowest.Seconds(), c.Upstream.Timeout.Seconds())
	slow.Unit = unitSeconds
	return []limitStatus{
		of("open connections", "MAX_CONNECTIONS", gauge("metrics_gate_connections"), float64(c.Listen.MaxConnections)),
		of("requests in flight", "MAX_IN_FLIGHT", gauge("metrics_gate_requests_in_flight"),
			float64(c.Upstream.MaxInFlight)),
		fast, slow,
	}
}

// fastest is the highest rate of one caller among the scrapes, which are newest first.
func fastest(scrapes []proxy.Scrape) (rate float64, who string) {
	type bucket struct {
		newest, oldest time.Time
		n              int
	}
	buckets := map[string]*bucket{}
	for _, scrape := range scrapes {
		b := buckets[scrape.Who]
		if b == nil {
			b = &bucket{newest: scrape.At}
			buckets[scrape.Who] = b
		}
		b.oldest = scrape.At
		b.n++
	}
	for name, b := range buckets {
		took := max(b.newest.Sub(b.oldest).Seconds(), 1) // two that come together are no rate
		if r := float64(b.n-1) / took; r > rate || (r == rate && r > 0 && name < who) {
			rate, who = r, name
		}
	}
	return rate, who
}
