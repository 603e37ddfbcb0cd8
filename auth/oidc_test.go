package auth

import (
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestOIDCAcceptsAndMapsClaims(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.UsernamePrefix, o.GroupsPrefix = "idp:", "g:" })
	id, err := f.try(f.good(t))
	if err != nil {
		t.Fatal(err)
	}
	want := Identity{
		Method: MethodOIDC, Issuer: f.issuer.URL, Subject: "idp:prometheus", User: "idp:prometheus",
		Names: []string{"user:idp:prometheus"}, Groups: []string{"g:scrapers", "g:ops"},
	}
	if !reflect.DeepEqual(id, want) {
		t.Errorf("got %+v, want %+v", id, want)
	}
}

func TestOIDCAcceptsEveryAlgorithm(t *testing.T) {
	rsa := newRSAKey(t, "rsa", 2048)
	keys := map[string]*signKey{
		"RS256": rsa, "RS384": rsa, "RS512": rsa, "PS256": rsa, "PS384": rsa, "PS512": rsa,
		"ES256": newECKey(t, "256"),
		"ES384": newCurveKey(t, "384", "ES384", elliptic.P384()),
		"ES512": newCurveKey(t, "512", "ES512", elliptic.P521()),
		"EdDSA": newEdKey(t, "ed"),
	}
	var all []*signKey
	var algorithms []string
	for alg, key := range keys {
		algorithms = append(algorithms, alg)
		if key != rsa {
			all = append(all, key)
		}
	}
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.Algorithms = algorithms })
	f.issuer.publish(jwkSet(t, append(all, rsa)...))
	for alg, key := range keys {
		token := key.sign(t, alg, fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, key.kid), string(mustJSON(t, f.claims(nil))))
		if _, err := f.try(token); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		narrow := f.authenticator(t, func(o *OIDCOptions) { o.Algorithms = []string{"ES256"} })
		if _, err := narrow.Authenticate(bearerRequest(token)); (err == nil) != (alg == "ES256") {
			t.Errorf("%s with ES256 configured: %v", alg, err)
		}
	}
}

