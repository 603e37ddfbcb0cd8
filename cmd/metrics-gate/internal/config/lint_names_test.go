package config

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/demofiles"
)

func TestTokenNames(t *testing.T) {
	dir := t.TempDir()
	if err := demofiles.Write(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tokens")
	if got := TokenNames(path); !slices.Equal(got, []string{"prometheus"}) {
		t.Errorf("%v", got)
	}
	if _, err := auth.LoadTokens(path); err != nil {
		t.Error(err)
	}
	if got := TokenNames(""); got != nil {
		t.Errorf("%v", got)
	}
}
