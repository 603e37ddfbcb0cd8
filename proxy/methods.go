package proxy

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
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
				// The server looks at the body of its own request, to close gently.
				r = r.WithContext(r.Context())
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
