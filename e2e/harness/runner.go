package harness

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// Runner is a stand-in for a runner, on loopback.
type Runner struct {
	*httptest.Server
	Address  string
	Requests atomic.Int64
}

// StartRunner serves h.
func StartRunner(t testing.TB, h http.Handler) *Runner {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return StartRunnerOn(t, ln, h)
}

// StartRunnerOn is StartRunner with the caller's listener.
func StartRunnerOn(t testing.TB, ln net.Listener, h http.Handler) *Runner {
	t.Helper()
	r := &Runner{Address: ln.Addr().String()}
	r.Server = &httptest.Server{Listener: ln,
		Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			r.Requests.Add(1)
			h.ServeHTTP(w, q)
		})}}
	r.Start()
	t.Cleanup(r.Close)
	return r
}

// Replay answers /metrics with a recorded answer of a real runner 19.3.
func Replay(t testing.TB) http.Handler {
	t.Helper()
	body := Fixture(t, "runner-19.3.txt")
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8")
		_, _ = w.Write(body)
	})
	return mux
}

// Fixture reads a file of harness/testdata.
func Fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(Root(), "e2e", "harness", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}
