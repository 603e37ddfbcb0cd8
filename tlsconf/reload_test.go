package tlsconf_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func (s *fixture) mustReload(r *tlsconf.Reloader, want bool) {
	s.t.Helper()
	if changed, err := r.Reload(); err != nil || changed != want {
		s.t.Fatalf("reload: %v, %v; want %v", changed, err, want)
	}
}

// served is the serial number of the certificate that a new connection gets.
func (s *fixture) served(addr string) string {
	s.t.Helper()
	conn, err := dial(addr, s.config(s.client("scraper")))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func TestEveryWayToReplaceAFileIsNoticed(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, path string, data []byte){
		"atomic rename": func(t *testing.T, path string, data []byte) {
			must(t, os.WriteFile(path+"~", data, 0o600))
			must(t, os.Rename(path+"~", path))
		},
		"in place": func(t *testing.T, path string, data []byte) { must(t, os.WriteFile(path, data, 0o600)) },
		"in place, same size, time and inode": func(t *testing.T, path string, data []byte) {
			info, err := os.Stat(path)
			must(t, err)
			must(t, os.WriteFile(path, data, 0o600))
			must(t, os.Truncate(path, max(info.Size(), int64(len(data)))))
			must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
		},
		"removed and made anew": func(t *testing.T, path string, data []byte) {
			must(t, os.Remove(path))
			must(t, os.WriteFile(path, data, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			r := s.reloader(s.files(tlsconf.Required))
			addr := s.serve(r)
			s.mustReload(r, false)
			next := s.serverPair()
			replace(t, s.path("tls.crt"), next.CertPEM())
			if _, err := r.Reload(); err == nil {
				t.Error("a torn pair was taken")
			}
			if got := s.served(addr); got != s.gate.Leaf().SerialNumber.String() {
				t.Error("a torn pair is served")
			}
			replace(t, s.path("tls.key"), testca.Must(next.KeyPEM()))
			s.mustReload(r, true)
			s.mustReload(r, false)
			if got := s.served(addr); got != next.Leaf().SerialNumber.String() {
				t.Error("the new certificate is not served")
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	s := newFixture(t)
	s.writeCRL(list(s.clients, 1))
	r := s.reloader(s.files(tlsconf.Required))
	asked := chains(t, s.client("scraper"), s.clients)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 50 {
				if i == 0 {
					s.writeCRL(list(s.clients, int64(n+2)))
				}
				if _, err := r.Reload(); err != nil {
					t.Error(err)
				}
				if err := errors.Join(r.Verify(asked), r.Valid(time.Now())); err != nil || len(r.Expiry()) != 3 {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func TestServerCertificateThatIsNotValid(t *testing.T) {
	s := newFixture(t)
	expired := testca.Must(
		s.server.Issue(
			testca.Options{
				CommonName: "late",
				DNSNames:   []string{"gate.example"},
				NotAfter:   time.Now().Add(-time.Minute),
			},
		),
	)
	s.writePair(expired)
	r := s.reloader(s.files(tlsconf.Required))
	if err := r.Valid(time.Now()); !errors.Is(err, tlsconf.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	if !strings.Contains(s.log.String(), "server certificate is not valid now: CN=late expired") {
		t.Errorf("no warning: %s", s.log)
	}
	s.writePair(s.gate)
	s.mustReload(r, true)
	if err := r.Valid(time.Now()); err != nil {
		t.Error(err)
	}
	if err := r.Valid(time.Now().Add(-48 * time.Hour)); !errors.Is(err, tlsconf.ErrExpired) {
		t.Errorf("two days ago: %v", err)
	}
	s.writePair(expired)
	if _, err := r.Reload(); !errors.Is(err, tlsconf.ErrExpired) {
		t.Errorf("a good certificate gave way to an expired one: %v", err)
	}
	if err := r.Valid(time.Now()); err != nil {
		t.Error(err)
	}
}

func TestErrorsHoldNothingOfTheKey(t *testing.T) {
	s := newFixture(t)
	secret := testca.Must(s.gate.KeyPEM())
	broken := bytes.Replace(secret, []byte("-----END"), []byte("!!!!-----END"), 1)
	s.write("tls.key", broken)
	_, err := tlsconf.New(s.files(tlsconf.Required), nil)
	if err == nil {
		t.Fatal("a broken key was taken")
	}
	for _, line := range strings.Split(string(secret), "\n")[1:3] {
		if strings.Contains(err.Error(), line[:16]) {
			t.Errorf("%v", err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
