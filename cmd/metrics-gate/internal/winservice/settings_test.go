package winservice

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/cli"
)

func TestSettingsOfTheEnvironment(t *testing.T) {
	got, path, err := settingsOf([]string{
		"Path=C:\\", "METRICS_GATE_RUNNER_NAME=a", "METRICS_GATE=x", "METRICS_GATE_LINGER=1s",
	}, "")
	want := []string{"METRICS_GATE_RUNNER_NAME=a", "METRICS_GATE_LINGER=1s"}
	if !slices.Equal(got, want) || path != "" || err != nil {
		t.Errorf("%q %q %v, want %q", got, path, err, want)
	}
}

func TestSettingsOfAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	var refused *cli.ConfigError
	if _, _, err := settingsOf(nil, "gate.env"); !errors.As(err, &refused) {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile("gate.env", []byte("A=1\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, path, err := settingsOf([]string{"METRICS_GATE_LINGER=1s"}, "gate.env")
	if !slices.Equal(got, []string{"A=1"}) || !filepath.IsAbs(path) || err != nil {
		t.Errorf("%q %q %v", got, path, err)
	}
}
