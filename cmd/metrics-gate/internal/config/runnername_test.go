package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunnerNameFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(" build-01\n")
	c := &Config{Label: Label{RunnerNameFile: path, Name: "runner_name"}}
	l, err := NewRunnerLabels(c)
	if err != nil || l.Name() != "build-01" {
		t.Fatalf("%q, %v", l.Name(), err)
	}
	if changed, err := l.Reload(); changed || err != nil {
		t.Errorf("changed %v, %v without a change", changed, err)
	}
	before := l.Current.Load()
	for _, bad := range []string{"", " \n", "\xff", strings.Repeat("x", maxRunnerName+1)} {
		write(bad)
		if changed, err := l.Reload(); changed || err == nil || l.Current.Load() != before {
			t.Errorf("%.10q was loaded", bad)
		}
	}
	write("\xff\xfeb\x00")
	if _, err := l.Reload(); err == nil || !strings.Contains(err.Error(), "BOM") {
		t.Errorf("UTF-16: %v", err)
	}
	write("\xef\xbb\xbfbuild-02")
	if changed, err := l.Reload(); !changed || err != nil || l.Name() != "build-02" || l.Current.Load() == before {
		t.Errorf("%q, %v, %v", l.Name(), changed, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Reload(); err == nil || !strings.Contains(err.Error(), "RUNNER_NAME_FILE") {
		t.Errorf("a file that is gone: %v", err)
	}
}

func TestRunnerNameDefaultsToTheHost(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if name, err := (&Config{}).RunnerName(); err != nil || name != host {
		t.Errorf("%q, %v, want %q", name, err, host)
	}
}
