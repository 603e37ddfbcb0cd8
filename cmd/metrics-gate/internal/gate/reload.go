package gate

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/filewatch"
	"github.com/metrics-gate/metrics-gate/tlsconf"
)

const (
	// lookInterval is the time between two looks at files of which no event tells, or of which
	// the last reading says nothing for good. A change is noticed within 10 s.
	lookInterval = 9 * time.Second
	// restInterval is the time between two looks at all other files.
	restInterval = time.Minute
	// longRest is the same for a gate that has next to nothing to do.
	longRest = 5 * time.Minute
	// settleDelay is the time between an event and the reading: files of a set change one
	// after the other.
	settleDelay = 2 * time.Second
)

// reloadable is a set of files that is loaded whole or not at all.
type reloadable struct {
	what   string // the metric label, from a fixed set
	files  *filewatch.Files
	reload func() (changed bool, err error)
	last   string // the error that was logged last
	state  reloadState
}

// reloader reloads files that change: by atomic rename, by a swap of Kubernetes' ..data, or
// in place.
type reloader struct {
	log   *slog.Logger
	total *prometheus.CounterVec // what, result
	items []*reloadable
	watch *filewatch.Watch // nil: no event tells of a change
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

// add adds the files at paths, of which "" is none. Without files, reload is asked at each look,
// each lookInterval.
func (r *reloader) add(what string, reload func() (bool, error), paths ...string) {
	r.items = append(r.items, &reloadable{what: what, files: filewatch.New(paths...), reload: reload})
}

// run reloads what changes until ctx ends. now asks for a reload at once; its channel is
// closed when done. upkeep is called after each look, because every timer more would wake the
// process more often, and reports whether the next call can be late.
func (r *reloader) run(ctx context.Context, now <-chan chan struct{}, upkeep func(time.Time) (quiet bool)) {
	defer r.unwatch()
	r.rewatch()
	timer := time.NewTimer(lookInterval)
	defer timer.Stop()
	for {
		var changed <-chan struct{}
		if r.watch != nil {
			changed = r.watch.Changed()
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
			r.unwatch()
			timer.Reset(settleDelay)
		case <-timer.C:
			r.look(false)
			timer.Reset(r.pause(upkeep(time.Now())))
		case done := <-now:
			r.look(true)
			quiet := upkeep(time.Now())
			close(done)
			timer.Reset(r.pause(quiet))
		}
	}
}

// look reloads what has changed, and everything if a person asked.
func (r *reloader) look(asked bool) {
	r.rewatch()
	r.all(asked)
}

// rewatch lets events tell of changes from now on, if they can. A mount over the files sends no event,
// so a watch may be one of files that are hidden now. That matters only if nobody looks often.
func (r *reloader) rewatch() {
	var err error
	switch paths := r.paths(); {
	case len(paths) == 0:
	case r.watch == nil:
		r.watch, err = filewatch.NewWatch(paths)
	case !r.polls():
		if err = r.watch.Add(paths); err != nil {
			r.unwatch()
		}
	}
	if err != nil {
		r.log.Debug("files are looked at instead of watched", "err", err)
	}
}

// polls reports whether there is a set without files, which is asked each lookInterval.
func (r *reloader) polls() bool {
	return slices.ContainsFunc(r.items, func(i *reloadable) bool { return len(i.files.Paths()) == 0 })
}

func (r *reloader) paths() (all []string) {
	for _, item := range r.items {
		all = append(all, item.files.Paths()...)
	}
	return all
}

func (r *reloader) unwatch() {
	if r.watch != nil {
		r.watch.Close()
		r.watch = nil
	}
}

// pause is the time until the next look of a gate that is quiet, or not.
func (r *reloader) pause(quiet bool) time.Duration {
	switch {
	case len(r.items) > 0 && r.watch == nil, r.polls(),
		slices.ContainsFunc(r.items, func(i *reloadable) bool { return !i.files.Settled() }):
		return lookInterval
	case quiet:
		return longRest
	}
	return restInterval
}

// all reloads what may have changed, or everything if asked: a person did, who wants an answer.
func (r *reloader) all(asked bool) {
	for _, item := range r.items {
		if !item.files.Changed(time.Now()) && !asked {
			continue
		}
		changed, err := item.reload()
		item.state.record(time.Now(), changed, err)
		switch {
		case err != nil:
			r.total.WithLabelValues(item.what, "error").Inc()
			text := err.Error()
			if asked || item.last != text {
				r.log.Error("reload refused, the old state stays", "what", item.what, "err", err,
					"advice", reloadAdvice(err))
			}
			item.last = text
			item.files.Forget()
		case changed, item.last != "": // or a bad file is good again
			r.total.WithLabelValues(item.what, "success").Inc()
			r.log.Info("reloaded", "what", item.what)
			item.last = ""
		default:
			if asked {
				r.log.Info("reload: nothing has changed", "what", item.what,
					"advice", "after a change of the environment restart the gate: it reads only files again")
			}
		}
	}
}

// reloadAdvice says what to do about err of a reload.
func reloadAdvice(err error) string {
	var all []string
	for _, file := range tlsconf.FileErrors(err) {
		all = append(all, file.Advice)
	}
	for _, option := range auth.OptionErrors(err) {
		all = append(all, option.Advice)
	}
	for _, report := range cli.ErrorReports(err) {
		all = append(all, report.Advice)
	}
	all = slices.DeleteFunc(all, func(advice string) bool { return advice == "" })
	return cmp.Or(strings.Join(slices.Compact(all), "; "), "correct the file; the gate reads it again within 10 s")
}

// ReloadState is what became of the reloads of one set of files.
type ReloadState struct {
	What    string    // the set, as the metric names it
	Loaded  time.Time // when a changed set was loaded last; zero: not since the start
	Err     string    // the last error; empty: none since the start
	Advice  string    // what to do about it
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
		s.state.Err, s.state.Advice, s.state.ErrAt = err.Error(), reloadAdvice(err), now
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
