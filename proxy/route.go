package proxy

import (
	"net/http"
	"strings"
)

// Paths of the runner that are served.
const (
	metricsPath = "/metrics"
	pprofPath   = "/debug/pprof/" // profiles follow it
)

// route is a class of targets: the metric label "route", and what rate lanes
// tell apart.
type route uint8

const (
	routeMetrics route = iota
	routeGateMetrics
	routePprof
	routeOther
	routes // how many there are
)

func (r route) String() string {
	switch r {
	case routeMetrics:
		return "metrics"
	case routeGateMetrics:
		return "gate_metrics"
	case routePprof:
		return "pprof"
	}
	return "other"
}

// routeOf classes r by its target as it was sent.
func routeOf(r *http.Request) route {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case path == metricsPath:
		return routeMetrics
	case path == "/gate/metrics":
		return routeGateMetrics
	case strings.HasPrefix(path, pprofPath):
		return routePprof
	}
	return routeOther
}
