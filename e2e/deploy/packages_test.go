package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// released is what .ci/release makes of this checkout for two targets, twice: Linux has a
// tar archive and packages, Windows a zip archive.
var released = sync.OnceValues(func() ([2]string, error) {
	var dirs [2]string
	for i := range dirs {
		dir, err := os.MkdirTemp("", releasePattern())
		if err != nil {
			return dirs, err
		}
		dirs[i] = dir
		cmd := exec.Command(filepath.Join(harness.Root(), ".ci", "release"), dir)
		cmd.Env = append(os.Environ(), "VERSION=1.2.3", "TARGETS=linux/amd64 windows/amd64", "IMAGE=no")
		if out, err := cmd.CombinedOutput(); err != nil {
			return dirs, &exec.Error{Name: string(out), Err: err}
		}
	}
	return dirs, nil
})

// TestMain leaves nothing of the releases behind.
func TestMain(m *testing.M) {
	code := m.Run()
	made, _ := filepath.Glob(filepath.Join(os.TempDir(), releasePattern()))
	for _, dir := range made {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// releasePattern names this process' folders of releases.
func releasePattern() string { return fmt.Sprintf("metrics-gate-release-%d-*", os.Getpid()) }

func release(t *testing.T) [2]string {
	t.Helper()
	dirs, err := released()
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// TestReleaseReproducible: the same commit gives the same bytes, and the checksums are true.
func TestReleaseReproducible(t *testing.T) {
	dirs := release(t)
	sums := read(t, filepath.Join(dirs[0], "SHA256SUMS"))
	if again := read(t, filepath.Join(dirs[1], "SHA256SUMS")); sums != again {
		t.Errorf("first\n%sthen\n%s", sums, again)
	}
	if n := strings.Count(sums, "\n"); n != 7 {
		t.Errorf("%d files, not two archives, two SBOMs, deb, rpm and provenance:\n%s", n, sums)
	}
	if !strings.Contains(sums, "  metrics-gate_1.2.3_windows_amd64.zip\n") {
		t.Errorf("no archive for Windows:\n%s", sums)
	}
	cmd := exec.Command("sha256sum", "--quiet", "-c", "SHA256SUMS")
	cmd.Dir = dirs[0]
	if r := finish(t, cmd); r.code != 0 {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
}

// TestSBOM: the CycloneDX file names the modules that go version finds in the released binary.
func TestSBOM(t *testing.T) {
	dir := release(t)[0]
	var bom struct {
		BOMFormat, SpecVersion string
		Metadata               struct {
			Component struct{ Name, Version string }
		}
		Components []struct {
			Name, Version string
			Licenses      []struct{ License struct{ ID string } }
		}
	}
	text := read(t, filepath.Join(dir, "metrics-gate_1.2.3_linux_amd64.cdx.json"))
	if err := json.Unmarshal([]byte(text), &bom); err != nil {
		t.Fatal(err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.Metadata.Component.Name != "metrics-gate" ||
		bom.Metadata.Component.Version != "1.2.3" {
		t.Errorf("%+v", bom)
	}
	unpack := exec.Command("tar", "-xzf", filepath.Join(dir, "metrics-gate_1.2.3_linux_amd64.tar.gz"),
		"-C", t.TempDir(), "--strip-components=1")
	finish(t, unpack)
	listed := map[string]string{}
	for _, c := range bom.Components {
		listed[c.Name] = c.Version
		if len(c.Licenses) == 0 || c.Licenses[0].License.ID == "" {
			t.Errorf("%s has no license", c.Name)
		}
	}
	modules := 0
	recorded := finish(t, exec.Command("go", "version", "-m", filepath.Join(unpack.Args[4], "metrics-gate"))).stdout
	for line := range strings.Lines(recorded) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "dep" {
			modules++
			if listed[f[1]] != f[2] {
				t.Errorf("%s %s is listed as %q", f[1], f[2], listed[f[1]])
			}
		}
	}
	if modules < 5 || len(listed) != modules+1 {
		t.Errorf("%d modules in the binary, %d components", modules, len(listed))
	}
}

// lifecycle runs a package through its life in a throwaway root and returns what was said under each heading.
func lifecycle(t *testing.T, kind string) map[string]string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(release(t)[0], "*."+kind))
	if len(files) != 1 {
		t.Fatalf("packages %q", files)
	}
	tool(t, map[string]string{"deb": "dpkg", "rpm": "rpm"}[kind])
	cmd := exec.CommandContext(t.Context(), tool(t, "unshare"), "--mount", "sh", "testdata/packages.sh",
		kind, files[0])
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", kind, err, out)
	}
	said := map[string]string{}
	heading := ""
	for line := range strings.Lines(string(out)) {
		if h, ok := strings.CutPrefix(line, "== "); ok {
			heading, line, _ = strings.Cut(strings.TrimSpace(h), " ")
		}
		said[heading] += line
	}
	return said
}

// TestPackages: an installation starts nothing and makes the user; an upgrade keeps settings and
// restarts; removal stops; purge touches no key and says that it stays.
func TestPackages(t *testing.T) {
	for _, kind := range []string{"deb", "rpm"} {
		t.Run(kind, func(t *testing.T) {
			said := lifecycle(t, kind)
			for heading, want := range map[string]string{
				"user": "nologin", "mode": "750 root metrics-gate 640 root root",
				"upgrade":  "systemctl try-restart metrics-gate-firewall.service",
				"settings": "METRICS_GATE_METRICS_ALLOW=dns:mine",
				"remove": "systemctl --no-reload disable metrics-gate.socket metrics-gate.service " +
					"metrics-gate-firewall.timer metrics-gate-firewall.service metrics-gate@9263.service",
				"key": "secretsecret",
			} {
				if !strings.Contains(strings.ReplaceAll(said[heading], "\n", ""), want) {
					t.Errorf("%s: %q has no %q", heading, said[heading], want)
				}
			}
			if strings.Contains(said["install"], "systemctl start") ||
				strings.Contains(said["install"], "try-restart") ||
				!strings.Contains(said["mode"], "metrics-gate 1.2.3") {
				t.Errorf("install: %q %q", said["install"], said["mode"])
			}
			if goodbye := said["remove"] + said["purge"]; !strings.Contains(goodbye, "delete it yourself") ||
				!strings.Contains(goodbye, "/etc/metrics-gate/tls.key") {
				t.Errorf("nobody is told that the key stays: %q", goodbye)
			}
			if left := said["left"]; strings.Contains(left, "/usr/") {
				t.Errorf("left behind: %s", left)
			}
			if t.Failed() {
				t.Logf("%q", said)
			}
		})
	}
}
