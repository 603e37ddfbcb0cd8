package docs

import (
	"net/http"
	"net/http/pprof"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// withProfiles adds net/http/pprof to a runner.
func withProfiles(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", metrics)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	return mux
}

// go tool pprof reads a fetched profile, and a profile through pprof --serve.
func TestGoToolPprofReadsProfiles(t *testing.T) {
	runner := harness.StartRunner(t, withProfiles(harness.Replay(t)))
	p := newSetup(t, runner.Address, "PPROF_ALLOW=token:prometheus")
	gate := harness.StartGate(t, p.environ...)
	dir := t.TempDir()
	heap := filepath.Join(dir, "heap.pb.gz")
	credentials := []string{"--ca", p.File("ca.pem"), "--token-file", p.File("token")}
	p.gate(t, 0,
		append(append([]string{"pprof"}, credentials...), "-o", heap, "https://"+gate.Address+"/debug/pprof/heap")...)
	top := func(source string) {
		t.Helper()
		cmd := exec.Command("go", "tool", "pprof", "-top", source)
		cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+dir)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Type: inuse_space") {
			t.Errorf("%s: %v\n%s", source, err, out)
		}
	}
	top(heap)

	serve := exec.Command(harness.Binary(t),
		append(append([]string{"pprof", "--serve"}, credentials...), "https://"+gate.Address+"/debug/pprof/heap")...)
	out, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = serve.Wait() }()
	defer func() { _ = serve.Process.Kill() }()
	said := make([]byte, 4096)
	n, err := out.Read(said)
	if err != nil {
		t.Fatal(err)
	}
	top(regexp.MustCompile(`http://[^'\s]+`).FindString(string(said[:n])))
}
