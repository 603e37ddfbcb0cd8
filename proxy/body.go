package proxy

import (
	"io"
	"net/http"
	"time"
)

// stall is how long a client may take nothing of its answer.
const WriteStallTimeout = 5 * time.Second

// Bodies bounds what a request's body can do, whoever sends it and whatever the
// answer: it must arrive within d, or what reads it ends, and its connection carries
// nothing after it, so that no byte of it can be taken for another request. The
// http.Server's own ReadTimeout would end long answers too.
func Bodies(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hasBody(r) {
				w.Header().Set("Connection", "close")
				control := http.NewResponseController(w)
				_ = control.SetReadDeadline(time.Now().Add(d)) // a writer that knows no deadlines has none
				r.Body = &timelyBody{r.Body, control}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// timelyBody lifts the deadline at its end: an answer may take longer.
type timelyBody struct {
	io.ReadCloser
	control *http.ResponseController
}

// Read implements io.Reader.
func (b *timelyBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
