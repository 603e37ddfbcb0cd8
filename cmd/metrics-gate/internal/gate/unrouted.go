package gate

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/proxy"
	"github.com/metrics-gate/metrics-gate/proxy/profile"
)

// logUnrouted logs what a known caller asked that no route answers: the stages
// that refuse it know neither who asks nor what to advise. What asks for a route in
// the plain way is passed on as it is.
func logUnrouted(log *slog.Logger, cmdline bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && (r.RequestURI == "/metrics" || r.RequestURI == "/gate/metrics") &&
				r.ContentLength == 0 {
				next.ServeHTTP(w, r)
				return
			}
			seen := proxy.NewStatusRecorder(w)
			next.ServeHTTP(seen, r)
			if advice := unroutedAdvice(seen.Status(), r, cmdline); advice != "" {
				id, _ := auth.FromContext(r.Context())
				log.LogAttrs(r.Context(), slog.LevelWarn, "request refused", slog.String("remote", r.RemoteAddr),
					slog.String("method", id.Method), slog.String("subject", id.Subject),
					slog.String("issuer", id.Issuer),
					slog.String("reason", strings.ToLower(http.StatusText(seen.Status()))), slog.String("err", advice))
			}
		})
	}
}

// unroutedAdvice says what is wrong with a request and what to ask instead; empty for
// a status whose stage has said so already. Of the request it shows what is a route,
// a known path or a method of HTTP: everything else may hold a secret in the wrong place.
func unroutedAdvice(status int, r *http.Request, cmdline bool) string {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	route := path
	if !isRoute(path) {
		route = "the path"
	}
	switch {
	case status == http.StatusNotFound && path == "/debug/pprof/cmdline" && !cmdline:
		return fmt.Sprintf("%s: not forwarded; set %sPPROF_CMDLINE=true to change that (it can show secrets)", path,
			config.Prefix)
	case status == http.StatusNotFound && isKnown(path):
		return path + ": no such route; ask for /metrics, /gate/metrics or /debug/pprof/"
	case status == http.StatusNotFound:
		return "no such route; ask for /metrics, /gate/metrics or /debug/pprof/"
	case status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("%s: the route does not take this method; use GET", route)
	case status == http.StatusBadRequest && r.ContentLength != 0, status == http.StatusRequestEntityTooLarge:
		return fmt.Sprintf("%s: a body where none belongs, or too large; send none", route)
	case status == http.StatusBadRequest && isRoute(path) && query != "":
		return fmt.Sprintf("%s: the query is not one of this profile; seconds is a number above 0, debug 0 to "+
			"2, gc 0 or 1", route)
	case status == http.StatusBadRequest:
		return "the target is not literal; ask for the path as it is documented, without escapes, dots or ;"
	case status == http.StatusExpectationFailed:
		return fmt.Sprintf("%s: only Expect: 100-continue is understood; leave the header out", route)
	}
	return ""
}

// isKnown tells whether path is none of the gate's, but what clients of it or of others ask for: it
// holds no secret.
func isKnown(path string) bool {
	switch path {
	case "/", "/federate", "/probe", "/healthz", "/livez", "/readyz", "/-/healthy", "/-/ready", "/favicon.ico",
		"/debug/pprof", "/debug/pprof/":
		return true
	}
	return isRoute(strings.ToLower(strings.TrimSuffix(path, "/")))
}

// isRoute tells whether path is one that the gate can answer.
func isRoute(path string) bool {
	name, isProfile := strings.CutPrefix(path, "/debug/pprof/")
	return path == "/metrics" || path == "/gate/metrics" || (isProfile && slices.Contains(profile.Names(true), name))
}
