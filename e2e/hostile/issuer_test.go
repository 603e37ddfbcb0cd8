package hostile_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/metrics-gate/metrics-gate/e2e/harness"
	"github.com/metrics-gate/metrics-gate/tlsconf/testca"
)

// issuer is an OpenID provider whose key set the test controls.
type issuer struct {
	*httptest.Server
	key      *ecdsa.PrivateKey
	requests atomic.Int64
	keys     atomic.Pointer[http.HandlerFunc]
}

type claims map[string]any

// startIssuer serves discovery and one key over TLS with a certificate of pki.
func startIssuer(t *testing.T, pki *harness.PKI) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.answer(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"keys":[%s]}`, i.jwk("k1", "sig")) })
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["none","HS256"]}`, i.URL,
			i.URL+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		i.requests.Add(1)
		w.Header().Set("Content-Type", "application/json")
		(*i.keys.Load())(w, r)
	})
	i.Server = httptest.NewUnstartedServer(mux)
	pair := testca.Must(pki.CA.Issue(testca.Options{IPs: []string{"127.0.0.1"}}))
	config := pki.Client(nil).Transport.(*http.Transport).TLSClientConfig.Clone()
	config.Certificates = append(config.Certificates, pair.TLS())
	i.TLS = config
	i.StartTLS()
	t.Cleanup(i.Close)
	return i
}

// answer replaces the handler of the key set.
func (i *issuer) answer(h http.HandlerFunc) { i.keys.Store(&h) }

