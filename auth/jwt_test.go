package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// tokenCase is a token and the error it must have; nil: it is accepted.
type tokenCase struct {
	token string
	want  error
}

func checkTokens(t *testing.T, f *oidcFixture, tests map[string]tokenCase) {
	t.Helper()
	for name, test := range tests {
		if _, err := f.try(test.token); test.want == nil && err != nil || !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if n := f.issuer.fetched.Load(); n > 2 {
		t.Errorf("issuer was asked %d times", n)
	}
}

// Each case is a token that some verifier has accepted against RFC 8725.
func TestOIDCBestCurrentPractices(t *testing.T) {
	f := newOIDCFixture(t, nil)
	rsa := newRSAKey(t, "r1", 2048)
	f.issuer.publish(jwkSet(t, f.key, rsa))
	claims := string(mustJSON(t, f.claims(nil)))
	with := func(changes object) string { return string(mustJSON(t, f.claims(changes))) }
	sign := func(header, payload string) string { return f.key.sign(t, "ES256", header, payload) }
	const header = `{"alg":"ES256","kid":"k1"}`
	good := sign(header, claims)
	parts := strings.Split(good, ".")
	attacker := newECKey(t, "k1")
	checkTokens(t, f, map[string]tokenCase{
		"3.1 good":                     {good, nil},
		"3.1 alg none":                 {b64(`{"alg":"none"}`) + "." + parts[1] + ".", errAlgorithm},
		"3.1 alg NoNe":                 {b64(`{"alg":"NoNe"}`) + "." + parts[1] + ".", errAlgorithm},
		"3.1 alg none, signature":      {b64(`{"alg":"none"}`) + "." + parts[1] + "." + parts[2], errAlgorithm},
		"3.1 alg absent":               {sign(`{"kid":"k1"}`, claims), errAlgorithm},
		"3.1 alg number":               {sign(`{"alg":256,"kid":"k1"}`, claims), errHeader},
		"3.1 alg null":                 {sign(`{"alg":null,"kid":"k1"}`, claims), errHeader},
		"3.1 alg lower case":           {sign(`{"alg":"es256","kid":"k1"}`, claims), errAlgorithm},
		"3.1 HMAC with the public key": {hmacToken(t, f.key, claims), errAlgorithm},
		"3.1 EC key, RSA algorithm":    {sign(`{"alg":"RS256","kid":"k1"}`, claims), errMisfit},
		"3.1 RSA key, EC algorithm":    {sign(`{"alg":"ES256","kid":"r1"}`, claims), errMisfit},
		"3.1 not configured":           {rsa.sign(t, "PS256", `{"alg":"PS256","kid":"r1"}`, claims), errAlgorithm},
		"3.1 relabelled":               {rsa.sign(t, "RS256", header, claims), errSignature},
		"3.3 no signature":             {parts[0] + "." + parts[1] + ".", errUnsigned},
		"3.3 nested":                   {sign(`{"alg":"ES256","kid":"k1","cty":"JWT"}`, good), errPayload},
		"3.3 payload another's": {
			parts[0] + "." + b64(with(object{"sub": "root"})) + "." + parts[2],
			errSignature,
		},
		"3.3 header another's": {
			b64(`{"kid":"k1","alg":"ES256"}`) + "." + parts[1] + "." + parts[2],
			errSignature,
		},
		"3.5 attacker's key, our kid": {attacker.sign(t, "ES256", header, claims), errSignature},
	})
}

// The same for RFC 8725 sections 3.7 to 3.11.
func TestOIDCBestCurrentPracticesOfClaims(t *testing.T) {
	f := newOIDCFixture(t, nil)
	claims := string(mustJSON(t, f.claims(nil)))
	with := func(changes object) string { return string(mustJSON(t, f.claims(changes))) }
	sign := func(header, payload string) string { return f.key.sign(t, "ES256", header, payload) }
	const header = `{"alg":"ES256","kid":"k1"}`
	attacker := newECKey(t, "k1")
	attackerJWK := string(mustJSON(t, attacker.jwk(t)))
	checkTokens(t, f, map[string]tokenCase{
		"3.7 claims not UTF-8": {
			sign(header, strings.Replace(claims, "prometheus", "pro\xffmetheus", 1)),
			errPayload,
		},
		"3.7 broken surrogate": {
			sign(header, strings.Replace(claims, "prometheus", `pro\ud800`, 1)),
			errUsername,
		},
		"3.8 audience of another":  {sign(header, with(object{"aud": []string{"shop"}})), errAudience},
		"3.9 no audience":          {sign(header, with(object{"aud": nil})), errAudience},
		"3.9 empty audience":       {sign(header, with(object{"aud": []string{}})), errAudience},
		"3.9 audience is a prefix": {sign(header, with(object{"aud": "gate2"})), errAudience},
		"3.10 kid is a path":       {sign(`{"alg":"ES256","kid":"../../k1"}`, claims), errNoKey},
		"3.10 kid number":          {sign(`{"alg":"ES256","kid":1}`, claims), errHeader},
		"3.10 jku": {
			attacker.sign(t, "ES256", `{"alg":"ES256","kid":"k1","jku":"`+f.issuer.URL+`/evil"}`, claims),
			errSignature,
		},
		"3.10 jwk": {
			attacker.sign(t, "ES256", `{"alg":"ES256","jwk":`+attackerJWK+`}`, claims),
			errNoKey,
		},
		"3.10 x5u": {
			attacker.sign(t, "ES256", `{"alg":"ES256","kid":"x","x5u":"`+f.issuer.URL+`/evil"}`, claims),
			errNoKey,
		},
		"3.10 foreign members are nobody": {
			sign(`{"alg":"ES256","kid":"k1","jku":"https://x","jwk":`+attackerJWK+`}`, claims),
			nil,
		},
		"3.11 typ JWT":    {sign(`{"alg":"ES256","kid":"k1","typ":"JWT"}`, claims), nil},
		"3.11 typ at+jwt": {sign(`{"alg":"ES256","kid":"k1","typ":"at+jwt"}`, claims), nil},
		"3.11 typ long form": {
			sign(`{"alg":"ES256","kid":"k1","typ":"application/at+JWT"}`, claims),
			nil,
		},
		"3.11 typ logout+jwt": {sign(`{"alg":"ES256","kid":"k1","typ":"logout+jwt"}`, claims), errType},
		"3.11 typ dpop+jwt":   {sign(`{"alg":"ES256","kid":"k1","typ":"dpop+jwt"}`, claims), errType},
		"3.11 typ empty":      {sign(`{"alg":"ES256","kid":"k1","typ":""}`, claims), errType},
		"3.11 typ array":      {sign(`{"alg":"ES256","kid":"k1","typ":["JWT"]}`, claims), errHeader},
		"crit":                {sign(`{"alg":"ES256","kid":"k1","crit":["exp"]}`, claims), errCritical},
		"crit empty":          {sign(`{"alg":"ES256","kid":"k1","crit":[]}`, claims), errCritical},
		"b64":                 {sign(`{"alg":"ES256","kid":"k1","b64":false}`, claims), errCritical},
	})
}

// hmacToken is signed by HS256 with the public key's PEM as the secret.
func hmacToken(t *testing.T, key *signKey, claims string) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	input := b64(`{"alg":"HS256","kid":"k1"}`) + "." + b64(claims)
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestOIDCRefusesDoubleClaims(t *testing.T) {
	f := newOIDCFixture(t, func(o *OIDCOptions) { o.UsernameClaim, o.GroupsClaim = "user.name", "realm.roles" })
	base := func() object {
		return f.claims(object{"user": object{"name": "u"}, "realm": object{"roles": []string{"r"}}})
	}
	sign := func(payload string) error {
		_, err := f.try(f.key.sign(t, "ES256", `{"alg":"ES256","kid":"k1"}`, payload))
		return err
	}
	good := string(mustJSON(t, base()))
	if err := sign(good); err != nil {
		t.Fatal(err)
	}
	issuer := fmt.Sprintf("%q", f.issuer.URL)
	for _, member := range []string{
		`"iss":` + issuer, `"iss":"https://other.example"`, `"sub":"root"`, `"aud":"gate"`, `"exp":9999999999`,
		`"nbf":0`, `"iat":1`, `"user":{"name":"root"}`, `"realm":{}`, `"\u0073ub":"root"`,
		`"ISS":` + issuer, `"Sub":"root"`, `"AUD":"gate"`, `"Exp":9999999999`, `"nBf":0`, `"IAT":1`, `"iſs":` + issuer,
		`"User":{"name":"root"}`, `"REALM":{"roles":["admin"]}`, `"user.name":"root"`, `"realm.roles":["admin"]`,
		`"email_Verified":true`, `"x":{"a":1,"a":2}`, `"x":[{"a":1,"a":1}]`,
	} {
		for _, payload := range []string{"{" + member + "," + good[1:], good[:len(good)-1] + "," + member + "}"} {
			if err := sign(payload); err == nil {
				t.Errorf("accepted with %s", member)
			}
		}
	}
	for _, nested := range []string{`"name":"u","name":"root"`, `"name":"u","Name":"root"`} {
		if err := sign(strings.Replace(good, `"name":"u"`, nested, 1)); err == nil {
			t.Errorf("accepted with %s", nested)
		}
	}
	if err := sign(good[:len(good)-1] + `,"Role":1,"role":2}`); err != nil {
		t.Errorf("case in claims that decide nothing: %v", err)
	}
}

func TestParseJWTSizes(t *testing.T) {
	f := newOIDCFixture(t, nil)
	grow := func(n int) string { return f.key.token(t, f.claims(object{"pad": strings.Repeat("x", n)})) }
	if _, err := parseJWT(grow(5800)); err != nil {
		t.Errorf("%d bytes: %v", len(grow(5800)), err)
	}
	if _, err := parseJWT(grow(6200)); !errors.Is(err, errTooLong) {
		t.Errorf("%d bytes: %v, want errTooLong", len(grow(6200)), err)
	}
	if _, err := f.try(grow(6200)); err == nil || errors.Is(err, ErrNoCredential) {
		t.Errorf("too long: %v", err)
	}
	deep := b64(`{"alg":"ES256"}`) + "." + b64(
		`{"iss":"x","a":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+"}",
	) + ".AA"
	if _, err := parseJWT(deep); !errors.Is(err, errPayload) {
		t.Errorf("deep: %v, want errPayload", err)
	}
}
