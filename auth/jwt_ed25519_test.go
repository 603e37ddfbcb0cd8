package auth

import "testing"

// RFC 9864 calls Ed25519 what RFC 8037 calls EdDSA. Issuers, keys and configurations have
// either name.
func TestBothNamesOfEd25519(t *testing.T) {
	for _, configured := range []string{"EdDSA", "Ed25519"} {
		for _, published := range []any{nil, "EdDSA", "Ed25519"} {
			for _, used := range []string{"EdDSA", "Ed25519"} {
				f := newOIDCFixture(t, func(o *OIDCOptions) { o.Algorithms = []string{configured} })
				key := newEdKey(t, "ed")
				key.extra = object{"alg": published}
				f.issuer.publish(jwkSet(t, key))
				claims := string(mustJSON(t, f.claims(nil)))
				token := key.sign(t, "EdDSA", `{"alg":"`+used+`","kid":"ed"}`, claims)
				if _, err := f.try(token); err != nil {
					t.Errorf("configured %s, published %v, used %s: %v", configured, published, used, err)
				}
			}
		}
	}
	f := newOIDCFixture(t, nil)
	if _, err := f.try(newEdKey(t, "k1").sign(t, "EdDSA", `{"alg":"Ed25519","kid":"k1"}`, string(mustJSON(t,
		f.claims(nil))))); err == nil {
		t.Error("Ed25519 is accepted without being configured")
	}
}
