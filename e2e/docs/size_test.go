package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// maxBinary is the most that the stripped program for linux/amd64 may have, in bytes.
const maxBinary = 15e6

// The program stays small. If anything in it looks methods up by a name that is not constant, as
// text/template does, the linker keeps all exported methods: 2 MB, and 1 MB of memory.
func TestSizeOfTheBinary(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "metrics-gate")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -dumpdep", "-o", binary, "./cmd/metrics-gate")
	build.Dir = harness.Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	dependencies, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, dependencies[max(0, len(dependencies)-4096):])
	}
	file, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if file.Size() > maxBinary {
		t.Errorf("%d bytes, at most %.0f", file.Size(), maxBinary)
	}
	if !bytes.Contains(dependencies, []byte("-> main.main")) {
		t.Fatal("the linker names no dependencies")
	}
	var callers []string
	for line := range bytes.Lines(dependencies) {
		caller, _, found := strings.Cut(string(line), " <ReflectMethod>")
		if found && !slices.Contains(callers, caller) && !strings.Contains(caller, " -> ") {
			callers = append(callers, caller)
		}
	}
	if len(callers) > 0 {
		t.Errorf("%q look methods up by name", callers)
	}
}
