package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// LimiterIdentity is the limiter of authenticated identities, as the metrics label it.
const LimiterIdentity = "identity"

// count is how often something happened since the start.
type count struct {
	What    string `json:"what"`
	Times   int64  `json:"times"`
	Limiter string `json:"limiter,omitempty"` // of what came too fast: LimiterIdentity or failures
}

// issuerStatus says when the keys of an issuer were had last.
type issuerStatus struct {
	Issuer string    `json:"issuer"`
	Keys   time.Time `json:"keys,omitzero"`
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

// refusals counts what was refused or failed, by reason, the commonest first; what never happened is
// left out. A failed authentication may have been a handshake, which has no status.
func refusals(families []*dto.MetricFamily) []count {
	list := []count{}
	add := func(m *dto.Metric, format string, args ...any) {
		if n := int64(value(m)); n > 0 {
			list = append(list, count{What: fmt.Sprintf(format, args...), Times: n, Limiter: label(m, "limiter")})
		}
	}
	each(families, "metrics_gate_authentications_total", func(m *dto.Metric) {
		if result := label(m, "result"); result != "success" {
			add(m, "authentication %s: %s", label(m, "method"), result)
		}
	})
	each(families, "metrics_gate_authorizations_denied_total",
		func(m *dto.Metric) { add(m, "403 %s: not allowed", label(m, "route")) })
	each(families, "metrics_gate_rate_limited_total", func(m *dto.Metric) {
		if label(m, "limiter") == LimiterIdentity {
			add(m, "429 identity: too fast")
			return
		}
		add(m, "failures over FAILURE_RATE_LIMIT (also counted by reason)")
	})
	each(families, "metrics_gate_upstream_errors_total",
		func(m *dto.Metric) { add(m, "scrape of the runner failed: %s", label(m, "reason")) })
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

// lastAllowed is when the allow lists last allowed a request; zero: never.
func lastAllowed(families []*dto.MetricFamily) (at time.Time) {
	each(families, "metrics_gate_rule_last_used_timestamp_seconds", func(m *dto.Metric) {
		if used := time.UnixMilli(int64(1000 * value(m))).UTC(); value(m) > 0 && used.After(at) {
			at = used
		}
	})
	return at
}
