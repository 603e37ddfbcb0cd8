package auth

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// candidate is an Authenticator under test, with a request that it accepts.
type candidate struct {
	a    Authenticator
	good func() *http.Request
}

func everyAuthenticator(t *testing.T) map[string]candidate {
	t.Helper()
	secret, line := newToken(t, "a")
	tokens, err := LoadTokens(tokensFile(t, line))
	if err != nil {
		t.Fatal(err)
	}
	certificate := NewCertificate(trustAll)
	review := newReview(t, newAPIFake(t).options(t))
	issuer := newOIDCFixture(t, nil)
	jwt := issuer.good(t)
	withBearer := func(token string) func() *http.Request {
		return func() *http.Request { return request("Bearer " + token) }
	}
	return map[string]candidate{
		"certificate": {certificate, func() *http.Request { return overTLS(leaf(named)) }},
		"token":       {tokens, withBearer(secret)},
		"oidc":        {issuer.oidc, withBearer(jwt)},
		"kubernetes":  {review, withBearer(podToken)},
		"chain with certificate": {
			NewChain(tokens, issuer.oidc, review, certificate),
			func() *http.Request { return overTLS(leaf(named)) },
		},
		"chain with oidc":       {NewChain(tokens, issuer.oidc, review, certificate), withBearer(jwt)},
		"chain with kubernetes": {NewChain(tokens, issuer.oidc, review, certificate), withBearer(podToken)},
	}
}

// Every Authenticator keeps the promises of the interface.
func TestConformance(t *testing.T) {
	for name, c := range everyAuthenticator(t) {
		t.Run(name, func(t *testing.T) {
			t.Run("no credential", func(t *testing.T) { conformNone(t, c) })
			t.Run("bad credential", func(t *testing.T) { conformBad(t, c) })
			t.Run("good credential", func(t *testing.T) { conformGood(t, c) })
			t.Run("body", func(t *testing.T) { conformBody(t, c) })
			t.Run("at one time", func(t *testing.T) { conformParallel(t, c) })
		})
	}
}

// conformNone: a request without a credential is ErrNoCredential, over TLS or not.
func conformNone(t *testing.T, c candidate) {
	encrypted := request()
	encrypted.TLS = &tls.ConnectionState{}
	emptyHeader := request()
	emptyHeader.Header = nil
	elsewhere := httptest.NewRequest(http.MethodGet, "/metrics?access_token=abc", nil)
	elsewhere.Header.Set("Cookie", "token=abc")
	elsewhere.Header.Set("X-Forwarded-Client-Cert", "Subject=\"CN=admin\"")
	elsewhere.Header.Set("X-Remote-User", "admin")
	for _, r := range []*http.Request{request(), encrypted, emptyHeader, elsewhere} {
		if id, err := c.a.Authenticate(r); !errors.Is(err, ErrNoCredential) || id.Method != "" {
			t.Errorf("%+v, %v; want no credential", id, err)
		}
	}
}

// conformBad: a bad credential never yields an identity, and the error shows nothing of it.
func conformBad(t *testing.T, c candidate) {
	for _, authorization := range [][]string{
		{""}, {"Bearer"}, {"Bearer "}, {"Basic c2VjcmV0LXdvcmQ="}, {"Bearer secret-word"}, {"Bearer secret-word",
			"Bearer secret-word"},
		{"Bearer mg_secret-word"}, {"Bearer secret.word.secret"}, {"Bearer " + strings.Repeat("secret-word", 1000)},
		{"secret-word"},
	} {
		id, err := c.a.Authenticate(request(authorization...))
		if err == nil || id.Method != "" || len(id.Names) > 0 {
			t.Errorf("%.40q: %+v, %v; want an error", authorization, id, err)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "c2Vjc")) {
			t.Errorf("%.40q: error shows it: %v", authorization, err)
		}
	}
}

// conformGood: an identity has a method, typed names, a subject, and is the
// same when asked again.
func conformGood(t *testing.T, c candidate) {
	id, err := c.a.Authenticate(c.good())
	if err != nil {
		t.Fatal(err)
	}
	switch id.Method {
	case MethodCertificate, MethodToken, MethodOIDC, MethodKubernetes:
	default:
		t.Errorf("method %q", id.Method)
	}
	if id.Subject == "" || len(id.Names) == 0 {
		t.Fatalf("nameless identity %+v", id)
	}
	for _, name := range id.Names {
		p, err := ParsePolicy(name)
		if err != nil {
			t.Errorf("name %q is no pattern: %v", name, err)
		}
		if rule, ok := p.Allows(id); !ok || rule != name {
			t.Errorf("name %q does not let its own identity pass", name)
		}
	}
	again, err := c.a.Authenticate(c.good())
	if err != nil || again.Key() != id.Key() {
		t.Errorf("asked again: %q, %v; want %q", again.Key(), err, id.Key())
	}
}

// conformBody: the body is not read.
func conformBody(t *testing.T, c candidate) {
	r := c.good()
	r.Body = untouchable{t}
	if _, err := c.a.Authenticate(r); err != nil {
		t.Error(err)
	}
}

type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) { u.t.Error("body read"); return 0, errors.New("read") }
func (u untouchable) Close() error             { u.t.Error("body closed"); return nil }

// conformParallel: concurrent use is safe, as the race detector sees.
func conformParallel(t *testing.T, c candidate) {
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				if _, err := c.a.Authenticate(c.good()); err != nil {
					t.Error(err)
				}
				if _, err := c.a.Authenticate(request("Bearer nobody")); err == nil {
					t.Error("nobody passes")
				}
			}
		})
	}
	wait.Wait()
}
