//go:build unix

package tlsconf_test

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
)

func TestKeyModeIsJudged(t *testing.T) {
	for mode, good := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o640: true, 0o440: true, 0o660: true,
		0o644: false, 0o604: false, 0o666: false, 0o602: false,
	} {
		s := newFixture(t)
		if err := os.Chmod(s.path("tls.key"), mode); err != nil {
			t.Fatal(err)
		}
		_, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
		if (err == nil) != good {
			t.Errorf("mode %o: %v", mode, err)
		}
		if fe, ok := errors.AsType[*tlsconf.FileError](err); !good &&
			(!ok || fe.Role != tlsconf.RoleKey || !strings.Contains(fe.Advice, "defaultMode")) {
			t.Errorf("mode %o: %#v", mode, err)
		}
	}
}

// The mode that counts is that of the file behind a symbolic link, as Kubernetes makes them.
func TestKeyModeIsThatOfTheOpenedFile(t *testing.T) {
	s := newFixture(t)
	if err := os.Rename(s.path("tls.key"), s.path("real")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", s.path("tls.key")); err != nil {
		t.Fatal(err)
	}
	s.reloader(s.files(tlsconf.Required))
	if err := os.Chmod(s.path("real"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a link to a key that others can read was accepted")
	}
}

func TestNewDoesNotWaitForAPipe(t *testing.T) {
	s := newFixture(t)
	if err := os.Remove(s.path("tls.key")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(s.path("tls.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
	if !errors.Is(err, safefile.ErrNotRegular) {
		t.Error(err)
	}
}

func TestKeyThatBecomesReadable(t *testing.T) {
	s := newFixture(t)
	r := s.reloader(s.files(tlsconf.Required))
	must(t, os.Chmod(s.path("tls.key"), 0o644))
	if _, err := r.Reload(); err == nil {
		t.Error("not noticed")
	}
	must(t, os.Chmod(s.path("tls.key"), 0o640))
	s.mustReload(r, false)
}
