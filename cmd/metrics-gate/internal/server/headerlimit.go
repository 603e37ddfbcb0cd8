package server

import (
	"net/http"

	"github.com/metrics-gate/metrics-gate/proxy"
)

// limitHeader refuses a request whose header has more than most bytes. http.Server's own
// limit lets 4 to 8 KiB more pass.
func limitHeader(most int, next http.Handler) http.Handler {
	refuse := proxy.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		proxy.Refuse(w, http.StatusRequestHeaderFieldsTooLarge)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if headerBytes(r) > most {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// headerBytes is the size of the request line and the header fields, as they were sent but
// for space around values (RFC 9112 sections 3 and 5).
func headerBytes(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \r\n") + len("Host: \r\n") + len(r.Host) +
		len("\r\n")
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return n
}
