package deploy

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

var (
	fetched  = regexp.MustCompile(`kubectl -n (\S+) get (secret|configmap) (\S+)`)
	executed = regexp.MustCompile(`kubectl -n (\S+) exec deploy/(\S+) -c (\S+)`)
)

// TestDocumentedCommands: what the commands of the documents read and enter is there.
func TestDocumentedCommands(t *testing.T) {
	list := build(t, source("deploy/k8s/examples/mtls"))
	c := newCluster(t, list, build(t, source("deploy/k8s/cert-manager")))
	kinds := map[string]string{"secret": "Secret", "configmap": "ConfigMap"}
	get, exec := fetched.FindAllStringSubmatch(commands(t), -1), executed.FindAllStringSubmatch(commands(t), -1)
	for _, m := range get {
		if r := (ref{kinds[m[2]], m[1], m[3], ""}); !c.has[r] {
			t.Errorf("%s: no %s", m[0], r)
		}
	}
	g := gatedPod(t, one[appsv1.Deployment](t, list), list)
	for _, m := range exec {
		if m[1] != g.Namespace || m[2] != g.Name || m[3] != g.gate.Name {
			t.Errorf("%s: no such container", m[0])
		}
	}
	if len(get) == 0 || len(exec) == 0 {
		t.Errorf("%d commands that read, %d that enter", len(get), len(exec))
	}
}

// TestDocumentedTokens: the documents' commands leave a token in the file for Prometheus, and
// its digest in the file for the gate.
func TestDocumentedTokens(t *testing.T) {
	dir := t.TempDir()
	script := "PATH=$PWD:$PATH\nkubectl() { :; }\n"
	for _, block := range fenced.FindAllStringSubmatch(read(t, source("docs/kubernetes.md")), -1) {
		if strings.Contains(block[1], "metrics-gate token") {
			script += block[1]
		}
	}
	if err := os.Symlink(harness.Binary(t), filepath.Join(dir, "metrics-gate")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Dir = dir
	if r := finish(t, cmd); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	token := strings.TrimSuffix(read(t, filepath.Join(dir, "token")), "\n")
	want := fmt.Sprintf("prometheus sha256:%x\n", sha256.Sum256([]byte(token)))
	if got := read(t, filepath.Join(dir, "tokens")); got != want {
		t.Errorf("token %.3s…: the gate's file has %q", token, got)
	}
}

// TestDocumentsNameWhatIsPrinted: Prometheus' files and jobs have the names that print writes.
func TestDocumentsNameWhatIsPrinted(t *testing.T) {
	names := regexp.MustCompile(`/etc/prometheus/[\w./-]+\w|job_name: [\w-]+`)
	// A list of targets, which print does not write, and the file that its alerts go into.
	known := map[string]bool{"/etc/prometheus/runners.yml": true, "/etc/prometheus/gate-rules.yml": true}
	for _, environ := range configured {
		for _, name := range names.FindAllString(printed(t, environ, "scrape-config"), -1) {
			known[name], known[path.Dir(name)] = true, true
		}
	}
	found := 0
	for _, page := range append(glob(t, "docs/*.md"), source("README.md")) {
		for _, name := range names.FindAllString(read(t, page), -1) {
			found++
			if !known[name] {
				t.Errorf("%s: print writes no %s", page, name)
			}
		}
	}
	if found < 10 {
		t.Errorf("%d names", found)
	}
}
