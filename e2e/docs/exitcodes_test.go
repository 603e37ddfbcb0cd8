package docs

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// exits are command lines by what docs/exit-codes.md says of them. A setting is for this
// command line only; "full" writes the output to a full disk.
func exits() []struct {
	line     string
	status   int
	settings string
	full     bool
} {
	return []struct {
		line     string
		status   int
		settings string
		full     bool
	}{
		{"serve", 2, "METRICS_ALLOW=", false}, {"", 2, "UNKNOWN=1", false}, {"serve x", 2, "", false},
		{"check", 0, "", false}, {"check", 1, "METRICS_ALLOW=", false}, {"check --as token:other", 1, "", false},
		{"check --nonsense", 2, "", false},
		{"doctor", 1, "UPSTREAM_URL=http://127.0.0.1:1", false}, {"doctor --nonsense", 2, "", false},
		{"print alerts", 0, "", false}, {"print alerts", 1, "", true}, {"print alerts", 2, "METRICS_ALLOW=", false},
		{"print nonsense", 2, "", false},
		{"pprof https://127.0.0.1:1/debug/pprof/heap", 1, "", false}, {"pprof", 2, "", false},
		{"demo", 1, "", true}, {"demo --nonsense", 2, "", false},
		{"token prometheus", 0, "", false}, {"token prometheus", 1, "", true}, {"token", 2, "", false},
		{"healthcheck", 1, "ADMIN_ADDRESS=127.0.0.1:1", false}, {"healthcheck", 2, "ADMIN_ADDRESS=off", false},
		{"completion bash", 0, "", false}, {"completion bash", 1, "", true}, {"completion nonsense", 2, "", false},
		{"version", 0, "", false}, {"version", 1, "", true}, {"version x", 2, "", false},
		{"help", 0, "", false}, {"help", 1, "", true}, {"help nonsense", 2, "", false},
	}
}

// Every command has the exit statuses of docs/exit-codes.md.
func TestExitStatuses(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	var seen []string // "command status"
	for _, c := range exits() {
		p := newSetup(t, "127.0.0.1:9252", strings.Fields(c.settings)...)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, harness.Binary(t), strings.Fields(c.line)...)
		for _, entry := range p.environ {
			cmd.Env = append(cmd.Env, harness.Prefix+entry)
		}
		if c.full {
			cmd.Stdout = full
		}
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != c.status {
			t.Errorf("metrics-gate %s (%s): %d, want %d", c.line, c.settings, got, c.status)
		}
		name, _, _ := strings.Cut(c.line, " ")
		seen = append(seen, name+" "+string(rune('0'+c.status)))
	}
	seen = append(seen, "serve 1") // TestServeExitsWith1AfterACutRequest
	var commands []string
	for _, row := range table(t, "exit-codes.md", "command") {
		name := strings.Trim(row[0], "`")
		commands = append(commands, name)
		for i, status := range []string{"1", "2"} {
			if tried := slices.Contains(seen, name+" "+status); tried == (row[i+1] == "–") {
				t.Errorf("%s: status %s: %s, tried: %v", name, status, row[i+1], tried)
			}
		}
	}
	help := newSetup(t, "127.0.0.1:9252").gate(t, 0, "help")
	list, _, _ := strings.Cut(help, "\nVariables")
	for line := range strings.Lines(list) {
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") &&
			!slices.Contains(commands, strings.Fields(line)[0]) {
			t.Errorf("%q is not in docs/exit-codes.md", line)
		}
	}
}

// A gate that must cut a request when DRAIN_TIMEOUT ends exits with status 1, and with 0 if it
// need not.
func TestServeExitsWith1AfterACutRequest(t *testing.T) {
	asked, release := make(chan struct{}, 1), make(chan struct{})
	runner := harness.StartRunner(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	defer close(release)
	p := newSetup(t, runner.Address, "DRAIN_TIMEOUT=100ms")
	for _, busy := range []bool{true, false} {
		gate := harness.StartGate(t, p.environ...)
		if busy {
			request, err := http.NewRequest(http.MethodGet, "https://"+gate.Address+"/metrics", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+read(t, p.File("token")))
			go func() {
				if response, err := p.Client(nil).Do(request); err == nil {
					_ = response.Body.Close()
				}
			}()
			<-asked
		}
		gate.Signal(t, syscall.SIGTERM)
		if code := gate.Exit(t, 10*time.Second); (code == 1) != busy || code > 1 {
			t.Errorf("busy %v: exit status %d", busy, code)
		}
	}
}
