package gate

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
)

// Requests in a reused context share a context of chi, and none finds what another left in it.
func TestReusedContextHoldsOneRouteAtATime(t *testing.T) {
	ctx := ReusedContext(t.Context())
	routes := chi.NewRouter()
	routes.Use(pathDecides)
	routes.Get("/metrics", func(_ http.ResponseWriter, r *http.Request) {
		if r.Context() != ctx {
			t.Error("the request was copied")
		}
	})
	for _, c := range []struct {
		target string
		status int
	}{{"/metrics", 200}, {"/nowhere", 404}, {"/metrics", 200}, {"/metrics", 200}} {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, httptest.NewRequest("GET", c.target, nil).WithContext(ctx))
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", c.target, w.Code, c.status)
		}
		if patterns := chi.RouteContext(ctx).RoutePatterns; len(patterns) > 1 {
			t.Errorf("%q are left", patterns)
		}
	}
}
