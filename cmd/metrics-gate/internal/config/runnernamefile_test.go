package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

// The file with the runner's name holds one bounded name that a label can have; the
// error names the variable and the file.
func TestRunnerNameFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name")
	for content, want := range map[string]string{
		"runner-1": "runner-1", "runner-1\n": "runner-1", "  Läufer 1 \r\n": "Läufer 1", "a\nb": "a\nb",
		strings.Repeat("x", maxRunnerName): strings.Repeat("x", maxRunnerName),
		"":                                 "", " \n": "", "\xff": "", "a\x00b": "",
		strings.Repeat("x", maxRunnerName+1): "",
	} {
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := readRunnerName(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.20q: %.20q %v, want %.20q", content, got, err, want)
		}
		var wrong *cli.ConfigError
		if err != nil &&
			(!errors.As(err, &wrong) || wrong.Thing != Prefix+"RUNNER_NAME_FILE" || wrong.Value != path) {
			t.Errorf("%.20q: %v", content, err)
		}
	}
}
