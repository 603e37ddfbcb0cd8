package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestReloaderCountsAndLogs(t *testing.T) {
	var out bytes.Buffer
	r := newReloader(newLogger(&out, processConfig{LogLevel: "info", LogFormat: "text"}), prometheus.NewRegistry())
	var changed bool
	var failure error
	r.add("tokens", func() (bool, error) { return changed, failure })
	count := func(result string) float64 { return testutil.ToFloat64(r.total.WithLabelValues("tokens", result)) }

	r.all(false)
	if out.Len() > 0 || count("success") != 0 {
		t.Errorf("nothing changed, yet: %s", out.String())
	}
	changed = true
	r.all(false)
	if count("success") != 1 || !strings.Contains(out.String(), "reloaded") {
		t.Errorf("success %v: %s", count("success"), out.String())
	}
	out.Reset()
	failure = errors.New("line 3: malformed")
	for range 3 {
		r.all(false)
	}
	if count("error") != 3 || strings.Count(out.String(), "line 3") != 1 {
		t.Errorf("the same error is counted each time and logged once: %v, %s", count("error"), out.String())
	}
	out.Reset()
	r.all(true)
	if !strings.Contains(out.String(), "line 3") {
		t.Error("whoever asks for a reload gets no answer")
	}
	out.Reset()
	failure, changed = nil, false
	r.all(true)
	if !strings.Contains(out.String(), "nothing has changed") {
		t.Errorf("whoever asks for a reload gets no answer: %s", out.String())
	}
}

func TestRunnerNameFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(" build-01\n")
	c := &config{Label: labelConfig{RunnerNameFile: path, Name: "runner_name", Conflict: "exported"}}
	l, err := newRunnerLabels(c)
	if err != nil || l.name != "build-01" {
		t.Fatalf("%q, %v", l.name, err)
	}
	if changed, err := l.reload(); changed || err != nil {
		t.Errorf("changed %v, %v without a change", changed, err)
	}
	before := l.current.Load()
	for _, bad := range []string{"", " \n", "\xff", strings.Repeat("x", maxRunnerName+1)} {
		write(bad)
		if changed, err := l.reload(); changed || err == nil || l.current.Load() != before {
			t.Errorf("%.10q was taken over", bad)
		}
	}
	write("build-02")
	if changed, err := l.reload(); !changed || err != nil || l.name != "build-02" || l.current.Load() == before {
		t.Errorf("%q, %v, %v", l.name, changed, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := l.reload(); err == nil || !strings.Contains(err.Error(), "RUNNER_NAME_FILE") {
		t.Errorf("a file that is gone: %v", err)
	}
}

func TestRunnerNameDefaultsToTheHost(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if name, err := (&config{}).runnerName(); err != nil || name != host {
		t.Errorf("%q, %v, want %q", name, err, host)
	}
}
