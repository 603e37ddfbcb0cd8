package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/expiry"
	"github.com/metrics-gate/metrics-gate/proxy"
)

// Report is everything on the page, and its JSON.
type Report struct {
	Version  string               `json:"version"`
	Started  time.Time            `json:"started"`
	NotReady string               `json:"not_ready,omitempty"` // why; empty when ready
	Listen   string               `json:"listen"`
	TLS      bool                 `json:"tls"`
	Upstream string               `json:"upstream"`
	Runner   runnerStatus         `json:"runner"`
	Label    string               `json:"label"`
	Conflict string               `json:"conflict"`
	Methods  []string             `json:"authentication"`
	Rights   []config.RouteRights `json:"authorization"`
	Scrapes  []Scrape             `json:"scrapes"`
	Refusals []count              `json:"refusals"`
	Limits   []limitStatus        `json:"limits"`
	Expiry   []expiry.Entry       `json:"expiry"`
	Issuers  []issuerStatus       `json:"issuers,omitempty"`
}

// runnerStatus tells of the last exchange with the runner.
type runnerStatus struct {
	State string    `json:"state"` // up, down, or not asked yet
	Since time.Time `json:"since,omitzero"`
}

// Scrape is one of the last scrapes.
type Scrape struct {
	Who      string        `json:"who"`
	At       time.Time     `json:"at"`
	Duration time.Duration `json:"duration_nanoseconds"`
	Samples  int64         `json:"samples"`
	Result   string        `json:"result"` // the HTTP status, or cut
	Good     bool          `json:"good"`
	Shared   bool          `json:"shared,omitempty"`
}

// LimiterIdentity is the limiter of authenticated identities, as the metrics label it.
const LimiterIdentity = "identity"

// count is how often something happened since the start.
type count struct {
	What    string `json:"what"`
	Times   int64  `json:"times"`
	Limiter string `json:"limiter,omitempty"` // of a 429: LimiterIdentity or failures
}

// limitStatus is how near a limit is.
type limitStatus struct {
	What     string  `json:"what"`
	Variable string  `json:"variable"`
	Now      string  `json:"now"`
	Most     string  `json:"most"`
	Share    float64 `json:"share"` // of the limit: 1 is reached
}

// Near tells whether the limit wants attention.
func (l limitStatus) Near() bool { return l.Share >= 0.8 }

// Percent is Share for a person.
func (l limitStatus) Percent() string { return fmt.Sprintf("%.0f %%", 100*l.Share) }

// issuerStatus says when the keys of an issuer were had last.
type issuerStatus struct {
	Issuer string    `json:"issuer"`
	Keys   time.Time `json:"keys,omitzero"`
}

// report gathers what is to be seen now.
func (s *status) report() (*Report, error) {
	families, err := s.Gatherer.Gather()
	if err != nil {
		return nil, err
	}
	now := s.now()
	r := &Report{
		Version: s.Version, Started: s.started, Listen: s.Listen, TLS: !s.Config.TLS.InsecureHTTP,
		Upstream: config.RedactURL(s.Config.Upstream.URL.String()), Runner: s.runner(),
		Label: s.Config.Label.Name, Conflict: s.Config.Label.Conflict.String(), Methods: s.Config.MethodNames(),
		Refusals: refusals(families), Expiry: s.Expiry(now), Issuers: issuerKeys(families),
	}
	if err := s.Ready(now); err != nil {
		r.NotReady = err.Error()
	}
	r.Rights = s.Config.Rights()
	scrapes := s.Recent()
	for _, scrape := range scrapes {
		r.Scrapes = append(r.Scrapes, scrapeOf(scrape))
	}
	r.Limits = s.limits(families, scrapes)
	return r, nil
}

func (s *status) runner() runnerStatus {
	up, since := s.Upstream()
	switch {
	case since.IsZero():
		return runnerStatus{State: "not asked yet"}
	case up:
		return runnerStatus{"up", since}
	}
	return runnerStatus{"down", since}
}

func scrapeOf(s proxy.Scrape) Scrape {
	result := fmt.Sprint(s.Code)
	if s.Code == 0 {
		result = "cut"
	}
	return Scrape{s.Who, s.At, s.Duration, s.Samples, result, s.Code == 200, s.Shared}
}

// value is the present value of a counter or gauge.
func value(m *dto.Metric) float64 {
	if m.GetGauge() != nil {
		return m.GetGauge().GetValue()
	}
	return m.GetCounter().GetValue()
}

// label is the value of a label of m.
func label(m *dto.Metric, name string) string {
	for _, pair := range m.GetLabel() {
		if pair.GetName() == name {
			return pair.GetValue()
		}
	}
	return ""
}

// each calls do for every series of the family.
func each(families []*dto.MetricFamily, name string, do func(*dto.Metric)) {
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				do(m)
			}
		}
	}
}

// refusals counts what was refused, by reason, the commonest first; what never
// happened is left out.
func refusals(families []*dto.MetricFamily) []count {
	var list []count
	add := func(m *dto.Metric, format string, args ...any) {
		if n := int64(value(m)); n > 0 {
			list = append(list, count{What: fmt.Sprintf(format, args...), Times: n, Limiter: label(m, "limiter")})
		}
	}
	each(families, "metrics_gate_authentications_total", func(m *dto.Metric) {
		if result := label(m, "result"); result != "success" {
			add(m, "401 %s: %s", label(m, "method"), result)
		}
	})
	each(families, "metrics_gate_authorizations_denied_total",
		func(m *dto.Metric) { add(m, "403 %s: not allowed", label(m, "route")) })
	each(families, "metrics_gate_rate_limited_total",
		func(m *dto.Metric) { add(m, "429 %s: too fast", label(m, "limiter")) })
	each(families, "metrics_gate_upstream_errors_total",
		func(m *dto.Metric) { add(m, "runner: %s", label(m, "reason")) })
	each(families, "metrics_gate_reloads_total", func(m *dto.Metric) {
		if label(m, "result") == "error" {
			add(m, "reload of %s refused", label(m, "what"))
		}
	})
	slices.SortStableFunc(list, func(a, b count) int {
		if a.Times != b.Times {
			return int(b.Times - a.Times)
		}
		return strings.Compare(a.What, b.What)
	})
	return list
}

func issuerKeys(families []*dto.MetricFamily) []issuerStatus {
	var list []issuerStatus
	each(families, "metrics_gate_jwks_last_success_timestamp_seconds", func(m *dto.Metric) {
		i := issuerStatus{Issuer: label(m, "issuer")}
		if seconds := value(m); seconds > 0 {
			i.Keys = time.Unix(int64(seconds), 0)
		}
		list = append(list, i)
	})
	return list
}
