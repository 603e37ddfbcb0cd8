package fastpath_test

import (
	"errors"
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
	go func() {
		if err := server.Config.Serve(fast.Listener()); !errors.Is(err, http.ErrServerClosed) {
			fmt.Println(err)
		}
	}()
	defer server.Close()
	defer func() { _ = fast.Close() }()
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
	// Output:
	// 200 OK up 1
	// 200 OK up 1
	// 200 OK up 1
}
