package proxy

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// Refuse ends a request with status. The body is the status text and a newline. Neither body
// nor headers tell why.
func Refuse(w http.ResponseWriter, status int) {
	body := http.StatusText(status) + "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // an error means that the client left
}

// RefuseRetry is Refuse with Retry-After: wait, in whole seconds, at least one (RFC 9110
// section 10.2.3).
func RefuseRetry(w http.ResponseWriter, status int, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(wholeSeconds(wait), 10))
	Refuse(w, status)
}

// wholeSeconds rounds d up to whole seconds, at least one.
func wholeSeconds(d time.Duration) int64 {
	return max(1, int64((d+time.Second-1)/time.Second))
}
