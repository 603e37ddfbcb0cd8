package proxy

import "net/http"

// StatusRecorder is an http.ResponseWriter that records what passes. An
// http.ResponseController can unwrap it.
type StatusRecorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// NewStatusRecorder returns a recorder of what is written to w.
func NewStatusRecorder(w http.ResponseWriter) *StatusRecorder {
	return &StatusRecorder{ResponseWriter: w}
}

// Status returns the final status, or 0 if none was written yet: if the handler returns now,
// the server answers 200.
func (w *StatusRecorder) Status() int { return w.status }

// Bytes returns how many bytes of the body were written.
func (w *StatusRecorder) Bytes() int64 { return w.bytes }

// WriteHeader implements http.ResponseWriter. Informational statuses are not recorded.
func (w *StatusRecorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter. It implies status 200.
func (w *StatusRecorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *StatusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
