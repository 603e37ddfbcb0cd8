package gate

import (
	"context"
	"log/slog"
	"sync"
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
	state  reloadState
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
		item.state.record(time.Now(), changed, err)
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

// ReloadState is what became of the reloads of one set of files.
type ReloadState struct {
	What    string    // the set, as the metric names it
	Loaded  time.Time // when a changed set was loaded last; zero: not since the start
	Err     string    // the last error; empty: none since the start
	ErrAt   time.Time // when it was seen last
	Failing bool      // the set as it is now is refused, and an older state is in use
}

// reloadState guards a ReloadState.
type reloadState struct {
	mu    sync.Mutex
	state ReloadState
}

// record stores the result of a look at the files.
func (s *reloadState) record(now time.Time, changed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Failing = err != nil
	switch {
	case err != nil:
		s.state.Err, s.state.ErrAt = err.Error(), now
	case changed:
		s.state.Loaded = now
	}
}

// Reloads returns the state of each set of files.
func (g *Gate) Reloads() []ReloadState {
	var list []ReloadState
	for _, item := range g.reloader.items {
		item.state.mu.Lock()
		state := item.state.state
		item.state.mu.Unlock()
		state.What = item.what
		list = append(list, state)
	}
	return list
}
