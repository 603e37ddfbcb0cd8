package doctor

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// prometheus3 is the scrape loop of Prometheus 3 without rules and queries, as an
// agent: its HTTP API answers /api/v1/targets alone.
type prometheus3 struct{ manager *scrape.Manager }

// startPrometheus3 scrapes by the configuration text until the test ends.
func startPrometheus3(t *testing.T, text string) *prometheus3 {
	t.Helper()
	c, err := config.Load(text, promslog.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	manager, err := scrape.NewManager(&scrape.Options{}, nil, nil, db, nil, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	// Like the real server, a job whose files cannot be read gets no targets.
	_ = manager.ApplyConfig(c)
	groups := map[string][]*targetgroup.Group{}
	for _, job := range c.ScrapeConfigs {
		for _, found := range job.ServiceDiscoveryConfigs {
			if static, ok := found.(discovery.StaticConfig); ok {
				groups[job.JobName] = append(groups[job.JobName], static...)
			}
		}
	}
	updates := make(chan map[string][]*targetgroup.Group, 1)
	updates <- groups
	go func() { _ = manager.Run(updates) }()
	t.Cleanup(manager.Stop)
	return &prometheus3{manager}
}

// ServeHTTP answers /api/v1/targets as web/api/v1 of Prometheus does.
func (p *prometheus3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/v1/targets" {
		http.Error(w, `{"status":"error","error":"unavailable with Prometheus Agent"}`, http.StatusUnprocessableEntity)
		return
	}
	active, dropped := []map[string]any{}, []map[string]any{}
	builder := labels.NewBuilder(labels.EmptyLabels())
	for pool, list := range p.manager.TargetsActive() {
		for _, t := range list {
			text := ""
			if err := t.LastError(); err != nil {
				text = err.Error()
			}
			active = append(active, map[string]any{
				"discoveredLabels": t.DiscoveredLabels(builder), "labels": t.Labels(builder), "scrapePool": pool,
				"scrapeUrl": t.URL().String(), "lastError": text, "lastScrape": t.LastScrape(),
				"lastScrapeDuration": t.LastScrapeDuration().Seconds(), "health": t.Health(),
				"scrapeInterval": t.GetValue("__scrape_interval__"), "scrapeTimeout": t.GetValue("__scrape_timeout__"),
			})
		}
	}
	for _, list := range p.manager.TargetsDropped() {
		for _, t := range list {
			dropped = append(dropped, map[string]any{"discoveredLabels": t.DiscoveredLabels(builder)})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success",
		"data": map[string]any{"activeTargets": active, "droppedTargets": dropped}})
}

// awaitTargets waits until every target has been scraped for 3 s.
func (p *prometheus3) awaitTargets(t *testing.T) {
	t.Helper()
	begin := time.Now()
	harness.Eventually(t, "targets are scraped", func() bool {
		count := 0
		for _, list := range p.manager.TargetsActive() {
			for _, target := range list {
				if target.Health() == scrape.HealthUnknown || target.LastScrape().Before(begin.Add(2*time.Second)) {
					return false
				}
				count++
			}
		}
		return count > 0
	})
}

// Doctor explains the error texts of Prometheus 3 as those of Prometheus 2. Faults that
// only queries and rules show are left to the real server.
func TestDoctorReadsPrometheus3(t *testing.T) {
	needsQueries := map[string]bool{"no-ca-file": true, "dropped-samples": true, "duplicates": true,
		"same-name": true}
	var all []fault
	for _, f := range faults() {
		if !needsQueries[f.name] {
			f.also = append(f.also, "answers no query")
			all = append(all, f)
		}
	}
	sites, text := startSites(t, all)
	p := startPrometheus3(t, globals+"scrape_configs:\n"+text)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.awaitTargets(t)
	t.Run("faults", func(t *testing.T) {
		for i, f := range all {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				judge(t, f, ask(t, sites[i], strings.TrimSuffix(server.URL, "/")))
			})
		}
	})
}