func (i *issuer) jwk(kid, use string) string {
	point, err := i.key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":%q,"use":%q,"x":%q,"y":%q}`, kid, use, b64(point[1:33]),
		b64(point[33:]))
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// validClaims returns the claims of a token that may scrape, with changes (nil removes a claim).
func (i *issuer) validClaims(change claims) string {
	c := claims{"iss": i.URL, "aud": "metrics-gate", "sub": "prometheus", "iat": time.Now().Unix(),
		"exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// sign returns a token with an ES256 signature, independent of its header.
func (i *issuer) sign(header, payload string) string {
	text := b64([]byte(header)) + "." + b64([]byte(payload))
	sum := sha256.Sum256([]byte(text))
	signature, err := i.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return text + "." + b64(rawSignature(signature))
}

// rawSignature converts an ASN.1 signature to the 64 bytes of a JWS.
func rawSignature(der []byte) []byte {
	out := make([]byte, 64)
	at := 2
	for half := range 2 {
		length := int(der[at+1])
		number := der[at+2 : at+2+length]
		if length > 32 {
			number = number[length-32:]
		}
		copy(out[half*32+32-len(number):], number)
		at += 2 + length
	}
	return out
}

const es256 = `{"alg":"ES256","kid":"k1","typ":"JWT"}`

func (i *issuer) environ(pki *harness.PKI) []string {
	return []string{"OIDC_ISSUER_URL=" + i.URL, "OIDC_AUDIENCE=metrics-gate", "OIDC_CA_FILE=" + pki.File("ca.pem"),
		"METRICS_ALLOW=user:prometheus,dns:prometheus.example,token:prometheus"}
}

// withIssuer starts an issuer and a gate that trusts it.
func withIssuer(t *testing.T, more ...string) (*fixture, *issuer) {
	t.Helper()
	w := newCredentials(t)
	i := startIssuer(t, w.pki)
	w.recorder = harness.StartRecorder(t, harness.AnswerExposition(sample))
	w.gate = harness.StartGate(t, append(append(w.environ(), i.environ(w.pki)...), more...)...)
	return w, i
}

func (w *fixture) scrapeWithToken(t *testing.T, token string) *harness.Reply {
	t.Helper()
	return w.ask(t, "anonymous", get("/metrics", bearer(token)))
}

func TestOnlyOneFormOfTokenIsAccepted(t *testing.T) {
	t.Parallel()
	w, i := withIssuer(t, "OIDC_CLOCK_SKEW=0")
	now := time.Now().Unix()
	good := i.sign(es256, i.validClaims(nil))
	expect(t, w.scrapeWithToken(t, good), 200)
	parts := strings.Split(good, ".")
	hmac := b64([]byte(`{"alg":"HS256","kid":"k1"}`)) + "." + parts[1]
	for name, token := range map[string]string{
		"none": b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", "no signature": parts[0] + "." + parts[1] + ".",
		"hmac": hmac + "." + parts[2], "five parts": good + ".a.b", "four parts": good + ".a",
		"two parts": parts[0] + "." + parts[1],
		"json": `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` +
			parts[2] + `"}`,
		"padded":                  parts[0] + "=." + parts[1] + "." + parts[2],
		"large":                   i.sign(es256, i.validClaims(claims{"x": strings.Repeat("a", 8<<10)})),
		"other signature":         parts[0] + "." + parts[1] + "." + b64(make([]byte, 64)),
		"cut signature":           good[:len(good)-4],
		"other payload":           parts[0] + "." + b64([]byte(i.validClaims(claims{"sub": "root"}))) + "." + parts[2],
		"jwk in the header":       i.sign(`{"alg":"ES256","jwk":`+i.jwk("x", "sig")+`,"kid":"x"}`, i.validClaims(nil)),
		"crit":                    i.sign(`{"alg":"ES256","kid":"k1","crit":["exp"]}`, i.validClaims(nil)),
		"b64":                     i.sign(`{"alg":"ES256","kid":"k1","b64":false,"crit":["b64"]}`, i.validClaims(nil)),
		"logout":                  i.sign(`{"alg":"ES256","kid":"k1","typ":"logout+jwt"}`, i.validClaims(nil)),
		"two algorithms":          i.sign(`{"alg":"ES256","alg":"none","kid":"k1"}`, i.validClaims(nil)),
		"folded algorithm":        i.sign(`{"Alg":"ES256","alg":"ES256","kid":"k1"}`, i.validClaims(nil)),
		"two subjects":            i.sign(es256, strings.Replace(i.validClaims(nil), `{`, `{"sub":"guest",`, 1)),
		"folded subject":          i.sign(es256, i.validClaims(claims{"SUB": "x"})),
		"other issuer":            i.sign(es256, i.validClaims(claims{"iss": "https://evil.example"})),
		"issuer with a slash":     i.sign(es256, i.validClaims(claims{"iss": i.URL + "/"})),
		"other audience":          i.sign(es256, i.validClaims(claims{"aud": "gitlab"})),
		"no audience":             i.sign(es256, i.validClaims(claims{"aud": nil})),
		"empty audiences":         i.sign(es256, i.validClaims(claims{"aud": []string{}})),
		"no subject":              i.sign(es256, i.validClaims(claims{"sub": nil})),
		"empty subject":           i.sign(es256, i.validClaims(claims{"sub": ""})),
		"subject of another type": i.sign(es256, i.validClaims(claims{"sub": 1})),
		"expired":                 i.sign(es256, i.validClaims(claims{"exp": now - 1})),
		"no expiry":               i.sign(es256, i.validClaims(claims{"exp": nil})),
		"expiry in words":         i.sign(es256, i.validClaims(claims{"exp": "never"})),
		"ten years":               i.sign(es256, i.validClaims(claims{"exp": now + 315360000})),
		"not yet":                 i.sign(es256, i.validClaims(claims{"nbf": now + 30})),
		"issued tomorrow":         i.sign(es256, i.validClaims(claims{"iat": now + 3000, "exp": now + 6000})),
		"array of claims":         i.sign(es256, `[]`), "null": i.sign(es256, `null`),
		"trailing":    i.sign(es256, i.validClaims(nil)+"{}"),
		"deep":        i.sign(es256, strings.Repeat(`{"a":`, 500)+"1"+strings.Repeat("}", 500)),
		"huge number": i.sign(es256, i.validClaims(claims{"exp": json.Number("1e400")})),
	} {
		t.Run(name, func(t *testing.T) { expect(t, w.scrapeWithToken(t, token), 401) })
	}
	expect(t, w.scrapeWithToken(t, i.sign(es256, i.validClaims(claims{"sub": "guest"}))), 403)
	expect(t, w.scrapeWithToken(t, i.sign(es256, i.validClaims(claims{"sub": "Prometheus"}))), 403)
	expect(t, w.scrapeWithToken(t, i.sign(es256, i.validClaims(claims{"aud": []string{"x", "metrics-gate"}}))), 200)
}

func TestTokenExpiryAppliesToOpenConnections(t *testing.T) {
	t.Parallel()
	w, i := withIssuer(t, "OIDC_CLOCK_SKEW=0")
	exp := time.Now().Add(3 * time.Second).Unix()
	token, wire := i.sign(es256, i.validClaims(claims{"exp": exp})), w.dialAnonymous(t)
	expect(t, wire.RoundTrip(t, "GET", get("/metrics", bearer(token))), 200)
	await401(t, wire, get("/metrics", bearer(token)))
}
