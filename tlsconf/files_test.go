package tlsconf_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
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

// badFile names what one file is replaced with, and how the error describes it.
type badFile struct {
	file   string
	data   func(*fixture) []byte
	want   string
	advice string // part of it; empty: no advice
}

func badFiles() map[string]badFile {
	text := func(v string) func(*fixture) []byte { return func(*fixture) []byte { return []byte(v) } }
	key := func(s *fixture) []byte { return testca.Must(s.gate.KeyPEM()) }
	block := func(kind string, der ...byte) func(*fixture) []byte {
		return func(*fixture) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	}
	return map[string]badFile{
		"empty certificate":   {"tls.crt", text(""), "is empty", ""},
		"garbage certificate": {"tls.crt", text("hello"), "no PEM block in it", ""},
		"malformed":           {"tls.crt", block("CERTIFICATE", 1, 2, 3), "certificate 1: x509: malformed", ""},
		"certificate cut off": {
			"tls.crt",
			func(s *fixture) []byte { return s.gate.CertPEM()[:300] },
			"1 of 1 PEM blocks: damaged or cut off",
			"BEGIN and END",
		},
		"certificate is a key": {"tls.crt", key, "holds a private key, not a certificate", "swapped"},
		"certificate in DER": {
			"tls.crt",
			func(s *fixture) []byte { return s.gate.Leaf().Raw },
			"is not PEM but a certificate in DER",
			"openssl x509 -inform DER",
		},
		"only parameters": {"tls.crt", block("EC PARAMETERS", 6), "holds no certificate but EC PARAMETERS", ""},
		"of another key": {
			"tls.crt",
			func(s *fixture) []byte { return s.serverPair().CertPEM() },
			"key does not match the certificate",
			"together",
		},
		"leaf last": {"tls.crt", func(s *fixture) []byte { return testca.CertPEM(s.server.Cert, s.gate.Leaf()) },
			"key belongs to certificate 2, not to the first", "comes first"},
		"certificate huge": {
			"tls.crt",
			func(*fixture) []byte { return bytes.Repeat([]byte("x"), 1<<20+1) },
			"larger than 1048576 bytes",
			"",
		},

		"empty key": {"tls.key", text("\n\n"), "no PEM block in it", ""},
		"key is a certificate": {
			"tls.key",
			func(s *fixture) []byte { return s.gate.CertPEM() },
			"holds a certificate, not a private key",
			"swapped",
		},
		"key only parameters": {"tls.key", block("EC PARAMETERS", 6), "holds no private key", ""},
		"encrypted key": {
			"tls.key",
			block("ENCRYPTED PRIVATE KEY", 48),
			"private key is encrypted",
			"openssl pkey",
		},
		"encrypted, old style": {
			"tls.key",
			text(
				"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n" +
					"AAAA\n-----END RSA PRIVATE KEY-----\n",
			),
			"private key is encrypted",
			"openssl pkey",
		},
		"two keys": {
			"tls.key",
			func(s *fixture) []byte { return append(key(s), key(s)...) },
			"more than one private key",
			"",
		},
		"malformed key":     {"tls.key", block("EC PRIVATE KEY", 1), "private key is malformed", ""},
		"malformed RSA key": {"tls.key", block("RSA PRIVATE KEY", 1), "private key is malformed", ""},
		"SSH key": {
			"tls.key",
			block("OPENSSH PRIVATE KEY", 1),
			`private key of type "OPENSSH PRIVATE KEY" is for SSH`,
			"requested with",
		},
		"unknown key": {
			"tls.key",
			block("ODD PRIVATE KEY", 1),
			`private key of type "ODD PRIVATE KEY" is unknown`,
			"",
		},

		"empty CA":   {"ca.crt", text(""), "is empty", ""},
		"garbage CA": {"ca.crt", text("# none yet\n"), "no PEM block in it", ""},
		"CA cut off": {
			"ca.crt",
			func(s *fixture) []byte { return append(s.clients.CertPEM(), s.server.CertPEM()[:200]...) },
			"1 of 2 PEM blocks: damaged or cut off",
			"BEGIN and END",
		},
		"leaf as CA": {"ca.crt", func(s *fixture) []byte { return s.client("leaf").CertPEM() },
			"certificate 1 (CN=leaf): is not a CA", "CA that issued it"},
		"leaf with CA": {
			"ca.crt",
			func(s *fixture) []byte { return append(s.clients.CertPEM(), s.client("leaf").CertPEM()...) },
			"certificate 2 (CN=leaf): is not a CA",
			"CA that issued it",
		},
		"CA that may not sign": {"ca.crt", func(*fixture) []byte {
			return testca.Must(testca.NewCA(edit(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }))).
				CertPEM()
		}, "key usage does not permit", "CA that issued it"},
		"CA file with a key": {"ca.crt", key, "block 1 is PRIVATE KEY, not a certificate", "only the CAs"},
		"CA file with a list": {
			"ca.crt",
			func(s *fixture) []byte { return testca.CRLPEM(testca.Must(s.clients.CRL(testca.CRLOptions{}))) },
			"block 1 is X509 CRL",
			"file of their own",
		},
		"CA trusted block": {
			"ca.crt",
			block("TRUSTED CERTIFICATE", 48),
			"block 1 is TRUSTED CERTIFICATE",
			"openssl x509",
		},

		"empty CRL":   {"ca.crl", text(""), "is empty", ""},
		"garbage CRL": {"ca.crl", text("x"), "no PEM block in it", ""},
		"CA as CRL": {
			"ca.crl",
			func(s *fixture) []byte { return s.clients.CertPEM() },
			"block 1 is CERTIFICATE, not X509 CRL",
			"only revocation lists",
		},
		"CRL broken": {"ca.crl", block("X509 CRL", 1, 2), "list 1: malformed", ""},
		"CRL DER torn": {
			"ca.crl",
			func(s *fixture) []byte { return testca.Must(s.clients.CRL(testca.CRLOptions{}))[:150] },
			"cut off",
			"",
		},
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
