package gate

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// pollInterval is how often files are compared; a change is noticed within 10 s.
const pollInterval = 5 * time.Second

// reloadable is a set of files that is loaded whole or not at all.
type reloadable struct {
	what   string // the metric label, from a fixed set
	reload func() (changed bool, err error)
	last   string // the error that was logged last
}

// reloader polls files by content, which sees atomic renames, Kubernetes ..data swaps
// and rewrites in place alike.
type reloader struct {
	log   *slog.Logger
	total *prometheus.CounterVec // what, result
	items []*reloadable
}

func newReloader(log *slog.Logger, registry prometheus.Registerer) *reloader {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "metrics_gate_reloads_total",
		Help: "Reloads of files that changed, by what was reloaded and the result. After an error the old state stays.",
	}, []string{"what", "result"})
	registry.MustRegister(total)
	for _, what := range []string{"tls", "tokens", "jwks", "runner_name"} {
		total.WithLabelValues(what, "success")
		total.WithLabelValues(what, "error")
	}
	return &reloader{log: log, total: total}
}

func (r *reloader) add(what string, reload func() (bool, error)) {
	r.items = append(r.items, &reloadable{what: what, reload: reload})
}

// run polls until ctx ends. now asks for a reload at once; its channel is closed when done.
func (r *reloader) run(ctx context.Context, now <-chan chan struct{}) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.all(false)
		case done := <-now:
			r.all(true)
			close(done)
		}
	}
}

// all reloads everything; asked says that a person did, who wants an answer.
func (r *reloader) all(asked bool) {
	for _, item := range r.items {
		changed, err := item.reload()
		switch {
		case err != nil:
			r.total.WithLabelValues(item.what, "error").Inc()
			text := err.Error()
			if asked || item.last != text {
				r.log.Error("reload refused, the old state stays", "what", item.what, "err", err)
			}
			item.last = text
		case changed:
			r.total.WithLabelValues(item.what, "success").Inc()
			r.log.Info("reloaded", "what", item.what)
			item.last = ""
		default:
			if asked {
				r.log.Info("reload: nothing has changed", "what", item.what)
			}
			item.last = ""
		}
	}
}
