package demo

import (
	"context"
	"math/rand/v2"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// standIn has the families of a GitLab Runner 19.3 that its users watch, with the labels
// that the runner gives them (runner_name among them) and values that move.
type standIn struct {
	registry *prometheus.Registry
	jobs     *prometheus.GaugeVec
	total    *prometheus.CounterVec
	failed   *prometheus.CounterVec
	duration *prometheus.HistogramVec
	queue    *prometheus.HistogramVec
	statuses *prometheus.CounterVec
	requests *prometheus.HistogramVec
	runners  []prometheus.Labels
}

// newStandIn starts moving its values, until ctx ends.
func newStandIn(ctx context.Context) *standIn {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f := promauto.With(registry)
	rns := func(more ...string) []string { return append([]string{"runner", "runner_name", "system_id"}, more...) }
	s := &standIn{
		registry: registry,
		jobs: f.NewGaugeVec(prometheus.GaugeOpts{Name: "gitlab_runner_jobs",
			Help: "The current number of running builds."}, rns("state", "stage", "executor_stage")),
		total: f.NewCounterVec(prometheus.CounterOpts{Name: "gitlab_runner_jobs_total",
			Help: "Total number of handled jobs"}, rns()),
		failed: f.NewCounterVec(prometheus.CounterOpts{Name: "gitlab_runner_failed_jobs_total",
			Help: "Total number of failed jobs"}, []string{"runner", "runner_name", "failure_reason", "mode"}),
		duration: f.NewHistogramVec(prometheus.HistogramOpts{Name: "gitlab_runner_job_duration_seconds",
			Help:    "Histogram of job durations",
			Buckets: []float64{30, 60, 300, 600, 1800, 3600, 7200, 10800, 18000, 36000}}, rns("mode")),
		queue: f.NewHistogramVec(prometheus.HistogramOpts{Name: "gitlab_runner_job_queue_duration_seconds",
			Help:    "A histogram representing job queue duration.",
			Buckets: []float64{1, 3, 10, 30, 60, 120, 300, 900, 1800, 3600}}, rns("project_jobs_running")),
		statuses: f.NewCounterVec(prometheus.CounterOpts{Name: "gitlab_runner_api_request_statuses_total",
			Help: "The total number of api requests, partitioned by runner, system_id, endpoint and status."},
			[]string{"runner", "system_id", "endpoint", "status", "method"}),
		requests: f.NewHistogramVec(prometheus.HistogramOpts{Name: "gitlab_runner_api_request_duration_seconds",
			Help: "Latency histogram of API requests made by GitLab Runner, partitioned by runner, system_id, " +
				"endpoint, status_class and method.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}},
			[]string{"runner", "system_id", "endpoint", "status_class", "method"}),
	}
	limit := f.NewGaugeVec(prometheus.GaugeOpts{Name: "gitlab_runner_limit",
		Help: "The current value of concurrent setting"}, rns())
	for _, r := range [][2]string{{"AAAAdemo0", "build-linux-01"}, {"BBBBdemo0", "deploy-linux-01"}} {
		labels := prometheus.Labels{"runner": r[0], "runner_name": r[1], "system_id": "s_demo00000000"}
		s.runners = append(s.runners, labels)
		limit.With(labels).Set(10)
	}
	constants(f)
	s.move(50)
	go s.run(ctx)
	return s
}

// constants are the families that do not move.
func constants(f promauto.Factory) {
	f.NewGauge(prometheus.GaugeOpts{Name: "gitlab_runner_concurrent",
		Help: "The current value of concurrent setting"}).Set(4)
	f.NewGauge(prometheus.GaugeOpts{Name: "gitlab_runner_worker_slots_number",
		Help: "Current number of runner worker slots"}).Set(4)
	f.NewCounter(prometheus.CounterOpts{Name: "gitlab_runner_configuration_loaded_total",
		Help: "Total number of times the configuration file was loaded by Runner process"}).Inc()
	caught := f.NewCounterVec(prometheus.CounterOpts{Name: "gitlab_runner_errors_total",
		Help: "The number of caught errors."}, []string{"level"})
	for _, level := range []string{"error", "fatal", "panic", "warning"} {
		caught.WithLabelValues(level)
	}
	f.NewGauge(prometheus.GaugeOpts{
		Name: "gitlab_runner_version_info",
		Help: "A metric with a constant '1' value labeled by different build stats fields.",
		ConstLabels: prometheus.Labels{
			"architecture": runtime.GOARCH, "branch": "demo", "built_at": "1970-01-01T00:00:00Z",
			"go_version": runtime.Version(),
			"name":       "gitlab-runner", "os": runtime.GOOS, "revision": "demo", "version": "19.3.0",
		},
	}).Set(1)
}

func (s *standIn) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.move(1)
		}
	}
}

// move lets n jobs end on each runner.
func (s *standIn) move(n int) {
	for _, r := range s.runners {
		with := func(more prometheus.Labels) prometheus.Labels {
			for k, v := range r {
				more[k] = v
			}
			return more
		}
		api := prometheus.Labels{"runner": r["runner"], "system_id": r["system_id"], "endpoint": "request_job",
			"method": "post"}
		for range n {
			s.total.With(r).Inc()
			s.duration.With(with(prometheus.Labels{"mode": "traditional"})).Observe(rand.ExpFloat64() * 240)
			s.queue.With(with(prometheus.Labels{"project_jobs_running": "1"})).Observe(rand.ExpFloat64() * 8)
			if rand.IntN(12) == 0 {
				s.failed.With(prometheus.Labels{"runner": r["runner"], "runner_name": r["runner_name"],
					"failure_reason": "script_failure", "mode": "traditional"}).Inc()
			}
			api["status_class"] = "2xx"
			s.requests.With(api).Observe(rand.ExpFloat64() / 8)
			delete(api, "status_class")
			api["status"] = "201"
			s.statuses.With(api).Inc()
			delete(api, "status")
		}
		s.jobs.With(with(prometheus.Labels{"state": "running", "stage": "step_script",
			"executor_stage": "docker_run"})).Set(float64(rand.IntN(4)))
	}
}

func (s *standIn) handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{})
}
