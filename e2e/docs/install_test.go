package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// go install builds the last commit from a module proxy, as docs/install.md says, and the program
// knows its version: the module has no replace directive and needs nothing outside of it.
func TestGoInstall(t *testing.T) {
	const module = "github.com/metrics-gate/metrics-gate"
	proxy := t.TempDir()
	versions := filepath.Join(proxy, module, "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(versions, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("list", "v1.2.3\n")
	write("v1.2.3.info", `{"Version":"v1.2.3"}`)
	write("v1.2.3.mod", read(t, filepath.Join(harness.Root(), "go.mod")))
	// A module's zip leaves out the modules inside of it.
	archive := exec.Command("git", "archive", "--format=zip", "--prefix="+module+"@v1.2.3/",
		"--output="+filepath.Join(versions, "v1.2.3.zip"), "HEAD", "--", ".", ":!e2e", ":!.ci")
	archive.Dir = harness.Root()
	if out, err := archive.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules, bin := t.TempDir(), t.TempDir()
	install := exec.Command("go", "install", "-modcacherw", "-trimpath", module+"/cmd/metrics-gate@v1.2.3")
	install.Dir = t.TempDir()
	install.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+bin, "GOMODCACHE="+modules, "GOFLAGS=",
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(strings.TrimSpace(string(cache)), "cache", "download"),
		"GONOSUMDB="+module, "GOSUMDB=off")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(filepath.Join(bin, "metrics-gate"), "version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1.2.3") {
		t.Errorf("%v %s", err, out)
	}
}
