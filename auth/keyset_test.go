package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// 1,000 bad tokens of each kind arrive within ten seconds.
func TestOIDCFloodAsksTheIssuerTwiceAtMost(t *testing.T) {
	other := newECKey(t, "k1")
	kinds := map[string]struct {
		token func(f *oidcFixture, i int) string
		most  int32 // fetches, the first of all included
	}{
		"unknown kid": {func(f *oidcFixture, i int) string {
			key := &signKey{kid: fmt.Sprint("x", i), alg: "ES256", private: other.private}
			return key.token(t, f.claims(nil))
		}, 2},
		"no kid": {func(f *oidcFixture, i int) string {
			key := &signKey{alg: "ES256", private: other.private}
			return key.token(t, f.claims(object{"jti": i}))
		}, 2},
		"bad signature": {
			func(f *oidcFixture, i int) string { return other.token(t, f.claims(object{"jti": i})) },
			2,
		},
		"expired": {
			func(f *oidcFixture, i int) string { return f.key.token(t, f.claims(object{"exp": i + 1})) },
			1,
		},
		"audience": {
			func(f *oidcFixture, i int) string { return f.key.token(t, f.claims(object{"aud": fmt.Sprint(i)})) },
			1,
		},
	}
	for name, kind := range kinds {
		f := newOIDCFixture(t, nil)
		if _, err := f.try(f.good(t)); err != nil {
			t.Fatal(err)
		}
		f.clock.Advance(time.Minute) // the first fetch is no excuse
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for i := range 250 {
					if _, err := f.try(kind.token(f, worker*250+i)); err == nil || errors.Is(err, ErrUnavailable) {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		group.Wait()
		if n := f.issuer.fetched.Load(); n > kind.most || f.issuer.discovered.Load() > 2 {
			t.Errorf("%s: %d fetches, at most %d", name, n, kind.most)
		}
		if _, err := f.try(f.key.token(t, f.claims(object{"jti": "after"}))); err != nil {
			t.Errorf("%s: good token afterwards: %v", name, err)
		}
	}
}

func TestOIDCIssuerDownAtStart(t *testing.T) {
	f := newOIDCFixture(t, nil)
	f.issuer.down()
	token := f.good(t)
	for range 50 {
		if _, err := f.try(token); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("while down: %v, want ErrUnavailable", err)
		}
	}
	if n := f.issuer.discovered.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	f.issuer.answer(nil)
	if _, err := f.try(token); !errors.Is(err, ErrUnavailable) {
		t.Errorf("asked again too early: %v", err)
	}
	f.clock.Advance(10 * time.Second)
	if _, err := f.try(token); err != nil {
		t.Errorf("after: %v", err)
	}
}

func TestOIDCIssuerDownMidway(t *testing.T) {
	f := newOIDCFixture(t, nil)
	cached := f.good(t)
	if _, err := f.try(cached); err != nil {
		t.Fatal(err)
	}
	f.issuer.down()
	f.clock.Advance(time.Minute)
	if _, err := f.try(cached); err != nil {
		t.Errorf("verified token: %v", err)
	}
	if _, err := f.try(f.good(t)); err != nil {
		t.Errorf("new token, known key: %v", err)
	}
	next := newECKey(t, "k2")
	if _, err := f.try(next.token(t, f.claims(nil))); !errors.Is(err, ErrUnavailable) {
		t.Errorf("unknown key: %v, want ErrUnavailable", err)
	}
	f.issuer.publish(jwkSet(t, f.key, next))
	f.issuer.answer(nil)
	f.clock.Advance(10 * time.Second)
	if _, err := f.try(next.token(t, f.claims(nil))); err != nil {
		t.Errorf("unknown key, issuer back: %v", err)
	}
}

func TestOIDCKeyRotation(t *testing.T) {
	f := newOIDCFixture(t, nil)
	old, next := f.good(t), newECKey(t, "k2")
	if _, err := f.try(old); err != nil {
		t.Fatal(err)
	}
	f.issuer.publish(jwkSet(t, f.key, next))
	fresh := next.token(t, f.claims(nil))
	if _, err := f.try(fresh); !errors.Is(err, ErrUnknown) {
		t.Errorf("asked recently and still unknown: %v, want ErrUnknown", err)
	}
	f.clock.Advance(10 * time.Second)
	for _, token := range []string{fresh, old} {
		if _, err := f.try(token); err != nil {
			t.Errorf("both keys published: %v", err)
		}
	}
	// The old key is withdrawn: cached tokens that it has verified are refused.
	f.issuer.publish(jwkSet(t, next))
	f.clock.Advance(time.Minute)
	if err := f.oidc.keys.refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.try(old); !errors.Is(err, ErrUnknown) {
		t.Errorf("withdrawn key: %v, want ErrUnknown", err)
	}
	if _, err := f.try(fresh); err != nil {
		t.Errorf("remaining key: %v", err)
	}
}

func TestOIDCSameKeyForAnotherUse(t *testing.T) {
	f := newOIDCFixture(t, nil)
	token := f.good(t)
	if _, err := f.try(token); err != nil {
		t.Fatal(err)
	}
	enc := &signKey{kid: "k1", private: f.key.private, extra: object{"use": "enc"}}
	f.issuer.publish(jwkSet(t, enc, newECKey(t, "k2")))
	f.clock.Advance(time.Minute)
	if err := f.oidc.keys.refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.try(token); err == nil {
		t.Error("a key that is for encryption now still counts")
	}
}

func TestOIDCKeysAge(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.JWKSMaxAge = time.Hour })
	token := f.key.token(t, f.claims(object{"exp": f.clock.Now().Unix() + 7200}))
	if _, err := f.try(token); err != nil {
		t.Fatal(err)
	}
	f.issuer.down()
	f.clock.Advance(time.Hour - time.Second)
	if _, err := f.try(token); err != nil {
		t.Errorf("before the age: %v", err)
	}
	f.clock.Advance(time.Second)
	if _, err := f.try(token); !errors.Is(err, ErrUnavailable) {
		t.Errorf("at the age: %v, want ErrUnavailable", err)
	}
	f.issuer.answer(nil)
	f.clock.Advance(10 * time.Second)
	if _, err := f.try(token); err != nil {
		t.Errorf("issuer back: %v", err)
	}
}
