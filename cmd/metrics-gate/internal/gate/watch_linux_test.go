package gate

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/metrics-gate/metrics-gate/cmd/metrics-gate/internal/filewatch"
)

// A mount over the files sends no event and hides what is watched. The next look watches what
// is there then.
func TestHiddenFilesAreWatchedNoMore(t *testing.T) {
	hidden, path := filepath.Join(t.TempDir(), "tokens"), filepath.Join(t.TempDir(), "tokens")
	write := func(path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(hidden)
	write(path)
	r := newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	r.add("tokens", func() (bool, error) { return false, nil }, path)
	var err error
	if r.watch, err = filewatch.NewWatch([]string{hidden}); err != nil {
		t.Fatal(err)
	}
	defer r.unwatch()
	r.look(false)
	write(path)
	select {
	case <-r.watch.Changed():
	case <-time.After(20 * time.Second):
		t.Error("no event")
	}
}

// A watch that cannot be made anew is none: then files are looked at.
func TestMissingFilesAreNotWatched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	r.add("tokens", func() (bool, error) { return false, nil }, path)
	r.rewatch()
	if r.watch == nil {
		t.Fatal("no watch")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r.look(false); r.watch != nil {
		t.Error("a missing file counts as watched")
	}
}
