package deploy

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// packages says what to install for a tool that is missing.
var packages = map[string]string{
	"kubectl": "kubernetes-client", "promtool": "prometheus", "nft": "nftables", "ip": "iproute2",
	"systemd-analyze": "systemd", "systemd-sysusers": "systemd", "systemd-socket-activate": "systemd",
	"lintian": "lintian", "rpmlint": "rpmlint",
	"dpkg": "dpkg", "git": "git", "dpkg-deb": "dpkg", "rpm": "rpm", "curl": "curl", "man": "man-db",
	"unshare": "util-linux",
}

// tool is the path of a program.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: apt-get install %s", name, packages[name])
	}
	return path
}

// result is what a command left behind.
type result struct {
	stdout, stderr string
	code           int
}

// command runs a tool to its end.
func command(t *testing.T, name string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return finish(t, exec.CommandContext(ctx, tool(t, name), args...))
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// good runs a tool that must say nothing on stderr and exit with 0.
func good(t *testing.T, name string, args ...string) string {
	t.Helper()
	r := command(t, name, args...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("%s %q: exit %d\n%s%s", name, args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// source is a file of the project.
func source(parts ...string) string {
	return filepath.Join(append([]string{harness.Root()}, parts...)...)
}

// glob lists files of the project; nothing found is a failure.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(source(pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return files
}
