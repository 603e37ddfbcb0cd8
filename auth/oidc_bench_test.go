package auth

import (
	"fmt"
	"net/http"
	"testing"
)

// verifiedRequest returns an authenticator and a request with a token that it has cached.
func verifiedRequest(t testing.TB) (*OIDC, *http.Request) {
	t.Helper()
	f := newOIDCFixture(t, nil)
	r := bearerRequest(f.good(t))
	if _, err := f.oidc.Authenticate(r); err != nil {
		t.Fatal(err)
	}
	return f.oidc, r
}

func TestOIDCVerifiedTokenAllocates(t *testing.T) {
	a, r := verifiedRequest(t)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := a.Authenticate(r); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1 {
		t.Errorf("%v allocations, at most 1", allocs)
	}
}

func TestOIDCVerifiedTokensAreBounded(t *testing.T) {
	f := newOIDCFixture(t, nil)
	f.oidc.verified = newCache[verified](4, f.clock.Now)
	var tokens []string
	for i := range 8 {
		tokens = append(tokens, f.key.token(t, f.claims(object{"jti": i})))
	}
	for range 2 {
		for _, token := range tokens {
			if _, err := f.try(token); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func BenchmarkOIDCVerified(b *testing.B) {
	a, r := verifiedRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOIDCNewToken(b *testing.B) {
	rsa := newRSAKey(b, "rsa", 2048)
	for _, key := range []*signKey{newECKey(b, "ec"), rsa, newEdKey(b, "ed")} {
		b.Run(key.alg, func(b *testing.B) {
			f := newOIDCFixture(b, func(o *OIDCOptions) { o.Algorithms = []string{key.alg} })
			f.issuer.publish(jwkSet(b, key))
			r := bearerRequest(key.token(b, f.claims(nil)))
			b.ReportAllocs()
			for b.Loop() {
				f.oidc.verified.lru.Purge()
				if _, err := f.oidc.Authenticate(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOIDCRefused is the cost of a token with a bad signature.
func BenchmarkOIDCRefused(b *testing.B) {
	f := newOIDCFixture(b, nil)
	tokens := map[string]string{
		"another issuer": f.key.token(b, f.claims(object{"iss": "https://other.example"})),
		"expired":        f.key.token(b, f.claims(object{"exp": 1})),
		"unknown key":    newECKey(b, "x").token(b, f.claims(nil)),
		"bad signature":  newECKey(b, "k1").token(b, f.claims(nil)),
		"opaque":         fmt.Sprintf("%064d", 0),
	}
	if _, err := f.try(f.good(b)); err != nil {
		b.Fatal(err)
	}
	for name, token := range tokens {
		r := bearerRequest(token)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.oidc.Authenticate(r); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
