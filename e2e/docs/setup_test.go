package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// place is an authority, a scraper's certificate and token, and a gate's environment.
type place struct {
	*harness.PKI
	environ []string // without the prefix
}

// newPlace lets dns:prometheus.example and token:prometheus in; more adds variables.
func newPlace(t testing.TB, upstream string, more ...string) *place {
	t.Helper()
	p := &place{PKI: harness.NewPKI(t)}
	p.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	p.Write(t, "token", []byte(secret))
	p.Write(t, "tokens", []byte(line+"\n"))
	p.environ = append(p.Environ(true), "UPSTREAM_URL="+upstream, "RUNNER_NAME=build-01", "TOKENS_FILE="+p.File("tokens"),
		"METRICS_ALLOW=dns:prometheus.example,token:prometheus")
	p.environ = append(p.environ, more...)
	return p
}

// gate runs a command of the built binary in the place's environment, and fails the
// test unless it leaves with code.
func (p *place) gate(t testing.TB, code int, args ...string) string {
	t.Helper()
	cmd := exec.Command(harness.Binary(t), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, entry := range p.environ {
		cmd.Env = append(cmd.Env, harness.Prefix+entry)
	}
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("metrics-gate %s: %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), errors.String())
	}
	return out.String()
}

// tool runs a program and fails the test if that fails or says anything on standard error.
func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	var out, errors bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil || errors.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out.String(), errors.String())
	}
	return out.String()
}

// written puts content into a file of the test's.
func written(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
