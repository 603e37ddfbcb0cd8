package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever the issuer does wrong, known keys are still used, and a token with an unknown
// key is 503.
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
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, evil.URL+"/keys",
				http.StatusFound)
		},
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

// hangingSource answers when its context ends.
type hangingSource struct{ asked atomic.Int32 }

func (s *hangingSource) fetch(ctx context.Context) (*keyring, error) {
	s.asked.Add(1)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestOIDCHangingIssuer(t *testing.T) {
	f := newOIDCFixture(t, nil)
	source := &hangingSource{}
	f.oidc.keys.source = source
	token := f.good(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := f.oidc.Authenticate(bearerRequest(token).WithContext(ctx))
			left <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("the caller that left: %v", err)
		}
		// The fetch goes on without its caller, and others wait for its end.
		if _, err := f.try(token); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("hanging: %v, want ErrUnavailable after the deadline", err)
		}
		if _, err := f.try(token); !errors.Is(err, ErrUnavailable) {
			t.Errorf("asked recently: %v, want ErrUnavailable at once", err)
		}
		if waited := time.Since(start); waited != fetchTimeout {
			t.Errorf("waited %s, want %s", waited, fetchTimeout)
		}
		if n := source.asked.Load(); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

// A fetch ends with its context, whatever the issuer does.
func TestIssuerThatNeverAnswers(t *testing.T) {
	f := newOIDCFixture(t, nil)
	end := make(chan struct{}) // not that of the request: an answer could overtake the cancelling
	defer close(end)
	f.issuer.answer(func(http.ResponseWriter, *http.Request) { <-end })
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := f.oidc.newRemoteKeys().fetch(ctx)
		failed <- err
	}()
	eventually(t, "the issuer is asked", func() bool { return f.issuer.discovered.Load() > 0 })
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

func TestKeySetPause(t *testing.T) {
	k := &keySet{minInterval: 10 * time.Second, maxAge: 24 * time.Hour}
	for failures, want := range []time.Duration{15 * time.Minute, 10 * time.Second, 20 * time.Second,
		40 * time.Second, time.Minute, time.Minute} {
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
