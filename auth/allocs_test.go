package auth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// warmGate is a gate that has been scraped before: its caches are filled.
type warmGate struct {
	certificate, tokens, chain Authenticator
	policy                     Policy
	overTLS, bearer            *http.Request
	fromCertificate            Identity
}

func newWarmGate(t testing.TB) *warmGate {
	t.Helper()
	var file strings.Builder
	for i := range 19 {
		_, line := newToken(t, fmt.Sprint("other", i))
		file.WriteString(line + "\n")
	}
	secret, line := newToken(t, "prometheus")
	tokens, err := LoadTokens(tokensFile(t, file.String()+line))
	if err != nil {
		t.Fatal(err)
	}
	s := &warmGate{
		certificate: NewCertificate(trustAll),
		tokens:      tokens,
		overTLS:     overTLS(leaf(named)),
		bearer:      request("Bearer " + secret),
	}
	s.chain = NewChain(tokens, s.certificate)
	s.policy, err = ParsePolicy(
		"token:x,uri:spiffe://example.org/ns/*/sa/prometheus,group:readers,dns:prometheus.example",
	)
	if err != nil {
		t.Fatal(err)
	}
	if s.fromCertificate, err = s.chain.Authenticate(s.overTLS); err != nil {
		t.Fatal(err)
	}
	return s
}

// A scrape of a warm gate allocates nothing here.
func TestWarmAuthenticationAllocatesNothing(t *testing.T) {
	s := newWarmGate(t)
	pod := Identity{Method: MethodKubernetes, Names: []string{"user:a"}, Groups: []string{"a", "b", "readers"}}
	spiffe := identity(MethodCertificate, "uri:spiffe://example.org/ns/a/sa/prometheus")
	review := newReview(t, newAPIFake(t).options(t))
	reviewed := request("Bearer " + podToken)
	kept := s.overTLS.WithContext(ReusedContext(t.Context()))
	for name, f := range map[string]func() bool{
		"certificate": func() bool { _, err := s.certificate.Authenticate(s.overTLS); return err == nil },
		"connection":  func() bool { _, err := s.certificate.Authenticate(kept); return err == nil },
		"token":       func() bool { _, err := s.tokens.Authenticate(s.bearer); return err == nil },
		"chain":       func() bool { _, err := s.chain.Authenticate(s.overTLS); return err == nil },
		"review":      func() bool { _, err := review.Authenticate(reviewed); return err == nil },
		"exact rule":  func() bool { _, ok := s.policy.Allows(s.fromCertificate); return ok },
		"uri rule":    func() bool { _, ok := s.policy.Allows(spiffe); return ok },
		"group rule":  func() bool { _, ok := s.policy.Allows(pod); return ok },
		"no rule":     func() bool { _, ok := s.policy.Allows(identity(MethodToken)); return !ok },
	} {
		good := true
		if n := testing.AllocsPerRun(100, func() { good = good && f() }); n != 0 || !good {
			t.Errorf("%s: %v allocations, right answer %v", name, n, good)
		}
	}
}

// The context and the copy of the request are the standard library's allocations. A reused context needs
// none of them.
func TestMiddlewareAllocatesLittle(t *testing.T) {
	s := newWarmGate(t)
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	h := Authenticate(s.chain, Options{Metrics: NewMetrics(nil)})(Authorize(s.policy, "metrics", Options{})(next))
	w := httptest.NewRecorder()
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, s.overTLS) }); n > 3 || w.Code != 200 {
		t.Fatalf("%v allocations, status %d; want at most 3, 200", n, w.Code)
	}
	kept := s.overTLS.WithContext(ReusedContext(s.overTLS.Context()))
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, kept) }); n != 0 {
		t.Errorf("%v allocations in a reused context", n)
	}
}

func BenchmarkCertificate(b *testing.B) {
	s := newWarmGate(b)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.certificate.Authenticate(s.overTLS)
	}
}

func BenchmarkToken(b *testing.B) {
	s := newWarmGate(b)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.tokens.Authenticate(s.bearer)
	}
}

func BenchmarkPolicy(b *testing.B) {
	s := newWarmGate(b)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.policy.Allows(s.fromCertificate)
	}
}

func BenchmarkMiddleware(b *testing.B) {
	s := newWarmGate(b)
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	h := Authenticate(s.chain, Options{Metrics: NewMetrics(nil)})(Authorize(s.policy, "metrics", Options{})(next))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, s.overTLS)
	}
}

func BenchmarkRefusal(b *testing.B) {
	s := newWarmGate(b)
	h := Authenticate(s.chain, Options{Metrics: NewMetrics(nil), Challenge: true})(ok)
	r := request("Bearer mg_nobody")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
