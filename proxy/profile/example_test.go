package profile_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/metrics-gate/metrics-gate/proxy/profile"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// A profile is shortened to the longest that is allowed, and what pprof does not know is
// dropped.
func ExampleHandler() {
	runner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = fmt.Fprint(w, "profile of ", r.URL)
	}))
	defer runner.Close()
	address, err := upstream.ParseAddress(runner.URL, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := upstream.New(upstream.Options{Address: address, UserAgent: "metrics-gate"})
	defer client.Close()
	handler := profile.New(profile.Options{Upstream: client, MaxSeconds: 30})
	for _, target := range []string{"profile?seconds=3600&x=y", "heap?gc=1", "cmdline", "heap?debug=9"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/pprof/"+target, nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 profile of /debug/pprof/profile?seconds=30
	// 200 profile of /debug/pprof/heap?gc=1
	// 404 Not Found
	//
	// 400 Bad Request
}
