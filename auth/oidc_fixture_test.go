package auth

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// oidcFixture is an issuer, its key, a clock and the authenticator under test.
type oidcFixture struct {
	issuer *fakeIssuer
	key    *signKey
	clock  *clock
	oidc   *OIDC
}

func newOIDCFixture(t testing.TB, change func(*OIDCOptions)) *oidcFixture {
	t.Helper()
	key := newECKey(t, "k1")
	f := &oidcFixture{key: key, issuer: newFakeIssuer(t, key), clock: newClock()}
	f.oidc = f.authenticator(t, change)
	return f
}

func (f *oidcFixture) authenticator(t testing.TB, change func(*OIDCOptions)) *OIDC {
	t.Helper()
	o := OIDCOptions{
		Issuer: f.issuer.URL, Audiences: []string{"other", "gate"}, CAFile: f.issuer.ca,
		ClockSkew: time.Minute, Now: f.clock.Now,
	}
	if change != nil {
		change(&o)
	}
	a, err := NewOIDC(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// claims returns good claims with some changed; nil removes one.
func (f *oidcFixture) claims(changes object) object {
	now := f.clock.Now().Unix()
	claims := object{
		"iss": f.issuer.URL, "sub": "prometheus", "aud": []string{"gate"},
		"exp": now + 3600, "iat": now, "nbf": now, "groups": []string{"scrapers", "ops"},
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func (f *oidcFixture) good(t testing.TB) string { return f.key.token(t, f.claims(nil)) }

func bearerRequest(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func (f *oidcFixture) try(token string) (Identity, error) {
	return f.oidc.Authenticate(bearerRequest(token))
}
