package status

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/configtest"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// Programs read the page as JSON, metrics-gate doctor among them: its fields keep their names.
func TestFieldsOfStatusJSON(t *testing.T) {
	s := statusOf(t, func(s *status) {
		s.Ready = func(time.Time) error { return errors.New("not yet") }
		recent := s.Recent
		s.Recent = func() []proxy.Scrape {
			list := recent()
			list[0].Shared, list[0].Digest = true, "0badcafe"
			return list
		}
		limited := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "metrics_gate_rate_limited_total"},
			[]string{"limiter"})
		limited.WithLabelValues(LimiterIdentity).Inc()
		s.Gatherer.(*prometheus.Registry).MustRegister(limited)
	})
	const want = `at
authentication[]
authorization[].allow[]
authorization[].routes
authorization[].variable
conflict
expiry[].days
expiry[].not_after
expiry[].role
expiry[].subject
findings[].advice
findings[].level
findings[].what
issuers[].issuer
issuers[].keys
label
last_allowed
last_refusals[].advice
last_refusals[].at
last_refusals[].err
last_refusals[].first
last_refusals[].issuer
last_refusals[].method
last_refusals[].msg
last_refusals[].reason
last_refusals[].remote
last_refusals[].subject
last_refusals[].times
limits[].most
limits[].now
limits[].share
limits[].unit
limits[].variable
limits[].what
listen
not_ready
refusals[].limiter
refusals[].times
refusals[].what
reloads[].advice
reloads[].err
reloads[].err_at
reloads[].failing
reloads[].loaded
reloads[].what
runner.err
runner.name
runner.reason
runner.since
runner.state
runner.version
scrapers[].address
scrapers[].failed
scrapers[].interval
scrapers[].last_success
scrapers[].latest.at
scrapers[].latest.bytes
scrapers[].latest.duration
scrapers[].latest.encoding
scrapers[].latest.err
scrapers[].latest.format
scrapers[].latest.good
scrapers[].latest.reason
scrapers[].latest.remote
scrapers[].latest.samples
scrapers[].latest.status
scrapers[].latest.subject
scrapers[].scrapes
scrapers[].subject
scrapes[].at
scrapes[].bytes
scrapes[].digest
scrapes[].duration
scrapes[].encoding
scrapes[].err
scrapes[].format
scrapes[].good
scrapes[].reason
scrapes[].remote
scrapes[].samples
scrapes[].shared
scrapes[].status
scrapes[].subject
started
tls
upstream
version
`
	if got := configtest.Fields(t, getPage(s, "application/json").Body.Bytes()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Every kind of refusal is counted on the page by its own words, the most frequent first;
// what never happened is not there.
func TestRefusalsOnThePage(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := func(name string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name}, labels)
		registry.MustRegister(v)
		return v
	}
	counter("metrics_gate_authorizations_denied_total", "route").WithLabelValues("pprof").Add(90)
	limited := counter("metrics_gate_rate_limited_total", "limiter")
	limited.WithLabelValues("failures").Add(80)
	limited.WithLabelValues(LimiterIdentity).Add(75)
	reloads := counter("metrics_gate_reloads_total", "what", "result")
	reloads.WithLabelValues("tls", "error").Add(70)
	reloads.WithLabelValues("tls", "success").Add(700)
	failed := counter("metrics_gate_upstream_errors_total", "reason")
	want := []string{"403 pprof: not allowed 90", "failures over FAILURE_RATE_LIMIT (also counted by reason) 80",
		"429 identity: too fast 75", "reload of tls refused 70"}
	for r := range upstream.Reasons {
		times := 60 - int(r)
		failed.WithLabelValues(r.String()).Add(float64(times))
		want = append(want, fmt.Sprintf("scrape of the runner failed: %s %d", r, times))
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range refusals(families) {
		got = append(got, fmt.Sprintf("%s %d", c.What, c.Times))
		if (c.Limiter != "") != (c.Times == 80 || c.Times == 75) {
			t.Errorf("%+v", c)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A limit is near from four fifths on.
func TestLimitsThatAreNear(t *testing.T) {
	for share, want := range map[float64]bool{0: false, 0.79: false, 0.8: true, 1: true, 1.5: true} {
		l := limitStatus{Share: share}
		if l.Near() != want || l.Percent() != fmt.Sprintf("%.0f %%", 100*share) {
			t.Errorf("%v: near %v, %s", share, l.Near(), l.Percent())
		}
	}
}
