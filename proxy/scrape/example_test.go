package scrape_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/metrics-gate/metrics-gate/proxy/exposition"
	"github.com/metrics-gate/metrics-gate/proxy/scrape"
	"github.com/metrics-gate/metrics-gate/proxy/upstream"
)

// A scrape of a runner, with a label on each sample. What is no exposition is 502.
func ExampleHandler() {
	body := "# TYPE jobs gauge\njobs{state=\"running\"} 2\n"
	runner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprint(w, body)
	}))
	defer runner.Close()
	address, err := upstream.ParseAddress(runner.URL, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	labels, err := exposition.Compile(exposition.Label{Name: "runner_name", Value: "docker-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := upstream.New(upstream.Options{Address: address, UserAgent: "metrics-gate"})
	defer client.Close()
	handler := scrape.New(scrape.Options{Upstream: client, Labels: func() *exposition.Labels { return labels }})
	for range 2 {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		fmt.Print(w.Code, "\n", w.Body)
		body = "<html>\n"
	}
	// Output:
	// 200
	// # TYPE jobs gauge
	// jobs{state="running",runner_name="docker-1"} 2
	// 502
	// Bad Gateway
}
