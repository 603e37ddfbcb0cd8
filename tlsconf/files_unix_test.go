//go:build unix

package tlsconf_test

import (
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
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

// What a file holds is named before its mode, which is of no matter for a file in a wrong place or form.
func TestFormIsNamedBeforeTheMode(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o644, 0o666} {
		s := newFixture(t)
		must(t, s.gate.WriteFiles(s.path("tls.key"), s.path("tls.crt")))
		must(t, os.Chmod(s.path("tls.key"), mode))
		must(t, os.Chmod(s.path("tls.crt"), mode))
		all := tlsconf.FileErrors(s.start())
		if len(all) != 1 || all[0].Advice != "certificate and key file are swapped" {
			t.Errorf("swapped, mode %o: %v", mode, all)
		}
		for want, data := range map[string][]byte{
			"is not PEM but a private key in DER": testca.Must(x509.MarshalPKCS8PrivateKey(s.gate.Key)),
			"is not PEM but PKCS #12":             {0x30, 0x05, 0x02, 0x01, 0x03, 0x30, 0x00},
		} {
			s := newFixture(t)
			s.write("tls.key", data)
			must(t, os.Chmod(s.path("tls.key"), mode))
			all := tlsconf.FileErrors(s.start())
			if len(all) != 1 || all[0].Err.Error() != want || !strings.Contains(all[0].Advice, "openssl") {
				t.Errorf("mode %o: %v, want %s", mode, all, want)
			}
		}
	}
}
