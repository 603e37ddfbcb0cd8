package proxy

import (
	"net/http"
	"strings"
)

// Paths of the runner that are served.
const (
	MetricsPath = "/metrics"
	ProfilePath = "/debug/pprof/" // profiles follow it
)

// route is a class of targets: the metric label "route", and what rate lanes
// tell apart.
type Route uint8

const (
	RouteMetrics Route = iota
	RouteGateMetrics
	RouteProfile
	RouteOther
	Routes // how many there are
)

func (r Route) String() string {
	switch r {
	case RouteMetrics:
		return "metrics"
	case RouteGateMetrics:
		return "gate_metrics"
	case RouteProfile:
		return "pprof"
	}
	return "other"
}

// routeOf classes r by its target as it was sent.
func routeOf(r *http.Request) Route {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case path == MetricsPath:
		return RouteMetrics
	case path == "/gate/metrics":
		return RouteGateMetrics
	case strings.HasPrefix(path, ProfilePath):
		return RouteProfile
	}
	return RouteOther
}
