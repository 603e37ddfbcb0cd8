package profile

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
)

// Any process may listen on a loopback port: it gets no token, unless the settings here say that the
// gate serves plain HTTP.
func TestPprofSendsNoTokenInTheClear(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes(""))
	tokens := make(chan string, 2)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tokens <- r.Header.Get("Authorization")
	}))
	defer other.Close()
	const refused = "not sent over plain HTTP: no settings here have " + config.Prefix + "INSECURE_HTTP"
	for _, insecure := range []bool{false, true} {
		environ := []string{"PPROF_TMPDIR=" + t.TempDir()}
		if insecure {
			environ = append(environ, config.Prefix+"INSECURE_HTTP=true")
		}
		code, said := pprofIn(t, f, environ, "--token-file", filepath.Join(f.Dir, "token"),
			other.URL+"/debug/pprof/heap?token=pa55")
		if len(tokens) > 0 != insecure || (code == 2) == insecure || strings.Contains(said, refused) == insecure ||
			strings.Contains(said, "pa55") {
			t.Errorf("INSECURE_HTTP %v: %d %s", insecure, code, said)
		}
	}
}
