package hostile_test

import (
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// Every request of an identity counts for its limit, whatever its answer is.
func TestIdentityLimitCountsEveryRequest(t *testing.T) {
	t.Parallel()
	const burst, requests = 20, 400
	for name, test := range map[string]struct {
		text   func(w *fixture) string
		status int
	}{
		"unknown path":   {func(w *fixture) string { return get("/nowhere", bearer(w.spare)) }, 404},
		"not allowed":    {func(w *fixture) string { return get("/metrics", bearer(w.spare)) }, 403},
		"bad target":     {func(w *fixture) string { return get("/metrics;x", bearer(w.spare)) }, 400},
		"escaped target": {func(w *fixture) string { return get("/%6detrics", bearer(w.spare)) }, 400},
		"method":         {func(w *fixture) string { return request("DELETE", "/metrics", bearer(w.token)) }, 405},
		"gate's metrics": {func(w *fixture) string { return get("/gate/metrics", bearer(w.token)) }, 200},
		"pprof":          {func(w *fixture) string { return get("/debug/pprof/heap", bearer(w.token)) }, 403},
	} {
		t.Run(name, func(t *testing.T) {
			w := newFixture(t, harness.AnswerExposition(sample), "RATE_LIMIT=0.01", "RATE_BURST=20")
			wire := w.dialAnonymous(t)
			counts := map[int]int{}
			for range requests {
				reply := wire.RoundTrip(t, "GET", test.text(w))
				counts[reply.Status]++
				if reply.Status == 429 && reply.Header.Get("Retry-After") == "" {
					t.Fatal("no Retry-After")
				}
				if reply.Close {
					wire = w.dialAnonymous(t)
				}
			}
			if counts[test.status] != burst || counts[429] != requests-burst {
				t.Errorf("%v of %d requests, want %d with %d and the others with 429", counts, requests, burst,
					test.status)
			}
			expect(t, w.scrape(t), 200) // another identity
		})
	}
}
