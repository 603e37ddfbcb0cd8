package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
)

// A gate that is not ready says why, and healthcheck passes it on.
func TestHealthcheckSaysWhy(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "it sleeps\nwake it", http.StatusServiceUnavailable)
	}))
	defer admin.Close()
	var out, errors bytes.Buffer
	code := run(t.Context(), []string{"healthcheck"}, append(demofiles.Environ(dir, "127.0.0.1:9"),
		config.Prefix+"ADMIN_ADDRESS="+admin.Listener.Addr().String()), &out, &errors)
	const want = "healthcheck /readyz: 503 Service Unavailable: it sleeps\n  wake it\n"
	if code != 1 || !strings.HasSuffix(errors.String(), want) {
		t.Errorf("%d %s", code, errors.String())
	}
}
