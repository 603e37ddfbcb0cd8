package main

import "net/http"

type acceptJSON struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t acceptJSON) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json")
	return t.RoundTripper.RoundTrip(r)
}
