// Package proxy carries a request that may pass to GitLab Runner and its answer
// back. The request it sends is made from nothing: a constant path, a rebuilt
// query and headers of its own, so nothing of the client has to be stripped.
//
// It also holds what surrounds that way: the literal target, methods and
// bodies, the rate lanes, the bound on exchanges at one time, and the metrics
// about them. Who is asking is decided before, and passed in as functions.
package proxy

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// Refuse ends a request with status. The body is the status text and a newline,
// and nothing in it or the headers tells why.
func Refuse(w http.ResponseWriter, status int) {
	body := http.StatusText(status) + "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	SetSecurityHeaders(h)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that has gone needs no answer
}

// refuseFor is Refuse with the advice to come back after wait.
func RefuseRetry(w http.ResponseWriter, status int, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(wholeSeconds(wait), 10))
	Refuse(w, status)
}

// wholeSeconds rounds d up, to at least one second (Retry-After, RFC 9110
// section 10.2.3, knows no fractions).
func wholeSeconds(d time.Duration) int64 {
	return max(1, int64((d+time.Second-1)/time.Second))
}

// harden sets the headers that every answer has.
func SetSecurityHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}
