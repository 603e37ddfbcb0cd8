package tlsconf_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func (s *surroundings) mustReload(r *tlsconf.Reloader, want bool) {
	s.t.Helper()
	if changed, err := r.Reload(); err != nil || changed != want {
		s.t.Fatalf("reload: %v, %v; want %v", changed, err, want)
	}
}

// served is the serial number of the certificate that a new connection gets.
func (s *surroundings) served(addr string) string {
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
			s := newSurroundings(t)
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

// mount is a folder as the kubelet makes one: files are links into ..data, itself a link
// that is swapped as a whole.
type mount struct {
	t    *testing.T
	dir  string
	turn int
}

func (m *mount) swap(files map[string][]byte) {
	m.t.Helper()
	m.turn++
	stamp := fmt.Sprintf("..2026_11_22_%d", m.turn)
	must(m.t, os.Mkdir(filepath.Join(m.dir, stamp), 0o700))
	for name, data := range files {
		must(m.t, os.WriteFile(filepath.Join(m.dir, stamp, name), data, 0o440))
		if _, err := os.Lstat(filepath.Join(m.dir, name)); err != nil {
			must(m.t, os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)))
		}
	}
	old, _ := os.Readlink(filepath.Join(m.dir, "..data"))
	must(m.t, os.Symlink(stamp, filepath.Join(m.dir, "..data_tmp")))
	must(m.t, os.Rename(filepath.Join(m.dir, "..data_tmp"), filepath.Join(m.dir, "..data")))
	if old != "" {
		must(m.t, os.RemoveAll(filepath.Join(m.dir, old)))
	}
}

func (s *surroundings) set(pair *testca.Pair, ca, crl []byte) map[string][]byte {
	return map[string][]byte{"tls.crt": pair.CertPEM(), "tls.key": testca.Must(pair.KeyPEM()), "ca.crt": ca, "ca.crl": crl}
}

func TestSwapOfAKubernetesVolume(t *testing.T) {
	s := newSurroundings(t)
	s.dir = t.TempDir()
	m := &mount{t: t, dir: s.dir}
	m.swap(s.set(s.gate, s.clients.CertPEM(), list(s.clients, 1)))
	r := s.reloader(s.files(tlsconf.Required))
	addr := s.serve(r)
	scraper := s.client("scraper")
	if answer, err := ask(addr, s.config(scraper)); err != nil || answer != "<nil>\n" {
		t.Fatalf("%q, %v", answer, err)
	}
	next := s.serverPair()
	m.swap(s.set(next, s.clients.CertPEM(), list(s.clients, 2, scraper.Leaf())))
	s.mustReload(r, true)
	if got := s.served(addr); got != next.Leaf().SerialNumber.String() {
		t.Error("the new certificate is not served")
	}
	if answer, err := ask(addr, s.config(scraper)); err == nil {
		t.Errorf("revoked, and passed: %q", answer)
	}
	m.swap(s.set(next, nil, list(s.clients, 3)))
	if _, err := r.Reload(); err == nil {
		t.Error("an empty client CA was taken")
	}
	if answer, err := ask(addr, s.config(scraper)); err == nil {
		t.Errorf("after a bad swap a part of it counts: %q", answer)
	}
}

// Scrapers connect and ask without pause while certificate, CA and list rotate under them.
func TestRotationDropsNobody(t *testing.T) {
	s := newSurroundings(t)
	s.dir = t.TempDir()
	m := &mount{t: t, dir: s.dir}
	other := authority("other client root")
	anchors := [][]byte{s.clients.CertPEM(), testca.CertPEM(s.clients.Cert, other.Cert), testca.CertPEM(other.Cert, s.clients.Cert)}
	m.swap(s.set(s.gate, anchors[0], list(s.clients, 1)))
	r := s.reloader(s.files(tlsconf.Required))
	addr := s.serve(r)
	stop := make(chan struct{})
	var scrapers sync.WaitGroup
	var mu sync.Mutex
	failures, asked := []string{}, 0
	note := func(answer string, err error) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		if err != nil || answer != "<nil>\n" {
			failures = append(failures, fmt.Sprintf("%q %v", answer, err))
		}
	}
	open, err := dial(addr, s.config(s.client("kept open")))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	for _, request := range []func() (string, error){
		func() (string, error) { return ask(addr, s.config(s.client("anew"))) },
		func() (string, error) { return ask(addr, s.config(s.client("anew too"))) },
		func() (string, error) { return again(open) },
	} {
		scrapers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					note(request())
				}
			}
		})
	}
	const turns = 60
	reloads := 0
	for i := range turns {
		gone := s.client("gone").Leaf()
		crl := append(append([]byte{}, list(other, int64(i+2))...), list(s.clients, int64(i+2), gone)...)
		m.swap(s.set(s.serverPair(), anchors[i%len(anchors)], crl))
		for range 2 {
			changed, err := r.Reload()
			if err != nil {
				t.Errorf("turn %d: %v", i, err)
			}
			if changed {
				reloads++
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	close(stop)
	scrapers.Wait()
	if reloads != turns || asked < turns {
		t.Errorf("%d reloads of %d, %d requests", reloads, turns, asked)
	}
	if len(failures) > 0 {
		t.Errorf("%d of %d requests failed, first: %s", len(failures), asked, failures[0])
	}
}

// Swaps and reloads race: a reading that mixes two sets must not be taken for one.
func TestReloadWhileFilesAreSwapped(t *testing.T) {
	s := newSurroundings(t)
	s.dir = t.TempDir()
	m := &mount{t: t, dir: s.dir}
	m.swap(s.set(s.gate, s.clients.CertPEM(), list(s.clients, 1)))
	r := s.reloader(s.files(tlsconf.Required))
	var swaps sync.WaitGroup
	done := make(chan struct{})
	swaps.Go(func() {
		defer close(done)
		for i := range 100 {
			m.swap(s.set(s.serverPair(), s.clients.CertPEM(), list(s.clients, int64(i+2))))
		}
	})
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if _, err := r.Reload(); err != nil && !strings.Contains(err.Error(), "no such file") && !strings.Contains(err.Error(), "does not match") {
			t.Error(err)
		}
		if answer := r.Verify(chains(t, s.client("scraper"), s.clients)); answer != nil {
			t.Error(answer)
		}
	}
	swaps.Wait()
	if _, err := r.Reload(); err != nil {
		t.Error(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := newSurroundings(t)
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
	s := newSurroundings(t)
	expired := testca.Must(s.server.Issue(testca.Options{CommonName: "late", DNSNames: []string{"gate.example"}, NotAfter: time.Now().Add(-time.Minute)}))
	s.writePair(expired)
	r := s.reloader(s.files(tlsconf.Required))
	if err := r.Valid(time.Now()); !errors.Is(err, tlsconf.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	if !strings.Contains(s.log.String(), "server certificate is not valid now: CN=late ended") {
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

func TestKeyThatBecomesReadable(t *testing.T) {
	s := newSurroundings(t)
	r := s.reloader(s.files(tlsconf.Required))
	must(t, os.Chmod(s.path("tls.key"), 0o644))
	if _, err := r.Reload(); err == nil {
		t.Error("not noticed")
	}
	must(t, os.Chmod(s.path("tls.key"), 0o640))
	s.mustReload(r, false)
}

func TestErrorsHoldNothingOfTheKey(t *testing.T) {
	s := newSurroundings(t)
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
