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

// setup is a CA, a scraper's certificate and token, and the environment of a gate.
type setup struct {
	*harness.PKI
	environ []string // without the prefix
}

// newSetup allows dns:prometheus.example and token:prometheus. more adds variables.
func newSetup(t testing.TB, upstream string, more ...string) *setup {
	t.Helper()
	p := &setup{PKI: harness.NewPKI(t)}
	p.Issue(t, "prometheus", testca.Options{DNSNames: []string{"prometheus.example"}})
	secret, line, err := auth.NewToken("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	p.Write(t, "token", []byte(secret))
	p.Write(t, "tokens", []byte(line+"\n"))
	p.environ = append(p.Environ(true), "UPSTREAM_URL="+upstream, "RUNNER_NAME=build-01",
		"TOKENS_FILE="+p.File("tokens"),
		"METRICS_ALLOW=dns:prometheus.example,token:prometheus")
	p.environ = append(p.environ, more...)
	return p
}

// gate runs a command of the built binary in the environment of p. It fails the test
// unless the command exits with code.
func (p *setup) gate(t testing.TB, code int, args ...string) string {
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
		t.Fatalf("metrics-gate %s: %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(),
			errors.String())
	}
	return out.String()
}

// runTool runs a program. It fails the test if the program fails or prints to standard error.
func runTool(t testing.TB, name string, args ...string) string {
	t.Helper()
	var out, errors bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil || errors.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out.String(), errors.String())
	}
	return out.String()
}

// writeTemp writes content to a temporary file of the test and returns its path.
func writeTemp(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
