package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"testing"
	"time"
)

func TestOIDCKeysFromAFile(t *testing.T) {
	f := newOIDCFixture(t, nil)
	path := oidcFile(t, "jwks", string(jwkSet(t, f.key)))
	if err := os.Chmod(path, 0o644); err != nil { // public keys may be read by all
		t.Fatal(err)
	}
	f.oidc = f.authenticator(t, func(o *OIDCOptions) { o.JWKSFile, o.CAFile = path, "" })
	token, next := f.key.token(t, f.claims(object{"exp": f.clock.Now().Unix() + 86400})), newECKey(t, "k2")
	if _, err := f.try(token); err != nil {
		t.Fatal(err)
	}
	if _, err := f.try(next.token(t, f.claims(nil))); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown key: %v, want ErrUnknown", err)
	}
	f.clock.Advance(24 * time.Hour)
	if _, err := f.try(token); err != nil {
		t.Errorf("keys in a file do not age: %v", err)
	}
	reload := func(data string, want bool, good bool) {
		t.Helper()
		if data != "" {
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if changed, err := f.oidc.Reload(); changed != want || (err == nil) != good {
			t.Errorf("reload: %v %v, want %v, good: %v", changed, err, want, good)
		}
	}
	reload("", false, true)
	for _, bad := range []string{"garbage", `{"keys":[]}`} {
		reload(bad, false, false)
		if _, err := f.try(token); err != nil {
			t.Errorf("after a bad file: %v", err)
		}
	}
	reload(string(jwkSet(t, next)), true, true)
	if _, err := f.try(token); !errors.Is(err, ErrUnknown) {
		t.Errorf("withdrawn key: %v, want ErrUnknown", err)
	}
	if _, err := f.try(next.token(t, f.claims(nil))); err != nil {
		t.Errorf("new key: %v", err)
	}
	if n := f.issuer.fetched.Load() + f.issuer.discovered.Load(); n != 0 {
		t.Errorf("issuer was asked %d times", n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.oidc.Run(ctx)
}

func TestOIDCReloadsTheCA(t *testing.T) {
	f := newOIDCFixture(t, nil)
	good, err := os.ReadFile(f.issuer.ca)
	if err != nil {
		t.Fatal(err)
	}
	other := newFakeIssuer(t)
	path := oidcFile(t, "ca", string(good))
	f.oidc = f.authenticator(t, func(o *OIDCOptions) { o.CAFile = path })
	steps := []struct {
		data                string
		changed, ok, reachs bool
	}{
		{string(good), false, true, true},
		{"", false, false, true},
		{"garbage", false, false, true},
		{pemOf(selfSigned(t)), true, true, false},
		{string(good) + pemOf(other.Certificate().Raw), true, true, true},
	}
	for i, step := range steps {
		if err := os.WriteFile(path, []byte(step.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if changed, err := f.oidc.Reload(); changed != step.changed || (err == nil) != step.ok {
			t.Errorf("step %d: %v %v", i, changed, err)
		}
		f.clock.Advance(time.Minute)
		if err := f.oidc.keys.refresh(t.Context()); (err == nil) != step.reachs {
			t.Errorf("step %d: refresh: %v", i, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if changed, err := f.oidc.Reload(); changed || err == nil {
		t.Errorf("no file: %v %v", changed, err)
	}
}

// selfSigned returns a certificate that no server has.
func selfSigned(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Other CA"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
