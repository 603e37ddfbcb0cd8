package gate

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Files of which no event tells are looked at often enough for a change to be noticed within
// 10 s, and at once for whoever asks, who learns when it is done.
func TestFilesArePolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		r := newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		looked := 0
		missing := filepath.Join(t.TempDir(), "missing")
		r.add("tokens", func() (bool, error) { looked++; return false, nil }, missing)
		now := make(chan chan struct{})
		ended := make(chan struct{})
		go func() { defer close(ended); r.run(ctx, now, func(time.Time) bool { return true }) }()

		time.Sleep(10 * time.Second) // of the bubble
		synctest.Wait()
		if looked == 0 {
			t.Error("a change is not noticed within 10 s")
		}
		before, done := looked, make(chan struct{})
		now <- done
		<-done
		if looked != before+1 {
			t.Errorf("looked %d times when asked", looked-before)
		}
		stop()
		<-ended
		before = looked
		time.Sleep(time.Minute)
		if looked != before {
			t.Error("it goes on after the end")
		}
	})
}

// hour runs a reloader with one set of files for an hour, and counts readings and looks.
func hour(t *testing.T, reload func() error, paths ...string) (read, looked int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		r := newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		r.add("jwks", func() (bool, error) { read++; return false, reload() }, paths...)
		r.run(ctx, nil, func(time.Time) bool { looked++; return false })
	})
	return read, looked
}

// What no file tells, such as the host's name, is asked often enough for a change to be noticed
// within 10 s.
func TestWithoutAFileItIsAsked(t *testing.T) {
	if read, _ := hour(t, func() error { return nil }); read < 360 {
		t.Errorf("asked %d times in an hour", read)
	}
}

// A gate about which nothing can change wakes once a minute, and every five minutes if it has nothing
// to do either.
func TestNothingToLookAt(t *testing.T) {
	for quiet, most := range map[bool]int{false: 61, true: 13} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), time.Hour)
			defer stop()
			looked := 0
			newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry()).run(ctx, nil,
				func(time.Time) bool { looked++; return quiet })
			if looked > most || looked < most-2 {
				t.Errorf("quiet %v: %d looks in an hour, not %d", quiet, looked, most)
			}
		})
	}
}

// One set of files that is refused keeps no other from being loaded.
func TestOneRefusalStopsNoOther(t *testing.T) {
	r := newReloader(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	second := 0
	r.add("tls", func() (bool, error) { return false, context.DeadlineExceeded })
	r.add("tokens", func() (bool, error) { second++; return true, nil })
	for range 3 {
		r.all(false)
	}
	if second != 3 {
		t.Errorf("the second was looked at %d times", second)
	}
}
