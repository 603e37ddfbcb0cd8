package doctor

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/client"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
)

// A process that speaks plain HTTP as a gate does, while the gate is down, is not taken for the gate,
// and gets no token unless the settings have INSECURE_HTTP.
func TestDoctorGivesNoTokenToAnotherProcess(t *testing.T) {
	var tokens atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.URL.RawQuery != "" {
			tokens.Add(1)
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
	}))
	defer other.Close()
	address := other.Listener.Addr().String()
	for _, test := range []struct {
		name, url         string
		outside, insecure bool
		level, want       string
		tokens            int32
	}{
		{"settings", "", false, false, cli.LevelFail, "not this gate, whose settings have TLS", 0},
		{"https", "https://" + address, false, false, cli.LevelFail, "not this gate, whose settings have TLS", 0},
		{"https with a query", "https://" + address + "/metrics?token=pa55", false, false, cli.LevelFail,
			"not this gate, whose settings have TLS", 0},
		{"https from outside", "https://" + address, true, false, cli.LevelFail, "see what listens there", 0},
		{"http", other.URL, false, false, cli.LevelFail, "no settings here have " + config.Prefix + "INSECURE_HTTP", 0},
		{"http from outside", other.URL, true, false, cli.LevelFail, "--token-file", 0},
		{"a gate with plain HTTP", other.URL, false, true, cli.LevelOK, "200 with these credentials", 1},
	} {
		d := patient(t, config.Prefix+"LISTEN_ADDRESS="+address)
		d.client = client.Credentials{TokenFile: filepath.Join(filepath.Dir(d.config.Allow.TokensFile), "token")}
		d.url, d.outside, d.config.TLS.InsecureHTTP = test.url, test.outside, test.insecure
		tokens.Store(0)
		found := d.scrape(t)
		expect(t, found, test.level, test.want)
		if got := tokens.Load(); got != test.tokens || strings.Contains(found[0].Do, "http://") {
			t.Errorf("%s: %d tokens sent; %+v", test.name, got, found)
		}
	}
}
