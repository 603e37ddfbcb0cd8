package proxy

import "net/http"

// statusAborted stands for an answer that was cut short.
const statusAborted = -1

// recorder remembers the status of an answer. It can be unwrapped by an
// http.ResponseController.
type recorder struct {
	http.ResponseWriter
	code     int  // first final status; statusAborted before
	returned bool // the handler did not panic
}

// WriteHeader notes the status. Informational ones are not the answer yet.
func (w *recorder) WriteHeader(status int) {
	if w.code == statusAborted && status >= 200 {
		w.code = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the implied status 200.
func (w *recorder) Write(p []byte) (int, error) {
	if w.code == statusAborted {
		w.code = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// result is the status when the handler is through.
func (w *recorder) result() int {
	switch {
	case !w.returned:
		return statusAborted
	case w.code == statusAborted:
		return http.StatusOK // the server's answer to a handler that wrote nothing
	}
	return w.code
}
