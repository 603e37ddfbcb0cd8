package proxy

import "net/http"

// SecurityHeaders sets the headers that every answer has. It must be the outermost
// middleware, so that no stage can answer without them.
func SecurityHeaders(next http.Handler) http.Handler {
	nosniff, noStore := []string{"nosniff"}, []string{"no-store"} // shared: handlers only replace them
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"], h["Cache-Control"] = nosniff, noStore
		next.ServeHTTP(w, r)
	})
}
