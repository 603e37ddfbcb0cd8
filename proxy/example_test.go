package proxy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/metrics-gate/metrics-gate/proxy"
)

// Filters that each decide one thing, in the order in which they apply.
func Example() {
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	identity := func(*http.Request) string { return "prometheus" }
	limiter := proxy.NewIdentityLimiter(proxy.IdentityLimiterOptions{Rate: 1, Burst: 3, Key: identity})
	handler := proxy.SecurityHeaders(limiter.Limit(proxy.Target(proxy.Methods(http.MethodGet)(served))))
	for _, target := range []string{"/metrics", "/%6detrics"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		fmt.Println(target, w.Code, w.Header().Get("Cache-Control"))
	}
	// Output:
	// /metrics 200 no-store
	// /%6detrics 400 no-store
}
