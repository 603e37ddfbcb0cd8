// Package loopback answers plain HTTP for this machine alone: the admin listener, the
// status page and the local end of pprof. It imports nothing of the module.
package loopback

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

func Plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// IsName tells whether host, without a port, is this machine's loopback.
func IsName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func Is(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// RequireLocalHost refuses a Host that is neither an address nor localhost, but for the probes:
// a page in the operator's browser must not read the admin listener by DNS rebinding.
func RequireLocalHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.Trim(host, "[]")
		probe := r.URL.Path == "/livez" || r.URL.Path == "/readyz"
		if !probe && host != "localhost" && net.ParseIP(host) == nil {
			Plain(w, http.StatusForbidden, "Forbidden")
			return
		}
		next.ServeHTTP(w, r)
	})
}
