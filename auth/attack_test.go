package auth

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Tokens of the right key and claims that are written in a wrong way.
func TestAttacksOnTheFormOfAToken(t *testing.T) {
	f := newOIDCFixture(t, nil)
	claims := string(mustJSON(t, f.claims(nil)))
	sign := func(header string) string { return f.key.sign(t, "ES256", header, claims) }
	der := func(part string) string { return base64.RawURLEncoding.EncodeToString(derOf(t, part)) }
	good := sign(`{"alg":"ES256","kid":"k1"}`)
	if _, err := f.try(good); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	join := func(header, payload, signature string) string { return header + "." + payload + "." + signature }
	for name, token := range map[string]string{
		"alg twice":            sign(`{"alg":"none","alg":"ES256","kid":"k1"}`),
		"alg twice, escaped":   sign(`{"alg":"ES256","\u0061lg":"none","kid":"k1"}`),
		"alg in other case":    sign(`{"alg":"ES256","Alg":"none","kid":"k1"}`),
		"alg with a space":     sign(`{"alg":"ES256 ","kid":"k1"}`),
		"alg array":            sign(`{"alg":["ES256"],"kid":"k1"}`),
		"kid twice":            sign(`{"alg":"ES256","kid":"x","kid":"k1"}`),
		"kid with Kelvin sign": sign(`{"alg":"ES256","kid":"k1","` + "\u212a" + `id":"x"}`),
		"crit null":            sign(`{"alg":"ES256","kid":"k1","crit":null}`),
		"crit in other case":   sign(`{"alg":"ES256","kid":"k1","CRIT":["b64"]}`),
		"b64 true":             sign(`{"alg":"ES256","kid":"k1","b64":true}`),
		"b64 false, bare": join(
			b64(`{"alg":"ES256","kid":"k1","b64":false,"crit":["b64"]}`), claims, parts[2]),
		"header after a BOM": sign("\ufeff" + `{"alg":"ES256","kid":"k1"}`),
		"header and more":    sign(`{"alg":"ES256","kid":"k1"}{}`),
		"header array":       sign(`[{"alg":"ES256","kid":"k1"}]`),
		"JSON serialization": `{"payload":"` + parts[1] + `","protected":"` + parts[0] +
			`","signature":"` + parts[2] + `"}`,
		"four parts":             good + "." + parts[2],
		"five parts":             good + ".AA.AA",
		"payload padded":         join(parts[0], parts[1]+"==", parts[2]),
		"signature padded":       good + "==",
		"last bits of signature": otherLastBits(t, good),
		"new line in signature":  good[:len(good)-2] + "\n" + good[len(good)-2:],
		"signature cut":          good[:len(good)-4],
		"signature longer":       good + "AAAA",
		"signature of zeros":     join(parts[0], parts[1], strings.Repeat("A", len(parts[2]))),
		"signature in DER":       join(parts[0], parts[1], der(parts[2])),
		"payload of another":     join(parts[0], b64(strings.Replace(claims, "prometheus", "administer", 1)), parts[2]),
		"empty payload":          join(parts[0], "", parts[2]),
		"all empty":              "..",
	} {
		if id, err := f.try(token); err == nil {
			t.Errorf("%s: accepted as %q", name, id.Subject)
		}
	}
}

// otherLastBits returns token with its last character changed in bits that no byte uses.
func otherLastBits(t *testing.T, token string) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	other := token[:len(token)-1] + alphabet[last^1:last^1+1]
	signature := func(s string) string {
		data, err := base64.RawURLEncoding.DecodeString(s[strings.LastIndexByte(s, '.')+1:])
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if signature(other) != signature(token) {
		t.Fatal("the last character's lowest bit is part of a byte")
	}
	return other
}

// derOf returns the ASN.1 form of an ECDSA signature over P-256, which JWS does not use.
func derOf(t *testing.T, part string) []byte {
	t.Helper()
	raw := mustDecode(t, part)
	number := func(s string) string { return "\x02\x21\x00" + s }
	body := number(raw[:32]) + number(raw[32:])
	return []byte("\x30" + string(rune(len(body))) + body)
}

