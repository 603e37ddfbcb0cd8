package tlsconf_test

import (
	"crypto/x509"
	"testing"

	"github.com/metrics-gate/metrics-gate/tlsconf"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

func TestVerdictsAreBounded(t *testing.T) {
	s := newFixture(t)
	r := s.reloader(s.files(tlsconf.Required))
	first := chains(t, s.client("first"), s.clients)
	for range tlsconf.MaxVerdicts + 40 {
		if err := r.Verify(chains(t, s.client("scraper"), s.clients)); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.Remembered(); n == 0 || n > tlsconf.MaxVerdicts {
		t.Errorf("%d verdicts remembered, want 1 to %d", n, tlsconf.MaxVerdicts)
	}
	if err := r.Verify(first); err != nil {
		t.Error(err)
	}
}

func TestVerifyAllocatesNothingWhenAskedAgain(t *testing.T) {
	h, r := revocable(t)
	same := chains(t, h.leaf, h.clients)
	parsedAnew := chains(t, reparsed(h.leaf), h.clients)
	for name, asked := range map[string][][]*x509.Certificate{"one connection": same, "next connection": parsedAnew} {
		if n := testing.AllocsPerRun(1000, func() {
			if err := r.Verify(asked); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func revocable(t testing.TB) (*hierarchy, *tlsconf.Reloader) {
	h := newHierarchy(t)
	h.writeCRL(list(h.clients, 1), list(h.middle, 1, testca.Must(h.middle.Issue(testca.Options{})).Leaf()))
	return h, h.reloader(h.files(tlsconf.Required))
}

func reparsed(p *testca.Pair) *testca.Pair {
	copied := &testca.Pair{Key: p.Key}
	for _, cert := range p.Chain {
		copied.Chain = append(copied.Chain, testca.Must(x509.ParseCertificate(cert.Raw)))
	}
	return copied
}

func BenchmarkVerify(b *testing.B) {
	h, r := revocable(b)
	same := chains(b, h.leaf, h.clients)
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := r.Verify(same); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("next connection", func(b *testing.B) {
		anew := chains(b, reparsed(h.leaf), h.clients)
		b.ReportAllocs()
		for b.Loop() {
			if err := r.Verify(anew); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := r.Verify(same); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			fresh := h.reloader(h.files(tlsconf.Required))
			b.StartTimer()
			if err := fresh.Verify(same); err != nil {
				b.Fatal(err)
			}
		}
	})
}
