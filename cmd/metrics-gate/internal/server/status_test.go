package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/gatetest"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/status"
)

// page asks for the status page, or its JSON.
func page(t *testing.T, f *gatetest.Gate, accept string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+f.Server.AdminAddr().String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	return strings.NewReplacer("<wbr>", "", "<bdi>", "", "</bdi>", "").Replace(string(body))
}

// report waits for n scrapes: one is on the page when the end of its answer has been written.
func report(t *testing.T, f *gatetest.Gate, n int) (r status.Report, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		text = page(t, f, "application/json")
		r = status.Report{}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Scrapes) == n {
			return r, text
		}
		if time.Now().After(end) {
			t.Fatalf("%d scrapes, want %d: %s", len(r.Scrapes), n, text)
		}
	}
}

const version = `gitlab_runner_version_info{go_version="go1.26",version="19.3.0"} 1` + "\n"

// Whatever a real gate has seen is on its page, and nothing that is secret. The level of the
// log does not matter.
func TestStatusOfARealGate(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes(version), config.Prefix+"LOG_LEVEL=error")
	f.Ask(t, f.Client(t, true), "GET", "/metrics")
	f.Ask(t, f.Client(t, false), "GET", "/metrics")
	f.Ask(t, f.Client(t, false), "GET", "/metrics", "Authorization", "Bearer mg_hidden")
	f.Ask(t, f.Client(t, false), "GET", "/debug/pprof/heap", "Authorization", "Bearer "+f.Token(t))
	if err := os.WriteFile(filepath.Join(f.Dir, "tokens"), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Signals <- syscall.SIGHUP
	f.WaitFor(t, 0, "reload refused")
	html := page(t, f, "text/html")
	for _, want := range []string{"<title>demo-runner: runner up", "<h1>demo-runner", "dns:prometheus.demo",
		"authentication none: no_credential", "403 pprof: not allowed", `<span class="ok">up</span>`, "<td>19.3.0</td>",
		"authorization refused <code>pprof</code>", "token:prometheus", "<b>no_credential</b>",
		"text 0.0.4, gzip<", "reload of tokens refused", "127.0.0.1",
		"metrics-gate token NAME prints a new token and its line</div></td>"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in\n%s", want, html)
		}
	}
	r, text := report(t, f, 1)
	if r.Runner.Name != "demo-runner" || r.Runner.Version != "19.3.0" || len(r.Scrapers) != 1 ||
		len(r.Refused) != 3 || r.Scrapers[0].Address != "127.0.0.1" || r.Scrapers[0].LastSuccess.IsZero() ||
		r.Refused[0].Subject != "token:prometheus" || len(r.Reloads) != 2 || r.Scrapes[0].Bytes == 0 {
		t.Errorf("%s", text)
	}
	if both := html + text; strings.Contains(both, f.Token(t)) || strings.Contains(both, "hidden") {
		t.Error("a secret is on the page")
	}
}

// A runner that is down is on top, with what to do.
func TestStatusOfARunnerThatIsDown(t *testing.T) {
	f := gatetest.Start(t, gatetest.Exposes(version))
	f.Ask(t, f.Client(t, true), "GET", "/metrics")
	f.Runner.Close()
	f.Ask(t, f.Client(t, true), "GET", "/metrics")
	r, text := report(t, f, 2)
	address := strings.TrimPrefix(f.Runner.URL, "http://")
	if r.Runner.State != "down" || r.Runner.Reason != "refused" || r.Scrapes[0].Reason != "refused" ||
		r.Scrapes[0].Status != http.StatusBadGateway || r.Scrapers[0].Failed != 1 || r.Scrapers[0].Interval <= 0 ||
		len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Do, "listen_address = \""+address+"\"") ||
		r.Runner.Version != "19.3.0" {
		t.Errorf("%s", text)
	}
}