// Claims that some parser reads otherwise than another, signed by the issuer.
func TestAttacksOnClaims(t *testing.T) {
	f := newOIDCFixture(t, nil)
	good := string(mustJSON(t, f.claims(nil)))
	replace := func(name, value string) string {
		claims := f.claims(object{name: nil})
		return string(mustJSON(t, claims))[:len(mustJSON(t, claims))-1] + `,"` + name + `":` + value + "}"
	}
	for _, attack := range []struct{ name, value string }{
		{"exp", "1e400"}, {"exp", "-1e400"}, {"exp", "1e18"}, {"exp", `"4102444800"`}, {"exp", "[4102444800]"},
		{"exp", "null"}, {"exp", "false"}, {"exp", "1" + strings.Repeat("0", 400)}, {"exp", "-1"}, {"exp", "1e-400"},
		{"iat", "-1"}, {"iat", "-1e300"}, {"iat", "1e400"}, {"iat", `"0"`}, {"iat", "null"}, {"iat", "0"},
		{"iat", "1e12"}, {"nbf", "1e400"}, {"nbf", "-1"}, {"nbf", `""`}, {"nbf", "{}"}, {"nbf", "4102444800"},
		{"aud", `[["gate"]]`}, {"aud", `["gate",null]`}, {"aud", `{"0":"gate"}`}, {"aud", `"gate\u0000"`},
		{"aud", `"gate,other"`}, {"aud", `"*"`}, {"aud", `[]`}, {"aud", `[""]`}, {"aud", `"GATE"`},
		{"iss", `["` + f.issuer.URL + `"]`}, {"iss", `"` + f.issuer.URL + `/"`}, {"iss", `""`}, {"iss", "null"},
		{"sub", `["prometheus"]`}, {"sub", `{"x":1}`}, {"sub", "1"}, {"sub", "true"}, {"sub", `"a\u0000b"`},
		{"sub", `"a\nb"`}, {"sub", `"a\udc00"`}, {"groups", `"a\u0007"`}, {"groups", `["a",["b"]]`},
		{"groups", `{"a":{}}`}, {"groups", "7"}, {"groups", "true"}, {"cnf", "null"}, {"cnf", `"x"`}, {"cnf", "{}"},
		{"\\u0073ub", `"root"`}, {"su\\u0062", `"root"`}, {"\\u0053ub", `"root"`}, {"\u017fub", `"root"`},
		{"a\u017fd", `1,"iſs":"x"`}, {"x", `{"y":1,"\u0079":2}`},
		{"x", strings.Repeat("[", 40) + strings.Repeat("]", 40)},
	} {
		token := f.key.sign(t, "ES256", `{"alg":"ES256","kid":"k1"}`, replace(attack.name, attack.value))
		if id, err := f.try(token); err == nil {
			t.Errorf("%s %s: accepted as %q in %q", attack.name, attack.value, id.Subject, id.Groups)
		}
	}
	for _, payload := range []string{
		good + good, good + "x", "[" + good + "]", "\ufeff" + good, "null", `"` + f.issuer.URL + `"`, "",
	} {
		if _, err := f.try(f.key.sign(t, "ES256", `{"alg":"ES256","kid":"k1"}`, payload)); err == nil {
			t.Errorf("accepted: %.40q", payload)
		}
	}
	for _, harmless := range []struct{ name, value string }{
		{"groups", `"a"`}, {"exp", "1767326645.75"}, {"nbf", "0"}, {"nbf", "1e-400"}, {"aud", `"gate"`}, {"x", "1e400"},
	} {
		token := f.key.sign(t, "ES256", `{"alg":"ES256","kid":"k1"}`, replace(harmless.name, harmless.value))
		if _, err := f.try(token); err != nil {
			t.Errorf("%s %s: %v", harmless.name, harmless.value, err)
		}
	}
}

// Two issuers whose keys have the same kid.
func TestAttacksAcrossIssuers(t *testing.T) {
	f, g := newOIDCFixture(t, nil), newOIDCFixture(t, nil)
	prefixed := func(f *oidcFixture, prefix string) *OIDC {
		return f.authenticator(t, func(o *OIDCOptions) { o.UsernamePrefix, o.GroupsPrefix = prefix, prefix })
	}
	a, b := prefixed(f, "a:"), prefixed(g, "b:")
	both := NewChain(a, b)
	for _, test := range []struct {
		token, user string
	}{{f.good(t), "a:prometheus"}, {g.good(t), "b:prometheus"}, {f.good(t), "a:prometheus"}} {
		id, err := both.Authenticate(bearerRequest(test.token))
		if err != nil || id.User != test.user {
			t.Errorf("%q, %v; want %q", id.User, err, test.user)
		}
	}
	for name, token := range map[string]string{
		"key of a, issuer b": f.key.token(t, g.claims(nil)),
		"key of b, issuer a": g.key.token(t, f.claims(nil)),
		"both issuers":       f.key.token(t, f.claims(object{"iss": []string{f.issuer.URL, g.issuer.URL}})),
		"issuer with a path": f.key.token(t, f.claims(object{"iss": f.issuer.URL + "#" + g.issuer.URL})),
	} {
		if id, err := both.Authenticate(bearerRequest(token)); err == nil {
			t.Errorf("%s: accepted as %q", name, id.Subject)
		}
	}
	// What one authenticator has verified is nothing to another, whatever its options.
	renamed := prefixed(f, "renamed:")
	if id, err := renamed.Authenticate(bearerRequest(f.good(t))); err != nil || id.User != "renamed:prometheus" {
		t.Errorf("after another prefix: %q, %v", id.User, err)
	}
	strict := f.authenticator(t, func(o *OIDCOptions) { o.Audiences = []string{"vault"} })
	if _, err := strict.Authenticate(bearerRequest(f.good(t))); !errors.Is(err, errAudience) {
		t.Errorf("after another audience: %v", err)
	}
}

