package windows_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// testPackages runs the tests of the packages that have files for Windows, or that read the
// gate's files. The tests that are left out need what Wine 8 lacks or does in another way.
func (w *wine) testPackages(t *testing.T) {
	for folder, without := range map[string][]string{
		"tlsconf/safefile": {"TestReadFollowsLinks"}, // no symbolic links
		"tlsconf": {
			"TestSwapOfAKubernetesVolume", "TestRotationDropsNobody", "TestReloadWhileFilesAreSwapped", // links
			"TestConcurrentUse",             // Windows replaces no file that is being read
			"TestFilesThatDoNotFitTogether", // quotes the text of an error of Linux
		},
		"cmd/metrics-gate/internal/config":     nil,
		"cmd/metrics-gate/internal/winservice": nil,
		"proxy/upstream":                       {"TestStaleConnectionsAreAllPassedOver"}, // Windows notices them in use
	} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			exe := compile(t, folder, "test", "-c")
			skip := "^(" + strings.Join(without, "|") + ")$"
			c := w.command(t.Context(), exe, "-test.timeout=2m", "-test.skip="+skip)
			c.Dir = filepath.Join(harness.Root(), folder)
			out, err := c.CombinedOutput()
			if failed := failures(string(out)); len(failed) > 0 {
				t.Errorf("%v\n%s", err, strings.Join(failed, "\n"))
			}
		})
	}
}

// failures are the lines of a test's output that tell of a failure. Go cannot remove a
// temporary folder in Wine 8, which does not implement FileDispositionInformationEx, and
// fails each test that has one. Such a test has failed if there is another line.
func failures(output string) (lines []string) {
	harmless := regexp.MustCompile(`^(\s*--- FAIL: .*|PASS|FAIL|\s*|` +
		`\s+testing\.go:\d+: TempDir RemoveAll cleanup: unlinkat .*: Invalid function\.|` +
		`.*http: TLS handshake error from .*|` + // of a server that a test asks
		`it looks like wine32 is missing.*|multiarch needs to be enabled.*|execute "dpkg.*|apt-get install wine32.*)$`)
	ended := false
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		ended = ended || line == "PASS" || line == "FAIL"
		if !harmless.MatchString(line) {
			lines = append(lines, line)
		}
	}
	if !ended {
		lines = append(lines, "the tests did not end")
	}
	return lines
}
