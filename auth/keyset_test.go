package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestOIDCFloodAsksTheIssuerTwiceAtMost sends 1,000 bad tokens of each kind
// within ten seconds.
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
		"bad signature": {func(f *oidcFixture, i int) string { return other.token(t, f.claims(object{"jti": i})) }, 1},
		"expired":       {func(f *oidcFixture, i int) string { return f.key.token(t, f.claims(object{"exp": i + 1})) }, 1},
		"audience":      {func(f *oidcFixture, i int) string { return f.key.token(t, f.claims(object{"aud": fmt.Sprint(i)})) }, 1},
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
	// The old key is withdrawn: what it has verified must not live on.
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

// TestOIDCBadAnswersKeepTheLastGoodKeys: whatever the issuer does wrong, known
// keys still count, and an unknown one is nobody's fault but the issuer's.
func TestOIDCBadAnswersKeepTheLastGoodKeys(t *testing.T) {
	big := bytes.Repeat([]byte(" "), maxDocument)
	evil := newFakeIssuer(t, newECKey(t, "evil"))
	write := func(data string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, data) }
	}
	answers := map[string]http.HandlerFunc{
		"empty set":  write(`{"keys":[]}`),
		"empty body": write(""),
		"HTML":       write("<html>"),
		"weak keys":  write(string(jwkSet(t, newRSAKey(t, "weak", 1024)))),
		"too big": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(big, jwkSet(t, newECKey(t, "x"))...))
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, evil.URL+"/keys", http.StatusFound) },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"keys":[`)
		},
		"no content": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"hang up":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, answer := range answers {
		f := newOIDCFixture(t, nil)
		if _, err := f.try(f.good(t)); err != nil {
			t.Fatal(err)
		}
		f.issuer.answer(answer)
		f.clock.Advance(time.Minute)
		if _, err := f.try(newECKey(t, "evil").token(t, f.claims(nil))); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: unknown key: %v, want ErrUnavailable", name, err)
		}
		if _, err := f.try(f.good(t)); err != nil {
			t.Errorf("%s: known key: %v", name, err)
		}
	}
	if evil.fetched.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestOIDCHangingIssuer(t *testing.T) {
	f := newOIDCFixture(t, nil)
	release := make(chan struct{})
	defer close(release)
	f.issuer.answer(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	impatient := bearerRequest(f.good(t)).WithContext(ctx)
	left := make(chan error)
	go func() {
		_, err := f.oidc.Authenticate(impatient)
		left <- err
	}()
	for f.issuer.discovered.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-left; !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("caller gone: %v", err)
	}
	// The question goes on without who asked it, and others wait for its end.
	if _, err := f.try(f.good(t)); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hanging: %v, want ErrUnavailable after the deadline", err)
	}
	if _, err := f.try(f.good(t)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("asked recently: %v, want ErrUnavailable at once", err)
	}
	if n := f.issuer.discovered.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

func TestOIDCRunRefreshesAndHeals(t *testing.T) {
	var log bytes.Buffer
	f := newOIDCFixture(t, func(o *OIDCOptions) {
		o.Now, o.JWKSMinInterval, o.JWKSMaxAge = nil, time.Millisecond, 400*time.Millisecond
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	f.issuer.down()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.oidc.Run(ctx) }()
	until := func(what string, ok func() bool) {
		for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	until("asks again while down", func() bool { return f.issuer.discovered.Load() >= 3 })
	f.issuer.answer(nil)
	until("heals", func() bool { return f.oidc.keys.current() != nil })
	next := newECKey(t, "k2")
	f.issuer.publish(jwkSet(t, next))
	until("takes new keys", func() bool { keys, _ := f.oidc.keys.current().named("k2"); return len(keys) == 1 })
	cancel()
	<-done
	f.oidc.keys.mu.Lock() // a refresh in flight may still log
	flight := f.oidc.keys.flight
	f.oidc.keys.mu.Unlock()
	if flight != nil {
		<-flight.done
	}
	for _, line := range []string{"level=ERROR", "level=INFO", "issuer=" + f.issuer.URL} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("log lacks %s: %s", line, log.String())
		}
	}
}

func TestKeySetPause(t *testing.T) {
	k := &keySet{minInterval: 10 * time.Second, maxAge: 24 * time.Hour}
	for failures, want := range []time.Duration{15 * time.Minute, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute} {
		if got := k.pause(failures); got != want {
			t.Errorf("%d failures: %s, want %s", failures, got, want)
		}
	}
	k = &keySet{minInterval: 2 * time.Minute, maxAge: 4 * time.Minute}
	for _, failures := range []int{0, 1, 1000} {
		if got := k.pause(failures); got != 2*time.Minute {
			t.Errorf("short age, %d failures: %s", failures, got)
		}
	}
}