// A cached token is checked again as soon as its key is gone, or its key's kid or alg differs.
func TestCachedTokenAfterItsKey(t *testing.T) {
	rsa := newRSAKey(t, "k1", 2048)
	otherAlg, otherKid, otherUse := *rsa, *rsa, *rsa
	otherAlg.extra = object{"alg": "PS256"}
	otherKid.kid = "k2"
	otherUse.extra = object{"use": "enc"}
	for name, keys := range map[string][]*signKey{
		"withdrawn": {newECKey(t, "k3")}, "replaced": {newRSAKey(t, "k1", 2048)}, "for PS256 only": {&otherAlg},
		"another kid": {&otherKid}, "for encryption": {&otherUse, newECKey(t, "k3")},
	} {
		f := newOIDCFixture(t, func(o *OIDCOptions) { o.Algorithms = []string{"RS256", "PS256", "ES256"} })
		f.issuer.publish(jwkSet(t, rsa))
		token := rsa.token(t, f.claims(nil))
		if _, err := f.try(token); err != nil {
			t.Fatal(err)
		}
		f.issuer.publish(jwkSet(t, keys...))
		f.clock.Advance(time.Minute)
		if err := f.oidc.keys.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := f.try(token); err == nil {
			t.Errorf("%s: the cached token is accepted", name)
		}
	}
}

// Answers of a TokenReview that an API server should not give.
func TestAttacksByTheAnswerOfATokenReview(t *testing.T) {
	const user = `"user":{"username":"a","groups":["g"]}`
	for status, accepted := range map[string]bool{
		`{"authenticated":true,` + user + `,"audiences":["metrics-gate"]}`:              true,
		`{"authenticated":true,` + user + `,"audiences":["metrics-gate"],"more":{}}`:    true,
		`{"authenticated":true,` + user + `,"audiences":["vault","metrics-gate"]}`:      true,
		`{"authenticated":true,` + user + `,"audiences":["vault"]}`:                     false,
		`{"authenticated":true,` + user + `,"audiences":["metrics-gate2"]}`:             false,
		`{"authenticated":true,` + user + `,"audiences":[]}`:                            false,
		`{"authenticated":true,` + user + `,"audiences":null}`:                          false,
		`{"authenticated":true,` + user + `}`:                                           false,
		`{"authenticated":true,"user":{"username":""},"audiences":["metrics-gate"]}`:    false,
		`{"authenticated":true,"user":null,"audiences":["metrics-gate"]}`:               false,
		`{"authenticated":true,"audiences":["metrics-gate"]}`:                           false,
		`{"authenticated":true,"user":{"username":["a"]},"audiences":["metrics-gate"]}`: false,
		`{"authenticated":"true",` + user + `,"audiences":["metrics-gate"]}`:            false,
		`{"authenticated":1,` + user + `,"audiences":["metrics-gate"]}`:                 false,
		`{"authenticated":false,` + user + `,"audiences":["metrics-gate"]}`:             false,
		`{` + user + `,"audiences":["metrics-gate"]}`:                                   false,
		`{"authenticated":true,` + user + `,"audiences":"metrics-gate"}`:                false,
		`null`: false,
	} {
		f := newAPIFake(t)
		f.override = func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w,
				`{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":`+status+"}")
		}
		o := f.options(t)
		o.Audiences = []string{"metrics-gate"}
		id, err := newReview(t, o).Authenticate(request("Bearer " + podToken))
		if (err == nil) != accepted || accepted && (id.User != "a" || len(id.Groups) != 1) {
			t.Errorf("%s: %q, %v", status, id.User, err)
		}
	}
}
