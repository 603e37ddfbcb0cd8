package hostile_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
)

// The number of bad tokens does not raise the rate of key fetches.
func TestBadTokensDoNotFloodTheIssuer(t *testing.T) {
	t.Parallel()
	w, i := withIssuer(t, "LOG_LEVEL=error", "OIDC_JWKS_MIN_INTERVAL=1h")
	expect(t, w.scrapeWithToken(t, i.sign(es256, i.validClaims(nil))), 200)
	before := i.requests.Load()
	var all batch
	for n := range 20 {
		all.add(func() error {
			wire, err := w.connect("anonymous")
			if err != nil {
				return err
			}
			defer func() { _ = wire.Close() }()
			for m := range 50 {
				token := i.sign(fmt.Sprintf(`{"alg":"ES256","kid":"unknown-%d-%d"}`, n, m), i.validClaims(nil))
				if m%2 == 0 {
					token = i.sign(es256, i.validClaims(nil))[:200] + "AAAA"
				}
				if err := wire.Send(get("/metrics", bearer(token))); err != nil {
					return err
				}
				if reply, err := wire.Receive("GET"); err != nil || reply.Status != 401 {
					return fmt.Errorf("%v, %v", reply, err)
				}
			}
			return nil
		})
	}
	all.run(t)
	if n := i.requests.Load() - before; n > 0 {
		t.Errorf("%d fetches for 1000 bad tokens within OIDC_JWKS_MIN_INTERVAL", n)
	}
}

// An answer of the issuer that is no key set does not replace the last good one.
func TestFaultyKeySetsAreIgnored(t *testing.T) {
	t.Parallel()
	w, i := withIssuer(t, "OIDC_JWKS_MIN_INTERVAL=50ms")
	good := i.sign(es256, i.validClaims(nil))
	expect(t, w.scrapeWithToken(t, good), 200)
	for name, answer := range map[string]http.HandlerFunc{
		"empty set": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[]}`) },
		"empty":     func(http.ResponseWriter, *http.Request) {},
		"error":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, secret, 500) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, i.URL+"/keys?again", http.StatusFound)
		},
		"2 MiB": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"x":%q,"keys":[%s]}`, strings.Repeat("a", 2<<20), i.jwk("k2", "sig"))
		},
		"encryption": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"keys":[%s]}`, i.jwk("k2", "enc"))
		},
		"breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"keys":[`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			i.answer(answer)
			before := i.requests.Load()
			harness.Eventually(t, "the issuer is asked again", func() bool {
				reply := w.scrapeWithToken(t, i.sign(`{"alg":"ES256","kid":"k2"}`, i.validClaims(nil)))
				if reply.Status != 401 && reply.Status != 503 {
					t.Errorf("token under a key of a faulty set: %d", reply.Status)
				}
				return i.requests.Load() > before
			})
			expect(t, w.scrapeWithToken(t, good), 200)
			// verified with the last good set
			expect(t, w.scrapeWithToken(t, i.sign(es256, i.validClaims(claims{"jti": name}))), 200)
		})
	}
	if strings.Contains(w.gate.Log(), secret) {
		t.Error("the log quotes the issuer")
	}
}

// An unavailable issuer affects only the tokens that need it.
func TestIssuerDownOrHanging(t *testing.T) {
	t.Parallel()
	w, i := withIssuer(t, "OIDC_JWKS_MIN_INTERVAL=1ms")
	cached := i.sign(es256, i.validClaims(nil))
	expect(t, w.scrapeWithToken(t, cached), 200)
	release := make(chan struct{})
	defer close(release)
	check := func(t *testing.T) {
		expect(t, w.scrapeWithToken(t, i.sign(`{"alg":"ES256","kid":"k9"}`, i.validClaims(nil))), 503)
	}
	others := func(t *testing.T) {
		expect(t, w.scrape(t), 200)
		expect(t, w.scrapeWithToken(t, w.token), 200)
		expect(t, w.scrapeWithToken(t, cached), 200)
		expect(t, w.scrapeWithToken(t, i.sign(es256, i.validClaims(claims{"jti": t.Name()}))), 200)
	}
	i.answer(func(http.ResponseWriter, *http.Request) { <-release })
	t.Run("hangs", func(t *testing.T) {
		done := make(chan struct{})
		go func() { defer close(done); check(t) }()
		for range 5 {
			others(t)
		}
		<-done
	})
	i.answer(func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	t.Run("down", func(t *testing.T) { check(t); others(t) })
}

func TestIssuerDownAtStart(t *testing.T) {
	t.Parallel()
	w, i := withIssuer(t, "OIDC_ISSUER_URL=https://127.0.0.1:9")
	expect(t, w.scrape(t), 200)
	expect(t, w.scrapeWithToken(t, w.token), 200)
	expect(t, w.scrapeWithToken(t, i.sign(es256, i.validClaims(claims{"iss": "https://127.0.0.1:9"}))), 503)
}
