package fastpath_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/metrics-gate/metrics-gate/proxy/fastpath"
)

// A server whose repeated scrapes take the fast path.
func ExampleServer() {
	fast := fastpath.New(fastpath.Options{Path: "/metrics"})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fastpath.MarkAuthorized(r.Context()) // after authorization
		_, _ = io.WriteString(w, "up 1")
	})
	server := httptest.NewUnstartedServer(fast.Handler(handler))
	server.Config.ConnContext = fastpath.ConnContext
	server.Start()
	served := make(chan error)
	go func() { served <- server.Config.Serve(fast.Listener()) }()
	for range 3 {
		res, err := server.Client().Get(server.URL + "/metrics")
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		fmt.Println(res.Status, string(body))
	}
	_ = fast.Close()
	server.Close()
	<-served
	// Output:
	// 200 OK up 1
	// 200 OK up 1
	// 200 OK up 1
}
