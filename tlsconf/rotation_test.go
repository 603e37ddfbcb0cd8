package tlsconf_test

import (
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

func (s *fixture) set(pair *testca.Pair, ca, crl []byte) map[string][]byte {
	return map[string][]byte{
		"tls.crt": pair.CertPEM(),
		"tls.key": testca.Must(pair.KeyPEM()),
		"ca.crt":  ca,
		"ca.crl":  crl,
	}
}

func TestSwapOfAKubernetesVolume(t *testing.T) {
	s := newFixture(t)
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

// load makes requests without pause until it is stopped.
type load struct {
	mu       sync.Mutex
	asked    int
	failures []string
	done     chan struct{}
	answered chan struct{} // sent to whoever waits for a request to end
	running  sync.WaitGroup
}

func startLoad(requests ...func() (string, error)) *load {
	l := &load{done: make(chan struct{}), answered: make(chan struct{})}
	for _, request := range requests {
		l.running.Go(func() {
			for {
				select {
				case <-l.done:
					return
				default:
					l.record(request())
				}
			}
		})
	}
	return l
}

func (l *load) record(answer string, err error) {
	select {
	case l.answered <- struct{}{}:
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if err != nil || answer != "<nil>\n" {
		l.failures = append(l.failures, fmt.Sprintf("%q %v", answer, err))
	}
}

// waitForRequests returns when n more requests have been answered.
func (l *load) waitForRequests(n int) {
	for range n {
		<-l.answered
	}
}

func (l *load) stop() (asked int, failures []string) {
	close(l.done)
	l.running.Wait()
	return l.asked, l.failures
}

// Scrapers connect and ask without pause while certificate, CA and list rotate under them.
func TestRotationDropsNobody(t *testing.T) {
	s := newFixture(t)
	s.dir = t.TempDir()
	m := &mount{t: t, dir: s.dir}
	other := newCA("other client root")
	anchors := [][]byte{
		s.clients.CertPEM(),
		testca.CertPEM(s.clients.Cert, other.Cert),
		testca.CertPEM(other.Cert, s.clients.Cert),
	}
	m.swap(s.set(s.gate, anchors[0], list(s.clients, 1)))
	r := s.reloader(s.files(tlsconf.Required))
	addr := s.serve(r)
	open, err := dial(addr, s.config(s.client("kept open")))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	load := startLoad(
		func() (string, error) { return ask(addr, s.config(s.client("anew"))) },
		func() (string, error) { return ask(addr, s.config(s.client("anew too"))) },
		func() (string, error) { return again(open) })
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
		load.waitForRequests(2)
	}
	asked, failures := load.stop()
	if reloads != turns || asked < turns {
		t.Errorf("%d reloads of %d, %d requests", reloads, turns, asked)
	}
	if len(failures) > 0 {
		t.Errorf("%d of %d requests failed, first: %s", len(failures), asked, failures[0])
	}
}

// Swaps and reloads race: a reading that mixes two sets must not be taken for one. Each set
// bears one end in all its parts.
func TestReloadWhileFilesAreSwapped(t *testing.T) {
	s := newFixture(t)
	s.dir = t.TempDir()
	m := &mount{t: t, dir: s.dir}
	set := func(i int) map[string][]byte {
		end := time.Now().Truncate(time.Second).Add(time.Hour + time.Duration(i)*time.Minute)
		gate := testca.Must(
			s.server.Issue(testca.Options{DNSNames: []string{"gate.example"}, NotAfter: end, Key: s.gate.Key}),
		)
		return s.set(
			gate,
			s.clients.CertPEM(),
			testca.Must(s.clients.CRL(testca.CRLOptions{Number: int64(i + 1), NextUpdate: end})),
		)
	}
	m.swap(set(0))
	r := s.reloader(s.files(tlsconf.Required))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			m.swap(set(i + 1))
		}
	}()
	asked := chains(t, s.client("scraper"), s.clients)
	taken := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		changed, err := r.Reload()
		if err != nil && !strings.Contains(err.Error(), "no such file") &&
			!strings.Contains(err.Error(), "keep changing") {
			t.Error(err)
		}
		if changed {
			taken++
		}
		if e := r.Expiry(); !e[0].NotAfter.Equal(e[2].NotAfter) {
			t.Fatalf("two sets in one: %v", e)
		}
		if err := r.Verify(asked); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Reload(); err != nil || taken == 0 {
		t.Errorf("%v; %d sets taken", err, taken)
	}
}