// Real providers mint fractions in times (RFC 7519 section 2), aud as a string, groups that
// are elsewhere (Entra ID), and other claims.
func TestOIDCAcceptsWhatProvidersMint(t *testing.T) {
	f := newOIDCFixture(t, nil)
	now := float64(f.clock.Now().Unix())
	for name, changes := range map[string]object{
		"fractions": {"exp": now + 60.25, "iat": now + 0.5, "nbf": now - 0.75},
		"aud":       {"aud": "gate"},
		"no nbf":    {"nbf": nil},
		"groups elsewhere": {
			"groups": nil, "_claim_names": object{"groups": "src1"},
			"_claim_sources": object{"src1": object{"endpoint": f.issuer.URL + "/groups"}},
		},
		"Kubernetes": {"kubernetes.io": object{"namespace": "monitoring"},
			"sub": "system:serviceaccount:monitoring:prometheus-k8s"},
	} {
		if _, err := f.try(f.key.token(t, f.claims(changes))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := f.issuer.fetched.Load(); n != 1 {
		t.Errorf("issuer was asked %d times, want once", n)
	}
}

func TestOIDCLeavesOthersTokensToOthers(t *testing.T) {
	f := newOIDCFixture(t, nil)
	tests := map[string]string{
		"opaque":        "mg_0123456789abcdef",
		"dots only":     "a.b.c",
		"five parts":    b64(`{"alg":"RSA-OAEP","enc":"A256GCM"}`) + ".a.b.c.d",
		"other issuer":  f.key.token(t, f.claims(object{"iss": "https://other.example"})),
		"trailing /":    f.key.token(t, f.claims(object{"iss": f.issuer.URL + "/"})),
		"other case":    f.key.token(t, f.claims(object{"iss": strings.ToUpper(f.issuer.URL)})),
		"no issuer":     f.key.token(t, f.claims(object{"iss": nil})),
		"issuer number": f.key.token(t, f.claims(object{"iss": 7})),
		"issuer array":  f.key.token(t, f.claims(object{"iss": []string{f.issuer.URL}})),
	}
	for name, token := range tests {
		if _, err := f.try(token); !errors.Is(err, ErrNoCredential) {
			t.Errorf("%s: %v, want ErrNoCredential", name, err)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics?access_token="+f.good(t), nil)
	if _, err := f.oidc.Authenticate(r); !errors.Is(err, ErrNoCredential) {
		t.Errorf("token in the query: %v, want ErrNoCredential", err)
	}
	if n := f.issuer.fetched.Load() + f.issuer.discovered.Load(); n != 0 {
		t.Errorf("issuer was asked %d times", n)
	}
}

func TestOIDCTwoIssuersInOneChain(t *testing.T) {
	f, g := newOIDCFixture(t, nil), newOIDCFixture(t, nil)
	both := NewChain(f.oidc, g.oidc)
	for _, token := range []string{f.good(t), g.good(t)} {
		if _, err := both.Authenticate(bearerRequest(token)); err != nil {
			t.Error(err)
		}
	}
	forged := f.key.token(t, g.claims(nil)) // one issuer speaks for the other
	if _, err := both.Authenticate(bearerRequest(forged)); !errors.Is(err, ErrUnknown) &&
		!errors.Is(err, errSignature) {
		t.Errorf("forged issuer: %v", err)
	}
}

func TestOIDCErrorsShowNothingOfTheToken(t *testing.T) {
	f := newOIDCFixture(t, nil)
	const canary = "c4n4ry"
	claims := func(changes object) string { return string(mustJSON(t, f.claims(changes))) }
	head := `{"alg":"ES256","kid":"k1"}`
	foreign := newECKey(t, "k1")
	tokens := []string{
		f.key.sign(t, "ES256", `{"alg":"`+canary+`"}`, claims(nil)),
		f.key.sign(t, "ES256", `{"alg":"ES256","kid":"`+canary+`"}`, claims(nil)),
		f.key.sign(t, "ES256", `{"alg":"ES256","typ":"`+canary+`"}`, claims(nil)),
		f.key.sign(t, "ES256", head, `{"iss":"`+f.issuer.URL+`",`+canary),
		f.key.sign(t, "ES256", head, claims(object{"aud": canary})),
		f.key.sign(t, "ES256", head, claims(object{"exp": canary})),
		f.key.sign(t, "ES256", head, claims(object{"groups": object{canary: 1}})),
		foreign.sign(t, "ES256", head, claims(object{"sub": canary})),
	}
	for i, token := range tokens {
		_, err := f.try(token)
		if err == nil {
			t.Errorf("token %d: accepted", i)
			continue
		}
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Method != MethodOIDC || refusal.Issuer != f.issuer.URL {
			t.Errorf("token %d: %#v is no refusal of this issuer's token", i, err)
		}
		if text := err.Error(); strings.Contains(text, canary) {
			t.Errorf("token %d: error shows the token: %s", i, text)
		}
		for _, detail := range refusal.Details {
			if text := detail.Value.String(); strings.Contains(token, text) && strings.Contains(text, ".") {
				t.Errorf("token %d: detail %s shows the token: %s", i, detail.Key, text)
			}
		}
	}
}

func TestOIDCThrottlesBeforeCostlyWork(t *testing.T) {
	admit := true
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.Admit = func(*http.Request) bool { return admit } })
	known := f.good(t)
	if _, err := f.try(known); err != nil {
		t.Fatal(err)
	}
	admit = false
	fresh := f.key.token(t, f.claims(object{"jti": "2"}))
	if _, err := f.try(fresh); !errors.Is(err, ErrThrottled) {
		t.Errorf("new token: %v, want ErrThrottled", err)
	}
	if _, err := f.try(known); err != nil {
		t.Errorf("verified token: %v", err)
	}
	if _, err := f.try(f.key.token(t, f.claims(object{"exp": 1}))); !errors.Is(err, ErrExpired) {
		t.Errorf("expired token: %v, want ErrExpired", err)
	}
}

func TestOIDCAsksExpiryOfVerifiedTokens(t *testing.T) {
	f := newOIDCFixture(t, nil)
	token := f.good(t)
	for _, step := range []time.Duration{0, time.Hour, time.Minute - time.Second} {
		f.clock.Advance(step)
		if _, err := f.try(token); err != nil {
			t.Fatalf("at %s: %v", f.clock.Now(), err)
		}
	}
	f.clock.Advance(time.Second)
	if _, err := f.try(token); !errors.Is(err, ErrExpired) {
		t.Errorf("a minute past exp: %v, want ErrExpired", err)
	}
}
