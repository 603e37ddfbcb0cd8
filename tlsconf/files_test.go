package tlsconf_test

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestFilesThatDoNotFitTogether(t *testing.T) {
	s := newFixture(t)
	for name, tc := range map[string]struct {
		files tlsconf.Files
		want  string
	}{
		"no certificate": {tlsconf.Files{Key: "k"}, "certificate file: none given"},
		"no key":         {tlsconf.Files{Cert: "c"}, "key file: none given"},
		"required, no CA": {
			tlsconf.Files{Cert: "c", Key: "k", ClientAuth: tlsconf.Required}, "client CA file: none given",
		},
		"optional, no CA": {
			tlsconf.Files{Cert: "c", Key: "k", ClientAuth: tlsconf.Optional}, "client CA file: none given",
		},
		"CA, not asked": {
			tlsconf.Files{Cert: "c", Key: "k", ClientCA: "a"},
			"client CA file a: client certificates are not asked for",
		},
		"CRL, not asked": {
			tlsconf.Files{Cert: "c", Key: "k", ClientCRL: "l"},
			"client CRL file l: client certificates are not asked for",
		},
		"unknown auth": {tlsconf.Files{Cert: "c", Key: "k", ClientAuth: 3}, "client authentication 3: unknown"},
		"TLS 1.1": {
			tlsconf.Files{Cert: "c", Key: "k", MinVersion: tls.VersionTLS11}, "TLS version TLS 1.1: only 1.2 and 1.3",
		},
		"missing file": {
			tlsconf.Files{Cert: s.path("nope"), Key: s.path("tls.key")},
			"certificate file " + s.path("nope") + ": no such file",
		},
		"a folder as file": {
			tlsconf.Files{Cert: s.dir, Key: s.path("tls.key")}, "certificate file " + s.dir + ": is a directory",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tlsconf.New(tc.files, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestBadFilesAreErrorsAtStartAndKeepTheOldStateAtReload(t *testing.T) {
	for name, tc := range badFiles() {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.writeCRL(testca.Must(s.clients.CRL(testca.CRLOptions{})))
			r := s.reloader(s.files(tlsconf.Required))
			before := r.Expiry()
			s.write(tc.file, tc.data(s))
			_, err := tlsconf.New(s.files(tlsconf.Required), slog.New(slog.DiscardHandler))
			expectFileError(t, err, tc)
			for range 2 {
				changed, err := r.Reload()
				expectFileError(t, err, tc)
				if changed {
					t.Error("reload reports a change")
				}
			}
			if after := r.Expiry(); len(after) != len(before) || after[0] != before[0] {
				t.Errorf("state changed: %v, was %v", after, before)
			}
			if answer, err := ask(s.serve(r), s.config(s.client("scraper"))); err != nil || answer != "<nil>\n" {
				t.Errorf("old state does not serve: %q, %v", answer, err)
			}
		})
	}
}

func expectFileError(t *testing.T, err error, tc badFile) {
	t.Helper()
	fe, ok := errors.AsType[*tlsconf.FileError](err)
	if !ok {
		t.Fatalf("got %v, want a *FileError", err)
	}
	if !strings.HasSuffix(fe.Path, tc.file) || !strings.Contains(fe.Error(), tc.want) ||
		!strings.Contains(fe.Error(), fe.Path+": ") {
		t.Errorf("got %q, want %s and %q", fe, tc.file, tc.want)
	}
	if (fe.Advice == "") != (tc.advice == "") || !strings.Contains(fe.Advice, tc.advice) {
		t.Errorf("advice %q, want %q", fe.Advice, tc.advice)
	}
	if strings.Contains(fe.Error(), "tlsconf") || strings.Count(fe.Error(), fe.Path) != 1 {
		t.Errorf("%q stutters", fe)
	}
}
