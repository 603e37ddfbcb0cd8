package status

import "net/http"

type AcceptJSON struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t AcceptJSON) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json")
	return t.RoundTripper.RoundTrip(r)
}
