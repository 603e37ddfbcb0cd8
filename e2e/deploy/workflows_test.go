package deploy

import (
	"os/exec"
	"strings"
	"testing"
)

// TestWorkflows: actionlint finds nothing in the workflows, and it does find a bad one.
func TestWorkflows(t *testing.T) {
	args := []string{
		"tool",
		"-modfile=" + source(".ci/release-tools/go.mod"),
		"actionlint",
		"-no-color",
		"-shellcheck=",
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, glob(t, ".github/workflows/*.yml")...)...)
	cmd.Dir = source()
	if r := finish(t, cmd); r.code != 0 {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	bad := t.TempDir() + "/bad.yml"
	write(t, bad, strings.Replace(read(t, source(".github/workflows/check.yml")), "runs-on:", "runs-at:", 1), 0o644)
	cmd = exec.CommandContext(t.Context(), "go", append(args, bad)...)
	cmd.Dir = source()
	if r := finish(t, cmd); r.code == 0 || !strings.Contains(r.stdout, "runs-at") {
		t.Errorf("exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
}
