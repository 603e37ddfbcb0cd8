package proxy

import (
	"net/http"
	"slices"
	"strings"
)

// MaxBodyBytes is the longest request body: the addresses of a POST to symbol.
const MaxBodyBytes = 64 << 10

// Methods passes requests of the allowed methods, and answers others 405 with Allow. It
// accepts a body only with POST and a Content-Length of at most MaxBodyBytes: a longer one
// gets 413, any other body or Transfer-Encoding 400. Refusing a request with a body closes
// the connection, so that no byte of it can be taken for the next request.
func Methods(allowed ...string) func(http.Handler) http.Handler {
	allow := strings.Join(allowed, ", ")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			status := bodyStatus(r)
			if !slices.Contains(allowed, r.Method) {
				w.Header().Set("Allow", allow)
				status = http.StatusMethodNotAllowed
			}
			if status == 0 {
				next.ServeHTTP(w, r)
				return
			}
			if hasBody(r) {
				w.Header().Set("Connection", "close")
			}
			Refuse(w, status)
		})
	}
}

// bodyStatus is the status that refuses r for its body, or 0.
func bodyStatus(r *http.Request) int {
	switch {
	case !hasBody(r):
		return 0
	case r.Method != http.MethodPost || r.ContentLength < 0 || len(r.TransferEncoding) > 0:
		return http.StatusBadRequest
	case r.ContentLength > MaxBodyBytes:
		return http.StatusRequestEntityTooLarge
	}
	return 0
}

// hasBody reports whether r announces a body. An empty one counts only when it
// comes with Transfer-Encoding.
func hasBody(r *http.Request) bool {
	return r.ContentLength != 0 || len(r.TransferEncoding) > 0
}
