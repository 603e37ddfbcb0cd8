package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"time"
)

// ServeProfile answers as net/http/pprof does in a runner. That package is not imported
// because it would put profiles on the default mux of a program that guards them.
func ServeProfile(w http.ResponseWriter, r *http.Request) {
	debug, _ := strconv.Atoi(r.URL.Query().Get("debug"))
	name := demoName(r.URL.Path)
	switch name {
	case "":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for _, p := range pprof.Profiles() {
			fmt.Fprintf(w, "<a href='%s?debug=1'>%s</a> %d<br>\n", p.Name(), p.Name(), p.Count())
		}
	case "profile":
		demoRecord(w, r, pprof.StartCPUProfile, pprof.StopCPUProfile)
	case "trace":
		demoRecord(w, r, trace.Start, trace.Stop)
	case "symbol":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, "num_symbols: 1")
	default:
		p := pprof.Lookup(name)
		if p == nil {
			http.Error(w, "Unknown profile", http.StatusNotFound)
			return
		}
		if debug > 0 {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		} else {
			w.Header().Set("Content-Type", "application/octet-stream")
		}
		_ = p.WriteTo(w, debug)
	}
}

// demoRecord records for the seconds that were asked, or until the client leaves.
func demoRecord(w http.ResponseWriter, r *http.Request, start func(io.Writer) error, stop func()) {
	seconds, err := strconv.ParseFloat(r.FormValue("seconds"), 64)
	if err != nil || seconds <= 0 {
		seconds = 30
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := start(w); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer stop()
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(seconds*float64(time.Second)))
	defer cancel()
	<-ctx.Done()
}
