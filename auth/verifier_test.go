package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// A token is not refused for members that nothing here uses, whatever is in them.
func TestMembersThatAreNotUsedRefuseNoToken(t *testing.T) {
	f := newOIDCFixture(t, nil)
	claims := string(mustJSON(t, f.claims(nil)))
	for _, member := range []string{
		`"x5c":["bm90IGEgY2VydGlmaWNhdGU"]`, `"x5c":"text"`, `"x5c":[]`, `"x5t":"?"`, `"x5t#S256":7`,
		`"jwk":{"kty":"RSA","n":"!"}`, `"jwk":null`, `"jku":1`, `"x5u":[]`, `"cty":{}`, `"nonce":5`, `"zip":"DEF"`,
		`"epk":{"kty":"EC"}`, `"url":1`,
	} {
		token := f.key.sign(t, "ES256", `{"alg":"ES256",`+member+`,"kid":"k1"}`, claims)
		if _, err := f.try(token); err != nil {
			t.Errorf("header with %s: %v", member, err)
		}
	}
	for _, member := range []string{
		`"nonce":5`, `"at_hash":["x"]`, `"NONCE":{}`, `"_claim_sources":"none"`, `"_claim_names":{"address":"src"}`,
		`"_claim_names":["address"]`, `"email":7`, `"jti":{}`,
	} {
		token := f.key.sign(t, "ES256", `{"alg":"ES256","kid":"k1"}`, claims[:len(claims)-1]+","+member+"}")
		if _, err := f.try(token); err != nil {
			t.Errorf("claims with %s: %v", member, err)
		}
	}
}

// What go-oidc gets of a token: alg and kid of its header, its payload and its signature.
func TestStrippedToken(t *testing.T) {
	key := newEdKey(t, "k1")
	token := key.sign(t, "EdDSA", `{"x5c":["!"],"typ":"JWT","kid":"k\"1","alg":"Ed25519"}`, `{"iss":"i"}`)
	parsed, err := parseJWT(token)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.checkHeader([]string{"EdDSA"}); err != nil {
		t.Fatal(err)
	}
	stripped, err := parsed.stripped()
	if err != nil {
		t.Fatal(err)
	}
	header, rest, _ := strings.Cut(stripped, ".")
	if want := token[strings.IndexByte(token, '.')+1:]; rest != want {
		t.Errorf("payload and signature %q, want %q", rest, want)
	}
	if got := mustDecode(t, header); got != `{"alg":"EdDSA","kid":"k\"1"}` {
		t.Errorf("header %s", got)
	}
}

// The signature covers the header as it was sent, which go-oidc does not see.
func TestSignatureCoversTheOriginalHeader(t *testing.T) {
	f := newOIDCFixture(t, nil)
	token := f.key.sign(t, "ES256", `{"alg":"ES256","kid":"k1","x":1}`, string(mustJSON(t, f.claims(nil))))
	if _, err := f.try(token); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(token, ".")
	for _, header := range []string{`{"alg":"ES256","kid":"k1","x":2}`, `{"alg":"ES256","kid":"k1"}`} {
		if _, err := f.try(b64(header) + "." + rest); err == nil {
			t.Errorf("accepted with the header %s", header)
		}
	}
}

// go-oidc reads iss, aud and the times as the claim policy does, or refuses.
func TestVerifierGetsTheRegisteredClaims(t *testing.T) {
	f := newOIDCFixture(t, nil)
	parsed, err := parseJWT(f.key.token(t, f.claims(object{"exp": json.Number("4102444800.5"), "nonce": 5})))
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.checkHeader([]string{"ES256"}); err != nil {
		t.Fatal(err)
	}
	keys := &tokenKeys{set: f.oidc.keys, token: parsed}
	data, err := keys.VerifySignature(context.Background(), "not looked at")
	if err != nil || keys.key == nil {
		t.Fatal(err)
	}
	got, err := parseObject(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 6 || got["iss"] != f.issuer.URL || got["exp"] != json.Number("4102444800.5") {
		t.Errorf("claims %s", data)
	}
	parsed.signed = base64.RawURLEncoding.EncodeToString([]byte("{}")) + ".e30"
	if key, err := f.oidc.verify(context.Background(), parsed); err != errSignature || key != nil {
		t.Errorf("another payload: %v, want %v", err, errSignature)
	}
	fresh, err := parseJWT(f.good(t))
	if err != nil || fresh.checkHeader([]string{"ES256"}) != nil {
		t.Fatal(err)
	}
	f.oidc.options.Issuer = "https://other.example"
	if key, err := f.oidc.verify(context.Background(), fresh); err != errVerifier || key != nil {
		t.Errorf("another issuer: %v, want %v", err, errVerifier)
	}
}
