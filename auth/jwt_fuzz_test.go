package auth

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// FuzzParseJWT states laws of what parseJWT accepts: it is one compact JWS in its only
// spelling, go-jose reads the same alg, kid and payload in the stripped token, and
// encoding/json the same issuer.
func FuzzParseJWT(f *testing.F) {
	header, claims := b64(`{"alg":"ES256","kid":"k"}`), b64(`{"iss":"i","sub":"s","aud":["a"],"exp":1.5,"iat":1}`)
	for _, seed := range []string{
		header + "." + claims + ".AA", header + "." + claims + ".", header + "." + claims + ".AB", "..", "a.b.c",
		b64(`{"alg":"none"}`) + "." + claims + ".", header + "." + b64(`{"iss":"i","iss":"j"}`) + ".AA",
		header + "." + b64(`{"iss":"i","ISS":"j"}`) + ".AA", header + "." + b64(`{"iſs":"j"}`) + ".AA",
		header + "." + b64(`{"a":{"b":[1,{"c":null}]}}`) + ".AA", header + "\n." + claims + ".AA",
		b64(`{"alg":"ES256","crit":["b64"],"b64":false}`) + "." + claims + ".AA", header + "." +
			b64(`{"a":"\ud800"}`) + ".AA",
		b64(`{"alg":"ES256","x5c":["!"],"jwk":7,"kid":"\u2028<\ud800"}`) + "." + claims + ".AA",
	} {
		f.Add(seed)
	}
	algorithms := []string{"ES256", "RS256"}
	f.Fuzz(func(t *testing.T, token string) {
		parsed, err := parseJWT(token)
		if err != nil || parsed.checkHeader(algorithms) != nil {
			return
		}
		if len(token) > maxJWT {
			t.Fatal("too long")
		}
		parts := strings.Split(token, ".")
		for _, part := range parts {
			data, err := base64.RawURLEncoding.DecodeString(part)
			if err != nil || base64.RawURLEncoding.EncodeToString(data) != part {
				t.Fatalf("%q has another spelling", part)
			}
		}
		payload := mustDecode(t, parts[1])
		var loose struct{ Iss, Sub any }
		if err := json.Unmarshal([]byte(payload), &loose); err != nil {
			t.Fatal(err)
		}
		if iss, _ := loose.Iss.(string); iss != parsed.issuer() || len(parts) != 3 {
			t.Fatalf("encoding/json reads issuer %q, we %q", iss, parsed.issuer())
		}
		stripped, err := parsed.stripped()
		if err != nil {
			t.Fatal(err)
		}
		jws, err := jose.ParseSignedCompact(stripped, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
		if err != nil {
			t.Fatalf("go-jose does not read the stripped token: %v", err)
		}
		if got := jws.Signatures[0].Header; got.Algorithm != parsed.alg || got.KeyID != parsed.kid {
			t.Fatalf("go-jose reads %q %q, we %q %q", got.Algorithm, got.KeyID, parsed.alg, parsed.kid)
		}
		if string(jws.UnsafePayloadWithoutVerification()) != payload || parsed.signed != parts[0]+"."+parts[1] {
			t.Fatal("go-jose reads another payload")
		}
	})
}
