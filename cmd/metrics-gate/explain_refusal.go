package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
)

// explainRefusals logs what a known caller asked that no route answers: the stages
// that refuse it know neither who asks nor what to advise. What asks for a route in
// the plain way is passed on as it is.
func explainRefusals(log *slog.Logger, cmdline bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && (r.RequestURI == "/metrics" || r.RequestURI == "/gate/metrics") && r.ContentLength == 0 {
				next.ServeHTTP(w, r)
				return
			}
			seen := &statusWriter{ResponseWriter: w}
			next.ServeHTTP(seen, r)
			if advice := refusalAdvice(seen.status, r, cmdline); advice != "" {
				id, _ := auth.FromContext(r.Context())
				log.LogAttrs(r.Context(), slog.LevelWarn, "request refused", slog.String("remote", r.RemoteAddr),
					slog.String("method", id.Method), slog.String("subject", id.Subject), slog.String("issuer", id.Issuer),
					slog.String("reason", strings.ToLower(http.StatusText(seen.status))), slog.String("err", advice))
			}
		})
	}
}

// refusalAdvice says what is wrong with a request and what to ask instead; empty for
// a status whose stage has said so already. The query is left out: it may hold anything.
func refusalAdvice(status int, r *http.Request, cmdline bool) string {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	known := path == "/metrics" || path == "/gate/metrics" || strings.HasPrefix(path, "/debug/pprof/")
	switch {
	case status == http.StatusNotFound && path == "/debug/pprof/cmdline" && !cmdline:
		return fmt.Sprintf("%s: not forwarded; set %sPPROF_CMDLINE=true to change that (it can show secrets)", path, prefix)
	case status == http.StatusNotFound:
		return fmt.Sprintf("%q: no such route; ask for /metrics, /gate/metrics or /debug/pprof/", path)
	case status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("%s %q: the route does not take this method; use GET", r.Method, path)
	case status == http.StatusBadRequest && r.ContentLength != 0, status == http.StatusRequestEntityTooLarge:
		return fmt.Sprintf("%s %q: a body where none belongs, or too large; send none", r.Method, path)
	case status == http.StatusBadRequest && known && query != "" && !strings.ContainsAny(path, "%;"):
		return fmt.Sprintf("%q: the query is not one of this profile; seconds is a number above 0, debug 0 to 2, gc 0 or 1", path)
	case status == http.StatusBadRequest:
		return fmt.Sprintf("%q: the target is not literal; ask for the path as it is documented, without escapes, dots or ;", path)
	case status == http.StatusExpectationFailed:
		return fmt.Sprintf("%q: only Expect: 100-continue is understood; leave the header out", path)
	}
	return ""
}

// statusWriter remembers the status of an answer, for http.ResponseController too.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
