package loopback

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A page in a browser that reaches this machine by a name of its own (DNS rebinding) gets
// nothing; addresses, localhost and the probes do.
func TestRequireLocalHost(t *testing.T) {
	handler := RequireLocalHost(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Plain(w, http.StatusOK, "served")
	}))
	for _, test := range []struct {
		host, path string
		status     int
	}{
		{"localhost", "/", 200}, {"localhost:9254", "/metrics", 200}, {"127.0.0.1:9254", "/", 200},
		{"127.0.0.1", "/", 200},
		{"[::1]:9254", "/", 200}, {"[::1]", "/", 200}, {"10.0.0.1:9254", "/", 200},
		{"evil.example", "/", 403}, {"evil.example:9254", "/metrics", 403}, {"localhost.evil.example", "/", 403},
		{"127.0.0.1.evil.example", "/", 403}, {"", "/", 403}, {"LOCALHOST", "/", 403},
		{"pod.example", "/livez", 200}, {"pod.example", "/readyz", 200}, {"pod.example", "/readyz/", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+test.path, nil)
		r.Host = test.host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		want := map[int]string{200: "served\n", 403: "Forbidden\n"}[test.status]
		if w.Code != test.status || w.Body.String() != want ||
			w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s %s: %d %q, want %d", test.host, test.path, w.Code, w.Body.String(), test.status)
		}
	}
}

func TestIsName(t *testing.T) {
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"": false, "gate.example": false, "10.0.0.1": false, "localhost.example": false} {
		if got := IsName(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func TestIs(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"::ffff:127.0.0.1": true, "0.0.0.0": false, "::": false, "10.0.0.1": false} {
		if got := Is(&net.TCPAddr{IP: net.ParseIP(address)}); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if Is(&net.UnixAddr{Name: "/run/gate"}) || Is(nil) {
		t.Error("not of TCP, and loopback")
	}
}
