//go:build unix

package config

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe that nobody writes to must not hold up the start.
func TestRunnerNameFromPipeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := NewRunnerLabels(&Config{Label: Label{RunnerNameFile: path, Name: "runner_name"}})
	if err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%v", err)
	}
}
