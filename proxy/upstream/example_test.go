package upstream_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// One exchange with a runner.
func ExampleClient_Do() {
	runner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = fmt.Fprintf(w, "%s asks for %s", r.UserAgent(), r.URL)
	}))
	defer runner.Close()
	address, err := upstream.ParseAddress(runner.URL, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := upstream.New(upstream.Options{Address: address, UserAgent: "metrics-gate"})
	defer client.Close()
	ask := upstream.Request{Method: http.MethodGet, Path: "/metrics", Deadline: time.Now().Add(10 * time.Second)}
	res, err := client.Do(&ask, new(upstream.Exchange))
	if err != nil {
		fmt.Println(upstream.ReasonOf(err), upstream.ReasonOf(err).Advice(address.String()))
		return
	}
	defer res.Close()
	body, _ := io.ReadAll(res)
	fmt.Printf("%s: %s", res.ContentType, body)
	// Output: text/plain: metrics-gate asks for /metrics
}
