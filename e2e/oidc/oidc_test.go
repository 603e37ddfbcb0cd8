// Package oidc_test tests the gate's OpenID Connect authenticator with a real provider.
package oidc_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/auth"
	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/e2e/oidc/provider"
)

const interval = 50 * time.Millisecond // between key fetches

func start(t *testing.T, o provider.Options) *provider.Provider {
	t.Helper()
	p, err := provider.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

func authenticator(t *testing.T, p *provider.Provider, change func(*auth.OIDCOptions)) *auth.OIDC {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, p.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	o := auth.OIDCOptions{
		Issuer: p.Issuer(), Audiences: []string{"metrics-gate"}, CAFile: ca, ClockSkew: time.Minute,
		JWKSMinInterval: interval, Algorithms: []string{"RS256", "ES256", "ES384", "EdDSA", "PS256"},
	}
	if change != nil {
		change(&o)
	}
	a, err := auth.NewOIDC(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func mint(t *testing.T, p *provider.Provider) string {
	t.Helper()
	token, err := p.Token(t.Context(), "prometheus", "secret")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func try(a *auth.OIDC, token string) (auth.Identity, error) {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return a.Authenticate(r)
}

func TestRealTokenIsAnIdentity(t *testing.T) {
	p := start(t, provider.Options{})
	id, err := try(authenticator(t, p, nil), mint(t, p))
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Identity{
		Method: auth.MethodOIDC, Issuer: p.Issuer(), Subject: "prometheus", User: "prometheus",
		Names: []string{"user:prometheus"}, Groups: []string{"scrapers"},
	}
	if !reflect.DeepEqual(id, want) {
		t.Errorf("got %+v, want %+v", id, want)
	}
	if _, err := p.Token(t.Context(), "prometheus", "wrong"); err == nil {
		t.Error("the provider mints for a wrong secret")
	}
}

func TestRealTokenForOthersIsRefused(t *testing.T) {
	p := start(t, provider.Options{Audience: []string{"shop"}})
	if _, err := try(authenticator(t, p, nil), mint(t, p)); err == nil {
		t.Error("audience of another: accepted")
	}
	long := start(t, provider.Options{Lifetime: 48 * time.Hour})
	if _, err := try(authenticator(t, long, nil), mint(t, long)); err == nil {
		t.Error("lifetime of two days: accepted")
	}
	short := start(t, provider.Options{Lifetime: time.Second})
	a := authenticator(t, short, func(o *auth.OIDCOptions) { o.ClockSkew = 0 })
	token := mint(t, short)
	harness.Eventually(t, "token expires",
		func() bool { _, err := try(a, token); return errors.Is(err, auth.ErrExpired) })
}

// TestKeyRotation rotates through every kind of key. A token stays accepted throughout.
func TestKeyRotation(t *testing.T) {
	p := start(t, provider.Options{})
	a := authenticator(t, p, nil)
	held := mint(t, p)
	if _, err := try(a, held); err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []string{"ES256", "ES384", "EdDSA", "PS256", "RS256"} {
		if _, err := p.Rotate(algorithm); err != nil {
			t.Fatal(err)
		}
		token := mint(t, p)
		harness.Eventually(t, algorithm+": new key is accepted", func() bool {
			if _, err := try(a, held); err != nil {
				t.Fatalf("%s: token of before: %v", algorithm, err)
			}
			_, err := try(a, token)
			return err == nil
		})
		held = token
	}
}

func TestWithdrawnKeyEndsItsTokens(t *testing.T) {
	p := start(t, provider.Options{})
	a := authenticator(t, p, func(o *auth.OIDCOptions) { o.JWKSMaxAge = 8 * interval })
	go a.Run(t.Context())
	old := mint(t, p)
	harness.Eventually(t, "old token is accepted", func() bool { _, err := try(a, old); return err == nil })
	if _, err := p.Rotate("ES256"); err != nil {
		t.Fatal(err)
	}
	p.Withdraw("key-1")
	harness.Eventually(t, "withdrawn key is refused",
		func() bool { _, err := try(a, old); return errors.Is(err, auth.ErrUnknown) })
	fresh := mint(t, p)
	if _, err := try(a, fresh); err != nil {
		t.Errorf("remaining key: %v", err)
	}
}

func TestProviderDownAtStart(t *testing.T) {
	p := start(t, provider.Options{})
	token := mint(t, p)
	p.Stop()
	a := authenticator(t, p, nil)
	for range 20 {
		if _, err := try(a, token); !errors.Is(err, auth.ErrUnavailable) {
			t.Fatalf("while down: %v, want ErrUnavailable", err)
		}
	}
	if err := p.Restart(); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "recovers", func() bool { _, err := try(a, token); return err == nil })
}

func TestProviderDownAfterStart(t *testing.T) {
	p := start(t, provider.Options{})
	a := authenticator(t, p, nil)
	known, spare := mint(t, p), mint(t, p)
	if _, err := try(a, known); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Rotate("ES256"); err != nil {
		t.Fatal(err)
	}
	rotated := mint(t, p)
	p.Stop()
	harness.Eventually(t, "unknown key is unavailable", func() bool {
		_, err := try(a, rotated)
		return errors.Is(err, auth.ErrUnavailable)
	})
	for name, token := range map[string]string{"verified before": known, "known key": spare} {
		if _, err := try(a, token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.Restart(); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "recovers", func() bool { _, err := try(a, rotated); return err == nil })
}

func TestBrokenProviderKeepsKnownKeys(t *testing.T) {
	p := start(t, provider.Options{})
	a := authenticator(t, p, nil)
	tokens := []string{mint(t, p), mint(t, p), mint(t, p)}
	if _, err := try(a, tokens[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Rotate("ES256"); err != nil {
		t.Fatal(err)
	}
	rotated := mint(t, p)
	for i, body := range []string{`{"keys":[]}`, "<html>maintenance</html>"} {
		_, before, _ := p.Requests()
		p.Break(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		harness.Eventually(t, body+": asked again, unknown key is unavailable", func() bool {
			_, err := try(a, rotated)
			discoveries, keys, _ := p.Requests()
			return errors.Is(err, auth.ErrUnavailable) && (keys > before || discoveries > 1)
		})
		if _, err := try(a, tokens[i+1]); err != nil {
			t.Errorf("%s: known key: %v", body, err)
		}
	}
	p.Break(nil)
	harness.Eventually(t, "recovers", func() bool { _, err := try(a, rotated); return err == nil })
}

// TestUnknownKeysDoNotFloodTheIssuer sends 1,000 tokens with an unpublished key. The gate
// fetches the keys at most twice, including the first time.
func TestUnknownKeysDoNotFloodTheIssuer(t *testing.T) {
	p := start(t, provider.Options{})
	a := authenticator(t, p, func(o *auth.OIDCOptions) { o.JWKSMinInterval = 10 * time.Second })
	good := mint(t, p)
	if _, err := try(a, good); err != nil {
		t.Fatal(err)
	}
	id, err := p.Rotate("ES256")
	if err != nil {
		t.Fatal(err)
	}
	bad := make([]string, 100)
	for i := range bad {
		bad[i] = mint(t, p)
	}
	p.Withdraw(id)
	for i := range 1000 {
		if _, err := try(a, bad[i%len(bad)]); !errors.Is(err, auth.ErrUnknown) {
			t.Fatalf("bad token: %v, want ErrUnknown", err)
		}
	}
	if _, keys, _ := p.Requests(); keys > 2 {
		t.Errorf("%d key fetches, at most 2", keys)
	}
	if _, err := try(a, good); err != nil {
		t.Errorf("good token: %v", err)
	}
}
