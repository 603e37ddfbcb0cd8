package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// runner serves a large exposition and profiles, and fails on demand.
type runner struct {
	http.Handler
	body    []byte
	fault   atomic.Int64 // 0: none
	scrapes atomic.Int64
	changed atomic.Int64 // time of fault's last change, in ns since the epoch
}

const faults = 6

func newRunner(series int) *runner {
	r := &runner{body: exposition(series)}
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", r.metrics)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	r.Handler = mux
	return r
}

// turn selects a fault by number; 0 is none.
func (r *runner) turn(fault int64) {
	r.fault.Store(fault)
	r.changed.Store(time.Now().UnixNano())
}

// soundSince reports whether the runner has had no fault since begin.
func (r *runner) soundSince(begin time.Time) bool {
	return r.fault.Load() == 0 && r.changed.Load() < begin.UnixNano()
}

func (r *runner) metrics(w http.ResponseWriter, q *http.Request) {
	r.scrapes.Add(1)
	w.Header().Set("Content-Type", harness.TextFormat)
	switch r.fault.Load() {
	case 1:
		http.Error(w, "secret", http.StatusInternalServerError)
	case 2:
		_, _ = w.Write(r.body[:len(r.body)/2])
		panic(http.ErrAbortHandler)
	case 3:
		_, _ = w.Write(r.body[:len(r.body)/2])
		_, _ = w.Write([]byte("\nno exposition\n"))
	case 4:
		<-q.Context().Done() // hangs
	case 5:
		line := bytes.Repeat([]byte("x"), 1<<16)
		for range 1 << 14 {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	case 6:
		http.Redirect(w, q, "/elsewhere", http.StatusFound)
	default:
		_, _ = w.Write(r.body)
	}
}

// exposition returns a text body with the number of series.
func exposition(series int) []byte {
	var b bytes.Buffer
	for i := range series {
		if i%500 == 0 {
			fmt.Fprintf(&b,
				"# HELP gitlab_runner_soak_%d_total Jobs by their state and their stage.\n# TYPE "+
					"gitlab_runner_soak_%[1]d_total counter\n", i/500)
		}
		fmt.Fprintf(&b,
			"gitlab_runner_soak_%d_total{executor_stage=\"prepare\",runner=\"t%08d\",runner_name=\"linux-%02d\","+
				"state=\"running\",system_id=\"r_x2Ab9Zq\"} %d\n", i/500, i, i%7, i)
	}
	return b.Bytes()
}
