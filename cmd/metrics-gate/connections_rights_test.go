package main

import (
	"io"
	"net/http"
	"testing"
)

// TestConnectionsOfThoseWithoutRightsMakeRoom: any CI job can mint a token that proves an
// identity. Connections of one that may do nothing, kept open, must not shut the scraper out.
func TestConnectionsOfThoseWithoutRightsMakeRoom(t *testing.T) {
	f := startFixture(t, exposes("up 1\n"), prefix+"METRICS_ALLOW=dns:prometheus.demo", prefix+"PPROF_ALLOW=",
		prefix+"MAX_CONNECTIONS_PER_ADDRESS=4", prefix+"MAX_CONNECTIONS=4")
	url := "https://" + f.server.listener.Addr().String()
	for i, path := range []string{"/metrics", "/gate/metrics", "/debug/pprof/heap", "/none"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+f.token(t))
		answer, err := f.client(t, false).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close() // and the connection stays
		if want := [...]int{403, 403, 403, 404}[i]; answer.StatusCode != want {
			t.Fatalf("%s: %d, want %d", path, answer.StatusCode, want)
		}
	}
	answer, err := f.client(t, true).Get(url + "/metrics")
	if err != nil {
		t.Fatal("the scraper is shut out:", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("scraper: %d", answer.StatusCode)
	}
}
