package auth

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"testing"
)

func thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestSenderConstrainedTokens(t *testing.T) {
	f := newOIDCFixture(t, nil)
	own, other := leaf(named), leaf(func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} })
	own.Raw, other.Raw = []byte("own"), []byte("other")
	for _, test := range []struct {
		name string
		cnf  any
		want error // with the client certificate own
	}{
		{"own certificate", object{"x5t#S256": thumbprint(own)}, nil},
		{"another certificate", object{"x5t#S256": thumbprint(other)}, errBoundElsewhere},
		{"own certificate and a key", object{"x5t#S256": thumbprint(own), "jkt": "a"}, errConfirmation},
		{"key thumbprint (DPoP)", object{"jkt": thumbprint(own)}, errConfirmation},
		{"key", object{"jwk": object{"kty": "EC"}}, errConfirmation},
		{"encrypted key", object{"jwe": "a"}, errConfirmation},
		{"key ID", object{"kid": "a"}, errConfirmation},
		{"SHA-1 thumbprint", object{"x5t": "a"}, errConfirmation},
		{"padded", object{"x5t#S256": thumbprint(own) + "="}, errConfirmation},
		{"short", object{"x5t#S256": "AAAA"}, errConfirmation},
		{"number", object{"x5t#S256": 1}, errConfirmation},
		{"empty", object{}, errConfirmation},
		{"string", thumbprint(own), errConfirmation},
		{"array", []any{}, errConfirmation},
	} {
		token := f.key.token(t, f.claims(object{"cnf": test.cnf}))
		for range 2 { // the second time the token is cached
			r := bearerRequest(token)
			if _, err := f.oidc.Authenticate(r); err == nil {
				t.Errorf("%s: accepted without a certificate", test.name)
			}
			r.TLS = &tls.ConnectionState{}
			if _, err := f.oidc.Authenticate(r); err == nil {
				t.Errorf("%s: accepted over TLS without a certificate", test.name)
			}
			r.TLS = overTLS(own).TLS
			if _, err := f.oidc.Authenticate(r); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
			r.TLS = overTLS(other).TLS
			if _, err := f.oidc.Authenticate(r); err == nil && test.want == nil {
				t.Errorf("%s: accepted with another certificate", test.name)
			}
		}
	}
	null := f.key.sign(t, "ES256", `{"alg":"ES256","kid":"k1"}`, string(mustJSON(t, f.claims(object{"CNF": object{}}))))
	if _, err := f.try(null); !errors.Is(err, errFolded) {
		t.Errorf("CNF: %v, want %v", err, errFolded)
	}
}

// An API server with an issuer of its own accepts such tokens as plain bearer tokens.
func TestTokenReviewChecksTheSenderToo(t *testing.T) {
	f := newAPIFake(t)
	own := leaf(named)
	token := func(cnf string) string {
		return b64(`{"alg":"RS256"}`) + "." + b64(`{"exp":4102444800,"cnf":`+cnf+`}`) + ".c2ln"
	}
	bound, key := token(`{"x5t#S256":"`+thumbprint(own)+`"}`), token(`{"jkt":"a"}`)
	f.audiences[bound], f.audiences[key] = []string{ownAudience}, []string{ownAudience}
	review := newReview(t, f.options(t))
	for range 2 {
		r := request("Bearer " + bound)
		if _, err := review.Authenticate(r); !errors.Is(err, errNoBoundCertificate) {
			t.Errorf("no certificate: %v", err)
		}
		r.TLS = overTLS(own).TLS
		if _, err := review.Authenticate(r); err != nil {
			t.Errorf("own certificate: %v", err)
		}
		if _, err := review.Authenticate(request("Bearer " + key)); !errors.Is(err, errConfirmation) {
			t.Errorf("key thumbprint: %v", err)
		}
	}
}
