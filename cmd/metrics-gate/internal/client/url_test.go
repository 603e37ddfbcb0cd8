package client

import (
	"strings"
	"testing"
)

func TestGateURL(t *testing.T) {
	for raw, want := range map[string]string{
		"localhost": "https://localhost:9253", "localhost:9999": "https://localhost:9999",
		"runner.example:9253/debug/pprof/heap": "https://runner.example:9253/debug/pprof/heap",
		"192.0.2.1:9253":                       "https://192.0.2.1:9253", "[::1]:9253": "https://[::1]:9253",
		"[::1]": "https://[::1]:9253", "http://localhost:9253": "http://localhost:9253",
		"https://runner.example": "https://runner.example", "https://h:1/metrics?a=b": "https://h:1/metrics?a=b",
	} {
		if u, err := GateURL("--url", raw); err != nil || u.String() != want {
			t.Errorf("%s: %v %v, want %s", raw, u, err, want)
		}
	}
	for _, raw := range []string{"", "ftp://h", "https://", ":9253", "https://user:secret@h",
		"user:secret@h", "h:port", "mg_secret", "http://mg_secret:9253/x"} {
		_, err := GateURL("--url", raw)
		if err == nil || !strings.HasPrefix(err.Error(), "--url") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
