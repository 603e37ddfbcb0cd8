package tlsconf_test

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/safefile"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// dayOfCases lies within the validity of what is in testdata.
func dayOfCases() time.Time { return time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC) }

func input(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	return data
}

// caseFixture is a fixture with the server and the client CA of testdata.
func caseFixture(t testing.TB) *fixture {
	s := &fixture{t: t, dir: t.TempDir(), log: new(buffer)}
	s.write("tls.crt", input(t, "server.pem"))
	s.write("tls.key", input(t, "server.key"))
	s.write("ca.crt", input(t, "client-ca.pem"))
	return s
}

func (s *fixture) caseReloader() (*tlsconf.Reloader, error) {
	return tlsconf.NewAt(s.files(tlsconf.Required), slog.New(slog.NewTextHandler(s.log, nil)), dayOfCases)
}

// caseClient presents a pair of testdata, and trusts every server.
func caseClient(t testing.TB, name string) *tls.Config {
	t.Helper()
	pair, err := tls.X509KeyPair(input(t, name+".pem"), input(t, name+".key"))
	must(t, err)
	return &tls.Config{
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &pair, nil
		},
	}
}

// passes reports whether a client of testdata gets through the handshake and Verify.
func (s *fixture) passes(r *tlsconf.Reloader, name string) bool {
	s.t.Helper()
	answer, err := ask(s.serve(r), caseClient(s.t, name))
	return err == nil && answer == "<nil>\n"
}

func TestCaseKeyInALabelOfAnotherForm(t *testing.T) {
	s := caseFixture(t)
	s.write("tls.crt", input(t, "a20-server-rsa.pem"))
	s.write("tls.key", input(t, "a20-pkcs8-in-rsa-label.key"))
	r, err := s.caseReloader()
	must(t, err)
	if !s.passes(r, "client-good") {
		t.Error("does not serve")
	}
}

func TestCaseExpiredIntermediateIsWarnedOf(t *testing.T) {
	s := caseFixture(t)
	s.write("tls.crt", input(t, "a11-chain-expired-intermediate.pem"))
	s.write("tls.key", input(t, "a11-chain-expired-intermediate.key"))
	r, err := s.caseReloader()
	must(t, err)
	for _, want := range []string{"CN=example expired intermediate", "expired 2026-11-28T01:33:56Z",
		"scrapers will not accept"} {
		if got := s.log.String(); !strings.Contains(got, want) || strings.Count(got, "\n") != 1 {
			t.Errorf("logged %q, want %q once", got, want)
		}
	}
	if w := r.Warnings(); len(w) != 1 || w[0].Role != tlsconf.RoleServer || w[0].Advice == "" || !w[0].Expired {
		t.Errorf("warnings: %+v", w)
	}
	if e := r.Expiry(); e[0].Subject != "CN=example expired intermediate" || e[0].Role != tlsconf.RoleServer ||
		!e[0].Intermediate || e[1].Intermediate {
		t.Errorf("expires first: %+v", e[0])
	}
}

func TestCaseOlderListDoesNotForgetTheRevoked(t *testing.T) {
	s := caseFixture(t)
	s.write("ca.crl", input(t, "a22-list-number-7-revokes.pem"))
	r, err := s.caseReloader()
	must(t, err)
	s.write("ca.crl", input(t, "a22-list-number-3-older.pem"))
	for range 2 {
		changed, err := r.Reload()
		all := tlsconf.FileErrors(err)
		if changed || !errors.Is(err, tlsconf.ErrOlderList) || len(all) != 1 || all[0].Role != tlsconf.RoleCRL ||
			all[0].Advice == "" {
			t.Errorf("reload: %v, %v", changed, err)
		}
	}
	if s.passes(r, "a22-revoked") {
		t.Error("the revoked certificate passes")
	}
	if !s.passes(r, "client-good") {
		t.Error("the good certificate does not pass")
	}
	s.write("ca.crl", input(t, "a22-list-number-7-revokes.pem"))
	s.mustReload(r, false)
}

func TestCaseWeakKeysAndSignaturesAreRefused(t *testing.T) {
	s := caseFixture(t)
	r, err := s.caseReloader()
	must(t, err)
	if s.passes(r, "a23-client-rsa1024") {
		t.Error("a client with RSA 1024 passes")
	}
	leaf, err := tls.X509KeyPair(input(t, "a23-client-rsa1024.pem"), input(t, "a23-client-rsa1024.key"))
	must(t, err)
	pair := &testca.Pair{Chain: parsed(t, leaf)}
	if err := r.Verify(chainsOf(pair)); !errors.Is(err, tlsconf.ErrWeak) {
		t.Errorf("on request: %v", err)
	}
	for name, tc := range map[string]struct {
		file, input string
		role        string
		want        error
	}{
		"CA of RSA 1024":   {"ca.crt", "a23-ca-rsa1024.pem", tlsconf.RoleClientCA, tlsconf.ErrWeak},
		"list signed SHA1": {"ca.crl", "a23-list-sha1.pem", tlsconf.RoleCRL, tlsconf.ErrWeakList},
	} {
		s := caseFixture(t)
		s.write("ca.crt", append(input(t, "client-ca.pem"), input(t, "a23-rsa-ca.pem")...))
		s.write("ca.crl", input(t, "a22-list-number-7-revokes.pem"))
		r, err := s.caseReloader()
		must(t, err)
		s.write(tc.file, input(t, tc.input))
		_, atStart := s.caseReloader()
		_, atReload := r.Reload()
		for when, err := range map[string]error{"start": atStart, "reload": atReload} {
			all := tlsconf.FileErrors(err)
			if !errors.Is(err, tc.want) || len(all) != 1 || all[0].Role != tc.role || all[0].Advice == "" {
				t.Errorf("%s at %s: %v", name, when, err)
			}
		}
		if !s.passes(r, "client-good") {
			t.Errorf("%s: the old state does not serve", name)
		}
	}
}

func TestCaseBundleCutInACertificateIsRefused(t *testing.T) {
	for name, want := range map[string]error{
		"a04-bundle-whole.pem": nil, "a04-bundle-half.pem": safefile.ErrBroken,
		"a04-bundle-glued.pem": safefile.ErrBroken,
	} {
		s := caseFixture(t)
		r, err := s.caseReloader()
		must(t, err)
		s.write("ca.crt", input(t, name))
		_, atStart := s.caseReloader()
		_, atReload := r.Reload()
		for when, err := range map[string]error{"start": atStart, "reload": atReload} {
			if !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%s at %s: %v, want %v", name, when, err, want)
			}
		}
		if !s.passes(r, "client-good") {
			t.Errorf("%s: the old trust does not serve", name)
		}
	}
}
