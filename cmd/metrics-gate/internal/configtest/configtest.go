// Package configtest loads configurations for the tests of other rooms.
package configtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/config"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
)

// Load loads a configuration with the demo's files.
func Load(t *testing.T, environ ...string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	more := "# two more\nscraper sha256:" + strings.Repeat("ab", 32) + " # of the second server\n"
	tokens, err := os.ReadFile(filepath.Join(dir, "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokens"), append(tokens, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(append(demofiles.Environ(dir, "127.0.0.1:9252"), environ...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
