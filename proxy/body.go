package proxy

import (
	"io"
	"net/http"
	"time"
)

// WriteStallTimeout is how long a client may take nothing of its answer.
const WriteStallTimeout = 5 * time.Second

// Bodies limits what a request's body can do, whoever sends it and whatever the answer: it
// must arrive within d, and its connection carries no request after it, so that no byte of it
// can be taken for another request. The http.Server's own ReadTimeout would also end long
// answers.
func Bodies(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hasBody(r) {
				w.Header().Set("Connection", "close")
				control := http.NewResponseController(w)
				_ = control.SetReadDeadline(time.Now().Add(d)) // a writer without deadlines has no limit
				r.Body = &deadlineBody{r.Body, control}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// deadlineBody removes the read deadline at its end: the answer may take longer.
type deadlineBody struct {
	io.ReadCloser
	control *http.ResponseController
}

// Read implements io.Reader.
func (b *deadlineBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
