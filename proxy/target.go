package proxy

import (
	"net/http"
	"strings"
)

// Target passes only requests whose target is literal: in origin form (RFC 9112 section
// 3.2.1), printable ASCII, without percent-encoding, empty or dot segments, parameters,
// fragment or backslash. Others get 400. Every parser reads a literal target in the same way,
// so the path that is authorized is the path that is served. The query may hold
// percent-encoding; handlers rebuild it. A request that is not HTTP/1.1 gets 505: to an
// HTTP/1.0 client an answer that breaks off looks complete.
func Target(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.ProtoMajor != 1 || r.ProtoMinor != 1:
			Refuse(w, http.StatusHTTPVersionNotSupported)
			return
		case !literal(r.RequestURI):
			Refuse(w, http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// literal checks the target as it was sent, before anything decodes it.
func literal(target string) bool {
	if target == "" || target[0] != '/' {
		return false
	}
	for i := 0; i < len(target); i++ {
		if c := target[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	path, _, _ := strings.Cut(target, "?")
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '%', ';', '\\':
			return false
		case '/':
			if !plainSegment(path[i+1:]) {
				return false
			}
		}
	}
	return true
}

// plainSegment reports whether rest, what follows a slash, begins with a
// segment other than ".", ".." and, before another slash, nothing.
func plainSegment(rest string) bool {
	segment, _, more := strings.Cut(rest, "/")
	return segment != "." && segment != ".." && (segment != "" || !more)
}

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
