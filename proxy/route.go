package proxy

import (
	"net/http"
	"strings"
)

// Paths of the runner that the gate serves.
const (
	MetricsPath = "/metrics"
	ProfilePath = "/debug/pprof/" // profiles follow it
)

// Route is a class of targets: the metric label "route". An identity has a bucket for each.
type Route uint8

// The routes. Routes is how many there are.
const (
	RouteMetrics Route = iota
	RouteGateMetrics
	RouteProfile
	RouteOther
	Routes
)

// String returns the value of the metric label.
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

// RouteOf returns the class of r by its target as it was sent.
func RouteOf(r *http.Request) Route {
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
