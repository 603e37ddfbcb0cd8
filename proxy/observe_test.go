package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/metrics-gate/metrics-gate/proxy/internal/proxytest"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

func TestLabelsAreThereFromTheStart(t *testing.T) {
	registry := prometheus.NewRegistry()
	NewObserver(registry)
	for name, want := range map[string]int{
		"metrics_gate_requests_total":           int(Routes) * (len(codes()) + 2),
		"metrics_gate_request_duration_seconds": int(Routes),
		"metrics_gate_rate_limited_total":       limiters, "metrics_gate_upstream_errors_total": int(upstream.Reasons),
		"metrics_gate_requests_in_flight": 1, "metrics_gate_upstream_up": 1,
		"metrics_gate_upstream_duration_seconds": 1,
		"metrics_gate_samples_labelled_total":    1, "metrics_gate_label_conflicts_total": 1,
	} {
		if n, err := testutil.GatherAndCount(registry, name); err != nil || n != want {
			t.Errorf("%s: %d series, want %d; %v", name, n, want, err)
		}
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	seen := map[string]bool{}
	for r := range upstream.Reasons {
		if seen[r.String()] || r.String() == "" {
			t.Errorf("reason %d is %q again", r, r)
		}
		seen[r.String()] = true
	}
}

func TestMiddlewareCounts(t *testing.T) {
	registry := prometheus.NewRegistry()
	o := NewObserver(registry)
	serve := func(target string, h http.HandlerFunc) {
		defer func() { _ = recover() }()
		o.Middleware(h).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
	}
	for _, c := range []struct {
		target, route, code string
		h                   http.HandlerFunc
	}{
		{
			"/metrics?x=y", "metrics", "200",
			func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") },
		},
		{"/gate/metrics", "gate_metrics", "200", func(http.ResponseWriter, *http.Request) {}},
		{"/debug/pprof/heap", "pprof", "403", func(w http.ResponseWriter, _ *http.Request) { Refuse(w, 403) }},
		{
			"/metricsx", "other", "404",
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(500) },
		},
		{"/debug/pprof", "other", "other", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }},
		{"/", "other", "503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(503) }},
		{
			"/metrics", "metrics", "aborted",
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); panic(http.ErrAbortHandler) },
		},
		{"/debug/pprof/", "pprof", "aborted", func(http.ResponseWriter, *http.Request) { panic("defect") }},
	} {
		before := proxytest.Metric(t, registry, "metrics_gate_requests_total", "route", c.route, "code", c.code)
		serve(c.target, c.h)
		n := proxytest.Metric(t, registry, "metrics_gate_requests_total", "route", c.route, "code", c.code)
		if n != before+1 {
			t.Errorf("%s: %s %s counted %v times", c.target, c.route, c.code, n-before)
		}
	}
	serve("/metrics", func(http.ResponseWriter, *http.Request) {
		if proxytest.Metric(t, registry, "metrics_gate_requests_in_flight") != 1 {
			t.Error("not in flight")
		}
	})
	if proxytest.Metric(t, registry, "metrics_gate_requests_in_flight") != 0 {
		t.Error("in flight for ever")
	}
}

func TestMiddlewareLetsPanicsPass(t *testing.T) {
	o := NewObserver(prometheus.NewRegistry())
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("panic %v", p)
		}
	}()
	o.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

func TestStatusRecorderUnwraps(t *testing.T) {
	below := httptest.NewRecorder()
	if err := http.NewResponseController(NewStatusRecorder(below)).Flush(); err != nil || !below.Flushed {
		t.Errorf("flush: %v", err)
	}
}

func TestHistory(t *testing.T) {
	o := NewObserver(prometheus.NewRegistry())
	if o.Upstream() != (UpstreamState{}) || len(o.Recent()) != 0 {
		t.Error("history before anything happened")
	}
	for i := range historySize + 3 {
		o.AddScrape(Scrape{Samples: int64(i)})
		if list := o.Recent(); list[0].Samples != int64(i) || len(list) != min(i+1, historySize) ||
			list[len(list)-1].Samples != int64(max(0, i+1-historySize)) {
			t.Fatalf("after %d: %v", i, list)
		}
	}
	o.AddExchange(time.Second, 3, 1, nil)
	first := o.Upstream()
	o.AddExchange(time.Second, 3, 1, nil)
	o.AddExchange(time.Second, 0, 0, upstream.ErrCanceled)
	if !first.Up || first.Since.IsZero() || o.Upstream() != first {
		t.Error("up since changes")
	}
	o.SetRunnerVersion("19.3.0")
	if down := o.AddExchange(time.Second, 0, 0, io.EOF); down != 0 {
		t.Errorf("down for %s at once", down)
	}
	if now := o.Upstream(); now.Up || !now.Since.After(first.Since) || now.Err != io.EOF || now.Version != "19.3.0" {
		t.Errorf("down: %+v", now)
	}
	since := o.Upstream().Since
	down := o.AddExchange(time.Second, 3, 1, nil)
	if now := o.Upstream(); !now.Up || now.Err != nil || down != now.Since.Sub(since) || down <= 0 {
		t.Errorf("up again after %s: %+v", down, now)
	}
	var none *Observer
	none.AddScrape(Scrape{})
	none.AddExchange(0, 0, 0, nil)
	none.addLimited(limiterIdentity)
	none.AddError(upstream.ReasonOther)
	none.SetRunnerVersion("")
}

func TestObserverAllocatesLittle(t *testing.T) {
	o := NewObserver(prometheus.NewRegistry())
	h := o.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w, r := discardWriter{}, httptest.NewRequest("GET", "/metrics", nil)
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n > 1 {
		t.Errorf("%v allocations a request, want the recorder alone", n)
	}
	if n := testing.AllocsPerRun(100, func() { o.AddScrape(Scrape{}); o.setUp(nil) }); n > 0 {
		t.Errorf("history: %v allocations", n)
	}
	if codes := codes(); !slices.IsSorted(codes) {
		t.Error("codes are not in order")
	}
}

// discardWriter is a response that goes nowhere.
type discardWriter struct{}

func (discardWriter) Header() http.Header         { return nil }
func (discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (discardWriter) WriteHeader(int)             {}
