package tlsconf_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// On a connection that stays open, the next request tells of what changed since.
func TestOpenConnectionFollowsTheFiles(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(s *fixture, scraper *testca.Pair)
		want   error
	}{
		"revoked": {
			func(s *fixture, p *testca.Pair) { s.writeCRL(list(s.clients, 2, p.Leaf())) }, tlsconf.ErrRevoked,
		},
		"other's list": {func(s *fixture, p *testca.Pair) { s.writeCRL(list(newCA("other"), 2)) }, tlsconf.ErrNoList},
		"stale list": {
			func(s *fixture, p *testca.Pair) { s.writeCRL(staleList(s.clients, 2)) }, tlsconf.ErrStaleList,
		},
		"forged list": {func(s *fixture, p *testca.Pair) { s.writeCRL(forgedList(s.clients, 2)) }, tlsconf.ErrBadList},
		"other CA": {
			func(s *fixture, p *testca.Pair) { s.write("ca.crt", newCA("client root").CertPEM()) },
			tlsconf.ErrUntrusted,
		},
		"CA added": {func(s *fixture, p *testca.Pair) {
			s.write("ca.crt", testca.CertPEM(newCA("other").Cert, s.clients.Cert))
		}, nil},
		"CA renewed with its key": {func(s *fixture, p *testca.Pair) {
			renewed := testca.Must(testca.NewCA(testca.Options{CommonName: "client root", Key: s.clients.Key}))
			s.write("ca.crt", renewed.CertPEM())
		}, nil},
		"server certificate": {func(s *fixture, p *testca.Pair) { s.writePair(s.serverPair()) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			s.writeCRL(list(s.clients, 1))
			r := s.reloader(s.files(tlsconf.Required))
			scraper := s.client("scraper")
			conn, err := dial(s.serve(r), s.config(scraper))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if answer, err := again(conn); err != nil || answer != "<nil>\n" {
				t.Fatalf("before: %q, %v", answer, err)
			}
			tc.change(s, scraper)
			if changed, err := r.Reload(); err != nil || !changed {
				t.Fatalf("reload: %v, %v", changed, err)
			}
			answer, err := again(conn)
			if err != nil {
				t.Fatal(err)
			}
			if want := tc.want; want == nil && answer != "<nil>\n" ||
				want != nil && !strings.HasPrefix(answer, want.Error()) {
				t.Errorf("after: %q, want %v", answer, want)
			}
		})
	}
}

// Time passes without a change of files.
func TestTimeIsAskedEachTime(t *testing.T) {
	s := newFixture(t)
	clock := time.Now()
	s.writeCRL(testca.Must(s.clients.CRL(testca.CRLOptions{NextUpdate: clock.Add(10 * time.Hour)})))
	r := s.reloader(s.files(tlsconf.Required))
	var mu sync.Mutex
	r.SetNow(func() time.Time { mu.Lock(); defer mu.Unlock(); return clock })
	short := testca.Must(s.clients.Issue(testca.Options{CommonName: "short", NotAfter: clock.Add(time.Hour)}))
	long := testca.Must(s.clients.Issue(testca.Options{CommonName: "long", NotAfter: clock.Add(100 * time.Hour)}))
	a, b := chains(t, short, s.clients), chains(t, long, s.clients)
	for _, step := range []struct {
		after       time.Duration
		short, long error
	}{
		{0, nil, nil},
		{59 * time.Minute, nil, nil},
		{61 * time.Minute, tlsconf.ErrExpired, nil},
		{11 * time.Hour, tlsconf.ErrExpired, tlsconf.ErrStaleList},
		{25 * time.Hour, tlsconf.ErrExpired, tlsconf.ErrExpired}, // the root
		{30 * time.Minute, nil, nil},                             // a clock set back
		{-2 * time.Hour, tlsconf.ErrExpired, tlsconf.ErrExpired}, // before anything was valid
	} {
		start := clock
		mu.Lock()
		clock = clock.Add(step.after)
		mu.Unlock()
		for range 2 {
			if err := r.Verify(a); !errors.Is(err, step.short) || (err == nil) != (step.short == nil) {
				t.Errorf("%v: short: %v, want %v", step.after, err, step.short)
			}
			if err := r.Verify(b); !errors.Is(err, step.long) || (err == nil) != (step.long == nil) {
				t.Errorf("%v: long: %v, want %v", step.after, err, step.long)
			}
		}
		mu.Lock()
		clock = start
		mu.Unlock()
	}
}

// A verdict ends with the first certificate of its path to end, not with the leaf.
func TestIntermediateEndsBeforeItsLeaf(t *testing.T) {
	s := newFixture(t)
	clock := time.Now()
	middle := testca.Must(
		s.clients.Intermediate(testca.Options{CommonName: "middle", NotAfter: clock.Add(time.Hour)}),
	)
	leaf := testca.Must(middle.Issue(testca.Options{CommonName: "scraper", NotAfter: clock.Add(9 * time.Hour)}))
	r := s.reloader(s.files(tlsconf.Required))
	r.SetNow(func() time.Time { return clock })
	asked := chains(t, leaf, s.clients)
	if err := r.Verify(asked); err != nil {
		t.Error(err)
	}
	clock = clock.Add(2 * time.Hour)
	if err := r.Verify(asked); !errors.Is(err, tlsconf.ErrExpired) {
		t.Error(err)
	}
}

func TestARefusalDoesNotOutliveItsCause(t *testing.T) {
	s := newFixture(t)
	clock := time.Now()
	r := s.reloader(s.files(tlsconf.Required))
	r.SetNow(func() time.Time { return clock })
	soon := testca.Must(
		s.clients.Issue(testca.Options{NotBefore: clock.Add(5 * time.Second), NotAfter: clock.Add(time.Hour)}),
	)
	claim := [][]*x509.Certificate{{soon.Leaf(), s.clients.Cert}}
	if err := r.Verify(claim); !errors.Is(err, tlsconf.ErrExpired) {
		t.Errorf("before: %v", err)
	}
	clock = clock.Add(7 * time.Second)
	if err := r.Verify(claim); err != nil {
		t.Errorf("after: %v", err)
	}
}

func TestVerifyWithoutAChain(t *testing.T) {
	s := newFixture(t)
	scraper := chains(t, s.client("scraper"), s.clients)
	required, none := s.reloader(s.files(tlsconf.Required)), s.reloader(s.files(tlsconf.None))
	for name, err := range map[string]error{
		"nil":          required.Verify(nil),
		"empty":        required.Verify([][]*x509.Certificate{}),
		"empty chain":  required.Verify([][]*x509.Certificate{{}}),
		"no client CA": none.Verify(scraper),
	} {
		if !errors.Is(err, tlsconf.ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One leaf, other intermediates: the verdict of one set of chains is not that of another.
func TestVerdictsAreOfTheWholeChain(t *testing.T) {
	h := newHierarchy(t)
	r := h.reloader(h.files(tlsconf.Required))
	good := chains(t, h.leaf, h.clients)
	bad := [][]*x509.Certificate{{h.leaf.Leaf(), h.clients.Cert}}
	for range 3 {
		if err := r.Verify(good); err != nil {
			t.Error(err)
		}
		if err := r.Verify(bad); !errors.Is(err, tlsconf.ErrUntrusted) {
			t.Error(err)
		}
	}
}
